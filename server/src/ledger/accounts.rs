//! Accounts: who has credits, whose key pairs spend them, and who may log in. The password is a hash that others made, and
//! every change is a line of the audit log.

use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::audit::{self, Actor};
use super::tokens::{Purpose, Token};
use super::{Ledger, LedgerError, credits, keys, now};

/// Random bytes of an id.
const ID: usize = 12;
const PREFIX: &str = "a_";
/// What stands in the kind of the pair by which people in the console act.
pub(super) const CONSOLE: &str = "console";
/// The longest name, in characters, and the longest address (RFC 5321 section 4.5.3.1.3).
pub const MAX_NAME: usize = 100;
const MAX_EMAIL: usize = 254;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRole {
    Member,
    /// Sees and steers every account.
    Operator,
}

impl AccountRole {
    fn stored(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
        }
    }

    fn read(text: &str) -> Result<Self, LedgerError> {
        match text {
            "member" => Ok(Self::Member),
            "operator" => Ok(Self::Operator),
            _ => Err(LedgerError::Unreadable("the role of an account")),
        }
    }
}

/// An account. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub account: String,
    pub name: String,
    pub email: Option<String>,
    pub role: AccountRole,
    pub balance: i64,
    /// A balance below this is told to its owner; none is if it is zero.
    pub low_credits: i64,
    pub created: i64,
}

/// Somebody who logs in: their account, and the hash of their password if they have one.
#[derive(Clone)]
pub struct Login {
    pub account: AccountRow,
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount").field("role", &self.role).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("account", &self.account).finish_non_exhaustive()
    }
}

/// An account to be made for somebody who can log in.
#[derive(Clone)]
pub struct NewAccount {
    pub name: String,
    pub email: String,
    pub password_hash: String,
    pub role: AccountRole,
    pub credits: i64,
}

/// An address as it is kept and compared, if it can be one.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let plain = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"@".contains(c))
    };
    (text.len() <= MAX_EMAIL && plain(local) && plain(domain)).then(|| text.to_lowercase())
}

/// What a statement over accounts begins with.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, name, email, role, balance, low_credits, created, password_hash FROM accounts WHERE ",
            $rest
        )
    };
}

fn row(row: &AnyRow) -> Result<AccountRow, LedgerError> {
    Ok(AccountRow {
        account: row.try_get(0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        role: AccountRole::read(&row.try_get::<String, _>(3)?)?,
        balance: row.try_get(4)?,
        low_credits: row.try_get(5)?,
        created: row.try_get(6)?,
    })
}

fn login(found: &AnyRow) -> Result<Login, LedgerError> {
    Ok(Login { account: row(found)?, password_hash: found.try_get(7)? })
}

/// Makes an account with its console, in the caller's transaction, and returns its id.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Any>,
    name: &str,
    login: Option<(&str, &str)>,
    role: AccountRole,
) -> Result<String, LedgerError> {
    let name = super::name(name, MAX_NAME)?;
    let account = format!("{PREFIX}{}", keys::random::<ID>());
    let (email, password_hash) = login.unzip();
    let created = now();
    sqlx::query(
        "INSERT INTO accounts (account, name, email, password_hash, role, balance, created) VALUES ($1, $2, $3, $4, $5, 0, $6)",
    )
    .bind(&account)
    .bind(name)
    .bind(email)
    .bind(password_hash)
    .bind(role.stored())
    .bind(created)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO key_pairs (public_key, name, secret_hash, account, kind, created) VALUES ($1, $2, '', $3, $2, $4)",
    )
    .bind(format!("pk_{}", keys::random::<{ keys::PUBLIC }>()))
    .bind(CONSOLE)
    .bind(&account)
    .bind(created)
    .execute(&mut **transaction)
    .await?;
    Ok(account)
}

impl Ledger {
    /// Makes an account, for a token if one is to be used up for it. `None` if the address has one.
    pub async fn create_account(
        &self,
        new: &NewAccount,
        token: Option<(Purpose, &str)>,
    ) -> Result<Option<AccountRow>, LedgerError> {
        credits::check_amount(new.credits, 0)?;
        let mut transaction = self.store.writer.begin().await?;
        if let Some((purpose, text)) = token {
            self.take_token(&mut transaction, purpose, text).await?;
        }
        let taken: Option<i64> = sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM accounts WHERE email = $1")
            .bind(&new.email)
            .fetch_optional(&mut *transaction)
            .await?;
        if taken.is_some() {
            return Ok(None);
        }
        let account = insert(&mut transaction, &new.name, Some((&new.email, &new.password_hash)), new.role).await?;
        if new.credits > 0 {
            credits::give(&mut transaction, &account, credits::Kind::Grant, new.credits, None).await?;
        }
        audit::note(&mut transaction, &account, Actor::Account(&account), "account.created", new.role.stored()).await?;
        transaction.commit().await?;
        self.account(&account).await.map(Some)
    }

    pub async fn account(&self, account: &str) -> Result<AccountRow, LedgerError> {
        let found = sqlx::query(select!("account = $1 AND closed IS NULL"))
            .bind(account)
            .fetch_optional(&self.store.readers)
            .await?;
        found.as_ref().map(row).transpose()?.ok_or(LedgerError::UnknownAccount)
    }

    /// Who has an address, as [`address`] writes it.
    pub async fn login(&self, email: &str) -> Result<Option<Login>, LedgerError> {
        let found = sqlx::query(select!("email = $1 AND closed IS NULL"))
            .bind(email)
            .fetch_optional(&self.store.readers)
            .await?;
        found.as_ref().map(login).transpose()
    }

    /// The hash of an account's password, if it has one.
    pub async fn password_of(&self, account: &str) -> Result<Option<String>, LedgerError> {
        let found = sqlx::query(select!("account = $1 AND closed IS NULL"))
            .bind(account)
            .fetch_optional(&self.store.readers)
            .await?;
        Ok(found.as_ref().map(login).transpose()?.and_then(|login| login.password_hash))
    }

    /// The accounts that are open, by id, so many of those behind `after`.
    pub async fn accounts(&self, after: &str, most: u32) -> Result<Vec<AccountRow>, LedgerError> {
        let rows = sqlx::query(select!("closed IS NULL AND account > $1 ORDER BY account LIMIT $2"))
            .bind(after)
            .bind(i64::from(most))
            .fetch_all(&self.store.readers)
            .await?;
        rows.iter().map(row).collect()
    }

    /// Whether somebody runs this server yet.
    pub async fn has_operator(&self) -> Result<bool, LedgerError> {
        let found = sqlx::query(select!("role = 'operator' AND closed IS NULL LIMIT 1"))
            .fetch_optional(&self.store.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Calls an account otherwise, and tells its owner of few credits from another number on.
    pub async fn change_account(
        &self,
        account: &str,
        name: Option<&str>,
        low_credits: Option<i64>,
    ) -> Result<(), LedgerError> {
        let name = name.map(|name| super::name(name, MAX_NAME)).transpose()?;
        if let Some(low) = low_credits {
            credits::check_amount(low, 0)?;
        }
        sqlx::query(
            "UPDATE accounts SET name = COALESCE($1, name), low_credits = COALESCE($2, low_credits) WHERE account = $3",
        )
        .bind(name)
        .bind(low_credits)
        .bind(account)
        .execute(&self.store.writer)
        .await?;
        Ok(())
    }

    /// Gives an account another password, and ends its sessions, but for `kept`.
    pub async fn set_password(
        &self,
        account: &str,
        password_hash: &str,
        kept: Option<&str>,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        set_password(&mut transaction, account, password_hash, kept).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The same for who holds the token of a mail; returns whose it was.
    pub async fn reset_password(&self, token: &str, password_hash: &str) -> Result<String, LedgerError> {
        let mut transaction = self.store.writer.begin().await?;
        let Token { account, .. } = self.take_token(&mut transaction, Purpose::Reset, token).await?;
        let account = account.ok_or(LedgerError::Unreadable("whose token it is"))?;
        set_password(&mut transaction, &account, password_hash, None).await?;
        transaction.commit().await?;
        Ok(account)
    }

    /// Closes an account: nobody logs in, its pairs and widgets open nothing, and who it was is forgotten. Its lines of
    /// credit stay. Its rooms are others' to end.
    pub async fn close_account(&self, account: &str) -> Result<(), LedgerError> {
        let at = now();
        let mut transaction = self.store.writer.begin().await?;
        for statement in [
            "UPDATE key_pairs SET revoked = COALESCE(revoked, $2) WHERE account = $1",
            "UPDATE widgets SET revoked = COALESCE(revoked, $2) WHERE account = $1",
            "UPDATE webhooks SET revoked = COALESCE(revoked, $2) WHERE account = $1",
            "UPDATE accounts SET closed = COALESCE(closed, $2), name = 'closed', email = NULL, password_hash = NULL \
             WHERE account = $1",
        ] {
            sqlx::query(statement).bind(account).bind(at).execute(&mut *transaction).await?;
        }
        for statement in [
            "DELETE FROM sessions WHERE account = $1",
            "DELETE FROM tokens WHERE account = $1",
            "DELETE FROM deliveries WHERE account = $1",
        ] {
            sqlx::query(statement).bind(account).execute(&mut *transaction).await?;
        }
        audit::note(&mut transaction, account, Actor::Account(account), "account.closed", "").await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn set_password(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    password_hash: &str,
    kept: Option<&str>,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE accounts SET password_hash = $1 WHERE account = $2")
        .bind(password_hash)
        .bind(account)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM sessions WHERE account = $1 AND session <> $2")
        .bind(account)
        .bind(kept.unwrap_or_default())
        .execute(&mut **transaction)
        .await?;
    audit::note(transaction, account, Actor::Account(account), "password.changed", "").await
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_kept_in_one_spelling_and_what_is_none_is_refused() {
        assert_eq!(address(" Ada@Example.ORG "), Some("ada@example.org".to_owned()));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "a\nb@example.org",
            "<a@b>",
            "a@b@c",
            &format!("{}@b", "a".repeat(260)),
        ] {
            assert_eq!(address(bad), None, "{bad:?}");
        }
    }
}
