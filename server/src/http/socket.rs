//! One WebSocket: upgraded by hand, so that the stream under it is ours until its very end, shaken hands with, and then
//! carried by two futures of one task.
//!
//! ```text
//! connection ─┬─ incoming: reads a frame, has the room carry it out, reads the next
//!             ├─ outgoing: sends what waits in the outbox, then pulls what the sessions have
//!             └─ watchdog: notices a peer that neither says nor takes anything
//! ```
//!
//! `incoming` waits for the sandbox, and then simply reads no more; `outgoing` never does. This module only translates:
//! what a frame does to a room is the room's.

mod commands;
pub(super) mod document;
mod full;
mod handshake;
mod incoming;
mod outgoing;
mod pulse;
mod writer;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{
    CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use futures_util::StreamExt as _;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, tungstenite};

use super::Doors;
use super::problem::Problem;
use crate::room::members::Seat;
use pulse::{Pulse, Watched};
use writer::Writer;

/// Bytes read from a socket at once.
const READ_BUFFER: usize = 16 * 1024;
/// Bytes gathered before they are written; terminals send their own large frames.
const WRITE_BUFFER: usize = 0;
/// Bytes that may wait in one socket's own buffer; the outbox and the sessions hold the rest.
const MAX_WRITE_BUFFER: usize = 20 * 1024 * 1024;
/// Why sockets are closed with 1012.
const GOING_DOWN: &str = "the server is going down";
/// After a close that the peer should see, its input is discarded for this long at most.
const LINGER: Duration = Duration::from_secs(5);

/// A socket that takes nothing for this long is given up.
const STALL: Duration = Duration::from_secs(8);
/// Who is sent away has this long to take the close; what waited before it is dropped.
const SENT_AWAY: Duration = Duration::from_secs(1);

/// The page that a connection comes from. Browsers say it and no page can forge it; other programs say what they like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CameFrom {
    /// One of this server's own.
    Own,
    /// One of this origin.
    Other(String),
    /// It does not say.
    Nobody,
}

impl CameFrom {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let Some(origin) = text(ORIGIN) else { return Self::Nobody };
        let is_own = origin
            .split_once("://")
            .is_some_and(|(_, of)| text(HOST).is_some_and(|host| of.eq_ignore_ascii_case(host)));
        if is_own { Self::Own } else { Self::Other(origin.to_owned()) }
    }
}

type Stream = Watched<TokioIo<Upgraded>>;
type Socket = WebSocketStream<Stream>;

/// `GET /ws/spaces/{space}/`
pub(super) async fn upgrade(
    State(doors): State<Doors>,
    Path(space): Path<String>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    if !doors.registry.has_space(&space) {
        return Err(Failure::new(ErrorCode::UnknownSpace, "there is no space of that name on this server").into());
    }
    let from = CameFrom::of(request.headers());
    switch(doors, request, move |doors, upgraded| serve(doors, space, address, from, upgraded))
}

/// Answers a request to upgrade, and has the stream served once it is there.
fn switch<F: Future<Output = ()> + Send + 'static>(
    doors: Doors,
    request: Request<Body>,
    serve: impl FnOnce(Doors, Upgraded) -> F + Send + 'static,
) -> Result<Response<Body>, Problem> {
    let accept = accept_key(request.headers())
        .ok_or_else(|| Failure::new(ErrorCode::BadRequest, "this address takes WebSocket connections (RFC 6455)"))?;
    let upgraded = hyper::upgrade::on(request);
    let tasks = doors.tasks.clone();
    tasks.spawn("socket", async move {
        match upgraded.await {
            Ok(upgraded) => serve(doors, upgraded).await,
            Err(error) => tracing::debug!(%error, "an upgrade was not finished"),
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let says = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !says(CONNECTION, "upgrade") || !says(UPGRADE, "websocket") || !says(SEC_WEBSOCKET_VERSION, "13") {
        return None;
    }
    let key = headers.get(SEC_WEBSOCKET_KEY)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

async fn serve(doors: Doors, space: String, address: SocketAddr, from: CameFrom, upgraded: Upgraded) {
    let mut socket = socket(&doors, upgraded).await;
    let (socket, ending) = match handshake::shake(&doors, &space, address, &from, &mut socket).await {
        Ok(seat) => converse(&doors, socket, seat).await,
        Err(ending) => (socket, ending),
    };
    linger(socket, ending).await;
}

async fn socket(doors: &Doors, upgraded: Upgraded) -> Socket {
    let max_message = doors.config.limits.max_message;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    let stream = Watched::new(TokioIo::new(upgraded), Pulse::new(STALL));
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The peer said goodbye, or is gone.
    Left,
    /// The server closes, and the peer has not answered yet.
    Closing,
    /// The server closes, and what the peer goes on sending can't be read as messages.
    Unreadable,
}

/// What is said to a peer whose messages can't be read any more; `None` if there is nobody to say it to.
fn complaint(error: &tungstenite::Error) -> Option<(CloseCode, &'static str)> {
    match error {
        tungstenite::Error::Capacity(_) => Some((CloseCode::TooBig, "the message is too long")),
        tungstenite::Error::Utf8(_) => Some((CloseCode::NotText, "a text message must be UTF-8")),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) => Some((CloseCode::Protocol, "that is not the WebSocket protocol")),
        _ => None,
    }
}

/// Carries a member's connection until either side ends it.
async fn converse(doors: &Doors, socket: Socket, seat: Seat) -> (Socket, Ending) {
    let pulse = socket.get_ref().pulse().clone();
    let (mut sink, mut stream) = socket.split();
    let ending = 'carried: {
        let heard = incoming::Heard::default();
        let mut writer = Writer::new(&mut sink, pulse.clone());
        let stop = Notify::new();
        let incoming = incoming::carry(doors, &seat, &mut stream, &heard, &stop);
        let outgoing = outgoing::carry(&seat, &mut writer, &heard);
        let watchdog = heard.watch(&pulse);
        tokio::pin!(incoming, outgoing, watchdog);
        let ending = tokio::select! {
            // First of all: nothing that waits to be read is begun any more.
            biased;
            () = seat.member.outbox.cut_off() => match timeout(SENT_AWAY, outgoing).await {
                Ok(()) => Ending::Closing,
                Err(_) => Ending::Left,
            },
            () = &mut outgoing => Ending::Closing,
            () = &mut watchdog => Ending::Left,
            () = doors.tasks.closing() => {
                // Who came while the others were sent away.
                seat.member.outbox.close(CloseCode::GoingDown, GOING_DOWN);
                let _ = timeout(LINGER, outgoing).await;
                Ending::Closing
            }
            ending = &mut incoming => {
                if ending != Ending::Left {
                    // What is still to be said, the close code above all, is said before the end.
                    let _ = timeout(LINGER, outgoing).await;
                }
                break 'carried ending;
            }
        };
        // A frame that is being carried out is carried out to its end, whoever is gone: nothing stays half done.
        stop.notify_one();
        incoming.await;
        ending
    };
    drop(seat);
    (stream.reunite(sink).expect("both halves are of one socket"), ending)
}

/// Waits for the peer's answer to a close, and discards what it sent before, so that the close code reaches it and is not
/// overtaken by a reset.
async fn linger(mut socket: Socket, ending: Ending) {
    let answered = async {
        match ending {
            Ending::Left => {}
            Ending::Closing => while socket.next().await.is_some_and(|message| message.is_ok()) {},
            Ending::Unreadable => {
                let mut raw = socket.into_inner();
                let mut discarded = [0; 4096];
                while raw.read(&mut discarded).await.is_ok_and(|n| n > 0) {}
            }
        }
    };
    let _ = timeout(LINGER, answered).await;
}
