//! Stopping those who write into a home that is over its quota: whoever has a regular file of it open for writing is
//! killed. Programs that only read, and shells, live on.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{FileType, OFlags};
use rustix::process::{Pid, Signal};

use crate::processes;

/// Kills every process that has a regular file beneath `home` open for writing. What can't be looked into is left.
pub fn stop(home: &Path) {
    for process in processes::all() {
        if writes(process.pid, home) {
            // It may have ended this moment.
            let _ = rustix::process::kill_process(process.pid, Signal::KILL);
        }
    }
}

fn writes(pid: Pid, home: &Path) -> bool {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let Ok(entries) = std::fs::read_dir(format!("{folder}/fd")) else { return false };
    entries.flatten().any(|entry| {
        let is_in_home = std::fs::read_link(entry.path()).is_ok_and(|target| is_beneath(&target, home));
        is_in_home
            && rustix::fs::stat(entry.path())
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
            && std::fs::read_to_string(format!("{folder}/fdinfo/{}", entry.file_name().to_string_lossy()))
                .is_ok_and(|info| is_writable(&info))
    })
}

/// Whether a link of `/proc/PID/fd` names something in the home; a removed file still has its name there.
fn is_beneath(target: &Path, home: &Path) -> bool {
    target.as_os_str().as_bytes().first() == Some(&b'/') && target.starts_with(home)
}

/// Whether the `flags:` of an `fdinfo` (octal, proc(5)) allow writing.
fn is_writable(info: &str) -> bool {
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| OFlags::from_bits_retain(flags).intersects(OFlags::WRONLY | OFlags::RDWR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_open_for_writing_count() {
        assert!(!is_writable("pos:\t0\nflags:\t0100000\nmnt_id:\t1\n"));
        assert!(is_writable("pos:\t0\nflags:\t0100001\n"));
        assert!(is_writable("pos:\t0\nflags:\t02100002\n"));
        assert!(is_beneath(Path::new("/home/user/P/x (deleted)"), Path::new("/home/user")));
        assert!(!is_beneath(Path::new("/home/user2/x"), Path::new("/home/user")));
    }
}
