//! The accept loop: connections are counted, timed and served here, and nowhere else.
//!
//! A peer that is silent, or half silent, costs a socket and is given up soon. Over the limits, the connection that has
//! waited longest without a request makes room; where none waits, what is over gets one answer: `/healthz`, or 503 for
//! the rest. Where there is a certificate, TLS stands between the connection and what is served; who speaks plain HTTP
//! there is told so and gets nothing else. Knows nothing about what is served.
//!
//! ```text
//! accept ── connection (one task each) ──upgrade──> the route's own task, which holds the connection from then on
//! ```

mod gate;
mod stream;
pub mod tls;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use embedenv_shared::code::ErrorCode;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use super::host::ReceivedAt;
use super::problem::Problem;
use crate::tasks::Tasks;
use gate::{Gate, Lane, Ticket};
use socket2::SockRef;
use stream::{Answering, Connection};
use tls::Tls;

/// The one address that is served when the server is full.
const HEALTH: &str = "/healthz";
/// Bytes that wait in the kernel for a peer which takes them slowly. With more of them a write would go on in leaps that
/// are far apart, and a slow peer could not be told from one that takes nothing; what comes last would also wait longer.
const UNSENT: u32 = 128 * 1024;
/// When the machine has no more descriptors or memory for a connection, the next is accepted after this pause.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// What one server takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptBounds {
    /// A connection that sends nothing for this long after it was made is closed.
    pub first_byte: Duration,
    /// A request's head must be here within this time; a connection idle for this long after a response is closed.
    pub header: Duration,
    /// A peer that takes nothing of what is sent for this long is closed.
    pub stall: Duration,
    /// The longest head of a request, in bytes; beyond it 431.
    pub head_bytes: usize,
    /// The most header fields of a request; beyond it 431.
    pub head_fields: usize,
    /// Connections at once, upgraded ones included.
    pub total: usize,
    /// Connections at once from one address (IPv6: one /64).
    pub per_address: usize,
    /// Connections beyond those, which get `/healthz` once, or 503; the oldest of these makes room for the next.
    pub reserve: usize,
}

impl Default for AcceptBounds {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            head_fields: 100,
            total: 4096,
            // A reverse proxy, or a class behind one router, is one address.
            per_address: 1024,
            reserve: 64,
        }
    }
}

/// Accepts and serves until the server goes down; then connections finish the request they are at.
///
/// Handlers find `ConnectInfo<SocketAddr>` (the peer) and [`ReceivedAt`] among the request's extensions.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<Tls>, bounds: AcceptBounds, tasks: Tasks) {
    let gate = Gate::new(&bounds);
    let server = Arc::new(Server { router, tls, bounds, tasks: tasks.clone() });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = tasks.closing() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(ticket) = gate.admit(peer.ip()) {
                    tasks.spawn("connection", server.clone().carry(stream, peer, ticket));
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted now");
                gate.evict_oldest();
                sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

/// The peer was gone before it was accepted: nothing is wrong here.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Whose requests are served.
#[derive(Debug, Clone, Copy)]
struct Caller {
    peer: SocketAddr,
    received_at: SocketAddr,
    /// It speaks plain HTTP where TLS is spoken.
    is_plain: bool,
}

struct Server {
    router: Router,
    tls: Option<Tls>,
    bounds: AcceptBounds,
    tasks: Tasks,
}

impl Server {
    /// Serves one connection to its end, or to its upgrade.
    async fn carry(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, ticket: Arc<Ticket>) {
        // Refused by no kernel that matters; without it, it is slower and still right.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let Ok(received_at) = stream.local_addr() else { return };
        // Until it says something, a connection costs no more than this.
        let mut first = [0];
        tokio::select! {
            heard = timeout(self.bounds.first_byte, stream.peek(&mut first)) => {
                if !matches!(heard, Ok(Ok(1))) {
                    return;
                }
            }
            () = ticket.evicted() => return,
            () = self.tasks.closing() => return,
        }
        let is_tls = Tls::is_begun_by(first[0]);
        let from = Caller { peer, received_at, is_plain: self.tls.is_some() && !is_tls };
        let stream = Connection::new(stream, self.bounds.stall, ticket.clone());
        let Some(tls) = self.tls.clone().filter(|_| is_tls) else { return self.speak(stream, from, ticket).await };
        let shaken = tokio::select! {
            shaken = timeout(self.bounds.header, tls.accept(stream)) => shaken,
            () = ticket.evicted() => return,
            () = self.tasks.closing() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.speak(stream, from, ticket).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => {}
        }
    }

    /// Speaks HTTP on a connection to its end, or to its upgrade.
    async fn speak<S>(self: Arc<Self>, stream: S, from: Caller, ticket: Arc<Ticket>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from.peer));
            request.extensions_mut().insert(ReceivedAt(from.received_at));
            let (server, ticket) = (self.clone(), ticket.clone());
            async move {
                if from.is_plain {
                    let message = "HTTPS is spoken here; the address begins with https://";
                    return Ok(Problem::new(ErrorCode::BadRequest, message).into_response());
                }
                Ok::<_, Infallible>(server.answer(request, ticket).await)
            }
        });
        let io = TokioIo::new(stream);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.header)
            .max_header_size(self.bounds.head_bytes)
            .max_headers(self.bounds.head_fields)
            .keep_alive(ticket.lane() == Lane::Served && !from.is_plain)
            .serve_connection(io, service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = ticket.evicted() => return,
            () = self.tasks.closing() => {
                if ticket.is_waiting() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>, ticket: Arc<Ticket>) -> Response<Body> {
        let answering = Answering::new(ticket.clone());
        let mut response = if ticket.lane() == Lane::Served || request.uri().path() == HEALTH {
            let answer = self.router.clone().oneshot(request.map(Body::new));
            match AssertUnwindSafe(answer).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(panic) => {
                    let said = panic.downcast_ref::<&str>().copied();
                    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                    Problem::logged(said.unwrap_or("a panic that said nothing")).into_response()
                }
            }
        } else {
            Problem::new(ErrorCode::Unavailable, "the server has as many connections as it can serve").into_response()
        };
        if ticket.lane() == Lane::Reserve {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            // From now on it is the route's, and is never asked to make room.
            answering.for_good();
            return response;
        }
        response.map(|body| Body::new(answering.until_the_end_of(body)))
    }
}

#[cfg(test)]
mod tests;
