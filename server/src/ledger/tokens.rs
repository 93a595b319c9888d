//! Tokens that are good once and not for long: what a mail's link carries, an invitation, the first operator's code. Kept as
//! keyed hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::{Any, Row as _, Transaction};

use super::{Ledger, LedgerError, keys, now};

const TOKEN: usize = 24;
const PREFIX: &str = "ot_";
const HOUR: i64 = 60 * 60 * 1000;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody shows that the address they signed up with is theirs.
    SignUp,
    /// Somebody has forgotten their password.
    Reset,
    /// Somebody may sign up where not everybody may.
    Invitation,
    /// Somebody who sees what the server prints becomes its first operator.
    Operator,
}

impl Purpose {
    fn stored(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::Invitation => "invitation",
            Self::Operator => "operator",
        }
    }

    /// How long a token is good, in milliseconds.
    fn life(self) -> i64 {
        match self {
            Self::SignUp => 24 * HOUR,
            Self::Reset => HOUR,
            Self::Invitation => 14 * 24 * HOUR,
            Self::Operator => 24 * HOUR,
        }
    }
}

/// What a token was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    pub account: Option<String>,
    pub email: Option<String>,
    /// JSON: what a sign-up said.
    pub said: Option<String>,
}

impl Ledger {
    /// Makes a token, in place of those for the same purpose and address, and returns its text.
    pub async fn mint_token(&self, purpose: Purpose, token: &Token) -> Result<String, LedgerError> {
        let text = format!("{PREFIX}{}", keys::random::<TOKEN>());
        let created = now();
        let mut transaction = self.store.writer.begin().await?;
        sqlx::query(
            "DELETE FROM tokens WHERE expires <= $1 OR purpose = $2 AND COALESCE(email, '') = $3 AND COALESCE(account, '') = $4",
        )
        .bind(created)
        .bind(purpose.stored())
        .bind(token.email.as_deref().unwrap_or_default())
        .bind(token.account.as_deref().unwrap_or_default())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO tokens (token_hash, purpose, account, email, said, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.token_hash(purpose, &text))
        .bind(purpose.stored())
        .bind(token.account.as_deref())
        .bind(token.email.as_deref())
        .bind(token.said.as_deref())
        .bind(created)
        .bind(created.saturating_add(purpose.life()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(text)
    }

    /// What a token was made with, which stays good.
    pub async fn token(&self, purpose: Purpose, text: &str) -> Result<Token, LedgerError> {
        let row = sqlx::query("SELECT account, email, said FROM tokens WHERE token_hash = $1 AND expires > $2")
            .bind(self.token_hash(purpose, text))
            .bind(now())
            .fetch_optional(&self.store.readers)
            .await?
            .ok_or(LedgerError::UnknownToken)?;
        Ok(Token { account: row.try_get(0)?, email: row.try_get(1)?, said: row.try_get(2)? })
    }

    /// Uses a token up, in the transaction of what it is used for.
    pub(super) async fn take_token(
        &self,
        transaction: &mut Transaction<'_, Any>,
        purpose: Purpose,
        text: &str,
    ) -> Result<Token, LedgerError> {
        let row =
            sqlx::query("DELETE FROM tokens WHERE token_hash = $1 AND expires > $2 RETURNING account, email, said")
                .bind(self.token_hash(purpose, text))
                .bind(now())
                .fetch_optional(&mut **transaction)
                .await?
                .ok_or(LedgerError::UnknownToken)?;
        Ok(Token { account: row.try_get(0)?, email: row.try_get(1)?, said: row.try_get(2)? })
    }

    fn token_hash(&self, purpose: Purpose, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive(purpose.stored(), &[text.as_bytes()]))
    }
}
