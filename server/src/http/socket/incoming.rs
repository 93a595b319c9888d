//! What a member sends: one frame after the other, each carried out before the next is read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{self, BadFrame, ClientBody, ClientFrame, FrameId};
use embedenv_shared::frame::{BinaryFrame, ServerFrame};
use embedenv_shared::id::SessionId;
use embedenv_shared::link::transfer::MAX_PIECE;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::super::Doors;
use super::commands::Answer;
use super::pulse::Pulse;
use super::{Ending, Socket, commands, complaint, document, full};
use crate::link::Link;
use crate::policy::Capability;
use crate::room::document::Document;
use crate::room::members::{Dialect, Seat};
use crate::room::outbox::Outbox;

/// Frames and messages of documents that a member may send in each [`BUDGET_TIME`]; beyond that its socket is read more
/// slowly.
const BUDGET: usize = 500;
const BUDGET_TIME: Duration = Duration::from_millis(100);
/// What a message of a document costs of that budget which asks for all that its client lacks: that is encoded anew each
/// time, up to the whole document.
const STEP_1: usize = 25;
/// Bytes that a member may send in a second; beyond that its socket is read more slowly, and it is told. The pieces of
/// uploads are not counted: each waits for the one before to be in its file.
const BYTES: usize = 32 * 1024 * 1024;
/// Messages of one frame that are taken at once.
const PORTION: usize = 16;
/// A peer that says nothing for this long, pongs included, is gone.
const SILENCE: Duration = Duration::from_secs(40);

/// Since when the peer is listened to and has said nothing; `None` while what it said is carried out, since nobody
/// listens then.
#[derive(Debug)]
pub(super) struct Heard {
    silence: Duration,
    since: Mutex<Option<Instant>>,
    listens: Notify,
}

impl Default for Heard {
    fn default() -> Self {
        Self::with(SILENCE)
    }
}

impl Heard {
    fn with(silence: Duration) -> Self {
        Self { silence, since: Mutex::new(Some(Instant::now())), listens: Notify::new() }
    }

    fn listen(&self) {
        *self.since.lock() = Some(Instant::now());
        self.listens.notify_one();
    }

    /// Whether what the peer says waits behind something that it said.
    pub(super) fn is_carrying_out(&self) -> bool {
        self.since.lock().is_none()
    }

    fn carry_out(&self) {
        *self.since.lock() = None;
    }

    /// Returns when the peer has been silent for too long, and has taken nothing either of what waits for it.
    pub(super) async fn watch(&self, pulse: &Pulse) {
        loop {
            let since = *self.since.lock();
            let Some(since) = since else {
                self.listens.notified().await;
                continue;
            };
            let deadline = since.max(pulse.made_room()) + self.silence;
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
        heard.listen();
        let message = tokio::select! {
            biased;
            () = stop.notified() => return Ending::Left,
            message = stream.next() => message,
        };
        let Some(message) = message else { return Ending::Left };
        heard.carry_out();
        if !is_confirmed && message.is_ok() {
            is_confirmed = true;
            seat.room().identities.confirm(seat.member.who);
        }
        let is_too_much = match &message {
            Ok(Message::Binary(bytes)) => {
                budget.spend(if seat.member.dialect == Dialect::Editor { cost(bytes) } else { 1 }).await;
                budget.receive(if is_piece(bytes) { 0 } else { bytes.len() })
            }
            Ok(Message::Text(text)) => {
                budget.spend(1).await;
                budget.receive(text.len())
            }
            _ => {
                budget.spend(1).await;
                None
            }
        };
        if let Some(Excess { pause, is_first }) = is_too_much {
            if is_first && seat.member.is_full() {
                answer(outbox, None, Err(too_fast()));
            }
            tokio::select! {
                biased;
                () = stop.notified() => return Ending::Left,
                () = sleep(pause) => {}
            }
        }
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
                    may_go_on = outbox.ready() => if !may_go_on { return Ending::Left },
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
        _turn = Some(seat.member.turn().await);
        if outbox.is_cut() {
            return;
        }
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
        ClientBody::Init(_) | ClientBody::Join(_) | ClientBody::Visit(_) => {
            Err(Failure::new(ErrorCode::BadRequest, "this connection has shaken hands already"))
        }
    };
    if seq.is_some() {
        seat.room().identities.end(seat.member.who);
    }
    answer(outbox, id, reply);
}

async fn binary_frame(seat: &Seat, budget: &mut Budget, bytes: &[u8]) -> Result<(), Failure> {
    if !seat.member.is_full() {
        return Err(Failure::new(ErrorCode::BadRequest, "binary frames need \"protocol\": 2 in init or join"));
    }
    let bad = |_| Failure::new(ErrorCode::BadRequest, "not a binary frame of this protocol");
    match BinaryFrame::decode(bytes).map_err(bad)? {
        BinaryFrame::Input { terminal, bytes } => input(seat, terminal, bytes).await.map(drop),
        BinaryFrame::NumberedInput { terminal, seq, bytes } => {
            let mut turn = seat.member.turn().await;
            if seat.member.outbox.is_cut() {
                return Ok(());
            }
            match begin(seat, seq) {
                Ok(()) => {
                    let typed = input(seat, terminal, bytes).await;
                    seat.room().identities.end(seat.member.who);
                    *turn = typed?.and_then(|link| link.handing_over());
                    Ok(())
                }
                // Nobody asked, and it was typed.
                Err(failure) if failure.code == ErrorCode::AlreadyDone => Ok(()),
                Err(failure) => Err(failure),
            }
        }
        BinaryFrame::Document { document, message } => {
            // Replies wait in the outbox; a client that asks without reading is not read either.
            let messages = Document::messages(message)?;
            for portion in portions(&messages) {
                if !seat.member.outbox.ready().await {
                    return Ok(());
                }
                seat.room().documents.receive(seat.room(), &seat.member, document, portion)?;
                budget.spend(portion.iter().map(|message| cost(message)).sum()).await;
                // Others have documents, too.
                yield_now().await;
            }
            Ok(())
        }
        BinaryFrame::Piece { upload, offset, bytes } => {
            Capability::Work.check(seat.member.role)?;
            let outbox = &seat.member.outbox;
            if !outbox.ready().await {
                return Ok(());
            }
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

async fn input(seat: &Seat, terminal: SessionId, bytes: &[u8]) -> Result<Option<Arc<Link>>, Failure> {
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

/// What one message of a document costs of the budget.
fn cost(message: &[u8]) -> usize {
    if Document::is_step_1(message) { STEP_1 } else { 1 }
}

/// Whether a frame is a piece of an upload.
fn is_piece(frame: &[u8]) -> bool {
    matches!(BinaryFrame::decode(frame), Ok(BinaryFrame::Piece { bytes, .. }) if bytes.len() <= MAX_PIECE)
}

/// Messages that are taken at once, in their order: a few, or one that asks for much.
fn portions<'a>(messages: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [&'a [u8]]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let cheap = rest.iter().take(PORTION).take_while(|message| !Document::is_step_1(message)).count();
        let (portion, after) = rest.split_at(cheap.max(1).min(rest.len()));
        rest = after;
        (!portion.is_empty()).then_some(portion)
    })
}

fn too_fast() -> Failure {
    let most = BYTES / (1024 * 1024);
    let message = format!("this connection sends more than {most} MiB in a second, and is read more slowly");
    Failure::new(ErrorCode::LimitReached, message)
}

#[derive(Debug)]
struct Budget {
    since: Instant,
    spent: usize,
    /// Bytes of which the second in which they may be sent has not passed yet, as of `counted`.
    bytes: usize,
    counted: Instant,
    /// It was told that it sends too much, and has not let up since.
    is_told: bool,
}

/// More was sent than may be.
#[derive(Debug, PartialEq, Eq)]
struct Excess {
    pause: Duration,
    is_first: bool,
}

impl Default for Budget {
    fn default() -> Self {
        let now = Instant::now();
        Self { since: now, spent: 0, bytes: 0, counted: now, is_told: false }
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
        (self.since, self.spent) = (Instant::now(), 0);
    }

    /// Counts bytes that were sent.
    fn receive(&mut self, bytes: usize) -> Option<Excess> {
        self.receive_at(bytes, Instant::now())
    }

    fn receive_at(&mut self, bytes: usize, now: Instant) -> Option<Excess> {
        let passed = now.duration_since(self.counted).as_secs_f64() * BYTES as f64;
        self.counted = now;
        self.bytes = self.bytes.saturating_sub(passed as usize);
        if self.bytes == 0 {
            self.is_told = false;
        }
        self.bytes += bytes;
        let excess = self.bytes.checked_sub(BYTES).filter(|excess| *excess > 0)?;
        let pause = Duration::from_secs_f64(excess as f64 / BYTES as f64);
        Some(Excess { pause, is_first: !std::mem::replace(&mut self.is_told, true) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn nobody_is_taken_for_silent_while_what_they_said_is_carried_out() {
        let (heard, pulse) = (Heard::with(SHORT), Pulse::new(SHORT));
        heard.carry_out();
        assert!(heard.is_carrying_out());
        let watching = heard.watch(&pulse);
        tokio::pin!(watching);
        // The one wait that proves an absence.
        assert!(tokio::time::timeout(4 * SHORT, &mut watching).await.is_err());
        let listened = Instant::now();
        heard.listen();
        watching.await;
        assert!(listened.elapsed() >= SHORT);
    }

    #[test]
    fn who_sends_more_bytes_than_may_be_is_told_once_and_read_more_slowly() {
        let mut budget = Budget::default();
        let start = budget.counted;
        let after = |seconds: f64| start + Duration::from_secs_f64(seconds);
        assert_eq!(budget.receive_at(BYTES, after(0.0)), None);
        let pause = Duration::from_millis(500);
        assert_eq!(budget.receive_at(BYTES / 2, after(0.0)), Some(Excess { pause, is_first: true }));
        assert_eq!(budget.receive_at(BYTES / 2, after(0.5)), Some(Excess { pause, is_first: false }));
        assert_eq!(budget.receive_at(BYTES, after(9.0)), None);
        assert!(budget.receive_at(BYTES / 2, after(9.0)).is_some_and(|excess| excess.is_first));
    }

    #[test]
    fn what_asks_for_much_is_taken_by_itself() {
        let (step_1, update): (&[u8], &[u8]) = (&[0, 0, 1, 0], &[0, 2, 0]);
        let messages: Vec<&[u8]> = [vec![update; 17], vec![step_1; 2], vec![update]].concat();
        let lengths: Vec<usize> = portions(&messages).map(<[_]>::len).collect();
        assert_eq!(lengths, [16, 1, 1, 1, 1]);
        assert_eq!(portions(&[]).count(), 0);
    }
}
