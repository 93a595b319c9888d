//! The harness of the product's tests: a server with real sandboxes in this process, clients on real sockets, and the
//! rule for what a machine lacks.

pub mod backend;
pub mod bench;
pub mod browser;
pub mod chance;
pub mod client;
pub mod decoders;
pub mod dockerd;
pub mod editor;
pub mod hooks;
pub mod http;
pub mod mailbox;
pub mod program;
pub mod sandboxes;
pub mod stores;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use client::Client;
use embedenv::config::{Config, Pool};
use embedenv::ledger::NewKey;
use embedenv::server::{Running, Server};
use sandboxes::{Sandbox, TestEngine};
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
        let database_url = stores::database(data.path());
        let mut config = Config { data_dir: data.path().join("data"), database_url, ..Config::default() };
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        TestEngine::chosen().configure(&mut config);
        for space in config.spaces.values_mut() {
            space.pool = Pool { least: 0, most: 0 };
        }
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

    pub fn running(&self) -> Result<&Running> {
        self.running.as_ref().context("the server runs")
    }

    pub fn ledger(&self) -> Result<&embedenv::ledger::Ledger> {
        Ok(self.running()?.ledger())
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

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Shuts the server down and starts another on the same address and data.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start().await
    }

    /// Shuts the server down and starts another on the same address and data, configured otherwise.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) -> Result<()> {
        self.stop().await?;
        change(&mut self.config);
        self.start().await
    }

    /// Starts it again where it was.
    pub async fn start(&mut self) -> Result<()> {
        self.config.listen = self.address;
        self.running = Some(Server::new(self.config.clone()).await?.listen().await?);
        Ok(())
    }

    pub async fn stop(&mut self) -> Result<()> {
        let running = self.running.take().context("the server runs")?;
        anyhow::ensure!(running.shutdown().await, "the server left tasks behind");
        Ok(())
    }

    /// Breaks the link to every sandbox; the server makes another at once.
    pub fn cut_links(&self) -> Result<()> {
        for room in self.running()?.registry().all() {
            room.sandbox.link_now().context("a sandbox that runs")?.close();
        }
        Ok(())
    }

    /// The ports of those whose connections the server holds (proc(5), `/proc/net/tcp`; 01 is ESTABLISHED).
    pub fn connected_ports(&self) -> Result<Vec<u16>> {
        let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
        let row = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, peer, "01", ..] = fields[..] else { return None };
            (port(local)? == self.address.port()).then(|| port(peer)).flatten()
        };
        Ok(std::fs::read_to_string("/proc/net/tcp")?.lines().filter_map(row).collect())
    }

    /// Kills the first process of every sandbox of this server, as a fault would.
    pub fn kill_sandboxes(&self) -> Result<()> {
        let sandboxes = self.sandboxes()?;
        anyhow::ensure!(!sandboxes.is_empty(), "there was no sandbox to kill");
        sandboxes.iter().try_for_each(Sandbox::kill)
    }

    /// The sandboxes of this server that run.
    pub fn sandboxes(&self) -> Result<Vec<Sandbox>> {
        sandboxes::of(self.data.path(), &self.server_id()?)
    }

    pub fn server_id(&self) -> Result<String> {
        Ok(self.running()?.ledger().server_id())
    }
}

impl Drop for TestServer {
    /// Ends what the server started, so that no test leaves a sandbox behind.
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let data = self.data.clone();
        let server = running.ledger().server_id();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(running.end());
            }
            if let Err(error) = sandboxes::remove(data.path(), &server) {
                eprintln!("what a test's server left could not be removed: {error:#}");
            }
            drop(data);
        });
        // The thread has no panic of its own to pass on.
        let _ = ended.join();
    }
}
