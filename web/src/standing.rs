//! Whether everything typed into a document is held by the server and is in its file. Counts only; sends nothing.
//!
//! The server counts the update messages it holds of this connection (`received`), the page counts those it has sent.
//! What was typed while there was no connection goes up with the first update after the document is open again.

/// Where one open document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Update messages sent on this connection.
    sent: u64,
    /// How many of them have to be received until the server holds everything: up to the last with edits in it.
    needed: u64,
    received: u64,
    saved: bool,
    /// There are edits that no connection has carried yet.
    kept_back: bool,
    /// There are edits of a text that is not here yet.
    early: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self { sent: 0, needed: 0, received: 0, saved: true, kept_back: false, early: false }
    }
}

impl Standing {
    /// An update message went to the server.
    pub fn sent(&mut self, message: &[u8]) {
        self.sent += 1;
        if message != NOTHING {
            self.needed = self.sent;
        }
        self.kept_back = false;
    }

    /// An update message could not go anywhere.
    pub fn kept_back(&mut self) {
        self.kept_back = true;
    }

    /// Something was typed before the text was here, or while it is asked for anew.
    pub fn typed_early(&mut self) {
        self.early = true;
    }

    /// The text is here, and what was typed before is in it, sent like all else.
    pub fn came(&mut self) {
        self.early = false;
    }

    /// The server said where the document stands.
    pub fn heard(&mut self, received: u64, saved: bool) {
        self.received = received;
        self.saved = saved;
    }

    /// The connection is gone: what was not confirmed counts as not sent, and the next one counts from zero.
    pub fn lost(&mut self) {
        self.kept_back |= self.received < self.needed;
        self.sent = 0;
        self.needed = 0;
        self.received = 0;
    }

    /// There are edits that no connection has carried yet.
    pub fn is_kept_back(&self) -> bool {
        self.kept_back
    }

    /// The server holds everything that was typed here.
    pub fn is_held(&self) -> bool {
        !self.kept_back && !self.early && self.received >= self.needed
    }

    /// Whether the tab shows the mark.
    pub fn is_unsaved(&self) -> bool {
        !self.saved || !self.is_held()
    }
}

/// The answer of who has nothing that the other lacks: step 2 with an empty update.
const NOTHING: &[u8] = &[0, 1, 2, 0, 0];

/// Whether a message of the y-protocols sync protocol carries edits: step 2 or an update. The server counts these.
pub fn is_update(message: &[u8]) -> bool {
    matches!(message, [0, 1 | 2, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: &[u8] = &[0, 2, 3, 1, 1, 1];

    #[test]
    fn an_empty_answer_is_nothing_to_wait_for() {
        let mut standing = Standing::default();
        standing.sent(NOTHING);
        assert!(!standing.is_unsaved());
        standing.sent(EDIT);
        standing.heard(1, true);
        assert!(standing.is_unsaved(), "it was the answer that was received");
        standing.heard(2, true);
        assert!(!standing.is_unsaved());
    }

    #[test]
    fn what_is_typed_before_the_text_is_here_is_unsaved_until_it_is_sent_and_saved() {
        let mut standing = Standing::default();
        standing.typed_early();
        standing.heard(0, true);
        assert!(standing.is_unsaved() && !standing.is_held());
        standing.sent(EDIT);
        standing.came();
        assert!(!standing.is_held());
        standing.heard(1, true);
        assert!(!standing.is_unsaved());
    }

    #[test]
    fn typing_is_unsaved_until_it_is_received_and_saved() {
        let mut standing = Standing::default();
        assert!(!standing.is_unsaved());
        standing.sent(EDIT);
        assert!(standing.is_unsaved());
        standing.heard(1, false);
        assert!(standing.is_held() && standing.is_unsaved());
        standing.sent(EDIT);
        standing.heard(1, true);
        assert!(standing.is_unsaved(), "the second message is still under way");
        standing.heard(2, true);
        assert!(!standing.is_unsaved());
    }

    #[test]
    fn what_was_under_way_when_the_connection_broke_is_unsaved_until_it_is_sent_again() {
        let mut standing = Standing::default();
        standing.sent(EDIT);
        standing.lost();
        standing.heard(0, true);
        assert!(standing.is_unsaved());
        standing.sent(EDIT);
        standing.heard(1, true);
        assert!(!standing.is_unsaved());
    }

    #[test]
    fn a_break_with_everything_held_leaves_no_mark() {
        let mut standing = Standing::default();
        standing.sent(EDIT);
        standing.heard(1, true);
        standing.lost();
        assert!(!standing.is_unsaved());
        standing.kept_back();
        assert!(standing.is_unsaved());
    }

    #[test]
    fn only_messages_with_edits_are_counted() {
        assert!(is_update(&[0, 1, 0]) && is_update(&[0, 2, 0]));
        assert!(!is_update(&[0, 0, 0]) && !is_update(&[1, 2]) && !is_update(&[]));
    }
}
