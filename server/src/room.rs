//! A room: one workspace, its sandbox, and the people in it, independent of how they are connected.
//!
//! Owns what is shared by everybody in it; knows no axum and no engine beyond the trait. Locks last a few lines and
//! never cross an await, but for the few `tokio::sync::Mutex`es that put steps in order and say so.
//!
//! ```text
//! socket ──frame──> policy ──> Room ──call──> Link ──> agent
//! socket <──pull──  Session log <──output── Link reader
//! ```

mod attendance;
pub mod commands;
pub mod curl;
pub mod document;
pub mod documents;
pub mod downloads;
mod elsewhere;
pub mod events;
pub mod files;
pub mod identities;
pub mod lease;
pub mod members;
mod meter;
pub mod outbox;
pub mod ownership;
pub mod plain;
pub mod pool;
pub mod previews;
pub mod processes;
pub mod reading;
pub mod registry;
pub mod requests;
pub mod sandbox;
pub mod screen;
pub mod searches;
pub mod session;
pub mod sessions;
pub mod shells;
mod text;
pub mod uploads;
pub mod watches;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::frame::{JoinedFull, Listener, SandboxState, ServerFrame};
use embedenv_shared::id::{RoomId, SessionId};
use embedenv_shared::link::Event;
use embedenv_shared::link::files::{ProjectList, Projects};
use embedenv_shared::link::sessions::SessionState;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::egress::{Egress, Usage};
use crate::engine::{Engine, Profile, SandboxRecord};
use crate::ledger::{Ledger, now};
use crate::link::stream::AgentStream;
use crate::link::{LinkError, LinkListener};
use crate::tasks::Tasks;
use attendance::Attendance;
use commands::Commands;
use documents::{Documents, Store};
use downloads::Downloads;
use events::Events;
use identities::Identities;
use members::{Arrival, Member, Members, Seat, Welcome};
use meter::Meter;
use previews::Previews;
use requests::Requests;
use sandbox::Lifecycle;
use searches::Searches;
use sessions::Sessions;
use shells::Shells;
use watches::Watches;

/// What changes of the people within this time is told at once: everybody is told of everybody.
const PEOPLE_TOGETHER: Duration = Duration::from_millis(100);

/// What a room is made from.
#[derive(Debug)]
pub struct NewRoom {
    pub id: RoomId,
    pub space: String,
    pub profile: Arc<Profile>,
    /// What its programs may reach, if anything.
    pub egress: Option<Arc<Egress>>,
    pub most_members: usize,
    pub max_message: usize,
    pub engine: Arc<dyn Engine>,
    pub ledger: Ledger,
    pub tasks: Tasks,
    /// Where its journals are kept.
    pub documents: Store,
    /// A sandbox of this room that an earlier server started.
    pub sandbox: Option<SandboxRecord>,
    pub epoch: u64,
    /// Made ahead for whoever comes next; not in the ledger yet.
    pub spare: bool,
    /// What a minute of its sandbox costs, in thousandths of a credit, and how many were paid for.
    pub minute_price: u32,
    pub minutes: u64,
}

#[derive(Debug)]
pub struct Room {
    pub id: RoomId,
    pub space: String,
    profile: Arc<Profile>,
    egress: Option<Arc<Egress>>,
    most_members: usize,
    max_message: usize,
    engine: Arc<dyn Engine>,
    ledger: Ledger,
    tasks: Tasks,
    spare: AtomicBool,
    /// Milliseconds since 1970 when somebody was last here.
    last_used: AtomicI64,
    /// Milliseconds since 1970 when it ends whatever happens in it; the highest number of those that end for want of use.
    ends_at: AtomicI64,
    pub members: Members,
    pub sandbox: Lifecycle,
    meter: Meter,
    attendance: Attendance,
    pub sessions: Sessions,
    pub shells: Shells,
    commands: Commands,
    pub documents: Documents,
    pub events: Events,
    pub watches: Watches,
    pub identities: Identities,
    pub previews: Previews,
    downloads: Downloads,
    requests: Requests,
    searches: Searches,
    listeners: watch::Sender<Vec<Listener>>,
    /// Everybody is about to be told who is here.
    people_due: AtomicBool,
}

impl Room {
    pub fn new(new: NewRoom) -> Arc<Self> {
        Arc::new(Self {
            id: new.id,
            space: new.space,
            profile: new.profile,
            egress: new.egress,
            most_members: new.most_members,
            max_message: new.max_message,
            engine: new.engine,
            ledger: new.ledger,
            tasks: new.tasks,
            spare: AtomicBool::new(new.spare),
            last_used: AtomicI64::new(now()),
            ends_at: AtomicI64::new(i64::MAX),
            members: Members::default(),
            sandbox: Lifecycle::new(new.epoch, new.sandbox),
            meter: Meter::new(new.minute_price, new.minutes),
            attendance: Attendance::default(),
            sessions: Sessions::new(new.documents.terminals(), new.documents.syncer.clone()),
            shells: Shells::default(),
            commands: Commands::default(),
            identities: Identities::new(new.documents.people(), new.documents.syncer.clone()),
            previews: Previews::new(new.documents.previews(), new.documents.syncer.clone()),
            events: Events::new(new.documents.events(), new.documents.syncer.clone()),
            documents: Documents::new(new.documents),
            watches: Watches::default(),
            downloads: Downloads::default(),
            requests: Requests::default(),
            searches: Searches::default(),
            listeners: watch::Sender::default(),
            people_due: AtomicBool::new(false),
        })
    }

    /// Gives an arrival a seat. A plain client follows the commands that run now, from here on.
    pub fn join(self: &Arc<Self>, arrival: Arrival) -> Result<(Seat, Welcome), Failure> {
        self.identities.load();
        let (seat, welcome) = self.members.seat(self, arrival, self.most_members)?;
        self.last_used.store(now(), Ordering::Relaxed);
        if seat.member.is_plain() {
            for session in self.shells.all() {
                self.follow(&seat.member, &session);
            }
        }
        self.tell_people();
        Ok((seat, welcome))
    }

    /// What a full client is told of the room when it joins. Wakes the sandbox.
    pub async fn welcome(self: &Arc<Self>, member: &Member, welcome: Welcome) -> JoinedFull {
        let projects = match self.link().await {
            Ok(link) => link.call(Projects).await.map(|ProjectList { projects }| projects).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let sandbox_epoch = self.sandbox.epoch().await;
        if let Some(message) = self.sandbox.message() {
            let frame = ServerFrame::Sandbox { state: self.sandbox.state(), message: Some(message) };
            // Sent behind `joined`, which is not on its way yet.
            member.outbox.put(outbox::Message::Text(frame.to_text()));
        }
        let listeners = self.listeners.borrow().clone();
        JoinedFull {
            protocol: embedenv_shared::PROTOCOL,
            room: self.id,
            member: member.who,
            projects,
            terminals: self.sessions.all().iter().map(|session| session.describe()).collect(),
            ports: listeners.iter().map(|listener| listener.port).collect(),
            listeners,
            people: self.members.people(),
            sandbox: self.sandbox.state(),
            sandbox_epoch,
            max_message: self.max_message as u64,
            resume: welcome.resume,
            resumed: welcome.resumed,
            executed: member.executed.load(Ordering::Acquire),
            uncertain: welcome.uncertain,
        }
    }

    /// Everything a member held is given back when its seat is dropped.
    fn left(self: &Arc<Self>, member: &Member) {
        self.members.remove(member.id);
        self.last_used.store(now(), Ordering::Relaxed);
        self.watches.left(member.id);
        let read = member.leave();
        self.leave_terminals(member);
        self.tell_people();
        let room = self.clone();
        self.tasks.spawn("departure", async move {
            for session in read {
                room.settle(&session).await;
            }
            room.touch().await;
        });
    }

    /// Tells everybody who is here and where, soon: what changes meanwhile goes along.
    pub fn tell_people(self: &Arc<Self>) {
        if self.people_due.swap(true, Ordering::AcqRel) {
            return;
        }
        let room = self.clone();
        self.spawn("people", async move {
            sleep(PEOPLE_TOGETHER).await;
            room.people_due.store(false, Ordering::Release);
            room.members.tell(&ServerFrame::People { people: room.members.people() });
        });
    }

    /// The frame that says which ports can be seen by others.
    pub fn who_sees_ports(&self, id: Option<FrameId>) -> ServerFrame {
        let (links, open) = self.previews.list();
        ServerFrame::Previews { id, links, open }
    }

    /// Tells everybody which ports can be seen by others.
    pub fn tell_previews(&self) {
        self.members.tell(&self.who_sees_ports(None));
    }

    /// Returns when something listens on a port.
    pub async fn listens(&self, port: u16) {
        let mut listeners = self.listeners.subscribe();
        // It can't be closed: the room holds the other end.
        let _ = listeners.wait_for(|all| all.iter().any(|listener| listener.port == port)).await;
    }

    fn tell_sandbox(&self, message: Option<String>) {
        let state = self.sandbox.state();
        self.members.tell(&ServerFrame::Sandbox { state, message: message.clone() });
        if state == SandboxState::Gone {
            let message = message.unwrap_or_else(|| "The room has ended.".to_owned());
            let error = ServerFrame::Error { code: ErrorCode::SandboxUnavailable, message, id: None }.to_text();
            for member in self.members.all().into_iter().filter(|member| member.is_plain()) {
                member.outbox.put(outbox::Message::Text(error.clone()));
            }
        }
    }

    /// Tells everybody that the kernel has killed something for want of memory.
    pub fn tell_out_of_memory(&self) {
        tracing::info!(room = %self.id, "a program was ended for want of memory");
        self.members.tell_all(&ServerFrame::Error {
            code: ErrorCode::QuotaExceeded,
            message: format!(
                "The sandbox ran out of memory ({} MiB), and a program in it was ended.",
                self.profile.limits.memory / (1024 * 1024)
            ),
            id: None,
        });
    }

    /// Milliseconds since 1970 when somebody was last here; now, while somebody is.
    pub fn last_used(&self) -> i64 {
        let is_used = self.members.count() > 0 || self.commands.are_under_way();
        if is_used { now() } else { self.last_used.load(Ordering::Relaxed) }
    }

    /// Somebody uses it who has no seat.
    pub fn used(&self) {
        self.last_used.store(now(), Ordering::Relaxed);
    }

    async fn touch(&self) {
        if let Err(error) = self.ledger.touch_room(self.id, self.last_used()).await {
            tracing::warn!(room = %self.id, error = %crate::telemetry::chain(&error), "a room's use could not be written down");
        }
    }

    /// Writes down what the room has used of the traffic out, if it may have any: at its sleep and its end.
    fn log_egress(&self) {
        if let Some(egress) = &self.egress {
            let Usage { bytes, connections, refused } = egress.used();
            tracing::info!(room = %self.id, space = self.space, bytes, connections, refused, "traffic out so far");
        }
    }

    /// Runs something of the room's that nobody waits for.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(name, future);
    }

    fn is_closing(&self) -> bool {
        self.tasks.is_closing()
    }

    fn is_spare(&self) -> bool {
        self.spare.load(Ordering::Acquire)
    }

    /// Whether a spare one is ready to be opened and as one that would be made now.
    fn is_fit(&self, profile: &Profile) -> bool {
        self.sandbox.link_now().is_some()
            && self.sandbox.with_record(|record| self.engine.is_current(profile, record)).unwrap_or(true)
    }
}

/// What a room hears from its sandbox's link.
#[derive(Debug)]
struct Ears(Arc<Room>);

impl LinkListener for Ears {
    fn greeted(&self, sessions: Vec<SessionState>) {
        self.0.found(sessions);
    }

    fn output(&self, session: SessionId, offset: u64, bytes: &[u8]) {
        if let Ok(session) = self.0.sessions.get(session) {
            session.append(offset, bytes);
        }
    }

    fn event(&self, event: Event) {
        let room = &self.0;
        match event {
            Event::Exited(exited) => {
                if let Some(session) = room.sessions.ended(exited) {
                    room.tell_end(&session);
                    room.tell_finished(&session);
                }
            }
            Event::Waiting(waiting) => {
                if let Ok(session) = room.sessions.get(waiting.session) {
                    session.waiting(waiting.offset);
                }
            }
            // What comes next begins at a later offset, and the log sees that by itself.
            Event::Gap(_) => {}
            // The link has taken these.
            Event::Master(_) | Event::Accepted(_) => {}
            Event::Changed(changed) => {
                room.documents.changed(room, &changed);
                room.watches.tell(&room.members, changed);
            }
            Event::Ports(listening) => {
                let listeners: Vec<Listener> = listening.ports.iter().map(Listener::from).collect();
                room.listeners.send_replace(listeners.clone());
                let ports = listeners.iter().map(|listener| listener.port).collect();
                room.members.tell(&ServerFrame::Ports { ports, listeners });
            }
            Event::OverQuota(over) => {
                if over {
                    room.members.tell_all(&ServerFrame::Error {
                        code: ErrorCode::QuotaExceeded,
                        message: "The disk quota is used up, and programs that were writing have been stopped. \
                                  Delete something to go on."
                            .to_owned(),
                        id: None,
                    });
                }
            }
        }
    }

    fn accepted(&self, stream: AgentStream) {
        // Where nothing may be reached the agent has no proxy; one that says so all the same finds nobody.
        if let Some(egress) = &self.0.egress {
            self.0.tasks.spawn("proxy", crate::egress::serve(stream, egress.clone()));
        }
    }

    fn lost(&self, why: &LinkError) {
        tracing::debug!(room = %self.0.id, %why, "a link to a sandbox was lost");
    }
}
