//! Which engine the tests run on, and the sandboxes of a server as the machine sees them: their processes on the local
//! engine, their containers on Docker.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use embedenv::config::{Config, EngineChoice};
use rustix::process::{Pid, Signal, kill_process};

/// The engine that a run of the tests is for: `EMBEDENV_TEST_ENGINE=docker`, with `DOCKER_HOST`, or the local one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestEngine {
    Local,
    Docker,
}

impl TestEngine {
    pub fn chosen() -> Self {
        match std::env::var("EMBEDENV_TEST_ENGINE").as_deref() {
            Ok("docker") => Self::Docker,
            _ => Self::Local,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Docker => "docker",
        }
    }

    pub fn configure(self, config: &mut Config) {
        config.engine = match self {
            Self::Local => EngineChoice::Local,
            Self::Docker => EngineChoice::Docker,
        };
    }
}

/// One sandbox that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Its first process, by its number on the host.
    pub agent: u32,
    /// What else runs on the host for it: bubblewrap, on the local engine.
    pub wrapper: Option<u32>,
    pub container: Option<String>,
}

impl Sandbox {
    /// Its processes on the host, but for what programs have started.
    pub fn processes(&self) -> impl Iterator<Item = u32> {
        [Some(self.agent), self.wrapper].into_iter().flatten()
    }

    /// Kills its first process, as a fault would.
    pub fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL)
    }

    /// Stops its first process where it is: the server is not answered, and programs go on.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Has it go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.agent).ok().and_then(Pid::from_raw).context("a pid")?;
        Ok(kill_process(pid, signal)?)
    }
}

/// The sandboxes of a server that run, by its data directory and its id.
pub fn of(data: &Path, server: &str) -> Result<Vec<Sandbox>> {
    match TestEngine::chosen() {
        TestEngine::Local => local(data),
        TestEngine::Docker => containers(server),
    }
}

/// Removes what an ended server has left: sandboxes, which outlive it by design, and homes that are not in its data
/// directory.
pub fn remove(data: &Path, server: &str) -> Result<()> {
    match TestEngine::chosen() {
        TestEngine::Local => {
            for pid in local(data)?.iter().flat_map(Sandbox::processes) {
                if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                    // One that has ended meanwhile is what was wanted.
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
        }
        TestEngine::Docker => {
            let own = format!("label=embedenv.server={server}");
            for (list, remove) in [
                (&["ps", "-aq", "--filter", &own][..], &["rm", "-f"][..]),
                (&["volume", "ls", "-q", "--filter", &own], &["volume", "rm", "-f"]),
                (&["images", "-q", "--filter", &own], &["rmi", "-f"]),
            ] {
                let found = docker(list)?;
                let found: Vec<&str> = found.split_whitespace().collect();
                if !found.is_empty() {
                    docker(&[remove, &found].concat())?;
                }
            }
        }
    }
    Ok(())
}

/// Docker's own client, so that what the tests see is not what the server's client thinks.
pub fn docker(arguments: &[&str]) -> Result<String> {
    let output = Command::new("docker").args(arguments).output().context("there is no `docker`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "docker {}: {said}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn containers(server: &str) -> Result<Vec<Sandbox>> {
    let ids = docker(&["ps", "-q", "--no-trunc", "--filter", &format!("label=embedenv.server={server}")])?;
    let found = ids.split_whitespace().map(|id| {
        // One that is removed while it is looked at runs no more.
        let agent = docker(&["inspect", "-f", "{{.State.Pid}}", id]).ok().and_then(|pid| pid.parse().ok()).unwrap_or(0);
        Sandbox { agent, wrapper: None, container: Some(id.to_owned()) }
    });
    Ok(found.filter(|sandbox| sandbox.agent != 0).collect())
}

/// Wrappers name the data directory on their command line.
fn local(data: &Path) -> Result<Vec<Sandbox>> {
    let data = data.to_str().context("a path in UTF-8")?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(wrapper) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = std::fs::read(format!("/proc/{wrapper}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        if !line.split('\0').next().is_some_and(|program| program.ends_with("bwrap")) || !line.contains(data) {
            continue;
        }
        let children = std::fs::read_to_string(format!("/proc/{wrapper}/task/{wrapper}/children"));
        let agents = children.unwrap_or_default();
        let agents = agents.split_whitespace().filter_map(|child| child.parse().ok());
        found.extend(agents.map(|agent| Sandbox { agent, wrapper: Some(wrapper), container: None }));
    }
    Ok(found)
}
