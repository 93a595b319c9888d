//! How much of the disk the home uses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::Used;

use super::Limits;
use super::usage;
use crate::files::beneath::Home;

/// Bytes that any file takes at least.
const BLOCK: u64 = 4096;

/// The home's use of the disk as last counted, and what was written since by requests.
#[derive(Debug)]
pub struct Disk {
    limits: Limits,
    bytes: AtomicU64,
    inodes: AtomicU64,
}

impl Disk {
    pub fn new(limits: Limits) -> Self {
        Self { limits, bytes: AtomicU64::new(0), inodes: AtomicU64::new(0) }
    }

    /// Whether there is a quota to watch.
    pub fn is_limited(&self) -> bool {
        self.limits.disk.is_some() || self.limits.inodes.is_some()
    }

    /// Takes so much of the quota, or says that there isn't as much. What a file replaced is given back at the next
    /// count.
    pub fn fits(&self, bytes: u64, inodes: u64) -> Result<(), Failure> {
        let bytes = bytes.next_multiple_of(BLOCK).max(inodes * BLOCK);
        let over = |used: &AtomicU64, more, limit: Option<u64>| {
            limit.is_some_and(|limit| used.load(Ordering::Relaxed).saturating_add(more) > limit)
        };
        if over(&self.bytes, bytes, self.limits.disk) {
            return Err(Failure::new(ErrorCode::QuotaExceeded, "the workspace's disk is full"));
        }
        if over(&self.inodes, inodes, self.limits.inodes) {
            return Err(Failure::new(ErrorCode::QuotaExceeded, "the workspace has as many files as it may have"));
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.inodes.fetch_add(inodes, Ordering::Relaxed);
        Ok(())
    }

    /// Whether more was used at the last count than may be.
    pub fn is_over(&self) -> bool {
        self.limits.disk.is_some_and(|limit| self.bytes.load(Ordering::Relaxed) > limit)
    }

    /// Counts anew. Blocks. Returns whether the home is over its quota.
    pub fn count(&self, home: &Home) -> bool {
        let usage = usage::of(home.folder());
        self.bytes.store(usage.bytes, Ordering::Relaxed);
        self.inodes.store(usage.inodes, Ordering::Relaxed);
        self.limits.disk.is_some_and(|limit| usage.bytes > limit)
            || self.limits.inodes.is_some_and(|limit| usage.inodes > limit)
    }

    /// The answer to a request. Blocks.
    pub fn used_now(&self, home: &Home) -> Used {
        self.count(home);
        Used {
            disk: self.bytes.load(Ordering::Relaxed),
            inodes: self.inodes.load(Ordering::Relaxed),
            processes: crate::processes::all().len() as u32 + 1,
        }
    }
}

/// How often it is counted while programs run.
const OFTEN: Duration = Duration::from_secs(1);
/// How often otherwise; a daemon without a terminal may still write.
const SELDOM: Duration = Duration::from_secs(10);
/// A count that took long is followed by a pause of so many times as long.
const PAUSE: u32 = 10;

/// When to count.
#[derive(Debug)]
pub struct Rhythm {
    /// When the last count ended, and how long it took; `None` while one is under way.
    last: Option<(Instant, Duration)>,
    /// Whether the home was over its quota then.
    pub over: bool,
}

impl Rhythm {
    pub fn new(now: Instant) -> Self {
        // Due at once: until the first count nothing is known.
        Self { last: Some((now.checked_sub(SELDOM).unwrap_or(now), Duration::ZERO)), over: false }
    }

    pub fn deadline(&self, limited: bool, programs_run: bool) -> Option<Instant> {
        let (last, took) = self.last.filter(|_| limited)?;
        let pause = if programs_run || self.over { OFTEN } else { SELDOM };
        Some(last + pause.max(took * PAUSE))
    }

    pub fn begin(&mut self) {
        self.last = None;
    }

    pub fn done(&mut self, took: Duration) {
        self.last = Some((Instant::now(), took));
    }
}
