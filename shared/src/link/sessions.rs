//! Sessions on the agent link: a program on a pseudo-terminal, its output ring, its input and its end.
//!
//! Output of a session is a log with a running offset that starts at 0. The agent keeps the last [`RING`] bytes.
//! While the server is attached the agent sends the log in order ([`super::Kind::Output`]), at most [`WINDOW`] bytes
//! beyond the last [`super::Kind::Progress`], and it reads the pseudo-terminal only while the ring has room for what
//! nobody has read yet: so the program is paced by the fastest reader. Detached, the ring overwrites.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::SessionId;
use crate::path::{ProjectName, WorkspacePath};

/// Bytes of output the agent keeps of every session.
pub const RING: usize = 2 * 1024 * 1024;
/// Bytes of output that may be under way beyond what the fastest reader is known to have read.
pub const WINDOW: u64 = 512 * 1024;
/// Sessions (pseudo-terminals) one sandbox has at most; one more is `limit_reached`.
pub const MAX_SESSIONS: usize = 16;
/// The longest command line, in bytes.
pub const MAX_COMMAND: usize = 128 * 1024;
/// Bytes of the variables that one program is started with on top of a login shell's, names and values together.
pub const MAX_ENVIRONMENT: usize = 64 * 1024;
/// Bytes of one [`Feed`].
pub const MAX_FEED: usize = 256 * 1024;
/// The longest title of a session, in characters; a longer one is cut.
pub const MAX_TITLE: usize = 80;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionKind {
    /// A `shell` command: `bash -c COMMAND` with a login shell's environment, echo off, and [`Waiting`] is told.
    /// When the shell has exited, [`Exited`] is told; jobs left in the background live on and the session stays
    /// until they let go of the terminal or it is closed.
    Shell,
    /// An interactive login shell, or COMMAND if there is one, with echo on. When it exits, what it left is hung up.
    Terminal,
    /// `bash -c COMMAND` on three pipes, as [`Pipes`] says: its log is the standard output. What it leaves in the background
    /// lives on, as with a shell.
    Process,
    /// The standard error of a process: a log beside the process's own, never opened by itself. Closed with its process.
    Errors,
}

/// What only a [`SessionKind::Process`] is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipes {
    /// The session that its standard error becomes; a number that was never used before, either.
    pub errors: SessionId,
    /// Whether it will be fed ([`Feed`]); otherwise its standard input is `/dev/null`.
    pub is_fed: bool,
    pub bounds: Bounds,
}

/// What one process may take. None of them is a bound when it is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Milliseconds from its start, after which it and all of its session is killed ([`Exited::timed_out`]).
    pub elapsed: Option<u64>,
    /// Milliseconds of processor time of each of its processes, rounded up to whole seconds (`RLIMIT_CPU`).
    pub processor: Option<u64>,
    /// Bytes of data that each of its processes may map (`RLIMIT_DATA`).
    pub memory: Option<u64>,
}

/// Start a program on a new pseudo-terminal or on pipes, attached from offset 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// A number that was never used before in this sandbox.
    pub session: SessionId,
    pub kind: SessionKind,
    /// Whose folder it starts in; made if it is missing.
    pub project: ProjectName,
    /// Where in that folder; it must be there.
    pub folder: WorkspacePath,
    /// The command line; `None` for an interactive shell (which only a [`SessionKind::Terminal`] may be).
    pub command: Option<String>,
    /// Variables on top of those of a login shell, or in their stead; [`MAX_ENVIRONMENT`] bytes at most.
    pub environment: BTreeMap<String, String>,
    /// For a [`SessionKind::Process`], and for it alone.
    pub pipes: Option<Pipes>,
    /// What people call it. The agent keeps it for the next server.
    pub title: String,
    pub size: Size,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The first process, as the sandbox numbers it.
    pub pid: u32,
}

/// A terminal's size in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub cols: u16,
    pub rows: u16,
}

impl Size {
    /// What a plain client's shell gets.
    pub const PLAIN: Self = Self { cols: 80, rows: 24 };

    /// Within 1 to 1,000 cells each way, whatever was asked for.
    pub fn clamped(self) -> Self {
        Self { cols: self.cols.clamp(1, 1000), rows: self.rows.clamp(1, 1000) }
    }
}

/// A session as the agent has it, told when a server connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    pub session: SessionId,
    pub kind: SessionKind,
    pub project: ProjectName,
    pub command: Option<String>,
    pub title: String,
    pub size: Size,
    /// The other log of a process.
    pub errors: Option<SessionId>,
    /// Offset of the first byte the ring still has.
    pub start: u64,
    /// Offset after the last byte of output.
    pub head: u64,
    /// How it ended, if it has.
    pub exited: Option<Exited>,
}

/// Send output from `from` on. If the ring has lost some of it, output begins at [`Attached::from`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    pub session: SessionId,
    pub from: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Offset of the first byte that will be sent: what was asked for, or more if the ring has lost it.
    pub from: u64,
    /// Offset after the last byte there is now.
    pub head: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {
    pub session: SessionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detached;

/// Past output in `from..to`; the reply has at most [`super::MAX_FROM_AGENT`] bytes, so ask again for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    pub session: SessionId,
    pub from: u64,
    pub to: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// Offset of the first byte: what was asked for, or more if the ring has lost it.
    pub from: u64,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    pub session: SessionId,
    pub size: Size,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resized;

/// Bytes for the standard input of a process. Answered once the program's pipe has taken them all, so that whoever feeds it is
/// as slow as it reads; one piece is under way at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    pub session: SessionId,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// Nothing follows.
    pub ends: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fed;

/// What a session is called from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    pub session: SessionId,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Titled;

/// A signal to the terminal's foreground process group (whatever the terminal's modes are), or to that of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    pub session: SessionId,
    pub signal: SignalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalKind {
    /// SIGINT: the interrupt key.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGKILL, to the foreground group and the session's first process.
    Kill,
    /// End of input: the terminal's EOF character if it reads by lines; of a process, behind what it was fed.
    EndOfInput,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signalled;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    pub session: SessionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed;

/// The session's program has ended, and what it had printed by then stands before `offset`. It is sent after
/// that output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    pub session: SessionId,
    pub status: ExitStatus,
    pub offset: u64,
    /// Missing if whoever waited for the program was killed.
    pub cost: Option<Cost>,
    /// It was killed because its time was up ([`Bounds::elapsed`]).
    pub timed_out: bool,
}

/// What a program took, as the kernel accounts it (getrusage(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// From its start to its end, in milliseconds.
    pub elapsed: u64,
    /// Processor time of the session's first process and of its children that were waited for, in milliseconds.
    pub processor: u64,
    /// The most memory that was resident, in bytes: of the session's first process or of a child that was waited for,
    /// whichever had most. It is no sum of processes that ran at the same time.
    pub memory: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    Code(i32),
    Signal(i32),
}

/// The output ends at `offset` in an unfinished line, and the program waits for input. Told once per offset,
/// for [`SessionKind::Shell`] only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub session: SessionId,
    pub offset: u64,
}

/// Output before `to` was overwritten while the server was attached but gave no room for longer than the agent
/// waits; sending goes on at `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub session: SessionId,
    pub to: u64,
}

/// The master of a session's pseudo-terminal comes with this frame, as the one descriptor of an `SCM_RIGHTS` message, so
/// that keys reach the terminal without waking the agent. For [`SessionKind::Terminal`] only, and only when no input
/// waits. Input that was sent as a frame must never be overtaken: the server uses the descriptor only if it has sent no
/// more than `inputs` frames of input on this connection, until it sends another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    pub session: SessionId,
    /// Frames of input for this session that were typed on this connection.
    pub inputs: u64,
}
