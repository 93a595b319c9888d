//! Node and its packages: asks for a recent enough Node, installs what a lock file names, and only when it changed.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cache::Stamp;
use crate::command::{command, output, run};
use crate::repo;

/// The oldest Node whose test runner and zlib do what is asked of them.
const OLDEST: u32 = 20;

pub(crate) fn present() -> Result<String> {
    let version = output(command("node").arg("--version"))
        .with_context(|| format!("there is no Node: install Node {OLDEST} or newer (https://nodejs.org)"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        bail!("Node {version} is too old: install Node {OLDEST} or newer (https://nodejs.org)");
    }
    Ok(version)
}

/// `npm ci` in a folder of the repository, unless it was done for exactly this lock file.
pub(crate) fn packages(folder: &str) -> Result<String> {
    let lock = format!("{folder}/package-lock.json");
    let modules = repo::path(folder).join("node_modules");
    let stamp = Stamp::over(modules.join(".stamp"), &[Path::new(&lock).to_owned()], "npm ci")?;
    if stamp.holds() {
        return Ok("unchanged".to_owned());
    }
    stamp.clear()?;
    run(command("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(repo::path(folder)))?;
    stamp.keep()?;
    Ok("installed".to_owned())
}
