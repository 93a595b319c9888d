//! Sessions: browsers that are logged in. A session's token is shown once, to its browser, and kept as a keyed hash; from it
//! comes a second one, which a page has to say with everything it changes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::accounts::{AccountRow, CONSOLE};
use super::audit::{self, Actor};
use super::{Ledger, LedgerError, Payer, keys, now};

/// Random bytes of an id and of a token.
const ID: usize = 9;
const TOKEN: usize = 32;
const PREFIX: &str = "st_";
/// How long a session is good, in milliseconds: 30 days.
pub const LIFE: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most sessions of an account; the one that was used least recently makes room.
const MOST: i64 = 50;
/// The longest description of a browser that is kept, in characters.
const MAX_BROWSER: usize = 200;
/// How old what is written down of a session's last use may get, in milliseconds.
const TOUCH: i64 = 60 * 1000;

/// A new session. The token is here and nowhere else.
#[derive(Clone)]
pub struct NewSession {
    pub session: String,
    pub token: String,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    pub session: String,
    pub account: AccountRow,
    /// What they pay with.
    pub payer: Payer,
}

/// A session as it is listed. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub session: String,
    pub browser: String,
    pub created: i64,
    pub last_used: i64,
    pub expires: i64,
}

impl Ledger {
    /// Logs a browser in.
    pub async fn begin_session(&self, account: &str, browser: &str) -> Result<NewSession, LedgerError> {
        let new = NewSession { session: keys::random::<ID>(), token: format!("{PREFIX}{}", keys::random::<TOKEN>()) };
        let browser: String = browser.chars().filter(|c| !c.is_control()).take(MAX_BROWSER).collect();
        let created = now();
        let mut transaction = self.store.writer.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires <= $1").bind(created).execute(&mut *transaction).await?;
        sqlx::query(
            "DELETE FROM sessions WHERE account = $1 AND session NOT IN \
             (SELECT session FROM sessions WHERE account = $1 ORDER BY last_used DESC LIMIT $2)",
        )
        .bind(account)
        .bind(MOST - 1)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO sessions (session, account, token_hash, browser, created, last_used, expires) \
             VALUES ($1, $2, $3, $4, $5, $5, $6)",
        )
        .bind(&new.session)
        .bind(account)
        .bind(self.session_hash(&new.token))
        .bind(&browser)
        .bind(created)
        .bind(created + LIFE)
        .execute(&mut *transaction)
        .await?;
        audit::note(&mut transaction, account, Actor::Account(account), "session.begun", &new.session).await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Who has a session's token.
    pub async fn session(&self, token: &str) -> Result<Session, LedgerError> {
        let at = now();
        let row = sqlx::query(
            "SELECT session, sessions.account, sessions.last_used, public_key FROM sessions \
             JOIN key_pairs ON key_pairs.account = sessions.account AND kind = $1 \
             WHERE token_hash = $2 AND expires > $3",
        )
        .bind(CONSOLE)
        .bind(self.session_hash(token))
        .bind(at)
        .fetch_optional(&self.store.readers)
        .await?
        .ok_or(LedgerError::UnknownSession)?;
        let session: String = row.try_get(0)?;
        let account = self.account(&row.try_get::<String, _>(1)?).await?;
        if row.try_get::<i64, _>(2)? < at - TOUCH {
            sqlx::query("UPDATE sessions SET last_used = $1 WHERE session = $2")
                .bind(at)
                .bind(&session)
                .execute(&self.store.writer)
                .await?;
        }
        let payer = Payer {
            account: account.account.clone(),
            public_key: row.try_get(3)?,
            balance: account.balance,
            scope: Default::default(),
        };
        Ok(Session { session, account, payer })
    }

    /// What a page of a session says with everything it changes: it can't be had from the cookie's being sent alone.
    pub fn page_token(&self, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive("page of a session", &[token.as_bytes()]))
    }

    /// An account's sessions, the newest first.
    pub async fn sessions_of(&self, account: &str) -> Result<Vec<SessionRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT session, browser, created, last_used, expires FROM sessions \
             WHERE account = $1 AND expires > $2 ORDER BY created DESC, session",
        )
        .bind(account)
        .bind(now())
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &AnyRow| {
            Ok(SessionRow {
                session: row.try_get(0)?,
                browser: row.try_get(1)?,
                created: row.try_get(2)?,
                last_used: row.try_get(3)?,
                expires: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Logs a browser of an account out.
    pub async fn end_session(&self, account: &str, session: &str) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let done = sqlx::query("DELETE FROM sessions WHERE account = $1 AND session = $2")
            .bind(account)
            .bind(session)
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Err(LedgerError::UnknownSession);
        }
        audit::note(&mut transaction, account, Actor::Account(account), "session.ended", session).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The token has 256 random bits, so one keyed hash is enough, and looking it up tells nothing of others.
    fn session_hash(&self, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.derive("session", &[token.as_bytes()]))
    }
}
