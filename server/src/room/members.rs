//! Who is in a room: connections with their role, name and colour, and the frames that go to all of them.
//!
//! A member leaves by dropping its [`Seat`], so nobody stays behind whose connection is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::command::{Guest, MAX_INSTANCE, MAX_USER};
use embedenv_shared::frame::{Person, ServerFrame};
use embedenv_shared::id::{DocumentId, MemberId, Role};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;

use super::documents::Held;
use super::events::Pace;
use super::identities::{Identity, Seated};
use super::outbox::{Message, Outbox};
use super::session::Session;
use super::uploads::Uploads;
use crate::link::HandingOver;

/// What a connection without a colour gets, by its number.
const COLORS: [&str; 8] = ["#6366f1", "#0891b2", "#059669", "#ca8a04", "#ea580c", "#dc2626", "#c026d3", "#4b5563"];

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Commands and their output, in JSON.
    Plain,
    /// Everything.
    Full,
    /// One document, in the protocol of y-websocket: it is sent nothing else.
    Editor,
}

impl Dialect {
    /// What a guest that shakes hands will speak.
    pub fn asked_by(guest: &Guest) -> Self {
        if guest.protocol == Some(embedenv_shared::PROTOCOL) { Self::Full } else { Self::Plain }
    }
}

/// One connection, within this run of the server. Nobody outside hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u64);

/// Puts the numbered commands of one client in order, over all of its connections. In it lies what it has typed last, until the
/// next begins: a server that is killed takes no more than that with it.
pub type Turn = Arc<tokio::sync::Mutex<Option<HandingOver>>>;

/// One connection in a room.
#[derive(Debug)]
pub struct Member {
    pub id: SeatId,
    /// Who it is to the others; the same when they come back.
    pub who: MemberId,
    pub role: Role,
    pub user: String,
    pub color: String,
    pub dialect: Dialect,
    /// The number of the join key it came with; revoking that key sends it away.
    pub key: u32,
    /// What the client calls itself, if it may come back as who it was.
    instance: Option<String>,
    /// Held while a numbered command is carried out, by all connections of the same client: what is under way on the one
    /// that broke ends before the next begins.
    turn: Turn,
    /// The highest number of its commands that were carried out.
    pub executed: AtomicU64,
    pub outbox: Arc<Outbox>,
    /// The sessions whose output this connection follows, in the order it began to; `None` once it has left.
    reading: Mutex<Option<Vec<Arc<Session>>>>,
    /// The documents that this connection has open; `None` once it has left.
    editing: Mutex<Option<Vec<Arc<Held>>>>,
    place: Mutex<Place>,
    /// Files that it is sending.
    pub(super) uploads: Uploads,
    /// How often it may speak.
    pub(super) pace: Pace,
}

/// Everybody in a room.
#[derive(Debug, Default)]
pub struct Members {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    last: u32,
    seats: BTreeMap<SeatId, Arc<Member>>,
}

/// A member's presence. Dropping it is leaving.
#[derive(Debug)]
pub struct Seat {
    pub member: Arc<Member>,
    room: Arc<super::Room>,
}

impl Seat {
    pub fn room(&self) -> &Arc<super::Room> {
        &self.room
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.left(&self.member);
    }
}

/// Where a member says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub project: Option<ProjectName>,
    pub path: Option<WorkspacePath>,
    pub idle: bool,
}

/// Who takes a seat.
#[derive(Debug)]
pub struct Arrival {
    pub role: Role,
    pub key: u32,
    pub guest: Guest,
    pub dialect: Dialect,
    /// What it was given the last time it was here.
    pub resume: Option<String>,
    pub outbox: Arc<Outbox>,
}

/// What a full client is told that may come back as who it was.
#[derive(Debug, Default)]
pub struct Welcome {
    pub resume: Option<String>,
    pub resumed: bool,
    /// The number of a command of which nobody knows whether it was carried out.
    pub uncertain: Option<u64>,
}

impl Members {
    /// Seats an arrival, or says why not.
    pub(super) fn seat(
        &self,
        room: &Arc<super::Room>,
        arrival: Arrival,
        most: usize,
    ) -> Result<(Seat, Welcome), Failure> {
        let Arrival { role, key, guest, dialect, resume, outbox } = arrival;
        check_guest(&guest)?;
        let instance = guest.instance.filter(|_| dialect == Dialect::Full);
        let mut inner = self.inner.lock();
        let known = resume.as_deref().filter(|_| instance.is_some());
        let known = known.and_then(|token| room.identities.known(token, key, role));
        let known = known.and_then(|identity| {
            let turn = inner.make_way(identity.who, instance.as_deref())?;
            Some((identity, turn))
        });
        let (known, turn) = known.map_or_else(|| (None, Turn::default()), |(identity, turn)| (Some(identity), turn));
        if inner.seats.len() >= most {
            return Err(Failure::new(ErrorCode::LimitReached, format!("the room has its {most} members already")));
        }
        inner.next += 1;
        inner.last = inner.last.max(room.identities.last()) + u32::from(known.is_none());
        let (id, who) = (SeatId(inner.next), known.as_ref().map_or(MemberId(inner.last), |known| known.who));
        let user = guest.user.map(|user| user.trim().to_owned()).or(known.as_ref().map(|known| known.user.clone()));
        let color = guest.color.or(known.as_ref().map(|known| known.color.clone()));
        let member = Arc::new(Member {
            id,
            who,
            role,
            user: user.unwrap_or_else(|| format!("Guest {who}")),
            color: color.unwrap_or_else(|| COLORS[who.0 as usize % COLORS.len()].to_owned()),
            dialect,
            key,
            instance,
            turn,
            executed: AtomicU64::new(known.as_ref().map_or(0, |known| known.executed)),
            outbox,
            reading: Mutex::new(Some(Vec::new())),
            editing: Mutex::new(Some(Vec::new())),
            place: Mutex::default(),
            pace: Pace::default(),
            uploads: Uploads::default(),
        });
        inner.seats.insert(id, member.clone());
        let mut welcome = Welcome { resumed: known.is_some(), ..Welcome::default() };
        if member.instance.is_some() {
            welcome.uncertain = room.identities.cut_off(who);
            let used = resume.as_deref().filter(|_| known.is_some());
            let Seated { token, executed } = room.identities.seat(member.identity(), used);
            member.executed.store(executed, Ordering::Release);
            welcome.resume = Some(token);
        }
        Ok((Seat { member, room: room.clone() }, welcome))
    }

    /// A name for something that reads and has no seat.
    pub(super) fn reader(&self) -> SeatId {
        let mut inner = self.inner.lock();
        inner.next += 1;
        SeatId(inner.next)
    }

    pub(super) fn remove(&self, id: SeatId) {
        self.inner.lock().seats.remove(&id);
    }

    pub fn count(&self) -> usize {
        self.inner.lock().seats.len()
    }

    pub fn all(&self) -> Vec<Arc<Member>> {
        self.inner.lock().seats.values().cloned().collect()
    }

    /// The numbers of the join keys that those who are here came with, each as often as there are such people.
    pub fn keys(&self) -> Vec<u32> {
        self.inner.lock().seats.values().map(|member| member.key).collect()
    }

    /// Tells every full client.
    pub fn tell(&self, frame: &ServerFrame) {
        let text = frame.to_text();
        for member in self.all().into_iter().filter(|member| member.is_full()) {
            member.outbox.put(Message::Text(text.clone()));
        }
    }

    /// Tells everybody, plain clients too: errors of the room's own.
    pub fn tell_all(&self, frame: &ServerFrame) {
        let text = frame.to_text();
        for member in self.all().into_iter().filter(|member| member.dialect != Dialect::Editor) {
            member.outbox.put(Message::Text(text.clone()));
        }
    }

    pub fn people(&self) -> Vec<Person> {
        self.all().iter().map(|member| member.describe()).collect()
    }

    /// Ends every connection after what waits for it.
    pub fn send_away(&self, code: CloseCode, reason: &str) {
        for member in self.all() {
            member.outbox.close(code, reason);
        }
    }

    /// Ends every connection at once, or those that came with one key: from here on they are not in the room.
    pub fn cut_off(&self, key: Option<u32>, code: CloseCode, reason: &str) {
        let mut inner = self.inner.lock();
        inner.seats.retain(|_, member| {
            let stays = key.is_some_and(|key| member.key != key);
            if !stays {
                member.outbox.cut(code, reason);
            }
            stays
        });
    }
}

impl Inner {
    /// Whether somebody who was here may take their place again, and whose turn it is among their connections. A client
    /// that is still there on another connection of its own makes way; one that has another name for itself is another,
    /// which was given the same token.
    fn make_way(&mut self, who: MemberId, instance: Option<&str>) -> Option<Turn> {
        let Some(there) = self.seats.values().find(|member| member.who == who).cloned() else {
            return Some(Turn::default());
        };
        (there.instance.as_deref() == instance).then(|| {
            self.seats.remove(&there.id);
            there.outbox.close(CloseCode::TakenOver, "the same client has come back on another connection");
            there.turn.clone()
        })
    }
}

impl Member {
    /// Waits until the numbered command before this one is over, and what was typed before it is with the agent.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, Option<HandingOver>> {
        let mut turn = self.turn.lock().await;
        if let Some(handing_over) = turn.take() {
            handing_over.done().await;
        }
        turn
    }

    fn identity(&self) -> Identity {
        let Self { who, key, role, user, color, executed, .. } = self;
        let (user, color, executed) = (user.clone(), color.clone(), executed.load(Ordering::Acquire));
        Identity { who: *who, key: *key, role: *role, user, color, executed }
    }

    /// Whether this client's commands are counted.
    pub fn counts(&self) -> bool {
        self.instance.is_some()
    }

    pub fn is_full(&self) -> bool {
        self.dialect == Dialect::Full
    }

    pub fn is_plain(&self) -> bool {
        self.dialect == Dialect::Plain
    }

    pub fn describe(&self) -> Person {
        let Place { project, path, idle } = self.place.lock().clone();
        let Self { who, role, user, color, .. } = self;
        Person { member: *who, user: user.clone(), color: color.clone(), role: *role, project, path, idle }
    }

    /// Follows a session that this member was attached to ([`Session::attach`]); one that has left is detached again.
    pub fn read(&self, session: Arc<Session>) {
        match &mut *self.reading.lock() {
            None => session.detach(self.id),
            Some(reading) => {
                reading.retain(|other| other.id != session.id);
                reading.push(session);
            }
        }
        self.outbox.wake().notify_one();
    }

    pub fn stop_reading(&self, session: &Session) {
        if let Some(reading) = &mut *self.reading.lock() {
            reading.retain(|other| other.id != session.id);
        }
        session.detach(self.id);
    }

    pub fn reading(&self) -> Vec<Arc<Session>> {
        self.reading.lock().clone().unwrap_or_default()
    }

    /// Follows a document that this member was added to; one that has left is removed again.
    pub fn edit(&self, held: Arc<Held>) {
        match &mut *self.editing.lock() {
            None => held.remove_reader(self.id),
            Some(editing) => {
                editing.retain(|other| other.id != held.id);
                editing.push(held);
            }
        }
        self.outbox.nudge();
    }

    pub fn stop_editing(&self, id: DocumentId) -> Option<Arc<Held>> {
        let mut editing = self.editing.lock();
        let editing = editing.as_mut()?;
        let at = editing.iter().position(|held| held.id == id)?;
        Some(editing.remove(at))
    }

    pub fn editing(&self) -> Vec<Arc<Held>> {
        self.editing.lock().clone().unwrap_or_default()
    }

    /// Stops reading for good, and says what was read.
    pub(super) fn leave(&self) -> Vec<Arc<Session>> {
        self.outbox.abandon();
        for held in self.editing.lock().take().unwrap_or_default() {
            held.remove_reader(self.id);
        }
        let read = self.reading.lock().take().unwrap_or_default();
        for session in &read {
            session.detach(self.id);
        }
        read
    }

    /// Returns whether that is somewhere else than before.
    pub fn set_place(&self, place: Place) -> bool {
        std::mem::replace(&mut *self.place.lock(), place.clone()) != place
    }
}

/// Whether an arrival can appear as it asks to. Told apart from seating, so that a credit is taken only for one who can.
pub fn check_guest(guest: &Guest) -> Result<(), Failure> {
    let bad = |message: String| Err(Failure::new(ErrorCode::BadRequest, message));
    match guest {
        Guest { user: Some(user), .. } if user.trim().is_empty() || user.chars().count() > MAX_USER => {
            bad(format!("user must have 1 to {MAX_USER} characters"))
        }
        Guest { color: Some(color), .. } if !is_color(color) => bad("color must be #rrggbb".to_owned()),
        Guest { instance: Some(name), .. } if name.is_empty() || name.len() > MAX_INSTANCE => {
            bad(format!("instance must have 1 to {MAX_INSTANCE} bytes"))
        }
        Guest { protocol: Some(other), .. } if ![1, embedenv_shared::PROTOCOL].contains(other) => {
            bad(format!("protocol {other} is not known here"))
        }
        _ => Ok(()),
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
