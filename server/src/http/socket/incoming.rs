//! What a member sends: one frame after the other, each carried out before the next is read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{self, BadFrame, ClientBody, ClientFrame, FrameId};
use embedenv_shared::frame::{BinaryFrame, ServerFrame};
use embedenv_shared::id::SessionId;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::super::Doors;
use super::commands::Answer;
use super::{Ending, Socket, commands, complaint, document, full};
use crate::policy::Capability;
use crate::room::document::Document;
use crate::room::members::{Dialect, Seat};
use crate::room::outbox::Outbox;

/// Frames and messages of documents that a member may send in each [`BUDGET_TIME`]; beyond that its socket is read more
/// slowly.
const BUDGET: usize = 500;
const BUDGET_TIME: Duration = Duration::from_millis(100);
/// Messages of one frame that are taken at once.
const PORTION: usize = 16;
/// A peer that says nothing for this long, pongs included, is gone.
const SILENCE: Duration = Duration::from_secs(40);

/// When the peer was heard last.
#[derive(Debug)]
pub(super) struct Heard(Mutex<Instant>);

impl Default for Heard {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Heard {
    fn now(&self) {
        *self.0.lock() = Instant::now();
    }

    /// Returns when the peer has been silent for too long.
    pub(super) async fn watch(&self) {
        loop {
            let deadline = *self.0.lock() + SILENCE;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// Carries out what the member sends, until the connection ends or `stop` is notified; a frame that was begun is finished.
pub(super) async fn carry(
    doors: &Doors,
    seat: &Seat,
    stream: &mut SplitStream<Socket>,
    heard: &Heard,
    stop: &Notify,
) -> Ending {
    let outbox = &seat.member.outbox;
    let mut budget = Budget::default();
    // Whatever the client says, it has heard what it was told when it joined.
    let mut is_confirmed = !seat.member.counts();
    loop {
        let message = tokio::select! {
            biased;
            () = stop.notified() => return Ending::Left,
            message = stream.next() => message,
        };
        let Some(message) = message else { return Ending::Left };
        heard.now();
        if !is_confirmed && message.is_ok() {
            is_confirmed = true;
            seat.room().identities.confirm(seat.member.who);
        }
        budget.spend(1).await;
        match message {
            Ok(Message::Text(_)) if seat.member.dialect == Dialect::Editor => {
                outbox.close(CloseCode::Refused, "this address takes binary messages");
                return Ending::Closing;
            }
            Ok(Message::Binary(bytes)) if seat.member.dialect == Dialect::Editor => {
                if let Err(failure) = document::take(seat, &bytes).await {
                    document::refuse(seat, &failure);
                }
            }
            Ok(Message::Text(text)) => {
                tokio::select! {
                    biased;
                    () = stop.notified() => return Ending::Left,
                    () = outbox.ready() => {}
                }
                text_frame(doors, seat, text.as_str()).await;
            }
            Ok(Message::Binary(bytes)) => {
                if let Err(failure) = binary_frame(seat, &mut budget, &bytes).await {
                    answer(outbox, None, Err(failure));
                }
            }
            // After a close, the next turn sends the answer to it and finds the end.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_)) => {}
            Err(error) => {
                let Some((code, reason)) = complaint(&error) else { return Ending::Left };
                outbox.close(code, reason);
                return Ending::Unreadable;
            }
        }
    }
}

async fn text_frame(doors: &Doors, seat: &Seat, text: &str) {
    let outbox = &seat.member.outbox;
    let (id, seq, body) = match command::parse(text) {
        Ok(ClientFrame { id, seq, body }) => (id, seq, body),
        Err(BadFrame { id, failure }) => return answer(outbox, id, Err(failure)),
    };
    let mut _turn = None;
    if let Some(seq) = seq {
        _turn = Some(seat.member.turn.lock().await);
        if let Err(failure) = begin(seat, seq) {
            return answer(outbox, id, Err(failure));
        }
    }
    let role = seat.member.role;
    let reply = match body {
        ClientBody::Command { project, command } => match Capability::of_command(&command).check(role) {
            Ok(()) => commands::carry_out(seat, id.clone(), project, command).await,
            Err(failure) => Err(failure),
        },
        ClientBody::Full(request) if seat.member.is_full() => match Capability::of_request(&request).check(role) {
            Ok(()) => full::carry_out(doors, seat, id.clone(), request).await,
            Err(failure) => Err(failure),
        },
        ClientBody::Full(_) => {
            Err(Failure::new(ErrorCode::UnknownType, "this frame needs \"protocol\": 2 in init or join"))
        }
        ClientBody::Init(_) | ClientBody::Join(_) => {
            Err(Failure::new(ErrorCode::BadRequest, "this connection has shaken hands already"))
        }
    };
    answer(outbox, id, reply);
}

async fn binary_frame(seat: &Seat, budget: &mut Budget, bytes: &[u8]) -> Result<(), Failure> {
    if !seat.member.is_full() {
        return Err(Failure::new(ErrorCode::BadRequest, "binary frames need \"protocol\": 2 in init or join"));
    }
    let bad = |_| Failure::new(ErrorCode::BadRequest, "not a binary frame of this protocol");
    match BinaryFrame::decode(bytes).map_err(bad)? {
        BinaryFrame::Input { terminal, bytes } => input(seat, terminal, bytes).await,
        BinaryFrame::NumberedInput { terminal, seq, bytes } => {
            let _turn = seat.member.turn.lock().await;
            match begin(seat, seq) {
                Ok(()) => input(seat, terminal, bytes).await,
                // Nobody asked, and it was typed.
                Err(failure) if failure.code == ErrorCode::AlreadyDone => Ok(()),
                Err(failure) => Err(failure),
            }
        }
        BinaryFrame::Document { document, message } => {
            // Replies wait in the outbox; a client that asks without reading is not read either.
            seat.member.outbox.ready().await;
            let messages = Document::messages(message)?;
            for portion in messages.chunks(PORTION) {
                seat.room().documents.receive(seat.room(), &seat.member, document, portion)?;
                budget.spend(portion.len()).await;
                // Others have documents, too.
                yield_now().await;
            }
            Ok(())
        }
        BinaryFrame::Piece { upload, offset, bytes } => {
            Capability::Work.check(seat.member.role)?;
            let outbox = &seat.member.outbox;
            outbox.ready().await;
            match seat.room().take_piece(&seat.member, upload, offset, bytes).await {
                Some(Ok(offset)) => outbox.send(&ServerFrame::UploadStands { id: None, upload, offset }),
                Some(Err(Failure { code, message })) => {
                    outbox.send(&ServerFrame::UploadFailed { upload, code, message });
                }
                // It was under way when the upload failed, of which the client was told.
                None => {}
            }
            Ok(())
        }
        BinaryFrame::Output { .. } | BinaryFrame::Snapshot { .. } => {
            Err(Failure::new(ErrorCode::BadRequest, "only the server sends this frame"))
        }
    }
}

async fn input(seat: &Seat, terminal: SessionId, bytes: &[u8]) -> Result<(), Failure> {
    Capability::Work.check(seat.member.role)?;
    seat.room().type_into(&seat.member, terminal, bytes).await
}

/// Counts a command that the client has numbered, before it is carried out.
fn begin(seat: &Seat, seq: u64) -> Result<(), Failure> {
    if !seat.member.counts() {
        return Err(Failure::new(ErrorCode::BadRequest, "seq needs an instance in init or join"));
    }
    if !seat.room().identities.begin(seat.member.who, seq) {
        return Err(Failure::new(ErrorCode::AlreadyDone, format!("number {seq} was carried out before")));
    }
    seat.member.executed.store(seq, Ordering::Release);
    seat.member.outbox.nudge();
    Ok(())
}

/// Puts a reply or an error into the outbox.
fn answer(outbox: &Arc<Outbox>, id: Option<FrameId>, reply: Result<Answer, Failure>) {
    match reply {
        Ok(Answer::With(frame)) => outbox.send(&frame),
        Ok(Answer::Quietly) if id.is_some() => outbox.send(&ServerFrame::done(id)),
        Ok(Answer::Quietly | Answer::Elsewhere) => {}
        Err(Failure { code, message }) => outbox.send(&ServerFrame::Error { code, message, id }),
    }
}

#[derive(Debug)]
struct Budget {
    since: Instant,
    spent: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { since: Instant::now(), spent: 0 }
    }
}

impl Budget {
    /// Counts what was sent, and waits when the budget is used up.
    async fn spend(&mut self, sent: usize) {
        self.spent += sent;
        if self.spent < BUDGET {
            return;
        }
        sleep(BUDGET_TIME.saturating_sub(self.since.elapsed())).await;
        *self = Self::default();
    }
}
