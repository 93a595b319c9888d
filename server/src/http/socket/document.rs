//! `/ws/docs/{project}/{path}`: one document, in the protocol of y-websocket. Each message is a WebSocket message of its
//! own, and nothing else is sent: what is wrong is told by a close code. The token in the query never reaches a log.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{Request, Response};
use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::Guest;
use embedenv_shared::frame::DOCUMENT_HEADER;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::outgoing::Sink;
use super::writer::Ended;
use super::*;
use crate::http::Doors;
use crate::room::document::Document;
use crate::room::documents::Outgoing;
use crate::room::members::{Arrival, Dialect, Place, Seat};

#[derive(Deserialize)]
pub(in crate::http) struct Ticket {
    token: Option<String>,
    epoch: Option<u64>,
}

/// Everything that an editor presents of itself.
struct Presented {
    token: String,
    epoch: u64,
    project: ProjectName,
    path: WorkspacePath,
}

pub(in crate::http) async fn upgrade(
    State(doors): State<Doors>,
    Path((project, path)): Path<(String, String)>,
    Query(Ticket { token, epoch }): Query<Ticket>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let bad = |message: &str| Failure::new(ErrorCode::BadRequest, message);
    let presented = Presented {
        token: token.ok_or_else(|| bad("this address needs a token (see document-token)"))?,
        epoch: epoch.ok_or_else(|| bad("this address needs the document's epoch (see document-token)"))?,
        project: ProjectName::parse(&project).map_err(Failure::from)?,
        path: WorkspacePath::parse(&path).map_err(Failure::from)?,
    };
    switch(doors, request, move |doors, upgraded| serve(doors, presented, address, upgraded))
}

async fn serve(doors: Doors, presented: Presented, address: SocketAddr, upgraded: Upgraded) {
    let mut socket = socket(&doors, upgraded).await;
    let (socket, ending) = match enter(&doors, &presented, address).await {
        Ok(seat) => converse(&doors, socket, seat).await,
        Err((code, failure)) => {
            handshake::close_with(&mut socket, code, &failure.message).await;
            (socket, Ending::Closing)
        }
    };
    linger(socket, ending).await;
}

/// Gives the editor a seat with its document open.
async fn enter(doors: &Doors, presented: &Presented, address: SocketAddr) -> Result<Seat, (CloseCode, Failure)> {
    let Presented { token, epoch, project, path } = presented;
    let refused = |failure: Failure| (close_code(failure.code), failure);
    let (room, pass) = doors.registry.enter_document(token, project, path).await.map_err(|failure| {
        let guess = failure.code == ErrorCode::UnknownJoinKey;
        if guess && doors.attempts.failed(address.ip(), token).is_limited() {
            let failure = Failure::new(ErrorCode::TooManyAttempts, "too many failed attempts; wait a minute");
            return (CloseCode::TooManyAttempts, failure);
        }
        refused(failure)
    })?;
    let guest = Guest { user: Some(pass.user), color: Some(pass.color), ..Guest::default() };
    let dialect = Dialect::Editor;
    let arrival = Arrival { role: pass.role, key: pass.key, guest, dialect, resume: None, outbox: Arc::default() };
    let (seat, _) = room.join(arrival).map_err(refused)?;
    seat.member.set_place(Place { project: Some(project.clone()), path: Some(path.clone()), idle: false });
    room.documents.open_for_editor(&room, &seat.member, project, path, *epoch).await.map_err(refused)?;
    Ok(seat)
}

/// The code with which a connection is closed that can't be shown an error.
fn close_code(code: ErrorCode) -> CloseCode {
    match code {
        ErrorCode::Conflict => CloseCode::DocumentClosed,
        ErrorCode::UnknownJoinKey => CloseCode::UnknownJoinKey,
        ErrorCode::Unavailable => CloseCode::GoingDown,
        ErrorCode::SandboxUnavailable => CloseCode::SandboxUnavailable,
        _ => CloseCode::Refused,
    }
}

/// Takes one WebSocket message, which is one message of the protocol.
pub(super) async fn take(seat: &Seat, bytes: &[u8]) -> Result<(), Failure> {
    let held = seat.member.editing().into_iter().next();
    let Some(held) = held else { return Ok(()) };
    if !seat.member.outbox.ready().await {
        return Ok(());
    }
    if Document::messages(bytes)?.len() > 1 {
        return Err(Failure::new(ErrorCode::BadRequest, "one WebSocket message is one message of the protocol"));
    }
    seat.room().documents.receive(seat.room(), &seat.member, held.id, &[bytes])
}

/// Ends the connection of an editor whose message was refused, since it could not be told otherwise. What can be sent
/// again goes on.
pub(super) fn refuse(seat: &Seat, failure: &Failure) {
    if failure.code != ErrorCode::Unavailable {
        seat.member.outbox.close(close_code(failure.code), &failure.message);
    }
}

/// Sends what waits in the document, each message for itself.
pub(super) async fn pump(seat: &Seat, sink: &mut Sink<'_>) -> Result<bool, Ended> {
    let mut goes_on = false;
    for held in seat.member.editing() {
        let Outgoing { messages, more, .. } = held.pull(seat.member.id);
        for frame in messages {
            let frame = Bytes::from(frame);
            let mut at = DOCUMENT_HEADER;
            for message in Document::messages(&frame[DOCUMENT_HEADER..]).unwrap_or_default() {
                let one = Message::binary(frame.slice(at..at + message.len()));
                at += message.len();
                sink.feed(one).await?;
            }
        }
        goes_on |= more;
    }
    sink.flush().await?;
    Ok(goes_on)
}

/// Sends a reply, which was made as a frame of full clients.
pub(super) async fn reply(sink: &mut Sink<'_>, frame: Vec<u8>) -> Result<(), Ended> {
    let frame = Bytes::from(frame);
    sink.send(Message::binary(frame.slice(DOCUMENT_HEADER..))).await
}
