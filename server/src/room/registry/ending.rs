//! A server's rooms as one: how many there are, and the end: its rooms write what is open into their files, and sandboxes that nobody needs any more end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use embedenv_shared::code::CloseCode;
use embedenv_shared::frame::SandboxState;
use futures_util::StreamExt as _;

use super::Registry;
use crate::metrics::Standing;
use crate::room::pool::Shelf;

/// How long the rooms have to write what is open into their files, and its spare sandboxes to end.
const SETTLE: Duration = Duration::from_secs(5);
const SPARES_END: Duration = Duration::from_secs(2);
/// How many of them are at it at once.
const SETTLED_AT_ONCE: usize = 16;

/// What becomes of the rooms' sandboxes when the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandboxes {
    /// They wait for the next server.
    GoOn,
    /// There is no next server.
    End,
}

/// How many rooms of a space there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceStanding {
    pub name: String,
    pub living: usize,
    /// Those whose sandbox runs.
    pub running: usize,
    /// Those that are kept ready, which are none of the living.
    pub spare: usize,
}

impl Registry {
    /// How many rooms of each space there are now.
    pub fn spaces(&self) -> Vec<SpaceStanding> {
        let rooms = self.all();
        let standing = |name: &String| {
            let living = || rooms.iter().filter(|room| room.space == *name);
            let running = living().filter(|room| room.sandbox.state() == SandboxState::Ready).count();
            let spare = self.pool.shelf(name).map_or(0, Shelf::count);
            SpaceStanding { name: name.clone(), living: living().count(), running, spare }
        };
        self.config.spaces.keys().map(standing).collect()
    }

    /// How many of what there are now.
    pub fn standing(&self) -> Standing {
        let rooms = self.all();
        let running = rooms.iter().filter(|room| room.sandbox.state() == SandboxState::Ready).count();
        let members = rooms.iter().map(|room| room.members.all().len()).sum();
        Standing { rooms: rooms.len(), members, running, spare: self.pool.count() }
    }

    /// Everything acknowledged goes to disk, within [`SETTLE`]; spare sandboxes end, and the others if `sandboxes` says so.
    pub async fn shut_down(&self, sandboxes: Sandboxes) {
        let rooms = self.all();
        // Nobody types any more, so that nothing is written later, which would start a sandbox anew.
        for room in &rooms {
            room.members.send_away(CloseCode::GoingDown, "the server is going down");
        }
        let settled = AtomicUsize::new(0);
        let all = futures_util::stream::iter(&rooms).for_each_concurrent(SETTLED_AT_ONCE, |room| async {
            room.documents.flush(room).await;
            if sandboxes == Sandboxes::End {
                room.rest().await;
            }
            settled.fetch_add(1, Ordering::Relaxed);
        });
        if tokio::time::timeout(SETTLE, all).await.is_err() {
            // What was typed is in the logs of the documents, and goes into the files when their room is used again.
            let left = rooms.len() - settled.into_inner();
            tracing::warn!(left, of = rooms.len(), "these rooms had not come to rest in time");
        }
        self.stores.flush().await;
        let spare = self.pool.empty();
        let ending = futures_util::stream::iter(&spare).for_each_concurrent(SETTLED_AT_ONCE, |room| async {
            room.over().await;
            self.erase(room.id).await;
        });
        if tokio::time::timeout(SPARES_END, ending).await.is_err() {
            tracing::warn!("spare sandboxes had not ended in time: the next server ends them");
        }
    }
}
