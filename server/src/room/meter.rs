//! What the running of a room's sandbox costs: each whole minute is counted in the ledger, once, and paid for there if it costs
//! anything. A sandbox whose minute can't be paid for ends, and starts again only once that one is paid.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::SandboxState;

use super::Room;
use crate::ledger::{LedgerError, failed};

/// What is paid for at once, in milliseconds.
const MINUTE: u64 = 60_000;
/// What people are told.
const UNPAID: &str =
    "Nobody pays for this workspace any more: its credits or minutes are used up. Your files are safe.";

#[derive(Debug)]
pub(super) struct Meter {
    /// Thousandths of a credit for each minute.
    price: u32,
    /// Minutes that were paid for.
    minutes: AtomicU64,
    /// What ran since, in milliseconds.
    running: AtomicU64,
    /// The last minute could not be paid for.
    is_unpaid: AtomicBool,
}

impl Meter {
    pub(super) fn new(price: u32, minutes: u64) -> Self {
        Self { price, minutes: minutes.into(), running: AtomicU64::new(0), is_unpaid: AtomicBool::new(false) }
    }
}

impl Room {
    /// Counts that so much time has passed, and ends a sandbox that nobody pays for.
    pub(super) async fn meter(self: &Arc<Self>, passed: Duration) {
        if self.spare.load(Ordering::Relaxed) || self.sandbox.state() != SandboxState::Ready {
            return;
        }
        let passed = u64::try_from(passed.as_millis()).unwrap_or(MINUTE);
        self.meter.running.fetch_add(passed, Ordering::Relaxed);
        match self.pay().await {
            Ok(true) => {}
            Ok(false) => {
                tracing::info!(room = %self.id, "a room's sandbox ends: its minutes can't be paid for");
                self.documents.flush(self).await;
                self.stop(UNPAID).await;
            }
            // It is counted later.
            Err(error) => {
                tracing::warn!(room = %self.id, error = %crate::telemetry::chain(&error), "a room's minute could not be counted");
            }
        }
    }

    /// Whether a sandbox may start.
    pub(super) async fn may_start(&self) -> Result<(), Failure> {
        if !self.meter.is_unpaid.load(Ordering::Relaxed) || self.pay().await.map_err(failed)? {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::NoCredits, UNPAID))
    }

    /// Pays for the minutes that have passed. `false` if there are no credits for one.
    async fn pay(&self) -> Result<bool, LedgerError> {
        let Meter { price, minutes, running, is_unpaid } = &self.meter;
        while running.load(Ordering::Relaxed) >= MINUTE {
            let minute = minutes.load(Ordering::Relaxed) + 1;
            let is_paid = self.ledger.meter(self.id, minute, *price).await?;
            is_unpaid.store(!is_paid, Ordering::Relaxed);
            if !is_paid {
                return Ok(false);
            }
            minutes.store(minute, Ordering::Relaxed);
            running.fetch_sub(MINUTE, Ordering::Relaxed);
        }
        Ok(true)
    }
}
