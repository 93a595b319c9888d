//! What happened in a room: chat, and who ran, created, renamed and deleted what. Kept in the room's folder, told to every
//! full client in the order of the numbers.
//!
//! A message is refused if it can't be written down; what somebody did is not undone because it could not be noted.
//!
//! Task tree: one `events log` while the file is written anew.

mod history;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::event::{Author, MAX_CHAT, What};
use embedenv_shared::frame::ServerFrame;
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::Room;
use super::members::Member;
use crate::journal::Syncer;
use history::History;
pub use history::Page;

/// Messages that a member may send at once.
const CHATS_AT_ONCE: u32 = 10;
/// The time after which they may send another.
const CHAT_PAUSE: Duration = Duration::from_secs(1);
/// What a file is called that could not be read; kept for a person to look at.
const UNREADABLE: &str = "unreadable";

#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    syncer: Syncer,
    /// Read when it is needed first.
    history: OnceCell<Mutex<History>>,
    rewriting: AtomicBool,
    /// The last event could not be noted; told once.
    is_failing: AtomicBool,
}

/// When a member may speak again without waiting.
#[derive(Debug)]
pub struct Pace(Mutex<Instant>);

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Pace {
    /// Counts a message and says from when on it may be sent.
    fn next(&self, now: Instant) -> Instant {
        let mut free = self.0.lock();
        let counted = (*free).max(now) + CHAT_PAUSE;
        *free = counted;
        counted.checked_sub(CHATS_AT_ONCE * CHAT_PAUSE).unwrap_or(now)
    }
}

impl Events {
    /// Those of a room, kept in the file at `path`. Nothing is read yet.
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        let (rewriting, is_failing) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { path, syncer, history: OnceCell::new(), rewriting, is_failing }
    }

    /// Takes a member's message and tells it to everybody. Who sends many in a row waits: a second for each.
    pub async fn chat(&self, room: &Arc<Room>, by: &Member, text: &str) -> Result<(), Failure> {
        let text = check_chat(text)?;
        tokio::time::sleep_until(by.pace.next(Instant::now())).await;
        self.add(room, by, What::Chat { text }).await.map_err(|error| {
            tracing::warn!(room = %room.id, %error, "a message could not be written down");
            Failure::new(ErrorCode::Unavailable, "the server could not write the message down; send it again")
        })
    }

    /// Notes what a member did, and tells everybody.
    pub async fn note(&self, room: &Arc<Room>, by: &Member, what: What) {
        let outcome = self.add(room, by, what).await;
        let was_failing = self.is_failing.swap(outcome.is_err(), Ordering::AcqRel);
        if let (Err(error), false) = (outcome, was_failing) {
            tracing::warn!(room = %room.id, %error, "what happens in a room can't be noted");
        }
    }

    /// What is kept after the event of this number, oldest first.
    pub async fn after(&self, after: u64, limit: usize) -> Result<Page, Failure> {
        let history = self.history().await.map_err(|error| {
            tracing::warn!(path = %self.path.display(), %error, "a room's events can't be read");
            Failure::new(ErrorCode::Unavailable, "the server can't read what happened; try again")
        })?;
        Ok(history.lock().after(after, limit))
    }

    async fn add(&self, room: &Arc<Room>, by: &Member, what: What) -> io::Result<()> {
        let history = self.history().await?;
        let at = super::now().unsigned_abs();
        let Member { who, role, .. } = *by;
        let by = Author { member: who, user: by.user.clone(), color: by.color.clone(), role };
        let rewrite = {
            let mut history = history.lock();
            if let Some(event) = history.add(at, by, what)? {
                // Within the lock: told in the order in which it is written.
                room.members.tell(&ServerFrame::Event(event));
            }
            if self.rewriting.load(Ordering::Acquire) { None } else { history.rewrite()? }
        };
        if let Some(rewrite) = rewrite {
            self.rewriting.store(true, Ordering::Release);
            let of = room.clone();
            room.spawn("events log", async move { of.events.rewrite(rewrite).await });
        }
        Ok(())
    }

    async fn rewrite(&self, rewrite: history::Rewrite) {
        let written = tokio::task::spawn_blocking(move || rewrite.write()).await;
        let outcome = match (written, self.history.get()) {
            (Ok(Ok(rewritten)), Some(history)) => history.lock().take_place(rewritten),
            (Ok(Err(error)), _) => Err(error),
            (Err(_), _) | (_, None) => Ok(()),
        };
        if let Err(error) = outcome {
            tracing::warn!(path = %self.path.display(), %error, "a room's events could not be written anew");
        }
        self.rewriting.store(false, Ordering::Release);
    }

    async fn history(&self) -> io::Result<&Mutex<History>> {
        let read = || async {
            let (path, syncer) = (self.path.clone(), self.syncer.clone());
            let read = tokio::task::spawn_blocking(move || read(&path, &syncer)).await;
            read.map_err(io::Error::other)?.map(Mutex::new)
        };
        self.history.get_or_try_init(read).await
    }
}

/// The history of a file. One that can't be read is put out of the way.
fn read(path: &std::path::Path, syncer: &Syncer) -> io::Result<History> {
    match History::open(path, syncer) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            tracing::error!(path = %path.display(), %error, "a room's events can't be read, and begin anew");
            std::fs::rename(path, path.with_extension(UNREADABLE))?;
            History::open(path, syncer)
        }
        other => other,
    }
}

fn check_chat(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::new(ErrorCode::BadRequest, "a message has some text"));
    }
    if text.len() > MAX_CHAT {
        return Err(Failure::new(ErrorCode::TooLarge, format!("a message has at most {MAX_CHAT} bytes")));
    }
    if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')) {
        return Err(Failure::new(ErrorCode::BadRequest, "a message has no control characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_text_and_only_text() {
        assert_eq!(check_chat("  see main.py:3\n\tthere \n").unwrap(), "see main.py:3\n\tthere");
        for (bad, code) in [
            (" \n ".to_owned(), ErrorCode::BadRequest),
            ("\u{1b}[2J".to_owned(), ErrorCode::BadRequest),
            ("x".repeat(MAX_CHAT + 1), ErrorCode::TooLarge),
        ] {
            assert_eq!(check_chat(&bad).unwrap_err().code, code);
        }
    }

    #[tokio::test]
    async fn who_says_much_in_a_row_waits_a_second_for_each() {
        let (pace, now) = (Pace::default(), Instant::now());
        for _ in 0..CHATS_AT_ONCE {
            assert!(pace.next(now) <= now);
        }
        assert_eq!(pace.next(now), now + CHAT_PAUSE);
        assert_eq!(pace.next(now), now + 2 * CHAT_PAUSE);
        let later = now + 60 * CHAT_PAUSE;
        assert!(pace.next(later) <= later);
    }

    #[test]
    fn a_file_of_another_make_is_put_aside_and_the_history_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.log");
        for other in [&b"{\"what\":1}"[..], b"{\"events\": [{\"n", b""] {
            crate::journal::Journal::create(&path, &[other], &Syncer::default()).unwrap();
            let history = read(&path, &Syncer::default()).unwrap();
            assert_eq!(history.after(0, 10).last, 0);
            assert!(path.with_extension(UNREADABLE).exists());
        }
    }
}
