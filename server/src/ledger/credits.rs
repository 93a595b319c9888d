//! Credits: lines that are only ever added, each with the balance it leads to.

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::audit::{self, Actor};
use super::{Ledger, LedgerError, keys, now, usage, webhooks};

/// The milliseconds of a day of UTC.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// The most credits one grant may give.
const MAX_AMOUNT: i64 = 1_000_000_000;
/// Grants that are looked at for what has expired of them, at once.
const EXPIRED_AT_ONCE: i64 = 1000;

/// One line. `created` is milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditRow {
    pub entry: String,
    pub kind: String,
    /// Negative for what was taken.
    pub amount: i64,
    pub balance_after: i64,
    pub room: Option<String>,
    /// The pair that spent it; absent for a grant, and the account's own for what was done in the console.
    pub public_key: Option<String>,
    pub created: i64,
}

impl CreditRow {
    /// Where the lines behind this one begin.
    pub fn mark(&self) -> Mark {
        Mark::new(self.created, &self.entry)
    }
}

/// A place among lines of which the newest come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    created: i64,
    entry: String,
}

impl Mark {
    pub(super) fn new(created: i64, entry: &str) -> Self {
        Self { created, entry: entry.to_owned() }
    }

    pub(super) fn parts(&self) -> (i64, &str) {
        (self.created, &self.entry)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.created, self.entry)
    }
}

impl std::str::FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let (created, entry) = text.split_once('.').ok_or(NoMark)?;
        Ok(Self { created: created.parse().map_err(|_| NoMark)?, entry: entry.to_owned() })
    }
}

/// A text that is no [`Mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the `next` of a page")]
pub struct NoMark;

/// Why a line is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Grant,
    Payment,
    /// A room is opened.
    Opening,
    /// A room's sandbox has run.
    Minutes,
    Refund,
    Expiry,
}

impl Kind {
    fn stored(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Payment => "payment",
            Self::Opening | Self::Minutes => "charge",
            Self::Refund => "refund",
            Self::Expiry => "expiry",
        }
    }

    /// What a line of so much adds to the rooms, the credits spent and the credits granted of its day.
    pub(super) fn counted(self, amount: i64) -> Option<(i64, i64, i64)> {
        match self {
            Self::Grant | Self::Payment => Some((0, 0, amount)),
            Self::Opening => Some((1, -amount, 0)),
            Self::Minutes | Self::Refund => Some((0, -amount, 0)),
            Self::Expiry => None,
        }
    }
}

/// A line to be added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) account: &'a str,
    /// The pair that spends.
    pub(super) public_key: Option<&'a str>,
    pub(super) kind: Kind,
    /// Negative for what is taken.
    pub(super) amount: i64,
    pub(super) room: Option<&'a str>,
}

pub(super) fn check_amount(amount: i64, least: i64) -> Result<(), LedgerError> {
    if (least..=MAX_AMOUNT).contains(&amount) { Ok(()) } else { Err(LedgerError::Amount { least, most: MAX_AMOUNT }) }
}

/// A line that was added.
pub(super) struct Added {
    entry: String,
    balance: i64,
    /// What the account calls few.
    low: i64,
}

/// Adds a line and changes the balance with it, in the caller's transaction. Returns `None` if the balance would have gone
/// below zero or there is no such account; then nothing was changed.
pub(super) async fn add(transaction: &mut Transaction<'_, Any>, line: Line<'_>) -> Result<Option<Added>, LedgerError> {
    let Line { account, public_key, kind, amount, room } = line;
    let changed = sqlx::query(
        "UPDATE accounts SET balance = balance + $1 WHERE account = $2 AND balance + $1 >= 0 \
         RETURNING balance, low_credits",
    )
    .bind(amount)
    .bind(account)
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(changed) = changed else { return Ok(None) };
    let (balance, low) = (changed.try_get(0)?, changed.try_get(1)?);
    let (entry, created) = (keys::random::<16>(), now());
    sqlx::query(
        "INSERT INTO credits (entry, account, public_key, kind, amount, balance_after, room, created) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&entry)
    .bind(account)
    .bind(public_key)
    .bind(kind.stored())
    .bind(amount)
    .bind(balance)
    .bind(room)
    .bind(created)
    .execute(&mut **transaction)
    .await?;
    usage::count(transaction, &line, created).await?;
    Ok(Some(Added { entry, balance, low }))
}

/// Takes credits for a room, those first that expire first, and has the owner told if few are left. Returns the balance, or
/// `None` if there are not so many; then nothing was changed.
pub(super) async fn charge(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    public_key: &str,
    kind: Kind,
    amount: i64,
    room: &str,
) -> Result<Option<i64>, LedgerError> {
    let line = Line { account, public_key: Some(public_key), kind, amount: -amount, room: Some(room) };
    let added = add(transaction, line).await?;
    let Some(Added { balance, low, .. }) = added else { return Ok(None) };
    let mut left = amount;
    while left > 0 {
        let next = sqlx::query(
            "SELECT entry, remaining FROM expiring WHERE account = $1 AND remaining > 0 ORDER BY expires, entry LIMIT 1",
        )
        .bind(account)
        .fetch_optional(&mut **transaction)
        .await?;
        let Some(next) = next else { break };
        let (entry, remaining): (String, i64) = (next.try_get(0)?, next.try_get(1)?);
        let taken = remaining.min(left);
        sqlx::query("UPDATE expiring SET remaining = remaining - $1 WHERE entry = $2")
            .bind(taken)
            .bind(entry)
            .execute(&mut **transaction)
            .await?;
        left -= taken;
    }
    if balance < low && balance + amount >= low {
        webhooks::tell_low(transaction, account, balance, low).await?;
    }
    Ok(Some(balance))
}

/// Grants credits, for good or until a time, and returns the balance.
pub(super) async fn give(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    kind: Kind,
    amount: i64,
    expires: Option<i64>,
) -> Result<i64, LedgerError> {
    check_amount(amount, 1)?;
    if expires.is_some_and(|expires| expires <= now()) {
        return Err(LedgerError::Past);
    }
    let added = add(transaction, Line { account, public_key: None, kind, amount, room: None }).await?;
    let Added { entry, balance, .. } = added.ok_or(LedgerError::UnknownAccount)?;
    if let Some(expires) = expires {
        sqlx::query("INSERT INTO expiring (entry, account, remaining, expires) VALUES ($1, $2, $3, $4)")
            .bind(entry)
            .bind(account)
            .bind(amount)
            .bind(expires)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(balance)
}

/// What a payment system says that somebody has paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its own name for the payment: one is granted once.
    pub payment: String,
    pub account: String,
    pub credits: i64,
    /// Until when they are good, in milliseconds since 1970; for good without it.
    pub expires: Option<i64>,
}

impl Ledger {
    /// Grants credits to the account of a pair, on the command line, and returns the balance.
    pub async fn grant(&self, public_key: &str, amount: i64) -> Result<i64, LedgerError> {
        let account = self.account_of(public_key).await?;
        self.grant_to(&account, Actor::CommandLine, amount, None).await
    }

    /// Grants credits to an account, for good or until a time, and returns the balance.
    pub async fn grant_to(
        &self,
        account: &str,
        actor: Actor<'_>,
        amount: i64,
        expires: Option<i64>,
    ) -> Result<i64, LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let balance = give(&mut transaction, account, Kind::Grant, amount, expires).await?;
        audit::note(&mut transaction, account, actor, "credits.granted", &amount.to_string()).await?;
        transaction.commit().await?;
        Ok(balance)
    }

    /// Grants what was paid for, once for each payment, and returns the balance. One of that name with another account or
    /// amount is a conflict.
    pub async fn pay(&self, paid: &Payment) -> Result<i64, LedgerError> {
        let Payment { payment, account, credits, expires } = paid;
        let mut transaction = self.store.writer.begin().await?;
        let is_new = sqlx::query(
            "INSERT INTO payments (payment, account, credits, created) \
             SELECT $1, account, $3, $4 FROM accounts WHERE account = $2 AND closed IS NULL ON CONFLICT (payment) DO NOTHING",
        )
        .bind(payment)
        .bind(account)
        .bind(credits)
        .bind(now())
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        if is_new {
            let balance = give(&mut transaction, account, Kind::Payment, *credits, *expires).await?;
            audit::note(&mut transaction, account, Actor::Payment, "credits.paid", payment).await?;
            transaction.commit().await?;
            return Ok(balance);
        }
        let known = sqlx::query("SELECT account, credits FROM payments WHERE payment = $1")
            .bind(payment)
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(LedgerError::UnknownAccount)?;
        if known.try_get::<String, _>(0)? != *account || known.try_get::<i64, _>(1)? != *credits {
            return Err(LedgerError::OtherPayment);
        }
        drop(transaction);
        Ok(self.account(account).await?.balance)
    }

    /// Takes back what has expired. Returns from how many grants.
    pub async fn expire(&self) -> Result<u64, LedgerError> {
        let over: Vec<String> = sqlx::query_scalar(
            "SELECT entry FROM expiring WHERE expires <= $1 AND remaining > 0 ORDER BY expires LIMIT $2",
        )
        .bind(now())
        .bind(EXPIRED_AT_ONCE)
        .fetch_all(&self.store.readers)
        .await?;
        let mut expired = 0;
        for entry in over {
            let mut transaction = self.store.writer.begin().await?;
            // The account first, as where credits are taken: in the other order each could wait for the other.
            sqlx::query(
                "UPDATE accounts SET balance = balance WHERE account = (SELECT account FROM expiring WHERE entry = $1)",
            )
            .bind(&entry)
            .execute(&mut *transaction)
            .await?;
            let row = sqlx::query("SELECT account, remaining FROM expiring WHERE entry = $1 AND remaining > 0")
                .bind(&entry)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(row) = row else { continue };
            let (account, remaining): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            sqlx::query("UPDATE expiring SET remaining = 0 WHERE entry = $1")
                .bind(&entry)
                .execute(&mut *transaction)
                .await?;
            let line = Line { account: &account, public_key: None, kind: Kind::Expiry, amount: -remaining, room: None };
            if add(&mut transaction, line).await?.is_some() {
                transaction.commit().await?;
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// The balance of a pair's account.
    pub async fn balance(&self, public_key: &str) -> Result<i64, LedgerError> {
        let balance: Option<i64> = sqlx::query_scalar(
            "SELECT balance FROM accounts JOIN key_pairs ON key_pairs.account = accounts.account WHERE public_key = $1",
        )
        .bind(public_key)
        .fetch_optional(&self.store.readers)
        .await?;
        balance.ok_or_else(|| LedgerError::NoKey(public_key.to_owned()))
    }

    /// Whose a pair is.
    pub async fn account_of(&self, public_key: &str) -> Result<String, LedgerError> {
        let account: Option<String> = sqlx::query_scalar("SELECT account FROM key_pairs WHERE public_key = $1")
            .bind(public_key)
            .fetch_optional(&self.store.readers)
            .await?;
        account.ok_or_else(|| LedgerError::NoKey(public_key.to_owned()))
    }

    /// An account's lines, the newest first, so many of those behind `after`.
    pub async fn credits(&self, account: &str, after: Option<&Mark>, most: u32) -> Result<Vec<CreditRow>, LedgerError> {
        let (created, entry) = after.map_or((i64::MAX, ""), Mark::parts);
        let rows = sqlx::query(
            "SELECT entry, kind, amount, balance_after, room, public_key, created FROM credits \
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
            Ok(CreditRow {
                entry: row.try_get(0)?,
                kind: row.try_get(1)?,
                amount: row.try_get(2)?,
                balance_after: row.try_get(3)?,
                room: row.try_get(4)?,
                public_key: row.try_get(5)?,
                created: row.try_get(6)?,
            })
        };
        rows.iter().map(row).collect()
    }
}
