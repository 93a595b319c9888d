//! Whose each terminal is and which numbers were given to terminals, kept in a journal for the next server.
//!
//! The agent knows the terminals there are; whose they are is not its to say, since what runs beside it is not trusted.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use embedenv_shared::id::SessionId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::lease::Owned;
use crate::journal::{self, Journal, Opened, Syncer};

/// A journal is written anew when it has this many bytes more than it had then.
const GROWTH: u64 = 64 * 1024;
/// Terminals that are remembered; with more, the oldest is forgotten, which has ended long ago.
const MAX_REMEMBERED: usize = 256;

#[derive(Debug)]
pub struct Ownership {
    path: PathBuf,
    syncer: Syncer,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    is_loaded: bool,
    /// `None` while it can't be written; the whole is written before anything else.
    journal: Option<Journal>,
    /// Bytes the journal had when it was written anew.
    least: u64,
    last: u32,
    all: BTreeMap<SessionId, Owned>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Owned(SessionId, Owned),
    Closed(SessionId),
    /// Another sandbox begins, with none of the terminals of before.
    Fresh,
    /// Numbers up to this were given to terminals.
    Last(u32),
}

impl Record {
    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("records always serialise")
    }
}

impl Ownership {
    /// That of a room, kept in the file at `path`, which is read when it is first needed.
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        Self { path, syncer, inner: Mutex::default() }
    }

    /// The highest number that a terminal ever had.
    pub fn last(&self) -> u32 {
        self.with(|_, inner| inner.last)
    }

    /// Whose a terminal is, as it was written down.
    pub fn of(&self, id: SessionId) -> Owned {
        self.with(|_, inner| inner.all.get(&id).copied().unwrap_or_default())
    }

    pub fn keep(&self, id: SessionId, owned: Owned) {
        self.with(|this, inner| {
            if inner.all.get(&id) == Some(&owned) {
                return;
            }
            inner.last = inner.last.max(id.0);
            inner.all.insert(id, owned);
            if inner.all.len() > MAX_REMEMBERED {
                inner.all.pop_first();
            }
            this.write(inner, &Record::Owned(id, owned));
        });
    }

    pub fn closed(&self, id: SessionId) {
        self.with(|this, inner| {
            if inner.all.remove(&id).is_some() {
                this.write(inner, &Record::Closed(id));
            }
        });
    }

    /// Another sandbox begins.
    pub fn fresh(&self) {
        self.with(|this, inner| {
            if !std::mem::take(&mut inner.all).is_empty() {
                this.write(inner, &Record::Fresh);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&Self, &mut Inner) -> T) -> T {
        let mut inner = self.inner.lock();
        if !inner.is_loaded {
            inner.is_loaded = true;
            self.load(&mut inner);
        }
        work(self, &mut inner)
    }

    fn load(&self, inner: &mut Inner) {
        match Journal::open(&self.path, &self.syncer) {
            Ok(Opened { journal, records, .. }) => {
                inner.least = journal.length();
                inner.journal = Some(journal);
                for record in records.iter().map_while(|record| postcard::from_bytes(record).ok()) {
                    inner.replay(record);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(path = %self.path.display(), %error, "whose terminals are could not be read"),
        }
    }

    /// Writes a record, or everything if the last one could not be. What can't be written holds as long as this server:
    /// nobody is kept from working by a full disk.
    fn write(&self, inner: &mut Inner, record: &Record) {
        let is_short = |journal: &Journal, least: u64| journal.length() < least + GROWTH;
        let written = match &mut inner.journal {
            Some(journal) if is_short(journal, inner.least) => journal.append(&record.to_bytes()),
            // What changed is in memory already.
            _ => self.write_anew(inner),
        };
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "whose a terminal is could not be written down");
            inner.journal = None;
        }
    }

    fn write_anew(&self, inner: &mut Inner) -> io::Result<()> {
        let owned = inner.all.iter().map(|(id, owned)| Record::Owned(*id, *owned).to_bytes());
        let records: Vec<Vec<u8>> = [Record::Last(inner.last).to_bytes()].into_iter().chain(owned).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        self.path.parent().map_or(Ok(()), journal::make_folder)?;
        let journal = Journal::create(&self.path, &records, &self.syncer)?;
        inner.least = journal.length();
        inner.journal = Some(journal);
        Ok(())
    }
}

impl Inner {
    fn replay(&mut self, record: Record) {
        match record {
            Record::Owned(id, owned) => {
                self.last = self.last.max(id.0);
                self.all.insert(id, owned);
            }
            Record::Closed(id) => {
                self.all.remove(&id);
            }
            Record::Fresh => self.all.clear(),
            Record::Last(last) => self.last = self.last.max(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::id::MemberId;

    use super::*;

    #[test]
    fn the_next_server_knows_whose_terminals_are_and_gives_no_number_twice() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Ownership::new(folder.path().join("room/terminals.log"), Syncer::default());
        let locked = Owned { driver: Some(MemberId(2)), opener: Some(MemberId(1)), locked: true };
        let first = open();
        first.keep(SessionId(1), Owned::default());
        first.keep(SessionId(2), locked);
        first.keep(SessionId(7), locked);
        first.closed(SessionId(7));
        let second = open();
        assert_eq!((second.last(), second.of(SessionId(2)), second.of(SessionId(7))), (7, locked, Owned::default()));
        for turn in 0..10_000 {
            second.keep(SessionId(2), Owned { driver: Some(MemberId(turn)), ..locked });
        }
        assert!(std::fs::metadata(&second.path).unwrap().len() < 2 * GROWTH);
        assert_eq!(open().of(SessionId(2)).driver, Some(MemberId(9_999)));
        second.fresh();
        assert_eq!((open().last(), open().of(SessionId(2))), (7, Owned::default()));
    }
}
