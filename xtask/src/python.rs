//! The Python of the tests: a virtual environment in the cache folder with the packages that tests use.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cache;
use crate::command::{command, run, succeeds};

/// What the reference's Python example and walk import, what asks the API everything, and an app for the preview; what the
/// Python client needs, and what checks it.
const PACKAGES: [&str; 9] = [
    "websockets==15.0.1",
    "schemathesis==4.32.5",
    // A client of Piston, whose API ours has the shape of.
    "piston_rspy==0.4.3",
    "flask==3.1.3",
    "httpx==0.28.1",
    "pycrdt==0.14.13",
    "pytest==9.2.0",
    "mypy==2.4.1",
    "ruff==0.17.6",
];

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
    let check = "import importlib.metadata as m, sys; \
                 assert all(m.version(name.split('==')[0]) == name.split('==')[1] for name in sys.argv[1:])";
    if succeeds(command(&python).args(["-c", check]).args(PACKAGES)) {
        return Ok("there".to_owned());
    }
    run(command(system()).args(["-m", "venv", "--clear"]).arg(cache::folder()?.join("python")))?;
    run(command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
    Ok("made".to_owned())
}
