//! The sessions of a room: opened, found again after a restart, attached while somebody reads them, closed.
//!
//! Whether the agent sends a session's output follows from whether anybody reads it; [`Sessions::follow`] brings the
//! two into line, one session at a time and in order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{ServerFrame, TerminalKind};
use embedenv_shared::id::{MemberId, SessionId};
use embedenv_shared::link::sessions::{
    Attach, Bounds, Close, Detach, ExitStatus, Exited, MAX_COMMAND, MAX_TITLE, Open, Pipes, Replay, Resize,
    SessionKind, SessionState, Size, Title,
};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::Room;
use super::lease::{Lease, Owned, RETURN};
use super::members::Member;
use super::ownership::Ownership;
use super::session::Session;
use crate::journal::Syncer;
use crate::link::{Link, Typed};

/// Sessions that have ended and are still listed; the oldest make room.
const MAX_ENDED: usize = 32;
/// SIGKILL, as the status of programs whose sandbox is gone.
const KILLED: i32 = 9;
/// SIGHUP, as that of programs that were closed.
const HANGUP: i32 = 1;

#[derive(Debug)]
pub struct Sessions {
    inner: Mutex<Inner>,
    /// Whose they are, for the next server.
    ownership: Ownership,
    /// Held while the agent is told to attach or detach, with what it was told last.
    attached: tokio::sync::Mutex<BTreeMap<SessionId, bool>>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u32,
    terminals: u32,
    all: BTreeMap<SessionId, Arc<Session>>,
}

/// What is to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub kind: TerminalKind,
    pub project: ProjectName,
    pub command: Option<String>,
    pub title: Option<String>,
    pub size: Size,
    /// Who opens a terminal; nobody a plain client's command.
    pub opener: Option<MemberId>,
    pub folder: WorkspacePath,
    pub environment: BTreeMap<String, String>,
    /// Of a process alone.
    pub piping: Option<Piping>,
}

/// What a command without a terminal is started with.
#[derive(Debug, Clone, Copy)]
pub struct Piping {
    pub is_fed: bool,
    pub bounds: Bounds,
}

impl NewSession {
    /// A command of nobody's, in a project's folder.
    pub fn command(kind: TerminalKind, project: ProjectName, command: String) -> Self {
        Self {
            kind,
            project,
            command: Some(command),
            title: None,
            size: Size::PLAIN,
            opener: None,
            folder: WorkspacePath::root(),
            environment: BTreeMap::new(),
            piping: None,
        }
    }
}

/// A session that was opened; of a process with the log of its errors.
#[derive(Debug, Clone)]
pub struct Opened {
    pub session: Arc<Session>,
    pub errors: Option<Arc<Session>>,
}

/// What an agent's list of its sessions tells that was not known.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Commands that run, of an earlier server.
    shells: Vec<Arc<Session>>,
    /// Sessions that have ended meanwhile.
    ended: Vec<Arc<Session>>,
    /// Whether there are some that an earlier server had opened.
    is_adopted: bool,
}

impl Sessions {
    /// Those of a room, which keeps whose they are in the file at `path`.
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        let ownership = Ownership::new(path, syncer);
        Self { inner: Mutex::default(), ownership, attached: tokio::sync::Mutex::default() }
    }

    pub fn get(&self, id: SessionId) -> Result<Arc<Session>, Failure> {
        let missing = || Failure::new(ErrorCode::NotFound, format!("there is no terminal {id}"));
        self.inner.lock().all.get(&id).cloned().ok_or_else(missing)
    }

    pub fn all(&self) -> Vec<Arc<Session>> {
        self.inner.lock().all.values().cloned().collect()
    }

    /// Numbers a session and lists it, before the agent hears of it: its output may come with the agent's next frame.
    fn admit(&self, new: &NewSession) -> Opened {
        let mut inner = self.inner.lock();
        inner.last = inner.last.max(self.ownership.last()) + 1;
        let id = SessionId(inner.last);
        let errors = new.piping.map(|_| {
            inner.last += 1;
            SessionId(inner.last)
        });
        let title = new.title.clone().unwrap_or_else(|| match new.kind {
            TerminalKind::Shell => format!("Shell: {}", new.project),
            TerminalKind::Process | TerminalKind::Errors => {
                new.command.as_deref().unwrap_or_default().chars().take(MAX_TITLE).collect()
            }
            TerminalKind::Terminal | TerminalKind::Run => {
                inner.terminals += 1;
                format!("Terminal {}", inner.terminals)
            }
        });
        let log = |id: SessionId, kind: TerminalKind| {
            let session = Session::new(id, kind, new.project.clone(), title.clone(), new.size);
            if let Some(opener) = new.opener {
                session.lease(|lease| *lease = Lease::opened_by(opener, new.size));
            }
            session
        };
        let session = Arc::new(log(id, new.kind).with_errors(errors));
        let errors = errors.map(|errors| Arc::new(log(errors, TerminalKind::Errors)));
        let opened = Opened { session, errors };
        inner.all.extend(opened.logs().map(|session| (session.id, session.clone())));
        opened
    }

    /// Takes what an agent has: lists what an earlier server had opened, and ends what ended while there was no link, of
    /// which the agent tells nothing else.
    fn found(&self, states: Vec<SessionState>) -> Found {
        let mut inner = self.inner.lock();
        let mut found = Found::default();
        let mut unlisted = inner.all.clone();
        for state in states {
            inner.last = inner.last.max(state.session.0);
            unlisted.remove(&state.session);
            if let Some(known) = inner.all.get(&state.session) {
                if let Some(exited) = state.exited.filter(|_| !known.has_ended()) {
                    known.ended(exited);
                    found.ended.push(known.clone());
                }
                continue;
            }
            let kind = match (state.kind, &state.command) {
                (SessionKind::Shell, _) => TerminalKind::Shell,
                (SessionKind::Terminal, None) => TerminalKind::Terminal,
                (SessionKind::Terminal, Some(_)) => TerminalKind::Run,
                (SessionKind::Process, _) => TerminalKind::Process,
                (SessionKind::Errors, _) => TerminalKind::Errors,
            };
            // The agent is not trusted: what it tells is bounded like what a client tells.
            let title: String = state.title.chars().take(MAX_TITLE).collect();
            let number = title.strip_prefix("Terminal ").and_then(|number| number.parse().ok());
            inner.terminals = inner.terminals.max(number.unwrap_or(0));
            let session = Session::new(state.session, kind, state.project, title, state.size);
            let session = Arc::new(session.with_errors(state.errors).resumed(state.head, state.exited));
            let owned = self.ownership.of(session.id);
            // A plain client's command keeps the size that it was promised, and a process has none.
            let has_size = matches!(kind, TerminalKind::Terminal | TerminalKind::Run);
            let gone_since = has_size.then(Instant::now);
            session.lease(|lease| *lease = Lease::kept(owned, gone_since));
            if kind == TerminalKind::Shell && !session.has_ended() {
                found.shells.push(session.clone());
            }
            found.is_adopted = true;
            inner.all.insert(session.id, session);
        }
        // What the agent knows no more was closed, or ended so long ago that it was forgotten there.
        for session in unlisted.into_values().filter(|session| !session.has_ended()) {
            let offset = session.head();
            session.ended(Exited {
                session: session.id,
                status: ExitStatus::Signal(KILLED),
                offset,
                cost: None,
                timed_out: false,
            });
            found.ended.push(session);
        }
        found
    }

    /// A new link knows of no attachment: asks again for every session that is read.
    pub(super) async fn reattach(&self, link: &Link) {
        self.attached.lock().await.clear();
        for session in self.all() {
            if let Err(failure) = self.follow(link, &session).await {
                tracing::debug!(session = %session.id, %failure, "a session could not be attached again");
            }
        }
    }

    /// Has the agent send a session's output exactly if somebody reads it.
    pub async fn follow(&self, link: &Link, session: &Session) -> Result<(), Failure> {
        let mut attached = self.attached.lock().await;
        loop {
            let wanted = session.is_read();
            if attached.get(&session.id).copied().unwrap_or(false) == wanted {
                return Ok(());
            }
            if wanted {
                link.call(Attach { session: session.id, from: session.head() }).await?;
            } else {
                link.call(Detach { session: session.id }).await?;
            }
            attached.insert(session.id, wanted);
        }
    }

    /// Past output of a session, from `from` or what is left of it up to `to`. Returns where it begins.
    pub async fn past(&self, link: &Link, session: &Session, from: u64, to: u64) -> Result<(u64, Vec<u8>), Failure> {
        let mut bytes = Vec::new();
        let mut start = from;
        let mut at = from;
        while at < to {
            let replayed = link.call(Replay { session: session.id, from: at, to }).await?;
            if replayed.from > at {
                // The ring has lost what came before.
                bytes.clear();
                start = replayed.from;
            }
            if replayed.bytes.is_empty() {
                break;
            }
            at = replayed.from + replayed.bytes.len() as u64;
            bytes.extend_from_slice(&replayed.bytes);
        }
        bytes.truncate(to.saturating_sub(start) as usize);
        Ok((start, bytes))
    }

    pub(super) fn ended(&self, exited: Exited) -> Option<Arc<Session>> {
        let session = self.get(exited.session).ok()?;
        session.ended(exited);
        let mut inner = self.inner.lock();
        let ended: Vec<SessionId> = inner.all.values().filter(|s| s.has_ended()).map(|s| s.id).collect();
        for id in ended.iter().take(ended.len().saturating_sub(MAX_ENDED)) {
            inner.all.remove(id);
            self.ownership.closed(*id);
        }
        Some(session)
    }

    /// The sandbox is gone, and every program with it.
    pub(super) fn all_ended(&self) {
        for session in self.all() {
            if session.has_ended() {
                session.cut_short();
            } else {
                let offset = session.head();
                session.ended(Exited {
                    session: session.id,
                    status: ExitStatus::Signal(KILLED),
                    offset,
                    cost: None,
                    timed_out: false,
                });
            }
        }
    }

    /// A new sandbox knows nothing of the sessions of the one before.
    pub(super) fn forget_all(&self, room: &Room) {
        let gone = std::mem::take(&mut self.inner.lock().all);
        self.ownership.fresh();
        for id in gone.into_keys() {
            room.members.tell(&ServerFrame::TerminalClosed { terminal: id });
        }
    }

    fn forget(&self, id: SessionId) {
        self.inner.lock().all.remove(&id);
        self.ownership.closed(id);
    }

    /// A session with the log of its errors, if it has one.
    fn with_errors(&self, session: Arc<Session>) -> Opened {
        let errors = session.errors.and_then(|errors| self.get(errors).ok());
        Opened { session, errors }
    }
}

impl Opened {
    pub fn logs(&self) -> impl Iterator<Item = &Arc<Session>> {
        std::iter::once(&self.session).chain(&self.errors)
    }
}

impl Room {
    /// Takes what an agent says it has, right after its greeting.
    pub(super) fn found(self: &Arc<Self>, states: Vec<SessionState>) {
        let Found { shells, ended, is_adopted } = self.sessions.found(states);
        shells.into_iter().for_each(|session| self.shells.found(session));
        for session in ended {
            self.tell_end(&session);
            self.tell_finished(&session);
        }
        if is_adopted {
            self.follow_who_is_alone();
        }
    }

    /// Writes down whose a terminal is. Who can't come back is nobody to the next server, which may give their number to
    /// somebody else.
    fn keep_owned(&self, session: &Session) {
        let Owned { driver, opener, locked } = session.lease(|lease| lease.owned);
        let returns = |who: &MemberId| self.identities.remembers(*who);
        let owned = Owned { driver: driver.filter(returns), opener: opener.filter(returns), locked };
        self.sessions.ownership.keep(session.id, owned);
    }

    /// Once those who are gone have had the time to come back, their terminals get the size of whoever is here alone.
    fn follow_who_is_alone(self: &Arc<Self>) {
        let room = self.clone();
        self.spawn("terminal sizes", async move {
            tokio::select! {
                () = sleep(RETURN) => {}
                () = room.tasks.closing() => return,
            }
            let Some(alone) = room.alone() else { return };
            for session in room.sessions.all() {
                if let Err(failure) = room.fit_to(alone, &session).await {
                    tracing::debug!(session = %session.id, %failure, "a terminal could not be fitted");
                }
            }
        });
    }

    /// The only one of the room's people that sees terminals.
    fn alone(&self) -> Option<MemberId> {
        let members = self.members.all();
        let mut here = members.iter().filter(|member| member.is_full()).map(|member| member.who);
        let first = here.next()?;
        here.all(|other| other == first).then_some(first)
    }

    /// Gives a terminal whose driver is gone for good the size of the only one who is here.
    async fn fit_to(self: &Arc<Self>, alone: MemberId, session: &Session) -> Result<(), Failure> {
        let size = session.lease(|lease| lease.alone(alone, Instant::now()));
        match size.filter(|_| !session.has_ended()) {
            Some(size) => self.set_size(session, size).await,
            None => Ok(()),
        }
    }

    async fn set_size(self: &Arc<Self>, session: &Session, size: Size) -> Result<(), Failure> {
        if session.size() == size {
            return Ok(());
        }
        self.link().await?.call(Resize { session: session.id, size }).await?;
        session.set_size(size);
        self.tell_terminal(session);
        Ok(())
    }

    /// Opens a session, attached from its first byte on. `reader` is called for each of its logs before the agent hears of
    /// it, so that whoever reads it misses nothing.
    pub async fn open_session(
        self: &Arc<Self>,
        new: NewSession,
        reader: impl Fn(&Arc<Session>),
    ) -> Result<Opened, Failure> {
        if new.command.as_ref().is_some_and(|command| command.len() > MAX_COMMAND) {
            return Err(Failure::new(ErrorCode::TooLarge, format!("a command has at most {MAX_COMMAND} bytes")));
        }
        if new.command.as_ref().is_some_and(|command| command.contains('\0')) {
            return Err(Failure::new(ErrorCode::BadRequest, "a command has no NUL byte"));
        }
        let link = self.wake().await?;
        let opened = self.sessions.admit(&new);
        let session = opened.session.clone();
        for log in opened.logs() {
            self.keep_owned(log);
            reader(log);
            // An opened session is attached from its start, as the protocol says.
            self.sessions.attached.lock().await.insert(log.id, true);
        }
        let kind = match new.kind {
            TerminalKind::Shell => SessionKind::Shell,
            TerminalKind::Terminal | TerminalKind::Run => SessionKind::Terminal,
            TerminalKind::Process | TerminalKind::Errors => SessionKind::Process,
        };
        let pipes = new.piping.zip(session.errors);
        let open = Open {
            session: session.id,
            kind,
            project: new.project,
            folder: new.folder,
            command: new.command,
            environment: new.environment,
            pipes: pipes.map(|(Piping { is_fed, bounds }, errors)| Pipes { errors, is_fed, bounds }),
            title: session.title(),
            size: new.size.clamped(),
        };
        if let Err(failure) = link.call(open).await {
            opened.logs().for_each(|log| self.sessions.forget(log.id));
            return Err(failure);
        }
        for log in opened.logs() {
            self.tell_terminal(log);
            self.sessions.follow(&link, log).await?;
        }
        Ok(opened)
    }

    /// Bytes that a member types. The terminal becomes theirs, and gets the size that they have room for. Returns the link
    /// that they are on their way over, if they could not be typed at once.
    pub async fn type_into(
        self: &Arc<Self>,
        member: &Member,
        id: SessionId,
        bytes: &[u8],
    ) -> Result<Option<Arc<Link>>, Failure> {
        let session = self.sessions.get(id)?;
        if session.kind.is_piped() {
            return Err(Failure::new(
                ErrorCode::BadRequest,
                "nothing is typed into a process: it is fed, by process-input",
            ));
        }
        let link = self.link().await?;
        let taken = session.lease(|lease| lease.check(member.who).map(|()| lease.types(member.who)))?;
        if let Some(size) = taken {
            if let Some(size) = size.filter(|size| *size != session.size()) {
                link.call(Resize { session: id, size }).await?;
                session.set_size(size);
            }
            self.keep_owned(&session);
            self.tell_terminal(&session);
        }
        self.documents.flush_before_line(self, bytes).await;
        let typed = link.input(id, bytes).await?;
        Ok((typed == Typed::InFrames).then_some(link))
    }

    /// A member has room for a terminal of this size.
    pub async fn resize_session(self: &Arc<Self>, member: &Member, id: SessionId, size: Size) -> Result<(), Failure> {
        let session = self.sessions.get(id)?;
        if session.lease(|lease| lease.wants(member.who, size)) {
            return self.set_size(&session, size).await;
        }
        match self.alone() {
            Some(alone) => self.fit_to(alone, &session).await,
            None => Ok(()),
        }
    }

    pub fn lock_session(&self, member: &Member, id: SessionId, locked: bool) -> Result<(), Failure> {
        let session = self.sessions.get(id)?;
        if session.lease(|lease| lease.lock(member.who, member.role, locked))? {
            self.keep_owned(&session);
            self.tell_terminal(&session);
        }
        Ok(())
    }

    /// Calls a session something else, for everybody; the agent keeps it.
    pub async fn title_session(self: &Arc<Self>, member: &Member, id: SessionId, title: &str) -> Result<(), Failure> {
        let session = self.sessions.get(id)?;
        session.lease(|lease| lease.check(member.who))?;
        let title = title.trim();
        let length = title.chars().count();
        if length == 0 || length > MAX_TITLE || title.chars().any(char::is_control) {
            let message = format!("a title has 1 to {MAX_TITLE} characters and no control characters");
            return Err(Failure::new(ErrorCode::BadRequest, message));
        }
        if session.title() == title {
            return Ok(());
        }
        if let Some(link) = self.sandbox.link_now() {
            match link.call(Title { session: id, title: title.to_owned() }).await {
                // It ended long ago, and the agent has forgotten it.
                Err(failure) if failure.code != ErrorCode::NotFound => return Err(failure),
                _ => {}
            }
        }
        session.set_title(title.to_owned());
        self.tell_terminal(&session);
        Ok(())
    }

    /// A member has left, and may come back.
    pub(super) fn leave_terminals(self: &Arc<Self>, member: &Member) {
        if self.members.all().iter().any(|other| other.who == member.who) {
            return;
        }
        let sessions = self.sessions.all();
        for session in &sessions {
            session.lease(|lease| lease.left(member.who, Instant::now()));
        }
        if !sessions.is_empty() && self.alone().is_some() {
            self.follow_who_is_alone();
        }
    }

    pub async fn close_session(self: &Arc<Self>, id: SessionId) -> Result<(), Failure> {
        let session = self.sessions.get(id)?;
        if session.kind == TerminalKind::Errors {
            return Err(Failure::new(ErrorCode::BadRequest, "the errors of a process are closed with it"));
        }
        if let Some(link) = self.sandbox.link_now() {
            link.let_go(id);
            match link.call(Close { session: id }).await {
                Err(failure) if failure.code != ErrorCode::NotFound => return Err(failure),
                _ => {}
            }
        }
        for log in self.sessions.with_errors(session).logs() {
            if !log.has_ended() {
                let (status, offset) = (ExitStatus::Signal(HANGUP), log.head());
                log.ended(Exited { session: log.id, status, offset, cost: None, timed_out: false });
            }
            self.sessions.forget(log.id);
            for member in self.members.all() {
                // Nothing is told of it after it is said to be closed.
                member.stop_reading(log);
            }
            self.members.tell(&ServerFrame::TerminalClosed { terminal: log.id });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(session: SessionId, exited: Option<Exited>) -> SessionState {
        SessionState {
            session,
            kind: SessionKind::Terminal,
            project: ProjectName::parse("p").unwrap(),
            command: None,
            title: "Terminal 1".into(),
            size: Size::PLAIN,
            errors: None,
            start: 0,
            head: 9,
            exited,
        }
    }

    #[test]
    fn what_ended_while_there_was_no_link_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(folder.path().join("room/terminals.log"), Syncer::default());
        let new = NewSession::command(TerminalKind::Run, ProjectName::parse("p").unwrap(), "true".into());
        let [ended, runs, closed] = [0, 1, 2].map(|_| sessions.admit(&new).session);
        let exited = Exited { session: ended.id, status: ExitStatus::Code(3), offset: 9, cost: None, timed_out: false };
        let listed = vec![state(ended.id, Some(exited)), state(runs.id, None)];
        let found = sessions.found(listed.clone());
        let told: Vec<SessionId> = found.ended.iter().map(|session| session.id).collect();
        assert_eq!(told, [ended.id, closed.id]);
        assert!(ended.has_ended() && closed.has_ended() && !runs.has_ended());
        assert_eq!(ended.describe().exit.and_then(|exit| exit.code), Some(3));
        assert!(sessions.found(listed).ended.is_empty(), "told once");
    }
}
