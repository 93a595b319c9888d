//! Connections to what listens in sandboxes, as an HTTP client's: kept and used again, each over its room's link.
//!
//! Never wakes a sandbox, and never dials anything but a port inside one.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::ports::Family;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tower::Service;

use super::names::Name;
use crate::link::stream::AgentStream;
use crate::room::registry::Registry;
use crate::tasks::Tasks;

/// An app that has not begun to answer after this long is given up.
const PATIENCE: Duration = Duration::from_secs(300);
/// Connections to one port that are kept though nobody uses them; more are closed.
const IDLE: usize = 64;
/// How long such a connection is kept.
const IDLE_TIME: Duration = Duration::from_secs(20);
/// The longest head of an answer, in bytes; one that is longer is an error of the app's.
const HEAD: usize = 128 * 1024;

/// All apps of all rooms.
#[derive(Debug, Clone)]
pub(super) struct Upstreams {
    client: Client<Dialler, Body>,
}

impl Upstreams {
    pub(super) fn new(registry: Arc<Registry>, tasks: Tasks) -> Self {
        let client = Client::builder(Spawner(tasks))
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE)
            .http1_max_buf_size(HEAD)
            // It stands in the request as the browser said it.
            .set_host(false)
            .build(Dialler(registry));
        Self { client }
    }

    /// Has a request answered. Its address is made the port's.
    pub(super) async fn ask(&self, name: Name, mut request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let unreadable = |_| Unanswered::Failed(Failure::new(ErrorCode::BadRequest, "the address can't be passed on"));
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority(name.to_string())
            .path_and_query(path)
            .build()
            .map_err(unreadable)?;
        match timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Unanswered::of(&error, name)),
            Err(_) => {
                let message = format!("port {} has not answered in time", name.port);
                Err(Unanswered::Failed(Failure::new(ErrorCode::TimedOut, message)))
            }
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nothing listens on the port.
    Nobody,
    Failed(Failure),
}

impl Unanswered {
    fn of(error: &hyper_util::client::legacy::Error, name: Name) -> Self {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(failure) = error.downcast_ref::<Failure>() {
                return match failure.code {
                    ErrorCode::Unreachable => Self::Nobody,
                    _ => Self::Failed(failure.clone()),
                };
            }
            cause = error.source();
        }
        let message = format!("what listens on port {} broke off, or does not speak HTTP", name.port);
        Self::Failed(Failure::new(ErrorCode::Unreachable, message))
    }
}

/// Runs what the client needs beside its callers. All of it ends with the server.
#[derive(Debug, Clone)]
struct Spawner(Tasks);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawner {
    fn execute(&self, future: F) {
        let tasks = self.0.clone();
        self.0.spawn("upstream", async move {
            tokio::select! {
                () = future => {}
                () = tasks.closing() => {}
            }
        });
    }
}

/// Dials the port that an address names.
#[derive(Debug, Clone)]
pub(super) struct Dialler(Arc<Registry>);

impl Service<Uri> for Dialler {
    type Response = Upstream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Upstream, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let registry = self.0.clone();
        Box::pin(async move {
            let gone = || Failure::new(ErrorCode::NotFound, "the room has ended");
            let name: Name = address.host().and_then(|host| host.parse().ok()).ok_or_else(gone)?;
            let room = registry.find(name.room).ok_or_else(gone)?;
            let asleep = || Failure::new(ErrorCode::SandboxUnavailable, "the room's sandbox is not running");
            let link = room.sandbox.link_now().ok_or_else(asleep)?;
            Ok(Upstream(TokioIo::new(link.dial(name.port, Family::Any).await?)))
        })
    }
}

/// A connection to an app.
#[derive(Debug)]
pub(super) struct Upstream(TokioIo<AgentStream>);

impl Connection for Upstream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Upstream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Upstream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
