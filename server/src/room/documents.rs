//! The documents of a room: files that somebody has open, or had, each a Yjs document that is kept the same as its file.
//!
//! A document lives as long as its room: its log keeps it when nobody has it open, when the room sleeps and when the
//! server ends, so that who comes back with edits of an hour ago finds what they are edits of. In memory are those that
//! somebody has open and those that were a while ago. What a document is and what a client may do to it is
//! [`super::document`]'s.
//!
//! Task tree: for each document in memory one `document saver` while it has edits that are not in its file, one `document
//! reconcile` for each change told of its file, and one `document log` while its log is written anew; for all of them one
//! `document watch` after a new link and after a move.

mod feed;
mod held;
mod presence;
mod saving;
mod store;
mod whereabouts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::frame::{LineEnding, ServerFrame};
use embedenv_shared::id::DocumentId;
use embedenv_shared::link::files::{Changed, List};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, OwnedMutexGuard};

use super::Room;
use super::document::{Document, Opening, Place, Restored};
use super::members::Member;
use crate::link::Link;
use held::State;
pub use held::{Held, Outgoing};
use saving::read_file;
pub use store::{Store, Stores};

/// Documents one room has, in memory or in logs; the oldest that nobody has open makes room, and with none of these it
/// is `limit_reached`.
const MAX_DOCUMENTS: usize = 256;
/// Bytes of logs one room has; with more, those of documents that nobody has open go, the oldest first.
const MAX_LOGS: u64 = 256 * 1024 * 1024;
/// A document that nobody has had open for this long is in its log alone.
const UNLOAD: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub struct Documents {
    store: Arc<Store>,
    inner: Mutex<Inner>,
    /// Held while a file becomes a document, so that two who open it get the same one.
    opening: tokio::sync::Mutex<()>,
    /// Filled once the logs of before were looked at.
    recovered: OnceCell<()>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u32,
    held: BTreeMap<DocumentId, Arc<Held>>,
    stored: BTreeMap<DocumentId, Stored>,
}

/// A document that is in its log alone. Its file has everything.
#[derive(Debug)]
struct Stored {
    place: Place,
    length: u64,
}

impl Documents {
    pub fn new(store: Store) -> Self {
        Self {
            store: Arc::new(store),
            inner: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            recovered: OnceCell::new(),
        }
    }

    /// Opens a file as a document for a member and tells it what it is.
    pub async fn open(
        &self,
        room: &Arc<Room>,
        member: &Member,
        id: Option<FrameId>,
        project: ProjectName,
        path: WorkspacePath,
    ) -> Result<(), Failure> {
        let held = self.held(room, &project, &path).await?;
        held.add_reader(member, |epoch, read_only| ServerFrame::Opened {
            id,
            document: held.id,
            project,
            path,
            epoch,
            read_only,
        });
        member.edit(held);
        Ok(())
    }

    /// Opens a file for an editor of another make, which has what it has of the life `epoch` and knows no other.
    pub async fn open_for_editor(
        &self,
        room: &Arc<Room>,
        member: &Member,
        project: &ProjectName,
        path: &WorkspacePath,
        epoch: u64,
    ) -> Result<(), Failure> {
        let held = self.held(room, project, path).await?;
        held.add_editor(member, epoch)?;
        member.edit(held);
        Ok(())
    }

    /// Which life a file's document lives.
    pub async fn epoch(&self, room: &Arc<Room>, project: &ProjectName, path: &WorkspacePath) -> Result<u64, Failure> {
        let held = self.held(room, project, path).await?;
        let epoch = held.state.lock().document.epoch();
        Ok(epoch)
    }

    /// The document of a file, in memory.
    pub async fn held(
        &self,
        room: &Arc<Room>,
        project: &ProjectName,
        path: &WorkspacePath,
    ) -> Result<Arc<Held>, Failure> {
        let link = room.link().await?;
        self.recover(room).await;
        let _opening = self.opening.lock().await;
        if let Some(held) = self.find(project, path) {
            if held.watch(&link).await? {
                held.reconcile(room).await;
            }
            return Ok(held);
        }
        if let Some(parent) = path.parent() {
            // Before the file is read: a change after it is told.
            link.call(List { project: project.clone(), path: parent, after: None, watch: true }).await?;
        }
        if let Some(id) = self.stored_of(project, path)
            && let Some(held) = self.load(room, id).await
        {
            match held.meet_file(room, &link).await {
                Ok(()) => {
                    held.watch(&link).await?;
                    return Ok(held);
                }
                Err(failure) if failure.code == ErrorCode::NotFound => self.forget(id),
                // It is something else now.
                Err(_) if held.state.lock().closed => {}
                // It can't be told now what it is, and the log has its past.
                Err(failure) => return Err(failure),
            }
        }
        let held = self.read(&link, project.clone(), path.clone()).await?;
        held.watch(&link).await?;
        Ok(held)
    }

    /// Another link to a sandbox: its agent looks at nothing yet, and nobody has told what happened before.
    pub(super) async fn watch_again(&self, room: &Arc<Room>, link: &Arc<Link>) {
        for held in self.all() {
            match held.watch(link).await {
                Ok(true) => held.reconcile(room).await,
                Ok(false) => {}
                Err(failure) => {
                    tracing::debug!(room = %room.id, document = %held.id, %failure, "a file could not be watched");
                }
            }
        }
    }

    /// Reads a file and makes it a document of this room.
    async fn read(&self, link: &Link, project: ProjectName, path: WorkspacePath) -> Result<Arc<Held>, Failure> {
        self.make_room()?;
        let (version, bytes) = read_file(link, &project, &path).await?;
        let (mut document, read_only) = match Document::from_file(&bytes, version.size) {
            Opening::Editable(document) => (document, None),
            Opening::ReadOnly { document, why } => (document, Some(why)),
        };
        let mut inner = self.inner.lock();
        let id = DocumentId(inner.last + 1);
        if read_only.is_none() {
            let place = Place { project: project.clone(), path: path.clone() };
            let begun = match self.store.make_folder() {
                Ok(()) => document.log_to(self.store.path(id), place, self.store.syncer.clone()).map_err(Failure::from),
                Err(error) => Err(Failure::new(ErrorCode::Unavailable, format!("the server can't write: {error}"))),
            };
            begun?;
            self.store.keep_first(id, &document.text());
        }
        inner.last = id.0;
        let held = Held::new(id, project, State { read_only, ..State::new(path, document, Some(version)) });
        inner.held.insert(id, held.clone());
        Ok(held)
    }

    /// Looks at the logs that an earlier server left. Documents with edits that are not in their files come into memory,
    /// and with that into their files.
    async fn recover(&self, room: &Arc<Room>) {
        let look = async {
            let store = self.store.clone();
            let logs = tokio::task::spawn_blocking(move || restore_all(&store)).await.unwrap_or_default();
            let mut unsaved = Vec::new();
            {
                let mut inner = self.inner.lock();
                for (id, restored) in logs {
                    inner.last = inner.last.max(id.0);
                    let Some(place) = restored.document.place().cloned() else { continue };
                    if restored.is_saved && restored.maybe_at.is_none() {
                        let length = restored.document.log_length();
                        inner.stored.insert(id, Stored { place, length });
                    } else {
                        let held = held_again(id, place, restored);
                        inner.held.insert(id, held.clone());
                        unsaved.push(held);
                    }
                }
            }
            for held in unsaved {
                let mut state = held.state.lock();
                if !state.is_saved() {
                    state.changed(room, &held);
                }
            }
        };
        self.recovered.get_or_init(|| look).await;
    }

    /// Brings a document from its log into memory.
    async fn load(&self, room: &Arc<Room>, id: DocumentId) -> Option<Arc<Held>> {
        let store = self.store.clone();
        let restored = tokio::task::spawn_blocking(move || restore(&store, id)).await.ok()?;
        let mut inner = self.inner.lock();
        let Some(stored) = inner.stored.remove(&id) else { return inner.held.get(&id).cloned() };
        let held = held_again(id, stored.place, restored?);
        inner.held.insert(id, held.clone());
        drop(inner);
        let mut state = held.state.lock();
        if !state.is_saved() {
            state.changed(room, &held);
        }
        drop(state);
        Some(held)
    }

    /// Messages of the sync protocol from a member that has the document open.
    pub fn receive(
        &self,
        room: &Arc<Room>,
        member: &Member,
        id: DocumentId,
        messages: &[&[u8]],
    ) -> Result<(), Failure> {
        let Some(held) = member.editing().into_iter().find(|held| held.id == id) else {
            let message = format!("document {id} is not open on this connection");
            return Err(Failure::new(ErrorCode::NotFound, message));
        };
        match held.receive(room, member, messages) {
            // Told here, so that the messages behind it are taken all the same.
            Err(Failure { code, message }) if member.is_full() => {
                member.outbox.send(&ServerFrame::Error { code, message, id: None });
                Ok(())
            }
            outcome => outcome,
        }
    }

    pub fn close(&self, member: &Member, id: DocumentId) {
        if let Some(held) = member.stop_editing(id) {
            held.remove_reader(member.id);
        }
    }

    /// Writes one document to its file now.
    pub async fn save(&self, room: &Arc<Room>, id: DocumentId) -> Result<(), Failure> {
        let held = self.get(id)?;
        held.check_editable()?;
        held.save(room).await
    }

    /// Has every line of a document's file end so, and writes it.
    pub async fn end_lines(&self, room: &Arc<Room>, id: DocumentId, eol: LineEnding) -> Result<(), Failure> {
        let held = self.get(id)?;
        held.check_editable()?;
        held.end_lines(room, eol).await
    }

    /// What a file was when somebody in the room opened it first; `None` if it is so still.
    pub async fn first_text(&self, id: DocumentId) -> Result<Option<String>, Failure> {
        let held = self.get(id)?;
        held.check_editable()?;
        let store = self.store.clone();
        let first = tokio::task::spawn_blocking(move || store.first(id)).await.ok().flatten();
        let missing = || Failure::new(ErrorCode::NotFound, "it is not known what the file was at first");
        let first = first.ok_or_else(missing)?;
        Ok(Some(first).filter(|first| *first != held.state.lock().document.text()))
    }

    /// Writes every document with edits to its file before a program is given these bytes, if they end a line and with
    /// that may be a command. What else is typed never waits.
    pub async fn flush_before_line(&self, room: &Arc<Room>, typed: &[u8]) {
        let is_line = typed.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if is_line && !(self.recovered.initialized() && self.all().iter().all(|held| held.state.lock().is_saved())) {
            self.flush(room).await;
        }
    }

    /// Writes every document with edits to its file, before something reads the files.
    pub async fn flush(&self, room: &Arc<Room>) {
        self.recover(room).await;
        for held in self.all() {
            if !held.state.lock().is_saved()
                && let Err(failure) = held.save(room).await
            {
                tracing::warn!(room = %room.id, document = %held.id, %failure, "a document could not be saved");
            }
        }
    }

    /// Leaves documents to their logs that nobody has had open for a while; with `at_once`, however short it was.
    pub fn unload(&self, at_once: bool) {
        let mut inner = self.inner.lock();
        let unread: Vec<Arc<Held>> = inner
            .held
            .values()
            .filter(|held| {
                let state = held.state.lock();
                let is_due = at_once || state.unread_since.elapsed() >= UNLOAD;
                is_due && state.feed.is_empty() && state.is_saved() && state.document.is_kept()
            })
            .cloned()
            .collect();
        for held in unread {
            inner.held.remove(&held.id);
            let mut state = held.state.lock();
            // Whoever still has it in hand leaves the log alone.
            state.closed = true;
            if let Some(place) = state.document.place().cloned() {
                inner.stored.insert(held.id, Stored { place, length: state.document.log_length() });
            }
        }
    }

    /// The agent told that a folder changed: documents of files in it look at their files.
    pub(super) fn changed(&self, room: &Arc<Room>, changed: &Changed) {
        for held in self.all() {
            let concerned = {
                let state = held.state.lock();
                held.project == changed.project
                    && state.path.parent().as_ref() == Some(&changed.path)
                    && (changed.names.is_empty()
                        || changed.names.iter().any(|name| Some(name.as_str()) == state.path.name()))
            };
            if concerned {
                let (room, names) = (room.clone(), changed.names.clone());
                room.clone().spawn("document reconcile", async move { held.reconcile_beside(&room, &names).await });
            }
        }
    }

    /// Documents of these files look at their files now.
    pub async fn reconcile_all(&self, room: &Arc<Room>, project: &ProjectName, paths: &[WorkspacePath]) {
        for path in paths {
            if let Some(held) = self.find(project, path) {
                held.reconcile(room).await;
            }
        }
    }

    /// Keeps documents at an entry and beneath it from reading and writing their files, while it gets another name. They
    /// would look for them under the old one, and write them anew there.
    pub(super) async fn hold(
        &self,
        room: &Arc<Room>,
        project: &ProjectName,
        from: &WorkspacePath,
        to: &WorkspacePath,
    ) -> Vec<OwnedMutexGuard<()>> {
        for id in self.stored_at(project, from) {
            self.load(room, id).await;
        }
        let mut guards = Vec::new();
        // In the order of their numbers, so that two of these never wait for each other.
        for held in self.all().into_iter().filter(|held| held.project == *project) {
            if !held.state.lock().path.is_within(from) {
                continue;
            }
            guards.push(held.saving.clone().lock_owned().await);
            let mut state = held.state.lock();
            if let Some(path) = moved_path(&state.path, from, to) {
                state.document.moving(&path);
            }
        }
        guards
    }

    /// An entry got another name: documents at it and beneath it follow.
    pub(super) fn moved(&self, room: &Arc<Room>, project: &ProjectName, from: &WorkspacePath, to: &WorkspacePath) {
        for held in self.all().into_iter().filter(|held| held.project == *project) {
            let mut state = held.state.lock();
            if let Some(path) = moved_path(&state.path, from, to) {
                state.move_to(held.id, path);
            }
        }
        if let Some(link) = room.sandbox.link_now() {
            let of = room.clone();
            room.spawn("document watch", async move { of.documents.watch_again(&of, &link).await });
        }
    }

    /// An entry was deleted: documents at it and beneath it are closed.
    pub(super) fn removed(&self, project: &ProjectName, path: &WorkspacePath, reason: &str) {
        for id in self.stored_at(project, path) {
            self.forget(id);
        }
        for held in self.all().into_iter().filter(|held| held.project == *project) {
            let mut state = held.state.lock();
            if state.path.is_within(path) {
                state.close(held.id, reason);
                drop(state);
                self.forget(held.id);
            }
        }
    }

    /// Whether a document's file stands in this folder.
    pub fn any_in(&self, project: &ProjectName, folder: &WorkspacePath) -> bool {
        self.all()
            .iter()
            .any(|held| held.project == *project && held.state.lock().path.parent().as_ref() == Some(folder))
    }

    /// There is no such document any more, and no log of it.
    fn forget(&self, id: DocumentId) {
        let mut inner = self.inner.lock();
        let held = inner.held.remove(&id);
        inner.stored.remove(&id);
        self.store.remove(id);
        drop(inner);
        if let Some(held) = held {
            // Whoever still has it in hand begins no log again.
            held.state.lock().closed = true;
        }
    }

    fn get(&self, id: DocumentId) -> Result<Arc<Held>, Failure> {
        let missing = || Failure::new(ErrorCode::NotFound, format!("there is no document {id}"));
        self.inner.lock().held.get(&id).cloned().ok_or_else(missing)
    }

    /// Whether a document in memory is of this file.
    pub(super) fn is_held(&self, project: &ProjectName, path: &WorkspacePath) -> bool {
        self.find(project, path).is_some()
    }

    fn find(&self, project: &ProjectName, path: &WorkspacePath) -> Option<Arc<Held>> {
        self.all().into_iter().find(|held| held.project == *project && held.state.lock().path == *path)
    }

    fn all(&self) -> Vec<Arc<Held>> {
        self.inner.lock().held.values().cloned().collect()
    }

    /// Documents in logs alone whose files are an entry or beneath it.
    fn stored_at(&self, project: &ProjectName, path: &WorkspacePath) -> Vec<DocumentId> {
        let inner = self.inner.lock();
        let here = |stored: &Stored| stored.place.project == *project && stored.place.path.is_within(path);
        inner.stored.iter().filter(|(_, stored)| here(stored)).map(|(id, _)| *id).collect()
    }

    /// The document in a log alone of this very file.
    fn stored_of(&self, project: &ProjectName, path: &WorkspacePath) -> Option<DocumentId> {
        let inner = self.inner.lock();
        let here = |stored: &Stored| stored.place.project == *project && stored.place.path == *path;
        inner.stored.iter().find(|(_, stored)| here(stored)).map(|(id, _)| *id)
    }

    /// Makes room for one more document: those in logs alone go first, then those that nobody has open.
    fn make_room(&self) -> Result<(), Failure> {
        let is_full = |inner: &Inner| {
            let held = inner.held.values().map(|held| held.state.lock().document.log_length());
            let bytes: u64 = held.chain(inner.stored.values().map(|stored| stored.length)).sum();
            inner.held.len() + inner.stored.len() >= MAX_DOCUMENTS || bytes > MAX_LOGS
        };
        loop {
            let inner = self.inner.lock();
            if !is_full(&inner) {
                return Ok(());
            }
            if inner.stored.is_empty() {
                drop(inner);
                self.unload(true);
            } else {
                drop(inner);
            }
            let oldest = self.inner.lock().stored.keys().next().copied();
            match oldest {
                Some(id) => self.forget(id),
                None => {
                    let message = format!("the room has as many files open as it may have ({MAX_DOCUMENTS})");
                    return Err(Failure::new(ErrorCode::LimitReached, message));
                }
            }
        }
    }
}

fn moved_path(path: &WorkspacePath, from: &WorkspacePath, to: &WorkspacePath) -> Option<WorkspacePath> {
    if !path.is_within(from) {
        return None;
    }
    WorkspacePath::parse(&format!("{to}{}", &path.as_str()[from.as_str().len()..])).ok()
}

/// A document of a log, in memory again.
fn held_again(id: DocumentId, place: Place, restored: Restored) -> Arc<Held> {
    let Restored { document, is_saved, maybe_at } = restored;
    let state = State { maybe_at, ..State::new(place.path, document, None) };
    let held = Held::new(id, place.project, state);
    if !is_saved {
        held.state.lock().changes = 1;
    }
    held
}

/// The documents of all logs that can be read.
fn restore_all(store: &Store) -> Vec<(DocumentId, Restored)> {
    let listed = store.list().unwrap_or_else(|error| {
        tracing::error!(%error, "the logs of a room's documents can't be listed");
        Vec::new()
    });
    listed.into_iter().filter_map(|id| Some((id, restore(store, id)?))).collect()
}

/// The document of a log. One that can't be read is put out of the way: its file is there.
fn restore(store: &Store, id: DocumentId) -> Option<Restored> {
    match Document::restore(&store.path(id), store.syncer.clone()) {
        Ok(restored) => Some(restored),
        Err(error) => {
            tracing::error!(document = %id, error = %crate::telemetry::chain(&error), "a document's log can't be used");
            store.set_aside(id);
            None
        }
    }
}
