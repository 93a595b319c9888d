//! One session of a room as the server keeps it: a window on the agent's output log, and the readers that follow it.
//!
//! The agent keeps the last 2 MiB of every session; here stands only what attached readers have not read yet, at most
//! [`MAX_KEPT`]. A reader has a cursor of its own and pulls; it is woken, never pushed to, and a slow one holds up
//! nobody: what it misses is a [`Pulled::Gap`]. The program is paced by the fastest reader, whose progress is told to
//! the agent. This module does no I/O and must never wait.

use std::collections::VecDeque;
use std::sync::Arc;

use embedenv_shared::frame::{Exit, Terminal, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{Exited, RING, Size};
use embedenv_shared::path::ProjectName;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::lease::Lease;
use super::members::SeatId;

/// Bytes of one session's output kept for readers that have not read them; beyond that the oldest go, and the
/// readers that were still before them find a gap.
pub const MAX_KEPT: usize = RING;
/// A log that was emptied keeps no more capacity than this.
const IDLE_CAPACITY: usize = 16 * 1024;
/// The agent is told the fastest reader's progress in steps of this many bytes.
const PROGRESS_STEP: u64 = 64 * 1024;

/// A session that is open in the sandbox, or has ended and can still be read.
#[derive(Debug)]
pub struct Session {
    pub id: SessionId,
    pub kind: TerminalKind,
    pub project: ProjectName,
    /// Of a process: the session that its standard error is.
    pub errors: Option<SessionId>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    title: String,
    size: Size,
    lease: Lease,
    exit: Option<Exited>,
    /// The last offset at which the program was seen waiting for input.
    waiting: Option<u64>,
    /// Offset of the first byte in `kept`.
    start: u64,
    kept: VecDeque<u8>,
    readers: Vec<Reader>,
    /// Told to the agent last.
    told: u64,
}

#[derive(Debug)]
struct Reader {
    id: ReaderId,
    cursor: u64,
    wake: Arc<Notify>,
}

/// A connection that reads; it reads a session once at most.
pub type ReaderId = SeatId;

/// What a reader gets when it pulls.
#[derive(Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Bytes from this offset were put into the buffer.
    Bytes { offset: u64 },
    /// Output before `to` is no longer here; the cursor stands at `to` now.
    Gap { from: u64, to: u64 },
    /// Nothing new.
    Nothing,
}

/// What a plain reader must know beside the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Offset after the last byte there is.
    pub head: u64,
    pub waiting: Option<u64>,
    /// Offset at which the program had ended.
    pub ended: Option<u64>,
}

impl Marks {
    /// Whether the program has ended and all that it printed by then is here. After a link was lost the end may be known
    /// first.
    pub fn is_over(&self) -> bool {
        self.ended.is_some_and(|end| self.head >= end)
    }
}

impl Session {
    pub fn new(id: SessionId, kind: TerminalKind, project: ProjectName, title: String, size: Size) -> Self {
        let state = State {
            title,
            size,
            lease: Lease::default(),
            exit: None,
            waiting: None,
            start: 0,
            kept: VecDeque::new(),
            readers: Vec::new(),
            told: 0,
        };
        Self { id, kind, project, errors: None, state: Mutex::new(state) }
    }

    /// A process, whose standard error is another session.
    pub fn with_errors(self, errors: Option<SessionId>) -> Self {
        Self { errors, ..self }
    }

    /// A session found in an agent that an earlier server talked to.
    pub fn resumed(self, head: u64, exit: Option<Exited>) -> Self {
        {
            let mut state = self.state.lock();
            state.start = head;
            state.told = head;
            state.exit = exit;
        }
        self
    }

    /// As everybody in the room sees it.
    pub fn describe(&self) -> Terminal {
        self.described(&self.state.lock())
    }

    /// As one reader is told of it: how it ended follows the last of its output.
    pub fn describe_to(&self, id: ReaderId) -> Terminal {
        let state = self.state.lock();
        let mut terminal = self.described(&state);
        let cursor = state.readers.iter().find(|reader| reader.id == id).map(|reader| reader.cursor);
        if let (Some(cursor), Some(exit)) = (cursor, &state.exit)
            && cursor < exit.offset
        {
            terminal.exit = None;
        }
        terminal
    }

    fn described(&self, state: &State) -> Terminal {
        Terminal {
            terminal: self.id,
            title: state.title.clone(),
            kind: self.kind,
            project: self.project.clone(),
            cols: state.size.cols,
            rows: state.size.rows,
            driver: state.lease.owned.driver,
            opener: state.lease.owned.opener,
            locked: state.lease.owned.locked,
            errors: self.errors,
            exit: state.exit.as_ref().map(Exit::from),
        }
    }

    /// What is known of whose it is, to be looked at or changed.
    pub fn lease<T>(&self, look: impl FnOnce(&mut Lease) -> T) -> T {
        look(&mut self.state.lock().lease)
    }

    pub fn title(&self) -> String {
        self.state.lock().title.clone()
    }

    pub fn set_title(&self, title: String) {
        self.state.lock().title = title;
    }

    pub fn size(&self) -> Size {
        self.state.lock().size
    }

    pub fn set_size(&self, size: Size) {
        self.state.lock().size = size;
    }

    pub fn head(&self) -> u64 {
        self.state.lock().head()
    }

    pub fn has_ended(&self) -> bool {
        self.state.lock().exit.is_some()
    }

    pub fn marks(&self) -> Marks {
        let state = self.state.lock();
        Marks { head: state.head(), waiting: state.waiting, ended: state.exit.as_ref().map(|exited| exited.offset) }
    }

    /// Takes output of the agent's. What nobody reads is not kept. Output that does not follow on (after the agent's
    /// ring was overwritten) leaves a gap.
    pub fn append(&self, offset: u64, bytes: &[u8]) {
        let mut state = self.state.lock();
        let end = offset + bytes.len() as u64;
        let head = state.head();
        if end <= head {
            return;
        }
        let bytes = if offset > head {
            state.kept.clear();
            state.start = offset;
            bytes
        } else {
            &bytes[(head - offset) as usize..]
        };
        if state.readers.is_empty() {
            state.kept.clear();
            state.start = end;
            return;
        }
        state.kept.extend(bytes);
        let excess = state.kept.len().saturating_sub(MAX_KEPT);
        if excess > 0 {
            state.kept.drain(..excess);
            state.start += excess as u64;
        }
        state.wake_readers();
    }

    pub fn waiting(&self, offset: u64) {
        let mut state = self.state.lock();
        state.waiting = Some(offset);
        state.wake_readers();
    }

    pub fn ended(&self, exited: Exited) {
        let mut state = self.state.lock();
        state.exit = Some(exited);
        state.wake_readers();
    }

    /// Nothing more comes of it: if it ended before all of its output was here, that is the end of it.
    pub fn cut_short(&self) {
        let mut state = self.state.lock();
        let head = state.head();
        if let Some(exit) = &mut state.exit {
            exit.offset = exit.offset.min(head);
            state.wake_readers();
        }
    }

    /// Adds a reader whose cursor stands at the head, and says where that is.
    pub fn attach(&self, id: ReaderId, wake: Arc<Notify>) -> u64 {
        let mut state = self.state.lock();
        let cursor = state.head();
        state.readers.retain(|reader| reader.id != id);
        state.readers.push(Reader { id, cursor, wake });
        cursor
    }

    pub fn detach(&self, id: ReaderId) {
        let mut state = self.state.lock();
        state.readers.retain(|reader| reader.id != id);
        state.trim();
    }

    /// Puts what comes next for a reader behind what `buffer` holds, `limit` bytes at most, and moves its cursor.
    pub fn pull(&self, id: ReaderId, limit: usize, buffer: &mut Vec<u8>) -> Pulled {
        let mut state = self.state.lock();
        let (start, head) = (state.start, state.head());
        let Some(reader) = state.readers.iter_mut().find(|reader| reader.id == id) else {
            return Pulled::Nothing;
        };
        let from = reader.cursor;
        if from < start {
            reader.cursor = start;
            return Pulled::Gap { from, to: start };
        }
        if from >= head {
            return Pulled::Nothing;
        }
        let length = ((head - from) as usize).min(limit);
        reader.cursor = from + length as u64;
        let skip = (from - start) as usize;
        let (front, back) = state.kept.as_slices();
        if skip < front.len() {
            let first = &front[skip..front.len().min(skip + length)];
            buffer.extend_from_slice(first);
            buffer.extend_from_slice(&back[..length - first.len()]);
        } else {
            buffer.extend_from_slice(&back[skip - front.len()..skip - front.len() + length]);
        }
        state.trim();
        Pulled::Bytes { offset: from }
    }

    /// The fastest reader's progress, when it is time to tell the agent.
    pub fn progress_to_tell(&self) -> Option<u64> {
        let mut state = self.state.lock();
        let fastest = state.readers.iter().map(|reader| reader.cursor).max()?;
        let due = fastest >= state.told + PROGRESS_STEP;
        due.then(|| {
            state.told = fastest;
            fastest
        })
    }

    /// Whether this one reads it, who is told the end after the last of the output.
    pub fn is_read_by(&self, id: ReaderId) -> bool {
        self.state.lock().readers.iter().any(|reader| reader.id == id)
    }

    /// Whether anybody reads it.
    pub fn is_read(&self) -> bool {
        !self.state.lock().readers.is_empty()
    }
}

impl State {
    fn head(&self) -> u64 {
        self.start + self.kept.len() as u64
    }

    /// Forgets what every reader has read.
    fn trim(&mut self) {
        let slowest = self.readers.iter().map(|reader| reader.cursor).min().unwrap_or(self.head());
        let read = (slowest.saturating_sub(self.start) as usize).min(self.kept.len());
        self.kept.drain(..read);
        self.start += read as u64;
        if self.kept.is_empty() && self.kept.capacity() > IDLE_CAPACITY {
            self.kept.shrink_to(IDLE_CAPACITY);
        }
    }

    fn wake_readers(&self) {
        for reader in &self.readers {
            reader.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::link::sessions::{Cost, ExitStatus};

    use super::*;

    fn session() -> Session {
        let project = ProjectName::parse("p").unwrap();
        Session::new(SessionId(1), TerminalKind::Terminal, project, "Terminal 1".into(), Size::PLAIN)
    }

    #[test]
    fn readers_pull_at_their_own_cursors_and_what_all_have_read_is_forgotten() {
        let session = session();
        session.attach(SeatId(1), Arc::default());
        session.attach(SeatId(2), Arc::default());
        session.append(0, b"hello");
        let mut buffer = Vec::new();
        assert_eq!(session.pull(SeatId(1), 3, &mut buffer), Pulled::Bytes { offset: 0 });
        assert_eq!(session.pull(SeatId(1), 9, &mut buffer), Pulled::Bytes { offset: 3 });
        assert_eq!(buffer, b"hello");
        assert_eq!(session.state.lock().kept.len(), 5);
        buffer.clear();
        assert_eq!(session.pull(SeatId(2), 9, &mut buffer), Pulled::Bytes { offset: 0 });
        assert_eq!(session.state.lock().kept.len(), 0);
        assert_eq!(session.pull(SeatId(2), 9, &mut buffer), Pulled::Nothing);
    }

    #[test]
    fn a_reader_that_falls_behind_finds_a_gap() {
        let session = session();
        session.attach(SeatId(1), Arc::default());
        session.append(0, &vec![b'x'; MAX_KEPT]);
        session.append(MAX_KEPT as u64, b"yz");
        let mut buffer = Vec::new();
        assert_eq!(session.pull(SeatId(1), 9, &mut buffer), Pulled::Gap { from: 0, to: 2 });
        assert_eq!(session.pull(SeatId(1), MAX_KEPT, &mut buffer), Pulled::Bytes { offset: 2 });
        assert!(buffer.ends_with(b"xyz"));
    }

    #[test]
    fn output_told_twice_is_kept_once_and_a_jump_is_a_gap() {
        let session = session();
        session.attach(SeatId(1), Arc::default());
        session.append(0, b"abc");
        session.append(1, b"bcde");
        let mut buffer = Vec::new();
        session.pull(SeatId(1), 99, &mut buffer);
        assert_eq!(buffer, b"abcde");
        session.append(10, b"k");
        assert_eq!(session.pull(SeatId(1), 9, &mut buffer), Pulled::Gap { from: 5, to: 10 });
    }

    #[test]
    fn progress_is_that_of_the_fastest_reader_in_steps() {
        let session = session();
        session.attach(SeatId(1), Arc::default());
        session.attach(SeatId(2), Arc::default());
        session.append(0, &vec![b'x'; 100_000]);
        let mut buffer = Vec::new();
        session.pull(SeatId(1), 10, &mut buffer);
        assert_eq!(session.progress_to_tell(), None);
        session.pull(SeatId(2), 100_000, &mut buffer);
        assert_eq!(session.progress_to_tell(), Some(100_000));
        assert_eq!(session.progress_to_tell(), None);
    }

    #[test]
    fn an_end_that_is_known_before_the_last_output_is_here_is_not_told_yet() {
        let session = session();
        session.append(0, b"abc");
        let exited =
            Exited { session: SessionId(1), status: ExitStatus::Code(0), offset: 5, cost: None, timed_out: false };
        session.ended(exited);
        assert!(session.has_ended() && !session.marks().is_over());
        session.append(3, b"de");
        assert!(session.marks().is_over());
    }

    #[test]
    fn a_reader_is_told_the_end_after_the_last_of_its_output_whatever_else_it_is_told_before() {
        let session = session();
        session.attach(SeatId(1), Arc::default());
        session.append(0, b"abc");
        session.ended(Exited {
            session: SessionId(1),
            status: ExitStatus::Code(0),
            offset: 3,
            cost: None,
            timed_out: false,
        });
        let mut buffer = Vec::new();
        session.pull(SeatId(1), 2, &mut buffer);
        assert_eq!(session.describe_to(SeatId(1)).exit, None);
        assert!(session.describe_to(SeatId(2)).exit.is_some());
        session.pull(SeatId(1), 2, &mut buffer);
        assert!(session.describe_to(SeatId(1)).exit.is_some());
    }

    #[test]
    fn the_end_is_told_with_its_offset() {
        let session = session();
        session.append(0, b"abc");
        session.ended(Exited {
            session: SessionId(1),
            status: ExitStatus::Code(3),
            offset: 3,
            cost: Some(Cost { elapsed: 40, memory: 4096, processor: 7 }),
            timed_out: false,
        });
        assert_eq!(session.marks(), Marks { head: 3, waiting: None, ended: Some(3) });
        assert_eq!(
            session.describe().exit,
            Some(Exit { code: Some(3), elapsed: Some(40), memory: Some(4096), cpu: Some(7), ..Exit::default() })
        );
    }
}
