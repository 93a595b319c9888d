//! What the images are made from. `images/workspace/Dockerfile` says the same for those who have a registry, and a test here
//! holds the two together. Names no mirror: packages come from where this machine's own do.

use std::path::PathBuf;
use std::process::Command;

use crate::cache;

/// Debian 12. Another release is another recipe.
const SUITE: &str = "bookworm";

/// What people expect to find. Debian's npm is not among it: it brings 350 packages and 106 MB, a fifth on top of all this,
/// for a command that fetches from a network which sandboxes don't have; an image with both is two lines of a Dockerfile.
const PACKAGES: [&str; 16] = [
    "bash",
    "ca-certificates",
    "coreutils",
    "curl",
    "gcc",
    "git",
    "less",
    "libc6-dev",
    "make",
    "nodejs",
    "procps",
    "python-is-python3",
    "python3",
    "python3-pip",
    "python3-venv",
    "vim-tiny",
];

/// What packages bring and nobody reads in a sandbox: pages, translations, and gcc's viewer of its own intermediate files
/// (32 MB). `C.UTF-8` is no part of the translations.
const EXCLUDED: [&str; 5] =
    ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/bin/*-lto-dump-*"];

/// What stays nevertheless: licences have to go with what they are for.
const INCLUDED: [&str; 1] = ["/usr/share/doc/*/copyright"];

/// The one user, whom sandboxes run as.
const USER: [&str; 2] =
    ["groupadd --gid 1000 user", "useradd --uid 1000 --gid user --create-home --shell /bin/bash user"];

/// What mmdebstrap took over from the machine that builds. A container gets files of its own under these names.
const THIS_MACHINES: [&str; 2] = ["etc/hostname", "etc/resolv.conf"];

/// What the image says about itself.
pub(super) const CHANGES: [&str; 3] = [
    r#"CMD ["/bin/bash"]"#,
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
];

/// What the busybox image says about itself.
pub(super) const BUSYBOX_CHANGES: [&str; 2] = [r#"CMD ["/bin/sh"]"#, "ENV PATH=/bin"];

/// A hash over everything that the workspace image is made from, but for the packages' versions.
pub(super) fn hash() -> String {
    cache::digest(&(arguments(), std::env::consts::ARCH))
}

/// The program that writes the workspace image's files as a tar to standard output.
pub(super) fn mmdebstrap() -> Command {
    let mut command = Command::new("mmdebstrap");
    // Without a source it takes Debian's own mirrors.
    command.arg("--quiet").args(arguments()).args([SUITE, "-"]).args(source());
    command
}

fn arguments() -> Vec<String> {
    let mut arguments = vec!["--variant=minbase".to_owned(), "--format=tar".to_owned()];
    arguments.push(format!("--include={}", PACKAGES.join(",")));
    arguments.extend(EXCLUDED.map(|paths| format!("--dpkgopt=path-exclude={paths}")));
    arguments.extend(INCLUDED.map(|paths| format!("--dpkgopt=path-include={paths}")));
    arguments.extend(USER.map(|command| format!("--customize-hook=chroot \"$1\" {command}")));
    arguments.extend(THIS_MACHINES.map(|file| format!("--customize-hook=rm --force \"$1/{file}\"")));
    arguments
}

/// The file by which this machine's own apt finds Debian, if this machine is of the same release.
fn source() -> Option<PathBuf> {
    ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]
        .map(PathBuf::from)
        .into_iter()
        .find(|file| std::fs::read_to_string(file).is_ok_and(|text| names_suite(&text)))
}

/// Whether a list of sources, of either format of `sources.list(5)`, has the suite.
fn names_suite(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("deb ") || line.starts_with("Suites:"));
    lines.flat_map(str::split_whitespace).any(|word| word == SUITE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo;

    /// The words of the Dockerfile, its comments and line ends taken out.
    fn dockerfile() -> Vec<String> {
        let text = std::fs::read_to_string(repo::path("images/workspace/Dockerfile")).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = code.flat_map(str::split_whitespace).filter(|word| *word != "\\");
        words.map(|word| word.trim_matches(['\'', ';']).to_owned()).collect()
    }

    /// The words from behind `start` up to the `&&` that ends the command.
    fn behind(words: &[String], start: &str) -> Vec<String> {
        let begin = words.iter().position(|word| word == start).unwrap() + 1;
        words[begin..].iter().take_while(|word| *word != "&&").cloned().collect()
    }

    #[test]
    fn the_dockerfile_installs_the_same_packages() {
        assert_eq!(behind(&dockerfile(), "--no-install-recommends"), PACKAGES);
        assert!(PACKAGES.is_sorted());
    }

    #[test]
    fn the_dockerfile_leaves_out_the_same_paths() {
        let words = dockerfile();
        let paths = |option: &str| words.iter().filter_map(|word| word.strip_prefix(option)).collect::<Vec<_>>();
        assert_eq!(paths("path-exclude="), EXCLUDED);
        assert_eq!(paths("path-include="), INCLUDED);
    }

    #[test]
    fn the_dockerfile_has_the_same_release_user_and_settings() {
        let text = dockerfile().join(" ");
        let from = format!("FROM debian:{SUITE}-slim ");
        for wanted in USER.iter().chain(&CHANGES).copied().chain([from.as_str()]) {
            assert!(text.contains(wanted), "{wanted}");
        }
    }

    #[test]
    fn the_servers_dockerfile_builds_with_the_pinned_rust() {
        let dockerfile = std::fs::read_to_string(repo::path("images/server/Dockerfile")).unwrap();
        let pinned = std::fs::read_to_string(repo::path("rust-toolchain.toml")).unwrap();
        let tag = format!("-{SUITE} AS build");
        let image = dockerfile.lines().find_map(|line| line.strip_prefix("FROM rust:")?.strip_suffix(&tag)).unwrap();
        assert!(pinned.contains(&format!("channel = \"{image}.")), "{image}");
    }

    #[test]
    fn another_recipe_has_another_hash() {
        assert_eq!(hash(), hash());
        assert_ne!(cache::digest(&["gcc", "git"]), cache::digest(&["gcc", "gitk"]));
    }

    #[test]
    fn only_a_source_of_the_same_release_is_taken() {
        assert!(names_suite("deb http://mirror.example/debian bookworm main\n"));
        assert!(names_suite("Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"));
        assert!(!names_suite("deb http://mirror.example/debian bookworm-updates main\n"));
        assert!(!names_suite("deb http://mirror.example/ubuntu noble main\n# deb bookworm \n"));
    }
}
