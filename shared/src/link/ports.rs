//! Ports on the agent link: dialling what listens inside the sandbox, knowing what does, and connections of programs to
//! the proxy that the agent offers them for traffic out.

use serde::{Deserialize, Serialize};

use crate::id::StreamId;

/// Streams one link carries at most; one more is `limit_reached`.
pub const MAX_STREAMS: usize = 1024;

/// Numbers of streams that the agent opens have this bit; those that the server dials don't.
pub const FROM_AGENT: u32 = 1 << 31;
/// Streams that an agent has open at most; one more waits until another has ended.
pub const MAX_ACCEPTED: usize = 64;

/// Connect to a port on the sandbox's own loopback (127.0.0.1, then ::1, or the one family named). On success the
/// stream's bytes travel as [`super::Kind::StreamData`] within [`super::STREAM_WINDOW`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// A number of the server's that no open stream has.
    pub stream: StreamId,
    pub port: u16,
    pub family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    Any,
    V4,
    V6,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialled;

/// All TCP ports something listens on inside the sandbox, sorted, each once; told when that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    pub ports: Vec<Listener>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    pub port: u16,
    /// Who listens; unknown if the kernel did not say.
    pub program: Option<Program>,
    /// When it was first seen to listen, in milliseconds since 1970.
    pub since: u64,
}

/// A process, as the sandbox numbers it, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub pid: u32,
    pub name: String,
}

/// A program has connected to the agent's proxy. What it says and hears is the stream's, as if the server had dialled;
/// the agent looks at none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// A number with [`FROM_AGENT`] that no open stream has.
    pub stream: StreamId,
}
