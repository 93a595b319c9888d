//! The sessions there are, and the requests about them.
//!
//! At most [`MAX_SESSIONS`] live. Ended ones stay readable until they are closed, the last [`MAX_ENDED`] of them and
//! at most [`MAX_ENDED_BYTES`]; the oldest is forgotten first.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, SessionId};
use embedenv_shared::link::sessions::{
    Attach, Attached, Close, Closed, Detach, Detached, MAX_COMMAND, MAX_ENVIRONMENT, MAX_SESSIONS, MAX_TITLE, Open,
    Opened, Replay, Replayed, Resize, Resized, SessionKind, SessionState, Signal, SignalKind, Signalled, Title, Titled,
};
use embedenv_shared::link::{MAX_FROM_AGENT, Reply};
use rustix::io::Errno;
use rustix::process::{Pid, Signal as Kernel};

use super::process::Late;
use super::ring::Ring;
use super::spawn::{self, Program};
use super::{Phase, Session, Told};
use crate::environment::Environment;
use crate::files::beneath::{self, Home};
use crate::limits::Limits;
use crate::link::Link;
use crate::poller::Poller;
use crate::processes;

/// Ended sessions that are kept.
const MAX_ENDED: usize = 32;
/// Bytes of output that ended sessions keep together.
const MAX_ENDED_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of one replay: what a reply may have, less its other members.
const MAX_REPLAY: u64 = MAX_FROM_AGENT as u64 - 64;
/// How long what is hung up may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether what was hung up has ended.
const LOOK: Duration = Duration::from_millis(50);
/// Hung-up sessions that may be ending at once; the oldest is killed without waiting.
const MAX_LEAVING: usize = 32;

#[derive(Debug)]
pub struct Sessions {
    pub(super) sessions: BTreeMap<SessionId, Session>,
    leaving: Vec<Leaving>,
    /// Answers to who fed processes that were closed meanwhile.
    late: Vec<Late>,
    /// Whose turn it is to send when the link has room again.
    turn: SessionId,
}

/// A session that was hung up: its processes have [`GRACE`] to end.
#[derive(Debug)]
struct Leaving {
    holder: Pid,
    /// Dropped last: the holder then ends.
    _hold: OwnedFd,
    look: Instant,
    kill: Instant,
}

/// What to answer a request: at once, or when the session says.
pub type Answered = Result<Option<Reply>, Failure>;

fn unknown(session: SessionId) -> Failure {
    Failure::new(ErrorCode::NotFound, format!("there is no session {session}"))
}

impl Default for Sessions {
    fn default() -> Self {
        Self { sessions: BTreeMap::new(), leaving: Vec::new(), late: Vec::new(), turn: SessionId(0) }
    }
}

impl Sessions {
    pub(super) fn get(&mut self, session: SessionId) -> Result<&mut Session, Failure> {
        self.sessions.get_mut(&session).ok_or_else(|| unknown(session))
    }

    /// Whether a program or a job of one runs.
    pub fn any_live(&self) -> bool {
        self.sessions.values().any(Session::is_live)
    }

    pub fn open(
        &mut self,
        request: RequestId,
        generation: u64,
        open: Open,
        home: &Home,
        environment: &Environment,
        limits: &Limits,
    ) -> Answered {
        for session in [Some(open.session), open.pipes.map(|pipes| pipes.errors)].into_iter().flatten() {
            if self.sessions.contains_key(&session) {
                return Err(Failure::new(ErrorCode::Conflict, format!("session {session} was used before")));
            }
        }
        if (open.kind == SessionKind::Process) != open.pipes.is_some() || open.kind == SessionKind::Errors {
            return Err(Failure::new(ErrorCode::BadRequest, "a process has pipes, and nothing else has"));
        }
        check_environment(&open.environment)?;
        let is_live = |session: &&Session| session.kind != SessionKind::Errors && session.is_live();
        if self.sessions.values().filter(is_live).count() >= MAX_SESSIONS {
            let message = format!("a sandbox has at most {MAX_SESSIONS} terminals and running commands");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        let shell = &environment.shell;
        let arguments = match &open.command {
            Some(command) if command.len() > MAX_COMMAND => {
                return Err(Failure::new(ErrorCode::TooLarge, format!("a command has at most {MAX_COMMAND} bytes")));
            }
            Some(command) => {
                let command = CString::new(command.as_str())
                    .map_err(|_| Failure::new(ErrorCode::BadRequest, "the command contains a NUL byte"))?;
                vec![shell.name.to_owned(), c"-c".to_owned(), command]
            }
            None if open.kind != SessionKind::Terminal => {
                return Err(Failure::new(ErrorCode::BadRequest, "only a terminal needs no command"));
            }
            None => vec![shell.name.to_owned(), c"-i".to_owned()],
        };
        let mut folder = home.project(&open.project)?;
        let mut path = home.path().join(open.project.as_str());
        if !open.folder.is_root() {
            folder = beneath::folder(&folder, &open.folder)?;
            path.push(open.folder.as_str());
        }
        let strings = environment.of(open.kind, &path, &open.environment);
        let program = Program {
            kind: open.kind,
            size: open.size.clamped(),
            pipes: open.pipes,
            path: &shell.path,
            arguments: &arguments,
            environment: &strings,
            folder: folder.as_fd(),
            processes: limits.processes,
            open_files: limits.open_files,
        };
        let ring = || Ring::new().map_err(cannot_start);
        let rings = (ring()?, open.pipes.map(|_| ring()).transpose()?);
        let started = spawn::start(&program).map_err(cannot_start)?;
        let (session, errors) = Session::begin(open, started, rings, Phase::Starting(request, generation));
        self.sessions.extend([Some(session), errors].into_iter().flatten().map(|session| (session.id, session)));
        self.forget_old();
        Ok(None)
    }

    /// The output follows the reply: at the next [`Sessions::send`].
    pub fn attach(&mut self, attach: Attach) -> Answered {
        let session = self.get(attach.session)?;
        let from = session.attach(attach.from);
        Ok(Some(Reply::Attached(Attached { from, head: session.ring.head() })))
    }

    pub fn detach(&mut self, detach: Detach) -> Answered {
        self.get(detach.session)?.detach();
        Ok(Some(Reply::Detached(Detached)))
    }

    pub fn replay(&mut self, replay: Replay) -> Answered {
        let session = self.get(replay.session)?;
        let (start, head) = (session.ring.start(), session.ring.head());
        let from = replay.from.clamp(start, head);
        let to = replay.to.clamp(from, head).min(from + MAX_REPLAY);
        let (front, back) = session.ring.pieces(from, to);
        Ok(Some(Reply::Replayed(Replayed { from, bytes: [front, back].concat() })))
    }

    pub fn resize(&mut self, resize: Resize) -> Answered {
        // A terminal that is gone has no size; there is nothing to complain about.
        let _ = self.get(resize.session)?.resize(resize.size);
        Ok(Some(Reply::Resized(Resized)))
    }

    pub fn title(&mut self, title: Title) -> Answered {
        self.get(title.session)?.open.title = title.title.chars().take(MAX_TITLE).collect();
        Ok(Some(Reply::Titled(Titled)))
    }

    pub fn signal(&mut self, signal: Signal) -> Answered {
        let session = self.get(signal.session)?;
        match signal.signal {
            SignalKind::Interrupt => session.signal(Kernel::INT, false),
            SignalKind::Terminate => session.signal(Kernel::TERM, false),
            SignalKind::Kill => session.signal(Kernel::KILL, true),
            SignalKind::EndOfInput => session.end_input(),
        }
        Ok(Some(Reply::Signalled(Signalled)))
    }

    pub fn close(&mut self, close: Close) -> Answered {
        let mut session = self.sessions.remove(&close.session).ok_or_else(|| unknown(close.session))?;
        if let Some(process) = &session.process {
            self.sessions.remove(&process.errors);
        }
        self.late.extend(session.stop_feeding());
        self.hang_up(&mut session);
        Ok(Some(Reply::Closed(Closed)))
    }

    /// What is to be answered because of what was closed.
    pub fn take_late(&mut self) -> Vec<Late> {
        std::mem::take(&mut self.late)
    }

    pub fn input(&mut self, session: SessionId, bytes: &[u8], link: &mut Option<Link>) {
        // One that was closed meanwhile takes no input, and a process is fed.
        if let Some(session) = self.sessions.get_mut(&session).filter(|session| session.process.is_none()) {
            session.type_in(bytes);
            session.inputs += 1;
            session.owes_master = true;
            session.hand_over(link);
        }
    }

    /// A new connection has no terminal yet.
    pub fn hand_over(&mut self, link: &mut Option<Link>) {
        for session in self.sessions.values_mut() {
            session.inputs = 0;
            session.owes_master = true;
            session.hand_over(link);
        }
    }

    pub fn progress(&mut self, session: SessionId, offset: u64, link: &mut Option<Link>) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.progress(offset);
            session.send(link);
        }
    }

    /// A terminal is ready.
    pub fn terminal(&mut self, session: SessionId, readable: bool, writable: bool, link: &mut Option<Link>) {
        let Some(session) = self.sessions.get_mut(&session) else { return };
        if writable {
            session.writable();
            session.hand_over(link);
        }
        if readable {
            session.readable(link);
        }
        self.settle(link);
    }

    /// A holder has something to say; returns what is to be answered.
    pub fn holder(&mut self, id: SessionId, link: &mut Option<Link>) -> Option<Late> {
        let session = self.sessions.get_mut(&id)?;
        let errors = session.process.as_ref().map(|process| process.errors);
        let told = session.reported();
        self.follow(id);
        let session = self.sessions.get_mut(&id)?;
        match told {
            Told::Started(request, generation, pid) => {
                let pid = pid.as_raw_nonzero().get().cast_unsigned();
                session.hand_over(link);
                Some((request, generation, Ok(Reply::Opened(Opened { pid }))))
            }
            Told::Failed(request, generation, errno) => {
                for session in [Some(id), errors].into_iter().flatten() {
                    self.sessions.remove(&session);
                }
                Some((request, generation, Err(cannot_start(errno))))
            }
            Told::Nothing => {
                // After the end, what was printed before it is read.
                session.readable(link);
                let fed = session.fed();
                if let Some(errors) = errors.and_then(|errors| self.sessions.get_mut(&errors)) {
                    errors.readable(link);
                }
                self.settle(link);
                fed
            }
        }
    }

    /// Hands on what ended sessions leave behind.
    fn settle(&mut self, _link: &mut Option<Link>) {
        let mut leaving = Vec::new();
        let logs = self.sessions.values().filter(|session| session.kind == SessionKind::Errors && session.is_live());
        let live: Vec<SessionId> = logs.map(|session| session.id).collect();
        for session in self.sessions.values_mut() {
            if !matches!(session.phase, Phase::Ended(..)) || session.holder.is_none() {
                continue;
            }
            match session.kind {
                // The holder of a shell goes when nobody is left at the terminal; jobs without it live on.
                SessionKind::Shell | SessionKind::Process if session.is_live() => {}
                SessionKind::Process if session.process.as_ref().is_some_and(|own| live.contains(&own.errors)) => {}
                SessionKind::Shell | SessionKind::Process | SessionKind::Errors => session.holder = None,
                SessionKind::Terminal => leaving.extend(session.holder.take()),
            }
        }
        for (holder, hold) in leaving {
            self.leave(holder, hold);
        }
    }

    /// Ends everything of a session.
    fn hang_up(&mut self, session: &mut Session) {
        if let Some((holder, hold)) = session.holder.take() {
            session.terminal = None;
            self.leave(holder, hold);
        }
    }

    fn leave(&mut self, holder: Pid, hold: OwnedFd) {
        processes::signal_session(holder, Kernel::HUP);
        processes::signal_session(holder, Kernel::CONT);
        let now = Instant::now();
        self.leaving.push(Leaving { holder, _hold: hold, look: now + LOOK, kill: now + GRACE });
        if self.leaving.len() > MAX_LEAVING {
            let oldest = self.leaving.remove(0);
            processes::signal_session(oldest.holder, Kernel::KILL);
        }
    }

    fn forget_old(&mut self) {
        let ended = || self.sessions.values().filter(|session| !session.is_live());
        let mut count = ended().count();
        let size = |session: &Session| session.ring.head() - session.ring.start();
        let mut bytes: u64 = ended().map(size).sum();
        self.sessions.retain(|_, session| {
            let forget = !session.is_live() && (count > MAX_ENDED || bytes > MAX_ENDED_BYTES);
            if forget {
                count -= 1;
                bytes -= size(session);
            }
            !forget
        });
    }

    /// Sends what could not be sent before, beginning with the session that had no room left the last time.
    pub fn send(&mut self, link: &mut Option<Link>) {
        let turn = self.turn;
        let mut blocked = None;
        for late in [false, true] {
            for (&id, session) in self.sessions.iter_mut().filter(|(id, _)| (**id < turn) == late) {
                session.send(link);
                if blocked.is_none() && link.as_ref().is_some_and(|link| !link.is_clear()) {
                    blocked = Some(SessionId(id.0.wrapping_add(1)));
                }
            }
        }
        self.turn = blocked.unwrap_or(turn);
    }

    /// All of them, for a server that has just connected; it attaches to those it wants.
    pub fn connected(&mut self) -> Vec<SessionState> {
        self.disconnected();
        let told = self.sessions.values_mut().filter(|session| !matches!(session.phase, Phase::Starting(..)));
        told.map(Session::state).collect()
    }

    /// Nobody reads any more: programs go on, their rings overwrite.
    pub fn disconnected(&mut self) {
        self.sessions.values_mut().for_each(Session::detach);
    }

    pub fn observe(&mut self, poller: &Poller) {
        for session in self.sessions.values_mut() {
            session.observe(poller);
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        let sessions = self.sessions.values().filter_map(Session::deadline);
        sessions.chain(self.leaving.iter().map(|leaving| leaving.look.min(leaving.kill))).min()
    }

    pub fn on_time(&mut self, now: Instant, link: &mut Option<Link>) {
        for session in self.sessions.values_mut() {
            session.on_time(now, link);
        }
        self.leaving.retain_mut(|leaving| {
            if now >= leaving.kill {
                processes::signal_session(leaving.holder, Kernel::KILL);
                return false;
            }
            if now >= leaving.look {
                leaving.look = now + LOOK;
                return processes::any_in_session(leaving.holder);
            }
            true
        });
    }
}

/// What is asked for beside a login shell's variables.
fn check_environment(environment: &BTreeMap<String, String>) -> Result<(), Failure> {
    let bytes: usize = environment.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_ENVIRONMENT {
        let message = format!("a program's environment has at most {MAX_ENVIRONMENT} bytes");
        return Err(Failure::new(ErrorCode::TooLarge, message));
    }
    let is_bad =
        |(name, value): (&String, &String)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0');
    if environment.iter().any(is_bad) {
        let message = "a variable of the environment has a name without '=', and no NUL byte";
        return Err(Failure::new(ErrorCode::BadRequest, message));
    }
    Ok(())
}

/// What whoever asked for a program is told.
pub fn cannot_start(errno: Errno) -> Failure {
    let code = match errno {
        // fork(2): a limit on processes was reached.
        Errno::AGAIN => {
            let message = "the program could not be started: the sandbox has as many processes as it may have";
            return Failure::new(ErrorCode::QuotaExceeded, message);
        }
        Errno::NOMEM | Errno::MFILE | Errno::NFILE | Errno::NOSPC => ErrorCode::QuotaExceeded,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("the program could not be started: {errno}"))
}
