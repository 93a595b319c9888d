//! The sandboxes' `/etc`: who `user` is, where names lead, what a shell begins with, and what programs of `/usr` need of
//! the host's. One folder for all of them, bound read-only: each file bound by itself would cost every start 0.1 ms.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::{beside, make_folder, write_once};

/// Our own: file names and contents.
const FILES: [(&str, &str); 9] = [
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

/// Of the host's `/etc`, if it is there: what programs of `/usr` need, and nothing that names the host.
const HOST: [&str; 14] = [
    "alternatives",
    "ca-certificates",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "python3",
    "python3.11",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
];
const FOLDER: u32 = 0o755;
const FILE: u32 = 0o444;

/// Brings the folder up to date. Sandboxes that run on it meanwhile see each file as it was or as it is.
pub(super) fn install(etc: &Path) -> io::Result<()> {
    make_folder(etc, FOLDER)?;
    for (name, text) in FILES {
        write_once(&etc.join(name), text.as_bytes(), FILE)?;
    }
    for name in HOST {
        let to = etc.join(name);
        if let Some(folder) = to.parent() {
            make_folder(folder, FOLDER)?;
        }
        mirror(&Path::new("/etc").join(name), &to)?;
    }
    Ok(())
}

/// Makes `to` what `from` is, as far as anybody may read it.
fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(meta) = from.symlink_metadata() else { return remove(to) };
    if to.symlink_metadata().is_ok_and(|there| there.file_type() != meta.file_type()) {
        remove(to)?;
    }
    let anybody = |bits: u32| meta.permissions().mode() & bits == bits;
    if meta.is_symlink() {
        let target = fs::read_link(from)?;
        if !fs::read_link(to).is_ok_and(|there| there == target) {
            let beside = beside(to);
            symlink(target, &beside)?;
            fs::rename(&beside, to)?;
        }
    } else if meta.is_file() && anybody(0o004) {
        write_once(to, &fs::read(from)?, FILE)?;
    } else if meta.is_dir() && anybody(0o005) {
        make_folder(to, FOLDER)?;
        let names = |folder: &Path| -> io::Result<BTreeSet<_>> {
            fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
        };
        for name in names(from)?.union(&names(to)?) {
            let name: &OsStr = name;
            mirror(&from.join(name), &to.join(name))?;
        }
    } else {
        return remove(to);
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

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
    fn a_mirror_follows_what_it_shows_and_leaves_out_what_not_everybody_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::write(from.join("deep/file"), "one").unwrap();
        symlink("deep/file", from.join("link")).unwrap();
        fs::write(from.join("private"), "secret").unwrap();
        fs::set_permissions(from.join("private"), fs::Permissions::from_mode(0o600)).unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "one");
        assert!(!to.join("private").exists());

        fs::write(from.join("deep/file"), "two").unwrap();
        fs::remove_file(from.join("link")).unwrap();
        fs::create_dir(from.join("link")).unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/file")).unwrap(), "two");
        assert!(to.join("link").is_dir());

        fs::remove_dir_all(from.join("deep")).unwrap();
        mirror(&from, &to).unwrap();
        assert!(!to.join("deep").exists());
    }

    #[test]
    fn the_profile_sets_the_path_that_the_agent_is_told() {
        assert!(PROFILE.starts_with(&format!("PATH={PATH}\n")));
    }
}
