//! Whose each terminal is and which numbers were given to terminals, kept in a journal for the next server.
//!
//! The agent knows the terminals there are; whose they are is not its to say, since what runs beside it is not trusted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use embedenv_shared::id::SessionId;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::lease::Owned;
use crate::journal::{Diary, Syncer};

/// A journal is written anew when it has this many bytes more than it had then.
const GROWTH: u64 = 64 * 1024;
/// Terminals that are remembered; with more, the oldest is forgotten, which has ended long ago.
const MAX_REMEMBERED: usize = 256;

#[derive(Debug)]
pub struct Ownership(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    diary: Diary,
    is_read: bool,
    state: State,
}

#[derive(Debug, Default)]
struct State {
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

impl Ownership {
    /// That of a room, kept in the file at `path`, which is read when it is first needed.
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        let diary = Diary::new("whose terminals are", path, GROWTH, syncer);
        Self(Mutex::new(Inner { diary, is_read: false, state: State::default() }))
    }

    /// The highest number that a terminal ever had.
    pub fn last(&self) -> u32 {
        self.read().state.last
    }

    /// Whose a terminal is, as it was written down.
    pub fn of(&self, id: SessionId) -> Owned {
        self.read().state.all.get(&id).copied().unwrap_or_default()
    }

    pub fn keep(&self, id: SessionId, owned: Owned) {
        let mut inner = self.read();
        let state = &mut inner.state;
        if state.all.get(&id) == Some(&owned) {
            return;
        }
        state.last = state.last.max(id.0);
        state.all.insert(id, owned);
        if state.all.len() > MAX_REMEMBERED {
            state.all.pop_first();
        }
        inner.write(&Record::Owned(id, owned));
    }

    pub fn closed(&self, id: SessionId) {
        let mut inner = self.read();
        if inner.state.all.remove(&id).is_some() {
            inner.write(&Record::Closed(id));
        }
    }

    /// Another sandbox begins.
    pub fn fresh(&self) {
        let mut inner = self.read();
        if !std::mem::take(&mut inner.state.all).is_empty() {
            inner.write(&Record::Fresh);
        }
    }

    fn read(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.0.lock();
        if !inner.is_read {
            inner.is_read = true;
            for record in inner.diary.read() {
                inner.state.replay(record);
            }
        }
        inner
    }
}

impl Inner {
    fn write(&mut self, record: &Record) {
        self.diary.write(record, || self.state.records());
    }
}

impl State {
    fn records(&self) -> Vec<Record> {
        let owned = self.all.iter().map(|(id, owned)| Record::Owned(*id, *owned));
        [Record::Last(self.last)].into_iter().chain(owned).collect()
    }

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
        assert!(std::fs::metadata(folder.path().join("room/terminals.log")).unwrap().len() < 2 * GROWTH);
        assert_eq!(open().of(SessionId(2)).driver, Some(MemberId(9_999)));
        second.fresh();
        assert_eq!((open().last(), open().of(SessionId(2))), (7, Owned::default()));
    }
}
