//! Starting bubblewrap: descriptors handed on, cgroup and user changed between fork and exec.
#![allow(unsafe_code)] // `pre_exec`: what runs between fork and exec makes system calls only, on values made before.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::setsid;
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;

use super::cgroup::RoomCgroup;
use crate::engine::LinkSecret;
use crate::engine::seccomp::Filters;

/// One start.
pub(super) struct Launch<'a> {
    pub(super) bubblewrap: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) listener: OwnedFd,
    pub(super) secret: &'a LinkSecret,
    pub(super) filters: &'a Filters,
    pub(super) cgroup: &'a RoomCgroup,
    /// The host user to become, when the server is root.
    pub(super) uid: Option<u32>,
}

/// The descriptors a sandbox is started with, by number.
pub(super) struct Fds {
    pub(super) listener: RawFd,
    pub(super) secret: RawFd,
    pub(super) status: RawFd,
    pub(super) filters: Vec<RawFd>,
}

impl Launch<'_> {
    /// Starts bubblewrap and returns the pipe on which it says what became of it. The process is nobody's to wait for
    /// but the runtime's, which reaps it.
    pub(super) fn spawn(self, arguments: impl FnOnce(&Fds) -> Vec<OsString>) -> io::Result<OwnedFd> {
        let secret = filled("secret", &self.secret.0)?;
        let filters: Vec<OwnedFd> =
            self.filters.programs().map(|program| filled("filter", program)).collect::<io::Result<_>>()?;
        let (status, status_in) = pipe_with(PipeFlags::CLOEXEC)?;
        let fds = Fds {
            listener: self.listener.as_raw_fd(),
            secret: secret.as_raw_fd(),
            status: status_in.as_raw_fd(),
            filters: filters.iter().map(OwnedFd::as_raw_fd).collect(),
        };
        let log = File::create(self.folder.join("sandbox.log"))?;
        let mut command = Command::new(self.bubblewrap);
        command.args(arguments(&fds)).env_clear().current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let joins = self.cgroup.joins()?;
        let uid = self.uid;
        let mut handed = vec![self.listener, secret, status_in];
        handed.extend(filters);
        // Safety: between fork and exec this only makes system calls, on descriptors and numbers made before the fork;
        // it allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(move || {
                setsid()?;
                for join in &joins {
                    rustix::io::write(join, b"0")?;
                }
                if let Some(uid) = uid {
                    become_user(uid)?;
                }
                // Whatever the server itself was started with goes no further. A kernel without this keeps it as it was.
                libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
                for fd in &handed {
                    fcntl_setfd(fd.as_fd(), FdFlags::empty())?;
                }
                Ok(())
            });
        }
        drop(command.spawn()?);
        Ok(status)
    }
}

/// Drops every group, then group and user, for good.
fn become_user(uid: u32) -> io::Result<()> {
    set_thread_groups(&[])?;
    let gid = Gid::from_raw(uid);
    set_thread_res_gid(gid, gid, gid)?;
    let uid = Uid::from_raw(uid);
    Ok(set_thread_res_uid(uid, uid, uid)?)
}

/// A descriptor from which these bytes are read once.
fn filled(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(bytes)?;
    io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

/// Which process bubblewrap says is the sandbox.
pub(super) async fn child_pid(status: OwnedFd) -> io::Result<u32> {
    #[derive(serde::Deserialize)]
    struct Status {
        #[serde(rename = "child-pid")]
        child_pid: Option<u32>,
    }
    rustix::io::ioctl_fionbio(status.as_fd(), true)?;
    let mut lines = BufReader::new(Receiver::from_owned_fd(status)?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Ok(Status { child_pid: Some(pid) }) = serde_json::from_str(&line) {
            return Ok(pid);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
