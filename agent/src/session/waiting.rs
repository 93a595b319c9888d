//! Whether a session's program waits for input: its last line is unfinished, it has been quiet, and a process in the
//! terminal's foreground is blocked in a call that reads the terminal or waits for it to be readable.
//!
//! That is read from `/proc`, never from the program's memory beyond the arguments of such a call. A call with a time
//! limit counts when it is seen twice with no output between: a program that polls its terminal now and then looks the
//! same as one that waits, and is the known error of this rule. Where `/proc` may not be read, quiet for [`BLIND`]
//! counts.

use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use embedenv_shared::link::sessions::{SessionKind, Waiting};
use embedenv_shared::link::{self as wire, Event, Kind};
use rustix::fs::FileType;
use rustix::process::Pid;

use super::{Phase, Session};
use crate::link::Link;
use crate::processes;

/// How long output must have paused before it is looked for the first time; then half as often each time.
const FIRST: Duration = Duration::from_millis(25);
/// The longest pause between two looks.
const SELDOM: Duration = Duration::from_secs(1);
/// The second look at a call with a time limit.
const AGAIN: Duration = Duration::from_millis(50);
/// Quiet for this long counts as waiting where it can't be seen.
const BLIND: Duration = Duration::from_millis(250);
/// Descriptors of one poll call that are looked at.
const MAX_POLLED: u64 = 4096;
/// Threads of one process that are looked at.
const MAX_THREADS: usize = 512;
/// `/dev/tty`: the terminal of whoever opens it.
const OWN_TERMINAL: (u32, u32) = (5, 0);

/// What is known, and when to look next.
#[derive(Debug, Default)]
pub struct Watch {
    last_output: Option<Instant>,
    next: Option<Instant>,
    pause: Duration,
    /// A call with a time limit was seen the last time.
    seen: bool,
    /// Told for this offset.
    told: Option<u64>,
}

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    No,
    /// Something could not be looked at.
    Blind,
    /// A call with a time limit.
    Perhaps,
    Yes,
}

impl Watch {
    pub fn printed(&mut self, now: Instant) {
        *self = Self { last_output: Some(now), next: Some(now + FIRST), pause: FIRST, seen: false, told: self.told };
    }

    /// Somebody new is there to be told.
    pub fn ask_again(&mut self) {
        self.told = None;
        self.next = Some(Instant::now());
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

impl Session {
    /// Looks if it is time to, and tells.
    pub(super) fn look_for_waiting(&mut self, now: Instant, link: &mut Option<Link>) {
        if self.watch.next.is_none_or(|next| next > now) {
            return;
        }
        self.watch.next = None;
        let head = self.ring.head();
        let concerns = self.kind == SessionKind::Shell && self.phase == Phase::Running;
        if !concerns || self.watch.told == Some(head) || self.ring.ends_a_line() {
            return;
        }
        let (Some(link), Some(reader)) = (link.as_mut(), &self.reader) else { return };
        let look = if reader.sent < head { Look::No } else { self.look() };
        let quiet = self.watch.last_output.is_none_or(|last| now >= last + BLIND);
        let waits = look == Look::Yes || (look == Look::Perhaps && self.watch.seen) || (look == Look::Blind && quiet);
        if waits {
            self.watch.told = Some(head);
            let waiting = Waiting { session: self.id, offset: head };
            link.send_frame(&wire::encode(Kind::Event, 0, &Event::Waiting(waiting)));
            return;
        }
        self.watch.seen = look == Look::Perhaps;
        self.watch.pause = (self.watch.pause * 2).min(SELDOM);
        self.watch.next = Some(now + if self.watch.seen { AGAIN } else { self.watch.pause });
    }

    fn look(&self) -> Look {
        let Some(group) = self.foreground() else { return Look::Blind };
        let mut found = Look::No;
        for pid in processes::group(group) {
            found = found.max(look_at(pid, self.device));
            if found == Look::Yes {
                break;
            }
        }
        found
    }
}

/// Whether a thread of `pid` waits for the terminal whose device is `device`.
fn look_at(pid: Pid, device: (u32, u32)) -> Look {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let Ok(threads) = std::fs::read_dir(format!("{folder}/task")) else { return Look::No };
    let process = Process { folder, device };
    let mut found = Look::No;
    for thread in threads.flatten().take(MAX_THREADS) {
        let look = match std::fs::read_to_string(thread.path().join("syscall")) {
            Ok(text) => parse(&text).map_or(Look::No, |call| process.waits_in(&call)),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Look::Blind,
            // It has ended this moment.
            Err(_) => Look::No,
        };
        found = found.max(look);
        if found == Look::Yes {
            break;
        }
    }
    found
}

/// A system call that a thread is in: its number and arguments.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    number: i64,
    arguments: [u64; 6],
}

/// Reads `/proc/PID/task/TID/syscall` (proc(5)); `None` for a thread that runs or is blocked outside a call.
fn parse(text: &str) -> Option<Call> {
    let mut fields = text.split_ascii_whitespace();
    let number = fields.next()?.parse().ok().filter(|&number: &i64| number >= 0)?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(Call { number, arguments })
}

struct Process {
    folder: String,
    device: (u32, u32),
}

impl Process {
    fn waits_in(&self, call: &Call) -> Look {
        let [a, b, c, d, e, _] = call.arguments;
        // A time limit in milliseconds, and one behind a pointer.
        let milliseconds = |limit: u64| match limit as i32 {
            0 => Look::No,
            limit if limit < 0 => Look::Yes,
            _ => Look::Perhaps,
        };
        let pointer = |limit: u64| if limit == 0 { Look::Yes } else { Look::Perhaps };
        let (includes, look) = match call.number {
            libc::SYS_read | libc::SYS_readv => (self.is_terminal(a as i32), Look::Yes),
            libc::SYS_ppoll => (self.polls(a, b), pointer(c)),
            libc::SYS_pselect6 => (self.selects(a, b), pointer(e)),
            libc::SYS_epoll_pwait => (self.epolls(a), milliseconds(d)),
            libc::SYS_epoll_pwait2 => (self.epolls(a), pointer(d)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => (self.polls(a, b), milliseconds(c)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => (self.selects(a, b), pointer(e)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => (self.epolls(a), milliseconds(d)),
            _ => return Look::No,
        };
        match includes {
            Some(true) => look,
            Some(false) => Look::No,
            None => Look::Blind,
        }
    }

    /// Whether a descriptor of the process is the terminal; `None` if that can't be seen.
    fn is_terminal(&self, fd: i32) -> Option<bool> {
        if fd < 0 {
            return Some(false);
        }
        match rustix::fs::stat(format!("{}/fd/{fd}", self.folder)) {
            Ok(stat) => {
                let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
                let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
                Some(is_device && (device == self.device || device == OWN_TERMINAL))
            }
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => None,
            Err(_) => Some(false),
        }
    }

    /// The terminal among the `struct pollfd` of a poll.
    fn polls(&self, at: u64, count: u64) -> Option<bool> {
        const POLLFD: usize = 8;
        let bytes = self.memory(at, count.min(MAX_POLLED) as usize * POLLFD)?;
        self.any(bytes.chunks_exact(POLLFD).filter_map(|record| {
            let [a, b, c, d, events @ .., _, _] = *record.first_chunk::<POLLFD>()?;
            let wants = i16::from_ne_bytes(events) & (libc::POLLIN | libc::POLLRDNORM) != 0;
            wants.then(|| i32::from_ne_bytes([a, b, c, d]))
        }))
    }

    /// The terminal in the reading set of a select.
    fn selects(&self, count: u64, at: u64) -> Option<bool> {
        if at == 0 {
            return Some(false);
        }
        let count = count.min(MAX_POLLED) as usize;
        let bytes = self.memory(at, count.div_ceil(64) * 8)?;
        self.any((0..count).filter(|&fd| bytes[fd / 8] & (1 << (fd % 8)) != 0).map(|fd| fd as i32))
    }

    /// The terminal among what an epoll descriptor watches, as its `fdinfo` lists them.
    fn epolls(&self, fd: u64) -> Option<bool> {
        let info = std::fs::read_to_string(format!("{}/fdinfo/{}", self.folder, fd as i32)).ok()?;
        self.any(
            info.lines().filter_map(|line| line.strip_prefix("tfd:")?.split_ascii_whitespace().next()?.parse().ok()),
        )
    }

    fn any(&self, mut fds: impl Iterator<Item = i32>) -> Option<bool> {
        let mut blind = false;
        let found = fds.any(|fd| match self.is_terminal(fd) {
            Some(is_terminal) => is_terminal,
            None => {
                blind = true;
                false
            }
        });
        (found || !blind).then_some(found)
    }

    fn memory(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        std::fs::File::open(format!("{}/mem", self.folder)).ok()?.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_threads_inside_a_call_have_one() {
        let text = "0 0x0 0x7ffc 0x400 0x0 0x1 0xffffffffffffffff 0x7ffd 0x7f11\n";
        let call = parse(text).unwrap();
        assert_eq!((call.number, call.arguments), (0, [0, 0x7ffc, 0x400, 0, 1, u64::MAX]));
        assert_eq!(parse("running\n"), None);
        assert_eq!(parse("-1 0x7ffd 0x7f11\n"), None);
    }
}
