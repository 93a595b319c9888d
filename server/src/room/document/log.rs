//! A document's log: every update is written here before anything else happens with it, so that no edit which somebody
//! was told of is lost with the server. Owns what the records mean and how a document is made of them again; the file is
//! [`crate::journal`]'s.
//!
//! The first record is a [`Life`]: a whole document. Updates follow, and between them what was written to the sandbox's
//! file and when, so that a document that is read back knows what it and its file had in common.

use std::io;
use std::path::{Path, PathBuf};

use embedenv_shared::path::{ProjectName, WorkspacePath};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::file::Form;
use crate::journal::{self, Compacted, Journal, Opened, Syncer};

/// A log is written anew when it has this many bytes, and [`GROWTH`] times the whole document besides.
const LEAST: u64 = 256 * 1024;
const GROWTH: u64 = 4;

/// SHA-256 of a file's content.
pub(super) type Fingerprint = [u8; 32];

pub(super) fn fingerprint(content: &[u8]) -> Fingerprint {
    Sha256::digest(content).into()
}

/// Which file a document is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub project: ProjectName,
    pub path: WorkspacePath,
}

/// A whole document.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Life<'a> {
    pub(super) epoch: u64,
    pub(super) place: Place,
    pub(super) form: Form,
    /// The text that the file has, as far as is known; absent if it is the document's.
    #[serde(borrow)]
    pub(super) base: Option<&'a str>,
    /// Contents that may be in the file without anybody having said so.
    pub(super) unconfirmed: Vec<Fingerprint>,
    /// An update of everything.
    #[serde(with = "serde_bytes")]
    pub(super) state: &'a [u8],
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Record<'a> {
    #[serde(borrow)]
    Life(Life<'a>),
    Update(#[serde(with = "serde_bytes")] &'a [u8]),
    /// The text up to here was handed out to be written to the file.
    Writing(Fingerprint),
    /// What was handed out last is in the file.
    Written,
    /// The file has this text; absent if it is the document's up to here.
    File {
        form: Form,
        #[serde(borrow)]
        text: Option<&'a str>,
    },
    /// The file is about to get another path.
    Moving(WorkspacePath),
    /// The file has this path.
    Moved(WorkspacePath),
}

impl Record<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("records always serialise")
    }
}

/// What could be read of a log, in order; the first is a [`Record::Life`].
pub(super) fn records(bytes: &[Vec<u8>]) -> Vec<Record<'_>> {
    bytes.iter().map_while(|record| postcard::from_bytes(record).ok()).collect()
}

/// Why a log makes no document.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the log can't be read")]
    Io(#[from] io::Error),
    #[error("the log does not begin with a document")]
    NoLife,
    #[error("the log holds an update that can't be taken")]
    BadUpdate,
}

/// The log of one document, open for writing.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) place: Place,
    path: PathBuf,
    syncer: Syncer,
    /// `None` before the first record.
    journal: Option<Journal>,
    /// Bytes that the whole document took when it was written last.
    whole: u64,
    /// Something could not be written: the whole document has to be, before anything else.
    behind: bool,
    /// The last [`Record::Writing`] stands in this file, and was not left out of it by writing it anew.
    writing_is_here: bool,
}

/// A whole document on its way into a new file.
#[derive(Debug)]
pub struct Compaction {
    journal: journal::Compaction,
    record: Vec<u8>,
}

impl Compaction {
    /// Writes the new file beside the old one and waits for the disk.
    pub fn write(self) -> io::Result<Prepared> {
        let compacted = self.journal.write(&self.record)?;
        Ok(Prepared { compacted, whole: self.record.len() as u64 })
    }
}

/// A new file that is ready to take the old one's place.
#[derive(Debug)]
pub struct Prepared {
    compacted: Compacted,
    whole: u64,
}

impl Log {
    /// A log that nothing was written to yet.
    pub(super) fn new(path: PathBuf, place: Place, syncer: Syncer) -> Self {
        Self { place, path, syncer, journal: None, whole: 0, behind: true, writing_is_here: false }
    }

    /// Opens the log of before, with the bytes of its records.
    pub(super) fn open(path: &Path, syncer: Syncer) -> Result<(Self, Vec<Vec<u8>>), Unreadable> {
        let Opened { journal, records, .. } = Journal::open(path, &syncer)?;
        let first = records.first().ok_or(Unreadable::NoLife)?;
        let Ok(Record::Life(Life { place, .. })) = postcard::from_bytes(first) else { return Err(Unreadable::NoLife) };
        let whole = first.len() as u64;
        let mut log = Self::new(path.to_owned(), place, syncer);
        (log.journal, log.whole, log.behind) = (Some(journal), whole, false);
        Ok((log, records))
    }

    /// What [`Self::open`] takes to open it again.
    pub(super) fn source(&self) -> (&Path, &Syncer) {
        (&self.path, &self.syncer)
    }

    /// Writes a record. Once something could not be written this fails, until [`Self::begin`] did.
    pub(super) fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        let Some(journal) = self.journal.as_mut().filter(|_| !self.behind) else {
            return Err(io::Error::other("an earlier record could not be written"));
        };
        if let Err(error) = journal.append(&record.to_bytes()) {
            tracing::warn!(path = %self.path.display(), %error, "a document's log could not be written");
            self.behind = true;
            return Err(error);
        }
        if matches!(record, Record::Writing(_)) {
            self.writing_is_here = true;
        }
        Ok(())
    }

    /// Whether the whole document has to be written before anything else.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Whether the writing that is under way can be told by [`Record::Written`].
    pub(super) fn knows_writing(&self) -> bool {
        self.writing_is_here
    }

    /// Begins the log anew with a whole document.
    pub(super) fn begin(&mut self, life: Life<'_>) -> io::Result<()> {
        let record = Record::Life(life).to_bytes();
        self.behind = true;
        let journal = Journal::create(&self.path, &[&record], &self.syncer).inspect_err(|error| {
            tracing::warn!(path = %self.path.display(), %error, "a document's log could not be begun");
        })?;
        self.journal = Some(journal);
        self.whole = record.len() as u64;
        self.writing_is_here = false;
        self.behind = false;
        Ok(())
    }

    /// Whether the log is so long that the whole document should take its place.
    pub(super) fn is_long(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.length() > LEAST + GROWTH * self.whole)
    }

    pub(super) fn length(&self) -> u64 {
        self.journal.as_ref().map_or(0, Journal::length)
    }

    /// Takes the whole document, which will stand for everything up to here.
    pub(super) fn compact(&mut self, life: Life<'_>) -> Option<Compaction> {
        let journal = self.journal.as_ref()?.compact();
        self.writing_is_here = false;
        Some(Compaction { journal, record: Record::Life(life).to_bytes() })
    }

    /// Lets a prepared file take the old one's place, unless something else did.
    pub(super) fn take_place(&mut self, prepared: Prepared) -> io::Result<()> {
        if let Some(journal) = self.journal.as_mut().filter(|_| !self.behind)
            && journal.take_place(prepared.compacted)?
        {
            self.whole = prepared.whole;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::frame::LineEnding;

    use super::*;

    #[test]
    fn records_round_trip() {
        let place =
            Place { project: ProjectName::parse("p").unwrap(), path: WorkspacePath::parse("src/a.py").unwrap() };
        let form = Form { eol: LineEnding::CrLf, byte_order_mark: true };
        let path = WorkspacePath::parse("b.py").unwrap();
        let life = Life { epoch: 7, place, form, base: Some("x"), unconfirmed: vec![[3; 32]], state: &[1, 2] };
        for record in [
            Record::Life(life),
            Record::Update(&[1, 2, 3]),
            Record::Writing([9; 32]),
            Record::Written,
            Record::File { form, text: None },
            Record::Moving(path.clone()),
            Record::Moved(path),
        ] {
            let bytes = vec![record.to_bytes()];
            assert_eq!(records(&bytes), [record]);
        }
        assert_eq!(records(&[vec![0xff; 9]]), []);
    }
}
