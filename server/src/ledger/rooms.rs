//! Rooms in the ledger: opened for one credit, remembered across restarts, ended.

use std::collections::BTreeMap;

use embedenv_shared::id::{Role, RoomId};
use serde::Serialize;
use sqlx::{Any, Row as _, Transaction};

use super::credits::{Kind, Line};
use super::join_keys::{self, EDITOR_KEY, OWNER_KEY};
use super::webhooks::{self, EventKind};
use super::{Ledger, LedgerError, Payer, Visit, credits, now};

/// What an `init` costs.
pub const PRICE: i64 = 1;
/// What prices by the minute are counted in, of a credit.
pub const THOUSANDTHS: i64 = 1000;
/// Idempotency keys are kept for this long, in milliseconds: 48 hours.
const IDEMPOTENCY: i64 = 48 * 60 * 60 * 1000;

/// A room to be opened.
#[derive(Debug, Clone)]
pub struct NewRoom {
    pub payer: Payer,
    pub room: RoomId,
    pub space: String,
    pub idempotency: Option<IdempotencyKey>,
    /// What it has already, if it was kept ready.
    pub sandbox: Option<NewSandbox>,
    /// The visit to a widget that it is opened for.
    pub visit: Option<Visit>,
    /// When it ends, if its host said so, in milliseconds since 1970.
    pub ends_at: Option<i64>,
    /// A JSON object of texts.
    pub metadata: String,
}

/// The engine's record of a sandbox, and its epoch.
#[derive(Debug, Clone)]
pub struct NewSandbox {
    pub record: String,
    pub epoch: u64,
}

/// What makes a retried `init` the same as the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub key: String,
    /// The parameters; with others the key is a conflict.
    pub fingerprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenOutcome {
    /// One credit was taken.
    New {
        remaining: i64,
    },
    /// This idempotency key opened a room before; nothing was taken.
    Again {
        room: RoomId,
        remaining: i64,
    },
    /// This idempotency key was used with other parameters.
    Conflict,
    NoCredits,
    /// The widget has opened as many in this hour as it may.
    OverQuota,
    /// The pair has taken as many credits as it may.
    OverBudget,
    /// As many rooms of the pair live as may.
    TooManyRooms,
    /// Sandboxes of the pair's rooms have run for as many minutes as they may.
    OverMinutes,
    /// No rooms are opened just now, with what the operator says of it.
    Maintenance(String),
}

/// A living room. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    pub room: RoomId,
    pub space: String,
    pub created: i64,
    pub last_used: i64,
    /// The engine's record of its sandbox, if it runs.
    pub sandbox: Option<String>,
    pub epoch: u64,
    /// Minutes for which a sandbox of it ran and that were counted.
    pub minutes: u64,
    /// When it ends whatever happens, if its host said so.
    pub ends_at: Option<i64>,
    /// A JSON object of texts, its members in order.
    pub metadata: String,
}

impl RoomRow {
    /// What its host wrote on it.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.metadata).unwrap_or_default()
    }

    /// Whether its metadata have this member.
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.metadata().get(name).is_some_and(|said| said == value)
    }
}

/// A query for the columns of a [`RoomRow`], in its order.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT room, space, created, last_used, sandbox, epoch, minutes, ends_at, metadata FROM rooms ", $rest)
    };
}

impl Ledger {
    /// Takes a credit and writes the room down, durably and in one step.
    pub async fn open_room(&self, new: NewRoom) -> Result<OpenOutcome, LedgerError> {
        let NewRoom { payer: Payer { account, public_key, .. }, room, space, idempotency, sandbox, visit, .. } = new;
        let (record, epoch) = sandbox.map(|NewSandbox { record, epoch }| (record, epoch)).unzip();
        let id = room.to_string();
        let created = now();
        let mut transaction = self.store.writer.begin().await?;
        // What one pair pays for stands in line here, so that a retry finds what the first try left.
        let pair = sqlx::query(
            "UPDATE key_pairs SET last_used = $1, spent = spent + $2 WHERE public_key = $3 \
             RETURNING spent, budget, rooms_most, minutes, minutes_most, (SELECT message FROM maintenance)",
        )
        .bind(created)
        .bind(PRICE)
        .bind(&public_key)
        .fetch_one(&mut *transaction)
        .await?;
        let (spent, budget): (i64, Option<i64>) = (pair.try_get(0)?, pair.try_get(1)?);
        let rooms_most: Option<i64> = pair.try_get(2)?;
        let (minutes, minutes_most): (i64, Option<i64>) = (pair.try_get(3)?, pair.try_get(4)?);
        let maintenance: Option<String> = pair.try_get(5)?;
        if let Some(IdempotencyKey { key, fingerprint }) = &idempotency {
            sqlx::query("DELETE FROM idempotency_keys WHERE created < $1")
                .bind(now() - IDEMPOTENCY)
                .execute(&mut *transaction)
                .await?;
            let known = sqlx::query(
                "SELECT fingerprint, room, remaining FROM idempotency_keys WHERE public_key = $1 AND idempotency_key = $2",
            )
            .bind(&public_key)
            .bind(key)
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some(row) = known {
                if row.try_get::<String, _>(0)? != *fingerprint {
                    return Ok(OpenOutcome::Conflict);
                }
                return Ok(OpenOutcome::Again {
                    room: parse(&row.try_get::<String, _>(1)?)?,
                    remaining: row.try_get(2)?,
                });
            }
        }
        if let Some(message) = maintenance {
            return Ok(OpenOutcome::Maintenance(message));
        }
        if budget.is_some_and(|budget| spent > budget) {
            return Ok(OpenOutcome::OverBudget);
        }
        if minutes_most.is_some_and(|most| minutes >= most) {
            return Ok(OpenOutcome::OverMinutes);
        }
        if let Some(most) = rooms_most {
            let living: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM rooms WHERE public_key = $1 AND ended IS NULL")
                .bind(&public_key)
                .fetch_one(&mut *transaction)
                .await?;
            if living >= most {
                return Ok(OpenOutcome::TooManyRooms);
            }
        }
        sqlx::query(
            "INSERT INTO rooms (room, public_key, space, created, last_used, sandbox, epoch, account, ends_at, metadata) \
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&id)
        .bind(&public_key)
        .bind(&space)
        .bind(created)
        .bind(record)
        .bind(stored_epoch(epoch.unwrap_or(0))?)
        .bind(&account)
        .bind(new.ends_at)
        .bind(new.metadata)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO join_keys (room, number, role, created) VALUES ($1, $2, $3, $4), ($1, $5, $6, $4)")
            .bind(&id)
            .bind(i64::from(EDITOR_KEY))
            .bind(join_keys::stored_role(Role::Editor))
            .bind(created)
            .bind(i64::from(OWNER_KEY))
            .bind(join_keys::stored_role(Role::Owner))
            .execute(&mut *transaction)
            .await?;
        let Some(remaining) =
            credits::charge(&mut transaction, &account, &public_key, Kind::Opening, PRICE, &id).await?
        else {
            return Ok(OpenOutcome::NoCredits);
        };
        if let Some(visit) = &visit
            && !self.visit(&mut transaction, visit, &id).await?
        {
            return Ok(OpenOutcome::OverQuota);
        }
        if let Some(IdempotencyKey { key, fingerprint }) = idempotency {
            sqlx::query(
                "INSERT INTO idempotency_keys (public_key, idempotency_key, fingerprint, room, remaining, created) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&public_key)
            .bind(key)
            .bind(fingerprint)
            .bind(&id)
            .bind(remaining)
            .bind(now())
            .execute(&mut *transaction)
            .await?;
        }
        let told = Told { room: id, space, public_key };
        webhooks::tell(&mut transaction, &account, EventKind::RoomStarted, &told).await?;
        transaction.commit().await?;
        self.told.notify_one();
        Ok(OpenOutcome::New { remaining })
    }

    /// Gives a room's credit back and ends the room. A second time it changes nothing.
    pub async fn refund_room(&self, room: RoomId) -> Result<(), LedgerError> {
        let id = room.to_string();
        let mut transaction = self.store.writer.begin().await?;
        if let Some((account, told)) = end(&mut transaction, &id).await? {
            // The pair before the account, as where a room is opened: in the other order each could wait for the other.
            sqlx::query("UPDATE key_pairs SET spent = spent - $1 WHERE public_key = $2")
                .bind(PRICE)
                .bind(&told.public_key)
                .execute(&mut *transaction)
                .await?;
            let (public_key, room) = (Some(told.public_key.as_str()), Some(id.as_str()));
            let line = Line { account: &account, public_key, kind: Kind::Refund, amount: PRICE, room };
            credits::add(&mut transaction, line).await?;
            sqlx::query("DELETE FROM widget_openings WHERE room = $1").bind(&id).execute(&mut *transaction).await?;
            // A retry with the same idempotency key is a new attempt.
            sqlx::query("DELETE FROM idempotency_keys WHERE room = $1").bind(&id).execute(&mut *transaction).await?;
            webhooks::tell(&mut transaction, &account, EventKind::RoomFailed, &told).await?;
        }
        transaction.commit().await?;
        self.told.notify_one();
        Ok(())
    }

    /// All living rooms.
    pub async fn rooms(&self) -> Result<Vec<RoomRow>, LedgerError> {
        let rows = sqlx::query(select!("WHERE ended IS NULL")).fetch_all(&self.store.readers).await?;
        rows.iter().map(row).collect()
    }

    /// The living rooms that an account pays for, by id, so many of those behind `after`; with `metadata`, those alone
    /// that have that member.
    pub async fn rooms_of(
        &self,
        account: &str,
        after: &str,
        most: u32,
        metadata: Option<&(String, String)>,
    ) -> Result<Vec<RoomRow>, LedgerError> {
        // A member follows a brace or a comma and is closed by its quotation mark, so that nothing else can look like it.
        let text = |text: &str| serde_json::to_string(text).expect("a text always serialises");
        let member = metadata.map(|(name, value)| format!("{}:{}", text(name), text(value))).unwrap_or_default();
        let rows = sqlx::query(select!(
            "WHERE account = $1 AND ended IS NULL AND room > $2 \
             AND ($4 = '' OR REPLACE(metadata, '{' || $4, '') <> metadata OR REPLACE(metadata, ',' || $4, '') <> metadata) \
             ORDER BY room LIMIT $3"
        ))
        .bind(account)
        .bind(after)
        .bind(i64::from(most))
        .bind(member)
        .fetch_all(&self.store.readers)
        .await?;
        rows.iter().map(row).collect()
    }

    /// A living room, if the account pays for it.
    pub async fn room_of(&self, account: &str, room: RoomId) -> Result<RoomRow, LedgerError> {
        let found = sqlx::query(select!("WHERE account = $1 AND room = $2 AND ended IS NULL"))
            .bind(account)
            .bind(room.to_string())
            .fetch_optional(&self.store.readers)
            .await?;
        found.as_ref().map(row).transpose()?.ok_or(LedgerError::UnknownRoom)
    }

    /// The living room that was used last of those that pairs of this name opened.
    pub async fn latest_room_of(&self, name: &str) -> Result<Option<RoomId>, LedgerError> {
        let room: Option<String> = sqlx::query_scalar(
            "SELECT room FROM rooms JOIN key_pairs ON key_pairs.public_key = rooms.public_key \
             WHERE key_pairs.name = $1 AND kind = 'pair' AND ended IS NULL ORDER BY rooms.last_used DESC LIMIT 1",
        )
        .bind(name)
        .fetch_optional(&self.store.readers)
        .await?;
        room.as_deref().map(parse).transpose()
    }

    /// When a room ends, in milliseconds since 1970; `None` if only for want of use.
    pub async fn set_end(&self, room: RoomId, ends_at: Option<i64>) -> Result<(), LedgerError> {
        sqlx::query("UPDATE rooms SET ends_at = $1 WHERE room = $2")
            .bind(ends_at)
            .bind(room.to_string())
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }

    pub async fn touch_room(&self, room: RoomId, at: i64) -> Result<(), LedgerError> {
        sqlx::query("UPDATE rooms SET last_used = $1 WHERE room = $2")
            .bind(at)
            .bind(room.to_string())
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }

    /// Writes down which sandbox a room has, or that it has none.
    pub async fn set_sandbox(&self, room: RoomId, sandbox: Option<&str>, epoch: u64) -> Result<(), LedgerError> {
        sqlx::query("UPDATE rooms SET sandbox = $1, epoch = $2 WHERE room = $3")
            .bind(sandbox)
            .bind(stored_epoch(epoch)?)
            .bind(room.to_string())
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }

    pub async fn end_room(&self, room: RoomId) -> Result<(), LedgerError> {
        let id = room.to_string();
        let mut transaction = self.store.writer.begin().await?;
        if let Some((account, told)) = end(&mut transaction, &id).await? {
            webhooks::tell(&mut transaction, &account, EventKind::RoomEnded, &told).await?;
        }
        transaction.commit().await?;
        self.told.notify_one();
        Ok(())
    }

    /// Counts the minute of this number, from 1, for which a sandbox of the room ran, and takes what it costs: so many
    /// thousandths of a credit. `false` if there are no credits for it, or no minutes of the pair; then it is not counted. One that was counted before
    /// costs nothing.
    pub async fn meter(&self, room: RoomId, minute: u64, price: u32) -> Result<bool, LedgerError> {
        let id = room.to_string();
        let minute = i64::try_from(minute).map_err(|_| LedgerError::Unreadable("a number of minutes"))?;
        let mut transaction = self.store.writer.begin().await?;
        let counted = sqlx::query(
            "UPDATE rooms SET minutes = $1, owed = owed + $2 WHERE room = $3 AND minutes = $1 - 1 AND ended IS NULL \
             RETURNING account, public_key, owed",
        )
        .bind(minute)
        .bind(i64::from(price))
        .bind(&id)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(counted) = counted else { return Ok(true) };
        let (account, public_key): (String, String) = (counted.try_get(0)?, counted.try_get(1)?);
        let due = counted.try_get::<i64, _>(2)? / THOUSANDTHS;
        if due > 0 {
            sqlx::query("UPDATE rooms SET owed = owed - $1 WHERE room = $2")
                .bind(due * THOUSANDTHS)
                .bind(&id)
                .execute(&mut *transaction)
                .await?;
        }
        let pair = sqlx::query(
            "UPDATE key_pairs SET spent = spent + $1, minutes = minutes + 1 WHERE public_key = $2 \
             AND ($1 = 0 OR budget IS NULL OR spent + $1 <= budget) AND (minutes_most IS NULL OR minutes < minutes_most)",
        )
        .bind(due)
        .bind(&public_key)
        .execute(&mut *transaction)
        .await?;
        if pair.rows_affected() == 0 {
            return Ok(false);
        }
        if due > 0 && credits::charge(&mut transaction, &account, &public_key, Kind::Minutes, due, &id).await?.is_none()
        {
            return Ok(false);
        }
        transaction.commit().await?;
        self.told.notify_one();
        Ok(true)
    }
}

/// What is told of a room.
#[derive(Serialize)]
struct Told {
    room: String,
    space: String,
    public_key: String,
}

/// Ends a room that lives, and returns whose it was.
async fn end(transaction: &mut Transaction<'_, Any>, room: &str) -> Result<Option<(String, Told)>, LedgerError> {
    let ended = sqlx::query(
        "UPDATE rooms SET ended = $1, sandbox = NULL WHERE room = $2 AND ended IS NULL \
         RETURNING account, public_key, space",
    )
    .bind(now())
    .bind(room)
    .fetch_optional(&mut **transaction)
    .await?;
    let told = |row: sqlx::any::AnyRow| {
        let told = Told { room: room.to_owned(), public_key: row.try_get(1)?, space: row.try_get(2)? };
        Ok((row.try_get(0)?, told))
    };
    ended.map(told).transpose()
}

fn row(row: &sqlx::any::AnyRow) -> Result<RoomRow, LedgerError> {
    Ok(RoomRow {
        room: parse(&row.try_get::<String, _>(0)?)?,
        space: row.try_get(1)?,
        created: row.try_get(2)?,
        last_used: row.try_get(3)?,
        sandbox: row.try_get(4)?,
        epoch: u64::try_from(row.try_get::<i64, _>(5)?).map_err(|_| LedgerError::Unreadable("an epoch"))?,
        minutes: row.try_get::<i64, _>(6)?.unsigned_abs(),
        ends_at: row.try_get(7)?,
        metadata: row.try_get(8)?,
    })
}

fn stored_epoch(epoch: u64) -> Result<i64, LedgerError> {
    i64::try_from(epoch).map_err(|_| LedgerError::Unreadable("an epoch"))
}

pub(super) fn parse(room: &str) -> Result<RoomId, LedgerError> {
    room.parse().map_err(|_| LedgerError::Unreadable("a room id"))
}
