//! The events of a room in its journal: numbered from 1, written before they are told, bounded by count.
//!
//! Owns what is in the file and which events are kept. Knows no member and no socket, and never waits for the disk: the
//! journal's syncer does that.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::Path;

use embedenv_shared::event::{Author, RoomEvent, What};
use serde::{Deserialize, Serialize};

use crate::journal::{self, Compacted, Journal, Opened, Syncer};

/// Messages that are kept; the oldest make room.
pub(super) const MAX_CHATS: usize = 1000;
/// Other events that are kept; the oldest make room.
pub(super) const MAX_ACTIVITIES: usize = 1000;
/// Events in one page; a client that asks for more gets this many.
pub(super) const MAX_PAGE: usize = 500;
/// Bytes of text in one page, about.
const MAX_PAGE_TEXT: usize = 256 * 1024;
/// Events in the file at which it is written anew with those that are kept.
const REWRITE_AT: usize = 2 * (MAX_CHATS + MAX_ACTIVITIES);
/// What somebody does again and again within this many milliseconds is one event.
const AGAIN: u64 = 60_000;

/// One record of the file, as JSON: an event, or all that were kept when the file was written anew.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    events: Vec<RoomEvent>,
}

/// A part of what is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub events: Vec<RoomEvent>,
    /// From this number on nothing is missing; some older ones may be kept too.
    pub first: u64,
    /// The newest number there is; 0 if nothing has happened.
    pub last: u64,
}

#[derive(Debug)]
pub(super) struct History {
    journal: Journal,
    /// In the order of their numbers.
    kept: VecDeque<RoomEvent>,
    chats: usize,
    last: u64,
    /// Events in the file.
    written: usize,
}

/// What writing the file anew needs, apart from the history, so that it can be done in the background.
#[derive(Debug)]
pub(super) struct Rewrite {
    record: Vec<u8>,
    journal: journal::Compaction,
    /// Events that the record stands for, and those of them that are kept.
    before: usize,
    kept: usize,
}

/// A file written anew, that has not taken the other's place yet.
#[derive(Debug)]
pub(super) struct Rewritten {
    compacted: Compacted,
    before: usize,
    kept: usize,
}

impl History {
    /// Opens the journal at `path`, or makes it. Reads the whole file. `InvalidData` if it is none of this program's.
    pub(super) fn open(path: &Path, syncer: &Syncer) -> io::Result<Self> {
        let (journal, records) = match Journal::open(path, syncer) {
            Ok(Opened { journal, records, .. }) => (journal, records),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), journal::make_folder)?;
                (Journal::create(path, &[], syncer)?, Vec::new())
            }
            Err(error) => return Err(error),
        };
        let mut history = Self { journal, kept: VecDeque::new(), chats: 0, last: 0, written: 0 };
        for record in records {
            // Whatever is wrong with it, it is not a record of this program's.
            let read = serde_json::from_slice(&record).map_err(|error| io::Error::new(ErrorKind::InvalidData, error));
            let Record { events } = read?;
            events.into_iter().for_each(|event| history.keep(event));
        }
        Ok(history)
    }

    /// Writes an event down and numbers it. When this returns, it outlives the process. `None` if it is what the same
    /// person did just before: that is told once.
    pub(super) fn add(&mut self, at: u64, by: Author, what: What) -> io::Result<Option<RoomEvent>> {
        let is_again = |event: &RoomEvent| {
            event.what == what && event.by.member == by.member && at.saturating_sub(event.at) < AGAIN
        };
        if !what.is_chat() && self.kept.iter().rev().find(|event| !event.what.is_chat()).is_some_and(is_again) {
            return Ok(None);
        }
        let event = RoomEvent { number: self.last + 1, at, by, what };
        let record = Record { events: vec![event.clone()] };
        self.journal.append(&serde_json::to_vec(&record)?)?;
        self.keep(event.clone());
        Ok(Some(event))
    }

    fn keep(&mut self, event: RoomEvent) {
        let is_chat = event.what.is_chat();
        self.last = self.last.max(event.number);
        self.written += 1;
        self.chats += usize::from(is_chat);
        self.kept.push_back(event);
        let too_many = if is_chat { self.chats > MAX_CHATS } else { self.kept.len() - self.chats > MAX_ACTIVITIES };
        if too_many && let Some(oldest) = self.kept.iter().position(|event| event.what.is_chat() == is_chat) {
            self.kept.remove(oldest);
            self.chats -= usize::from(is_chat);
        }
    }

    /// What is kept after `after`, oldest first, up to `limit` events.
    pub(super) fn after(&self, after: u64, limit: usize) -> Page {
        let from = self.kept.partition_point(|event| event.number <= after);
        let mut text = 0;
        let fits = |event: &&RoomEvent| {
            let fits = text < MAX_PAGE_TEXT;
            text += text_of(event);
            fits
        };
        let events = self.kept.range(from..).take(limit.clamp(1, MAX_PAGE)).take_while(fits).cloned().collect();
        Page { events, first: self.first(), last: self.last }
    }

    fn first(&self) -> u64 {
        let mut first = self.last + 1;
        for event in self.kept.iter().rev() {
            if event.number + 1 != first {
                break;
            }
            first = event.number;
        }
        first
    }

    /// What to write the file anew with, if it has grown enough.
    pub(super) fn rewrite(&self) -> io::Result<Option<Rewrite>> {
        if self.written < REWRITE_AT {
            return Ok(None);
        }
        let (journal, before, kept) = (self.journal.compact(), self.written, self.kept.len());
        let record = serde_json::to_vec(&Record { events: self.kept.iter().cloned().collect() })?;
        Ok(Some(Rewrite { record, journal, before, kept }))
    }

    /// Puts a file that was written anew in place of this one, with what was added meanwhile.
    pub(super) fn take_place(&mut self, rewritten: Rewritten) -> io::Result<()> {
        let Rewritten { compacted, before, kept } = rewritten;
        if self.journal.take_place(compacted)? {
            self.written = self.written - before + kept;
        }
        Ok(())
    }
}

impl Rewrite {
    /// Waits for the disk.
    pub(super) fn write(self) -> io::Result<Rewritten> {
        let Self { record, journal, before, kept } = self;
        Ok(Rewritten { compacted: journal.write(&record)?, before, kept })
    }
}

/// Bytes of an event's text that may be long.
fn text_of(event: &RoomEvent) -> usize {
    match &event.what {
        What::Chat { text } => text.len(),
        What::Ran { command, .. } => command.as_ref().map_or(0, String::len),
        What::Planted { .. }
        | What::Created { .. }
        | What::Wrote { .. }
        | What::Replaced { .. }
        | What::Renamed { .. }
        | What::Moved { .. }
        | What::Copied { .. }
        | What::Uploaded { .. }
        | What::Deleted { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::id::{MemberId, Role, SessionId};
    use embedenv_shared::path::ProjectName;

    use super::*;

    fn opened(folder: &Path) -> History {
        History::open(&folder.join("room/events.log"), &Syncer::default()).unwrap()
    }

    fn add(history: &mut History, at: u64, what: What) -> Option<u64> {
        let by = Author { member: MemberId(1), user: "Ada".into(), color: "#6366f1".into(), role: Role::Editor };
        history.add(at, by, what).unwrap().map(|event| event.number)
    }

    fn chat(history: &mut History, text: &str) -> Option<u64> {
        add(history, 5, What::Chat { text: text.to_owned() })
    }

    fn ran(terminal: u32) -> What {
        What::Ran { project: ProjectName::parse("p").unwrap(), terminal: SessionId(terminal), command: None }
    }

    fn numbers(page: &Page) -> Vec<u64> {
        page.events.iter().map(|event| event.number).collect()
    }

    #[test]
    fn events_are_numbered_from_one_and_read_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = opened(folder.path());
        assert_eq!(history.after(0, 10), Page { events: Vec::new(), first: 1, last: 0 });
        for text in ["one", "two", "three"] {
            chat(&mut history, text);
        }
        assert_eq!(add(&mut history, 7, ran(1)), Some(4));
        let page = opened(folder.path()).after(1, 10);
        assert_eq!((numbers(&page), page.first, page.last), (vec![2, 3, 4], 1, 4));
        assert_eq!(page, history.after(1, 10));
    }

    #[test]
    fn what_is_done_again_at_once_is_one_event_and_what_is_said_again_is_two() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = opened(folder.path());
        assert_eq!(add(&mut history, 0, ran(1)), Some(1));
        assert_eq!(chat(&mut history, "again"), Some(2));
        assert_eq!(chat(&mut history, "again"), Some(3));
        assert_eq!(add(&mut history, AGAIN - 1, ran(1)), None);
        assert_eq!(add(&mut history, AGAIN - 1, ran(2)), Some(4));
        assert_eq!(add(&mut history, AGAIN, ran(1)), Some(5));
        assert_eq!(add(&mut history, 2 * AGAIN, ran(1)), Some(6));
    }

    #[test]
    fn the_oldest_make_room_and_the_file_is_written_anew_without_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = opened(folder.path());
        add(&mut history, 0, ran(1));
        for n in 2..=REWRITE_AT {
            assert!(history.rewrite().unwrap().is_none());
            chat(&mut history, &n.to_string());
        }
        let page = history.after(0, MAX_PAGE + 1);
        assert_eq!((page.first, page.last), (3001, 4000));
        assert_eq!((page.events.len(), &numbers(&page)[..2]), (MAX_PAGE, &[1, 3001][..]));
        let rewritten = history.rewrite().unwrap().unwrap().write().unwrap();
        chat(&mut history, "meanwhile");
        history.take_place(rewritten).unwrap();
        assert!(history.rewrite().unwrap().is_none());
        let again = opened(folder.path());
        assert_eq!(again.after(3000, MAX_PAGE), history.after(3000, MAX_PAGE));
        assert_eq!((again.written, history.written, again.last), (1002, 1002, 4001));
    }

    #[test]
    fn a_page_is_short_however_long_its_messages_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = opened(folder.path());
        let long = "x".repeat(embedenv_shared::event::MAX_CHAT);
        for _ in 0..MAX_PAGE {
            chat(&mut history, &long);
        }
        let mut got = Vec::new();
        while let Page { events, last, .. } = history.after(got.last().copied().unwrap_or(0), MAX_PAGE)
            && let Some(end) = events.last()
        {
            assert!(events.iter().map(text_of).sum::<usize>() <= MAX_PAGE_TEXT);
            got.extend(events.iter().map(|event| event.number));
            assert!(end.number <= last);
        }
        assert_eq!(got, (1..=MAX_PAGE as u64).collect::<Vec<_>>());
    }
}
