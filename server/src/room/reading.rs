//! How members come to follow sessions: from now on, from an offset, and again after falling behind.

use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::frame::{BinaryFrame, ServerFrame};
use embedenv_shared::id::SessionId;
use embedenv_shared::link::MAX_CHUNK;
use embedenv_shared::link::sessions::RING;

use super::Room;
use super::members::Member;
use super::outbox::Message;
use super::screen;
use super::session::Session;

/// Bytes of past output that a screen is drawn from after a gap.
const SNAPSHOT_FROM: u64 = 512 * 1024;

impl Room {
    /// Adds a member to a session's readers, at its head, and has the agent send it if nobody read it before.
    pub fn follow(self: &Arc<Self>, member: &Member, session: &Arc<Session>) {
        session.attach(member.id, member.outbox.wake());
        member.read(session.clone());
        let (room, session) = (self.clone(), session.clone());
        self.spawn("follow", async move { room.settle(&session).await });
    }

    /// Every plain client follows a command that is about to start.
    pub(super) fn follow_by_plain(&self, session: &Arc<Session>) {
        for member in self.members.all().into_iter().filter(|member| member.is_plain()) {
            session.attach(member.id, member.outbox.wake());
            member.read(session.clone());
        }
    }

    /// A full client follows a session from an offset: first what is past, then what comes. Where the agent's ring has
    /// lost that offset, it begins on an empty screen with the first byte that is left.
    pub async fn attach_from(
        self: &Arc<Self>,
        member: &Arc<Member>,
        id: Option<FrameId>,
        terminal: SessionId,
        from: u64,
    ) -> Result<(), Failure> {
        let session = self.sessions.get(terminal)?;
        let link = self.link().await?;
        member.stop_reading(&session);
        let head = session.attach(member.id, member.outbox.wake());
        self.tell_progress(&session);
        let outcome = async {
            self.sessions.follow(&link, &session).await?;
            if from > head {
                return Err(Failure::new(ErrorCode::BadRequest, format!("terminal {terminal} ends at {head}")));
            }
            self.sessions.past(&link, &session, from.max(head.saturating_sub(RING as u64)), head).await
        };
        let (start, bytes) = match outcome.await {
            Ok(past) => past,
            Err(failure) => {
                session.detach(member.id);
                self.settle(&session).await;
                return Err(failure);
            }
        };
        let outbox = &member.outbox;
        // What the agent has forgotten altogether is empty up to its end.
        let start = if bytes.is_empty() { head } else { start };
        outbox.send(&ServerFrame::TerminalAttached { id, terminal, from: start, head });
        if start > from && !session.kind.is_piped() {
            outbox.put(Message::Binary(BinaryFrame::Snapshot { terminal, offset: start, bytes: &[] }.encode()));
        }
        for (index, chunk) in bytes.chunks(MAX_CHUNK).enumerate() {
            let offset = start + (index * MAX_CHUNK) as u64;
            outbox.put(Message::Binary(BinaryFrame::Output { terminal, offset, bytes: chunk }.encode()));
        }
        member.read(session);
        Ok(())
    }

    /// A full client fell a ring behind: it gets a gap, the screen as it is, and goes on from there.
    pub fn catch_up(self: &Arc<Self>, member: &Arc<Member>, session: &Arc<Session>, from: u64) {
        member.stop_reading(session);
        // Attached again at once, so that nothing after the screen is missed; not read until the screen is sent.
        let to = session.attach(member.id, member.outbox.wake());
        // What it leaves out counts as read: the agent sends no more before it hears of it.
        self.tell_progress(session);
        let (room, member, session) = (self.clone(), member.clone(), session.clone());
        self.spawn("catch up", async move {
            let Ok(link) = room.link().await else { return };
            let terminal = session.id;
            member.outbox.send(&ServerFrame::TerminalGap { terminal, from, to });
            if session.kind.is_piped() {
                // It is no screen: what is lost is lost.
                return member.read(session);
            }
            let past = room.sessions.past(&link, &session, to.saturating_sub(SNAPSHOT_FROM), to).await;
            let bytes = past.map(|(_, bytes)| bytes).unwrap_or_default();
            let screen = screen::snapshot(session.size(), &bytes);
            member.outbox.put(Message::Binary(BinaryFrame::Snapshot { terminal, offset: to, bytes: &screen }.encode()));
            member.read(session);
        });
    }

    /// Has the agent send a session's output exactly if somebody reads it.
    pub async fn settle(&self, session: &Session) {
        if let Some(link) = self.sandbox.link_now()
            && let Err(failure) = self.sessions.follow(&link, session).await
            && failure.code != ErrorCode::NotFound
        {
            let (room, session) = (self.id, session.id);
            tracing::debug!(%room, %session, %failure, "a session's attachment could not be settled");
        }
    }

    /// Tells the agent how far the fastest reader of a session has come.
    pub fn tell_progress(&self, session: &Session) {
        if let Some(offset) = session.progress_to_tell()
            && let Some(link) = self.sandbox.link_now()
        {
            link.progress(session.id, offset);
        }
    }

    /// Tells everybody of a session that is new or has changed.
    pub(super) fn tell_terminal(&self, session: &Session) {
        for member in self.members.all().into_iter().filter(|member| member.is_full()) {
            member.outbox.send(&ServerFrame::Terminal(session.describe_to(member.id)));
        }
    }

    /// Tells the end of a session to who does not read it; readers are told after the last of its output.
    pub(super) fn tell_end(&self, session: &Session) {
        let frame = ServerFrame::Terminal(session.describe());
        for member in self.members.all().into_iter().filter(|member| member.is_full()) {
            if !session.is_read_by(member.id) {
                member.outbox.send(&frame);
            }
        }
    }
}
