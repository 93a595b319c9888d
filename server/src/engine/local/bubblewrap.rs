//! What a sandbox sees, as bubblewrap's arguments: the host's `/usr` read-only, an `/etc` of our own, a private home,
//! and nothing else.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::etc;
use super::spawn::Fds;
use crate::engine::Profile;

/// Where the agent stands inside.
const AGENT: &str = "/run/embedenv/agent";
/// Programs of ours, last on `PATH`: `python` where the host has only `python3`.
const PROGRAMS: &str = "/run/embedenv/bin";
/// What of the host goes in.
pub(super) struct Host<'a> {
    pub(super) home: &'a Path,
    pub(super) agent: &'a Path,
    pub(super) etc: &'a Path,
}

pub(super) fn arguments(host: &Host<'_>, profile: &Profile, fds: &Fds) -> Vec<OsString> {
    let limits = &profile.limits;
    let mut line = Line(Vec::with_capacity(128));
    // `--unshare-all` takes a user namespace only if it can; without one nothing may start.
    line.add(&["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]);
    line.add(&["--clearenv", "--new-session", "--as-pid-1", "--cap-drop", "ALL"]);
    line.add(&["--json-status-fd", &fds.status.to_string()]);
    for filter in &fds.filters {
        line.add(&["--add-seccomp-fd", &filter.to_string()]);
    }
    line.add(&["--ro-bind", "/usr", "/usr"]);
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = format!("/{name}");
        match fs::read_link(&path) {
            Ok(target) => line.add(&["--symlink"]).path(&target).add(&[&path]),
            Err(_) if Path::new(&path).is_dir() => line.add(&["--ro-bind", &path, &path]),
            Err(_) => &mut line,
        };
    }
    line.add(&["--ro-bind"]).path(host.etc).add(&["/etc"]);
    let tmp = limits.tmp.to_string();
    line.add(&["--proc", "/proc", "--dev", "/dev", "--size", &tmp, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
    line.add(&["--perms", "1777", "--size", &tmp, "--tmpfs", "/tmp"]);
    line.add(&["--size", "16777216", "--tmpfs", "/run", "--dir", PROGRAMS]);
    for (name, target) in [("python", "/usr/bin/python3"), ("pip", "/usr/bin/pip3")] {
        if Path::new(target).exists() && !Path::new("/usr/bin").join(name).exists() {
            line.add(&["--symlink", target, &format!("{PROGRAMS}/{name}")]);
        }
    }
    line.add(&["--ro-bind"]).path(host.agent).add(&[AGENT]);
    line.add(&["--dir", "/var/tmp", "--dir", "/home", "--bind"]).path(host.home).add(&["/home/user"]);
    line.add(&["--remount-ro", "/", "--chdir", "/home/user", "--", AGENT, "serve"]);
    line.add(&["--listen-fd", &fds.listener.to_string(), "--secret-fd", &fds.secret.to_string()]);
    line.add(&["--home", "/home/user", "--nproc", &limits.processes.to_string()]);
    line.add(&["--nofile", &limits.open_files.to_string(), "--disk", &limits.disk.to_string()]);
    line.add(&["--inodes", &limits.inodes.to_string(), "--login-path", etc::PATH]);
    if let Some(port) = profile.proxy {
        line.add(&["--proxy", &port.to_string()]);
    }
    line.0
}

struct Line(Vec<OsString>);

impl Line {
    fn add(&mut self, arguments: &[&str]) -> &mut Self {
        self.0.extend(arguments.iter().map(OsString::from));
        self
    }

    fn path(&mut self, path: &Path) -> &mut Self {
        self.0.push(path.into());
        self
    }
}
