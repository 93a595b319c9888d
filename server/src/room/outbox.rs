//! What waits to be sent on one connection, besides the terminals' output, which the connection pulls by itself.
//!
//! Replies wait for room before the next frame of the client is read ([`Outbox::ready`]); what others cause is put in
//! without waiting, and a connection that lets [`MAX_WAITING`] bytes pile up is closed with 4413.

use std::collections::VecDeque;
use std::sync::Arc;

use embedenv_shared::code::CloseCode;
use embedenv_shared::frame::ServerFrame;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bytes that may wait on one connection; beyond that it is closed as too slow.
const MAX_WAITING: usize = 8 * 1024 * 1024;
/// Bytes up to which the next frame of the client is read.
const READY: usize = 1024 * 1024;

/// One message to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
    /// The last one: nothing is sent after it.
    Close(CloseCode, String),
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Close(_, reason) => reason.len(),
        }
    }
}

#[derive(Debug, Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    /// Wakes the connection's writer: something was put in, or a session it reads has news.
    wake: Arc<Notify>,
    /// The queue went below [`READY`], or nothing more is put in.
    drained: Notify,
    /// The client is sent away: nothing that it sent is begun any more.
    cut: CancellationToken,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    closed: bool,
}

impl Outbox {
    /// What wakes the writer; sessions it reads get it too.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Wakes the writer: something that it pulls has news.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    pub fn send(&self, frame: &ServerFrame) {
        self.put(Message::Text(frame.to_text()));
    }

    pub fn put(&self, message: Message) {
        let mut queue = self.queue.lock();
        if queue.closed {
            return;
        }
        queue.bytes += message.len();
        queue.closed = matches!(message, Message::Close(..));
        queue.messages.push_back(message);
        if queue.bytes > MAX_WAITING {
            queue.messages.clear();
            queue.bytes = 0;
            queue.closed = true;
            let reason = "this connection reads too slowly".to_owned();
            queue.messages.push_back(Message::Close(CloseCode::TooSlow, reason));
        }
        if queue.closed {
            self.drained.notify_waiters();
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// Ends the connection after what waits already.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.put(Message::Close(code, reason.to_owned()));
    }

    /// Sends the client away at once: what waits is dropped, and what it goes on sending is not looked at.
    pub fn cut(&self, code: CloseCode, reason: &str) {
        let mut queue = self.queue.lock();
        if self.cut.is_cancelled() {
            return;
        }
        *queue = Queue { closed: true, ..Queue::default() };
        queue.messages.push_back(Message::Close(code, reason.to_owned()));
        self.cut.cancel();
        self.drained.notify_waiters();
        drop(queue);
        self.wake.notify_one();
    }

    /// Whether the client was sent away.
    pub fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    /// Resolves when the client is sent away.
    pub async fn cut_off(&self) {
        self.cut.cancelled().await;
    }

    /// The connection has ended: what waits, and what comes, is for nobody.
    pub fn abandon(&self) {
        let mut queue = self.queue.lock();
        *queue = Queue { closed: true, ..Queue::default() };
        self.drained.notify_waiters();
    }

    /// Resolves when nothing that is put in will be sent any more.
    pub async fn closed(&self) {
        loop {
            let drained = self.drained.notified();
            if self.queue.lock().closed {
                return;
            }
            drained.await;
        }
    }

    pub fn take(&self) -> Option<Message> {
        let mut queue = self.queue.lock();
        let message = queue.messages.pop_front()?;
        queue.bytes -= message.len().min(queue.bytes);
        if queue.bytes < READY {
            self.drained.notify_waiters();
        }
        if queue.messages.is_empty() {
            queue.messages.shrink_to(16);
        }
        Some(message)
    }

    /// Waits until little enough is waiting that the client may ask for more. `false` if it was sent away.
    pub async fn ready(&self) -> bool {
        loop {
            let drained = self.drained.notified();
            {
                let queue = self.queue.lock();
                if queue.bytes < READY || queue.closed {
                    return !self.is_cut();
                }
            }
            drained.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_does_not_read_is_closed_and_keeps_no_backlog() {
        let outbox = Outbox::default();
        for _ in 0..9 {
            outbox.put(Message::Binary(vec![0; 1024 * 1024]));
        }
        assert!(matches!(outbox.take(), Some(Message::Close(CloseCode::TooSlow, _))));
        assert_eq!(outbox.take(), None);
        outbox.put(Message::Text("late".into()));
        assert_eq!(outbox.take(), None);
    }

    #[tokio::test]
    async fn who_is_sent_away_gets_the_close_alone_and_may_begin_nothing() {
        let outbox = Outbox::default();
        outbox.put(Message::Binary(vec![0; 2 * READY]));
        let (may_go_on, ()) = tokio::join!(outbox.ready(), async { outbox.cut(CloseCode::UnknownJoinKey, "revoked") });
        assert!(!may_go_on);
        outbox.cut_off().await;
        assert!(matches!(outbox.take(), Some(Message::Close(CloseCode::UnknownJoinKey, _))));
        assert_eq!(outbox.take(), None);
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_learns_that_it_has_ended() {
        let outbox = Outbox::default();
        outbox.put(Message::Binary(vec![0; 2 * READY]));
        tokio::join!(outbox.ready(), outbox.closed(), async { outbox.abandon() });
        assert_eq!(outbox.take(), None);
    }
}
