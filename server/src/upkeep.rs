//! What is done for the ledger in time: credits expire, and what is kept for a while is removed after it.
//!
//! Task tree: one `upkeep`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;
use crate::ledger::{Ledger, LedgerError};
use crate::tasks::Tasks;

/// How often it is looked for credits that have expired.
const EXPIRE: Duration = Duration::from_secs(30);
/// How often what is kept no longer is removed.
const FORGET: Duration = Duration::from_secs(60 * 60);

/// Goes on until the server goes down.
pub(crate) fn start(config: Arc<Config>, ledger: Ledger, tasks: &Tasks) {
    let closing = tasks.clone();
    tasks.spawn("upkeep", async move {
        let (mut expire, mut forget) = (interval(EXPIRE), interval(FORGET));
        for ticks in [&mut expire, &mut forget] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let done = tokio::select! {
                _ = expire.tick() => ledger.expire().await.map(drop),
                _ = forget.tick() => remove_old(&config, &ledger).await,
                () = closing.closing() => return,
            };
            if let Err(error) = done {
                tracing::warn!(error = %crate::telemetry::chain(&error), "the ledger's upkeep failed; trying on");
            }
        }
    });
}

async fn remove_old(config: &Config, ledger: &Ledger) -> Result<(), LedgerError> {
    ledger.forget_deliveries(config.retention.deliveries).await?;
    ledger.forget_audit(config.retention.audit).await
}
