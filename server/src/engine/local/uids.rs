//! Host users for sandboxes, when the server is root: each room's home belongs to one of its own, and that ownership is
//! the only lasting record of it.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

#[derive(Debug)]
pub(super) struct Uids {
    first: u32,
    count: u32,
    /// Who has which home.
    taken: Mutex<BTreeMap<u32, PathBuf>>,
}

impl Uids {
    /// Reads from the homes there are which users are taken.
    pub(super) fn new(rooms: &Path, first: u32, count: u32) -> io::Result<Self> {
        let mut taken = BTreeMap::new();
        for entry in rooms.read_dir()? {
            let home = entry?.path().join("home");
            if let Ok(meta) = home.symlink_metadata() {
                taken.insert(meta.uid(), home);
            }
        }
        Ok(Self { first, count, taken: Mutex::new(taken) })
    }

    /// The user of a home, which gets one if it has none yet.
    pub(super) fn of(&self, home: &Path) -> io::Result<u32> {
        let owner = home.symlink_metadata()?.uid();
        if (self.first..self.first + self.count).contains(&owner) {
            return Ok(owner);
        }
        let uid = {
            let mut taken = self.taken.lock();
            let free = (self.first..self.first + self.count).find(|uid| !taken.contains_key(uid));
            let uid = free.ok_or_else(|| io::Error::other("every host user of the range is taken"))?;
            taken.insert(uid, home.to_owned());
            uid
        };
        std::os::unix::fs::chown(home, Some(uid), Some(uid))?;
        Ok(uid)
    }

    /// The user of a home that was removed serves another.
    pub(super) fn free(&self, home: &Path) {
        self.taken.lock().retain(|_, taken| taken != home);
    }
}
