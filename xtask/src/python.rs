//! The Python of the tests: a virtual environment in the cache folder with the one package the reference's examples import.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cache;
use crate::command::{command, run, succeeds};

/// What the reference's Python example and walk import.
const WEBSOCKETS: &str = "websockets==15.0.1";

/// The system's own Python, ahead of any that a version manager puts on `PATH`.
pub(crate) fn system() -> PathBuf {
    let debian = Path::new("/usr/bin/python3");
    if debian.exists() { debian.to_owned() } else { PathBuf::from("python3") }
}

/// The interpreter of the virtual environment.
pub(crate) fn interpreter() -> Result<PathBuf> {
    Ok(cache::folder()?.join("python/bin/python3"))
}

/// Makes the virtual environment, or leaves it as it is when it has what is needed.
pub(crate) fn environment() -> Result<String> {
    let python = interpreter()?;
    let check =
        format!("import importlib.metadata as m; assert 'websockets==' + m.version('websockets') == '{WEBSOCKETS}'");
    if succeeds(command(&python).args(["-c", &check])) {
        return Ok("there".to_owned());
    }
    run(command(system()).args(["-m", "venv", "--clear"]).arg(cache::folder()?.join("python")))?;
    run(command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", WEBSOCKETS]))?;
    Ok("made".to_owned())
}
