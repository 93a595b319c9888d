//! The release binary with page and agent inside: `build` leaves it, `run` starts it.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::{cargo, run as run_command};
use crate::steps::Steps;
use crate::{agent, node, repo, site, system, tools, web};

/// `cargo xtask run`: becomes `embedenv try`, so that signals and the exit status are its own.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", system::for_running)?;
    binary_steps(&mut steps)?;
    let mut server = std::process::Command::new(binary());
    server.arg("try").args(arguments);
    Err(server.exec()).with_context(|| format!("cannot start {}", binary().display()))
}

/// `cargo xtask build`.
pub(crate) fn build() -> Result<()> {
    let mut steps = Steps::default();
    binary_steps(&mut steps)?;
    let size = binary().metadata()?.len();
    println!("{} ({:.1} MB)", binary().display(), size as f64 / 1e6);
    Ok(())
}

/// Everything from a bare machine to the release binary.
pub(crate) fn binary_steps(steps: &mut Steps) -> Result<()> {
    staging_steps(steps)?;
    steps.need("server, release", server)
}

/// Everything from a bare machine to a complete `target/embed`.
pub(crate) fn staging_steps(steps: &mut Steps) -> Result<()> {
    steps.need("node", node::present)?;
    steps.need("rust targets", tools::targets)?;
    steps.need("trunk and wasm-bindgen", tools::page_tools)?;
    steps.need("page", web::stage)?;
    steps.need("public pages", site::stage)?;
    steps.need("agent", agent::stage)
}

/// Builds the server around what is staged.
pub(crate) fn server() -> Result<String> {
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--package", "embedenv", "--bin", "embedenv"]);
    run_command(build.env("EMBEDENV_REQUIRE_EMBED", "1"))?;
    Ok("built".to_owned())
}

/// The one file that the project ships.
pub(crate) fn binary() -> PathBuf {
    repo::path("target/release/embedenv")
}
