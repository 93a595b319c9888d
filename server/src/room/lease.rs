//! Whose a terminal is: its size belongs to whoever typed last, and whoever opened it may keep the others from touching
//! it. Pure; who hears of it is the caller's.

use std::collections::BTreeMap;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{MemberId, Role};
use embedenv_shared::link::sessions::Size;

/// Who types into a terminal, and who may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    /// Whose size it has. Nobody's after they left, until the next one types or says a size.
    pub driver: Option<MemberId>,
    /// Unknown of terminals that an earlier server had opened.
    pub opener: Option<MemberId>,
    /// Only the opener may touch it.
    pub locked: bool,
    /// The sizes that there is room for at those who are here.
    wanted: BTreeMap<MemberId, Size>,
}

impl Lease {
    pub fn opened_by(opener: MemberId, size: Size) -> Self {
        Self { driver: Some(opener), opener: Some(opener), locked: false, wanted: BTreeMap::from([(opener, size)]) }
    }

    /// `forbidden` while it is locked, but for the opener.
    pub fn check(&self, who: MemberId) -> Result<(), Failure> {
        if !self.locked || self.opener == Some(who) {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::Forbidden, "whoever opened this terminal has locked it"))
    }

    /// Locks or unlocks it. The opener may, and an owner of the room.
    pub fn lock(&mut self, who: MemberId, role: Role, locked: bool) -> Result<bool, Failure> {
        if self.opener != Some(who) && role != Role::Owner {
            let message = "only who opened a terminal, and owners, may lock and unlock it";
            return Err(Failure::new(ErrorCode::Forbidden, message));
        }
        if self.opener.is_none() {
            self.opener = Some(who);
        }
        Ok(std::mem::replace(&mut self.locked, locked) != locked)
    }

    /// Somebody has room for this size. Returns whether it is the terminal's now.
    pub fn wants(&mut self, who: MemberId, size: Size) -> bool {
        self.wanted.insert(who, size);
        self.check(who).is_ok() && *self.driver.get_or_insert(who) == who
    }

    /// Somebody types. If the terminal becomes theirs by that, returns so, with the size that it gets, if they said one.
    pub fn types(&mut self, who: MemberId) -> Option<Option<Size>> {
        (self.driver.replace(who) != Some(who)).then(|| self.wanted.get(&who).copied())
    }

    /// Somebody left. Returns whether the terminal was theirs.
    pub fn left(&mut self, who: MemberId) -> bool {
        self.wanted.remove(&who);
        let was_theirs = self.driver == Some(who);
        self.driver.take_if(|driver| *driver == who);
        was_theirs
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
        assert!(lease.left(BOB) && !lease.left(BOB));
        assert_eq!(lease.driver, None);
        assert!(lease.wants(ADA, NARROW), "it was nobody's");
        assert_eq!(lease.types(BOB), Some(None), "who left and came back has said no size yet");
    }

    #[test]
    fn a_locked_terminal_is_touched_by_its_opener_alone_and_unlocked_by_owners_too() {
        let mut lease = Lease::opened_by(ADA, WIDE);
        assert!(lease.lock(BOB, Role::Editor, true).is_err());
        assert_eq!(lease.lock(ADA, Role::Editor, true), Ok(true));
        assert_eq!(lease.lock(ADA, Role::Editor, true), Ok(false));
        assert!(lease.check(ADA).is_ok() && lease.check(BOB).is_err());
        assert_eq!(lease.lock(BOB, Role::Owner, false), Ok(true));
        assert!(lease.check(BOB).is_ok());
        let mut found = Lease::default();
        assert!(found.lock(ADA, Role::Editor, true).is_err());
        assert_eq!(found.lock(BOB, Role::Owner, true), Ok(true));
        assert!(found.check(BOB).is_ok() && found.check(ADA).is_err());
    }
}
