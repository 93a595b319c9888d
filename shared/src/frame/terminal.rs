//! What everybody is told of a program: where it prints to, whose that is, and how it ended.

use serde::{Deserialize, Serialize};

use crate::id::{MemberId, SessionId};
use crate::link::sessions::{ExitStatus, Exited};
use crate::path::ProjectName;

/// A terminal, or a log of a command without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    pub terminal: SessionId,
    pub title: String,
    pub kind: TerminalKind,
    pub project: ProjectName,
    pub cols: u16,
    pub rows: u16,
    /// Whose size it has: who typed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<MemberId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<MemberId>,
    /// Only the opener may touch it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Of a process: the log of its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<SessionId>,
    /// How its program ended; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalKind {
    /// An interactive shell.
    Terminal,
    /// A command given by a full client.
    Run,
    /// A `shell` command of a plain client.
    Shell,
    /// A command without a terminal: its standard output.
    Process,
    /// The standard error of such a command.
    Errors,
}

impl TerminalKind {
    /// Whether it is a log of a command without a terminal.
    pub fn is_piped(self) -> bool {
        matches!(self, Self::Process | Self::Errors)
    }
}

/// How a program ended: one of the two members is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// From its start to its end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<u64>,
    /// The most memory that one of its processes had resident, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Processor time of its processes, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u64>,
    /// It was killed because its time was up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
}

impl From<&Exited> for Exit {
    fn from(exited: &Exited) -> Self {
        let (code, signal) = match exited.status {
            ExitStatus::Code(code) => (Some(code), None),
            ExitStatus::Signal(signal) => (None, Some(signal)),
        };
        let cost = exited.cost;
        let (elapsed, memory) = (cost.map(|cost| cost.elapsed), cost.map(|cost| cost.memory));
        let cpu = cost.map(|cost| cost.processor);
        Self { code, signal, elapsed, memory, cpu, timed_out: exited.timed_out }
    }
}
