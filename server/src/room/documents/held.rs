//! One document that a room holds: what comes from those who have it open, and what goes to them. How it comes into its
//! file is [`super::saving`]'s.

use std::sync::{Arc, Weak};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{BinaryFrame, ReadOnly, ServerFrame};
use embedenv_shared::id::DocumentId;
use embedenv_shared::link::files::{List, Version};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::super::Room;
use super::super::document::{Document, DocumentError, Received};
use super::super::members::{Member, SeatId};
use super::super::outbox::Message;
use super::feed::{Feed, MAX_READINGS, Pulled, Turn};
use super::presence;
use super::saving::RETRY;
use crate::link::Link;
use crate::policy::Capability;

/// Bytes of updates that go to a reader in one frame, about.
const GATHERED: usize = 256 * 1024;

/// A document in memory, with its readers.
#[derive(Debug)]
pub struct Held {
    pub id: DocumentId,
    pub(super) project: ProjectName,
    pub(super) state: Mutex<State>,
    /// Held while the document is written to its file or merged with it.
    pub(super) saving: Arc<tokio::sync::Mutex<()>>,
    /// The agent that tells of changes of the file, and the folder it looks at for that.
    watched: Mutex<Option<(Weak<Link>, WorkspacePath)>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) path: WorkspacePath,
    /// Where the file may be instead, if the server ended while it got another name.
    pub(super) maybe_at: Option<WorkspacePath>,
    pub(super) document: Document,
    pub(super) read_only: Option<ReadOnly>,
    /// The file as it was last read or written; `None` if that was before this server.
    pub(super) version: Option<Version>,
    /// Counts changes of the document; `saved` is the count that is in the file.
    pub(super) changes: u64,
    pub(super) saved: u64,
    pub(super) first_unsaved: Instant,
    pub(super) last_change: Instant,
    pub(super) saver_runs: bool,
    pub(super) problem: Option<String>,
    pub(super) feed: Feed,
    /// When the last reader left.
    pub(super) unread_since: Instant,
    pub(super) closed: bool,
    /// Its log is being written anew, or tried again.
    pub(super) log_task_runs: bool,
}

/// What a connection has to send of a document.
#[derive(Debug, Default)]
pub struct Outgoing {
    pub standing: Option<ServerFrame>,
    /// Binary frames.
    pub messages: Vec<Vec<u8>>,
    pub more: bool,
}

impl Held {
    pub(super) fn new(id: DocumentId, project: ProjectName, state: State) -> Arc<Self> {
        Arc::new(Self { id, project, state: Mutex::new(state), saving: Arc::default(), watched: Mutex::default() })
    }

    /// Has the agent tell of changes of the file from here on. Returns whether it did not before, so that there may be
    /// changes that nobody told of.
    pub(super) async fn watch(&self, link: &Arc<Link>) -> Result<bool, Failure> {
        let Some(folder) = self.state.lock().path.parent() else { return Ok(false) };
        let watched = (Arc::downgrade(link), folder.clone());
        let is_watched = |(by, at): &(Weak<Link>, WorkspacePath)| by.ptr_eq(&watched.0) && *at == folder;
        if self.watched.lock().as_ref().is_some_and(is_watched) {
            return Ok(false);
        }
        link.call(List { project: self.project.clone(), path: folder, after: None, watch: true }).await?;
        *self.watched.lock() = Some(watched);
        Ok(true)
    }

    /// `forbidden` if what is shown is not all of the file's text.
    pub(super) fn check_editable(&self) -> Result<(), Failure> {
        match self.state.lock().read_only {
            Some(why) => Err(Failure::new(ErrorCode::Forbidden, format!("this file is read-only here ({why:?})"))),
            None => Ok(()),
        }
    }

    /// Adds a reader, and tells it what it has open.
    pub(super) fn add_reader(&self, member: &Member, opened: impl FnOnce(u64, Option<ReadOnly>) -> ServerFrame) {
        let mut state = self.state.lock();
        state.feed.add(member.id, member.outbox.clone());
        let role = (!Capability::Work.granted_to(member.role)).then_some(ReadOnly::Role);
        let read_only = state.read_only.or(role);
        // Before anything of the document's, which is pulled only once the outbox is empty.
        member.outbox.send(&opened(state.document.epoch(), read_only));
        let standing = state.standing(self.id, 0);
        member.outbox.send(&standing);
    }

    /// Adds an editor that knows the life `epoch`. `conflict` if that is over.
    pub(super) fn add_editor(&self, member: &Member, epoch: u64) -> Result<(), Failure> {
        let mut state = self.state.lock();
        let current = state.document.epoch();
        if current != epoch {
            let message = format!("the document has another epoch now: {current}; take a fresh copy of it");
            return Err(Failure::new(ErrorCode::Conflict, message));
        }
        state.feed.add_editor(member.id, member.outbox.clone());
        Ok(())
    }

    pub(in crate::room) fn remove_reader(&self, member: SeatId) {
        let mut state = self.state.lock();
        state.feed.remove(member);
        state.unread_since = Instant::now();
    }

    /// Messages of the sync protocol from a member that has opened the document. What is wrong with one does not keep the
    /// others from being taken; the first failure is told. A document that was closed under the member hears nothing
    /// more: they were told of that.
    pub(super) fn receive(
        self: &Arc<Self>,
        room: &Arc<Room>,
        member: &Member,
        messages: &[&[u8]],
    ) -> Result<(), Failure> {
        let mut state = self.state.lock();
        let mut outcome = Ok(());
        for message in messages {
            if !state.feed.has(member.id) {
                break;
            }
            let taken = self.take(&mut state, room, member, message);
            outcome = outcome.and(taken);
        }
        outcome
    }

    fn take(
        self: &Arc<Self>,
        state: &mut State,
        room: &Arc<Room>,
        member: &Member,
        message: &[u8],
    ) -> Result<(), Failure> {
        let is_update = Document::is_update(message);
        if is_update && (state.read_only.is_some() || !Capability::Work.granted_to(member.role)) {
            // The protocol of Yjs sends what it has unasked; who may not write is not scolded for it.
            return Ok(());
        }
        let now = Instant::now();
        match state.feed.turn(member.id, now) {
            Turn::Taken => {}
            turn => {
                if is_update {
                    state.feed.refused(member.id);
                }
                let message = format!("a connection has a document read {MAX_READINGS} times a second at most");
                let failure = Failure::new(ErrorCode::LimitReached, message);
                return if turn == Turn::Refused { Err(failure) } else { Ok(()) };
            }
        }
        let readings = state.document.readings();
        let received = state.document.receive(message);
        if state.document.readings() > readings {
            state.feed.has_read(member.id, state.document.readings() - readings, now);
        }
        if state.document.is_kept() {
            state.feed.all_kept();
        }
        match received {
            Ok(Received::Replies(replies)) => {
                for reply in replies {
                    let frame = BinaryFrame::Document { document: self.id, message: &reply }.encode();
                    member.outbox.put(Message::Binary(frame));
                }
                if is_update {
                    state.feed.asked_for(member.id);
                } else {
                    state.feed.is_given_all(member.id);
                }
            }
            Ok(Received::Update { broadcast, changed, typist }) => {
                state.feed.received(member.id);
                if let Some(client) = typist {
                    state.feed.typed(member.id, client);
                }
                if changed {
                    state.feed.push(Some(member.id), broadcast);
                    state.changed(room, self);
                    self.look_after_log(state, room);
                }
            }
            Ok(Received::Awareness(aware)) => {
                for one in aware {
                    if let Some(state_of) = presence::checked(&one.state, member)? {
                        state.feed.moved(member.id, super::super::document::Aware { state: state_of, ..one });
                    }
                }
            }
            Ok(Received::WantsAwareness) => state.feed.tell_whereabouts(member.id),
            Err(DocumentError::NotKept) if is_update => {
                let is_first = state.feed.unkept(member.id);
                state.changed(room, self);
                self.look_after_log(state, room);
                if is_first {
                    return Err(DocumentError::NotKept.into());
                }
            }
            Err(DocumentError::NotKept) => {
                state.feed.put_off(member.id);
                self.look_after_log(state, room);
            }
            Err(error) => {
                let Some(reason) = error.closes() else {
                    if is_update {
                        state.feed.refused(member.id);
                    }
                    return Err(error.into());
                };
                // Nobody did anything wrong, and everybody is told to open it again.
                state.reopen(self.id, reason);
                state.changed(room, self);
                self.look_after_log(state, room);
            }
        }
        Ok(())
    }

    /// What waits for a reader.
    pub fn pull(&self, member: SeatId) -> Outgoing {
        let mut state = self.state.lock();
        let mut frame = BinaryFrame::Document { document: self.id, message: &[] }.encode();
        let empty = frame.len();
        let Pulled { fell_behind, standing, asked, more } = state.feed.pull(member, GATHERED, &mut frame);
        let mut outgoing = Outgoing { more, ..Outgoing::default() };
        outgoing.standing = standing.map(|received| state.standing(self.id, received));
        if fell_behind {
            // Nobody knows what it has; what it has already changes nothing.
            match state.document.everything() {
                Ok(mut message) => {
                    if asked {
                        message.extend(state.document.question());
                    }
                    outgoing.messages.push(BinaryFrame::Document { document: self.id, message: &message }.encode());
                }
                Err(DocumentError::NotKept) => state.feed.fall_behind(member, asked),
                Err(error) => state.reopen(self.id, error.closes().unwrap_or_default()),
            }
        }
        if frame.len() > empty {
            outgoing.messages.push(frame);
        }
        outgoing
    }

    /// Has a log that has grown long written anew, and one that could not be written tried again.
    pub(super) fn look_after_log(self: &Arc<Self>, state: &mut State, room: &Arc<Room>) {
        if state.log_task_runs {
            return;
        }
        if !state.document.is_kept() {
            state.log_task_runs = true;
            let (held, of) = (self.clone(), room.clone());
            room.spawn("document log", async move { held.keep_trying(&of).await });
        } else if let Some(compaction) = state.document.compaction() {
            state.log_task_runs = true;
            let (held, of) = (self.clone(), room.clone());
            room.spawn("document log", async move {
                let prepared = tokio::task::spawn_blocking(move || compaction.write()).await;
                let mut state = held.state.lock();
                state.log_task_runs = false;
                let outcome = match prepared {
                    Ok(Ok(prepared)) if !state.closed => state.document.compacted(prepared),
                    Ok(Ok(_)) | Err(_) => Ok(()),
                    Ok(Err(error)) => Err(error),
                };
                if let Err(error) = outcome {
                    tracing::warn!(document = %held.id, %error, "a document's log could not be written anew");
                }
                if !state.document.is_kept() && !state.closed {
                    held.look_after_log(&mut state, &of);
                }
            });
        }
    }

    /// Tries again and again to write down what could not be written, and tells everybody once it is.
    async fn keep_trying(&self, room: &Arc<Room>) {
        loop {
            sleep(RETRY).await;
            let mut state = self.state.lock();
            let is_over = state.closed || room.is_closing();
            if !is_over && !state.document.catch_up() {
                continue;
            }
            state.log_task_runs = false;
            if !is_over {
                state.feed.all_kept();
            }
            return;
        }
    }
}

impl State {
    pub(super) fn new(path: WorkspacePath, document: Document, version: Option<Version>) -> Self {
        let now = Instant::now();
        Self {
            path,
            maybe_at: None,
            document,
            read_only: None,
            version,
            changes: 0,
            saved: 0,
            first_unsaved: now,
            last_change: now,
            saver_runs: false,
            problem: None,
            feed: Feed::default(),
            unread_since: now,
            closed: false,
            log_task_runs: false,
        }
    }

    pub(super) fn is_saved(&self) -> bool {
        self.saved == self.changes
    }

    /// What to write to the file now. What had to be written down for that is told, too.
    pub(super) fn hand_out(&mut self) -> Result<Vec<u8>, Failure> {
        let content = self.document.to_write()?;
        self.feed.all_kept();
        Ok(content)
    }

    pub(super) fn standing(&self, id: DocumentId, received: u64) -> ServerFrame {
        let eol = self.document.line_ending();
        ServerFrame::Document { document: id, received, saved: self.is_saved(), eol, problem: self.problem.clone() }
    }
}
