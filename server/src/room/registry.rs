//! All rooms of this server: opened against the ledger, found by join key, kept warm ahead of need, put to sleep when
//! empty and ended with their lifetime.
//!
//! Task tree: `keeper` (sleep and end), `sweeper` (what no room owns), `engine` (what the engine looks after), for every
//! space one `pool` (spare rooms, started before anybody asks), and for every room that had a sandbox when the server
//! started, one `adoption`.

mod ending;
mod join_keys;
mod keeper;
mod pairs;
mod stay;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{Init, MAX_KEY};
use embedenv_shared::id::{ROOM_ID_BYTES, Role, RoomId};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::documents::Stores;
use super::members::Member;
use super::pool::Pool;
use super::{NewRoom, Room};
use crate::config::{Config, DEFAULT_SPACE};
use crate::egress::Egress;
use crate::engine::{Engine, EngineError, Notice, Profile, SandboxRecord};
use crate::journal::Syncer;
use crate::ledger::{
    DocumentPass, IdempotencyKey, Ledger, LedgerError, NewRoom as LedgerRoom, NewSandbox, OpenOutcome, PRICE, Payer,
    RoomRow, Visit, Widget, failed, now,
};
use crate::link::Link;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
pub use ending::Sandboxes;
pub use ending::SpaceStanding;
pub use join_keys::KeyWanted;
pub use stay::{MAX_METADATA, Stay};

/// How often a pool is looked at when nothing was taken from it: for spares that died, are out of date or too many.
const POOL_LOOK: Duration = Duration::from_secs(5);
/// After a spare room could not be started, the next try waits this long; each further one twice as long, up to the most.
const POOL_RETRY: Duration = Duration::from_secs(5);
const POOL_RETRY_MOST: Duration = Duration::from_secs(40);
/// A sandbox takes its part of a processor until it has settled; the next spare one waits this long.
const POOL_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Registry {
    /// When it was, in milliseconds since 1970.
    pub started: i64,
    config: Arc<Config>,
    engine: Arc<dyn Engine>,
    ledger: Ledger,
    metrics: Metrics,
    tasks: Tasks,
    rooms: Mutex<Rooms>,
    /// Every room that was made here and is still in somebody's hands, opened or not: the sweeper spares what is theirs.
    made: Mutex<HashMap<RoomId, Weak<Room>>>,
    pool: Pool,
    stores: Stores,
}

#[derive(Debug, Default)]
struct Rooms {
    living: HashMap<RoomId, Arc<Room>>,
    /// Places that are taken for rooms which are being opened.
    opening: usize,
}

/// A place for a room that is being opened, so that there are never more rooms than there may be.
struct Place<'a>(&'a Registry);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.rooms.lock().opening -= 1;
    }
}

/// What is known of a room that an earlier server had.
#[derive(Default)]
struct Before {
    sandbox: Option<SandboxRecord>,
    epoch: u64,
    minutes: u64,
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
        metrics: Metrics,
        tasks: Tasks,
    ) -> Result<Arc<Self>, RegistryError> {
        let rows = ledger.rooms().await?;
        let pool = Pool::new(config.spaces.iter());
        let stores = Stores::new(&config.data_dir, Syncer::start(&tasks));
        if let Err(error) = stores.clear_unfinished() {
            tracing::warn!(%error, "what an earlier server left unfinished could not be removed");
        }
        let (rooms, made) = (Mutex::default(), Mutex::default());
        let registry =
            Arc::new(Self { started: now(), config, engine, ledger, metrics, tasks, rooms, made, pool, stores });
        for row in rows {
            registry.restore(row);
        }
        registry.sweep_documents();
        // What can't be removed now keeps nobody from his room: the sweeper goes on trying.
        if let Err(error) = registry.sweep().await {
            tracing::warn!(error = %crate::telemetry::chain(&error), "what earlier rooms left could not be removed");
        }
        registry.tasks.spawn("engine", registry.clone().run_engine());
        registry.tasks.spawn("keeper", registry.clone().keep());
        registry.tasks.spawn("sweeper", registry.clone().keep_sweeping());
        for space in registry.config.spaces.keys() {
            registry.tasks.spawn("pool", registry.clone().fill(space.clone()));
        }
        Ok(registry)
    }

    /// What runs the sandboxes, by name.
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// The spaces there are, by the name in the address.
    pub fn has_space(&self, space: &str) -> bool {
        self.config.space(space).is_some()
    }

    /// Opens a room for a key pair: one credit, taken before this returns and given back if the sandbox does not start.
    /// `origin` is that of the page which asks, if it is one.
    pub async fn open(&self, space: &str, init: &Init, origin: Option<&str>) -> Result<Opened, Failure> {
        let payer = self.pair(&init.public_key, &init.secret_key).await?;
        if !payer.scope.allows_socket(origin) {
            let message = "this key pair is not for this: its owner has narrowed where it may be used from";
            return Err(Failure::new(ErrorCode::Forbidden, message));
        }
        self.open_for_pair(payer, space, init.idempotency_key.as_deref(), Stay::default()).await
    }

    /// Opens a room for a pair that proved itself.
    pub async fn open_for_pair(
        &self,
        payer: Payer,
        space: &str,
        idempotency_key: Option<&str>,
        stay: Stay,
    ) -> Result<Opened, Failure> {
        let space = self.config.space_name(space);
        let idempotency = match idempotency_key {
            Some(text) if text.is_empty() || text.len() > MAX_KEY => {
                let message = format!("idempotency_key must have 1 to {MAX_KEY} bytes");
                return Err(Failure::new(ErrorCode::BadRequest, message));
            }
            Some(text) => Some(IdempotencyKey {
                key: text.to_owned(),
                fingerprint: format!("space={space}{}", stay.fingerprint()),
            }),
            None => None,
        };
        self.open_for(payer, space, idempotency, None, &stay).await
    }

    /// Opens a room for a visitor of a page that may show a widget: on its owner's credit, within what it may open.
    /// `visitor` is what visitors from one place have in common.
    pub async fn open_by_widget(&self, widget: Widget, visitor: String) -> Result<Opened, Failure> {
        let Widget { id, public_key, space, project, quota, .. } = widget;
        let payer = self.ledger.payer(&public_key).await.map_err(failed)?;
        let opened =
            self.open_for(payer, &space, None, Some(Visit { widget: id, quota, visitor }), &Stay::default()).await?;
        if let Some((name, plan)) = project
            && let Err(failure) = opened.room.plant(name, plan).await
        {
            self.take_back(&opened.room).await;
            return Err(failure);
        }
        Ok(opened)
    }

    async fn open_for(
        &self,
        payer: Payer,
        space: &str,
        idempotency: Option<IdempotencyKey>,
        visit: Option<Visit>,
        stay: &Stay,
    ) -> Result<Opened, Failure> {
        let asked = Instant::now();
        let opened = self.open_or_find(payer, space, idempotency, visit, stay).await;
        self.metrics.opened(opened.as_ref().ok().map(|_| asked.elapsed()));
        opened
    }

    async fn open_or_find(
        &self,
        payer: Payer,
        space: &str,
        idempotency: Option<IdempotencyKey>,
        visit: Option<Visit>,
        stay: &Stay,
    ) -> Result<Opened, Failure> {
        let stay::Checked { ends_at, metadata } = stay.checked(self.config.rooms.lifetime)?;
        let profile = self.profile(space).ok_or_else(|| Failure::new(ErrorCode::UnknownSpace, "no such space"))?;
        if !payer.scope.allows_space(space) {
            return Err(Failure::new(ErrorCode::Forbidden, "this key pair opens no rooms of this space"));
        }
        let place = self.place()?;
        let spare = self.pool.shelf(space).and_then(|shelf| shelf.take());
        let room = spare.unwrap_or_else(|| self.new_room(new_id(), space, profile, None));
        let sandbox = room.record().await.map(|record| NewSandbox { record: record.to_text(), epoch: record.epoch });
        // It starts while the credit is taken, unless there is reason to think that none will be.
        let early = sandbox.is_none()
            && idempotency.is_none()
            && payer.balance >= PRICE
            && self.ledger.maintenance().await.map_err(failed)?.is_none();
        let (id, space) = (room.id, space.to_owned());
        let new = LedgerRoom { payer, room: id, space, idempotency, sandbox, visit, ends_at, metadata };
        let start = async { if early { Some(room.wake().await) } else { None } };
        let (started, outcome) = tokio::join!(start, self.ledger.open_room(new));
        match outcome {
            Ok(OpenOutcome::New { remaining }) => {
                room.spare.store(false, Ordering::Release);
                room.ends_at.store(ends_at.unwrap_or(i64::MAX), Ordering::Relaxed);
                self.rooms.lock().living.insert(room.id, room.clone());
                drop(place);
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
                    OpenOutcome::OverBudget => {
                        let message = "the key pair has taken as many credits as its owner lets it";
                        Err(Failure::new(ErrorCode::NoCredits, message))
                    }
                    OpenOutcome::OverMinutes => {
                        let message = "rooms of this key pair have run for as many minutes as its owner lets them";
                        Err(Failure::new(ErrorCode::NoCredits, message))
                    }
                    OpenOutcome::Maintenance(message) => Err(Failure::new(ErrorCode::Unavailable, message)),
                    OpenOutcome::TooManyRooms => {
                        let message = "as many rooms of this key pair live as its owner lets it";
                        Err(Failure::new(ErrorCode::LimitReached, message))
                    }
                    OpenOutcome::OverQuota => {
                        let message = "this page has opened as many workspaces in this hour as it may; try again later";
                        Err(Failure::new(ErrorCode::QuotaExceeded, message))
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

    /// What an editor of any make opens a document with, as a member, and when that expires.
    pub fn mint_document_token(
        &self,
        room: &Room,
        member: &Member,
        project: &ProjectName,
        path: &WorkspacePath,
    ) -> (String, i64) {
        let pass = DocumentPass {
            room: room.id,
            key: member.key,
            role: member.role,
            user: member.user.clone(),
            color: member.color.clone(),
        };
        self.ledger.mint_document_token(pass, project, path)
    }

    /// The room of a document token, and what it grants.
    pub async fn enter_document(
        &self,
        token: &str,
        project: &ProjectName,
        path: &WorkspacePath,
    ) -> Result<(Arc<Room>, DocumentPass), Failure> {
        let pass = self.ledger.check_document_token(token, project, path).await.map_err(failed)?;
        let room = self.find(pass.room).ok_or_else(|| failed(LedgerError::UnknownDocumentToken))?;
        Ok((room, pass))
    }

    pub fn find(&self, room: RoomId) -> Option<Arc<Room>> {
        self.rooms.lock().living.get(&room).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Room>> {
        self.rooms.lock().living.values().cloned().collect()
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
        self.take_back(room).await;
        Err(Failure::new(ErrorCode::SandboxUnavailable, message))
    }

    /// Ends a room that nobody got, and gives its credit back.
    async fn take_back(&self, room: &Arc<Room>) {
        self.rooms.lock().living.remove(&room.id);
        room.over().await;
        if let Err(error) = self.ledger.refund_room(room.id).await {
            tracing::error!(room = %room.id, error = %crate::telemetry::chain(&error), "a credit could not be given back");
        }
        self.erase(room.id).await;
    }

    /// A room that was here before, or one that is made ahead.
    fn new_room(&self, id: RoomId, space: &str, profile: Arc<Profile>, before: Option<Before>) -> Arc<Room> {
        let spare = before.is_none();
        let Before { sandbox, epoch, minutes } = before.unwrap_or_default();
        let room = Room::new(NewRoom {
            id,
            space: space.to_owned(),
            profile,
            egress: self.egress(space),
            most_members: self.config.rooms.members,
            max_message: self.config.limits.max_message,
            engine: self.engine.clone(),
            ledger: self.ledger.clone(),
            tasks: self.tasks.clone(),
            documents: self.stores.of(id),
            sandbox,
            epoch,
            spare,
            minute_price: self.config.space(space).map_or(0, |space| space.minute_price),
            minutes,
        });
        self.made.lock().insert(id, Arc::downgrade(&room));
        room
    }

    /// What the sandboxes of a space are made of.
    fn profile(&self, space: &str) -> Option<Arc<Profile>> {
        self.config.space(space).map(|space| Arc::new(space.profile.clone()))
    }

    /// What the sandboxes of rooms are made of whose space is configured no more. What that let them reach is not known.
    fn stand_in(&self) -> Arc<Profile> {
        let profile = self.config.space(DEFAULT_SPACE).map(|space| space.profile.clone()).unwrap_or_default();
        Arc::new(Profile { proxy: None, ..profile })
    }

    /// What one room of a space may reach.
    fn egress(&self, space: &str) -> Option<Arc<Egress>> {
        let allowed = &self.config.space(space)?.egress;
        let some = !allowed.hosts.is_empty();
        some.then(|| Arc::new(Egress::new(allowed.hosts.clone(), allowed.bytes, self.tasks.clone())))
    }

    /// Takes a place for one more room.
    fn place(&self) -> Result<Place<'_>, Failure> {
        let mut rooms = self.rooms.lock();
        if rooms.living.len() + rooms.opening >= self.config.rooms.most {
            return Err(Failure::new(ErrorCode::Unavailable, "this server has as many rooms as it may have"));
        }
        rooms.opening += 1;
        Ok(Place(self))
    }

    /// Takes up a room of before. If it had a sandbox, that one is adopted or ended.
    fn restore(self: &Arc<Self>, row: RoomRow) {
        let profile = self.profile(&row.space).unwrap_or_else(|| {
            tracing::warn!(room = %row.room, space = row.space, "a room's space is configured no more: it goes on as one of `default`, without traffic out");
            self.stand_in()
        });
        let record = row.sandbox.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let had_sandbox = record.is_some();
        let of = Before { sandbox: record, epoch: row.epoch, minutes: row.minutes };
        let room = self.new_room(row.room, &row.space, profile, Some(of));
        room.last_used.store(row.last_used, Ordering::Relaxed);
        room.ends_at.store(row.ends_at.unwrap_or(i64::MAX), Ordering::Relaxed);
        self.rooms.lock().living.insert(room.id, room.clone());
        if had_sandbox {
            self.tasks.spawn("adoption", async move { room.adopt().await });
        }
    }

    /// A room that was not used after all serves the next who asks, if there is a place for it.
    async fn give_back(&self, room: Arc<Room>) {
        let ready = room.sandbox.link_now().is_some();
        let kept = ready && self.pool.shelf(&room.space).is_some_and(|shelf| shelf.put_back(&room));
        if !kept {
            self.discard(room).await;
        }
    }

    /// A room of a space that is nobody's, to ask its sandbox something. Whoever gets it discards it.
    pub async fn borrow_spare(&self, space: &str) -> Result<Arc<Room>, Failure> {
        let profile = self.profile(space).ok_or_else(|| Failure::new(ErrorCode::UnknownSpace, "no such space"))?;
        let room = self.new_room(new_id(), space, profile, None);
        match room.wake().await {
            Ok(_) => Ok(room),
            Err(failure) => {
                self.discard(room).await;
                Err(failure)
            }
        }
    }

    /// Ends a room that nobody has opened.
    pub async fn discard(&self, room: Arc<Room>) {
        room.over().await;
        self.erase(room.id).await;
    }

    /// Keeps spare rooms of a space.
    async fn fill(self: Arc<Self>, space: String) {
        let (Some(shelf), Some(profile)) = (self.pool.shelf(&space), self.profile(&space)) else { return };
        let mut retry = POOL_RETRY;
        loop {
            let mut pause = POOL_LOOK;
            for room in shelf.retire(|room| !room.is_fit(&profile)) {
                self.discard(room).await;
            }
            if shelf.lacks() {
                let room = self.new_room(new_id(), &space, profile.clone(), None);
                match room.wake().await {
                    Ok(_) => {
                        shelf.add(room);
                        (pause, retry) = (POOL_PAUSE, POOL_RETRY);
                    }
                    Err(failure) => {
                        // Told once: it is the same each time, or what the engine tells of by itself.
                        if retry == POOL_RETRY {
                            tracing::warn!(space, %failure, "a spare sandbox could not be started; trying on");
                        }
                        self.discard(room).await;
                        pause = retry;
                        retry = (retry * 2).min(POOL_RETRY_MOST);
                    }
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = shelf.taken.notified(), if pause == POOL_LOOK => sleep(POOL_PAUSE).await,
                () = self.tasks.closing() => return,
            }
        }
    }

    /// Lets the engine look after what is its own, and tells rooms what it notices.
    async fn run_engine(self: Arc<Self>) {
        let tell = |notice| match notice {
            Notice::OutOfMemory(room) => {
                if let Some(room) = self.find(room) {
                    room.tell_out_of_memory();
                }
            }
        };
        tokio::select! {
            () = self.engine.run(&tell) => {}
            () = self.tasks.closing() => {}
        }
    }

    /// Ends a room, and its files with it.
    pub async fn end(&self, room: &Arc<Room>) {
        self.rooms.lock().living.remove(&room.id);
        room.members.cut_off(None, CloseCode::RoomEnded, "the room has ended");
        room.over().await;
        room.log_egress();
        if let Err(error) = self.ledger.end_room(room.id).await {
            tracing::error!(room = %room.id, error = %crate::telemetry::chain(&error), "a room's end could not be written down");
            return;
        }
        self.erase(room.id).await;
    }

    /// Removes documents of rooms that there are no more.
    fn sweep_documents(&self) {
        let left = self.stores.rooms().and_then(|rooms| {
            let gone = rooms.into_iter().filter(|room| self.find(*room).is_none());
            gone.map(|room| self.stores.erase(room)).collect::<Result<Vec<()>, _>>()
        });
        if let Err(error) = left {
            tracing::error!(%error, "documents that no room owns could not be removed");
        }
    }

    async fn erase(&self, room: RoomId) {
        if let Err(error) = self.stores.erase(room) {
            tracing::error!(%room, %error, "a room's documents could not be removed");
        }
        match self.engine.erase(room).await {
            // The sweeper removes it when the engine is back.
            Ok(()) | Err(EngineError::Unreachable { .. }) => {}
            Err(error) => {
                tracing::error!(%room, error = %crate::telemetry::chain(&error), "a room's files could not be removed")
            }
        }
    }
}

/// Why the rooms could not be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the rooms could not be read from the ledger")]
    Ledger(#[from] LedgerError),
}

fn new_id() -> RoomId {
    let mut bytes = [0; ROOM_ID_BYTES];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    RoomId(bytes)
}
