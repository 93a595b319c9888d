//! `cargo xtask engine`: a Docker engine of its own, with everything of it in one temporary folder, for as long as its owner
//! lives. Never uses, asks or changes an engine that runs here already.
//!
//! ```text
//! Engine (this process)  ── a pipe ──>  keeper (this program again)  ──>  dockerd  ──>  containerd  ──>  shims
//! ```
//!
//! The keeper takes everything down when the pipe closes, and the pipe closes however its owner ends: by return, by panic,
//! by Ctrl+C, by SIGKILL. A keeper that is killed itself leaves a folder that the next keeper clears away.

mod keeper;
mod processes;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{self, run};
use crate::steps::Steps;
use crate::system;

pub(crate) use keeper::keep;

/// The command by which this program starts itself as the keeper; nobody types it.
pub(crate) const KEEPER: &str = "engine-keeper";

/// What the address of every engine begins with; any other answer of the keeper is the reason why there is none.
const SCHEME: &str = "unix://";

/// `cargo xtask engine [-- COMMAND ARGUMENTS]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", system::for_engine)?;
    let mut engine = Engine::start()?;
    match command::command_line(arguments) {
        Some((program, arguments)) => run(Command::new(program)
            .args(arguments)
            .env("DOCKER_HOST", engine.address())
            .env("EMBEDENV_TEST_ENGINE", "docker")),
        None => {
            println!("DOCKER_HOST={}\n  runs until Ctrl+C; a moment later it is gone", engine.address());
            engine.wait()
        }
    }
}

/// A running Docker engine without networks. Dropping it ends its containers and itself, and waits for that.
pub(crate) struct Engine {
    address: String,
    keeper: Child,
    /// The pipe that the keeper lives by. `None` once it was told to end.
    pipe: Option<ChildStdin>,
}

impl Engine {
    /// Starts an engine and returns when it answers. An error says in one sentence why there can be none.
    pub(crate) fn start() -> Result<Self> {
        if !system::is_root() {
            bail!("starting a Docker engine takes root: run this as root, or set DOCKER_HOST to an engine that runs");
        }
        // A process group of its own: Ctrl+C in the terminal ends this process, and the keeper by its pipe.
        let mut keeper = Command::new("/proc/self/exe")
            .arg(KEEPER)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the engine's keeper")?;
        let pipe = keeper.stdin.take();
        let stdout = keeper.stdout.take().expect("stdout was asked for as a pipe");
        let mut engine = Self { address: String::new(), keeper, pipe };
        let mut answer = String::new();
        BufReader::new(stdout).read_line(&mut answer).context("cannot read what the engine's keeper says")?;
        match answer.trim_end() {
            "" => bail!("the engine's keeper ended without a word"),
            address if address.starts_with(SCHEME) => engine.address = address.to_owned(),
            reason => bail!("{reason}"),
        }
        Ok(engine)
    }

    /// What `DOCKER_HOST` has to be for it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the engine ends by itself, which it should not.
    fn wait(&mut self) -> Result<()> {
        let status = self.keeper.wait()?;
        bail!("the engine's keeper ended ({status})")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Each step of the keeper has a time limit, so this ends.
        if let Err(error) = self.keeper.wait() {
            eprintln!("xtask: cannot wait for the engine's keeper: {error}");
        }
    }
}
