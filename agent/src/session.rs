//! One session: a program on a pseudo-terminal or on pipes, the log of its output, its input and its end.
//!
//! Output goes from the terminal straight into the ring and from there straight to the link; input goes from the
//! link's buffer straight into the terminal. What is not taken at once waits in the kernel or in the ring, so that a
//! slow end is felt by the other and by nobody else. Nothing here may block.

pub mod process;
pub mod ring;
pub mod spawn;
pub mod table;
mod waiting;

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use embedenv_shared::id::{RequestId, SessionId};
use embedenv_shared::link::sessions::{
    Cost, ExitStatus, Exited, Gap, Master, Open, RING, SessionKind, SessionState, Size, WINDOW,
};
use embedenv_shared::link::{self as wire, Event, Kind, MAX_CHUNK};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use rustix::termios::{LocalModes, SpecialCodeIndex};

use crate::link::Link;
use crate::poller::{Interest, Poller, Source};
use process::Process;
use ring::Ring;
use spawn::{Report, Started};
use waiting::Watch;

/// Bytes read from one terminal before others get their turn.
const TURN: usize = 256 * 1024;
/// A read shorter than this has emptied the terminal; a longer one may not have (the kernel hands over 4 KiB at most).
const FULL_READ: usize = 2048;
/// Bytes of input that wait for a program which doesn't read. What comes on top of that is lost: the link is shared,
/// and one program that doesn't read must not stop everybody's typing.
const MAX_INPUT: usize = 1024 * 1024;
/// How long a program waits for a reader that gives no room, before its output overwrites what was not read.
const STALLED: Duration = Duration::from_secs(10);
/// Bytes that can have been printed before the end and not have been read yet, generously: the kernel keeps some 70 KiB.
/// Beyond that, output is of jobs that go on printing in the background.
const MAX_DRAIN: usize = 128 * 1024;
/// The end-of-file character of a terminal that does not read by lines.
const CTRL_D: u8 = 4;

#[derive(Debug)]
pub struct Session {
    id: SessionId,
    kind: SessionKind,
    open: Open,
    size: Size,
    phase: Phase,
    /// The program's process group; 0 until it was started.
    program: Option<Pid>,
    /// `None` once the session is over and its holder gone.
    terminal: Option<OwnedFd>,
    /// Nobody is left at the terminal's other side. The master stays open until the holder has ended: closing it
    /// earlier would hang up on daemons that the program left in its group.
    deserted: bool,
    slave: Option<OwnedFd>,
    /// Major and minor number of the terminal.
    device: (u32, u32),
    reports: Option<OwnedFd>,
    /// The holder, until it was let go.
    holder: Option<(Pid, OwnedFd)>,
    /// What only a process has.
    process: Option<Process>,
    ring: Ring,
    reader: Option<Reader>,
    input: VecDeque<u8>,
    told_exit: bool,
    /// What the program took, once it has ended and if its holder could say.
    cost: Option<Cost>,
    /// It was killed because its time was up.
    timed_out: bool,
    /// Frames of input typed on this connection.
    inputs: u64,
    /// The server may have the terminal's master and has not.
    owes_master: bool,
    watch: Watch,
    terminal_interest: Interest,
    reports_interest: Interest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The holder has not said yet whether the program could be started.
    Starting(RequestId, u64),
    Running,
    /// The program has ended; what it printed is still being read, at most so many bytes.
    Draining(ExitStatus, usize),
    Ended(ExitStatus, u64),
}

/// The server, while it is attached.
#[derive(Debug, Clone, Copy)]
struct Reader {
    /// Sent up to here.
    sent: u64,
    /// Read up to here by the fastest reader there.
    read: u64,
    /// Since when there is no room for more, if so.
    full_since: Option<Instant>,
    /// It gave no room for too long: the ring overwrites, and nothing is sent, until it reads again.
    given_up: bool,
}

/// What a report meant for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Nothing,
    Started(RequestId, u64, Pid),
    Failed(RequestId, u64, Errno),
}

impl Session {
    /// A program that is about to start, and the log of its errors if it has one.
    fn begin(open: Open, started: Started, rings: (Ring, Option<Ring>), phase: Phase) -> (Self, Option<Self>) {
        let (ring, errors_ring) = rings;
        let (process, errors) = Process::begin(&open, started.ends.process, errors_ring, phase);
        let mut session = Self::new(open, phase, started.ends.terminal, started.ends.slave, ring);
        session.device = started.ends.device;
        session.reports = Some(started.reports);
        session.holder = Some((started.holder, started.hold));
        session.process = process;
        (session, errors)
    }

    fn new(open: Open, phase: Phase, terminal: OwnedFd, slave: OwnedFd, ring: Ring) -> Self {
        Self {
            id: open.session,
            kind: open.kind,
            size: open.size.clamped(),
            open,
            phase,
            program: None,
            terminal: Some(terminal),
            deserted: false,
            slave: Some(slave),
            device: (0, 0),
            reports: None,
            holder: None,
            process: None,
            ring,
            reader: Some(Reader { sent: 0, read: 0, full_since: None, given_up: false }),
            input: VecDeque::new(),
            told_exit: false,
            cost: None,
            timed_out: false,
            inputs: 0,
            owes_master: true,
            watch: Watch::default(),
            terminal_interest: Interest::default(),
            reports_interest: Interest::default(),
        }
    }

    /// As a new connection is told of it. What is told here is not told again.
    fn state(&mut self) -> SessionState {
        let exited = self.exited();
        self.told_exit = exited.is_some();
        SessionState {
            session: self.id,
            kind: self.kind,
            project: self.open.project.clone(),
            command: self.open.command.clone(),
            title: self.open.title.clone(),
            size: self.size,
            errors: self.process.as_ref().map(|process| process.errors),
            start: self.ring.start(),
            head: self.ring.head(),
            exited,
        }
    }

    fn exited(&self) -> Option<Exited> {
        match self.phase {
            Phase::Ended(status, offset) => {
                Some(Exited { session: self.id, status, offset, cost: self.cost, timed_out: self.timed_out })
            }
            _ => None,
        }
    }

    /// Whether something may still come of it: its program runs, or others are at its terminal.
    fn is_live(&self) -> bool {
        self.terminal.is_some() && !self.deserted
    }

    fn attach(&mut self, from: u64) -> u64 {
        let from = from.clamp(self.ring.start(), self.ring.head());
        self.reader = Some(Reader { sent: from, read: from, full_since: None, given_up: false });
        self.watch.ask_again();
        from
    }

    fn detach(&mut self) {
        self.reader = None;
    }

    /// The fastest reader has read up to `offset`.
    fn progress(&mut self, offset: u64) {
        if let Some(reader) = &mut self.reader {
            let read = offset.min(reader.sent);
            if read > reader.read {
                reader.read = read;
                reader.given_up = false;
            }
        }
    }

    /// Bytes that may be read from the terminal now.
    fn room(&self) -> usize {
        match &self.reader {
            _ if self.deserted || matches!(self.phase, Phase::Starting(..)) => 0,
            Some(reader) if !reader.given_up => RING.saturating_sub((self.ring.head() - reader.read) as usize),
            _ => RING,
        }
    }

    /// Reads what the program printed, as far as there is room, and sends it.
    fn readable(&mut self, link: &mut Option<Link>) {
        let mut turn = TURN;
        let mut printed = false;
        loop {
            let most = self.room().min(turn);
            let Some(terminal) = &self.terminal else { break };
            if most == 0 {
                break;
            }
            let room = self.ring.room(most);
            let asked = room.len();
            match rustix::io::read(terminal, room) {
                Ok(0) | Err(Errno::IO) => {
                    self.desert();
                    break;
                }
                Ok(count) => {
                    self.ring.filled(count);
                    turn -= count;
                    printed = true;
                    if let Phase::Draining(status, left) = &mut self.phase {
                        *left = left.saturating_sub(count);
                        if *left == 0 {
                            let status = *status;
                            self.ended(status);
                        }
                    } else if count < asked.min(FULL_READ) {
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                // EAGAIN, or a terminal that can't be read at all: either way there is no more for now.
                Err(_) => {
                    if let Phase::Draining(status, _) = self.phase {
                        self.ended(status);
                    }
                    break;
                }
            }
        }
        if printed && self.kind == SessionKind::Shell {
            self.watch.printed(Instant::now());
        }
        self.send(link);
    }

    fn ended(&mut self, status: ExitStatus) {
        self.phase = Phase::Ended(status, self.ring.head());
        // From now on the terminal lasts only as long as others are at it.
        self.slave = None;
        self.input.clear();
    }

    /// Nobody is at the terminal's other side any more.
    fn desert(&mut self) {
        if let Phase::Draining(status, _) = self.phase {
            self.ended(status);
        }
        self.deserted = true;
        self.input = VecDeque::new();
        if self.reports.is_none() {
            self.close_terminal();
        }
    }

    fn close_terminal(&mut self) {
        self.terminal = None;
        self.terminal_interest = Interest::default();
    }

    /// Sends output as far as the window and the socket allow, and then what must stand behind it.
    fn send(&mut self, link: &mut Option<Link>) {
        let Some(link) = link else { return };
        if let Some(reader) = &mut self.reader
            && !reader.given_up
        {
            loop {
                if reader.sent < self.ring.start() {
                    reader.sent = self.ring.start();
                    reader.read = reader.read.max(reader.sent);
                    let gap = Gap { session: self.id, to: reader.sent };
                    link.send_frame(&wire::encode(Kind::Event, 0, &Event::Gap(gap)));
                }
                let to = self.ring.head().min(reader.read + WINDOW).min(reader.sent + MAX_CHUNK as u64);
                if to <= reader.sent || !link.is_clear() {
                    break;
                }
                let (front, back) = self.ring.pieces(reader.sent, to);
                link.send(Kind::Output, self.id.0, [&reader.sent.to_le_bytes(), front, back]);
                reader.sent = to;
            }
        }
        if let Some(exited) = self.exited()
            && !self.told_exit
            && self.reader.is_none_or(|reader| reader.sent >= exited.offset)
        {
            self.told_exit = true;
            link.send_frame(&wire::encode(Kind::Event, 0, &Event::Exited(exited)));
        }
    }

    /// Types into the terminal.
    fn type_in(&mut self, bytes: &[u8]) {
        let written = if self.input.is_empty() { self.write(bytes) } else { 0 };
        let rest = &bytes[written..];
        let room = MAX_INPUT - self.input.len();
        if self.terminal.is_some() && !matches!(self.phase, Phase::Ended(..)) {
            self.input.extend(&rest[..rest.len().min(room)]);
        }
    }

    /// Hands the terminal to the server, if it has not got it and nothing is still to be typed before what it types.
    fn hand_over(&mut self, link: &mut Option<Link>) {
        let Some(link) = link.as_mut().filter(|link| link.descriptors) else { return };
        let wanted = self.owes_master && self.kind == SessionKind::Terminal && self.input.is_empty();
        if let (true, Phase::Running, Some(terminal)) = (wanted, self.phase, &self.terminal) {
            let master = Event::Master(Master { session: self.id, inputs: self.inputs });
            self.owes_master = !link.send_with(&wire::encode(Kind::Event, 0, &master), terminal.as_fd());
        }
    }

    /// Writes what waits, when the terminal takes more.
    fn writable(&mut self) {
        while !self.input.is_empty() {
            let mut input = std::mem::take(&mut self.input);
            let written = self.write(input.as_slices().0);
            input.drain(..written);
            if self.writes_to().is_some() {
                self.input = input;
            }
            if written == 0 {
                return;
            }
        }
        self.input = VecDeque::new();
    }

    /// What is typed into: the terminal, or the pipe to a process.
    fn writes_to(&self) -> Option<&OwnedFd> {
        self.process.as_ref().map_or(self.terminal.as_ref(), |process| process.input.as_ref())
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(terminal) = self.writes_to() else { return bytes.len() };
        let mut written = 0;
        while written < bytes.len() {
            match rustix::io::write(terminal, &bytes[written..]) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                // Nobody will ever read it.
                Err(_) => {
                    if let Some(process) = &mut self.process {
                        process.input = None;
                    }
                    return bytes.len();
                }
            }
        }
        written
    }

    fn end_input(&mut self) {
        if let Some(process) = &mut self.process {
            process.ends_input = true;
            return self.close_input();
        }
        let modes = self.terminal.as_ref().and_then(|terminal| rustix::termios::tcgetattr(terminal).ok());
        let key = match modes {
            Some(modes) if modes.local_modes.contains(LocalModes::ICANON) => {
                modes.special_codes[SpecialCodeIndex::VEOF]
            }
            _ => CTRL_D,
        };
        self.type_in(&[key]);
    }

    fn resize(&mut self, size: Size) -> Result<(), Errno> {
        self.size = size.clamped();
        self.terminal.as_ref().map_or(Ok(()), |terminal| spawn::resize(terminal, self.size))
    }

    /// The process group in the terminal's foreground, or that of a process.
    fn foreground(&self) -> Option<Pid> {
        if self.process.is_some() {
            return self.program.filter(|_| matches!(self.phase, Phase::Running));
        }
        let group = rustix::termios::tcgetpgrp(self.terminal.as_ref()?).ok()?;
        let holder = self.holder.as_ref().map(|(pid, _)| *pid);
        // The holder's own group is in the foreground before the program has started, and is none of the user's.
        (group != Pid::INIT && Some(group) != holder).then_some(group)
    }

    /// Signals the foreground group; `also_program` the session's first process too.
    fn signal(&self, signal: Signal, also_program: bool) {
        let foreground = self.foreground();
        let program = self.program.filter(|_| also_program && matches!(self.phase, Phase::Running));
        for group in [foreground, program.filter(|&group| Some(group) != foreground)].into_iter().flatten() {
            // It may have ended this moment.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Takes what the holder says.
    fn reported(&mut self) -> Told {
        let Some(reports) = &self.reports else { return Told::Nothing };
        let report = match Report::read(reports) {
            Err(Errno::AGAIN | Errno::INTR) => return Told::Nothing,
            Err(_) => None,
            Ok(report) => report,
        };
        match (report, self.phase) {
            (Some(Report::Started(pid)), Phase::Starting(request, generation)) => {
                self.program = Some(pid);
                self.phase = Phase::Running;
                Told::Started(request, generation, pid)
            }
            (Some(Report::Failed(errno)), Phase::Starting(request, generation)) => {
                Told::Failed(request, generation, errno)
            }
            (Some(Report::Ended(status, cost)), Phase::Running) => {
                self.cost = Some(cost);
                self.phase = Phase::Draining(status, MAX_DRAIN);
                Told::Nothing
            }
            // The holder is gone; before the program's end that means that it was killed.
            (None, phase) => {
                self.reports = None;
                self.reports_interest = Interest::default();
                if self.deserted {
                    self.close_terminal();
                }
                match phase {
                    Phase::Starting(request, generation) => Told::Failed(request, generation, Errno::SRCH),
                    Phase::Running => {
                        // Without its leader the session can't be ended in an orderly way.
                        if let Some((holder, _)) = &self.holder {
                            crate::processes::signal_session(*holder, Signal::KILL);
                        }
                        self.phase = Phase::Draining(ExitStatus::Signal(libc::SIGKILL), MAX_DRAIN);
                        Told::Nothing
                    }
                    _ => Told::Nothing,
                }
            }
            // A program that could not be executed ends like any other.
            _ => Told::Nothing,
        }
    }

    /// Watches for what there is to do.
    fn observe(&mut self, poller: &Poller) {
        if let Some(terminal) = &self.terminal {
            let write = self.process.is_none() && !self.input.is_empty();
            let wanted = Interest { read: self.room() > 0, write };
            poller.set(terminal, Source::Terminal(self.id.0), &mut self.terminal_interest, wanted);
        }
        self.observe_input(poller);
        if let Some(reports) = &self.reports {
            poller.set(reports, Source::Holder(self.id.0), &mut self.reports_interest, Interest::READ);
        }
        let full = self.is_live() && self.room() == 0;
        if let Some(reader) = &mut self.reader {
            let since = reader.full_since;
            reader.full_since = full.then(|| since.unwrap_or_else(Instant::now));
        }
    }

    /// When something is to be done though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let stalled = self.reader.and_then(|reader| reader.full_since).map(|since| since + STALLED);
        [stalled, self.watch.deadline(), self.time_is_up()].into_iter().flatten().min()
    }

    fn on_time(&mut self, now: Instant, link: &mut Option<Link>) {
        if let Some(reader) = &mut self.reader
            && reader.full_since.is_some_and(|since| since + STALLED <= now)
        {
            reader.full_since = None;
            reader.given_up = true;
        }
        self.end_in_time(now);
        self.look_for_waiting(now, link);
    }
}
