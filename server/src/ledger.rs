//! The ledger: accounts, key pairs, credits, rooms and join keys, in a database.
//!
//! A credit is taken in one durable transaction with the room it pays for, exactly once; the balance can't go below
//! zero, and every change of it is a line that is never changed. The database holds hashes of secrets and no join key.
//! Nothing here knows a sandbox or a socket.

mod accounts;
mod audit;
mod credits;
mod document_tokens;
mod failure;
mod join_keys;
mod keys;
mod maintenance;
mod rooms;
mod scope;
mod secret;
mod sessions;
mod store;
mod tokens;
mod usage;
mod webhooks;
mod widgets;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::config::SecretUrl;

pub use accounts::{AccountRole, AccountRow, Login, MAX_NAME as MAX_ACCOUNT_NAME, NewAccount, address};
pub use audit::{Actor, AuditRow};
pub use credits::{CreditRow, DAY, Mark, Payment};
pub use document_tokens::DocumentPass;
use document_tokens::DocumentTokens;
pub use failure::failed;
pub use join_keys::{Claim, EDITOR_KEY, JoinKeyRow, JoinKeys, NewJoinKey, OWNER_KEY};
pub use keys::{KeyRow, NewKey, PairSettings, Payer};
pub use maintenance::{MAX_MESSAGE as MAX_MAINTENANCE_MESSAGE, MESSAGE as MAINTENANCE_MESSAGE, Maintenance};
pub use rooms::{IdempotencyKey, NewRoom, NewSandbox, OpenOutcome, PRICE, RoomRow, THOUSANDTHS};
pub use scope::Scope;
use secret::ServerSecret;
pub use sessions::{LIFE as SESSION_LIFE, NewSession, Session, SessionRow};
pub use store::Held;
use store::Store;
pub use tokens::{Purpose, Token};
pub use usage::UsageRow;
pub use webhooks::{DeliveryRow, Due, EventKind, Recipient, Tried, WebhookRow};
pub use widgets::{MAX_PROJECT, NewWidget, Quota, Visit, WIDGET_PREFIX, Widget, WidgetRow};

/// A handle to the ledger; clones share it.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
    secret: Arc<ServerSecret>,
    join_keys: Arc<JoinKeys>,
    document_tokens: Arc<DocumentTokens>,
    /// There may be something new to deliver.
    told: Arc<Notify>,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the key pair is not valid")]
    BadCredentials,
    #[error("the join key is unknown or has expired")]
    UnknownJoinKey,
    #[error("the token is not valid for this document, or has expired")]
    UnknownDocumentToken,
    #[error("the room has as many links by which somebody may come as it may have")]
    TooManyJoinKeys,
    #[error("there is no such widget")]
    UnknownWidget,
    #[error("there is no such room")]
    UnknownRoom,
    #[error("there is no such account")]
    UnknownAccount,
    #[error("nobody is logged in by this, or it is too long ago")]
    UnknownSession,
    #[error("this link or code was used already, or has expired")]
    UnknownToken,
    #[error("there is no such webhook")]
    UnknownWebhook,
    #[error("there is no such delivery")]
    UnknownDelivery,
    #[error("an account has {most} webhooks at most")]
    TooManyWebhooks { most: i64 },
    #[error("{0:?} is no event that a webhook may hear of")]
    Event(String),
    #[error("a payment of this name was granted with another account or amount")]
    OtherPayment,
    #[error("credits expire in the future, or not at all")]
    Past,
    #[error("an account has {most} key pairs at most")]
    TooManyKeys { most: i64 },
    #[error("a scope names {most} spaces and {most} origins at most")]
    Scope { most: usize },
    #[error("a budget, a number of rooms and one of minutes are whole numbers from 0 to {most}")]
    Bound { most: i64 },
    #[error("a secret stays good for {most} seconds at most beside the next one")]
    Overlap { most: i64 },
    #[error("{0:?} is not an origin such as https://docs.example.org or https://*.example.org")]
    Origin(String),
    #[error("a widget has 1 to {most} origins")]
    Origins { most: usize },
    #[error("a widget opens from 1 to {most} rooms an hour")]
    Quota { most: i64 },
    #[error(transparent)]
    Look(#[from] embedenv_shared::look::LookError),
    #[error("a widget's project has at most {most} bytes")]
    Project { most: usize },
    #[error("there is no key pair {0}")]
    NoKey(String),
    #[error("credits must be a whole number from {least} to {most}")]
    Amount { least: i64, most: i64 },
    #[error("a name has 1 to {most} characters, and no control characters")]
    Name { most: usize },
    #[error("{database} {found} is too old: {wanted} or newer is needed")]
    Version { database: &'static str, found: String, wanted: &'static str },
    #[error("another server uses the database; end that one, or name another in database_url")]
    Held,
    #[error("the database did not take the setting {0}")]
    Setting(&'static str),
    #[error("the server's secret at {path} can't be used")]
    Secret {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the database holds something that can't be read: {0}")]
    Unreadable(&'static str),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl Ledger {
    /// Opens the server's secret in a data directory, and the database: the named one, or one in that directory. Makes what is
    /// missing.
    pub async fn open(data_dir: &Path, database: Option<&SecretUrl>) -> Result<Self, LedgerError> {
        let secret = Arc::new(ServerSecret::open(&data_dir.join("secret"))?);
        let store = Store::open(&data_dir.join("embedenv.db"), database).await?;
        let join_keys = Arc::new(JoinKeys::new(&secret));
        let document_tokens = Arc::new(DocumentTokens::new(&secret));
        Ok(Self { store, secret, join_keys, document_tokens, told: Arc::default() })
    }

    /// Whether the database answers.
    pub async fn answers(&self) -> Result<(), LedgerError> {
        self.store.answers().await
    }

    /// Copies the database as it is at one moment into a new file, beside whoever uses it. `false` if it is another server's.
    pub async fn snapshot(&self, to: &Path) -> Result<bool, LedgerError> {
        self.store.snapshot(to).await
    }

    /// Holds the database for one server, until what this returns is dropped.
    pub async fn hold(&self) -> Result<Held, LedgerError> {
        self.store.hold().await
    }

    pub fn join_keys(&self) -> &JoinKeys {
        &self.join_keys
    }

    /// The secret of the link to a room's sandbox; `epoch` counts the sandboxes of the room.
    pub fn link_secret(&self, room: embedenv_shared::id::RoomId, epoch: u64) -> [u8; 32] {
        self.secret.derive("link", &[&room.0, &epoch.to_le_bytes()])
    }

    /// Tells this server from others, for what they leave in one place; it says nothing of the secret.
    pub fn server_id(&self) -> String {
        self.secret.derive("server id", &[])[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Ends the connections to the database, with everything written.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

/// What something is called: `text` without space around it, if it can be a name of so many characters.
pub fn name(text: &str, most: usize) -> Result<&str, LedgerError> {
    let name = text.trim();
    let is_one = !name.is_empty() && name.chars().count() <= most && !name.contains(char::is_control);
    if is_one { Ok(name) } else { Err(LedgerError::Name { most }) }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
