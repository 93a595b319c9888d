//! Key pairs: a public name, and a secret that is shown once and kept as a keyed hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sqlx::Row as _;
use subtle::ConstantTimeEq as _;

use super::{Ledger, LedgerError, credits, now};

/// Random bytes of a public key and of a secret.
const PUBLIC: usize = 12;
const SECRET: usize = 32;
/// The longest name of a pair, in characters.
const MAX_NAME: usize = 100;

/// A new pair. The secret is here and nowhere else.
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

/// A pair that proved itself, and the credits it had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    pub(super) public_key: String,
    pub balance: i64,
}

impl Payer {
    pub fn public_key(&self) -> &str {
        &self.public_key
    }
}

/// A pair as it is listed. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    pub public_key: String,
    pub name: String,
    pub credits: i64,
    pub created: i64,
    pub last_used: Option<i64>,
    pub revoked: Option<i64>,
}

impl Ledger {
    pub async fn create_key(&self, name: &str, amount: i64) -> Result<NewKey, LedgerError> {
        if name.trim().is_empty() || name.chars().count() > MAX_NAME {
            return Err(LedgerError::Name { most: MAX_NAME });
        }
        credits::check_amount(amount, 0)?;
        let public_key = format!("pk_{}", random::<PUBLIC>());
        let secret_key = format!("sk_{}", random::<SECRET>());
        let mut transaction = self.store.writer.begin().await?;
        sqlx::query(
            "INSERT INTO key_pairs (public_key, name, secret_hash, balance, created) VALUES ($1, $2, $3, 0, $4)",
        )
        .bind(&public_key)
        .bind(name.trim())
        .bind(self.hash(&public_key, &secret_key))
        .bind(now())
        .execute(&mut *transaction)
        .await?;
        if amount > 0 {
            credits::add(&mut transaction, &public_key, "grant", amount, None).await?;
        }
        transaction.commit().await?;
        Ok(NewKey { public_key, secret_key, credits: amount })
    }

    pub async fn keys(&self) -> Result<Vec<KeyRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT public_key, name, balance, created, last_used, revoked FROM key_pairs ORDER BY created, public_key",
        )
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(KeyRow {
                public_key: row.try_get(0)?,
                name: row.try_get(1)?,
                credits: row.try_get(2)?,
                created: row.try_get(3)?,
                last_used: row.try_get(4)?,
                revoked: row.try_get(5)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// From now on the pair opens nothing. Rooms that are open stay.
    pub async fn revoke_key(&self, public_key: &str) -> Result<(), LedgerError> {
        let done = sqlx::query("UPDATE key_pairs SET revoked = COALESCE(revoked, $1) WHERE public_key = $2")
            .bind(now())
            .bind(public_key)
            .execute(&self.store.writer)
            .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::NoKey(public_key.to_owned()));
        }
        Ok(())
    }

    /// Checks a pair. An unknown key takes as long as a wrong secret.
    pub async fn authenticate(&self, public_key: &str, secret_key: &str) -> Result<Payer, LedgerError> {
        let row = sqlx::query("SELECT secret_hash, balance FROM key_pairs WHERE public_key = $1 AND revoked IS NULL")
            .bind(public_key)
            .fetch_optional(&self.store.readers)
            .await?;
        let stored: Option<String> = row.as_ref().map(|row| row.try_get(0)).transpose()?;
        let presented = self.hash(public_key, secret_key);
        let equal = stored.as_deref().unwrap_or_default().as_bytes().ct_eq(presented.as_bytes());
        match row {
            Some(row) if bool::from(equal) => Ok(Payer { public_key: public_key.to_owned(), balance: row.try_get(1)? }),
            _ => Err(LedgerError::BadCredentials),
        }
    }

    /// A pair that pays for visitors of its widgets, without its secret.
    pub async fn payer(&self, public_key: &str) -> Result<Payer, LedgerError> {
        let balance: Option<i64> =
            sqlx::query_scalar("SELECT balance FROM key_pairs WHERE public_key = $1 AND revoked IS NULL")
                .bind(public_key)
                .fetch_optional(&self.store.readers)
                .await?;
        let balance = balance.ok_or(LedgerError::UnknownWidget)?;
        Ok(Payer { public_key: public_key.to_owned(), balance })
    }

    /// The secret has 256 random bits, so one keyed hash is enough.
    fn hash(&self, public_key: &str, secret_key: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive("key pair", &[public_key.as_bytes(), secret_key.as_bytes()]))
    }
}

/// Random bytes as URL-safe text.
pub(super) fn random<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
