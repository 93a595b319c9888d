//! The program as a user starts it: a process with a data directory of its own, which can be killed and started again.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use embedenv::ledger::Ledger;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::client::Client;
use crate::sandboxes::{self, Sandbox, TestEngine};
use crate::stores;

/// How long the program may take to listen.
const LISTEN: Duration = Duration::from_secs(20);
/// How long the program may take to end after SIGTERM.
const END: Duration = Duration::from_secs(10);
/// Credits of the key: more rooms than any bench opens.
pub const CREDITS: i64 = 100_000;

/// A setting of programs that say all they can, into a file.
pub const LOGGED: (&str, &str) = ("EMBEDENV_LOG__FILTER", "trace");

#[derive(Debug)]
pub struct Program {
    child: Child,
    pool: usize,
    settings: Vec<(String, String)>,
    pub address: String,
    pub public_key: String,
    pub secret_key: String,
    server_id: String,
    data: TempDir,
}

/// The program: named by `EMBEDENV_BIN`, or the one that was built beside this one.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("EMBEDENV_BIN") {
        return Ok(PathBuf::from(named));
    }
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .map(|folder| folder.join("embedenv"))
        .find(|path| path.is_file())
        .context("`embedenv` is not built; run `cargo build -p embedenv`")
}

impl Program {
    /// Starts it with some sandboxes kept ready.
    pub async fn start(pool: usize) -> Result<Self> {
        Self::start_with(pool, &[]).await
    }

    /// Starts it with variables of the environment, too.
    pub async fn start_with(pool: usize, settings: &[(&str, &str)]) -> Result<Self> {
        let mut settings: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let data = tempfile::Builder::new().prefix("embedenv-program-").tempdir()?;
        settings.extend(stores::url(data.path()).map(|url| ("EMBEDENV_DATABASE_URL".to_owned(), url)));
        let created = command()?
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .args(["keys", "create", "--name", "test", "--credits", &CREDITS.to_string(), "--json", "--data-dir"])
            .arg(data.path().join("data"))
            .output()
            .await?;
        let key: Value = serde_json::from_slice(&created.stdout)
            .with_context(|| String::from_utf8_lossy(&created.stderr).into_owned())?;
        let text = |name: &str| key[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let (public_key, secret_key) = (text("public_key")?, text("secret_key")?);
        let ledger = open_ledger(&data).await?;
        let server_id = ledger.server_id();
        ledger.close().await;
        let (child, address) = serve(&data, "127.0.0.1:0", pool, &settings).await?;
        Ok(Self { child, pool, settings, address, public_key, secret_key, server_id, data })
    }

    /// Starts it again where it was.
    pub async fn restart(&mut self) -> Result<()> {
        (self.child, self.address) = serve(&self.data, &self.address, self.pool, &self.settings).await?;
        Ok(())
    }

    /// As `kill -9` does.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, as a service manager does, and waits.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        kill_process(pid(self.pid()?)?, Signal::TERM)?;
        Ok(timeout(END, self.child.wait()).await.context("it did not end in time")??)
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the server runs")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Everything that a program with [`LOGGED`] among its settings said.
    pub fn log(&self) -> PathBuf {
        self.data.path().join("log")
    }

    /// Its ledger, beside the server that runs on it.
    pub async fn ledger(&self) -> Result<Ledger> {
        open_ledger(&self.data).await
    }

    pub fn url(&self) -> String {
        format!("ws://{}/ws/spaces/default/", self.address)
    }

    pub fn init(&self) -> Value {
        json!({"type": "init", "public_key": self.public_key, "secret_key": self.secret_key})
    }

    /// Opens a room and joins it as a full client.
    pub async fn full(&self) -> Result<Client> {
        let mut client = Client::connect(&self.url()).await?;
        let mut init = self.init();
        init["protocol"] = json!(2);
        client.send(init).await?;
        let opened = client.expect("init").await?;
        client.expect("joined").await?;
        client.aside.push(opened);
        Ok(client)
    }

    /// The sandboxes of this server that run.
    pub fn sandboxes(&self) -> Result<Vec<Sandbox>> {
        sandboxes::of(&self.data_dir(), &self.server_id)
    }
}

impl Drop for Program {
    /// Ends the server and then its sandboxes, which outlive it by design.
    fn drop(&mut self) {
        if let Some(Ok(server)) = self.child.id().map(pid) {
            let _ = kill_process(server, Signal::KILL);
        }
        // An engine of the test's own takes everything with it.
        let own_engine = self.settings.iter().any(|(name, _)| name == "DOCKER_HOST");
        if own_engine {
            return;
        }
        if let Err(error) = sandboxes::remove(&self.data_dir(), &self.server_id) {
            eprintln!("what a program left could not be removed: {error:#}");
        }
    }
}

/// The program, without the variables that the tests are told things by: it takes `EMBEDENV_…` for settings of its own.
pub fn command() -> Result<Command> {
    let mut command = Command::new(binary()?);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("EMBEDENV_")) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

async fn open_ledger(data: &TempDir) -> Result<Ledger> {
    Ok(Ledger::open(&data.path().join("data"), stores::database(data.path()).as_ref()).await?)
}

fn pid(number: u32) -> Result<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw).context("a pid")
}

async fn serve(data: &TempDir, listen: &str, pool: usize, settings: &[(String, String)]) -> Result<(Child, String)> {
    let is_logged = settings.iter().any(|(name, value)| (&**name, &**value) == LOGGED);
    let log = if is_logged { File::create(data.path().join("log"))?.into() } else { Stdio::inherit() };
    let mut child = command()?
        .args(["serve", "--listen", listen, "--data-dir"])
        .arg(data.path().join("data"))
        .env("EMBEDENV_SPACES__DEFAULT__POOL", pool.to_string())
        .env("EMBEDENV_SPACES__DEFAULT__POOL_MOST", pool.to_string())
        .env("EMBEDENV_LOG__FILTER", "warn")
        .env("EMBEDENV_ENGINE", TestEngine::chosen().name())
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
    let address = timeout(LISTEN, async {
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = line.strip_prefix("listening on http://") {
                return Ok(address.to_owned());
            }
        }
        anyhow::bail!("the server ended before it listened")
    })
    .await
    .context("the server did not listen in time")??;
    Ok((child, address))
}
