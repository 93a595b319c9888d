//! All rooms of this server: opened against the ledger, found by join key, kept warm ahead of need, put to sleep when
//! empty and ended with their lifetime.
//!
//! Task tree: `keeper` (sleep and end), `pool` (spare rooms, started before anybody asks), and for every room that had
//! a sandbox when the server started, one `adoption`.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{Init, MAX_KEY};
use embedenv_shared::id::{ROOM_ID_BYTES, Role, RoomId};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, interval, sleep};

use super::{NewRoom, Room, now};
use crate::config::{Config, DEFAULT_SPACE};
use crate::engine::{Engine, EngineError, Limits, SandboxRecord};
use crate::ledger::{
    IdempotencyKey, Ledger, LedgerError, NewRoom as LedgerRoom, NewSandbox, OpenOutcome, PRICE, RoomRow,
};
use crate::link::Link;
use crate::tasks::Tasks;

/// How often rooms are looked at for sleep and end.
const KEEP: Duration = Duration::from_secs(5);
/// After a spare room could not be started, the next try waits this long.
const POOL_RETRY: Duration = Duration::from_secs(10);
/// A sandbox takes its part of a processor until it has settled; the next spare one waits this long.
const POOL_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Registry {
    config: Arc<Config>,
    engine: Arc<dyn Engine>,
    ledger: Ledger,
    tasks: Tasks,
    rooms: Mutex<HashMap<RoomId, Arc<Room>>>,
    spares: Mutex<VecDeque<Arc<Room>>>,
    spare_taken: Notify,
}

/// A room as its host gets it.
#[derive(Debug)]
pub struct Opened {
    pub room: Arc<Room>,
    /// Grants the editor role.
    pub join: String,
    /// Grants the owner role.
    pub owner: String,
    pub remaining_credits: i64,
}

impl Registry {
    /// Finds the rooms of before, ends what no room owns, and starts the tasks.
    pub async fn start(
        config: Arc<Config>,
        engine: Arc<dyn Engine>,
        ledger: Ledger,
        tasks: Tasks,
    ) -> Result<Arc<Self>, RegistryError> {
        let rows = ledger.rooms().await?;
        let keep: Vec<RoomId> = rows.iter().map(|row| row.room).collect();
        let running: Vec<RoomId> = rows.iter().filter(|row| row.sandbox.is_some()).map(|row| row.room).collect();
        engine.sweep(&keep, &running).await?;
        let registry = Arc::new(Self {
            config,
            engine,
            ledger,
            tasks,
            rooms: Mutex::default(),
            spares: Mutex::default(),
            spare_taken: Notify::new(),
        });
        for row in rows {
            registry.restore(row);
        }
        registry.tasks.spawn("keeper", registry.clone().keep());
        registry.tasks.spawn("pool", registry.clone().fill());
        Ok(registry)
    }

    /// The spaces there are, by the name in the address.
    pub fn has_space(&self, space: &str) -> bool {
        self.config.space(space).is_some()
    }

    /// Opens a room for a key pair: one credit, taken before this returns and given back if the sandbox does not start.
    pub async fn open(&self, space: &str, init: &Init) -> Result<Opened, Failure> {
        let space = self.config.space_name(space);
        if init.public_key.len() > MAX_KEY || init.secret_key.len() > MAX_KEY {
            return Err(Failure::new(ErrorCode::BadCredentials, "the key pair is not valid"));
        }
        let payer = self.ledger.authenticate(&init.public_key, &init.secret_key).await.map_err(failed)?;
        let idempotency = match &init.idempotency_key {
            Some(text) if text.is_empty() || text.len() > MAX_KEY => {
                let message = format!("idempotency_key must have 1 to {MAX_KEY} bytes");
                return Err(Failure::new(ErrorCode::BadRequest, message));
            }
            Some(text) => Some(IdempotencyKey { key: text.clone(), fingerprint: format!("space={space}") }),
            None => None,
        };
        if self.rooms.lock().len() >= self.config.rooms.most {
            return Err(Failure::new(ErrorCode::Unavailable, "this server has as many rooms as it may have"));
        }
        let limits = self.config.space(space).ok_or_else(|| Failure::new(ErrorCode::UnknownSpace, "no such space"))?;
        let room = self.spare(space).unwrap_or_else(|| self.new_room(new_id(), space, limits.clone(), None, 0, true));
        let sandbox = room.record().await.map(|record| NewSandbox { record: record.to_text(), epoch: record.epoch });
        // It starts while the credit is taken, unless there is reason to think that none will be.
        let early = sandbox.is_none() && idempotency.is_none() && payer.balance >= PRICE;
        let new = LedgerRoom { payer, room: room.id, space: space.to_owned(), idempotency, sandbox };
        let start = async { if early { Some(room.wake().await) } else { None } };
        let (started, outcome) = tokio::join!(start, self.ledger.open_room(new));
        match outcome {
            Ok(OpenOutcome::New { remaining }) => {
                room.spare.store(false, Ordering::Release);
                self.rooms.lock().insert(room.id, room.clone());
                self.claim(&room, started).await?;
                Ok(self.opened(room, remaining))
            }
            other => {
                self.give_back(room).await;
                match other.map_err(failed)? {
                    OpenOutcome::Again { room, remaining } => {
                        let room = self.find(room).ok_or_else(|| {
                            Failure::new(ErrorCode::Conflict, "the room of this idempotency_key has ended")
                        })?;
                        room.link().await?;
                        Ok(self.opened(room, remaining))
                    }
                    OpenOutcome::Conflict => {
                        Err(Failure::new(ErrorCode::Conflict, "this idempotency_key was used with other parameters"))
                    }
                    OpenOutcome::NoCredits => {
                        Err(Failure::new(ErrorCode::NoCredits, "the key pair has no credits left"))
                    }
                    OpenOutcome::New { .. } => unreachable!("handled above"),
                }
            }
        }
    }

    /// The living room that was used last of those a pair of this name opened, with its owner's key.
    pub async fn latest_of(&self, name: &str) -> Result<Option<(Arc<Room>, String)>, LedgerError> {
        let Some(id) = self.ledger.latest_room_of(name).await? else { return Ok(None) };
        let owner = self.ledger.join_keys().mint(id, crate::ledger::OWNER_KEY, Role::Owner);
        Ok(self.find(id).map(|room| (room, owner)))
    }

    /// The room of a join key, with the role it grants and its number.
    pub async fn join(&self, key: &str) -> Result<(Arc<Room>, Role, u32), Failure> {
        let unknown = || Failure::new(ErrorCode::UnknownJoinKey, "the join key is unknown or has expired");
        if key.len() > MAX_KEY {
            return Err(unknown());
        }
        let claim = self.ledger.check_join_key(key).await.map_err(failed)?;
        let room = self.find(claim.room).ok_or_else(unknown)?;
        Ok((room, claim.role, claim.number))
    }

    /// Another join key of a room.
    pub async fn mint(&self, room: &Room, role: Role) -> Result<String, Failure> {
        self.ledger.mint_join_key(room.id, role).await.map_err(failed)
    }

    /// Revokes a join key of a room and sends away who came with it.
    pub async fn revoke(&self, room: &Room, key: &str, by: Role) -> Result<(), Failure> {
        let claim = self.ledger.check_join_key(key).await.map_err(failed)?;
        if claim.room != room.id {
            return Err(Failure::new(ErrorCode::UnknownJoinKey, "the join key is unknown or has expired"));
        }
        if claim.role > by {
            return Err(Failure::new(ErrorCode::Forbidden, "your role may not revoke a key of that role"));
        }
        self.ledger.revoke_join_key(room.id, claim.number).await.map_err(failed)?;
        room.members.send_away(Some(claim.number), CloseCode::UnknownJoinKey, "the join key was revoked");
        Ok(())
    }

    pub fn find(&self, room: RoomId) -> Option<Arc<Room>> {
        self.rooms.lock().get(&room).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Room>> {
        self.rooms.lock().values().cloned().collect()
    }

    /// Everything acknowledged goes to disk; sandboxes go on running for the next server, but for spare ones.
    pub async fn shut_down(&self) {
        for room in self.all() {
            room.members.send_away(None, CloseCode::GoingDown, "the server is going down");
            room.documents.flush(&room).await;
        }
        let spares = std::mem::take(&mut *self.spares.lock());
        for room in spares {
            room.over().await;
            self.erase(room.id).await;
        }
    }

    /// Ends every sandbox, for a server that won't come back.
    pub async fn end_sandboxes(&self) {
        for room in self.all() {
            room.rest().await;
        }
    }

    fn opened(&self, room: Arc<Room>, remaining_credits: i64) -> Opened {
        let keys = self.ledger.join_keys();
        let join = keys.mint(room.id, crate::ledger::EDITOR_KEY, Role::Editor);
        let owner = keys.mint(room.id, crate::ledger::OWNER_KEY, Role::Owner);
        Opened { room, join, owner, remaining_credits }
    }

    /// Makes sure that a room that was paid for has a sandbox that answers, and that the next server will find it.
    /// `started` is how its start went, if that was before it was paid for.
    async fn claim(&self, room: &Arc<Room>, started: Option<Result<Arc<Link>, Failure>>) -> Result<(), Failure> {
        let ready = match started {
            Some(Ok(_)) => match room.record().await {
                Some(record) => room.remember(&record).await.map_err(|error| error.to_string()),
                None => Err("the sandbox has ended".to_owned()),
            },
            Some(Err(failure)) => Err(failure.message),
            None => room.wake().await.map(|_| ()).map_err(|failure| failure.message),
        };
        let Err(message) = ready else { return Ok(()) };
        self.rooms.lock().remove(&room.id);
        room.over().await;
        if let Err(error) = self.ledger.refund_room(room.id).await {
            tracing::error!(room = %room.id, error = %crate::telemetry::chain(&error), "a credit could not be given back");
        }
        self.erase(room.id).await;
        Err(Failure::new(ErrorCode::SandboxUnavailable, message))
    }

    fn new_room(
        &self,
        id: RoomId,
        space: &str,
        limits: Limits,
        sandbox: Option<SandboxRecord>,
        epoch: u64,
        spare: bool,
    ) -> Arc<Room> {
        Room::new(NewRoom {
            id,
            space: space.to_owned(),
            limits,
            most_members: self.config.rooms.members,
            max_message: self.config.limits.max_message,
            engine: self.engine.clone(),
            ledger: self.ledger.clone(),
            tasks: self.tasks.clone(),
            sandbox,
            epoch,
            spare,
        })
    }

    /// Takes up a room of before. If it had a sandbox, that one is adopted or ended.
    fn restore(self: &Arc<Self>, row: RoomRow) {
        let limits = self.config.space(&row.space).cloned().unwrap_or_default();
        let record = row.sandbox.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let had_sandbox = record.is_some();
        let room = self.new_room(row.room, &row.space, limits, record, row.epoch, false);
        room.last_used.store(row.last_used, Ordering::Relaxed);
        self.rooms.lock().insert(room.id, room.clone());
        if had_sandbox {
            self.tasks.spawn("adoption", async move { room.adopt().await });
        }
    }

    fn spare(&self, space: &str) -> Option<Arc<Room>> {
        let mut spares = self.spares.lock();
        let at = spares.iter().position(|room| room.space == space && room.sandbox.link_now().is_some())?;
        let room = spares.remove(at);
        self.spare_taken.notify_one();
        room
    }

    /// A room that was not used after all serves the next who asks, if there is a place for it.
    async fn give_back(&self, room: Arc<Room>) {
        if room.sandbox.link_now().is_some() {
            let mut spares = self.spares.lock();
            if spares.len() < self.config.rooms.pool {
                return spares.push_front(room);
            }
        }
        room.over().await;
        self.erase(room.id).await;
    }

    /// Keeps as many spare rooms of the default space as the configuration says.
    async fn fill(self: Arc<Self>) {
        let Some(limits) = self.config.space(DEFAULT_SPACE).cloned() else { return };
        loop {
            let dead: VecDeque<_> = {
                let mut spares = self.spares.lock();
                let (alive, dead) = spares.drain(..).partition(|room| room.sandbox.link_now().is_some());
                *spares = alive;
                dead
            };
            for room in dead {
                room.over().await;
                self.erase(room.id).await;
            }
            if self.spares.lock().len() >= self.config.rooms.pool {
                tokio::select! {
                    () = self.spare_taken.notified() => {}
                    () = self.tasks.closing() => return,
                }
                sleep(POOL_PAUSE).await;
                continue;
            }
            let room = self.new_room(new_id(), DEFAULT_SPACE, limits.clone(), None, 0, true);
            match room.wake().await {
                Ok(_) => self.spares.lock().push_back(room),
                Err(failure) => {
                    tracing::warn!(%failure, "a spare sandbox could not be started");
                    self.erase(room.id).await;
                    tokio::select! {
                        () = sleep(POOL_RETRY) => {}
                        () = self.tasks.closing() => return,
                    }
                }
            }
        }
    }

    /// Puts empty rooms to sleep and ends those whose lifetime is over.
    async fn keep(self: Arc<Self>) {
        let mut ticks = interval(KEEP);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.tasks.closing() => return,
            }
            for room in self.all() {
                let unused = Duration::from_millis(u64::try_from(now() - room.last_used()).unwrap_or(0));
                if unused >= self.config.rooms.lifetime {
                    self.end(&room).await;
                } else if unused >= self.config.rooms.sleep_after && !room.sandbox.is_asleep() {
                    let started = Instant::now();
                    room.documents.flush(&room).await;
                    room.rest().await;
                    tracing::debug!(room = %room.id, elapsed = ?started.elapsed(), "an empty room fell asleep");
                }
            }
        }
    }

    /// Ends a room, and its files with it.
    pub async fn end(&self, room: &Arc<Room>) {
        self.rooms.lock().remove(&room.id);
        room.members.send_away(None, CloseCode::RoomEnded, "the room has ended");
        room.over().await;
        if let Err(error) = self.ledger.end_room(room.id).await {
            tracing::error!(room = %room.id, error = %crate::telemetry::chain(&error), "a room's end could not be written down");
            return;
        }
        self.erase(room.id).await;
    }

    async fn erase(&self, room: RoomId) {
        if let Err(error) = self.engine.erase(room).await {
            tracing::error!(%room, error = %crate::telemetry::chain(&error), "a room's files could not be removed");
        }
    }
}

/// Why the rooms could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the rooms could not be read from the ledger")]
    Ledger(#[from] LedgerError),
    #[error("what earlier rooms left could not be cleaned up")]
    Engine(#[from] EngineError),
}

fn new_id() -> RoomId {
    let mut bytes = [0; ROOM_ID_BYTES];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    RoomId(bytes)
}

/// What the ledger says, as the client is told.
fn failed(error: LedgerError) -> Failure {
    match error {
        LedgerError::BadCredentials => Failure::new(ErrorCode::BadCredentials, "the key pair is not valid"),
        LedgerError::UnknownJoinKey => {
            Failure::new(ErrorCode::UnknownJoinKey, "the join key is unknown or has expired")
        }
        other => {
            tracing::error!(error = %crate::telemetry::chain(&other), "the ledger failed");
            Failure::new(ErrorCode::Internal, "the server could not reach its ledger; nothing was charged")
        }
    }
}
