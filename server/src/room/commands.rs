//! Commands that a backend runs in a room: each in a session that everybody sees, read by the one that asked. Whoever stops
//! reading before the end ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{Exit, TerminalKind};
use embedenv_shared::link::MAX_CHUNK;
use embedenv_shared::link::sessions::Size;
use embedenv_shared::path::ProjectName;
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
    /// What it printed, to both of its outputs.
    Output(String),
    /// So many bytes are gone: they were not taken in time.
    Lost(u64),
    /// The last.
    Ended(Exit),
}

/// A command under way, as it is read. Dropping it ends the command.
#[derive(Debug)]
pub struct Running {
    room: Arc<Room>,
    pub session: Arc<Session>,
    reader: SeatId,
    wake: Arc<Notify>,
    /// Offset after the last byte that was taken.
    at: u64,
    /// The beginning of a character whose end has not come yet.
    partial: Vec<u8>,
    is_over: bool,
}

impl Running {
    /// What comes next; nothing after the end.
    pub async fn next(&mut self) -> Option<Told> {
        while !self.is_over {
            // Before the pull: what is said to have happened at an offset has happened once the bytes before it are here.
            let marks = self.session.marks();
            let limit = marks.ended.map_or(MAX_CHUNK, |end| (end.saturating_sub(self.at) as usize).min(MAX_CHUNK));
            let mut bytes = Vec::new();
            // What background jobs print after the end is for the terminal alone.
            let pulled = if limit == 0 { Pulled::Nothing } else { self.session.pull(self.reader, limit, &mut bytes) };
            match pulled {
                Pulled::Bytes { offset } => {
                    self.at = offset + bytes.len() as u64;
                    self.room.tell_progress(&self.session);
                    let text = whole(&mut self.partial, &bytes);
                    if !text.is_empty() {
                        return Some(Told::Output(text));
                    }
                }
                Pulled::Gap { from, to } => {
                    self.at = to;
                    self.partial.clear();
                    return Some(Told::Lost(to - from));
                }
                Pulled::Nothing if marks.is_over() => {
                    self.is_over = true;
                    return Some(Told::Ended(self.session.describe().exit.unwrap_or_default()));
                }
                Pulled::Nothing => self.wake.notified().await,
            }
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.room.commands.0.fetch_sub(1, Ordering::Relaxed);
        self.room.used();
        self.session.detach(self.reader);
        let (room, session) = (self.room.clone(), self.session.clone());
        self.room.spawn("command end", async move {
            if session.has_ended() {
                return room.settle(&session).await;
            }
            if let Err(failure) = room.close_session(session.id).await {
                tracing::debug!(room = %room.id, %failure, "a command that nobody reads could not be ended");
            }
        });
    }
}

impl Room {
    /// Runs a command line in a project, as a login shell does.
    pub async fn run_command(self: &Arc<Self>, project: ProjectName, command: String) -> Result<Running, Failure> {
        // In a task of its own: whoever goes away meanwhile must not leave a command behind that nobody ends.
        let (room, (done, outcome)) = (self.clone(), oneshot::channel());
        self.spawn("command start", async move { drop(done.send(room.start_command(project, command).await)) });
        outcome.await.unwrap_or_else(|_| Err(Failure::new(ErrorCode::Unavailable, "the server is going down")))
    }

    async fn start_command(self: &Arc<Self>, project: ProjectName, command: String) -> Result<Running, Failure> {
        self.wake().await?;
        self.documents.flush(self).await;
        let (reader, wake) = (self.members.reader(), Arc::new(Notify::new()));
        let new = NewSession {
            kind: TerminalKind::Shell,
            project,
            command: Some(command),
            title: None,
            size: Size::PLAIN,
            opener: None,
        };
        let session = self
            .open_session(new, |session| {
                session.attach(reader, wake.clone());
            })
            .await?;
        self.commands.0.fetch_add(1, Ordering::Relaxed);
        let room = self.clone();
        Ok(Running { room, session, reader, wake, at: 0, partial: Vec::new(), is_over: false })
    }
}
