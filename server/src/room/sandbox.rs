//! The life of a room's sandbox: asleep, starting, ready, gone when it ended by itself, and away while its engine does
//! not answer.
//!
//! ```text
//! Asleep ──wake──> Starting ──agent answered──> Ready ──link lost──> Gone ──wake──> Starting
//!    ^                 └──────could not─────────│────────────────────^
//!    │                                          └─engine silent─> Away ──linked again──> Ready
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
use crate::engine::{EndCause, EngineError, LinkStream, SandboxRecord, SandboxSpec, Started};
use crate::link::{Link, LinkError};

/// How long a sandbox may take to start and its agent to answer, or one that runs to let a server in again; then the start
/// has failed, or it is given up.
const START: Duration = Duration::from_secs(60);
/// How long an agent may take to answer when it is linked to again; and how long the
/// engine may take to tell why one has ended.
const RELINK: Duration = Duration::from_secs(2);
/// Between two tries to connect.
const RETRY: Duration = Duration::from_millis(20);
/// How long is watched whether a sandbox that lets nobody in has ended, before it is tried again.
const REFUSED: Duration = Duration::from_millis(500);
/// Between two tries while the engine does not answer.
const AWAY: Duration = Duration::from_secs(1);

/// Where a sandbox stands.
#[derive(Debug, Clone)]
pub enum Phase {
    Asleep,
    Starting,
    Ready(Arc<Link>),
    /// It may run, and its engine does not answer.
    Away,
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

impl StartError {
    /// Whether a sandbox that says so may let a server in a moment later.
    fn may_pass(&self) -> bool {
        // What an engine says in place of an agent is no frame.
        let broke = matches!(self, Self::Link(LinkError::Io(_) | LinkError::Frame(_)));
        broke || matches!(self, Self::Engine(EngineError::Connect(_)))
    }
}

impl Lifecycle {
    pub fn new(epoch: u64, record: Option<SandboxRecord>) -> Self {
        Self { phase: watch::Sender::new(Phase::Asleep), step: tokio::sync::Mutex::new(Held { record, epoch }) }
    }

    pub fn state(&self) -> SandboxState {
        match *self.phase.borrow() {
            Phase::Asleep | Phase::Starting | Phase::Away => SandboxState::Starting,
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

    /// What there is to say of it beyond its state.
    pub fn message(&self) -> Option<String> {
        match &*self.phase.borrow() {
            Phase::Gone(why) => Some(why.clone()),
            Phase::Away => Some(SILENT.to_owned()),
            _ => None,
        }
    }

    fn is_away(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Away)
    }

    pub fn is_asleep(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Asleep)
    }

    /// Whether there is something of it that runs, or may.
    pub fn may_run(&self) -> bool {
        // Whoever holds the lock is starting or ending it.
        self.step.try_lock().map_or(true, |held| held.record.is_some())
    }

    /// What `look` says of the record of the sandbox, if it has one and nobody is moving it.
    pub fn with_record<T>(&self, look: impl FnOnce(&SandboxRecord) -> T) -> Option<T> {
        self.step.try_lock().ok()?.record.as_ref().map(look)
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
        match &*self.sandbox.phase.borrow() {
            Phase::Gone(why) => return Err(unavailable(why)),
            Phase::Away => return Err(unavailable(SILENT)),
            _ => {}
        }
        self.wake().await
    }

    /// The link to the sandbox, which is started if it does not run.
    pub async fn wake(self: &Arc<Self>) -> Result<Arc<Link>, Failure> {
        // In a task of its own: a client that goes away meanwhile must not stop a start half way.
        let room = self.clone();
        let (done, outcome) = tokio::sync::oneshot::channel();
        self.tasks.spawn("sandbox start", async move {
            tokio::select! {
                outcome = room.start() => drop(done.send(outcome)),
                // What a start that was cut short has left is removed by the next server's sweep.
                () = room.tasks.closing() => {}
            }
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
        self.may_start().await?;
        let was_away = self.sandbox.is_away();
        self.enter(Phase::Starting);
        // What a start that was cut short has left is removed by a sweep.
        match timeout(START, self.start_or_adopt(&mut held)).await.map_err(|_| StartError::Silent).flatten() {
            Ok(link) => {
                self.ready(link.clone());
                Ok(link)
            }
            Err(StartError::Engine(EngineError::Unreachable { .. })) if held.record.is_some() => {
                self.away(was_away);
                Err(unavailable(SILENT))
            }
            Err(error) => {
                let told = crate::telemetry::chain(&error).to_string();
                match &error {
                    // An engine tells of these by itself, once and not for every room.
                    StartError::Engine(EngineError::Unreachable { .. } | EngineError::Image { .. }) => {
                        tracing::debug!(room = %self.id, error = %told, "a sandbox could not be started");
                    }
                    _ => tracing::warn!(room = %self.id, error = %told, "a sandbox could not be started"),
                }
                if let Some(record) = held.record.take() {
                    self.end_record(&record).await;
                }
                let why = format!("The sandbox could not be started: {error}.");
                self.enter(Phase::Gone(why.clone()));
                Err(unavailable(&why))
            }
        }
    }

    fn ready(self: &Arc<Self>, link: Arc<Link>) {
        self.enter(Phase::Ready(link.clone()));
        self.tasks.spawn("sandbox watch", self.clone().watch_over(link));
    }

    /// The engine does not answer: the sandbox is linked again when it does. `again` says that somebody is at that.
    fn away(self: &Arc<Self>, again: bool) {
        self.enter(Phase::Away);
        if !again {
            self.tasks.spawn("sandbox return", self.clone().come_back());
        }
    }

    /// Takes up the sandbox an earlier server left, or ends what is left of it. Starts none.
    pub(super) async fn adopt(self: &Arc<Self>) {
        let mut held = self.sandbox.step.lock().await;
        if self.take_up(&mut held).await {
            self.away(false);
        }
    }

    /// Links again to a sandbox once its engine answers.
    async fn come_back(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = sleep(AWAY) => {}
                () = self.tasks.closing() => return,
            }
            let mut held = self.sandbox.step.lock().await;
            if !self.sandbox.is_away() {
                return;
            }
            let was_told = held.record.is_some();
            if self.take_up(&mut held).await {
                continue;
            }
            if was_told && held.record.is_none() {
                self.enter(Phase::Gone("The sandbox has ended. Your files are safe.".to_owned()));
            }
            return;
        }
    }

    /// Links to the sandbox of the record, or ends what is left of it. Returns whether its engine does not answer.
    async fn take_up(self: &Arc<Self>, held: &mut Held) -> bool {
        let Some(record) = held.record.clone() else { return false };
        match timeout(START, self.link_again(&record, START)).await {
            Ok(Ok(link)) => {
                tracing::info!(room = %self.id, "adopted a running sandbox");
                self.ready(link);
                return false;
            }
            Ok(Err(StartError::Engine(EngineError::Unreachable { .. }))) => return true,
            Ok(Err(error)) => {
                tracing::info!(room = %self.id, error = %crate::telemetry::chain(&error), "a sandbox of before is gone");
            }
            Err(_) => {}
        }
        self.end_record(&record).await;
        held.record = None;
        false
    }

    /// Connects to the sandbox an earlier server left, if it still answers, and otherwise starts a new one.
    async fn start_or_adopt(self: &Arc<Self>, held: &mut Held) -> Result<Arc<Link>, StartError> {
        if let Some(record) = held.record.clone() {
            match self.link_again(&record, START).await {
                Ok(link) => return Ok(link),
                Err(error @ StartError::Engine(EngineError::Unreachable { .. })) => return Err(error),
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
        let spec = SandboxSpec { room: self.id, profile: self.profile.clone(), secret, epoch: held.epoch };
        let Started { record, mut stream } = self.engine.start(&spec).await?;
        held.record = Some(record.clone());
        if !self.is_spare() {
            self.remember(&record).await?;
        }
        let link = loop {
            match self.connect(&record, stream.take()).await {
                Err(StartError::Engine(EngineError::Connect(_))) => sleep(RETRY).await,
                other => break other?,
            }
        };
        tracing::debug!(room = %self.id, elapsed = ?started.elapsed(), "a sandbox answered");
        Ok(link)
    }

    /// Links to a sandbox, over a stream there is or a new one.
    async fn connect(
        self: &Arc<Self>,
        record: &SandboxRecord,
        stream: Option<LinkStream>,
    ) -> Result<Arc<Link>, StartError> {
        let stream = match stream {
            Some(stream) => stream,
            None => self.engine.connect(record).await?,
        };
        let secret = crate::engine::LinkSecret(self.ledger.link_secret(self.id, record.epoch));
        let link = Link::connect(stream, &secret, Arc::new(Ears(self.clone())), &self.tasks).await?;
        self.sessions.reattach(&link).await;
        self.spawn("document watch", self.clone().watch_files(link.clone()));
        Ok(link)
    }

    /// Writes down what the next server needs to find this sandbox.
    pub(super) async fn remember(&self, record: &SandboxRecord) -> Result<(), StartError> {
        self.ledger.set_sandbox(self.id, Some(&record.to_text()), record.epoch).await.map_err(StartError::Ledger)
    }

    /// Boxed, because looking at a file may link again.
    fn watch_files(self: Arc<Self>, link: Arc<Link>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.documents.watch_again(&self, &link).await })
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
        match timeout(START, self.link_again(&record, RELINK)).await.map_err(|_| StartError::Silent).flatten() {
            Ok(link) => {
                tracing::info!(room = %self.id, "linked again to a sandbox");
                return self.ready(link);
            }
            Err(StartError::Engine(EngineError::Unreachable { .. })) => return self.away(false),
            Err(error) => tracing::debug!(room = %self.id, %error, "a sandbox does not answer any more"),
        }
        let cause = timeout(RELINK, self.engine.ended(&record)).await;
        self.end_record(&record).await;
        held.record = None;
        let why = match cause {
            Ok(Ok(EndCause::OutOfMemory)) => "The sandbox ran out of memory and was ended.",
            _ => "The sandbox has ended.",
        };
        tracing::warn!(room = %self.id, why, "a sandbox is gone");
        self.enter(Phase::Gone(format!("{why} Your files are safe.")));
    }

    /// Links to a sandbox of before for as long as it runs and lets nobody in: one whose programs have as many processes as
    /// it may have can't start what carries a link. Its agent may take `answer` each time. Whoever calls it bounds it.
    async fn link_again(self: &Arc<Self>, record: &SandboxRecord, answer: Duration) -> Result<Arc<Link>, StartError> {
        loop {
            let error = match self.relink(record, answer).await {
                Err(error) if error.may_pass() => error,
                other => return other,
            };
            if self.tasks.is_closing() {
                return Err(error);
            }
            match timeout(REFUSED, self.engine.ended(record)).await {
                Err(_) => tracing::debug!(room = %self.id, %error, "a sandbox that runs lets nobody in; trying on"),
                Ok(Ok(_)) => return Err(error),
                Ok(Err(error)) => return Err(error.into()),
            }
        }
    }

    async fn relink(self: &Arc<Self>, record: &SandboxRecord, answer: Duration) -> Result<Arc<Link>, StartError> {
        // The engine bounds its own part.
        let stream = self.engine.connect(record).await?;
        timeout(answer, self.connect(record, Some(stream))).await.map_err(|_| StartError::Silent)?
    }

    /// Ends the sandbox because nobody is here; the next who comes wakes it.
    pub async fn rest(self: &Arc<Self>) {
        self.finish(Phase::Asleep).await;
    }

    /// Ends the sandbox, and says why; it starts again when somebody asks for it.
    pub(super) async fn stop(self: &Arc<Self>, why: &str) {
        self.finish(Phase::Gone(why.to_owned())).await;
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
        let ended = !matches!(phase, Phase::Ready(_) | Phase::Starting | Phase::Away);
        self.sandbox.phase.send_replace(phase);
        if ended {
            self.sessions.all_ended();
        }
        self.tell_sandbox(self.sandbox.message());
    }
}

/// What people are told while the engine does not answer.
const SILENT: &str = "The sandbox engine does not answer. Your programs may be running on; trying again.";

fn unavailable(why: &str) -> Failure {
    Failure::new(ErrorCode::SandboxUnavailable, why)
}
