//! Where the journals of a room are: one folder for each room in the data directory, with one file for each document, one
//! of who may come back, one of whose terminals are and one of what happened. Knows names of files and nothing of what is
//! in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use embedenv_shared::id::{DocumentId, RoomId};

use crate::journal::{self, Syncer};

const FOLDER: &str = "journals";
const PEOPLE: &str = "people.log";
const EVENTS: &str = "events.log";
const TERMINALS: &str = "terminals.log";
const PREVIEWS: &str = "previews.log";
const EXTENSION: &str = "log";
/// What a document's file was at first stands beside its log.
const FIRST: &str = "first";
/// What a log is called that could not be read; kept for a person to look at.
const UNREADABLE: &str = "unreadable";

/// The logs of every room.
#[derive(Debug, Clone)]
pub struct Stores {
    folder: PathBuf,
    syncer: Syncer,
}

/// The logs of one room.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    pub(in crate::room) syncer: Syncer,
}

impl Stores {
    pub fn new(data_dir: &Path, syncer: Syncer) -> Self {
        Self { folder: data_dir.join(FOLDER), syncer }
    }

    pub fn of(&self, room: RoomId) -> Store {
        Store { folder: self.folder.join(room.to_string()), syncer: self.syncer.clone() }
    }

    /// Removes what a room left.
    pub fn erase(&self, room: RoomId) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(self.folder.join(room.to_string())))
    }

    /// Removes what was to take the place of journals when an earlier server ended. Before anything is written.
    pub fn clear_unfinished(&self) -> io::Result<()> {
        for room in self.rooms()? {
            let folder = self.of(room).folder;
            for name in names(&folder)?.iter().filter(|name| journal::is_unfinished(name)) {
                absent_is_fine(fs::remove_file(folder.join(name)))?;
            }
        }
        Ok(())
    }

    /// The rooms that have left something.
    pub fn rooms(&self) -> io::Result<Vec<RoomId>> {
        Ok(names(&self.folder)?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Brings everything appended so far to the disk.
    pub async fn flush(&self) {
        self.syncer.flush().await;
    }
}

impl Store {
    /// Who may come back.
    pub(in crate::room) fn people(&self) -> PathBuf {
        self.folder.join(PEOPLE)
    }

    /// Whose terminals are.
    pub(in crate::room) fn terminals(&self) -> PathBuf {
        self.folder.join(TERMINALS)
    }

    /// Who may see ports.
    pub(in crate::room) fn previews(&self) -> PathBuf {
        self.folder.join(PREVIEWS)
    }

    /// What happened.
    pub(in crate::room) fn events(&self) -> PathBuf {
        self.folder.join(EVENTS)
    }

    pub(super) fn path(&self, document: DocumentId) -> PathBuf {
        self.folder.join(format!("{document}.{EXTENSION}"))
    }

    /// Keeps what a document's file was when it was opened first. Without it, people see what has changed since later.
    pub(super) fn keep_first(&self, document: DocumentId, text: &str) {
        if let Err(error) = fs::write(self.path(document).with_extension(FIRST), text) {
            tracing::warn!(%document, %error, "what a file was at first could not be kept");
        }
    }

    /// What a document's file was when it was opened first, if that is known.
    pub(super) fn first(&self, document: DocumentId) -> Option<String> {
        fs::read_to_string(self.path(document).with_extension(FIRST)).ok()
    }

    pub(super) fn make_folder(&self) -> io::Result<()> {
        journal::make_folder(&self.folder)
    }

    /// The documents that have a log, in order.
    pub(super) fn list(&self) -> io::Result<Vec<DocumentId>> {
        let number = |name: &String| Some(DocumentId(name.strip_suffix(&format!(".{EXTENSION}"))?.parse().ok()?));
        let mut documents: Vec<DocumentId> = names(&self.folder)?.iter().filter_map(number).collect();
        documents.sort_unstable();
        Ok(documents)
    }

    pub(super) fn remove(&self, document: DocumentId) {
        let log = self.path(document);
        for path in [log.with_extension(FIRST), log] {
            if let Err(error) = absent_is_fine(fs::remove_file(path)) {
                tracing::warn!(%document, %error, "a document's log could not be removed");
            }
        }
    }

    /// Puts a log that can't be read out of the way.
    pub(super) fn set_aside(&self, document: DocumentId) {
        let path = self.path(document);
        if let Err(error) = fs::rename(&path, path.with_extension(UNREADABLE)) {
            tracing::error!(path = %path.display(), %error, "an unreadable log could not be put out of the way");
        }
    }
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The names in a folder; none if there is no folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_server_left_unfinished_is_removed_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let stores = Stores::new(data.path(), Syncer::default());
        stores.clear_unfinished().unwrap();
        let store = stores.of(RoomId([7; _]));
        store.make_folder().unwrap();
        for name in ["1.log", "2.unreadable", "1.new", "1.7.new", "people.0.new"] {
            fs::write(store.folder.join(name), "x").unwrap();
        }
        stores.clear_unfinished().unwrap();
        let mut left = names(&store.folder).unwrap();
        left.sort_unstable();
        assert_eq!(left, ["1.log", "2.unreadable"]);
    }
}
