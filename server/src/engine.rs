//! What a sandbox is to the rest of the server: started from a spec, reached by one byte stream, ended.
//!
//! Owns the trait that every engine implements and the records that survive a restart of the server. It must never
//! know what is said on the link, nor what a room is beyond its id.
//!
//! Task tree: `engine`, which is [`Engine::run`]: what an engine notices and looks after by itself.

mod agent;
pub(crate) mod choice;
pub mod docker;
pub mod finding;
pub mod local;
mod seccomp;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use embedenv_shared::id::RoomId;
use embedenv_shared::link::SECRET;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

pub use agent::Agent;

/// What an engine's operations return: engines are chosen at run time, so the futures are boxed.
pub type EngineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// Starts and ends sandboxes. Every operation may be called again after it failed or was interrupted.
pub trait Engine: Send + Sync + std::fmt::Debug + 'static {
    /// The name by which configuration and records call it.
    fn name(&self) -> &'static str;

    /// Starts a sandbox for a room, making the room's home if it has none yet. The agent may not listen yet when
    /// this returns; a connection made now is answered as soon as it does.
    fn start<'a>(&'a self, spec: &'a SandboxSpec) -> EngineFuture<'a, Started>;

    /// A new stream to the agent of a sandbox that runs, possibly started by an earlier server.
    fn connect<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, LinkStream>;

    /// Ends everything in the sandbox and returns when nothing of it runs any more. The home stays. Ending one
    /// that has ended already is not an error.
    fn end<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, ()>;

    /// Returns when the sandbox has ended, by whatever cause, with what is known of it.
    fn ended<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, EndCause>;

    /// Removes a room's home and whatever else the engine keeps of it. Its sandbox must have ended.
    fn erase(&self, room: RoomId) -> EngineFuture<'_, ()>;

    /// Ends and removes what the engine has of this server and no room owns. A room is asked after only once its things
    /// were seen, so that one which is being opened meanwhile loses nothing.
    fn sweep<'a>(&'a self, standing: &'a (dyn Fn(RoomId) -> Standing + Send + Sync)) -> EngineFuture<'a, Swept>;

    /// Whether a sandbox that was started for this profile is like one that would be started now.
    fn is_current(&self, profile: &Profile, record: &SandboxRecord) -> bool;

    /// What the engine looks after while the server runs: it tells what it notices, and never returns.
    fn run<'a>(&'a self, tell: &'a (dyn Fn(Notice) + Send + Sync)) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// What a sandbox is started from.
#[derive(Debug, Clone)]
pub struct SandboxSpec {
    pub room: RoomId,
    pub profile: Arc<Profile>,
    /// Shared by server and agent alone.
    pub secret: LinkSecret,
    /// Counts the sandboxes of this room; kept in the record, so that the secret can be derived again.
    pub epoch: u64,
}

/// What the sandboxes of a space are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub limits: Limits,
    /// Where sandboxes are containers: the image's name.
    pub image: String,
    /// The name under which the engine knows what runs containers; `None` for its default.
    pub runtime: Option<String>,
    /// The port inside on which the agent offers a proxy for traffic out, if there may be any.
    pub proxy: Option<u16>,
}

/// The image of a space that names none.
pub const WORKSPACE: &str = "embedenv/workspace:latest";

impl Default for Profile {
    fn default() -> Self {
        Self { limits: Limits::default(), image: WORKSPACE.to_owned(), runtime: None, proxy: None }
    }
}

/// A sandbox that was started.
#[derive(Debug)]
pub struct Started {
    pub record: SandboxRecord,
    /// The first stream to its agent, where starting it made one already.
    pub stream: Option<LinkStream>,
}

/// A stream to an agent.
#[derive(Debug)]
pub struct LinkStream {
    pub stream: UnixStream,
    /// Whether the agent's own descriptors can come with its bytes: it is at the other end of this very socket.
    pub descriptors: bool,
}

/// How a room stands towards what an engine has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is no such room: nothing of it is kept.
    Unknown,
    /// It sleeps: its home is kept, and nothing runs.
    Asleep,
    /// Its sandbox runs, or is being started.
    Awake,
}

/// What a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub sandboxes: usize,
    pub homes: usize,
}

/// What an engine notices by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The kernel has killed something in the room's sandbox for want of memory.
    OutOfMemory(RoomId),
}

/// The secret of one sandbox's link. Its debug form says nothing.
#[derive(Clone)]
pub struct LinkSecret(pub [u8; SECRET]);

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSecret(…)")
    }
}

/// What one sandbox may use. Which of these an engine can enforce on a machine, and how, is `doctor`'s to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of memory, page cache of tmpfs included.
    pub memory: u64,
    /// Processors, in whole and parts.
    pub cpus: f64,
    /// Processes and threads.
    pub processes: u32,
    /// Open files of one process.
    pub open_files: u32,
    /// Bytes on disk in the home.
    pub disk: u64,
    /// Files, folders and links in the home.
    pub inodes: u64,
    /// Bytes in each of `/tmp` and `/dev/shm`.
    pub tmp: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 1024 * 1024 * 1024,
            cpus: 2.0,
            processes: 256,
            open_files: 4096,
            disk: 2 * 1024 * 1024 * 1024,
            inodes: 500_000,
            tmp: 256 * 1024 * 1024,
        }
    }
}

/// What must be remembered of a running sandbox to find it again after the server was restarted. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SandboxRecord {
    pub room: RoomId,
    pub engine: String,
    pub epoch: u64,
    /// The engine's own part.
    pub details: serde_json::Value,
}

impl SandboxRecord {
    /// As it is kept in the ledger.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("records always serialise")
    }
}

/// Why a sandbox is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// It ended or was killed, and more is not known.
    Ended,
    /// The kernel killed it for want of memory.
    OutOfMemory,
}

/// Where an engine keeps things and what it brings into sandboxes.
#[derive(Debug, Clone)]
pub struct EngineHome {
    /// The server's data directory: homes stand in `rooms/ROOM/home`.
    pub data_dir: PathBuf,
    /// Already chosen for this machine.
    pub agent: Agent,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("cannot start a sandbox: {reason}")]
    Start {
        reason: String,
        #[source]
        source: Option<std::io::Error>,
    },
    #[error("cannot reach the sandbox")]
    Connect(#[source] std::io::Error),
    #[error("cannot end the sandbox: {reason}")]
    End { reason: String },
    #[error("cannot remove what a room left: {reason}")]
    Erase {
        reason: String,
        #[source]
        source: Option<std::io::Error>,
    },
    #[error("this sandbox was started by another engine ({0})")]
    OtherEngine(String),
    /// What it has of this server may run on: worth asking again, and nothing is given up for it.
    #[error("the sandbox engine does not answer")]
    Unreachable {
        #[source]
        source: std::io::Error,
    },
    /// The image can't be used, or not yet. The engine has said more of it in the log, once.
    #[error("cannot start a sandbox: {reason}")]
    Image { reason: String },
}
