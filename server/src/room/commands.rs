//! Commands that a backend runs in a room: each in a session that everybody sees, read by the one that asked. Whoever stops
//! reading before the end ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::Exit;
use embedenv_shared::id::SessionId;
use embedenv_shared::link::MAX_CHUNK;
use embedenv_shared::link::sessions::{Feed, MAX_FEED};
use tokio::sync::{Notify, oneshot};

use super::Room;
use super::members::SeatId;
use super::session::{Pulled, Session};
use super::sessions::NewSession;
use super::text::whole;

/// How many commands of a room are under way: it is not empty while there are any.
#[derive(Debug, Default)]
pub struct Commands(AtomicUsize);

impl Commands {
    pub fn are_under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// What is told of a command, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Output(Stream, String),
    /// So many bytes are gone: they were not taken in time.
    Lost(Stream, u64),
    /// The last.
    Ended(Exit),
}

/// Where a command prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// A terminal: both of its outputs.
    Terminal,
    Output,
    Errors,
}

/// A command under way, as it is read. Dropping it ends the command.
#[derive(Debug)]
pub struct Running {
    room: Arc<Room>,
    pub session: Arc<Session>,
    logs: Vec<Log>,
    reader: SeatId,
    wake: Arc<Notify>,
    is_over: bool,
}

/// One of its logs, as far as it was read.
#[derive(Debug)]
struct Log {
    stream: Stream,
    session: Arc<Session>,
    /// Offset after the last byte that was taken.
    at: u64,
    /// The beginning of a character whose end has not come yet.
    partial: Vec<u8>,
}

/// What there is to read of one log.
enum Next {
    Told(Told),
    Nothing,
    Over,
}

impl Log {
    fn new(stream: Stream, session: Arc<Session>) -> Self {
        Self { stream, session, at: 0, partial: Vec::new() }
    }

    fn next(&mut self, room: &Room, reader: SeatId) -> Next {
        loop {
            // Before the pull: what is said to have happened at an offset has happened once the bytes before it are here.
            let marks = self.session.marks();
            let limit = marks.ended.map_or(MAX_CHUNK, |end| (end.saturating_sub(self.at) as usize).min(MAX_CHUNK));
            let mut bytes = Vec::new();
            // What background jobs print after the end is for the terminal alone.
            let pulled = if limit == 0 { Pulled::Nothing } else { self.session.pull(reader, limit, &mut bytes) };
            match pulled {
                Pulled::Bytes { offset } => {
                    self.at = offset + bytes.len() as u64;
                    room.tell_progress(&self.session);
                    let text = whole(&mut self.partial, &bytes);
                    if !text.is_empty() {
                        return Next::Told(Told::Output(self.stream, text));
                    }
                }
                Pulled::Gap { from, to } => {
                    self.at = to;
                    self.partial.clear();
                    return Next::Told(Told::Lost(self.stream, to - from));
                }
                Pulled::Nothing if marks.is_over() => return Next::Over,
                Pulled::Nothing => return Next::Nothing,
            }
        }
    }
}

impl Running {
    /// What comes next; nothing after the end.
    pub async fn next(&mut self) -> Option<Told> {
        while !self.is_over {
            let mut are_over = true;
            for log in &mut self.logs {
                match log.next(&self.room, self.reader) {
                    Next::Told(told) => return Some(told),
                    Next::Nothing => are_over = false,
                    Next::Over => {}
                }
            }
            if are_over {
                self.is_over = true;
                return Some(Told::Ended(self.session.describe().exit.unwrap_or_default()));
            }
            self.wake.notified().await;
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.room.commands.0.fetch_sub(1, Ordering::Relaxed);
        self.room.used();
        self.logs.iter().for_each(|log| log.session.detach(self.reader));
        let (room, session) = (self.room.clone(), self.session.clone());
        self.room.spawn("command end", async move {
            if session.has_ended() && !session.kind.is_piped() {
                return room.settle(&session).await;
            }
            if let Err(failure) = room.close_session(session.id).await {
                tracing::debug!(room = %room.id, %failure, "a command that nobody reads could not be ended");
            }
        });
    }
}

impl Room {
    /// Runs a command line in a project, as a login shell does: in a terminal, or on pipes, where it is given `input`.
    pub async fn run_command(self: &Arc<Self>, new: NewSession, input: Vec<u8>) -> Result<Running, Failure> {
        // In a task of its own: whoever goes away meanwhile must not leave a command behind that nobody ends.
        let (room, (done, outcome)) = (self.clone(), oneshot::channel());
        self.spawn("command start", async move { drop(done.send(room.start_command(new, input).await)) });
        outcome.await.unwrap_or_else(|_| Err(Failure::new(ErrorCode::Unavailable, "the server is going down")))
    }

    async fn start_command(self: &Arc<Self>, new: NewSession, input: Vec<u8>) -> Result<Running, Failure> {
        self.wake().await?;
        self.documents.flush(self).await;
        let (reader, wake) = (self.members.reader(), Arc::new(Notify::new()));
        let opened = self
            .open_session(new, |log| {
                log.attach(reader, wake.clone());
            })
            .await?;
        let stream = if opened.errors.is_some() { Stream::Output } else { Stream::Terminal };
        let mut logs = vec![Log::new(stream, opened.session.clone())];
        logs.extend(opened.errors.map(|errors| Log::new(Stream::Errors, errors)));
        self.commands.0.fetch_add(1, Ordering::Relaxed);
        let (room, session) = (self.clone(), opened.session);
        if !input.is_empty() {
            self.feed_all(session.id, input);
        }
        Ok(Running { room, session, logs, reader, wake, is_over: false })
    }

    /// Gives a process all of its input, as fast as it reads.
    fn feed_all(self: &Arc<Self>, session: SessionId, input: Vec<u8>) {
        let room = self.clone();
        self.spawn("command input", async move {
            let last = input.len().div_ceil(MAX_FEED).saturating_sub(1);
            for (at, piece) in input.chunks(MAX_FEED).enumerate() {
                let Ok(link) = room.link().await else { return };
                let feed = Feed { session, bytes: piece.to_vec(), ends: at == last };
                let outcome = match link.ask(feed).await {
                    Ok(taken) => taken.await,
                    Err(failure) => Err(failure),
                };
                // It may end without reading all of it, as `head` does.
                if outcome.is_err() {
                    return;
                }
            }
        });
    }
}
