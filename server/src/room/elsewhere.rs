//! What is told of a room outside of it: that a program has run, to webhooks of the account that pays for it.

use std::sync::Arc;

use embedenv_shared::frame::{Terminal, TerminalKind};
use serde::Serialize;

use super::Room;
use super::session::Session;
use crate::ledger::EventKind;

/// A program that has ended, as a webhook hears of it.
#[derive(Serialize)]
struct Finished {
    room: String,
    space: String,
    project: String,
    terminal: u64,
    /// What it was called.
    title: String,
    /// Exactly one of `code` and `signal`.
    #[serde(flatten)]
    exit: embedenv_shared::frame::Exit,
}

impl Room {
    /// Tells that a command has ended; a terminal that was closed is none.
    pub(super) fn tell_finished(self: &Arc<Self>, session: &Session) {
        let Terminal { terminal, kind, title, project, exit: Some(exit), .. } = session.describe() else { return };
        if matches!(kind, TerminalKind::Terminal | TerminalKind::Errors) {
            return;
        }
        let room = self.clone();
        let (id, space) = (self.id.to_string(), self.space.clone());
        let finished =
            Finished { room: id, space, project: project.to_string(), terminal: terminal.0.into(), title, exit };
        self.tasks.spawn("webhook", async move {
            if let Err(error) = room.ledger.tell_of_room(room.id, EventKind::RunFinished, &finished).await {
                tracing::warn!(room = %room.id, error = %crate::telemetry::chain(&error), "the end of a run could not be noted for webhooks");
            }
        });
    }
}
