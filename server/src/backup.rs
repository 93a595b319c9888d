//! A copy of a data directory in one file, made while a server runs on it, and a data directory from such a file.
//!
//! The file is a tar archive: the database as it was at one moment, the server's secret, the rooms' files and the logs of what
//! is typed into them, and the engine's notes. Logs end where they end and are cut there, as after a crash. Homes that are
//! volumes of an engine are archives in it, which rooms take up when they wake. What can be made again, the agent and the
//! sandboxes' `/etc`, is left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::engine::choice::{self, Kind};
use crate::engine::docker::homes::{self, Copies, HomeError};
use crate::ledger::{Ledger, LedgerError, RoomRow};

/// The database's file in a data directory and in a backup.
const DATABASE: &str = "embedenv.db";
/// What is not copied as it lies there.
const LEFT_OUT: [&str; 8] =
    ["embedenv.db", "embedenv.db-wal", "embedenv.db-shm", "lock", "agent", "etc", SNAPSHOT, HOME];
/// What the database is copied into before it goes into the archive.
const SNAPSHOT: &str = ".backup.db";
/// What a home is copied into that is a volume of an engine.
const HOME: &str = ".backup.home";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("cannot write the backup {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot read the backup {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{0} is not empty: a backup is restored into a new folder")]
    NotEmpty(PathBuf),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the homes of rooms cannot be copied")]
    Homes(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    pub files: u64,
    pub bytes: u64,
    /// Whether the database is among them: one in PostgreSQL is that server's to copy.
    pub has_database: bool,
}

/// Writes a backup to a new file, which its owner alone can read: it holds the server's secret.
pub async fn write(config: &Config, to: &Path) -> Result<Contents, BackupError> {
    let failed = |source| BackupError::Write { path: to.to_owned(), source };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    let written = copy(config, file).await;
    if written.is_err() {
        // Half a backup is none.
        let _ = fs::remove_file(to);
    }
    written.map_err(|error| match error {
        Halted::Io(source) => failed(source),
        Halted::Ledger(error) => error.into(),
        Halted::Homes(error) => BackupError::Homes(error.into()),
    })
}

enum Halted {
    Io(io::Error),
    Ledger(LedgerError),
    Homes(HomeError),
}

impl From<HomeError> for Halted {
    fn from(error: HomeError) -> Self {
        Self::Homes(error)
    }
}

impl From<io::Error> for Halted {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

async fn copy(config: &Config, file: File) -> Result<Contents, Halted> {
    let ledger = Ledger::open(&config.data_dir, config.database_url.as_ref()).await.map_err(Halted::Ledger)?;
    let snapshot = config.data_dir.join(SNAPSHOT);
    // What an earlier one left when it was killed.
    let _ = fs::remove_file(&snapshot);
    let has_database = ledger.snapshot(&snapshot).await.map_err(Halted::Ledger)?;
    let rooms = ledger.rooms().await.map_err(Halted::Ledger)?;
    let server = ledger.server_id();
    ledger.close().await;
    let data_dir = config.data_dir.clone();
    let archive = on_a_thread(move || {
        let archived = Archive::begin(&data_dir, file, has_database.then_some(snapshot.as_path()));
        let _ = fs::remove_file(&snapshot);
        archived
    });
    let mut archive = archive.await?;
    if choice::kept(&config.data_dir) == Some(Kind::Docker) {
        let copies = Copies::default();
        let home = config.data_dir.join(HOME);
        for RoomRow { room, .. } in rooms {
            let name = homes::waiting(Path::new(""), room);
            // What waits to be taken up is in the archive already.
            if config.data_dir.join(&name).exists() || !copies.save(&server, room, &home).await? {
                continue;
            }
            let from = home.clone();
            archive = on_a_thread(move || archive.with(&from, &name)).await?;
        }
        let _ = fs::remove_file(&home);
    }
    Ok(on_a_thread(move || archive.end()).await?)
}

/// Does what takes as long as a disk does.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A backup that is being written.
struct Archive {
    builder: tar::Builder<File>,
    contents: Contents,
}

impl Archive {
    fn begin(data_dir: &Path, file: File, database: Option<&Path>) -> io::Result<Self> {
        let mut contents = Contents { files: 0, bytes: 0, has_database: database.is_some() };
        let mut builder = tar::Builder::new(file);
        builder.follow_symlinks(false);
        if let Some(database) = database {
            one(&mut builder, database, Path::new(DATABASE), &mut contents)?;
        }
        for entry in fs::read_dir(data_dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if !LEFT_OUT.iter().any(|left| name == *left) {
                below(&mut builder, &entry.path(), Path::new(&name), &mut contents)?;
            }
        }
        Ok(Self { builder, contents })
    }

    /// With one more file, by another name.
    fn with(mut self, file: &Path, name: &Path) -> io::Result<Self> {
        one(&mut self.builder, file, name, &mut self.contents)?;
        Ok(self)
    }

    fn end(self) -> io::Result<Contents> {
        self.builder.into_inner()?.sync_all()?;
        Ok(self.contents)
    }
}

/// A file or a folder with all that is in it. What is gone by the time it is looked at was gone before.
fn below(builder: &mut tar::Builder<File>, path: &Path, name: &Path, contents: &mut Contents) -> io::Result<()> {
    let kind = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?.file_type(),
    };
    if kind.is_dir() {
        match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => {
                builder.append_dir(name, path)?;
                for entry in entries? {
                    let entry = entry?;
                    below(builder, &entry.path(), &name.join(entry.file_name()), contents)?;
                }
            }
        }
        return Ok(());
    }
    if kind.is_socket() || kind.is_fifo() || kind.is_block_device() || kind.is_char_device() {
        return Ok(());
    }
    if kind.is_symlink() {
        return builder.append_path_with_name(path, name);
    }
    one(builder, path, name, contents)
}

/// A file, as long as it was when it was opened.
fn one(builder: &mut tar::Builder<File>, path: &Path, name: &Path, contents: &mut Contents) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let metadata = file.metadata()?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    let exactly = file.take(metadata.len()).chain(io::repeat(0)).take(metadata.len());
    builder.append_data(&mut header, name, exactly)?;
    contents.files += 1;
    contents.bytes += metadata.len();
    Ok(())
}

/// Makes a data directory of a backup, in a folder that is empty or not there. Who the files belonged to they belong to again
/// where this is root.
pub fn restore(from: &Path, data_dir: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Read { path: from.to_owned(), source };
    let is_empty = match fs::read_dir(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        entries => entries.map_err(failed)?.next().is_none(),
    };
    if !is_empty {
        return Err(BackupError::NotEmpty(data_dir.to_owned()));
    }
    let mut archive = tar::Archive::new(File::open(from).map_err(failed)?);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(rustix::process::geteuid().is_root());
    fs::create_dir_all(data_dir).and_then(|()| archive.unpack(data_dir)).map_err(failed)
}
