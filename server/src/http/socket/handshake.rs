//! The first frame of a socket: `init` or `join`, within ten seconds, answered or refused with its close code.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{self, BadFrame, ClientBody, ClientFrame, FrameId, Init, Join, Visit};
use embedenv_shared::frame::{Joined, ServerFrame};
use embedenv_shared::id::Role;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::super::Doors;
use super::super::address::Peer;
use super::{CameFrom, Ending, GOING_DOWN, Socket, complaint};
use crate::room::Room;
use crate::room::members::{Arrival, Dialect, Seat, Welcome, check_guest};
use crate::room::outbox::Outbox;

/// How long a refusal may take to be sent.
const REFUSE: Duration = Duration::from_secs(5);

/// Shakes hands. When it comes to nothing, the client has been told why.
pub(super) async fn shake(
    doors: &Doors,
    space: &str,
    address: SocketAddr,
    from: &CameFrom,
    socket: &mut Socket,
) -> Result<Seat, Ending> {
    // What has begun with the first frame is not broken off: a credit may be taken already.
    let first = tokio::select! {
        first = timeout(doors.config.limits.handshake, first_frame(socket)) => first,
        () = doors.tasks.closing() => {
            close_with(socket, CloseCode::GoingDown, GOING_DOWN).await;
            return Err(Ending::Closing);
        }
    };
    let first = match first {
        Ok(First::Text(text)) => text,
        Ok(First::Gone) => return Err(Ending::Left),
        Ok(First::Unreadable(code, reason)) => {
            close_with(socket, code, reason).await;
            return Err(Ending::Unreadable);
        }
        Ok(First::Binary) => return Err(refuse(socket, None, &not_first(), None).await),
        Err(_) => {
            let failure = Failure::new(ErrorCode::HandshakeTimeout, "no init or join came in time");
            return Err(refuse(socket, None, &failure, Some(CloseCode::HandshakeTimeout)).await);
        }
    };
    let (id, body) = match command::parse(&first) {
        Ok(ClientFrame { id, body, .. }) => (id, body),
        Err(BadFrame { id, failure }) => return Err(refuse(socket, id, &failure, None).await),
    };
    let (presented, outcome) = match body {
        ClientBody::Init(init) => (init.public_key.clone(), open(doors, space, init, from, socket).await),
        ClientBody::Join(join) => (join.join.clone(), enter(doors, join, socket).await),
        ClientBody::Visit(visit) => {
            (visit.widget.clone(), self::visit(doors, visit, Peer::of(address.ip()), from, socket).await)
        }
        ClientBody::Command { .. } | ClientBody::Full(_) => return Err(refuse(socket, id, &not_first(), None).await),
    };
    match outcome {
        Ok(seat) => Ok(seat),
        Err(mut failure) => {
            let guess = matches!(failure.code, ErrorCode::BadCredentials | ErrorCode::UnknownJoinKey);
            if guess && doors.attempts.failed(address.ip(), &presented).is_limited() {
                failure = Failure::new(ErrorCode::TooManyAttempts, "too many failed attempts; wait a minute");
            }
            let code = match failure.code {
                ErrorCode::SandboxUnavailable => Some(CloseCode::SandboxUnavailable),
                code => CloseCode::after_handshake(code),
            };
            Err(refuse(socket, id, &failure, code).await)
        }
    }
}

enum First {
    Text(String),
    Binary,
    Unreadable(CloseCode, &'static str),
    Gone,
}

async fn first_frame(socket: &mut Socket) -> First {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return First::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(_))) => return First::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            // After a close, the next turn sends the answer to it and finds the end.
            Some(Ok(Message::Close(_))) => {}
            Some(Err(error)) => {
                return complaint(&error).map_or(First::Gone, |(code, reason)| First::Unreadable(code, reason));
            }
            None => return First::Gone,
        }
    }
}

async fn open(doors: &Doors, space: &str, init: Init, from: &CameFrom, socket: &mut Socket) -> Result<Seat, Failure> {
    // A name or colour that can't be used is refused before a credit is taken.
    check_guest(&init.guest)?;
    let origin = match from {
        CameFrom::Other(origin) => Some(origin.as_str()),
        CameFrom::Own | CameFrom::Nobody => None,
    };
    let opened = doors.registry.open(space, &init, origin).await?;
    let outbox = Arc::<Outbox>::default();
    let key = crate::ledger::OWNER_KEY;
    let dialect = Dialect::asked_by(&init.guest);
    let arrival = Arrival { role: Role::Owner, key, guest: init.guest, dialect, resume: None, outbox };
    let (seat, welcome) = opened.room.join(arrival)?;
    let owner = seat.member.is_full().then_some(opened.owner);
    let answer = ServerFrame::Init { join: opened.join, remaining_credits: opened.remaining_credits, owner };
    say(socket, &answer).await?;
    if seat.member.is_full() {
        say(socket, &joined(&opened.room, &seat, welcome).await).await?;
    }
    Ok(seat)
}

async fn enter(doors: &Doors, join: Join, socket: &mut Socket) -> Result<Seat, Failure> {
    let (room, role, key) = doors.registry.join(&join.join).await?;
    let dialect = Dialect::asked_by(&join.guest);
    let arrival = Arrival { role, key, guest: join.guest, dialect, resume: join.resume, outbox: Arc::default() };
    let (seat, welcome) = room.join(arrival)?;
    // Who comes back is here by the same use as before.
    if !welcome.resumed {
        doors.registry.came_by(&room, key).await?;
    }
    say(socket, &joined(&room, &seat, welcome).await).await?;
    Ok(seat)
}

/// Lets a visitor of a page that may show a widget into a room of their own.
async fn visit(doors: &Doors, visit: Visit, peer: Peer, from: &CameFrom, socket: &mut Socket) -> Result<Seat, Failure> {
    check_guest(&visit.guest)?;
    let widget = doors.registry.widget(&visit.widget).await?;
    // The server's own page shows a widget where its policy lets it be framed, and so on pages of listed origins alone.
    let is_allowed = match from {
        CameFrom::Own => true,
        CameFrom::Other(origin) => widget.allows(origin),
        CameFrom::Nobody => false,
    };
    if !is_allowed {
        let message = "this widget is not for pages of this site; its owner lists those it is for";
        return Err(Failure::new(ErrorCode::Forbidden, message));
    }
    let opened = doors.registry.open_by_widget(widget, peer.to_string()).await?;
    let key = crate::ledger::EDITOR_KEY;
    let dialect = Dialect::asked_by(&visit.guest);
    let arrival =
        Arrival { role: Role::Editor, key, guest: visit.guest, dialect, resume: None, outbox: Arc::default() };
    let (seat, welcome) = opened.room.join(arrival)?;
    say(socket, &ServerFrame::Visited { join: opened.join }).await?;
    say(socket, &joined(&opened.room, &seat, welcome).await).await?;
    Ok(seat)
}

async fn joined(room: &Arc<Room>, seat: &Seat, welcome: Welcome) -> ServerFrame {
    let member = &seat.member;
    let full = if member.is_full() { Some(room.welcome(member, welcome).await) } else { None };
    ServerFrame::Joined(Box::new(Joined {
        user: member.user.clone(),
        color: member.color.clone(),
        role: member.role,
        full,
    }))
}

async fn say(socket: &mut Socket, frame: &ServerFrame) -> Result<(), Failure> {
    let gone = |_| Failure::new(ErrorCode::Unavailable, "the connection is gone");
    socket.send(Message::text(frame.to_text())).await.map_err(gone)
}

fn not_first() -> Failure {
    Failure::new(ErrorCode::BadRequest, "the first frame must be init or join")
}

/// Tells the client why it was refused, and closes with the code if there is one, otherwise normally.
async fn refuse(socket: &mut Socket, id: Option<FrameId>, failure: &Failure, code: Option<CloseCode>) -> Ending {
    let error = ServerFrame::Error { code: failure.code, message: failure.message.clone(), id };
    let told = timeout(REFUSE, async {
        say(socket, &error).await?;
        let frame =
            CloseFrame { code: code.map_or(1008, |code| code as u16).into(), reason: failure.code.as_str().into() };
        let gone = |_| Failure::new(ErrorCode::Unavailable, "the connection is gone");
        socket.send(Message::Close(Some(frame))).await.map_err(gone)
    });
    // A client that does not take the refusal is gone anyway.
    let _ = told.await;
    Ending::Closing
}

pub(super) async fn close_with(socket: &mut Socket, code: CloseCode, reason: &str) {
    let frame = CloseFrame { code: (code as u16).into(), reason: reason.to_owned().into() };
    // A client that does not take it is gone anyway.
    let _ = timeout(REFUSE, socket.send(Message::Close(Some(frame)))).await;
}
