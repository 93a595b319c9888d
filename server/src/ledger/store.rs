//! The database under the ledger: SQLite, opened so that what was committed stays.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::LedgerError;

/// The first SQLite without the fault in its write-ahead log.
const LEAST_VERSION: &str = "3.51.3";
/// How long a writer waits for another, also one in another process.
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// One writer and some readers of the same database.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

impl Store {
    pub(super) async fn open(path: &Path) -> Result<Self, LedgerError> {
        make_private(path).map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        // A connection to a file does not break; asking it each time whether it lives would only cost.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let writer = pool().max_connections(1).connect_with(options.clone()).await?;
        check(&writer).await?;
        sqlx::migrate!().run(&writer).await?;
        let readers = pool().max_connections(READERS).connect_with(options).await?;
        Ok(Self { writer, readers })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The database's file is the server's alone, from the moment it exists.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    Ok(())
}

/// Holds the database to what the ledger relies on.
async fn check(pool: &SqlitePool) -> Result<(), LedgerError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?;
    let parts = |text: &str| text.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    if parts(&version) < parts(LEAST_VERSION) {
        return Err(LedgerError::Version { found: version, wanted: LEAST_VERSION });
    }
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await?;
    if journal != "wal" {
        return Err(LedgerError::Setting("journal_mode"));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await?;
    if synchronous != 2 {
        return Err(LedgerError::Setting("synchronous"));
    }
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(pool).await?;
    if foreign_keys != 1 {
        return Err(LedgerError::Setting("foreign_keys"));
    }
    Ok(())
}
