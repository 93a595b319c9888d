//! The clients for programs of others' (`clients/`): how each is checked by its language's own tools, and how its tests run.

use std::process::Command;

use anyhow::Result;

use crate::command::{command, output, run};
use crate::{python, repo};

const PYTHON: &str = "clients/python";

/// Style, types, and that what is made from the async classes is as it would be made now.
pub(crate) fn python_check() -> Result<String> {
    let checks: [&[&str]; 4] = [
        &["-m", "ruff", "check", "--no-cache", "--quiet"],
        &["-m", "ruff", "format", "--no-cache", "--quiet", "--check"],
        &["-m", "mypy"],
        &["scripts/generate.py", "--check"],
    ];
    for check in checks {
        run(python_in_place()?.args(check))?;
    }
    Ok("in order".to_owned())
}

/// The Python client's tests, to be told which server and which engine they are for.
pub(crate) fn python_tests() -> Result<Command> {
    let mut tests = python_in_place()?;
    tests.args(["-m", "pytest"]);
    Ok(tests)
}

/// How many tests the Python client has.
pub(crate) fn python_count() -> Result<u64> {
    let list = output(python_tests()?.arg("--collect-only"))?;
    Ok(list.lines().filter(|line| line.contains("::")).count() as u64)
}

fn python_in_place() -> Result<Command> {
    let mut python = command(python::interpreter()?);
    python.current_dir(repo::path(PYTHON)).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(python)
}

#[cfg(test)]
mod tests {
    use crate::repo;

    #[test]
    fn the_python_client_has_the_servers_version() {
        let version = std::fs::read_to_string(repo::path(super::PYTHON).join("src/embedenv/_version.py")).unwrap();
        assert!(version.contains(&format!("__version__ = \"{}\"\n", env!("CARGO_PKG_VERSION"))), "{version}");
    }
}
