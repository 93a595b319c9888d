//! The release binary as a user starts it: a process with a data directory of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::client::Client;

/// How long the program may take to listen.
const LISTEN: Duration = Duration::from_secs(20);
/// Credits of the key: more rooms than any bench opens.
const CREDITS: &str = "100000";

#[derive(Debug)]
pub struct Program {
    child: Child,
    pub address: String,
    pub public_key: String,
    pub secret_key: String,
    data: TempDir,
}

/// The binary that `cargo xtask build` leaves.
pub fn binary() -> PathBuf {
    std::env::var_os("EMBEDENV_BIN").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/embedenv")),
        PathBuf::from,
    )
}

impl Program {
    /// Starts it with some sandboxes kept ready.
    pub async fn start(pool: usize) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("embedenv-bench-").tempdir()?;
        let folder = data.path().join("data");
        let created = Command::new(binary())
            .args(["keys", "create", "--name", "bench", "--credits", CREDITS, "--json", "--data-dir"])
            .arg(&folder)
            .output()
            .await?;
        let key: Value = serde_json::from_slice(&created.stdout)
            .with_context(|| String::from_utf8_lossy(&created.stderr).into_owned())?;
        let mut child = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&folder)
            .env("EMBEDENV_ROOMS__POOL", pool.to_string())
            .env("EMBEDENV_LOG__FILTER", "warn")
            .stdout(Stdio::piped())
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
        let text = |name: &str| key[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {key}"));
        Ok(Self { child, address, public_key: text("public_key")?, secret_key: text("secret_key")?, data })
    }

    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the server runs")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("data")
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
        client.expect("joined").await?;
        Ok(client)
    }

    /// Ends the server and then its sandboxes, which outlive it by design.
    pub async fn stop(mut self) -> Result<()> {
        let sandboxes = super::idle::agents(&self)?;
        self.child.kill().await?;
        for pid in sandboxes {
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).context("a pid")?;
            // One that has ended meanwhile is what was wanted.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        Ok(())
    }
}
