//! `embedenv backup` and `embedenv restore`.

use std::path::{Path, PathBuf};

use super::{CliError, Settings};
use crate::backup;

pub(super) async fn write(to: PathBuf, settings: Settings) -> Result<(), CliError> {
    let contents = backup::write(&settings.config(&[])?, &to).await?;
    println!("{}: {} files, {} bytes", to.display(), contents.files, contents.bytes);
    if !contents.has_database {
        println!("The database is a PostgreSQL server's: copy it with pg_dump, at about the same time.");
    }
    Ok(())
}

pub(super) fn restore(from: &Path, settings: &Settings) -> Result<(), CliError> {
    let config = settings.config(&[])?;
    backup::restore(from, &config.data_dir)?;
    println!("restored into {}", config.data_dir.display());
    Ok(())
}
