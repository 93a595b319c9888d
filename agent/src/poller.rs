//! The one epoll instance: what is watched, and under which name an event comes back.
//!
//! Level-triggered, so that a short read needs no second one to learn that nothing is left.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

/// Events taken from the kernel at once.
const MAX_EVENTS: usize = 64;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Listener,
    /// A connection that has not proved itself yet.
    Candidate(u32),
    Link,
    /// A session's pseudo-terminal, or what a process prints to.
    Terminal(u32),
    /// What a process reads from.
    Input(u32),
    /// What a session's holder says.
    Holder(u32),
    Stream(u32),
    Folders,
    Workers,
    Children,
    /// The proxy's listener.
    Proxy,
}

impl Source {
    fn pack(self) -> u64 {
        let (tag, id) = match self {
            Self::Listener => (0, 0),
            Self::Candidate(id) => (1, id),
            Self::Link => (2, 0),
            Self::Terminal(id) => (3, id),
            Self::Holder(id) => (4, id),
            Self::Stream(id) => (5, id),
            Self::Folders => (6, 0),
            Self::Workers => (7, 0),
            Self::Children => (8, 0),
            Self::Proxy => (9, 0),
            Self::Input(id) => (10, id),
        };
        (tag << 32) | u64::from(id)
    }

    fn unpack(data: u64) -> Self {
        let id = data as u32;
        match data >> 32 {
            0 => Self::Listener,
            1 => Self::Candidate(id),
            2 => Self::Link,
            3 => Self::Terminal(id),
            4 => Self::Holder(id),
            5 => Self::Stream(id),
            6 => Self::Folders,
            7 => Self::Workers,
            8 => Self::Children,
            9 => Self::Proxy,
            _ => Self::Input(id),
        }
    }
}

/// What one is watched for. Errors and hang-ups come unasked, so what wants neither is not watched at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    pub read: bool,
    pub write: bool,
}

impl Interest {
    pub const READ: Self = Self { read: true, write: false };

    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.read);
        flags.set(EventFlags::OUT, self.write);
        flags
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub source: Source,
    pub readable: bool,
    pub writable: bool,
}

#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub fn new() -> Result<Self, Errno> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Changes what `fd` is watched for from `old` to `new` and remembers it there.
    pub fn set(&self, fd: impl AsFd, source: Source, old: &mut Interest, new: Interest) {
        let nothing = Interest::default();
        if *old == new {
            return;
        }
        let data = EventData::new_u64(source.pack());
        let result = if *old == nothing {
            epoll::add(&self.epoll, fd, data, new.flags())
        } else if new == nothing {
            epoll::delete(&self.epoll, fd)
        } else {
            epoll::modify(&self.epoll, fd, data, new.flags())
        };
        // Memory or the user's quota of watches may be short for a moment; the next turn tries again.
        if result.is_ok() {
            *old = new;
        }
    }

    /// Waits until something happens or `deadline` has come, and returns what happened.
    pub fn wait(&self, events: &mut Vec<Event>, deadline: Option<Instant>) -> Result<(), Errno> {
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up: waking early only to wait again would cost a turn.
            let left = if left.is_zero() { left } else { left + Duration::from_micros(999) };
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        let mut buffer = [std::mem::MaybeUninit::<epoll::Event>::uninit(); MAX_EVENTS];
        events.clear();
        let happened = match epoll::wait(&self.epoll, &mut buffer[..], timeout.as_ref()) {
            Ok((happened, _)) => happened,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error),
        };
        events.extend(happened.iter().map(|event| {
            let flags = event.flags;
            let over = flags.intersects(EventFlags::HUP | EventFlags::ERR);
            Event {
                source: Source::unpack(event.data.u64()),
                readable: over || flags.contains(EventFlags::IN),
                writable: over || flags.contains(EventFlags::OUT),
            }
        }));
        Ok(())
    }
}
