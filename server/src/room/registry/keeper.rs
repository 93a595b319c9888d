//! What a registry does of its own accord: puts rooms to sleep and ends them in time, has their minutes paid for, and removes
//! what no room owns.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::Registry;
use crate::engine::{EngineError, Standing, Swept};
use crate::ledger::now;

/// How often rooms are looked at for sleep and end.
const KEEP: Duration = Duration::from_secs(5);
/// How often what the engine has is compared with the rooms there are.
const SWEEP: Duration = Duration::from_secs(60);
/// After a sweep that failed, the next one waits this long.
const SWEEP_RETRY: Duration = Duration::from_secs(5);

impl Registry {
    /// Puts empty rooms to sleep and ends those whose lifetime is over.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut ticks = interval(KEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.tasks.closing() => return,
            }
            let passed = last.elapsed();
            last += passed;
            self.meter(passed).await;
            for room in self.all() {
                let unused = Duration::from_millis(u64::try_from(now() - room.last_used()).unwrap_or(0));
                let ends_at = room.ends_at.load(Ordering::Relaxed);
                // A host that said how long its room stays is not to find it asleep before.
                let stays = ends_at != i64::MAX;
                if ends_at <= now() || (!stays && unused >= self.config.rooms.lifetime) {
                    self.end(&room).await;
                } else if !stays && unused >= self.config.rooms.sleep_after && !room.sandbox.is_asleep() {
                    let started = Instant::now();
                    room.documents.flush(&room).await;
                    room.documents.unload(true);
                    room.identities.unload();
                    room.rest().await;
                    room.log_egress();
                    tracing::debug!(room = %room.id, elapsed = ?started.elapsed(), "an empty room fell asleep");
                } else {
                    room.documents.unload(false);
                }
            }
        }
    }

    /// Counts that so much time has passed, for sandboxes that run and for people who came by links, and has it paid for.
    pub async fn meter(&self, passed: Duration) {
        for room in self.all() {
            room.meter(passed).await;
            self.count_keys(&room, passed).await;
        }
    }

    /// Compares what the engine has with the rooms there are, again and again.
    pub(super) async fn keep_sweeping(self: Arc<Self>) {
        let mut pause = SWEEP;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.tasks.closing() => return,
            }
            pause = match self.sweep().await {
                Ok(()) => SWEEP,
                Err(error) => {
                    tracing::warn!(error = %crate::telemetry::chain(&error), "what no room owns could not be removed");
                    SWEEP_RETRY
                }
            };
        }
    }

    pub(super) async fn sweep(&self) -> Result<(), EngineError> {
        self.made.lock().retain(|_, room| room.strong_count() > 0);
        let standing = |id| match self.made.lock().get(&id).and_then(Weak::upgrade) {
            Some(room) if room.sandbox.may_run() => Standing::Awake,
            Some(_) => Standing::Asleep,
            None => Standing::Unknown,
        };
        let swept = self.engine.sweep(&standing).await?;
        if swept != Swept::default() {
            let Swept { sandboxes, homes } = swept;
            tracing::info!(sandboxes, homes, "removed what no room owns");
        }
        Ok(())
    }
}
