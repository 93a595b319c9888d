//! The folder outside the repository where installed tools live, and the stamps that say a piece of work is up to date.
//! A stamp is a hash of contents, never of times, so that a fresh checkout of the same files counts as the same.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repo;

/// `$XDG_CACHE_HOME/embedenv`, by default `~/.cache/embedenv`.
pub(crate) fn folder() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    let folder = base.join("embedenv");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// What a piece of work was made from, and the file that remembers it.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// A stamp over the names and contents of `inputs` (relative to the repository) and over `salt`.
    pub(crate) fn over(file: PathBuf, inputs: &[PathBuf], salt: &str) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        for input in inputs {
            input.hash(&mut hasher);
            let absolute = repo::root().join(input);
            std::fs::read(&absolute).with_context(|| format!("cannot read {}", absolute.display()))?.hash(&mut hasher);
        }
        Ok(Self { file, hash: format!("{:016x}", hasher.finish()) })
    }

    pub(crate) fn holds(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.hash)
    }

    /// Forgets the last result: called before the work begins, so that work cut short is done again.
    pub(crate) fn clear(&self) -> Result<()> {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn keep(&self) -> Result<()> {
        write(&self.file, self.hash.as_bytes())
    }
}

/// A hash that is part of a file's name. It tells recipes apart and keeps nobody out.
pub(crate) fn digest(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes a file, making its folder first.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
