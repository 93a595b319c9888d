//! The life of a room's sandbox: asleep, starting, ready, and gone when it ended by itself.
//!
//! ```text
//! Asleep ──wake──> Starting ──agent answered──> Ready ──link lost──> Gone ──wake──> Starting
//!    ^                 └──────could not──────────────────────────────^
//!    └──────────────── rest (nobody is here) ─────── Ready
//! ```
//!
//! One task at a time moves it (`Lifecycle::step` is a lock across the whole step); everybody else watches. What runs
//! in the sandbox is not known here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::SandboxState;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Ears, Room};
use crate::engine::{EngineError, SandboxRecord, SandboxSpec};
use crate::link::{Link, LinkError};

/// How long a sandbox's agent may take to answer after its start; then the start has failed.
const START: Duration = Duration::from_secs(60);
/// How long a link that broke is tried again before the sandbox is given up.
const RELINK: Duration = Duration::from_secs(2);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(20);

/// Where a sandbox stands.
#[derive(Debug, Clone)]
pub enum Phase {
    Asleep,
    Starting,
    Ready(Arc<Link>),
    /// Ended by itself or could not be started; the text says why.
    Gone(String),
    /// The room ended.
    Over,
}

#[derive(Debug)]
pub struct Lifecycle {
    phase: watch::Sender<Phase>,
    /// Held by whoever moves the phase.
    step: tokio::sync::Mutex<Held>,
}

/// What the mover of the phase knows.
#[derive(Debug, Default)]
struct Held {
    record: Option<SandboxRecord>,
    epoch: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("its agent did not answer in {} s", START.as_secs())]
    Silent,
    #[error("its start could not be written down")]
    Ledger(#[source] crate::ledger::LedgerError),
}

impl Lifecycle {
    pub fn new(epoch: u64, record: Option<SandboxRecord>) -> Self {
        Self { phase: watch::Sender::new(Phase::Asleep), step: tokio::sync::Mutex::new(Held { record, epoch }) }
    }

    pub fn state(&self) -> SandboxState {
        match *self.phase.borrow() {
            Phase::Asleep | Phase::Starting => SandboxState::Starting,
            Phase::Ready(_) => SandboxState::Ready,
            Phase::Gone(_) | Phase::Over => SandboxState::Gone,
        }
    }

    /// The link, if the sandbox runs now.
    pub fn link_now(&self) -> Option<Arc<Link>> {
        match &*self.phase.borrow() {
            Phase::Ready(link) => Some(link.clone()),
            _ => None,
        }
    }

    pub fn is_asleep(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Asleep)
    }

    /// Names the life of the sandbox, once there was one.
    pub async fn epoch(&self) -> u64 {
        self.step.lock().await.epoch
    }
}

impl Room {
    /// The link to the sandbox. One that sleeps is woken; one that is gone stays so until [`Room::wake`].
    pub async fn link(self: &Arc<Self>) -> Result<Arc<Link>, Failure> {
        if let Some(link) = self.sandbox.link_now() {
            return Ok(link);
        }
        if let Phase::Gone(why) = &*self.sandbox.phase.borrow() {
            return Err(unavailable(why));
        }
        self.wake().await
    }

    /// The link to the sandbox, which is started if it does not run.
    pub async fn wake(self: &Arc<Self>) -> Result<Arc<Link>, Failure> {
        // In a task of its own: a client that goes away meanwhile must not stop a start half way.
        let room = self.clone();
        let (done, outcome) = tokio::sync::oneshot::channel();
        self.tasks.spawn("sandbox start", async move {
            let _ = done.send(room.start().await);
        });
        outcome.await.unwrap_or_else(|_| Err(unavailable("the server is going down")))
    }

    async fn start(self: &Arc<Self>) -> Result<Arc<Link>, Failure> {
        let mut held = self.sandbox.step.lock().await;
        match &*self.sandbox.phase.borrow() {
            Phase::Ready(link) => return Ok(link.clone()),
            Phase::Over => return Err(unavailable("the room has ended")),
            _ => {}
        }
        self.enter(Phase::Starting);
        match self.start_or_adopt(&mut held).await {
            Ok(link) => {
                self.enter(Phase::Ready(link.clone()));
                self.tasks.spawn("sandbox watch", self.clone().watch_over(link.clone()));
                Ok(link)
            }
            Err(error) => {
                tracing::warn!(room = %self.id, error = %crate::telemetry::chain(&error), "a sandbox could not be started");
                if let Some(record) = held.record.take() {
                    self.end_record(&record).await;
                }
                let why = format!("The sandbox could not be started: {error}.");
                self.enter(Phase::Gone(why.clone()));
                Err(unavailable(&why))
            }
        }
    }

    /// Takes up the sandbox an earlier server left, or ends what is left of it. Starts none.
    pub(super) async fn adopt(self: &Arc<Self>) {
        let mut held = self.sandbox.step.lock().await;
        let Some(record) = held.record.clone() else { return };
        match timeout(START, self.connect(&record)).await {
            Ok(Ok(link)) => {
                tracing::info!(room = %self.id, "adopted a running sandbox");
                self.enter(Phase::Ready(link.clone()));
                self.tasks.spawn("sandbox watch", self.clone().watch_over(link));
            }
            Ok(Err(error)) => {
                tracing::info!(room = %self.id, error = %crate::telemetry::chain(&error), "a sandbox of before is gone");
                self.end_record(&record).await;
                held.record = None;
            }
            Err(_) => {
                self.end_record(&record).await;
                held.record = None;
            }
        }
    }

    /// Connects to the sandbox an earlier server left, if it still answers, and otherwise starts a new one.
    async fn start_or_adopt(self: &Arc<Self>, held: &mut Held) -> Result<Arc<Link>, StartError> {
        if let Some(record) = held.record.clone() {
            match self.connect(&record).await {
                Ok(link) => return Ok(link),
                Err(error) => {
                    tracing::info!(room = %self.id, %error, "the room's earlier sandbox is gone");
                    self.end_record(&record).await;
                    held.record = None;
                }
            }
        }
        let started = Instant::now();
        self.sessions.forget_all(self);
        held.epoch += 1;
        let secret = crate::engine::LinkSecret(self.ledger.link_secret(self.id, held.epoch));
        let spec = SandboxSpec { room: self.id, limits: self.limits.clone(), secret, epoch: held.epoch };
        let record = self.engine.start(&spec).await?;
        held.record = Some(record.clone());
        if !self.is_spare() {
            self.remember(&record).await?;
        }
        let link = timeout(START, async {
            loop {
                match self.connect(&record).await {
                    Err(StartError::Engine(EngineError::Connect(_))) => sleep(RETRY).await,
                    other => return other,
                }
            }
        })
        .await
        .map_err(|_| StartError::Silent)??;
        tracing::debug!(room = %self.id, elapsed = ?started.elapsed(), "a sandbox answered");
        Ok(link)
    }

    async fn connect(self: &Arc<Self>, record: &SandboxRecord) -> Result<Arc<Link>, StartError> {
        let stream = self.engine.connect(record).await?;
        let secret = crate::engine::LinkSecret(self.ledger.link_secret(self.id, record.epoch));
        let (link, sessions) = Link::connect(stream, &secret, Arc::new(Ears(self.clone())), &self.tasks).await?;
        self.sessions.found(self, sessions);
        self.sessions.reattach(&link).await;
        Ok(link)
    }

    /// Writes down what the next server needs to find this sandbox.
    pub(super) async fn remember(&self, record: &SandboxRecord) -> Result<(), StartError> {
        self.ledger.set_sandbox(self.id, Some(&record.to_text()), record.epoch).await.map_err(StartError::Ledger)
    }

    /// Waits until the link is lost, and then either links again or tells everybody that the sandbox is gone.
    /// Boxed, because a link that is made again is watched by another of these.
    fn watch_over(self: Arc<Self>, link: Arc<Link>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.watch_until_lost(link).await })
    }

    async fn watch_until_lost(self: Arc<Self>, link: Arc<Link>) {
        tokio::select! {
            () = link.closed() => {}
            // The sandbox runs on, for the next server.
            () = self.tasks.closing() => return link.close(),
        }
        let mut held = self.sandbox.step.lock().await;
        let current = self.sandbox.link_now();
        if !current.is_some_and(|current| Arc::ptr_eq(&current, &link)) || self.tasks.is_closing() {
            return;
        }
        let Some(record) = held.record.clone() else { return };
        if let Ok(Ok(link)) = timeout(RELINK, self.connect(&record)).await {
            tracing::info!(room = %self.id, "linked again to a sandbox");
            self.enter(Phase::Ready(link.clone()));
            self.tasks.spawn("sandbox watch", self.clone().watch_over(link));
            return;
        }
        let cause = timeout(RELINK, self.engine.ended(&record)).await;
        self.end_record(&record).await;
        held.record = None;
        let why = match cause {
            Ok(Ok(crate::engine::EndCause::OutOfMemory)) => "The sandbox ran out of memory and was ended.",
            _ => "The sandbox has ended.",
        };
        tracing::warn!(room = %self.id, why, "a sandbox is gone");
        self.enter(Phase::Gone(format!("{why} Your files are safe.")));
    }

    /// Ends the sandbox because nobody is here; the next who comes wakes it.
    pub async fn rest(self: &Arc<Self>) {
        self.finish(Phase::Asleep).await;
    }

    /// Ends the sandbox because the room ends.
    pub(super) async fn over(self: &Arc<Self>) {
        self.finish(Phase::Over).await;
    }

    async fn finish(self: &Arc<Self>, phase: Phase) {
        let mut held = self.sandbox.step.lock().await;
        let link = self.sandbox.link_now();
        self.enter(phase);
        if let Some(link) = link {
            link.close();
        }
        if let Some(record) = held.record.take() {
            self.end_record(&record).await;
        }
    }

    async fn end_record(&self, record: &SandboxRecord) {
        if let Err(error) = self.engine.end(record).await {
            tracing::error!(room = %self.id, error = %crate::telemetry::chain(&error), "a sandbox could not be ended");
            return;
        }
        if self.is_spare() {
            return;
        }
        if let Err(error) = self.ledger.set_sandbox(self.id, None, record.epoch).await {
            tracing::error!(room = %self.id, error = %crate::telemetry::chain(&error), "an ended sandbox could not be written down");
        }
    }

    /// What the room's record of a running sandbox is, for the claim of a spare one.
    pub(super) async fn record(&self) -> Option<SandboxRecord> {
        self.sandbox.step.lock().await.record.clone()
    }

    fn enter(&self, phase: Phase) {
        let message = match &phase {
            Phase::Gone(why) => Some(why.clone()),
            _ => None,
        };
        let ended = !matches!(phase, Phase::Ready(_) | Phase::Starting);
        self.sandbox.phase.send_replace(phase);
        if ended {
            self.sessions.all_ended();
        }
        self.tell_sandbox(message);
    }
}

fn unavailable(why: &str) -> Failure {
    Failure::new(ErrorCode::SandboxUnavailable, why)
}
