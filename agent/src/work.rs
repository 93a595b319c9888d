//! Workers: threads for what may wait for a disk. At most [`MAX_RUNNING`] at once, started when needed and gone when
//! idle. The loop is never held up by them: it hands a job over and is woken by its result.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rustix::event::EventfdFlags;

/// Jobs that run at once.
const MAX_RUNNING: usize = 4;
/// Jobs that wait; one more is refused.
const MAX_WAITING: usize = 1024;
/// Bytes that waiting jobs hold in memory; a job beyond that is refused unless none waits.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// How long a worker without work stays.
const IDLE: Duration = Duration::from_secs(5);

/// What a worker does; it returns what the loop gets.
type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// There is no room for another job.
#[derive(Debug, Clone, Copy)]
pub struct Full;

pub struct Workers<T> {
    shared: Arc<Shared<T>>,
    waiting: VecDeque<(usize, Job<T>)>,
    waiting_bytes: usize,
    /// Handed to workers and not yet collected.
    running: usize,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    work: Condvar,
    woken: OwnedFd,
}

struct State<T> {
    jobs: VecDeque<Job<T>>,
    results: Vec<T>,
    idle: usize,
}

impl<T> std::fmt::Debug for Workers<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("running", &self.running).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Workers<T> {
    pub fn new() -> Result<Self, rustix::io::Errno> {
        let woken = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let state = Mutex::new(State { jobs: VecDeque::new(), results: Vec::new(), idle: 0 });
        let shared = Arc::new(Shared { state, work: Condvar::new(), woken });
        Ok(Self { shared, waiting: VecDeque::new(), waiting_bytes: 0, running: 0 })
    }

    /// Queues a job that holds `bytes` of memory while it waits. It starts at the next [`Workers::go_on`].
    pub fn add(&mut self, bytes: usize, job: impl FnOnce() -> T + Send + 'static) -> Result<(), Full> {
        let full = self.waiting.len() >= MAX_WAITING || self.waiting_bytes + bytes > MAX_WAITING_BYTES;
        if full && !self.waiting.is_empty() {
            return Err(Full);
        }
        self.waiting_bytes += bytes;
        self.waiting.push_back((bytes, Box::new(job)));
        Ok(())
    }

    /// Starts waiting jobs as far as there may be more at once.
    pub fn go_on(&mut self) {
        while self.running < MAX_RUNNING
            && let Some((bytes, job)) = self.waiting.pop_front()
        {
            self.waiting_bytes -= bytes;
            self.running += 1;
            let mut state = lock(&self.shared.state);
            state.jobs.push_back(job);
            if state.idle >= state.jobs.len() {
                self.shared.work.notify_one();
                continue;
            }
            drop(state);
            let shared = self.shared.clone();
            let started =
                std::thread::Builder::new().name("worker".into()).stack_size(256 * 1024).spawn(move || shared.run());
            if started.is_err() {
                // No thread to be had: the work is done here, late rather than never.
                self.shared.run_one();
            }
        }
    }

    /// What was finished since the last time.
    pub fn collect(&mut self) -> Vec<T> {
        let mut count = [0; 8];
        // Nothing to read means that nothing is finished.
        let _ = rustix::io::read(&self.shared.woken, &mut count);
        let results = std::mem::take(&mut lock(&self.shared.state).results);
        self.running -= results.len();
        results
    }
}

impl<T> AsFd for Workers<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.woken.as_fd()
    }
}

impl<T> Shared<T> {
    fn run(&self) {
        loop {
            self.run_one();
            let mut state = lock(&self.state);
            if !state.jobs.is_empty() {
                continue;
            }
            state.idle += 1;
            let (mut state, _) = self
                .work
                .wait_timeout_while(state, IDLE, |state| state.jobs.is_empty())
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            state.idle -= 1;
            if state.jobs.is_empty() {
                return;
            }
        }
    }

    fn run_one(&self) {
        let Some(job) = lock(&self.state).jobs.pop_front() else { return };
        let result = job();
        lock(&self.state).results.push(result);
        // The counter can't overflow; nothing else can fail.
        let _ = rustix::io::write(&self.woken, &1u64.to_ne_bytes());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_and_no_more_than_a_few_run_at_once() {
        let mut workers = Workers::new().unwrap();
        for number in 0..100 {
            workers.add(1, move || number).unwrap();
        }
        let mut results = Vec::new();
        while results.len() < 100 {
            workers.go_on();
            assert!(workers.running <= MAX_RUNNING);
            let mut fds = [rustix::event::PollFd::new(&workers.shared.woken, rustix::event::PollFlags::IN)];
            rustix::event::poll(&mut fds, None).unwrap();
            results.extend(workers.collect());
        }
        results.sort_unstable();
        assert_eq!(results, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_there_is_no_room_for_is_refused() {
        let mut workers = Workers::new().unwrap();
        workers.add(usize::MAX / 2, || ()).unwrap();
        assert!(workers.add(1, || ()).is_err(), "the memory is used up");
    }
}
