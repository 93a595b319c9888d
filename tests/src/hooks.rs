//! A server that webhooks lead to: keeps what it is sent, and answers as it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use embedenv::tasks::Tasks;
use embedenv::webhooks::{ID, SIGNATURE, TIMESTAMP, is_signed, read_secret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that a message may take to come.
const SOON: Duration = Duration::from_secs(30);

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    headers: HeaderMap,
    body: Bytes,
}

impl Message {
    pub fn id(&self) -> &str {
        self.field(ID)
    }

    /// What it says, if it is signed with this secret.
    pub fn read(&self, secret: &str) -> Result<Value> {
        let secret = read_secret(secret).context("a secret")?;
        let is_right = is_signed(&secret, self.id(), self.field(TIMESTAMP), &self.body, self.field(SIGNATURE));
        ensure!(is_right, "{:?} is not signed", self.headers);
        Ok(serde_json::from_slice(&self.body)?)
    }

    fn field(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Debug)]
struct Kept {
    messages: watch::Sender<Vec<Message>>,
    status: AtomicU16,
}

#[derive(Debug)]
pub struct Hooks {
    address: SocketAddr,
    kept: Arc<Kept>,
    messages: watch::Receiver<Vec<Message>>,
}

impl Hooks {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (keep, messages) = watch::channel(Vec::new());
        let kept = Arc::new(Kept { messages: keep, status: AtomicU16::new(204) });
        let router = Router::new().fallback(take).with_state(kept.clone());
        Tasks::default().spawn("hooks", async move {
            // Goes on until the test ends.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, kept, messages })
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.kept.status.store(status, Ordering::Release);
    }

    /// Waits until there are so many, and returns all of them.
    pub async fn messages(&mut self, number: usize) -> Result<Vec<Message>> {
        let enough = self.messages.wait_for(|messages| messages.len() >= number);
        Ok(timeout(SOON, enough).await.context("a message did not come")??.clone())
    }

    /// How many have come.
    pub fn count(&self) -> usize {
        self.messages.borrow().len()
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    kept.messages.send_modify(|messages| messages.push(Message { headers, body }));
    StatusCode::from_u16(kept.status.load(Ordering::Acquire)).unwrap_or_default()
}
