//! Whose a terminal is: its size belongs to whoever typed last, and whoever opened it may keep the others from touching
//! it. Pure; who is here and who hears of it is the caller's.

use std::collections::BTreeMap;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{MemberId, Role};
use embedenv_shared::link::sessions::Size;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Who has been gone for this long may have left for good: a terminal of theirs follows whoever is there alone.
pub const RETURN: Duration = Duration::from_secs(10);

/// Who types into a terminal, and who may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    pub owned: Owned,
    /// The sizes that there is room for at those who are here.
    wanted: BTreeMap<MemberId, Size>,
    /// Since when the driver is gone.
    gone_since: Option<Instant>,
}

/// What of it outlives a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Whose size it has: who typed last, at first the opener. It stays theirs when they leave, until another types.
    pub driver: Option<MemberId>,
    /// Nobody of a plain client's command, and of terminals that were opened by who can't come back.
    pub opener: Option<MemberId>,
    /// Only the opener may touch it.
    pub locked: bool,
}

impl Lease {
    pub fn opened_by(opener: MemberId, size: Size) -> Self {
        let owned = Owned { driver: Some(opener), opener: Some(opener), locked: false };
        Self { owned, wanted: BTreeMap::from([(opener, size)]), gone_since: None }
    }

    /// As an earlier server left it. Its driver has been gone since then, if it is one that people have a size for.
    pub fn kept(owned: Owned, gone_since: Option<Instant>) -> Self {
        Self { owned, wanted: BTreeMap::new(), gone_since }
    }

    /// `forbidden` while it is locked, but for the opener.
    pub fn check(&self, who: MemberId) -> Result<(), Failure> {
        if !self.owned.locked || self.owned.opener == Some(who) {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::Forbidden, "whoever opened this terminal has locked it"))
    }

    /// Locks or unlocks it. The opener may, and an owner of the room.
    pub fn lock(&mut self, who: MemberId, role: Role, locked: bool) -> Result<bool, Failure> {
        if self.owned.opener != Some(who) && role != Role::Owner {
            let message = "only who opened a terminal, and owners, may lock and unlock it";
            return Err(Failure::new(ErrorCode::Forbidden, message));
        }
        if self.owned.opener.is_none() {
            self.owned.opener = Some(who);
        }
        Ok(std::mem::replace(&mut self.owned.locked, locked) != locked)
    }

    /// Somebody has room for this size. Returns whether it is the terminal's now: only who typed last moves it by that.
    pub fn wants(&mut self, who: MemberId, size: Size) -> bool {
        self.wanted.insert(who, size);
        let is_theirs = self.owned.driver == Some(who);
        self.gone_since.take_if(|_| is_theirs);
        is_theirs && self.check(who).is_ok()
    }

    /// The size that it gets because `who` is here alone, if its driver has been gone for [`RETURN`].
    pub fn alone(&self, who: MemberId, now: Instant) -> Option<Size> {
        self.check(who).ok()?;
        self.gone_since.filter(|since| now.duration_since(*since) >= RETURN)?;
        self.wanted.get(&who).copied()
    }

    /// Somebody types. If the terminal becomes theirs by that, returns so, with the size that it gets, if they said one.
    pub fn types(&mut self, who: MemberId) -> Option<Option<Size>> {
        self.gone_since = None;
        (self.owned.driver.replace(who) != Some(who)).then(|| self.wanted.get(&who).copied())
    }

    /// Somebody left. Whose the terminal is stays as it is: they may come back.
    pub fn left(&mut self, who: MemberId, now: Instant) {
        self.wanted.remove(&who);
        if self.owned.driver == Some(who) {
            self.gone_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: MemberId = MemberId(1);
    const BOB: MemberId = MemberId(2);
    const WIDE: Size = Size { cols: 200, rows: 50 };
    const NARROW: Size = Size { cols: 40, rows: 60 };

    #[test]
    fn the_size_is_that_of_who_typed_last() {
        let mut lease = Lease::opened_by(ADA, WIDE);
        assert!(!lease.wants(BOB, NARROW), "looking on changes nothing");
        assert_eq!(lease.types(ADA), None);
        assert_eq!(lease.types(BOB), Some(Some(NARROW)));
        assert_eq!(lease.types(BOB), None);
        assert!(lease.wants(BOB, WIDE) && !lease.wants(ADA, WIDE));
        let now = Instant::now();
        lease.left(BOB, now);
        assert!(!lease.wants(ADA, NARROW), "it is still who typed last's");
        assert_eq!((lease.alone(ADA, now), lease.alone(ADA, now + RETURN)), (None, Some(NARROW)));
        assert_eq!(lease.alone(BOB, now + RETURN), None);
        assert!(lease.wants(BOB, NARROW), "who comes back is who they were");
        assert_eq!(lease.alone(ADA, now + RETURN), None);
        lease.left(BOB, now);
        lease.types(ADA);
        assert_eq!(lease.types(BOB), Some(None), "who left and came back has said no size yet");
    }

    #[test]
    fn a_terminal_of_nobody_is_taken_by_typing_alone() {
        let now = Instant::now();
        let mut found = Lease::kept(Owned::default(), Some(now));
        assert!(!found.wants(BOB, NARROW));
        assert_eq!(found.owned.driver, None);
        assert_eq!((found.alone(BOB, now), found.alone(BOB, now + RETURN)), (None, Some(NARROW)));
        assert_eq!(found.types(BOB), Some(Some(NARROW)));
    }

    #[test]
    fn a_locked_terminal_is_touched_by_its_opener_alone_and_unlocked_by_owners_too() {
        let mut lease = Lease::opened_by(ADA, WIDE);
        assert!(lease.lock(BOB, Role::Editor, true).is_err());
        assert_eq!(lease.lock(ADA, Role::Editor, true), Ok(true));
        assert_eq!(lease.lock(ADA, Role::Editor, true), Ok(false));
        assert!(lease.check(ADA).is_ok() && lease.check(BOB).is_err());
        let now = Instant::now();
        lease.wants(BOB, NARROW);
        lease.left(ADA, now);
        assert_eq!(lease.alone(BOB, now + RETURN), None);
        assert_eq!(lease.lock(BOB, Role::Owner, false), Ok(true));
        assert!(lease.check(BOB).is_ok());
        let mut found = Lease::default();
        assert!(found.lock(ADA, Role::Editor, true).is_err());
        assert_eq!(found.lock(BOB, Role::Owner, true), Ok(true));
        assert!(found.check(BOB).is_ok() && found.check(ADA).is_err());
    }
}
