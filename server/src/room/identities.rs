//! Who may come back as who they were: for each full client the hash of a token that only it has, what it was called, and
//! up to which number its commands were carried out. Kept in a journal, so that they come back to another server, too.
//!
//! A token is good once: with each return another takes its place. The one before stays good until the client has said
//! something on the new connection, since the answer that held the new one may be lost. A command's number is written
//! down before the command is carried out, so that none is carried out twice, and again once it was, so that the next server
//! knows of which one nobody can tell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::id::{MemberId, Role};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::journal::{Diary, Syncer};

/// People of a room who may come back; with more, the one who has been away the longest is forgotten.
const MAX_IDENTITIES: usize = 1024;
/// Names that are told of a key.
const MAX_NAMES: usize = 20;
/// A journal is written anew when it has this many bytes more than it had then.
const GROWTH: u64 = 512 * 1024;
const PREFIX: &str = "rt_";
const SECRET: usize = 32;
/// The longest text that is looked at.
const MAX_TEXT: usize = 256;

/// SHA-256 of a token.
type Hash = [u8; 32];

#[derive(Debug)]
pub struct Identities(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    diary: Diary,
    is_loaded: bool,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    last: u32,
    people: BTreeMap<MemberId, Kept>,
    /// Counts arrivals, to tell who came last.
    arrivals: u64,
}

/// What somebody is given who is here.
#[derive(Debug)]
pub struct Seated {
    /// The token with which they may come back.
    pub token: String,
    /// The number of the last of their commands that was carried out, or begun.
    pub executed: u64,
}

/// Somebody who is here or may come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub who: MemberId,
    /// The number of the join key, and its role: both must be the same again.
    pub key: u32,
    pub role: Role,
    pub user: String,
    pub color: String,
    /// The number of the last command that was carried out, or begun.
    pub executed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    identity: Identity,
    token: Hash,
    /// Good as long as nobody has said anything with the one after it.
    before: Option<Hash>,
    /// The command that was begun and not ended.
    #[serde(skip)]
    under_way: Option<u64>,
    /// The command that was under way when an earlier server was killed.
    #[serde(skip)]
    cut_off: Option<u64>,
    #[serde(skip)]
    arrival: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Seated(Kept),
    Confirmed(MemberId),
    Begun(MemberId, u64),
    Forgotten(MemberId),
    /// Numbers up to this were given to somebody.
    Last(u32),
    Ended(MemberId),
}

impl Identities {
    /// Those of a room, kept in the file at `path`. Nothing is read before [`Self::load`].
    pub fn new(path: PathBuf, syncer: Syncer) -> Self {
        let diary = Diary::new("who may come back", path, GROWTH, syncer);
        Self(Mutex::new(Inner { diary, is_loaded: false, state: State::default() }))
    }

    /// Reads what an earlier server left. Reads a file.
    pub fn load(&self) {
        let mut inner = self.0.lock();
        if inner.is_loaded {
            return;
        }
        inner.is_loaded = true;
        for record in inner.diary.read() {
            inner.state.replay(record);
        }
        for kept in inner.state.people.values_mut() {
            kept.cut_off = kept.under_way;
        }
    }

    /// The highest number of those who are remembered.
    pub fn last(&self) -> u32 {
        self.0.lock().state.last
    }

    /// Who a token belongs to, if it is good for this key. The token is used up by [`Self::seat`].
    pub fn known(&self, token: &str, key: u32, role: Role) -> Option<Identity> {
        let hash = hash_of(token)?;
        let inner = self.0.lock();
        let fits = |kept: &&Kept| {
            (kept.token == hash || kept.before == Some(hash)) && kept.identity.key == key && kept.identity.role == role
        };
        inner.state.people.values().find(fits).map(|kept| kept.identity.clone())
    }

    /// Whether somebody may come back.
    pub fn remembers(&self, who: MemberId) -> bool {
        self.0.lock().state.people.contains_key(&who)
    }

    /// Names of who came by a key, who came last first, but for those who are here.
    pub fn before(&self, key: u32, here: &[MemberId]) -> Vec<String> {
        let inner = self.0.lock();
        let came =
            inner.state.people.values().filter(|kept| kept.identity.key == key && !here.contains(&kept.identity.who));
        let mut came: Vec<&Kept> = came.collect();
        came.sort_by_key(|kept| std::cmp::Reverse(kept.arrival));
        came.into_iter().take(MAX_NAMES).map(|kept| kept.identity.user.clone()).collect()
    }

    /// Somebody is here: gives them another token. `used` is the one they came with. What the connection that they had before
    /// has begun since they were [`Self::known`] counts, too.
    pub fn seat(&self, mut identity: Identity, used: Option<&str>) -> Seated {
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).expect("the system gives randomness");
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let mut inner = self.0.lock();
        inner.state.arrivals += 1;
        inner.state.last = inner.state.last.max(identity.who.0);
        let hash = Sha256::digest(token.as_bytes()).into();
        let who = identity.who;
        let was = inner.state.people.get(&who);
        let (under_way, cut_off) = (was.and_then(|was| was.under_way), was.and_then(|was| was.cut_off));
        let executed = identity.executed.max(was.map_or(0, |was| was.identity.executed));
        identity.executed = executed;
        let before = used.and_then(hash_of);
        let kept = Kept { identity, token: hash, before, under_way, cut_off, arrival: inner.state.arrivals };
        inner.state.people.insert(who, kept.clone());
        inner.write(&Record::Seated(kept));
        if inner.state.people.len() > MAX_IDENTITIES
            && let Some(oldest) =
                inner.state.people.values().min_by_key(|kept| kept.arrival).map(|kept| kept.identity.who)
        {
            inner.state.people.remove(&oldest);
            inner.write(&Record::Forgotten(oldest));
        }
        Seated { token, executed }
    }

    /// The command of somebody that was begun under an earlier server, of which nobody knows whether it was carried out.
    pub fn cut_off(&self, who: MemberId) -> Option<u64> {
        self.0.lock().state.people.get(&who).and_then(|kept| kept.cut_off)
    }

    /// The client has the token that it was given last, and knows what it was told with it: the one before is good for
    /// nothing any more.
    pub fn confirm(&self, who: MemberId) {
        let mut inner = self.0.lock();
        let Some(kept) = inner.state.people.get_mut(&who) else { return };
        let is_told = kept.cut_off.take().is_some();
        if is_told {
            kept.under_way = None;
        }
        if kept.before.take().is_some() {
            inner.write(&Record::Confirmed(who));
        }
        if is_told {
            inner.write(&Record::Ended(who));
        }
    }

    /// Whether a command of this number is to be carried out; it is taken for carried out from here on. `false` if it was
    /// before.
    pub fn begin(&self, who: MemberId, number: u64) -> bool {
        let mut inner = self.0.lock();
        let Some(kept) = inner.state.people.get_mut(&who) else { return true };
        if number <= kept.identity.executed {
            return false;
        }
        kept.identity.executed = number;
        kept.under_way = Some(number);
        inner.write(&Record::Begun(who, number));
        true
    }

    /// The command that was begun last was carried out, or refused.
    pub fn end(&self, who: MemberId) {
        let mut inner = self.0.lock();
        if inner.state.people.get_mut(&who).is_some_and(|kept| kept.under_way.take().is_some()) {
            inner.write(&Record::Ended(who));
        }
    }

    /// Nobody comes back with this key any more.
    pub fn revoke(&self, key: u32) {
        let mut inner = self.0.lock();
        let gone: Vec<MemberId> =
            inner.state.people.values().filter(|kept| kept.identity.key == key).map(|kept| kept.identity.who).collect();
        for who in gone {
            inner.state.people.remove(&who);
            inner.write(&Record::Forgotten(who));
        }
    }

    /// Leaves everything to the file; it is read again when somebody comes.
    pub fn unload(&self) {
        let mut inner = self.0.lock();
        if inner.diary.close() {
            inner.is_loaded = false;
            inner.state = State::default();
        }
    }
}

impl Inner {
    /// Behind the change itself.
    fn write(&mut self, record: &Record) {
        self.diary.write(record, || self.state.records());
    }
}

impl State {
    fn records(&self) -> Vec<Record> {
        let seated = self.people.values().map(|kept| Record::Seated(kept.clone()));
        let under_way = |kept: &Kept| Some(Record::Begun(kept.identity.who, kept.under_way?));
        let begun = self.people.values().filter_map(under_way);
        [Record::Last(self.last)].into_iter().chain(seated).chain(begun).collect()
    }

    fn replay(&mut self, record: Record) {
        match record {
            Record::Seated(mut kept) => {
                self.arrivals += 1;
                kept.arrival = self.arrivals;
                kept.under_way = self.people.get(&kept.identity.who).and_then(|was| was.under_way);
                self.last = self.last.max(kept.identity.who.0);
                self.people.insert(kept.identity.who, kept);
            }
            Record::Confirmed(who) => {
                if let Some(kept) = self.people.get_mut(&who) {
                    kept.before = None;
                }
            }
            Record::Begun(who, number) => {
                if let Some(kept) = self.people.get_mut(&who) {
                    kept.identity.executed = kept.identity.executed.max(number);
                    kept.under_way = Some(number);
                }
            }
            Record::Ended(who) => {
                if let Some(kept) = self.people.get_mut(&who) {
                    kept.under_way = None;
                }
            }
            Record::Forgotten(who) => {
                self.people.remove(&who);
            }
            Record::Last(last) => self.last = self.last.max(last),
        }
    }
}

fn hash_of(token: &str) -> Option<Hash> {
    (token.len() <= MAX_TEXT && token.starts_with(PREFIX)).then(|| Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn ada(who: MemberId) -> Identity {
        let (user, color) = ("Ada".to_owned(), "#059669".to_owned());
        Identity { who, key: 3, role: Role::Editor, user, color, executed: 0 }
    }

    fn identities(folder: &Path) -> Identities {
        let identities = Identities::new(folder.join("room/people.log"), Syncer::default());
        identities.load();
        identities
    }

    #[test]
    fn a_token_is_good_once_for_its_key_and_its_role_and_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = identities(folder.path());
        let who = MemberId(5);
        let token = first.seat(ada(who), None).token;
        assert!(first.begin(who, 1) && first.begin(who, 7) && !first.begin(who, 7) && !first.begin(who, 3));

        let second = identities(folder.path());
        assert_eq!(second.known(&token, 4, Role::Editor), None);
        assert_eq!(second.known(&token, 3, Role::Owner), None);
        assert_eq!(second.known("rt_AAAA", 3, Role::Editor), None);
        let back = second.known(&token, 3, Role::Editor).unwrap();
        assert_eq!((back.who, back.executed), (who, 7));
        assert_eq!(second.last(), 5);

        // The answer with the next token may be lost, so that the client comes with the same one again.
        let lost = second.seat(back.clone(), Some(&token)).token;
        let next = identities(folder.path()).seat(back, Some(&token)).token;
        let third = identities(folder.path());
        assert_eq!(third.known(&lost, 3, Role::Editor), None);
        assert!(third.known(&token, 3, Role::Editor).is_some() && third.known(&next, 3, Role::Editor).is_some());
        third.confirm(who);
        assert!(third.known(&token, 3, Role::Editor).is_none() && third.known(&next, 3, Role::Editor).is_some());
        let fourth = identities(folder.path());
        assert!(fourth.known(&token, 3, Role::Editor).is_none() && !fourth.begin(who, 7));
        fourth.revoke(3);
        assert_eq!(identities(folder.path()).known(&next, 3, Role::Editor), None);
    }

    #[test]
    fn what_the_connection_of_before_begins_while_its_client_comes_back_is_not_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let identities = identities(folder.path());
        let who = MemberId(1);
        let token = identities.seat(ada(who), None).token;
        assert!(identities.begin(who, 1));
        let back = identities.known(&token, 3, Role::Editor).unwrap();
        assert!(identities.begin(who, 2) && identities.begin(who, 3));
        assert_eq!(identities.seat(back, Some(&token)).executed, 3);
        assert!(!identities.begin(who, 2) && !identities.begin(who, 3) && identities.begin(who, 4));
        assert!(!self::identities(folder.path()).begin(who, 4));
    }

    #[test]
    fn a_command_that_was_begun_and_not_ended_is_named_until_the_client_knows() {
        let folder = tempfile::tempdir().unwrap();
        let first = identities(folder.path());
        let (ada, bob) = (MemberId(1), MemberId(2));
        let mut token = first.seat(self::ada(ada), None).token;
        first.seat(self::ada(bob), None);
        for number in 1..=7 {
            first.begin(ada, number);
            first.end(ada);
        }
        first.begin(bob, 9);
        first.end(bob);
        assert_eq!(identities(folder.path()).cut_off(ada), None);
        first.begin(ada, 8);
        assert_eq!(first.cut_off(ada), None, "it is under way");
        // The answer that named it may be lost, and so it is named again, by the next server, too.
        for _ in 0..2 {
            let next = identities(folder.path());
            let back = next.known(&token, 3, Role::Editor).unwrap();
            assert_eq!(back.executed, 8);
            token = next.seat(back, Some(&token)).token;
            assert_eq!((next.cut_off(ada), next.cut_off(bob)), (Some(8), None));
        }
        let next = identities(folder.path());
        next.confirm(ada);
        assert_eq!((next.cut_off(ada), identities(folder.path()).cut_off(ada)), (None, None));
    }

    #[test]
    fn a_room_remembers_so_many_and_its_journal_stays_short() {
        let folder = tempfile::tempdir().unwrap();
        let identities = identities(folder.path());
        let tokens: Vec<String> =
            (0..MAX_IDENTITIES as u32 + 10).map(|who| identities.seat(ada(MemberId(who)), None).token).collect();
        let is_known = |token: &String| identities.known(token, 3, Role::Editor).is_some();
        assert!(!is_known(&tokens[9]) && is_known(&tokens[10]) && is_known(&tokens[MAX_IDENTITIES + 9]));
        let who = identities.known(&tokens[20], 3, Role::Editor).unwrap().who;
        for number in 1..200_000 {
            assert!(identities.begin(who, number));
        }
        let length = std::fs::metadata(folder.path().join("room/people.log")).unwrap().len();
        assert!(length < 2 * GROWTH, "{length}");
        let again = self::identities(folder.path());
        assert!(!again.begin(who, 199_999) && again.begin(who, 200_000));
        assert!(again.known(&tokens[9], 3, Role::Editor).is_none());
    }

    #[test]
    fn a_full_disk_keeps_nobody_from_working() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("room"), "in the way").unwrap();
        let identities = identities(folder.path());
        let who = MemberId(1);
        let token = identities.seat(ada(who), None).token;
        assert!(identities.begin(who, 1) && !identities.begin(who, 1));
        std::fs::remove_file(folder.path().join("room")).unwrap();
        assert!(identities.begin(who, 2));
        let again = self::identities(folder.path());
        assert!(again.known(&token, 3, Role::Editor).is_some() && !again.begin(who, 2));
    }
}
