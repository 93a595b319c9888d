//! The one place where tasks are spawned: each has a name, a panic in one is logged and goes no further, and shutdown
//! waits for all of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns tasks and waits for them. Clones share one set.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    closing: CancellationToken,
    /// How many tasks of each name there are.
    running: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Tasks {
    /// Runs a future as a task. It should end soon after [`Tasks::closing`] resolves.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        *self.running.lock().entry(name).or_default() += 1;
        let running = self.running.clone();
        self.tracker.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                let said = panic.downcast_ref::<&str>().copied();
                let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
                tracing::error!(task = name, panic = said, "a task panicked");
            }
            if let Some(count) = running.lock().get_mut(name) {
                *count -= 1;
            }
        });
    }

    /// Resolves when the server goes down.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Tells every task to end and waits for them, for `limit` at most. Returns whether all have ended.
    pub async fn close(&self, limit: Duration) -> bool {
        self.closing.cancel();
        self.tracker.close();
        let ended = tokio::time::timeout(limit, self.tracker.wait()).await.is_ok();
        if !ended {
            let mut left = self.running.lock().clone();
            left.retain(|_, count| *count > 0);
            tracing::warn!(?left, "these tasks did not end in time");
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stays_in_its_task_and_close_waits_for_the_others() {
        let tasks = Tasks::default();
        tasks.spawn("panics", async { panic!("on purpose") });
        let closing = tasks.clone();
        tasks.spawn("waits", async move { closing.closing().await });
        assert!(tasks.close(Duration::from_secs(5)).await);
    }
}
