//! The harness of the product's tests: a server with real sandboxes in this process, clients on real sockets, and the
//! rule for what a machine lacks.

pub mod bench;
pub mod client;
pub mod editor;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use client::Client;
use embedenv::config::Config;
use embedenv::ledger::NewKey;
use embedenv::server::{Running, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a test needs of its machine. Without it the test prints that it was skipped; on CI, which has everything, that
/// is a failure.
pub fn precondition<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(std::env::var_os("EMBEDENV_CI").is_none(), "CI lacks what a test needs: {what}");
        println!("SKIPPED: not so here: {what}");
    }
    found
}

/// A server with a data directory and an address of its own, in this process; its sandboxes are real.
#[derive(Debug)]
pub struct TestServer {
    running: Option<Running>,
    config: Config,
    address: SocketAddr,
    data: Arc<TempDir>,
}

impl TestServer {
    pub async fn new() -> Result<Self> {
        Self::with(|_| {}).await
    }

    /// A server whose configuration differs from the default.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        let data = tempfile::Builder::new().prefix("embedenv-test-").tempdir()?;
        let mut config = Config { data_dir: data.path().join("data"), ..Config::default() };
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.rooms.pool = 0;
        change(&mut config);
        let running = Server::new(config.clone()).await?.listen().await?;
        let address = running.address();
        Ok(Self { running: Some(running), config, address, data: Arc::new(data) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The WebSocket's address, as the reference writes it.
    pub fn url(&self) -> String {
        format!("ws://{}/ws/spaces/defoult/", self.address)
    }

    pub fn data_dir(&self) -> &std::path::Path {
        &self.config.data_dir
    }

    fn running(&self) -> Result<&Running> {
        self.running.as_ref().context("the server runs")
    }

    pub async fn key(&self, credits: i64) -> Result<NewKey> {
        Ok(self.running()?.ledger().create_key("test", credits).await?)
    }

    /// Opens a room with a key of its own, as a host's backend does, and returns its join key.
    pub async fn room(&self) -> Result<String> {
        let key = self.key(1).await?;
        let mut backend = Client::connect(&self.url()).await?;
        let init = json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key});
        backend.send(init).await?;
        let answer = backend.frame().await?;
        Ok(answer["join"].as_str().with_context(|| answer.to_string())?.to_owned())
    }

    async fn joined(&self, join: Value) -> Result<Client> {
        let mut client = Client::connect(&self.url()).await?;
        client.send(join).await?;
        let answer = client.frame().await?;
        anyhow::ensure!(answer["type"] == "joined", "{answer}");
        client.aside.push(answer);
        Ok(client)
    }

    /// A plain client in a room.
    pub async fn plain(&self, join: &str) -> Result<Client> {
        let mut client = self.joined(json!({"type": "join", "join": join})).await?;
        client.aside.clear();
        Ok(client)
    }

    /// A full client in a room; the first frame aside is its `joined`.
    pub async fn full(&self, join: &str) -> Result<Client> {
        self.joined(json!({"type": "join", "join": join, "protocol": 2})).await
    }

    /// Shuts the server down and starts another on the same address and data.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.config.listen = self.address;
        self.running = Some(Server::new(self.config.clone()).await?.listen().await?);
        Ok(())
    }

    pub async fn stop(&mut self) -> Result<()> {
        let running = self.running.take().context("the server runs")?;
        running.shutdown().await;
        Ok(())
    }

    /// Kills the first process of every sandbox of this server, as a fault would.
    pub fn kill_sandboxes(&self) -> Result<()> {
        let data = self.data.path().to_str().context("a path in UTF-8")?.to_owned();
        let mut wrappers = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<i32>() else { continue };
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&data) {
                wrappers.push(pid);
            }
        }
        let mut killed = 0;
        for wrapper in wrappers {
            let children =
                std::fs::read_to_string(format!("/proc/{wrapper}/task/{wrapper}/children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
                let pid = rustix::process::Pid::from_raw(child).context("a pid")?;
                rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
                killed += 1;
            }
        }
        anyhow::ensure!(killed > 0, "there was no sandbox to kill");
        Ok(())
    }
}

impl Drop for TestServer {
    /// Ends what the server started, so that no test leaves a sandbox behind.
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let data = self.data.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(running.end());
            }
            drop(data);
        });
        // The thread has no panic of its own to pass on.
        let _ = ended.join();
    }
}
