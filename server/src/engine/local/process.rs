//! A sandbox's first process, named so that no other is ever mistaken for it: by its id, its start time and the boot.
#![allow(unsafe_code)] // `AsyncFd::register`: the descriptor must stay open, and the one given is owned.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

/// Which process, on which boot of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Clock ticks since the machine's start; with the id it names one process for ever.
    started: u64,
    boot: String,
}

/// A process that was seen to be the one that is meant, held so that its id can't be another's meanwhile.
#[derive(Debug)]
pub(super) struct Running(OwnedFd);

impl Process {
    /// The process that has this id now.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, started: start_time(pid)?, boot: boot() })
    }

    /// The process, if it still runs.
    pub(super) fn open(&self) -> Option<Running> {
        let pid = Pid::from_raw(i32::try_from(self.pid).ok()?)?;
        let held = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Looked at after it is held: from here on the id is this process's.
        let same = self.boot == boot() && start_time(self.pid).is_ok_and(|started| started == self.started);
        same.then_some(Running(held))
    }

    pub(super) fn children(&self) -> Vec<Self> {
        let listed = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap_or_default();
        listed.split_whitespace().filter_map(|pid| Self::of(pid.parse().ok()?).ok()).collect()
    }
}

impl Running {
    pub(super) fn kill(&self) {
        // One that has ended meanwhile is what is wanted.
        let _ = pidfd_send_signal(&self.0, Signal::KILL);
    }

    /// Returns when the process has ended; for a sandbox's first one, everything in it has ended by then.
    pub(super) async fn ended(self) -> io::Result<()> {
        // Safety: an `OwnedFd` is open until it is dropped, and the `AsyncFd` holds it until then.
        let held = unsafe { AsyncFd::register(self.0) }?;
        held.readable().await?.retain_ready();
        Ok(())
    }
}

pub(super) fn read(path: &Path) -> Option<Process> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

pub(super) fn write(path: &Path, process: &Process) -> io::Result<()> {
    fs::write(path, serde_json::to_string(process)?)
}

/// Every bubblewrap on this machine whose sandbox is of a room beneath `rooms`, with that room's name.
pub(super) fn wrappers(rooms: &Path) -> Vec<(Process, String)> {
    let prefix = format!("{}/", rooms.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut arguments = line.split('\0');
        if !arguments.next().is_some_and(|program| program.ends_with("bwrap")) {
            continue;
        }
        let room = arguments.find_map(|argument| argument.strip_prefix(&prefix)?.strip_suffix("/home"));
        if let (Some(room), Ok(process)) = (room, Process::of(pid)) {
            found.push((process, room.to_owned()));
        }
    }
    found
}

/// Field 22 of `/proc/PID/stat` (proc(5)).
fn start_time(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is a name in parentheses that may hold anything; fields are counted after it.
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let field = after_name.split_whitespace().nth(19).and_then(|field| field.parse().ok());
    field.ok_or_else(|| io::Error::other("/proc/PID/stat can't be read"))
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
