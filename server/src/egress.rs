//! Traffic out of a sandbox: an HTTP proxy that programs reach through the agent and that is answered here, for hosts of
//! an allow-list and addresses that are not inward. Sandboxes themselves keep having no network.
//!
//! Owns what may be reached, the bounds and the counts; knows no room and no agent. Of what is carried it looks at the
//! proxy's own requests alone, and logs hosts and counts, never paths, headers or contents.
//!
//! ```text
//! program ── agent's proxy ── stream ──> serve ──CONNECT──> tunnel ──────> host:port
//!                                          └────http://───> one request ─> host:port
//! ```
//!
//! Task tree: for each tunnel or request one `traffic out`.

pub mod address;
pub mod allow;
mod carried;
mod request;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::tasks::Tasks;
use allow::AllowList;
use carried::Carried;
pub use request::serve;

/// Where the agent offers the proxy inside.
pub const PROXY_PORT: u16 = 3128;
/// How long a name may take to resolve, and then each of its addresses to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// A name that leads to this machine; who lists it means that.
const LOCALHOST: &str = "localhost";
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
/// Connections of one room at once; one more is refused with `egress_limit`.
const MAX_CONNECTIONS: usize = 64;
/// A connection on which nothing moves for so long is cut.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// The longest head of a request, in bytes, and how long it may take to arrive.
const MAX_HEAD: usize = 64 * 1024;
const HEAD: Duration = Duration::from_secs(30);

/// What one room may reach, and what it has used.
#[derive(Debug)]
pub struct Egress {
    list: AllowList,
    /// Bytes that may be carried, both ways together; then connections are cut.
    quota: u64,
    resolve: Arc<dyn Resolve>,
    places: Arc<Semaphore>,
    tasks: Tasks,
    used: Used,
}

/// Counts since the room was made or taken up.
#[derive(Debug, Default)]
struct Used {
    bytes: AtomicU64,
    connections: AtomicU64,
    refused: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Both ways together.
    pub bytes: u64,
    pub connections: u64,
    pub refused: u64,
}

/// Why something is not carried, as it is answered to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this space does not allow it: it is not in the list of hosts (spaces.NAME.egress)")]
    NotListed,
    #[error("it leads to an address that is private, local or reserved, which the list of hosts does not name")]
    Inward,
    #[error("its name can't be resolved")]
    Unresolved,
    #[error("it does not answer")]
    Unreachable,
    #[error("it did not answer in time")]
    TimedOut,
    #[error("the room has as many connections as it may have, {MAX_CONNECTIONS}")]
    Connections,
    #[error("the room has carried as much as it may (spaces.NAME.egress_bytes)")]
    Quota,
    #[error("the proxy takes CONNECT, and http:// requests in absolute form")]
    Request,
}

impl Refusal {
    /// The stable code, in the header `Embedenv-Error`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotListed | Self::Inward => "egress_denied",
            Self::Unresolved => "egress_unresolved",
            Self::Unreachable | Self::TimedOut => "egress_unreachable",
            Self::Connections | Self::Quota => "egress_limit",
            Self::Request => "bad_request",
        }
    }

    pub fn status(self) -> u16 {
        match self {
            Self::NotListed | Self::Inward => 403,
            Self::Unresolved | Self::Unreachable => 502,
            Self::TimedOut => 504,
            Self::Connections | Self::Quota => 429,
            Self::Request => 400,
        }
    }
}

/// Names to addresses.
pub trait Resolve: Send + Sync + std::fmt::Debug {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolution<'a>;
}

pub type Resolution<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// The system's own resolver.
#[derive(Debug, Default)]
pub struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolution<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

impl Egress {
    pub fn new(list: AllowList, quota: u64, tasks: Tasks) -> Self {
        Self::with(list, quota, tasks, Arc::new(System))
    }

    fn with(list: AllowList, quota: u64, tasks: Tasks, resolve: Arc<dyn Resolve>) -> Self {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Self { list, quota, resolve, places, tasks, used: Used::default() }
    }

    /// What was used since the room was made or taken up.
    pub fn used(&self) -> Usage {
        let Used { bytes, connections, refused } = &self.used;
        let [bytes, connections, refused] = [bytes, connections, refused].map(|count| count.load(Ordering::Relaxed));
        Usage { bytes, connections, refused }
    }

    /// Connects to a host, if it may be reached.
    async fn connect(self: &Arc<Self>, host: &str, port: u16) -> Result<Carried, Refusal> {
        let connected = self.try_connect(host, port).await;
        match &connected {
            Ok(_) => self.used.connections.fetch_add(1, Ordering::Relaxed),
            Err(refusal) => {
                tracing::info!(host, port, code = refusal.code(), "traffic out was refused");
                self.used.refused.fetch_add(1, Ordering::Relaxed)
            }
        };
        connected
    }

    async fn try_connect(self: &Arc<Self>, host: &str, port: u16) -> Result<Carried, Refusal> {
        if self.used.bytes.load(Ordering::Relaxed) >= self.quota {
            return Err(Refusal::Quota);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| Refusal::Connections)?;
        let mut refusal = Refusal::Unreachable;
        for address in self.addresses(host, port).await? {
            // The very address that was checked: a second look-up might say another.
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(Carried::new(stream, self.clone(), place, format!("{host}:{port}"))),
                Ok(Err(_)) => refusal = Refusal::Unreachable,
                Err(_) => refusal = Refusal::TimedOut,
            }
        }
        Err(refusal)
    }

    /// The addresses of a host that may be reached, at least one.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        if !self.list.allows(host, port) {
            return Err(Refusal::NotListed);
        }
        if let Some(address) = allow::literal(host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let resolved = timeout(CONNECT, self.resolve.resolve(host, port)).await.map_err(|_| Refusal::TimedOut)?;
        let mut found = resolved.map_err(|_| Refusal::Unresolved)?;
        if found.is_empty() {
            return Err(Refusal::Unresolved);
        }
        let local = host.eq_ignore_ascii_case(LOCALHOST) && self.list.spells(LOCALHOST, port);
        found.retain(|found| {
            !address::is_inward(found.ip()) || self.list.names(found.ip(), port) || (local && found.ip().is_loopback())
        });
        found.truncate(MAX_ADDRESSES);
        if found.is_empty() { Err(Refusal::Inward) } else { Ok(found) }
    }

    /// Counts bytes that were carried; `false` when there may be no more.
    fn count(&self, bytes: usize) -> bool {
        self.used.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + (bytes as u64) <= self.quota
    }
}

#[cfg(test)]
mod tests;
