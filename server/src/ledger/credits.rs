//! Credits: lines that are only ever added, each with the balance it leads to.

use sqlx::{Row as _, Sqlite, Transaction};

use super::{Ledger, LedgerError, keys, now};

/// The most credits one grant may give.
const MAX_AMOUNT: i64 = 1_000_000_000;

pub(super) fn check_amount(amount: i64, least: i64) -> Result<(), LedgerError> {
    if (least..=MAX_AMOUNT).contains(&amount) { Ok(()) } else { Err(LedgerError::Amount { least, most: MAX_AMOUNT }) }
}

/// Adds a line and changes the balance with it, in the caller's transaction. Returns the balance, or `None` if it
/// would have gone below zero or there is no such pair; then nothing was changed.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    public_key: &str,
    kind: &str,
    amount: i64,
    room: Option<&str>,
) -> Result<Option<i64>, LedgerError> {
    let balance: Option<i64> = sqlx::query_scalar(
        "UPDATE key_pairs SET balance = balance + ? WHERE public_key = ? AND balance + ? >= 0 RETURNING balance",
    )
    .bind(amount)
    .bind(public_key)
    .bind(amount)
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(balance) = balance else { return Ok(None) };
    sqlx::query(
        "INSERT INTO credits (entry, public_key, kind, amount, balance_after, room, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(keys::random::<16>())
    .bind(public_key)
    .bind(kind)
    .bind(amount)
    .bind(balance)
    .bind(room)
    .bind(now())
    .execute(&mut **transaction)
    .await?;
    Ok(Some(balance))
}

impl Ledger {
    /// Grants credits and returns the balance.
    pub async fn grant(&self, public_key: &str, amount: i64) -> Result<i64, LedgerError> {
        check_amount(amount, 1)?;
        let mut transaction = self.store.writer.begin().await?;
        let balance = add(&mut transaction, public_key, "grant", amount, None).await?;
        let balance = balance.ok_or_else(|| LedgerError::NoKey(public_key.to_owned()))?;
        transaction.commit().await?;
        Ok(balance)
    }

    pub async fn balance(&self, public_key: &str) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT balance FROM key_pairs WHERE public_key = ?")
            .bind(public_key)
            .fetch_optional(&self.store.readers)
            .await?
            .ok_or_else(|| LedgerError::NoKey(public_key.to_owned()))?;
        Ok(row.try_get(0)?)
    }
}
