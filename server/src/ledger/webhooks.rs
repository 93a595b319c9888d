//! What accounts are told elsewhere: webhooks, and an outbox of what they and an account's mailbox are to hear. A line of
//! the outbox is written in the transaction of what it tells, so that a crash loses none; it may be sent twice.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::audit::{self, Actor};
use super::credits::Mark;
use super::{Ledger, LedgerError, keys, now};

/// Random bytes of an id.
const ID: usize = 12;
const PREFIX: &str = "wh_";
const DELIVERY_PREFIX: &str = "msg_";
/// Webhooks of one account.
const MOST: i64 = 20;
/// What one webhook still has to hear; with more the newest are not kept.
const MOST_WAITING: i64 = 10_000;
/// How long after one try the next follows, in seconds; after the last one it is given up.
const RETRIES: [i64; 7] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600];
/// Of one webhook, tried at once.
const AT_ONCE: i64 = 4;
/// The longest text on a failure, in characters.
const MAX_PROBLEM: usize = 200;

/// What may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    RoomStarted,
    RoomEnded,
    /// A room was paid for and had no sandbox: its credit was given back.
    RoomFailed,
    RunFinished,
    CreditsLow,
    /// Asked for, to see whether it arrives.
    Test,
}

impl EventKind {
    /// Those that a webhook may name.
    pub const ALL: [Self; 5] =
        [Self::RoomStarted, Self::RoomEnded, Self::RoomFailed, Self::RunFinished, Self::CreditsLow];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoomStarted => "room.started",
            Self::RoomEnded => "room.ended",
            Self::RoomFailed => "room.failed",
            Self::RunFinished => "run.finished",
            Self::CreditsLow => "credits.low",
            Self::Test => "webhook.test",
        }
    }
}

impl FromStr for EventKind {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| LedgerError::Event(text.to_owned()))
    }
}

/// A webhook. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    pub webhook: String,
    pub url: String,
    pub events: Vec<EventKind>,
    pub created: i64,
}

/// How an event reached a webhook, or did not. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    pub delivery: String,
    pub event: String,
    pub created: i64,
    pub tries: i64,
    /// Absent once it was delivered or given up.
    pub next_try: Option<i64>,
    pub delivered: Option<i64>,
    /// What the last try was answered.
    pub status: Option<i64>,
    pub problem: Option<String>,
}

impl DeliveryRow {
    /// Where the lines behind this one begin.
    pub fn mark(&self) -> Mark {
        Mark::new(self.created, &self.delivery)
    }
}

/// Something to be delivered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub delivery: String,
    pub event: String,
    pub body: String,
    pub tries: i64,
    pub to: Recipient,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    Webhook {
        id: String,
        url: String,
    },
    /// The address of the account's owner.
    Mail(String),
}

/// How a try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub status: Option<u16>,
    /// Why it was not delivered.
    pub problem: Option<String>,
}

/// What is sent.
#[derive(Serialize)]
struct Message<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    /// Milliseconds since 1970.
    timestamp: i64,
    data: &'a T,
}

/// Has whoever listens for an account hear of something, in the transaction of what it tells.
pub(super) async fn tell(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    kind: EventKind,
    data: &impl Serialize,
) -> Result<(), LedgerError> {
    let hooks = sqlx::query("SELECT webhook, events FROM webhooks WHERE account = $1 AND revoked IS NULL")
        .bind(account)
        .fetch_all(&mut **transaction)
        .await?;
    for hook in hooks {
        if events(&hook.try_get::<String, _>(1)?)?.contains(&kind) {
            let webhook: String = hook.try_get(0)?;
            put(transaction, account, Some(&webhook), kind, data).await?;
        }
    }
    Ok(())
}

/// One line of the outbox. One for a webhook that has too many waiting is left out.
async fn put(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    webhook: Option<&str>,
    kind: EventKind,
    data: &impl Serialize,
) -> Result<(), LedgerError> {
    let created = now();
    let message = Message { kind: kind.as_str(), timestamp: created, data };
    sqlx::query(
        "INSERT INTO deliveries (delivery, account, webhook, event, body, created, tries, next_try) \
         SELECT $1, $2, $3, $4, $5, $6, 0, $6 WHERE \
         (SELECT COUNT(*) FROM deliveries WHERE webhook = $3 AND next_try IS NOT NULL) < $7",
    )
    .bind(format!("{DELIVERY_PREFIX}{}", keys::random::<ID>()))
    .bind(account)
    .bind(webhook)
    .bind(kind.as_str())
    .bind(serde_json::to_string(&message).expect("what is told always serialises"))
    .bind(created)
    .bind(MOST_WAITING)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What an account is told when few credits are left, by mail and by webhook.
pub(super) async fn tell_low(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    credits: i64,
    below: i64,
) -> Result<(), LedgerError> {
    #[derive(Serialize)]
    struct Low {
        credits: i64,
        below: i64,
    }
    let low = Low { credits, below };
    put(transaction, account, None, EventKind::CreditsLow, &low).await?;
    tell(transaction, account, EventKind::CreditsLow, &low).await
}

impl Ledger {
    /// Makes a webhook for an address that was checked, and returns it with the secret that what it hears is signed with.
    pub async fn create_webhook(
        &self,
        account: &str,
        url: &str,
        events: &[String],
    ) -> Result<(WebhookRow, [u8; 32]), LedgerError> {
        let mut events = events.iter().map(|event| event.parse()).collect::<Result<Vec<EventKind>, _>>()?;
        if events.is_empty() {
            events = EventKind::ALL.to_vec();
        }
        events.sort_unstable();
        events.dedup();
        let webhook = format!("{PREFIX}{}", keys::random::<ID>());
        let created = now();
        let mut transaction = self.store.writer.begin().await?;
        // Who makes several at once stands in line here.
        sqlx::query("UPDATE accounts SET balance = balance WHERE account = $1")
            .bind(account)
            .execute(&mut *transaction)
            .await?;
        let has: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhooks WHERE account = $1 AND revoked IS NULL")
            .bind(account)
            .fetch_one(&mut *transaction)
            .await?;
        if has >= MOST {
            return Err(LedgerError::TooManyWebhooks { most: MOST });
        }
        let names: Vec<_> = events.iter().map(|event| event.as_str()).collect();
        sqlx::query("INSERT INTO webhooks (webhook, account, url, events, created) VALUES ($1, $2, $3, $4, $5)")
            .bind(&webhook)
            .bind(account)
            .bind(url)
            .bind(serde_json::to_string(&names).expect("texts always serialise"))
            .bind(created)
            .execute(&mut *transaction)
            .await?;
        audit::note(&mut transaction, account, Actor::Account(account), "webhook.created", &webhook).await?;
        transaction.commit().await?;
        let secret = self.webhook_secret(&webhook);
        Ok((WebhookRow { webhook, url: url.to_owned(), events, created }, secret))
    }

    /// What everything that a webhook hears is signed with.
    pub fn webhook_secret(&self, webhook: &str) -> [u8; 32] {
        self.secret.derive("webhook", &[webhook.as_bytes()])
    }

    /// The webhooks of an account, in the order in which they were made.
    pub async fn webhooks(&self, account: &str) -> Result<Vec<WebhookRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT webhook, url, events, created FROM webhooks WHERE account = $1 AND revoked IS NULL \
             ORDER BY created, webhook",
        )
        .bind(account)
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &AnyRow| {
            Ok(WebhookRow {
                webhook: row.try_get(0)?,
                url: row.try_get(1)?,
                events: events(&row.try_get::<String, _>(2)?)?,
                created: row.try_get(3)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// From now on a webhook hears nothing, also not of what has happened already.
    pub async fn revoke_webhook(&self, account: &str, webhook: &str) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let done =
            sqlx::query("UPDATE webhooks SET revoked = $1 WHERE webhook = $2 AND account = $3 AND revoked IS NULL")
                .bind(now())
                .bind(webhook)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::UnknownWebhook);
        }
        sqlx::query("UPDATE deliveries SET next_try = NULL WHERE webhook = $1")
            .bind(webhook)
            .execute(&mut *transaction)
            .await?;
        audit::note(&mut transaction, account, Actor::Account(account), "webhook.revoked", webhook).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has a webhook hear something, so that one sees whether it does.
    pub async fn test_webhook(&self, account: &str, webhook: &str) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        owned(&mut transaction, account, webhook).await?;
        put(&mut transaction, account, Some(webhook), EventKind::Test, &()).await?;
        transaction.commit().await?;
        self.told.notify_one();
        Ok(())
    }

    /// What a webhook was to hear, the newest first, so many of those behind `after`.
    pub async fn deliveries(
        &self,
        account: &str,
        webhook: &str,
        after: Option<&Mark>,
        most: u32,
    ) -> Result<Vec<DeliveryRow>, LedgerError> {
        let mut reader = self.store.readers.begin().await?;
        owned(&mut reader, account, webhook).await?;
        let (created, delivery) = after.map_or((i64::MAX, ""), Mark::parts);
        let rows = sqlx::query(
            "SELECT delivery, event, created, tries, next_try, delivered, status, problem FROM deliveries \
             WHERE webhook = $1 AND (created < $2 OR created = $2 AND delivery < $3) \
             ORDER BY created DESC, delivery DESC LIMIT $4",
        )
        .bind(webhook)
        .bind(created)
        .bind(delivery)
        .bind(i64::from(most))
        .fetch_all(&mut *reader)
        .await?;
        let row = |row: &AnyRow| {
            Ok(DeliveryRow {
                delivery: row.try_get(0)?,
                event: row.try_get(1)?,
                created: row.try_get(2)?,
                tries: row.try_get(3)?,
                next_try: row.try_get(4)?,
                delivered: row.try_get(5)?,
                status: row.try_get(6)?,
                problem: row.try_get(7)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Has something be delivered once more, now, whatever became of it.
    pub async fn redeliver(&self, account: &str, webhook: &str, delivery: &str) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        owned(&mut transaction, account, webhook).await?;
        let done = sqlx::query("UPDATE deliveries SET next_try = $1, tries = 0 WHERE delivery = $2 AND webhook = $3")
            .bind(now())
            .bind(delivery)
            .bind(webhook)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::UnknownDelivery);
        }
        transaction.commit().await?;
        self.told.notify_one();
        Ok(())
    }

    /// Has whoever listens for the account of a room hear of something that happened in it. Nothing is written if nobody does.
    pub async fn tell_of_room(
        &self,
        room: embedenv_shared::id::RoomId,
        kind: EventKind,
        data: &impl Serialize,
    ) -> Result<(), LedgerError> {
        let listening: Option<String> = sqlx::query_scalar(
            "SELECT rooms.account FROM rooms JOIN webhooks ON webhooks.account = rooms.account \
             WHERE room = $1 AND webhooks.revoked IS NULL LIMIT 1",
        )
        .bind(room.to_string())
        .fetch_optional(&self.store.readers)
        .await?;
        let Some(account) = listening else { return Ok(()) };
        let mut transaction = self.store.writer.begin().await?;
        tell(&mut transaction, &account, kind, data).await?;
        transaction.commit().await?;
        self.told.notify_one();
        Ok(())
    }

    /// Resolves when there may be something new to deliver.
    pub async fn told(&self) {
        self.told.notified().await;
    }

    /// What is to be delivered now, so many at most, and of no webhook more than [`AT_ONCE`].
    pub async fn due(&self, most: u32) -> Result<Vec<Due>, LedgerError> {
        let rows = sqlx::query(
            "SELECT delivery, event, body, tries, waiting.webhook, url, email FROM ( \
                 SELECT delivery, account, webhook, event, body, tries, next_try, \
                     ROW_NUMBER() OVER (PARTITION BY COALESCE(webhook, delivery) ORDER BY next_try, delivery) AS place \
                 FROM deliveries WHERE next_try <= $1 \
             ) waiting \
             JOIN accounts ON accounts.account = waiting.account \
             LEFT JOIN webhooks ON webhooks.webhook = waiting.webhook \
             WHERE place <= $2 ORDER BY next_try, delivery LIMIT $3",
        )
        .bind(now())
        .bind(AT_ONCE)
        .bind(i64::from(most))
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &AnyRow| {
            let to = match row.try_get::<Option<String>, _>(4)? {
                Some(id) => Recipient::Webhook { id, url: row.try_get(5)? },
                None => Recipient::Mail(row.try_get::<Option<String>, _>(6)?.unwrap_or_default()),
            };
            Ok(Due {
                delivery: row.try_get(0)?,
                event: row.try_get(1)?,
                body: row.try_get(2)?,
                tries: row.try_get(3)?,
                to,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Removes what is older than that, and will not be tried again.
    pub async fn forget_deliveries(&self, older: Duration) -> Result<(), LedgerError> {
        let age = i64::try_from(older.as_millis()).unwrap_or(i64::MAX);
        sqlx::query("DELETE FROM deliveries WHERE created < $1 AND next_try IS NULL")
            .bind(now().saturating_sub(age))
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }

    /// Writes down how a try went: what was not delivered is tried again later, until it is given up.
    pub async fn tried(&self, due: &Due, tried: &Tried) -> Result<(), LedgerError> {
        let at = now();
        let retry = usize::try_from(due.tries).ok().and_then(|tries| RETRIES.get(tries));
        let next_try = match &tried.problem {
            None => None,
            Some(_) => retry.map(|seconds| at + seconds * 1000),
        };
        let problem = tried.problem.as_ref().map(|text| text.chars().take(MAX_PROBLEM).collect::<String>());
        // One that was asked for once more meanwhile, or whose webhook is gone, keeps what was said of it then.
        sqlx::query(
            "UPDATE deliveries SET tries = tries + 1, next_try = $1, delivered = $2, status = $3, problem = $4 \
             WHERE delivery = $5 AND tries = $6 AND next_try <= $7",
        )
        .bind(next_try)
        .bind(tried.problem.is_none().then_some(at))
        .bind(tried.status.map(i64::from))
        .bind(problem)
        .bind(&due.delivery)
        .bind(due.tries)
        .bind(at)
        .execute(&self.store.writer)
        .await?;
        Ok(())
    }
}

/// Makes sure that a webhook is the account's.
async fn owned(transaction: &mut Transaction<'_, Any>, account: &str, webhook: &str) -> Result<(), LedgerError> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT webhook FROM webhooks WHERE webhook = $1 AND account = $2 AND revoked IS NULL")
            .bind(webhook)
            .bind(account)
            .fetch_optional(&mut **transaction)
            .await?;
    found.map(drop).ok_or(LedgerError::UnknownWebhook)
}

fn events(text: &str) -> Result<Vec<EventKind>, LedgerError> {
    let names: Vec<String> =
        serde_json::from_str(text).map_err(|_| LedgerError::Unreadable("the events of a webhook"))?;
    names.iter().map(|name| name.parse()).collect()
}
