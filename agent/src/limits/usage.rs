//! Counting what a folder holds: allocated bytes and entries.
//!
//! Holds two folders open however deep the tree is, follows no link and stays on one file system.

use std::collections::HashSet;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags};

use crate::files::list::each_entry;

/// Files with several names that are remembered, to be counted once; beyond that they count by name.
const MAX_LINKED: usize = 100_000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of allocated blocks.
    pub bytes: u64,
    pub inodes: u64,
}

/// A folder on the way down: what to go into after this.
struct Level {
    inode: u64,
    waiting: Vec<Vec<u8>>,
}

/// What there is in `root`, itself left out. What can't be looked into counts as itself. If a folder is moved away
/// under the count, the count ends there; the next one will see.
pub fn of(root: &OwnedFd) -> Usage {
    let mut usage = Usage::default();
    let mut linked = HashSet::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(mut at) = rustix::fs::openat(root, ".", flags, Mode::empty()) else { return usage };
    let Ok(stat) = rustix::fs::fstat(&at) else { return usage };
    let device = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let waiting = count(&at, device, &mut usage, &mut linked);
    let mut levels = vec![Level { inode: stat.st_ino, waiting }];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.waiting.pop() {
            let Ok(within) = rustix::fs::openat(&at, name.as_slice(), flags, Mode::empty()) else { continue };
            let Ok(stat) = rustix::fs::fstat(&within) else { continue };
            at = within;
            let waiting = count(&at, device, &mut usage, &mut linked);
            levels.push(Level { inode: stat.st_ino, waiting });
            continue;
        }
        levels.pop();
        let Some(above) = levels.last() else { break };
        match rustix::fs::openat(&at, "..", flags, Mode::empty()) {
            Ok(up) if rustix::fs::fstat(&up).is_ok_and(|stat| stat.st_ino == above.inode) => at = up,
            _ => break,
        }
    }
    usage
}

/// Counts the entries of one folder; returns the folders among them.
fn count(folder: &OwnedFd, device: (u32, u32), usage: &mut Usage, linked: &mut HashSet<u64>) -> Vec<Vec<u8>> {
    let mut folders = Vec::new();
    let wanted = StatxFlags::TYPE | StatxFlags::BLOCKS | StatxFlags::NLINK | StatxFlags::INO;
    // What was counted before an error counts.
    let _ = each_entry(folder, |name, _, _| {
        let Ok(stat) = rustix::fs::statx(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT, wanted)
        else {
            return true;
        };
        if (stat.stx_dev_major, stat.stx_dev_minor) != device {
            return true;
        }
        let is_folder = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Directory;
        let again = !is_folder && stat.stx_nlink > 1 && {
            let known = linked.contains(&stat.stx_ino);
            if !known && linked.len() < MAX_LINKED {
                linked.insert(stat.stx_ino);
            }
            known
        };
        if !again {
            usage.bytes += stat.stx_blocks * 512;
            usage.inodes += 1;
        }
        if is_folder {
            folders.push(name.to_vec());
        }
        true
    });
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_trees_and_hard_links_are_counted_right() {
        let folder = tempfile::tempdir().unwrap();
        let mut path = folder.path().to_owned();
        for _ in 0..100 {
            path.push("d");
            std::fs::create_dir(&path).unwrap();
        }
        std::fs::write(path.join("f"), [1; 10_000]).unwrap();
        std::fs::hard_link(path.join("f"), folder.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        let root = rustix::fs::open(folder.path(), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let usage = of(&root);
        assert_eq!(usage.inodes, 102);
        assert!(usage.bytes >= 10_000);
    }
}
