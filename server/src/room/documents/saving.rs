//! How a document comes into its file, and its file into the document.
//!
//! Text goes to the file after a pause in typing ([`PAUSE`], at most [`LONGEST`] after the first edit), on `save`, and
//! before anything reads the files. A file that something else changed is merged into the document as small edits.

use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{LineEnding, MAX_DOCUMENT, ServerFrame};
use embedenv_shared::id::DocumentId;
use embedenv_shared::link::files::{MAX_READ, Read, StatFile, Version, Write};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::Room;
use super::held::{Held, State};
use crate::link::Link;

/// Typing that pauses for this long is saved.
const PAUSE: Duration = Duration::from_millis(300);
/// Typing that does not pause is saved this long after its first edit.
const LONGEST: Duration = Duration::from_millis(1500);
/// After a save or a write of the log that failed, the next is tried this much later.
pub(super) const RETRY: Duration = Duration::from_secs(2);
/// A file that is gone may be about to be replaced; it is looked for again after this long.
const REPLACED: Duration = Duration::from_millis(150);
/// Times a save meets a file that changed meanwhile before it is put off.
const MERGES: usize = 5;

impl Held {
    /// Writes the document to its file, merging what something else wrote there meanwhile.
    pub(super) async fn save(self: &Arc<Self>, room: &Arc<Room>) -> Result<(), Failure> {
        let _saving = self.saving.lock().await;
        self.write_and_tell(room).await
    }

    /// Has every line of the file end so, and writes it.
    pub(super) async fn end_lines(self: &Arc<Self>, room: &Arc<Room>, eol: LineEnding) -> Result<(), Failure> {
        let _saving = self.saving.lock().await;
        {
            let mut state = self.state.lock();
            match state.document.end_lines(eol) {
                Ok(update) => {
                    if let Some(update) = update {
                        state.feed.push(None, update);
                    }
                }
                Err(error) => {
                    let Some(reason) = error.closes() else { return Err(error.into()) };
                    state.reopen(self.id, reason);
                }
            }
            state.changed(room, self);
        }
        self.write_and_tell(room).await
    }

    /// The caller holds `saving`.
    async fn write_and_tell(self: &Arc<Self>, room: &Arc<Room>) -> Result<(), Failure> {
        let outcome = self.write(room).await;
        let mut state = self.state.lock();
        state.problem = outcome.as_ref().err().map(|failure| failure.message.clone());
        state.feed.tell_standing();
        self.look_after_log(&mut state, room);
        outcome
    }

    async fn write(self: &Arc<Self>, room: &Arc<Room>) -> Result<(), Failure> {
        let link = room.link().await?;
        for _ in 0..MERGES {
            let to_write = {
                let mut state = self.state.lock();
                if state.is_saved() || state.closed {
                    return Ok(());
                }
                let known = match state.version {
                    Some(version) => Some((version, state.hand_out()?, state.changes)),
                    None => None,
                };
                (state.path.clone(), known)
            };
            let (path, Some((expected, content, changes))) = to_write else {
                // The file was read before this server was there: what is in it comes first.
                self.find(room, &link).await?;
                continue;
            };
            let written = content.clone();
            let write =
                Write { project: self.project.clone(), path: path.clone(), content, expected: Some(Some(expected)) };
            match link.call(write).await {
                Ok(done) => {
                    let mut state = self.state.lock();
                    state.version = Some(done.version);
                    state.saved = changes;
                    state.document.saved(&written);
                    return Ok(());
                }
                Err(failure) if matches!(failure.code, ErrorCode::Conflict | ErrorCode::NotFound) => {
                    let merged = self.merge(room, &link, &path).await;
                    if !is_not_found(&merged) {
                        merged?;
                        continue;
                    }
                    // The file went away under its editors: what they have is written anew.
                    let content = self.state.lock().hand_out()?;
                    let write = Write { project: self.project.clone(), path, content, expected: Some(None) };
                    let done = link.call(write).await?;
                    self.state.lock().version = Some(done.version);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::new(ErrorCode::Conflict, "the file keeps changing while it is saved"))
    }

    /// Reads the file of a document that was restored from its log. The caller holds `saving`.
    async fn find(self: &Arc<Self>, room: &Arc<Room>, link: &Link) -> Result<(), Failure> {
        let (path, maybe_at) = {
            let state = self.state.lock();
            (state.path.clone(), state.maybe_at.clone())
        };
        let mut found = self.merge(room, link, &path).await;
        if let Some(maybe_at) = maybe_at
            && is_not_found(&found)
        {
            // The server had ended while it got another name.
            found = self.merge(room, link, &maybe_at).await;
            if found.is_ok() {
                self.state.lock().move_to(self.id, maybe_at);
            }
        }
        if found.is_err() && !is_not_found(&found) {
            // It may be at either, and is looked for at both the next time.
            return found;
        }
        self.state.lock().maybe_at = None;
        if found.is_ok() {
            return found;
        }
        if self.state.lock().is_saved() {
            return Err(Failure::new(ErrorCode::NotFound, format!("{path} is not there")));
        }
        // It is gone, and there are edits of it that were never in it.
        let content = self.state.lock().hand_out()?;
        let write = Write { project: self.project.clone(), path, content, expected: Some(None) };
        let done = link.call(write).await?;
        self.state.lock().version = Some(done.version);
        Ok(())
    }

    /// Brings a document that was restored from its log together with its file. `not_found` if that is gone, and
    /// nothing is lost with it.
    pub(super) async fn meet_file(self: &Arc<Self>, room: &Arc<Room>, link: &Link) -> Result<(), Failure> {
        let _saving = self.saving.lock().await;
        if self.state.lock().version.is_some() {
            return Ok(());
        }
        self.find(room, link).await
    }

    /// Looks at the file and takes over what something else wrote there.
    pub(super) async fn reconcile(self: &Arc<Self>, room: &Arc<Room>) {
        self.reconcile_beside(room, &[]).await;
    }

    /// The same, when these entries of its folder changed together: if the file is gone, one of them may be it.
    pub(super) async fn reconcile_beside(self: &Arc<Self>, room: &Arc<Room>, names: &[String]) {
        let _saving = self.saving.lock().await;
        let Ok(link) = room.link().await else { return };
        let (path, known) = {
            let state = self.state.lock();
            if state.closed {
                return;
            }
            (state.path.clone(), state.version)
        };
        let stat = |path: &WorkspacePath| StatFile { project: self.project.clone(), path: path.clone() };
        let mut stated = link.call(stat(&path)).await;
        if is_not_found(&stated) {
            sleep(REPLACED).await;
            stated = link.call(stat(&path)).await;
        }
        match stated {
            Ok(stated) if Some(stated.version) == known => {}
            Ok(_) => {
                if let Err(failure) = self.merge(room, &link, &path).await {
                    tracing::debug!(room = %room.id, document = %self.id, %failure, "a changed file could not be merged");
                }
            }
            Err(failure) if failure.code == ErrorCode::NotFound && self.state.lock().path == path => {
                for name in names.iter().filter_map(|name| EntryName::parse(name).ok()) {
                    let Ok(to) = path.with_name(&name) else { continue };
                    let is_it = link.call(stat(&to)).await.is_ok_and(|there| Some(there.version) == known);
                    if is_it && to != path && !room.documents.is_held(&self.project, &to) {
                        return self.state.lock().move_to(self.id, to);
                    }
                }
                if self.state.lock().is_saved() {
                    room.documents.removed(&self.project, &path, "The file was deleted.");
                } else if let Err(failure) = self.write_and_tell(room).await {
                    // What people were told is held is not thrown away with the file; the saver goes on trying.
                    tracing::debug!(room = %room.id, document = %self.id, %failure, "a deleted file could not be written anew");
                }
            }
            Err(_) => {}
        }
    }

    /// Merges the file's content into the document. The caller holds `saving`.
    async fn merge(self: &Arc<Self>, room: &Arc<Room>, link: &Link, path: &WorkspacePath) -> Result<(), Failure> {
        let (version, bytes) = read_file(link, &self.project, path).await?;
        let mut state = self.state.lock();
        match state.document.merge_file(&bytes, version.size) {
            Ok(update) => {
                state.version = Some(version);
                if let Some(update) = update {
                    state.feed.push(None, update);
                }
                if state.document.to_file() == bytes {
                    state.saved = state.changes;
                } else {
                    state.changed(room, self);
                }
                state.feed.tell_standing();
                Ok(())
            }
            Err(error) => {
                let Some(reason) = error.closes() else {
                    state.close(self.id, "The file was replaced by something that can't be edited here.");
                    drop(state);
                    room.documents.forget(self.id);
                    return Err(error.into());
                };
                state.version = Some(version);
                state.reopen(self.id, reason);
                state.changed(room, self);
                Ok(())
            }
        }
    }

    /// Saves after a pause, until everything is saved.
    async fn keep_saved(self: Arc<Self>, room: Arc<Room>) {
        loop {
            let due = {
                let mut state = self.state.lock();
                if state.is_saved() || state.closed {
                    state.saver_runs = false;
                    return;
                }
                (state.last_change + PAUSE).min(state.first_unsaved + LONGEST)
            };
            if due > Instant::now() {
                sleep_until(due).await;
                continue;
            }
            if self.save(&room).await.is_err() {
                if room.is_closing() {
                    // The log has it.
                    self.state.lock().saver_runs = false;
                    return;
                }
                sleep(RETRY).await;
            }
        }
    }
}

impl State {
    /// The document has edits that are not in its file.
    pub(super) fn changed(&mut self, room: &Arc<Room>, held: &Arc<Held>) {
        let now = Instant::now();
        self.last_change = now;
        let was_saved = self.is_saved();
        self.changes += 1;
        if was_saved {
            self.first_unsaved = now;
            self.feed.tell_standing();
        }
        if !self.saver_runs {
            self.saver_runs = true;
            room.spawn("document saver", held.clone().keep_saved(room.clone()));
        }
    }

    /// The file has another path.
    pub(super) fn move_to(&mut self, id: DocumentId, path: WorkspacePath) {
        self.document.moved(&path);
        self.path = path.clone();
        self.feed.tell(&ServerFrame::DocumentMoved { document: id, path });
    }

    /// The document goes on in another life: whoever has it open has to open it again.
    pub(super) fn reopen(&mut self, id: DocumentId, reason: &str) {
        self.feed.end(&ServerFrame::DocumentClosed { document: id, reason: reason.to_owned() }, reason);
    }

    pub(super) fn close(&mut self, id: DocumentId, reason: &str) {
        self.closed = true;
        self.reopen(id, reason);
    }
}

fn is_not_found<T>(outcome: &Result<T, Failure>) -> bool {
    outcome.as_ref().is_err_and(|failure| failure.code == ErrorCode::NotFound)
}

/// A file's content and version, at most a little more than a document may have.
pub(super) async fn read_file(
    link: &Link,
    project: &ProjectName,
    path: &WorkspacePath,
) -> Result<(Version, Vec<u8>), Failure> {
    'again: for _ in 0..MERGES {
        let mut bytes = Vec::new();
        let mut first = None;
        loop {
            let offset = bytes.len() as u64;
            let read = Read { project: project.clone(), path: path.clone(), offset, length: MAX_READ };
            let content = link.call(read).await?;
            let version = *first.get_or_insert(content.version);
            if content.version != version {
                continue 'again;
            }
            let last = content.bytes.is_empty();
            bytes.extend_from_slice(&content.bytes);
            if last || bytes.len() as u64 >= version.size || bytes.len() as u64 > MAX_DOCUMENT {
                return Ok((version, bytes));
            }
        }
    }
    Err(Failure::new(ErrorCode::Conflict, format!("{path} keeps changing while it is read")))
}
