//! The database under the ledger: SQLite in the data directory, or a PostgreSQL server; opened so that what was committed
//! stays. Every statement of the ledger is one that both take, with numbered parameters.

use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateDatabase as _, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Executor as _};

use super::LedgerError;
use crate::config::SecretUrl;

/// The first SQLite without the fault in its write-ahead log.
const LEAST_SQLITE: &str = "3.51.3";
/// The first PostgreSQL that its project still mends.
const LEAST_POSTGRES: i64 = 140_000;
/// How long a writer waits for another, also one in another process, in milliseconds.
const BUSY: u32 = 10_000;
const READERS: u32 = 4;
/// Connections to a PostgreSQL server.
const CONNECTIONS: u32 = 8;
/// How long somebody waits for one of them.
const ACQUIRE: Duration = Duration::from_secs(5);
/// What a server holds of a PostgreSQL database while it runs, so that there is no second one.
const ADVISORY_LOCK: i64 = 0x656d_6265_6465_6e76;
/// What PostgreSQL says of a database that isn't there (`invalid_catalog_name`).
const NO_DATABASE: &str = "3D000";
/// What would end a path in a URL.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ').add(b'\\');

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where things are written, and where they are read.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) writer: AnyPool,
    pub(super) readers: AnyPool,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// A database that is held for one server; lets go when it is dropped.
#[derive(Debug)]
pub struct Held {
    /// A connection of its own, whose end the server of the database notices.
    _connection: Option<AnyConnection>,
}

impl Store {
    pub(super) async fn open(path: &Path, database: Option<&SecretUrl>) -> Result<Self, LedgerError> {
        Self::open_at(path, database, None).await
    }

    /// The same, brought no further than to a version of its schema, if one is named.
    pub(super) async fn open_at(
        path: &Path,
        database: Option<&SecretUrl>,
        version: Option<i64>,
    ) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let store = match database {
            None => Self::sqlite(path).await?,
            Some(url) => Self::postgres(url).await?,
        };
        match version {
            None => MIGRATIONS.run(&store.writer).await?,
            Some(version) => MIGRATIONS.run_to(version, &store.writer).await?,
        }
        Ok(store)
    }

    /// One writer, so that transactions stand in line here and not at the database, and some readers.
    async fn sqlite(path: &Path) -> Result<Self, LedgerError> {
        make_private(path).map_err(sqlx::Error::Io)?;
        let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
        let url = format!("sqlite://{}", utf8_percent_encode(&path.to_string_lossy(), PATH));
        let pool = |connections| {
            // A connection to a file does not break; asking it each time whether it lives would only cost.
            AnyPoolOptions::new().max_connections(connections).test_before_acquire(false).after_connect(
                |connection, _| {
                    Box::pin(async move {
                        let settings = format!(
                            "PRAGMA busy_timeout = {BUSY}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                             PRAGMA foreign_keys = ON"
                        );
                        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(settings))).await.map(drop)
                    })
                },
            )
        };
        let writer = pool(1).connect(&url).await?;
        check_sqlite(&writer).await?;
        let readers = pool(READERS).connect(&url).await?;
        Ok(Self { writer, readers, kind: Kind::Sqlite })
    }

    async fn postgres(url: &SecretUrl) -> Result<Self, LedgerError> {
        let connect =
            || AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE).connect(url.reveal());
        let pool = match connect().await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_DATABASE) => {
                Any::create_database(url.reveal()).await?;
                connect().await?
            }
            other => other?,
        };
        let version: String =
            sqlx::query_scalar("SELECT current_setting('server_version_num')").fetch_one(&pool).await?;
        if version.parse().unwrap_or(0) < LEAST_POSTGRES {
            return Err(LedgerError::Version { database: "PostgreSQL", found: version, wanted: "14" });
        }
        Ok(Self { writer: pool.clone(), readers: pool, kind: Kind::Postgres })
    }

    /// Holds the database for one server. In the data directory it is held already, with everything else there.
    pub(super) async fn hold(&self) -> Result<Held, LedgerError> {
        if self.kind == Kind::Sqlite {
            return Ok(Held { _connection: None });
        }
        let mut connection = self.writer.acquire().await?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(ADVISORY_LOCK)
            .fetch_one(&mut *connection)
            .await?;
        if taken { Ok(Held { _connection: Some(connection.detach()) }) } else { Err(LedgerError::Held) }
    }

    pub(super) async fn answers(&self) -> Result<(), LedgerError> {
        let asked = tokio::time::timeout(ACQUIRE, sqlx::query("SELECT 1").execute(&self.readers)).await;
        asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
        Ok(())
    }

    pub(super) async fn snapshot(&self, to: &Path) -> Result<bool, LedgerError> {
        if self.kind == Kind::Postgres {
            return Ok(false);
        }
        sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().into_owned()).execute(&self.readers).await?;
        Ok(true)
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

/// Holds SQLite to what the ledger relies on.
async fn check_sqlite(pool: &AnyPool) -> Result<(), LedgerError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?;
    let parts = |text: &str| text.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    if parts(&version) < parts(LEAST_SQLITE) {
        return Err(LedgerError::Version { database: "SQLite", found: version, wanted: LEAST_SQLITE });
    }
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await?;
    if journal != "wal" {
        return Err(LedgerError::Setting("journal_mode"));
    }
    for (setting, wanted) in [("synchronous", 2), ("foreign_keys", 1)] {
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("PRAGMA {setting}"))).fetch_one(pool).await?;
        if found != wanted {
            return Err(LedgerError::Setting(setting));
        }
    }
    Ok(())
}
