//! The clients for programs of others' (`clients/`): how each is checked by its language's own tools, and how its tests run.

use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{command, output, run};
use crate::{node, python, repo};

const PYTHON: &str = "clients/python";
const JAVASCRIPT: &str = "clients/js";
/// What is shown of them, as it is reached from the Python client, by whose rules it is written.
const EXAMPLES: &str = "../../examples";

/// Where the tests of the JavaScript client are.
pub(crate) const JAVASCRIPT_TESTS: &str = "clients/js/test";
/// What of them is about sandboxes, and so runs on Docker, too.
const ON_DOCKER: [&str; 4] = ["commands", "crash", "documents", "files"];

/// Style, types, and that what is made from the async classes is as it would be made now.
pub(crate) fn python_check() -> Result<String> {
    let checks: [&[&str]; 6] = [
        &["-m", "ruff", "check", "--no-cache", "--quiet"],
        &["-m", "ruff", "format", "--no-cache", "--quiet", "--check"],
        &["-m", "ruff", "check", "--no-cache", "--quiet", "--config", "pyproject.toml", EXAMPLES],
        &["-m", "ruff", "format", "--no-cache", "--quiet", "--check", "--config", "pyproject.toml", EXAMPLES],
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

/// The JavaScript client's module and its types, which its tests import.
pub(crate) fn javascript_build() -> Result<String> {
    node::packages(JAVASCRIPT)?;
    run(command("node").arg("build.mjs").current_dir(repo::path(JAVASCRIPT)))?;
    Ok("built".to_owned())
}

/// The files of its tests that run on Docker, too.
pub(crate) fn javascript_on_docker() -> [String; 4] {
    ON_DOCKER.map(|name| format!("{JAVASCRIPT_TESTS}/{name}.test.mjs"))
}

/// How many tests those have.
pub(crate) fn javascript_count() -> Result<u64> {
    let mut count = 0;
    for file in javascript_on_docker() {
        let text = std::fs::read_to_string(repo::path(&file)).with_context(|| format!("cannot read {file}"))?;
        count += text.lines().filter(|line| line.starts_with("test(")).count() as u64;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use crate::repo;

    #[test]
    fn the_files_of_the_javascript_client_that_run_on_docker_have_tests_that_are_counted() {
        assert!(super::javascript_count().unwrap() >= super::ON_DOCKER.len() as u64);
    }

    #[test]
    fn the_python_client_has_the_servers_version() {
        let version = std::fs::read_to_string(repo::path(super::PYTHON).join("src/embedenv/_version.py")).unwrap();
        assert!(version.contains(&format!("__version__ = \"{}\"\n", env!("CARGO_PKG_VERSION"))), "{version}");
    }
}
