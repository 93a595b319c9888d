//! A document and its log: what is written when, and how a document is made of its log again.

use std::io;
use std::path::{Path, PathBuf};

use embedenv_shared::path::WorkspacePath;

use super::log::{Life, Unreadable, records};
use super::*;
use crate::journal::Syncer;

/// A document as its log had it.
#[derive(Debug)]
pub struct Restored {
    pub document: Document,
    /// Whether its file has everything, as far as the log knows.
    pub is_saved: bool,
    /// A path that its file may have got just before the server ended.
    pub maybe_at: Option<WorkspacePath>,
}

impl Document {
    /// Keeps a log from here on, in a new file at `path`.
    pub fn log_to(&mut self, path: PathBuf, place: Place, syncer: Syncer) -> Result<(), DocumentError> {
        self.log = Some(Log::new(path, place, syncer));
        self.begin_log();
        if self.is_kept() { Ok(()) } else { Err(DocumentError::NotKept) }
    }

    /// Makes a document of its log, and goes on writing it.
    pub fn restore(path: &Path, syncer: Syncer) -> Result<Restored, Unreadable> {
        let (mut log, bytes) = Log::open(path, syncer)?;
        let mut records = records(&bytes).into_iter();
        let Some(Record::Life(life)) = records.next() else { return Err(Unreadable::NoLife) };
        let records: Vec<Record<'_>> = records.collect();
        // The text is made where it is needed: at the writing that the last word on the file is about.
        let last_word = records.iter().rposition(|record| matches!(record, Record::Written | Record::File { .. }));
        let base_at = last_word.and_then(|at| match records[at] {
            Record::Written => records[..at].iter().rposition(|record| matches!(record, Record::Writing(_))),
            _ => Some(at),
        });
        let mut document = Self::of(String::new(), life.form, None);
        (document.epoch, document.unconfirmed) = (life.epoch, life.unconfirmed);
        document.replay(life.state)?;
        match life.base {
            Some(base) => base.clone_into(&mut document.base),
            None => document.base = document.text(),
        }
        let mut place = life.place;
        let mut maybe_at = None;
        for (at, record) in records.into_iter().enumerate() {
            if Some(at) == base_at && !matches!(record, Record::File { text: Some(_), .. }) {
                document.base = document.text();
            }
            match record {
                Record::Life(_) => return Err(Unreadable::NoLife),
                Record::Update(update) => document.replay(update)?,
                Record::Writing(fingerprint) => document.unconfirmed.push(fingerprint),
                Record::Written => document.unconfirmed.clear(),
                Record::File { form, text } => {
                    document.unconfirmed.clear();
                    document.form = form;
                    if let Some(text) = text.filter(|_| Some(at) == base_at) {
                        text.clone_into(&mut document.base);
                    }
                }
                Record::Moving(path) => maybe_at = Some(path),
                Record::Moved(path) => (place.path, maybe_at) = (path, None),
            }
        }
        let excess = document.unconfirmed.len().saturating_sub(MAX_UNCONFIRMED);
        document.unconfirmed.drain(..excess);
        let text = document.text();
        document.most_bytes = text.len() as u64;
        let is_saved = text == document.base;
        log.place = place;
        document.log = Some(log);
        Ok(Restored { document, is_saved, maybe_at })
    }

    /// Takes an update that was taken before.
    fn replay(&mut self, update: &[u8]) -> Result<(), Unreadable> {
        let plan = Update::read(update, usize::MAX).and_then(|update| update.plan(&self.clocks, self.replica.client()));
        let plan = plan.map_err(|_| Unreadable::BadUpdate)?;
        self.replica.apply(&update::encode(&plan.structs, &plan.deletions)).map_err(|_| Unreadable::BadUpdate)?;
        self.most_blocks += 3 * plan.structs.len() + 2 * plan.deletions.len();
        self.clocks.extend(&plan.clocks);
        Ok(())
    }

    /// Which file it is of, while it has a log.
    pub fn place(&self) -> Option<&Place> {
        self.log.as_ref().map(|log| &log.place)
    }

    /// Whether everything is in the log; a document without one has nothing to keep.
    pub fn is_kept(&self) -> bool {
        self.log.as_ref().is_none_or(|log| !log.is_behind())
    }

    /// Bytes of its log.
    pub fn log_length(&self) -> u64 {
        self.log.as_ref().map_or(0, Log::length)
    }

    /// Writes everything into the log, if something could not be written. Says whether all is there now.
    pub fn catch_up(&mut self) -> bool {
        if !self.is_kept() {
            self.begin_log();
        }
        self.is_kept()
    }

    /// What may be told, and written to the file, is written down first.
    pub(super) fn be_kept(&mut self) -> Result<(), DocumentError> {
        if self.catch_up() { Ok(()) } else { Err(DocumentError::NotKept) }
    }

    /// The text that its log makes.
    pub(super) fn logged_text(&self) -> Option<String> {
        let (path, syncer) = self.log.as_ref()?.source();
        match Self::restore(path, syncer.clone()) {
            Ok(Restored { document, .. }) => Some(document.text()),
            Err(error) => {
                tracing::error!(path = %path.display(), error = %crate::telemetry::chain(&error), "a broken document's log can't be used");
                None
            }
        }
    }

    /// The file is about to get another path.
    pub fn moving(&mut self, to: &WorkspacePath) {
        self.note(&Record::Moving(to.clone()));
    }

    /// The file has another path.
    pub fn moved(&mut self, to: &WorkspacePath) {
        if let Some(log) = &mut self.log {
            log.place.path = to.clone();
        }
        self.note(&Record::Moved(to.clone()));
    }

    /// What is to be written in place of a log that has grown long, if this is a good time.
    pub fn compaction(&mut self) -> Option<Compaction> {
        // A write that is under way is told of by what stands in the log.
        if !self.unconfirmed.is_empty() || !self.log.as_ref()?.is_long() {
            return None;
        }
        let state = self.lacked_by(&[]).ok()?;
        let text = self.text();
        let Self { epoch, form, base, log, .. } = self;
        let log = log.as_mut()?;
        let base = (*base != text).then_some(base.as_str());
        let life =
            Life { epoch: *epoch, place: log.place.clone(), form: *form, base, unconfirmed: Vec::new(), state: &state };
        log.compact(life)
    }

    /// The shorter log is written.
    pub fn compacted(&mut self, prepared: Prepared) -> io::Result<()> {
        match &mut self.log {
            Some(log) => log.take_place(prepared),
            None => Ok(()),
        }
    }

    /// Writes an update that was taken just now. If that can't be done, nobody may hear of it until [`Self::catch_up`]
    /// has written everything.
    pub(super) fn keep(&mut self, update: &[u8]) -> Result<(), DocumentError> {
        match &mut self.log {
            // With everything else.
            Some(log) if log.is_behind() => self.begin_log(),
            // It remembers that it is behind.
            Some(log) => drop(log.append(&Record::Update(update))),
            None => {}
        }
        if self.is_kept() { Ok(()) } else { Err(DocumentError::NotKept) }
    }

    /// Writes something that holds already. If that can't be done, everything is written before the next edit.
    pub(super) fn note(&mut self, record: &Record<'_>) {
        if let Some(log) = &mut self.log {
            // It remembers that it is behind.
            let _ = log.append(record);
        }
    }

    /// Writes that the file has what was handed out last.
    pub(super) fn note_written(&mut self) {
        let Self { log: Some(log), form, base, .. } = self else { return };
        let record = if log.knows_writing() { Record::Written } else { Record::File { form: *form, text: Some(base) } };
        let _ = log.append(&record);
    }

    /// Writes what the file was found to have; `text` is the document's.
    pub(super) fn note_file(&mut self, text: &str) {
        let Self { log: Some(log), form, base, .. } = self else { return };
        let _ = log.append(&Record::File { form: *form, text: (base != text).then_some(base) });
    }

    /// Begins the log anew with the document as it is.
    pub(super) fn begin_log(&mut self) {
        if self.log.is_none() {
            return;
        }
        let text = self.text();
        // A replica that breaks on this begins the log anew by itself.
        let Ok(state) = self.lacked_by(&[]) else { return };
        let Self { epoch, form, base, unconfirmed, log: Some(log), .. } = self else { return };
        let base = (*base != text).then_some(base.as_str());
        let (epoch, form, place, unconfirmed) = (*epoch, *form, log.place.clone(), unconfirmed.clone());
        let _ = log.begin(Life { epoch, place, form, base, unconfirmed, state: &state });
    }
}
