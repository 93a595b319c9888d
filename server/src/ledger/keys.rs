//! Key pairs: a public name, and a secret that is shown once and kept as a keyed hash. They spend their account's credits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};
use subtle::ConstantTimeEq as _;

use super::accounts::{self, AccountRole};
use super::audit::{self, Actor};
use super::scope::Scope;
use super::{Ledger, LedgerError, credits, now};

/// Random bytes of a public key and of a secret.
pub(super) const PUBLIC: usize = 12;
const SECRET: usize = 32;
/// The longest name of a pair, in characters.
const MAX_NAME: usize = 100;
/// The most pairs of an account that are not revoked.
const MOST: i64 = 100;
/// The most rooms at once, and the most credits, that a pair may be held to.
const MAX_BOUND: i64 = 1_000_000_000;
/// How long a secret may stay good beside the one that takes its place, in milliseconds: 30 days.
const MAX_OVERLAP: i64 = 30 * 24 * 60 * 60 * 1000;

/// A new pair, or a new secret of one. The secret is here and nowhere else.
#[derive(Clone, Serialize)]
pub struct NewKey {
    pub public_key: String,
    pub secret_key: String,
    pub credits: i64,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// A pair that proved itself, and the credits its account had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    pub(super) account: String,
    pub(super) public_key: String,
    pub balance: i64,
    pub scope: Scope,
}

impl Payer {
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    pub fn account(&self) -> &str {
        &self.account
    }
}

/// What is said of a pair when it is made or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairSettings {
    pub name: String,
    pub scope: Scope,
    /// Credits it may take in all; any number without it.
    pub budget: Option<i64>,
    /// Rooms of it that may live at once; any number without it.
    pub rooms_most: Option<i64>,
    /// Minutes for which sandboxes of its rooms may run in all; any number without it.
    pub minutes_most: Option<i64>,
}

impl PairSettings {
    fn check(&self) -> Result<(), LedgerError> {
        super::name(&self.name, MAX_NAME)?;
        let bounds = [self.budget, self.rooms_most, self.minutes_most];
        if bounds.into_iter().flatten().any(|bound| !(0..=MAX_BOUND).contains(&bound)) {
            return Err(LedgerError::Bound { most: MAX_BOUND });
        }
        self.scope.check()
    }
}

/// A pair as it is listed. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    pub public_key: String,
    pub name: String,
    /// Its account's.
    pub credits: i64,
    pub created: i64,
    pub last_used: Option<i64>,
    pub revoked: Option<i64>,
    pub account: String,
    pub scope: Scope,
    pub budget: Option<i64>,
    pub rooms_most: Option<i64>,
    pub minutes_most: Option<i64>,
    /// Credits it took and did not get back.
    pub spent: i64,
    /// Minutes for which sandboxes of its rooms ran.
    pub minutes: i64,
    /// Until when the secret before this one is good, if it still is.
    pub former_until: Option<i64>,
}

/// What a statement that lists pairs begins with.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT public_key, key_pairs.name, balance, key_pairs.created, last_used, revoked, key_pairs.account, scope, ",
            "budget, rooms_most, spent, former_until, minutes_most, minutes FROM key_pairs ",
            "JOIN accounts ON accounts.account = key_pairs.account WHERE kind = 'pair' AND ",
            $rest
        )
    };
}

fn row(row: &AnyRow) -> Result<KeyRow, LedgerError> {
    Ok(KeyRow {
        public_key: row.try_get(0)?,
        name: row.try_get(1)?,
        credits: row.try_get(2)?,
        created: row.try_get(3)?,
        last_used: row.try_get(4)?,
        revoked: row.try_get(5)?,
        account: row.try_get(6)?,
        scope: Scope::read(&row.try_get::<String, _>(7)?)?,
        budget: row.try_get(8)?,
        rooms_most: row.try_get(9)?,
        spent: row.try_get(10)?,
        former_until: row.try_get::<Option<i64>, _>(11)?.filter(|until| *until > now()),
        minutes_most: row.try_get(12)?,
        minutes: row.try_get(13)?,
    })
}

impl Ledger {
    /// Makes an account for one pair that is good for all, with credits, on the command line.
    pub async fn create_key(&self, name: &str, amount: i64) -> Result<NewKey, LedgerError> {
        self.create_key_for(name, amount, Scope::default()).await
    }

    /// The same for a pair that is good for less.
    pub async fn create_key_for(&self, name: &str, amount: i64, scope: Scope) -> Result<NewKey, LedgerError> {
        let settings = PairSettings { name: name.to_owned(), scope, ..PairSettings::default() };
        settings.check()?;
        credits::check_amount(amount, 0)?;
        let mut transaction = self.store.writer.begin().await?;
        let account = accounts::insert(&mut transaction, name, None, AccountRole::Member).await?;
        let (public_key, secret_key) = self.insert_pair(&mut transaction, &account, &settings).await?;
        if amount > 0 {
            credits::give(&mut transaction, &account, credits::Kind::Grant, amount, None).await?;
        }
        audit::note(&mut transaction, &account, Actor::CommandLine, "key.created", &public_key).await?;
        transaction.commit().await?;
        Ok(NewKey { public_key, secret_key, credits: amount })
    }

    /// Makes one more pair of an account.
    pub async fn create_pair(
        &self,
        account: &str,
        actor: Actor<'_>,
        settings: &PairSettings,
    ) -> Result<NewKey, LedgerError> {
        settings.check()?;
        let mut transaction = self.store.writer.begin().await?;
        // Who makes pairs of one account does so one after the other.
        let credits: Option<i64> = sqlx::query_scalar(
            "UPDATE accounts SET name = name WHERE account = $1 AND closed IS NULL RETURNING balance",
        )
        .bind(account)
        .fetch_optional(&mut *transaction)
        .await?;
        let credits = credits.ok_or(LedgerError::UnknownAccount)?;
        let living: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM key_pairs WHERE account = $1 AND kind = 'pair' AND revoked IS NULL",
        )
        .bind(account)
        .fetch_one(&mut *transaction)
        .await?;
        if living >= MOST {
            return Err(LedgerError::TooManyKeys { most: MOST });
        }
        let (public_key, secret_key) = self.insert_pair(&mut transaction, account, settings).await?;
        audit::note(&mut transaction, account, actor, "key.created", &public_key).await?;
        transaction.commit().await?;
        Ok(NewKey { public_key, secret_key, credits })
    }

    async fn insert_pair(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &str,
        settings: &PairSettings,
    ) -> Result<(String, String), LedgerError> {
        let public_key = format!("pk_{}", random::<PUBLIC>());
        let secret_key = format!("sk_{}", random::<SECRET>());
        sqlx::query(
            "INSERT INTO key_pairs (public_key, name, secret_hash, account, scope, budget, rooms_most, created, minutes_most) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&public_key)
        .bind(settings.name.trim())
        .bind(self.hash(&public_key, &secret_key))
        .bind(account)
        .bind(settings.scope.stored())
        .bind(settings.budget)
        .bind(settings.rooms_most)
        .bind(now())
        .bind(settings.minutes_most)
        .execute(&mut **transaction)
        .await?;
        Ok((public_key, secret_key))
    }

    /// Every pair of this server.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, LedgerError> {
        let rows =
            sqlx::query(select!("1 = 1 ORDER BY key_pairs.created, public_key")).fetch_all(&self.store.readers).await?;
        rows.iter().map(row).collect()
    }

    /// An account's pairs, revoked ones too, from the first on.
    pub async fn keys_of(&self, account: &str) -> Result<Vec<KeyRow>, LedgerError> {
        let rows = sqlx::query(select!("key_pairs.account = $1 ORDER BY key_pairs.created, public_key"))
            .bind(account)
            .fetch_all(&self.store.readers)
            .await?;
        rows.iter().map(row).collect()
    }

    /// Changes what a pair of an account is called and good for, from the next request on.
    pub async fn change_pair(
        &self,
        account: &str,
        actor: Actor<'_>,
        public_key: &str,
        settings: &PairSettings,
    ) -> Result<KeyRow, LedgerError> {
        settings.check()?;
        let mut transaction = self.store.writer.begin().await?;
        let done = sqlx::query(
            "UPDATE key_pairs SET name = $1, scope = $2, budget = $3, rooms_most = $4, minutes_most = $5 \
             WHERE account = $6 AND public_key = $7 AND kind = 'pair'",
        )
        .bind(settings.name.trim())
        .bind(settings.scope.stored())
        .bind(settings.budget)
        .bind(settings.rooms_most)
        .bind(settings.minutes_most)
        .bind(account)
        .bind(public_key)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::NoKey(public_key.to_owned()));
        }
        audit::note(&mut transaction, account, actor, "key.changed", public_key).await?;
        transaction.commit().await?;
        let rows = sqlx::query(select!("public_key = $1")).bind(public_key).fetch_one(&self.store.writer).await?;
        row(&rows)
    }

    /// Gives a pair of an account a new secret. The one it had is good for `overlap` milliseconds more.
    pub async fn rotate_pair(
        &self,
        account: &str,
        actor: Actor<'_>,
        public_key: &str,
        overlap: i64,
    ) -> Result<NewKey, LedgerError> {
        if !(0..=MAX_OVERLAP).contains(&overlap) {
            return Err(LedgerError::Overlap { most: MAX_OVERLAP / 1000 });
        }
        let secret_key = format!("sk_{}", random::<SECRET>());
        let mut transaction = self.store.writer.begin().await?;
        let done = sqlx::query(
            "UPDATE key_pairs SET former_hash = secret_hash, former_until = $1, secret_hash = $2 \
             WHERE account = $3 AND public_key = $4 AND kind = 'pair' AND revoked IS NULL",
        )
        .bind(now() + overlap)
        .bind(self.hash(public_key, &secret_key))
        .bind(account)
        .bind(public_key)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::NoKey(public_key.to_owned()));
        }
        audit::note(&mut transaction, account, actor, "key.rotated", public_key).await?;
        transaction.commit().await?;
        let credits = self.balance(public_key).await?;
        Ok(NewKey { public_key: public_key.to_owned(), secret_key, credits })
    }

    /// From now on the pair opens nothing. Rooms that are open stay. With an account it has to be that one's.
    pub async fn revoke_key(
        &self,
        account: Option<&str>,
        actor: Actor<'_>,
        public_key: &str,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let account: Option<String> = sqlx::query_scalar(
            "UPDATE key_pairs SET revoked = COALESCE(revoked, $1), former_until = NULL \
             WHERE public_key = $2 AND account = COALESCE($3, account) AND kind = 'pair' RETURNING account",
        )
        .bind(now())
        .bind(public_key)
        .bind(account)
        .fetch_optional(&mut *transaction)
        .await?;
        let account = account.ok_or_else(|| LedgerError::NoKey(public_key.to_owned()))?;
        audit::note(&mut transaction, &account, actor, "key.revoked", public_key).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Checks a pair. An unknown key takes as long as a wrong secret.
    pub async fn authenticate(&self, public_key: &str, secret_key: &str) -> Result<Payer, LedgerError> {
        let row = sqlx::query(
            "SELECT key_pairs.account, balance, scope, secret_hash, CASE WHEN former_until > $1 THEN former_hash END \
             FROM key_pairs JOIN accounts ON accounts.account = key_pairs.account \
             WHERE public_key = $2 AND kind = 'pair' AND revoked IS NULL AND closed IS NULL",
        )
        .bind(now())
        .bind(public_key)
        .fetch_optional(&self.store.readers)
        .await?;
        let stored = |column: usize| row.as_ref().map_or(Ok(None), |row| row.try_get::<Option<String>, _>(column));
        let presented = self.hash(public_key, secret_key);
        let equals = |stored: Option<String>| stored.unwrap_or_default().as_bytes().ct_eq(presented.as_bytes());
        let is_right = equals(stored(3)?) | equals(stored(4)?);
        match row {
            Some(row) if bool::from(is_right) => payer(&row, public_key),
            _ => Err(LedgerError::BadCredentials),
        }
    }

    /// A pair that pays for visitors of its widgets, without its secret.
    pub async fn payer(&self, public_key: &str) -> Result<Payer, LedgerError> {
        let row = sqlx::query(
            "SELECT key_pairs.account, balance, scope FROM key_pairs JOIN accounts ON accounts.account = key_pairs.account \
             WHERE public_key = $1 AND revoked IS NULL AND closed IS NULL",
        )
        .bind(public_key)
        .fetch_optional(&self.store.readers)
        .await?
        .ok_or(LedgerError::UnknownWidget)?;
        payer(&row, public_key)
    }

    /// The secret has 256 random bits, so one keyed hash is enough.
    fn hash(&self, public_key: &str, secret_key: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive("key pair", &[public_key.as_bytes(), secret_key.as_bytes()]))
    }
}

/// Of a row with account, balance and scope.
fn payer(row: &AnyRow, public_key: &str) -> Result<Payer, LedgerError> {
    Ok(Payer {
        account: row.try_get(0)?,
        public_key: public_key.to_owned(),
        balance: row.try_get(1)?,
        scope: Scope::read(&row.try_get::<String, _>(2)?)?,
    })
}

/// Random bytes as URL-safe text.
pub(super) fn random<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
