//! Maintenance: while it lasts, no room is opened. Rooms that are there go on.

use sqlx::Row as _;

use super::audit::{self, Actor};
use super::{Ledger, LedgerError, now};

/// What people are told if the operator says nothing else.
pub const MESSAGE: &str =
    "no new workspaces are opened just now, because the server is looked after; please try again later";
/// The longest text that people are told, in characters.
pub const MAX_MESSAGE: usize = 500;

/// Maintenance that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// What who asks for a room is told.
    pub message: String,
    /// Milliseconds since 1970.
    pub since: i64,
}

impl Ledger {
    /// The maintenance that is under way, if one is.
    pub async fn maintenance(&self) -> Result<Option<Maintenance>, LedgerError> {
        let row = sqlx::query("SELECT message, since FROM maintenance").fetch_optional(&self.store.readers).await?;
        row.map(|row| Ok(Maintenance { message: row.try_get(0)?, since: row.try_get(1)? })).transpose()
    }

    /// Begins maintenance, or says anew what people are told. It holds from the next request for a room on.
    pub async fn begin_maintenance(&self, actor: Actor<'_>, message: &str) -> Result<Maintenance, LedgerError> {
        let message = super::name(message, MAX_MESSAGE)?;
        let mut transaction = self.store.writer.begin().await?;
        let since: i64 = sqlx::query_scalar(
            "INSERT INTO maintenance (the_one, message, since) VALUES (1, $1, $2) \
             ON CONFLICT (the_one) DO UPDATE SET message = excluded.message RETURNING since",
        )
        .bind(message)
        .bind(now())
        .fetch_one(&mut *transaction)
        .await?;
        audit::note_of_server(&mut transaction, actor, "maintenance.begun", message).await?;
        transaction.commit().await?;
        Ok(Maintenance { message: message.to_owned(), since })
    }

    /// Ends it. Nothing is changed if there is none.
    pub async fn end_maintenance(&self, actor: Actor<'_>) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let ended = sqlx::query("DELETE FROM maintenance").execute(&mut *transaction).await?;
        if ended.rows_affected() > 0 {
            audit::note_of_server(&mut transaction, actor, "maintenance.ended", "").await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
