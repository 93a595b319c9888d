//! `cargo xtask postgres`: a PostgreSQL server of its own, in a temporary folder and on a socket there alone, for as long as
//! its owner lives. Never uses, asks or changes a server that runs here already.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{output, run, succeeds};
use crate::steps::Steps;
use crate::{command, system};

/// Who runs it, where this program is root: PostgreSQL refuses to be root's.
const USER: &str = "postgres";
/// How long it may take until it answers, and how often it is asked.
const START: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
/// Connections at once: each test has a database, and each of those some connections.
const CONNECTIONS: &str = "400";

/// `cargo xtask postgres [-- COMMAND ARGUMENTS]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", system::for_postgres)?;
    let mut server = Postgres::start()?;
    match command::command_line(arguments) {
        Some((program, arguments)) => {
            run(Command::new(program).args(arguments).env("EMBEDENV_TEST_POSTGRES", server.url()))
        }
        None => {
            println!("EMBEDENV_TEST_POSTGRES={}\n  runs until Ctrl+C", server.url());
            bail!("PostgreSQL ended ({})", server.child.wait()?)
        }
    }
}

/// A running server. Dropping it ends it; so does the end of this process, however it comes.
pub(crate) struct Postgres {
    folder: PathBuf,
    child: Child,
}

impl Postgres {
    pub(crate) fn start() -> Result<Self> {
        let programs = programs().context("there is no PostgreSQL server here: install the package `postgresql`")?;
        let folder = output(as_owner("mktemp").args(["-d", "-t", "embedenv-postgres-XXXXXX"]))?;
        let folder = PathBuf::from(folder);
        let data = folder.join("data");
        let made = output(as_owner(programs.join("initdb")).arg("-D").arg(&data).args([
            "-A",
            "trust",
            "-U",
            USER,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        made.context("PostgreSQL could not make its files")?;
        let mut server = as_owner(programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        server.args(["-c", "listen_addresses=", "-c", &format!("max_connections={CONNECTIONS}")]);
        let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("PostgreSQL does not start")?;
        let mut server = Self { folder, child };
        let begun = Instant::now();
        while !succeeds(Command::new(programs.join("pg_isready")).arg("-q").arg("-h").arg(&server.folder)) {
            if let Some(status) = server.child.try_wait()? {
                bail!("PostgreSQL ended at once ({status})");
            }
            if begun.elapsed() > START {
                bail!("PostgreSQL does not answer after {} s", START.as_secs());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(server)
    }

    /// What the names of its databases stand behind.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@{}", self.folder.display().to_string().replace('/', "%2F"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What is in it is needed no more.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("xtask: cannot end PostgreSQL: {error}");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("xtask: cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// A command as the server's owner, which ends with this program.
fn as_owner(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    // Their own folders may be closed to them.
    command.current_dir("/");
    if system::is_root() {
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT", "--"]).arg(program.as_ref());
    command
}

/// The folder of the newest server's programs: Debian keeps them off `PATH`.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest =
        versions.flatten().map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").exists());
    newest.max()
}
