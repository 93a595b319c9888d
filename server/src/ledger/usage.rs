//! What an account used, summed up by day while its lines are added.

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::credits::{DAY, Line};
use super::{Ledger, LedgerError, now};

/// What an account used on one day of UTC, by one of its pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// Days since 1970.
    pub day: i64,
    /// Absent for what was granted.
    pub public_key: Option<String>,
    /// Rooms that were opened.
    pub rooms: i64,
    /// Credits taken and not given back.
    pub spent: i64,
    pub granted: i64,
}

/// Adds a line to the sums of its day, in the transaction that adds the line.
pub(super) async fn count(
    transaction: &mut Transaction<'_, Any>,
    line: &Line<'_>,
    created: i64,
) -> Result<(), LedgerError> {
    let Some((rooms, spent, granted)) = line.kind.counted(line.amount) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO usage_days (account, day, public_key, rooms, spent, granted) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (account, day, public_key) DO UPDATE SET rooms = usage_days.rooms + excluded.rooms, \
         spent = usage_days.spent + excluded.spent, granted = usage_days.granted + excluded.granted",
    )
    .bind(line.account)
    .bind(created / DAY)
    .bind(line.public_key.unwrap_or_default())
    .bind(rooms)
    .bind(spent)
    .bind(granted)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Ledger {
    /// What an account used on each of the last days, today's last, by each of its pairs; days on which it used nothing are
    /// left out.
    pub async fn usage(&self, account: &str, days: u32) -> Result<Vec<UsageRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT day, public_key, rooms, spent, granted FROM usage_days WHERE account = $1 AND day > $2 \
             ORDER BY day, public_key",
        )
        .bind(account)
        .bind(now() / DAY - i64::from(days))
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &AnyRow| {
            Ok(UsageRow {
                day: row.try_get(0)?,
                public_key: Some(row.try_get(1)?).filter(|key: &String| !key.is_empty()),
                rooms: row.try_get(2)?,
                spent: row.try_get(3)?,
                granted: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect()
    }
}
