//! The audit log: who did what with an account. Lines are only ever added, and removed when they are old.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::credits::Mark;
use super::{Ledger, LedgerError, keys, now};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// Somebody who is logged in, by their account's id.
    Account(&'a str),
    /// Who has the server's machine.
    CommandLine,
    /// The payment system.
    Payment,
}

impl Actor<'_> {
    fn stored(self) -> String {
        match self {
            Self::Account(id) => id.to_owned(),
            Self::CommandLine => "command line".to_owned(),
            Self::Payment => "payment".to_owned(),
        }
    }
}

/// One line. `created` is milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub entry: String,
    pub actor: String,
    /// What was done, such as `key.revoked`.
    pub action: String,
    /// To what.
    pub subject: String,
    pub created: i64,
}

impl AuditRow {
    /// Where the lines behind this one begin.
    pub fn mark(&self) -> Mark {
        Mark::new(self.created, &self.entry)
    }
}

/// Adds a line, in the transaction of what it tells.
pub(super) async fn note(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    actor: Actor<'_>,
    action: &str,
    subject: &str,
) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO audit (entry, account, actor, action, subject, created) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(keys::random::<16>())
        .bind(account)
        .bind(actor.stored())
        .bind(action)
        .bind(subject)
        .bind(now())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Adds a line about the server itself to the account of every operator, whoever did it.
pub(super) async fn note_of_server(
    transaction: &mut Transaction<'_, Any>,
    actor: Actor<'_>,
    action: &str,
    subject: &str,
) -> Result<(), LedgerError> {
    let operators: Vec<String> =
        sqlx::query_scalar("SELECT account FROM accounts WHERE role = 'operator' AND closed IS NULL")
            .fetch_all(&mut **transaction)
            .await?;
    for operator in operators {
        note(transaction, &operator, actor, action, subject).await?;
    }
    Ok(())
}

impl Ledger {
    /// Removes lines that are older than that.
    pub async fn forget_audit(&self, older: Duration) -> Result<(), LedgerError> {
        let age = i64::try_from(older.as_millis()).unwrap_or(i64::MAX);
        sqlx::query("DELETE FROM audit WHERE created < $1")
            .bind(now().saturating_sub(age))
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }

    /// An account's lines, the newest first, so many of those behind `after`.
    pub async fn audit(&self, account: &str, after: Option<&Mark>, most: u32) -> Result<Vec<AuditRow>, LedgerError> {
        let (created, entry) = after.map_or((i64::MAX, ""), Mark::parts);
        let rows = sqlx::query(
            "SELECT entry, actor, action, subject, created FROM audit \
             WHERE account = $1 AND (created < $2 OR created = $2 AND entry < $3) \
             ORDER BY created DESC, entry DESC LIMIT $4",
        )
        .bind(account)
        .bind(created)
        .bind(entry)
        .bind(i64::from(most))
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &AnyRow| {
            Ok(AuditRow {
                entry: row.try_get(0)?,
                actor: row.try_get(1)?,
                action: row.try_get(2)?,
                subject: row.try_get(3)?,
                created: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect()
    }
}
