//! The sandbox's own `/etc`: who `user` is, where names lead, and what a shell begins with.

/// File names and contents.
pub(super) const FILES: [(&str, &str); 9] = [
    (
        "passwd",
        "user:x:1000:1000:user:/home/user:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("group", "user:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost ip6-localhost ip6-loopback\n"),
    ("hostname", "sandbox\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("profile", PROFILE),
    ("bash.bashrc", BASHRC),
    ("inputrc", "set enable-bracketed-paste on\n\"\\e[1;5C\": forward-word\n\"\\e[1;5D\": backward-word\n"),
    ("shells", "/bin/sh\n/bin/bash\n"),
];

/// What [`PROFILE`] makes of `PATH`; it ends with programs of ours, so that the host's own win.
pub(super) const PATH: &str =
    "/home/user/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/run/embedenv/bin";
/// The agent sets `LANG` and the umask by itself: it is told [`PATH`], and then starts no login shell to learn of it.
const PROFILE: &str = "\
PATH=/home/user/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/run/embedenv/bin
export PATH
export LANG=C.UTF-8
umask 022
";

/// An interactive shell's prompt: where it is, in colour.
const BASHRC: &str = "\
case $- in *i*) ;; *) return ;; esac
shopt -s checkwinsize
PS1='\\[\\e[1;34m\\]\\w\\[\\e[0m\\]\\$ '
HISTCONTROL=ignoreboth
alias ls='ls --color=auto'
alias ll='ls -alF'
alias grep='grep --color=auto'
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_sets_the_path_that_the_agent_is_told() {
        assert!(PROFILE.starts_with(&format!("PATH={PATH}\n")));
    }
}
