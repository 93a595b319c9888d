//! What a member is sent: the outbox first, then what its sessions and its documents have, each in its turn.
//!
//! Output is pulled at this member's own cursors, and pulled only when the socket has taken what came before, so a
//! slow peer holds up nobody.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedenv_shared::code::CloseCode;
use embedenv_shared::frame::{BinaryFrame, OUTPUT_HEADER, ServerFrame};
use embedenv_shared::id::SessionId;
use embedenv_shared::link::MAX_CHUNK;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::incoming::Heard;
use super::writer::{Ended, Writer};
use super::{Stream, document};
use crate::room::documents::Outgoing;
use crate::room::members::{Dialect, Seat};
use crate::room::outbox;
use crate::room::plain::PlainRenderer;
use crate::room::session::{Pulled, Session};

/// A client is told this much later which of its commands were carried out, with those that were meanwhile.
const EXECUTED: Duration = Duration::from_millis(200);
/// An unfinished line goes to plain clients after output has paused for this long.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) type Sink<'a> = Writer<'a, Stream>;

/// Sends what there is to send, until the connection ends.
pub(super) async fn carry(seat: &Seat, sink: &mut Sink<'_>, heard: &Heard) {
    let wake = seat.member.outbox.wake();
    let mut plain = HashMap::new();
    let mut told = HashSet::new();
    let mut executed = Executed::default();
    loop {
        let sent = async {
            while let Some(message) = seat.member.outbox.take() {
                match message {
                    outbox::Message::Binary(frame) if seat.member.dialect == Dialect::Editor => {
                        document::reply(sink, frame).await?;
                    }
                    message => send_message(sink, message).await?,
                }
            }
            match seat.member.dialect {
                Dialect::Plain => pump_plain(seat, sink, &mut plain).await,
                Dialect::Full => {
                    let next = pump_full(seat, sink, &mut told).await?;
                    Ok(sooner(next, executed.tell(seat, sink).await?))
                }
                Dialect::Editor => Ok(if document::pump(seat, sink).await? { Next::Now } else { Next::WhenWoken }),
            }
        };
        let Ok(next) = sent.await else { return };
        if next == Next::Now {
            continue;
        }
        tokio::select! {
            () = wake.notified() => {}
            () = until(next) => {}
            () = sleep_until(sink.ping_due()) => {
                let is_busy = seat.member.is_full() && heard.is_carrying_out();
                let asked = if is_busy { sink.reassure().await } else { sink.ping().await };
                if asked.is_err() {
                    return;
                }
            }
        }
    }
}

/// When there will be something to do that nobody wakes the writer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Now,
    At(Instant),
    WhenWoken,
}

async fn until(next: Next) {
    match next {
        Next::At(when) => sleep_until(when).await,
        Next::Now => {}
        Next::WhenWoken => pending().await,
    }
}

async fn send_message(sink: &mut Sink<'_>, message: outbox::Message) -> Result<(), Ended> {
    match message {
        outbox::Message::Text(text) => sink.send(Message::text(text)).await,
        outbox::Message::Binary(bytes) => sink.send(Message::binary(bytes)).await,
        outbox::Message::Close(code, reason) => {
            let frame = CloseFrame { code: (code as u16).into(), reason: reason.into() };
            sink.send(Message::Close(Some(frame))).await?;
            Err(Ended)
        }
    }
}

/// One turn of every session this full client reads. `told` remembers whose end it has been told.
async fn pump_full(seat: &Seat, sink: &mut Sink<'_>, told: &mut HashSet<SessionId>) -> Result<Next, Ended> {
    let reading = seat.member.reading();
    let mut next = Next::WhenWoken;
    for session in &reading {
        // Before the pull: once it has ended and nothing is left to pull, nothing of the command is left to come.
        let ended = session.marks().is_over();
        let mut frame = BinaryFrame::Output { terminal: session.id, offset: 0, bytes: &[] }.encode();
        match session.pull(seat.member.id, MAX_CHUNK, &mut frame) {
            Pulled::Bytes { offset } => {
                frame[OUTPUT_HEADER - 8..OUTPUT_HEADER].copy_from_slice(&offset.to_le_bytes());
                sink.send(Message::binary(frame)).await?;
                seat.room().tell_progress(session);
                next = Next::Now;
            }
            Pulled::Gap { from, .. } => seat.room().catch_up(&seat.member, session, from),
            Pulled::Nothing => {
                if ended && told.insert(session.id) {
                    sink.send_frame(&ServerFrame::Terminal(session.describe())).await?;
                }
            }
        }
    }
    for held in seat.member.editing() {
        let Outgoing { standing, messages, more } = held.pull(seat.member.id);
        for message in messages {
            sink.send(Message::binary(message)).await?;
        }
        if let Some(standing) = standing {
            sink.send_frame(&standing).await?;
        }
        if more {
            next = Next::Now;
        }
    }
    if told.len() > reading.len() {
        told.retain(|id| reading.iter().any(|session| session.id == *id));
    }
    Ok(next)
}

/// What a client was told of its commands that were carried out.
#[derive(Debug, Default)]
struct Executed {
    told: u64,
    /// When there was something to tell for the first time.
    since: Option<Instant>,
}

impl Executed {
    /// Tells it now and then: a client keeps what it has not heard of.
    async fn tell(&mut self, seat: &Seat, sink: &mut Sink<'_>) -> Result<Next, Ended> {
        let seq = seat.member.executed.load(Ordering::Acquire);
        if seq == self.told {
            return Ok(Next::WhenWoken);
        }
        let due = *self.since.get_or_insert_with(Instant::now) + EXECUTED;
        if Instant::now() < due {
            return Ok(Next::At(due));
        }
        *self = Self { told: seq, since: None };
        sink.send_frame(&ServerFrame::Executed { seq }).await?;
        Ok(Next::WhenWoken)
    }
}

/// What a plain client's view of one command stands at.
#[derive(Debug, Default)]
struct Shown {
    renderer: PlainRenderer,
    /// Offset after the last byte that was rendered; `None` before the first.
    at: Option<u64>,
    /// When output came last, while a line is unfinished.
    paused: Option<Instant>,
    /// The offset at which the program was last said to wait.
    waited: Option<u64>,
}

/// One turn of every command this plain client follows.
async fn pump_plain(seat: &Seat, sink: &mut Sink<'_>, shown: &mut HashMap<SessionId, Shown>) -> Result<Next, Ended> {
    let mut next = Next::WhenWoken;
    for session in seat.member.reading() {
        let view = shown.entry(session.id).or_default();
        let mut frames = Vec::new();
        let (turn, over) = render(seat, &session, view, &mut frames);
        next = sooner(next, turn);
        for frame in &frames {
            sink.send_frame(frame).await?;
        }
        if over {
            shown.remove(&session.id);
            seat.member.stop_reading(&session);
            let (room, session) = (seat.room().clone(), session.clone());
            seat.room().spawn("command end", async move { room.settle(&session).await });
        }
    }
    Ok(next)
}

/// Renders what one command has for this client. Says when to look again, and whether the command is over.
fn render(seat: &Seat, session: &Arc<Session>, view: &mut Shown, frames: &mut Vec<ServerFrame>) -> (Next, bool) {
    // Before the pull: what is said to have happened at an offset has happened once the bytes before it are here.
    let marks = session.marks();
    let limit = match (marks.ended, view.at) {
        // What background jobs print after the end goes to full clients only.
        (Some(end), Some(at)) => (end.saturating_sub(at) as usize).min(MAX_CHUNK),
        _ => MAX_CHUNK,
    };
    let mut bytes = Vec::new();
    let pulled = if limit == 0 { Pulled::Nothing } else { session.pull(seat.member.id, limit, &mut bytes) };
    match pulled {
        Pulled::Bytes { offset } => {
            if let Some(end) = marks.ended {
                bytes.truncate(end.saturating_sub(offset) as usize);
            }
            view.renderer.push(&bytes, frames);
            view.at = Some(offset + bytes.len() as u64);
            view.paused = view.renderer.has_unfinished().then(Instant::now);
            seat.room().tell_progress(session);
            return (Next::Now, false);
        }
        Pulled::Gap { .. } => {
            seat.member.outbox.close(CloseCode::TooSlow, "this connection fell too far behind the output");
            return (Next::Now, false);
        }
        Pulled::Nothing => {}
    }
    if marks.is_over() && marks.ended.is_some_and(|end| view.at.is_none_or(|at| at >= end)) {
        view.renderer.end(frames);
        frames.push(ServerFrame::TerminalDataEnd);
        return (Next::Now, true);
    }
    if let Some(offset) = marks.waiting
        && view.at == Some(offset)
        && view.waited != Some(offset)
    {
        view.waited = Some(offset);
        view.paused = None;
        view.renderer.waiting(frames);
    }
    match view.paused {
        Some(since) if since.elapsed() >= PAUSE => {
            view.paused = None;
            view.renderer.flush(frames);
            (Next::WhenWoken, false)
        }
        Some(since) => (Next::At(since + PAUSE), false),
        None => (Next::WhenWoken, false),
    }
}

fn sooner(one: Next, other: Next) -> Next {
    match (one, other) {
        (Next::Now, _) | (_, Next::Now) => Next::Now,
        (Next::At(one), Next::At(other)) => Next::At(one.min(other)),
        (Next::At(at), Next::WhenWoken) | (Next::WhenWoken, Next::At(at)) => Next::At(at),
        (Next::WhenWoken, Next::WhenWoken) => Next::WhenWoken,
    }
}
