//! A small state whose changes are kept in a journal: read once, appended to, and written anew when it has grown. What
//! can't be written holds as long as this server: nobody is kept from working by a full disk.

use std::io;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Journal, Opened, Syncer, make_folder};

/// The journal of a state. Its records are its owner's.
#[derive(Debug)]
pub struct Diary {
    /// What is kept in it, for the log: "whose terminals are".
    what: &'static str,
    path: PathBuf,
    /// It is written anew when it has this many bytes more than it had then.
    growth: u64,
    syncer: Syncer,
    /// `None` while it can't be written; the whole is written before anything else.
    journal: Option<Journal>,
    /// Bytes it had when it was written anew.
    least: u64,
}

impl Diary {
    /// Touches nothing yet.
    pub fn new(what: &'static str, path: PathBuf, growth: u64, syncer: Syncer) -> Self {
        Self { what, path, growth, syncer, journal: None, least: 0 }
    }

    /// What an earlier server wrote down, up to what this one can't read. Reads a file.
    pub fn read<R: DeserializeOwned>(&mut self) -> Vec<R> {
        match Journal::open(&self.path, &self.syncer) {
            Ok(Opened { journal, records, .. }) => {
                self.least = journal.length();
                self.journal = Some(journal);
                records.iter().map_while(|record| postcard::from_bytes(record).ok()).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "{} could not be read", self.what);
                Vec::new()
            }
        }
    }

    /// Writes down what has just changed, or `whole`, which is all there is with that change in it.
    pub fn write<R: Serialize>(&mut self, record: &R, whole: impl FnOnce() -> Vec<R>) {
        let written = match &mut self.journal {
            Some(journal) if journal.length() < self.least + self.growth => journal.append(&to_bytes(record)),
            _ => self.write_anew(&whole()),
        };
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "{} could not be written down", self.what);
            self.journal = None;
        }
    }

    /// Lets go of the file, which has everything in it. `false` if it has not: what is in memory must stay.
    pub fn close(&mut self) -> bool {
        self.journal.take().is_some()
    }

    fn write_anew<R: Serialize>(&mut self, whole: &[R]) -> io::Result<()> {
        let records: Vec<Vec<u8>> = whole.iter().map(to_bytes).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        self.path.parent().map_or(Ok(()), make_folder)?;
        let journal = Journal::create(&self.path, &records, &self.syncer)?;
        self.least = journal.length();
        self.journal = Some(journal);
        Ok(())
    }
}

fn to_bytes<R: Serialize>(record: &R) -> Vec<u8> {
    postcard::to_stdvec(record).expect("records always serialise")
}
