//! The documents of a room: files that somebody has open, each held as a Yjs document, and kept the same as the file.
//!
//! Text goes to the file after a pause in typing ([`PAUSE`], at most [`LONGEST`] after the first edit), on `save`, and
//! before anything reads the files ([`Documents::flush`]). A file that something else changed is merged into the
//! document as small edits. What a document is and what a client may do to it is [`super::document`]'s.
//!
//! Task tree: one `document saver` for each document with edits that are not in its file, and one `document reconcile`
//! for each change told of an open file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::frame::{BinaryFrame, MAX_DOCUMENT, ReadOnly, ServerFrame};
use embedenv_shared::id::{DocumentId, MemberId};
use embedenv_shared::link::files::{Changed, List, MAX_READ, Read, StatFile, Version, Write};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep, sleep_until};

use super::Room;
use super::document::{Document, Opening, Received};
use super::members::Member;
use super::outbox::{Message, Outbox};
use crate::link::Link;
use crate::policy::Capability;

/// Typing that pauses for this long is saved.
const PAUSE: Duration = Duration::from_millis(300);
/// Typing that does not pause is saved this long after its first edit.
const LONGEST: Duration = Duration::from_millis(1500);
/// After a save that failed, the next is tried this much later.
const RETRY: Duration = Duration::from_secs(2);
/// A file that is gone may be about to be replaced; it is looked for again after this long.
const REPLACED: Duration = Duration::from_millis(150);
/// Times a save meets a file that changed meanwhile before it is put off.
const MERGES: usize = 5;
/// Documents one room holds; those that nobody has open make room, and with none of these it is `limit_reached`.
const MAX_DOCUMENTS: usize = 256;

#[derive(Debug, Default)]
pub struct Documents {
    inner: Mutex<Inner>,
    /// Held while a file becomes a document, so that two who open it get the same one.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u32,
    open: BTreeMap<DocumentId, Arc<OpenDocument>>,
}

#[derive(Debug)]
struct OpenDocument {
    id: DocumentId,
    project: ProjectName,
    state: Mutex<State>,
    /// Held while the document is written to its file or merged with it.
    saving: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct State {
    path: WorkspacePath,
    document: Document,
    read_only: Option<ReadOnly>,
    /// The file as it was last read or written.
    version: Version,
    /// Counts changes of the document; `saved` is the count that is in the file.
    changes: u64,
    saved: u64,
    first_unsaved: Instant,
    last_change: Instant,
    saver_runs: bool,
    problem: Option<String>,
    readers: HashMap<MemberId, Reader>,
    closed: bool,
}

#[derive(Debug)]
struct Reader {
    outbox: Arc<Outbox>,
    received: u64,
}

impl Documents {
    /// Opens a file as a document for a member and answers with what it is.
    pub async fn open(
        &self,
        room: &Arc<Room>,
        member: &Member,
        id: Option<FrameId>,
        project: ProjectName,
        path: WorkspacePath,
    ) -> Result<ServerFrame, Failure> {
        let link = room.link().await?;
        let _opening = self.opening.lock().await;
        let open = match self.find(&project, &path) {
            Some(open) => open,
            None => self.load(&link, project.clone(), path.clone()).await?,
        };
        let mut state = open.state.lock();
        state.readers.insert(member.id, Reader { outbox: member.outbox.clone(), received: 0 });
        let role = (!Capability::Work.granted_to(member.role)).then_some(ReadOnly::Role);
        let read_only = state.read_only.or(role);
        let epoch = state.document.epoch();
        let standing = state.standing(open.id, 0);
        drop(state);
        let opened = ServerFrame::Opened { id, document: open.id, project, path, epoch, read_only };
        member.outbox.send(&opened);
        Ok(standing)
    }

    /// Reads a file and makes it a document of this room.
    async fn load(&self, link: &Link, project: ProjectName, path: WorkspacePath) -> Result<Arc<OpenDocument>, Failure> {
        self.make_room()?;
        // Before the read: a change after it is told.
        if let Some(parent) = path.parent() {
            link.call(List { project: project.clone(), path: parent, after: None, watch: true }).await?;
        }
        let (version, bytes) = read_file(link, &project, &path).await?;
        let (document, read_only) = match Document::from_file(&bytes, version.size) {
            Opening::Editable(document) => (document, None),
            Opening::ReadOnly { document, why } => (document, Some(why)),
        };
        let now = Instant::now();
        let state = State {
            path,
            document,
            read_only,
            version,
            changes: 0,
            saved: 0,
            first_unsaved: now,
            last_change: now,
            saver_runs: false,
            problem: None,
            readers: HashMap::new(),
            closed: false,
        };
        let mut inner = self.inner.lock();
        inner.last += 1;
        let id = DocumentId(inner.last);
        let open = Arc::new(OpenDocument { id, project, state: Mutex::new(state), saving: Arc::default() });
        inner.open.insert(id, open.clone());
        Ok(open)
    }

    /// One message of the sync protocol from a member that has the document open.
    pub fn receive(&self, room: &Arc<Room>, member: &Member, id: DocumentId, message: &[u8]) -> Result<(), Failure> {
        let open = self.get(id)?;
        let mut state = open.state.lock();
        if !state.readers.contains_key(&member.id) {
            return Err(Failure::new(ErrorCode::NotFound, format!("document {id} is not open on this connection")));
        }
        let is_update = Document::is_update(message);
        if is_update && (state.read_only.is_some() || !Capability::Work.granted_to(member.role)) {
            // The protocol of Yjs sends what it has unasked; who may not write is not scolded for it.
            return Ok(());
        }
        match state.document.receive(message) {
            Ok(Received::Replies(replies)) => {
                for reply in replies {
                    let frame = BinaryFrame::Document { document: id, message: &reply }.encode();
                    member.outbox.put(Message::Binary(frame));
                }
                // An update that can't be taken yet is answered by a question, whose answer holds it and counts too.
                if is_update && let Some(reader) = state.readers.get_mut(&member.id) {
                    reader.received += 1;
                }
            }
            Ok(Received::Update { broadcast, changed }) => {
                if let Some(reader) = state.readers.get_mut(&member.id) {
                    reader.received += 1;
                }
                if changed {
                    state.tell_others(id, Some(member.id), &broadcast);
                    state.changed(room, &open);
                } else if state.is_saved() {
                    state.tell_standing(id);
                }
            }
            Ok(Received::Awareness(_)) => {}
            Err(error) => {
                if let Some(reason) = error.closes() {
                    state.reopen(id, reason);
                    state.changed(room, &open);
                }
                return Err(error.into());
            }
        }
        Ok(())
    }

    pub fn close(&self, member: MemberId, id: DocumentId) {
        if let Ok(open) = self.get(id) {
            open.state.lock().readers.remove(&member);
        }
    }

    pub(super) fn left(&self, member: MemberId) {
        for open in self.all() {
            open.state.lock().readers.remove(&member);
        }
    }

    /// Writes one document to its file now.
    pub async fn save(&self, room: &Arc<Room>, id: DocumentId) -> Result<(), Failure> {
        let open = self.get(id)?;
        if let Some(why) = open.state.lock().read_only {
            return Err(Failure::new(ErrorCode::Forbidden, format!("this file is read-only here ({why:?})")));
        }
        open.save(room).await
    }

    /// Writes every document with edits to its file, before something reads the files.
    pub async fn flush(&self, room: &Arc<Room>) {
        for open in self.all() {
            if !open.state.lock().is_saved()
                && let Err(failure) = open.save(room).await
            {
                tracing::warn!(room = %room.id, document = %open.id, %failure, "a document could not be saved");
            }
        }
    }

    /// The agent told that a folder changed: documents of files in it look at their files.
    pub(super) fn changed(&self, room: &Arc<Room>, changed: &Changed) {
        for open in self.all() {
            let concerned = {
                let state = open.state.lock();
                open.project == changed.project
                    && state.path.parent().as_ref() == Some(&changed.path)
                    && (changed.names.is_empty()
                        || changed.names.iter().any(|name| Some(name.as_str()) == state.path.name()))
            };
            if concerned {
                let room = room.clone();
                room.clone().spawn("document reconcile", async move { open.reconcile(&room).await });
            }
        }
    }

    /// Documents of these files look at their files now.
    pub async fn reconcile_all(&self, room: &Arc<Room>, project: &ProjectName, paths: &[WorkspacePath]) {
        for path in paths {
            if let Some(open) = self.find(project, path) {
                open.reconcile(room).await;
            }
        }
    }

    /// Keeps documents at an entry and beneath it from reading and writing their files, while it gets another name. They
    /// would look for them under the old one, and write them anew there.
    pub(super) async fn hold(&self, project: &ProjectName, path: &WorkspacePath) -> Vec<OwnedMutexGuard<()>> {
        let mut held = Vec::new();
        // In the order of their numbers, so that two of these never wait for each other.
        for open in self.all() {
            if open.project == *project && open.state.lock().path.is_within(path) {
                held.push(open.saving.clone().lock_owned().await);
            }
        }
        held
    }

    /// An entry got another name: documents at it and beneath it follow.
    pub(super) fn moved(&self, project: &ProjectName, from: &WorkspacePath, to: &WorkspacePath) {
        for open in self.all().into_iter().filter(|open| open.project == *project) {
            let mut state = open.state.lock();
            if !state.path.is_within(from) {
                continue;
            }
            let rest = &state.path.as_str()[from.as_str().len()..];
            let Ok(path) = WorkspacePath::parse(&format!("{to}{rest}")) else { continue };
            state.path = path.clone();
            state.tell(&ServerFrame::DocumentMoved { document: open.id, path });
        }
    }

    /// An entry was deleted: documents at it and beneath it are closed.
    pub(super) fn removed(&self, project: &ProjectName, path: &WorkspacePath, reason: &str) {
        for open in self.all().into_iter().filter(|open| open.project == *project) {
            let mut state = open.state.lock();
            if state.path.is_within(path) {
                state.close(open.id, reason);
                drop(state);
                self.inner.lock().open.remove(&open.id);
            }
        }
    }

    /// Whether a document's file stands in this folder.
    pub fn any_in(&self, project: &ProjectName, folder: &WorkspacePath) -> bool {
        self.all()
            .iter()
            .any(|open| open.project == *project && open.state.lock().path.parent().as_ref() == Some(folder))
    }

    fn get(&self, id: DocumentId) -> Result<Arc<OpenDocument>, Failure> {
        let missing = || Failure::new(ErrorCode::NotFound, format!("there is no document {id}"));
        self.inner.lock().open.get(&id).cloned().ok_or_else(missing)
    }

    fn find(&self, project: &ProjectName, path: &WorkspacePath) -> Option<Arc<OpenDocument>> {
        self.all().into_iter().find(|open| open.project == *project && open.state.lock().path == *path)
    }

    fn all(&self) -> Vec<Arc<OpenDocument>> {
        self.inner.lock().open.values().cloned().collect()
    }

    /// Forgets the document that was opened first of those nobody has open and that are saved, if there are too many.
    fn make_room(&self) -> Result<(), Failure> {
        let mut inner = self.inner.lock();
        if inner.open.len() < MAX_DOCUMENTS {
            return Ok(());
        }
        let idle = inner.open.values().find(|open| {
            let state = open.state.lock();
            state.readers.is_empty() && state.is_saved()
        });
        match idle.map(|open| open.id) {
            Some(id) => {
                inner.open.remove(&id);
                Ok(())
            }
            None => {
                Err(Failure::new(ErrorCode::LimitReached, format!("the room has {MAX_DOCUMENTS} files open already")))
            }
        }
    }
}

impl OpenDocument {
    /// Writes the document to its file, merging what something else wrote there meanwhile.
    async fn save(self: &Arc<Self>, room: &Arc<Room>) -> Result<(), Failure> {
        let _saving = self.saving.lock().await;
        let outcome = self.write(room).await;
        let mut state = self.state.lock();
        state.problem = outcome.as_ref().err().map(|failure| failure.message.clone());
        state.tell_standing(self.id);
        outcome
    }

    async fn write(self: &Arc<Self>, room: &Arc<Room>) -> Result<(), Failure> {
        let link = room.link().await?;
        for _ in 0..MERGES {
            let (path, content, expected, changes) = {
                let mut state = self.state.lock();
                if state.is_saved() || state.closed {
                    return Ok(());
                }
                (state.path.clone(), state.document.to_write(), state.version, state.changes)
            };
            let written = content.clone();
            let write =
                Write { project: self.project.clone(), path: path.clone(), content, expected: Some(Some(expected)) };
            match link.call(write).await {
                Ok(done) => {
                    let mut state = self.state.lock();
                    state.version = done.version;
                    state.saved = changes;
                    state.document.saved(&written);
                    return Ok(());
                }
                Err(failure) if failure.code == ErrorCode::Conflict => self.merge(room, &link, &path).await?,
                Err(failure) if failure.code == ErrorCode::NotFound => {
                    // The file went away under its editors: what they have is written anew.
                    let content = self.state.lock().document.to_write();
                    let write = Write { project: self.project.clone(), path, content, expected: Some(None) };
                    let done = link.call(write).await?;
                    self.state.lock().version = done.version;
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::new(ErrorCode::Conflict, "the file keeps changing while it is saved"))
    }

    /// Looks at the file and takes over what something else wrote there.
    async fn reconcile(self: &Arc<Self>, room: &Arc<Room>) {
        let _saving = self.saving.lock().await;
        let Ok(link) = room.link().await else { return };
        let (path, known) = {
            let state = self.state.lock();
            if state.closed {
                return;
            }
            (state.path.clone(), state.version)
        };
        let stat = || StatFile { project: self.project.clone(), path: path.clone() };
        let mut stated = link.call(stat()).await;
        if stated.as_ref().is_err_and(|failure| failure.code == ErrorCode::NotFound) {
            sleep(REPLACED).await;
            stated = link.call(stat()).await;
        }
        match stated {
            Ok(stated) if stated.version == known => {}
            Ok(_) => {
                if let Err(failure) = self.merge(room, &link, &path).await {
                    tracing::debug!(room = %room.id, document = %self.id, %failure, "a changed file could not be merged");
                }
            }
            Err(failure) if failure.code == ErrorCode::NotFound && self.state.lock().path == path => {
                room.documents.removed(&self.project, &path, "The file was deleted.");
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
                state.version = version;
                if let Some(update) = update {
                    state.tell_others(self.id, None, &update);
                }
                if state.document.to_file() == bytes {
                    state.saved = state.changes;
                    state.tell_standing(self.id);
                } else {
                    state.changed(room, self);
                }
                Ok(())
            }
            Err(error) => {
                let Some(reason) = error.closes() else {
                    state.close(self.id, "The file was replaced by something that can't be edited here.");
                    drop(state);
                    room.documents.inner.lock().open.remove(&self.id);
                    return Err(error.into());
                };
                state.version = version;
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
                sleep(RETRY).await;
            }
        }
    }
}

impl State {
    fn is_saved(&self) -> bool {
        self.saved == self.changes
    }

    /// The document has edits that are not in its file.
    fn changed(&mut self, room: &Arc<Room>, open: &Arc<OpenDocument>) {
        let now = Instant::now();
        self.last_change = now;
        let was_saved = self.is_saved();
        self.changes += 1;
        if was_saved {
            self.first_unsaved = now;
            self.tell_standing(open.id);
        }
        if !self.saver_runs {
            self.saver_runs = true;
            room.spawn("document saver", open.clone().keep_saved(room.clone()));
        }
    }

    fn standing(&self, id: DocumentId, received: u64) -> ServerFrame {
        ServerFrame::Document { document: id, received, saved: self.is_saved(), problem: self.problem.clone() }
    }

    fn tell_standing(&self, id: DocumentId) {
        for reader in self.readers.values() {
            reader.outbox.send(&self.standing(id, reader.received));
        }
    }

    fn tell(&self, frame: &ServerFrame) {
        for reader in self.readers.values() {
            reader.outbox.send(frame);
        }
    }

    fn tell_others(&self, id: DocumentId, but: Option<MemberId>, update: &[u8]) {
        let frame = BinaryFrame::Document { document: id, message: update }.encode();
        for (_, reader) in self.readers.iter().filter(|(member, _)| Some(**member) != but) {
            reader.outbox.put(Message::Binary(frame.clone()));
        }
    }

    /// The document goes on in another life: whoever has it open has to open it again.
    fn reopen(&mut self, id: DocumentId, reason: &str) {
        self.tell(&ServerFrame::DocumentClosed { document: id, reason: reason.to_owned() });
        self.readers.clear();
    }

    fn close(&mut self, id: DocumentId, reason: &str) {
        self.closed = true;
        self.tell(&ServerFrame::DocumentClosed { document: id, reason: reason.to_owned() });
        self.readers.clear();
    }
}

/// A file's content and version, at most a little more than a document may have.
async fn read_file(link: &Link, project: &ProjectName, path: &WorkspacePath) -> Result<(Version, Vec<u8>), Failure> {
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
