//! Who may see what listens on a room's ports: its members, who have a link, or anybody while its owner says so. Kept in
//! a journal, so that links hold over a restart of the server.
//!
//! A secret is told once, to whom it is made for; what is kept of it is its hash. A **ticket** takes a member's browser to
//! a port, once and within [`TICKET`]; a **pass** is what the browser keeps from then on. A link is a pass that its maker
//! hands on. This module must never log a secret, and knows nothing of HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{OpenPort, PreviewLink};
use embedenv_shared::id::Role;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use tokio::time::sleep;

use super::members::Member;
use super::now;
use crate::journal::{Diary, Syncer};

/// How long a ticket is good.
const TICKET: Duration = Duration::from_secs(60);
/// How long a member's browser sees a port with what it got for its ticket.
const PASS: Duration = Duration::from_secs(12 * 60 * 60);
/// The longest a link is good or a port is open, in seconds: thirty days.
pub const MAX_TTL: u64 = 30 * 24 * 60 * 60;
/// Tickets of one room that nobody used yet; with one more the oldest is good no longer.
const MAX_TICKETS: usize = 64;
/// Passes of one room, of which some are links; with one more, the member's that ends soonest is good no longer.
const MAX_PASSES: usize = 512;
/// Links of one room; one more is `limit_reached`.
const MAX_LINKS: usize = 64;
/// Ports that are open to anybody; one more is `limit_reached`.
const MAX_OPEN: usize = 16;
/// The journal is written anew when it has this many bytes more than it had then.
const GROWTH: u64 = 64 * 1024;
/// Bytes of randomness in a secret.
const SECRET: usize = 24;
/// The longest secret that is looked at.
const MAX_TEXT: usize = 128;

/// SHA-256 of a secret.
type Hash = [u8; 32];

#[derive(Debug)]
pub struct Previews {
    inner: Mutex<Inner>,
    /// Moves whenever something is good no longer.
    taken_back: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    diary: Diary,
    is_read: bool,
    state: State,
    tickets: BTreeMap<Hash, Ticket>,
}

#[derive(Debug, Default)]
struct State {
    last: u32,
    passes: BTreeMap<u32, Pass>,
    /// Until when, in milliseconds since 1970.
    open: BTreeMap<u16, i64>,
}

#[derive(Debug, Clone)]
struct Ticket {
    port: u16,
    holder: Holder,
    expires: i64,
}

/// Whose rights something carries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    role: Role,
    /// The number of the join key; it ends with it.
    key: u32,
    user: String,
}

impl From<&Member> for Holder {
    fn from(member: &Member) -> Self {
        Self { role: member.role, key: member.key, user: member.user.clone() }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pass {
    port: u16,
    hash: Hash,
    holder: Holder,
    /// Milliseconds since 1970.
    expires: i64,
    /// Handed on by who made it.
    is_link: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Record {
    Passed(u32, Pass),
    Ended(u32),
    Opened(u16, i64),
    Closed(u16),
    /// Numbers up to this were given.
    Last(u32),
}

/// What lets somebody see a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody may.
    Open {
        port: u16,
    },
    Pass {
        number: u32,
        role: Role,
    },
}

impl Access {
    /// The role with which somebody sees the port; who comes to an open one is its user.
    pub fn role(self) -> Role {
        match self {
            Self::Open { .. } => Role::Editor,
            Self::Pass { role, .. } => role,
        }
    }
}

/// What a browser keeps, and for how long.
#[derive(Debug)]
pub struct Kept {
    pub secret: String,
    pub lasts: Duration,
}

impl Previews {
    /// Those of a room, kept in the file at `path`, which is read when it is first needed.
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        let diary = Diary::new("who may see ports", path, GROWTH, syncer);
        let inner = Inner { diary, is_read: false, state: State::default(), tickets: BTreeMap::new() };
        Self { inner: Mutex::new(inner), taken_back: watch::Sender::default() }
    }

    /// A ticket to a port, for the browser of a member.
    pub fn ticket(&self, holder: Holder, port: u16) -> Result<String, Failure> {
        let (secret, hash) = secret()?;
        let ticket = Ticket { port, holder, expires: after(TICKET) };
        let mut inner = self.read();
        let time = now();
        inner.tickets.retain(|_, ticket| ticket.expires > time);
        if inner.tickets.len() >= MAX_TICKETS
            && let Some(oldest) = inner.tickets.iter().min_by_key(|(_, ticket)| ticket.expires).map(|(hash, _)| *hash)
        {
            inner.tickets.remove(&oldest);
        }
        inner.tickets.insert(hash, ticket);
        Ok(secret)
    }

    /// What a member's browser sees a port with, where it keeps no cookie for it.
    pub fn pass(&self, holder: Holder, port: u16) -> Result<String, Failure> {
        self.read().pass(port, holder, after(PASS), false).map(|(_, secret)| secret)
    }

    /// Turns a ticket, which is used up, or a link's token into what the browser keeps.
    pub fn enter(&self, port: u16, presented: &str) -> Result<Kept, Failure> {
        let mut inner = self.read();
        if let Some((_, pass)) = inner.pass_of(port, presented) {
            return Ok(Kept { secret: presented.to_owned(), lasts: left(pass.expires) });
        }
        let ticket = hash_of(presented).and_then(|hash| inner.tickets.remove(&hash));
        let good = ticket.filter(|ticket| ticket.port == port && ticket.expires > now());
        let Ticket { holder, .. } = good.ok_or_else(unknown)?;
        let (_, secret) = inner.pass(port, holder, after(PASS), false)?;
        Ok(Kept { secret, lasts: PASS })
    }

    /// A link to a port, and its token.
    pub fn share(&self, holder: Holder, port: u16, ttl: u64) -> Result<(PreviewLink, String), Failure> {
        let lasts = checked(ttl)?;
        let mut inner = self.read();
        inner.drop_expired();
        if inner.state.passes.values().filter(|pass| pass.is_link).count() >= MAX_LINKS {
            let message = format!("a room has at most {MAX_LINKS} links to its ports; revoke one that nobody needs");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        let (number, secret) = inner.pass(port, holder, after(lasts), true)?;
        let link = inner.state.passes.get(&number).map(|pass| pass.describe(number)).ok_or_else(unknown)?;
        Ok((link, secret))
    }

    /// A link opens nothing any more. One of a higher role than `by` is not theirs to revoke.
    pub fn revoke(&self, number: u32, by: Role) -> Result<(), Failure> {
        let mut inner = self.read();
        let pass = inner.state.passes.get(&number).filter(|pass| pass.is_link && pass.expires > now());
        let pass = pass.ok_or_else(|| Failure::new(ErrorCode::NotFound, "there is no link of that number"))?;
        if pass.holder.role > by {
            return Err(Failure::new(ErrorCode::Forbidden, "your role may not revoke a link of that role"));
        }
        inner.end(number);
        drop(inner);
        self.taken_back.send_replace(());
        Ok(())
    }

    /// Who came by a join key sees nothing any more, nor does anybody by their links.
    pub fn revoke_key(&self, key: u32) {
        let mut inner = self.read();
        inner.tickets.retain(|_, ticket| ticket.holder.key != key);
        let theirs = inner.state.passes.iter().filter(|(_, pass)| pass.holder.key == key);
        for number in theirs.map(|(number, _)| *number).collect::<Vec<_>>() {
            inner.end(number);
        }
        drop(inner);
        self.taken_back.send_replace(());
    }

    /// Whoever knows its address sees a port.
    pub fn open(&self, port: u16, ttl: u64) -> Result<(), Failure> {
        let until = after(checked(ttl)?);
        let mut inner = self.read();
        inner.drop_expired();
        if !inner.state.open.contains_key(&port) && inner.state.open.len() >= MAX_OPEN {
            let message = format!("at most {MAX_OPEN} ports of a room are open to anybody");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        inner.state.open.insert(port, until);
        inner.write(&Record::Opened(port, until));
        drop(inner);
        // Who came while it was open for less time is looked at again.
        self.taken_back.send_replace(());
        Ok(())
    }

    /// A port is the room's own again.
    pub fn close(&self, port: u16) {
        let mut inner = self.read();
        if inner.state.open.remove(&port).is_some() {
            inner.write(&Record::Closed(port));
        }
        drop(inner);
        self.taken_back.send_replace(());
    }

    /// The links there are, and the open ports.
    pub fn list(&self) -> (Vec<PreviewLink>, Vec<OpenPort>) {
        let mut inner = self.read();
        inner.drop_expired();
        let links = inner.state.passes.iter().filter(|(_, pass)| pass.is_link);
        let links = links.map(|(number, pass)| pass.describe(*number)).collect();
        let open = inner.state.open.iter().map(|(port, until)| OpenPort { port: *port, until: until.unsigned_abs() });
        (links, open.collect())
    }

    /// Whether somebody with these secrets may see a port. Their own rights come before everybody's.
    pub fn check<'a>(&self, port: u16, mut presented: impl Iterator<Item = &'a str>) -> Option<Access> {
        let inner = self.read();
        let pass = presented.find_map(|secret| inner.pass_of(port, secret));
        let pass = pass.map(|(number, pass)| Access::Pass { number, role: pass.holder.role });
        pass.or_else(|| (*inner.state.open.get(&port)? > now()).then_some(Access::Open { port }))
    }

    /// Returns when an access is good no longer.
    pub async fn over(&self, access: Access) {
        let mut taken_back = self.taken_back.subscribe();
        loop {
            let until = {
                let inner = self.read();
                match access {
                    Access::Open { port, .. } => inner.state.open.get(&port).copied(),
                    Access::Pass { number, .. } => inner.state.passes.get(&number).map(|pass| pass.expires),
                }
            };
            let Some(until) = until.filter(|until| *until > now()) else { return };
            tokio::select! {
                // The room is gone when nobody can take anything back.
                changed = taken_back.changed() => if changed.is_err() { return },
                () = sleep(left(until)) => {}
            }
        }
    }

    fn read(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock();
        if !inner.is_read {
            inner.is_read = true;
            for record in inner.diary.read() {
                inner.state.replay(record);
            }
        }
        inner
    }
}

impl Pass {
    fn describe(&self, number: u32) -> PreviewLink {
        let created_by = self.holder.user.clone();
        PreviewLink { number, port: self.port, created_by, expires: self.expires.unsigned_abs() }
    }
}

impl Inner {
    /// The pass of a secret, if it is good for this port.
    fn pass_of(&self, port: u16, presented: &str) -> Option<(u32, &Pass)> {
        let number = presented.split_once('.')?.0.parse().ok()?;
        let hash = hash_of(presented)?;
        let pass = self.state.passes.get(&number)?;
        let is_good = bool::from(pass.hash.ct_eq(&hash)) && pass.port == port && pass.expires > now();
        is_good.then_some((number, pass))
    }

    fn pass(&mut self, port: u16, holder: Holder, expires: i64, is_link: bool) -> Result<(u32, String), Failure> {
        self.drop_expired();
        if self.state.passes.len() >= MAX_PASSES {
            let members = self.state.passes.iter().filter(|(_, pass)| !pass.is_link);
            if let Some(soonest) = members.min_by_key(|(_, pass)| pass.expires).map(|(number, _)| *number) {
                self.end(soonest);
            }
        }
        self.state.last += 1;
        let number = self.state.last;
        let (secret, _) = secret()?;
        let secret = format!("{number}.{secret}");
        let hash = hash_of(&secret).ok_or_else(unknown)?;
        let pass = Pass { port, hash, holder, expires, is_link };
        self.state.passes.insert(number, pass.clone());
        self.write(&Record::Passed(number, pass));
        Ok((number, secret))
    }

    fn end(&mut self, number: u32) {
        if self.state.passes.remove(&number).is_some() {
            self.write(&Record::Ended(number));
        }
    }

    /// The journal forgets what has expired when it is written anew.
    fn drop_expired(&mut self) {
        let time = now();
        self.state.passes.retain(|_, pass| pass.expires > time);
        self.state.open.retain(|_, until| *until > time);
    }

    fn write(&mut self, record: &Record) {
        self.diary.write(record, || self.state.records());
    }
}

impl State {
    fn records(&self) -> Vec<Record> {
        let passed = self.passes.iter().map(|(number, pass)| Record::Passed(*number, pass.clone()));
        let opened = self.open.iter().map(|(port, until)| Record::Opened(*port, *until));
        [Record::Last(self.last)].into_iter().chain(passed).chain(opened).collect()
    }

    fn replay(&mut self, record: Record) {
        match record {
            Record::Passed(number, pass) => {
                self.last = self.last.max(number);
                self.passes.insert(number, pass);
            }
            Record::Ended(number) => {
                self.passes.remove(&number);
            }
            Record::Opened(port, until) => {
                self.open.insert(port, until);
            }
            Record::Closed(port) => {
                self.open.remove(&port);
            }
            Record::Last(last) => self.last = self.last.max(last),
        }
    }
}

/// Forged, expired, used and revoked secrets all look the same.
fn unknown() -> Failure {
    Failure::new(ErrorCode::BadCredentials, "this link was used already, has expired or was revoked")
}

fn checked(ttl: u64) -> Result<Duration, Failure> {
    if (1..=MAX_TTL).contains(&ttl) {
        return Ok(Duration::from_secs(ttl));
    }
    Err(Failure::new(ErrorCode::BadRequest, format!("ttl must be a whole number of seconds from 1 to {MAX_TTL}")))
}

fn secret() -> Result<(String, Hash), Failure> {
    let mut secret = [0; SECRET];
    getrandom::fill(&mut secret)
        .map_err(|error| Failure::new(ErrorCode::Internal, format!("there is no randomness to be had: {error}")))?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let hash = Sha256::digest(secret.as_bytes()).into();
    Ok((secret, hash))
}

fn hash_of(presented: &str) -> Option<Hash> {
    (presented.len() <= MAX_TEXT).then(|| Sha256::digest(presented.as_bytes()).into())
}

fn after(lasts: Duration) -> i64 {
    now().saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
}

fn left(until: i64) -> Duration {
    Duration::from_millis(until.saturating_sub(now()).max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Holder {
        Holder { role: Role::Editor, key: 3, user: "Ada".to_owned() }
    }

    fn previews(folder: &std::path::Path) -> Previews {
        Previews::new(folder.join("room/previews.log"), Syncer::default())
    }

    fn sees(previews: &Previews, port: u16, secret: &str) -> bool {
        previews.check(port, [secret].into_iter()).is_some()
    }

    #[test]
    fn a_ticket_is_good_once_for_its_port_and_what_it_gives_outlives_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let first = previews(folder.path());
        let ticket = first.ticket(ada(), 3000).unwrap();
        assert!(!sees(&first, 3000, &ticket), "a ticket lets nobody see");
        let kept = first.enter(3000, &ticket).unwrap().secret;
        assert_eq!(first.enter(3000, &ticket).unwrap_err().code, ErrorCode::BadCredentials);
        let other = first.ticket(ada(), 3000).unwrap();
        assert!(first.enter(3001, &other).is_err());
        for previews in [&first, &previews(folder.path())] {
            assert!(sees(previews, 3000, &kept) && !sees(previews, 3001, &kept));
            for forged in ["", ".", "1", "1.", "2.x", &kept[..kept.len() - 1], &format!("{kept}x"), &"9".repeat(4096)] {
                assert!(!sees(previews, 3000, forged), "{forged:?}");
            }
        }
        first.revoke_key(3);
        assert!(!sees(&first, 3000, &kept) && !sees(&previews(folder.path()), 3000, &kept));
    }

    #[test]
    fn a_link_is_listed_without_its_secret_and_can_be_revoked_by_its_equals() {
        let folder = tempfile::tempdir().unwrap();
        let previews = previews(folder.path());
        let (link, token) = previews.share(ada(), 3000, 60).unwrap();
        assert_eq!((link.number, link.port, &*link.created_by), (1, 3000, "Ada"));
        assert_eq!(previews.list().0, [link]);
        assert_eq!(previews.enter(3000, &token).unwrap().secret, token);
        assert_eq!(previews.revoke(1, Role::Viewer).unwrap_err().code, ErrorCode::Forbidden);
        previews.revoke(1, Role::Editor).unwrap();
        assert!(!sees(&previews, 3000, &token) && previews.enter(3000, &token).is_err());
        assert_eq!(previews.revoke(1, Role::Owner).unwrap_err().code, ErrorCode::NotFound);
        for ttl in [0, MAX_TTL + 1, u64::MAX] {
            assert_eq!(previews.share(ada(), 3000, ttl).unwrap_err().code, ErrorCode::BadRequest);
        }
        for _ in 0..MAX_LINKS {
            previews.share(ada(), 3000, 60).unwrap();
        }
        assert_eq!(previews.share(ada(), 3000, 60).unwrap_err().code, ErrorCode::LimitReached);
    }

    #[test]
    fn many_passes_push_out_the_oldest_and_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let previews = previews(folder.path());
        let (_, link) = previews.share(ada(), 3000, 1000).unwrap();
        let enter = || previews.enter(3000, &previews.ticket(ada(), 3000).unwrap()).unwrap().secret;
        let first = enter();
        for _ in 0..MAX_PASSES {
            enter();
        }
        assert!(sees(&previews, 3000, &link) && !sees(&previews, 3000, &first));
    }

    #[tokio::test]
    async fn what_is_taken_back_ends_for_who_is_watching() {
        let folder = tempfile::tempdir().unwrap();
        let previews = previews(folder.path());
        previews.open(8000, 60).unwrap();
        let open = previews.check(8000, std::iter::empty()).unwrap();
        let (_, token) = previews.share(ada(), 8000, 60).unwrap();
        let linked = previews.check(8000, [&*token].into_iter()).unwrap();
        assert_ne!(open, linked);
        let close = async { previews.close(8000) };
        tokio::join!(previews.over(open), close);
        let revoke = async { previews.revoke(1, Role::Owner).unwrap() };
        tokio::join!(previews.over(linked), revoke);
        assert_eq!(previews.check(8000, std::iter::empty()), None);
    }
}
