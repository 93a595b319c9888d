//! What a process on pipes has beside a terminal's session: a pipe to its standard input, a second log for its standard error,
//! and a time in which it must end.
//!
//! The log of errors is a session of its own, without a program: it starts, runs and ends with the process's, each reads its
//! own pipe to the end.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, SessionId};
use embedenv_shared::link::Reply;
use embedenv_shared::link::sessions::{Fed, Feed, MAX_FEED, Open, SessionKind};
use rustix::process::Signal;

use super::ring::Ring;
use super::spawn::ProcessEnds;
use super::table::{Answered, Sessions};
use super::{Phase, Session};
use crate::poller::{Interest, Poller, Source};
use crate::processes;

/// What was answered late: the request, the connection that asked, and the answer.
pub type Late = (RequestId, u64, Result<Reply, Failure>);

#[derive(Debug)]
pub struct Process {
    /// The session that its standard error is.
    pub errors: SessionId,
    /// `None` if it is not fed, or no more.
    pub input: Option<OwnedFd>,
    /// Nothing follows what waits.
    pub ends_input: bool,
    input_interest: Interest,
    /// Whoever waits for what they fed it to be taken.
    feeding: Option<(RequestId, u64)>,
    /// When its time is up, unless that has come already.
    deadline: Option<Instant>,
}

impl Process {
    /// What belongs to a process that is about to start, with the log of its errors; nothing of a terminal.
    pub(super) fn begin(
        open: &Open,
        ends: Option<ProcessEnds>,
        errors: Option<Ring>,
        phase: Phase,
    ) -> (Option<Self>, Option<Session>) {
        let (Some(pipes), Some(ends), Some(ring)) = (open.pipes, ends, errors) else { return (None, None) };
        let log = Open { session: pipes.errors, kind: SessionKind::Errors, pipes: None, ..open.clone() };
        let errors = Session::new(log, phase, ends.errors, ends.errors_slave, ring);
        let process = Self {
            errors: pipes.errors,
            input: ends.input,
            ends_input: false,
            input_interest: Interest::default(),
            feeding: None,
            deadline: pipes.bounds.elapsed.and_then(|most| Instant::now().checked_add(Duration::from_millis(most))),
        };
        (Some(process), Some(errors))
    }
}

fn nobody_reads() -> Failure {
    Failure::new(ErrorCode::Conflict, "the process reads no more input")
}

impl Session {
    /// Watches for room in the pipe while something waits for it.
    pub(super) fn observe_input(&mut self, poller: &Poller) {
        let wanted = Interest { read: false, write: !self.input.is_empty() };
        if let Some(process) = &mut self.process
            && let Some(input) = &process.input
        {
            poller.set(input, Source::Input(self.id.0), &mut process.input_interest, wanted);
        }
    }

    /// Closes the pipe once nothing waits for it and nothing follows.
    pub(super) fn close_input(&mut self) {
        let is_done = self.input.is_empty();
        if let Some(process) = self.process.as_mut().filter(|process| process.ends_input && is_done) {
            process.input = None;
        }
    }

    fn feed(&mut self, request: RequestId, generation: u64, feed: &Feed) -> Answered {
        let Some(process) = &self.process else {
            return Err(Failure::new(ErrorCode::BadRequest, "only a process is fed"));
        };
        if process.feeding.is_some() || !self.input.is_empty() {
            return Err(Failure::new(ErrorCode::LimitReached, "what was fed before was not taken yet"));
        }
        if process.ends_input || process.input.is_none() || !matches!(self.phase, Phase::Running) {
            return Err(nobody_reads());
        }
        self.type_in(&feed.bytes);
        if let Some(process) = &mut self.process {
            process.ends_input = feed.ends;
            process.feeding = Some((request, generation));
        }
        Ok(None)
    }

    /// What whoever feeds it is to be told by now.
    pub(super) fn fed(&mut self) -> Option<Late> {
        let is_running = matches!(self.phase, Phase::Running);
        let process = self.process.as_mut()?;
        let (request, generation) = process.feeding?;
        if is_running && process.input.is_some() && !self.input.is_empty() {
            return None;
        }
        process.feeding = None;
        let taken = is_running && process.input.is_some();
        self.close_input();
        Some((request, generation, if taken { Ok(Reply::Fed(Fed)) } else { Err(nobody_reads()) }))
    }

    /// It is closed: whoever waits for it to take something hears that it will not.
    pub(super) fn stop_feeding(&mut self) -> Option<Late> {
        let (request, generation) = self.process.as_mut()?.feeding.take()?;
        Some((request, generation, Err(nobody_reads())))
    }

    /// When a process that still runs is to be killed.
    pub(super) fn time_is_up(&self) -> Option<Instant> {
        self.process.as_ref()?.deadline.filter(|_| matches!(self.phase, Phase::Running))
    }

    /// Kills a process whose time is up, and all of its session.
    pub(super) fn end_in_time(&mut self, now: Instant) {
        if self.time_is_up().is_none_or(|deadline| deadline > now) {
            return;
        }
        self.timed_out = true;
        if let Some(process) = &mut self.process {
            process.deadline = None;
        }
        if let Some((holder, _)) = &self.holder {
            processes::signal_session(*holder, Signal::KILL);
        }
    }
}

impl Sessions {
    pub fn feed(&mut self, request: RequestId, generation: u64, feed: &Feed) -> Answered {
        if feed.bytes.len() > MAX_FEED {
            return Err(Failure::new(
                ErrorCode::TooLarge,
                format!("a process is fed {MAX_FEED} bytes at once at most"),
            ));
        }
        let session = self.get(feed.session)?;
        session.feed(request, generation, feed)?;
        match session.fed() {
            Some((_, _, answer)) => answer.map(Some),
            None => Ok(None),
        }
    }

    /// There is room in the pipe to a process, or nobody reads it any more.
    pub fn input_ready(&mut self, session: SessionId) -> Option<Late> {
        let session = self.sessions.get_mut(&session)?;
        session.writable();
        session.fed()
    }

    /// A process has started, or has ended: so does the log of its errors.
    pub(super) fn follow(&mut self, process: SessionId) {
        let Some(session) = self.sessions.get(&process) else { return };
        let Some(errors) = session.process.as_ref().map(|process| process.errors) else { return };
        let (phase, cost, timed_out) = (session.phase, session.cost, session.timed_out);
        let Some(errors) = self.sessions.get_mut(&errors) else { return };
        match (phase, errors.phase) {
            (Phase::Running, Phase::Starting(..)) => errors.phase = Phase::Running,
            (Phase::Draining(status, _) | Phase::Ended(status, _), Phase::Starting(..) | Phase::Running) => {
                (errors.cost, errors.timed_out) = (cost, timed_out);
                errors.phase = Phase::Draining(status, super::MAX_DRAIN);
            }
            _ => {}
        }
    }
}
