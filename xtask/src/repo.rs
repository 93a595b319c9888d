//! Where things are in the repository and in its target folder; knows no path outside it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's top folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// A path below the repository's top folder.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// Every file of the repository that a person wrote, as sorted paths relative to its top: no build output, no packages.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    files_below(&["."])
}

/// The files below the given folders (or the given files themselves), relative to the top, sorted.
pub(crate) fn files_below(starts: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for start in starts {
        let start = Path::new(start).strip_prefix(".").unwrap_or(Path::new(start));
        walk(start, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(relative: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    const SKIPPED: [&str; 7] = [".git", "target", "node_modules", "dist", "output", "__pycache__", ".venv"];
    let absolute = root().join(relative);
    if absolute.is_file() {
        found.push(relative.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(&absolute).with_context(|| format!("cannot list {}", absolute.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = relative.join(entry.file_name());
        if kind.is_dir() && !SKIPPED.iter().any(|name| entry.file_name() == *name) {
            walk(&path, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}
