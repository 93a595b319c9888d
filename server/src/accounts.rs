//! People and their accounts: signing up, logging in, forgetting a password, leaving. Puts ledger, passwords and mail
//! together; knows no HTTP.
//!
//! Whoever asks about an address hears the same whether it is known or not: what differs is the mail.

use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

use crate::config::{Config, SignUp};
use crate::ledger::{
    self, AccountRole, AccountRow, Ledger, LedgerError, MAX_ACCOUNT_NAME, NewAccount, NewSession, Purpose, Token,
    address, failed,
};
use crate::mail::Mailer;
use crate::passwords::Passwords;

/// What people see of it in mails.
const PRODUCT: &str = "Embedenv";

#[derive(Debug)]
pub struct Accounts {
    config: Arc<Config>,
    ledger: Ledger,
    passwords: Passwords,
    mailer: Mailer,
    /// What links in mails begin with.
    base: String,
}

/// What somebody who signs up says. It waits with their token until they show that the address is theirs.
#[derive(Serialize, Deserialize)]
struct Said {
    name: String,
    password_hash: String,
}

/// Somebody who has logged in.
#[derive(Debug)]
pub struct LoggedIn {
    pub account: AccountRow,
    pub session: NewSession,
}

impl Accounts {
    pub fn new(config: Arc<Config>, ledger: Ledger, mailer: Mailer, base: String) -> Self {
        Self { config, ledger, passwords: Passwords::new(), mailer, base }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn sign_up_is(&self) -> SignUp {
        self.config.accounts.sign_up
    }

    /// Begins a sign-up: a mail with a link goes to the address. `invitation` is the token of one.
    pub async fn sign_up(
        &self,
        name: &str,
        email: &str,
        password: String,
        invitation: Option<&str>,
    ) -> Result<(), Failure> {
        let email = checked(email)?;
        let is_invited = match invitation {
            Some(token) => {
                let token = self.ledger.token(Purpose::Invitation, token).await.map_err(failed)?;
                token.email.as_deref() == Some(&email)
            }
            None => false,
        };
        if self.config.accounts.sign_up != SignUp::Open && !is_invited {
            let message = match self.config.accounts.sign_up {
                SignUp::Invitation => {
                    "this server takes new accounts by invitation alone, for the address it was sent to"
                }
                _ => "this server takes no new accounts",
            };
            return Err(Failure::new(ErrorCode::Forbidden, message));
        }
        let name = ledger::name(name, MAX_ACCOUNT_NAME).map_err(failed)?;
        let said = Said { name: name.to_owned(), password_hash: self.passwords.hash(password).await? };
        // Made for an address that has an account, too, and then told to nobody: so both take as long.
        let said = serde_json::to_string(&said).expect("texts always serialise");
        let token = Token { email: Some(email.clone()), said: Some(said), account: None };
        let token = self.ledger.mint_token(Purpose::SignUp, &token).await.map_err(failed)?;
        if self.ledger.login(&email).await.map_err(failed)?.is_some() {
            let text = format!(
                "Somebody, perhaps you, wanted to sign up for {PRODUCT} with this address. It has an account already: log in \
                 at {0}/console, or ask there for a new password.\n\nIf it wasn't you, there is nothing to do.\n",
                self.base
            );
            self.mailer.send(&email, &format!("{PRODUCT}: you have an account"), text);
            return Ok(());
        }
        let text = format!(
            "Welcome to {PRODUCT}. This link makes your account, within a day:\n\n{}/console#confirm={token}\n\n\
             If it wasn't you who signed up, there is nothing to do.\n",
            self.base
        );
        self.mailer.send(&email, &format!("{PRODUCT}: your account"), text);
        Ok(())
    }

    /// Makes the account of a sign-up whose mail has come, and logs its owner in.
    pub async fn confirm(&self, token: &str, browser: &str) -> Result<LoggedIn, Failure> {
        let Token { email, said, .. } = self.ledger.token(Purpose::SignUp, token).await.map_err(failed)?;
        let unreadable = || failed(LedgerError::Unreadable("a sign-up"));
        let (email, said) = email.zip(said).ok_or_else(unreadable)?;
        let Said { name, password_hash } = serde_json::from_str(&said).map_err(|_| unreadable())?;
        let credits = self.config.accounts.credits;
        let new = NewAccount { name, email, password_hash, role: AccountRole::Member, credits };
        self.enter_new(new, Purpose::SignUp, token, browser).await
    }

    /// Makes the account of this server's first operator, for who has the code that it printed.
    pub async fn set_up(
        &self,
        code: &str,
        name: &str,
        email: &str,
        password: String,
        browser: &str,
    ) -> Result<LoggedIn, Failure> {
        self.ledger.token(Purpose::Operator, code).await.map_err(failed)?;
        let name = ledger::name(name, MAX_ACCOUNT_NAME).map_err(failed)?;
        let email = checked(email)?;
        let password_hash = self.passwords.hash(password).await?;
        let new = NewAccount {
            name: name.to_owned(),
            email,
            password_hash,
            role: AccountRole::Operator,
            credits: self.config.accounts.credits,
        };
        self.enter_new(new, Purpose::Operator, code, browser).await
    }

    async fn enter_new(
        &self,
        new: NewAccount,
        purpose: Purpose,
        token: &str,
        browser: &str,
    ) -> Result<LoggedIn, Failure> {
        let account = self.ledger.create_account(&new, Some((purpose, token))).await.map_err(failed)?;
        let account =
            account.ok_or_else(|| Failure::new(ErrorCode::Conflict, "this address has an account already"))?;
        let session = self.ledger.begin_session(&account.account, browser).await.map_err(failed)?;
        Ok(LoggedIn { account, session })
    }

    /// Logs somebody in. An unknown address takes as long as a wrong password.
    pub async fn log_in(&self, email: &str, password: String, browser: &str) -> Result<LoggedIn, Failure> {
        let login = match address(email) {
            Some(email) => self.ledger.login(&email).await.map_err(failed)?,
            None => None,
        };
        let (account, hash) = login.map(|login| (login.account, login.password_hash)).unzip();
        let is_right = self.passwords.is_right(password, hash.flatten()).await?;
        let Some(account) = account.filter(|_| is_right) else {
            return Err(Failure::new(ErrorCode::BadCredentials, "address and password do not belong together"));
        };
        let session = self.ledger.begin_session(&account.account, browser).await.map_err(failed)?;
        Ok(LoggedIn { account, session })
    }

    /// Has a link go to an address by which its owner gets a new password, if it has an account.
    pub async fn forget(&self, email: &str) -> Result<(), Failure> {
        let email = checked(email)?;
        let login = self.ledger.login(&email).await.map_err(failed)?;
        let is_known = login.is_some();
        // For an address without an account it is told to nobody, and gives a password to none: so both take as long.
        let token = match login {
            Some(login) => Token { account: Some(login.account.account), ..Token::default() },
            None => Token { email: Some(email.clone()), ..Token::default() },
        };
        let token = self.ledger.mint_token(Purpose::Reset, &token).await.map_err(failed)?;
        if !is_known {
            return Ok(());
        }
        let text = format!(
            "This link gives you a new password for {PRODUCT}, within an hour:\n\n{}/console#reset={token}\n\n\
             If it wasn't you who asked for it, there is nothing to do: your password stays.\n",
            self.base
        );
        self.mailer.send(&email, &format!("{PRODUCT}: a new password"), text);
        Ok(())
    }

    /// Gives a new password to who holds the token of a mail, and logs them in. Every other browser is logged out.
    pub async fn reset(&self, token: &str, password: String, browser: &str) -> Result<LoggedIn, Failure> {
        self.ledger.token(Purpose::Reset, token).await.map_err(failed)?;
        let hash = self.passwords.hash(password).await?;
        let account = self.ledger.reset_password(token, &hash).await.map_err(failed)?;
        let account = self.ledger.account(&account).await.map_err(failed)?;
        let session = self.ledger.begin_session(&account.account, browser).await.map_err(failed)?;
        Ok(LoggedIn { account, session })
    }

    /// Gives somebody who is logged in another password. Every other browser is logged out.
    pub async fn change_password(
        &self,
        account: &str,
        session: &str,
        current: String,
        password: String,
    ) -> Result<(), Failure> {
        self.prove(account, current).await?;
        let hash = self.passwords.hash(password).await?;
        self.ledger.set_password(account, &hash, Some(session)).await.map_err(failed)
    }

    /// That who is logged in is the account's owner, before something that can't be taken back.
    pub async fn prove(&self, account: &str, password: String) -> Result<(), Failure> {
        let hash = self.ledger.password_of(account).await.map_err(failed)?;
        match self.passwords.is_right(password, hash).await? {
            true => Ok(()),
            false => Err(Failure::new(ErrorCode::BadCredentials, "this is not the account's password")),
        }
    }

    /// Sends an invitation, by which its receiver may sign up.
    pub async fn invite(&self, email: &str) -> Result<(), Failure> {
        let email = checked(email)?;
        let token = Token { email: Some(email.clone()), ..Token::default() };
        let token = self.ledger.mint_token(Purpose::Invitation, &token).await.map_err(failed)?;
        let text = format!(
            "You are invited to {PRODUCT}. This link takes you there, within two weeks:\n\n{}/console#invitation={token}\n",
            self.base
        );
        self.mailer.send(&email, &format!("{PRODUCT}: an invitation"), text);
        Ok(())
    }
}

fn checked(email: &str) -> Result<String, Failure> {
    address(email).ok_or_else(|| Failure::new(ErrorCode::BadRequest, "this is not a mail address"))
}
