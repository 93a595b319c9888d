//! Removing an entry with all it holds.
//!
//! Never follows a link, holds two folders open however deep the tree is, and keeps no list of what is in it: a folder
//! within a folder is moved up to the top before it is emptied.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::Delete;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::beneath::{self, Home};
use super::{failure, list};

/// How long a folder is emptied; one that a program keeps filling stays.
const LIMIT: Duration = Duration::from_secs(300);
/// Rights that the owner needs in a folder to empty it.
const OWNER: Mode = Mode::RWXU;

pub fn delete(home: &Home, request: &Delete) -> Result<(), Failure> {
    let place = beneath::place(&home.project(&request.project)?, &request.path)?;
    remove(&place.folder, place.name.as_bytes()).map_err(|errno| failure::on(&request.path, errno))
}

/// Removes the entry `name` of `folder`.
pub fn remove(folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        // Linux says EISDIR, POSIX allows EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        other => return other,
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::ACCESS) => {}
        other => return other,
    }
    let top = open(folder, name)?;
    let begun = Instant::now();
    // Every round empties the folders that it finds, whose own folders come up into the next round.
    while empty(&top, &top)? > 0 && begun.elapsed() < LIMIT {}
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}

/// Removes what is in `folder`, and moves up to `top` the folders within that are not empty. Returns how many
/// entries there were.
fn empty(top: &OwnedFd, folder: &OwnedFd) -> Result<usize, Errno> {
    let at_top = std::ptr::eq(top, folder);
    let mut count = 0;
    let mut failed = None;
    rustix::fs::seek(folder, rustix::fs::SeekFrom::Start(0))?;
    list::each_entry(folder, |name, file_type, _| {
        count += 1;
        let result = match file_type {
            FileType::Directory | FileType::Unknown => Err(Errno::ISDIR),
            _ => rustix::fs::unlinkat(folder, name, AtFlags::empty()),
        };
        let result = match result {
            Err(Errno::ISDIR | Errno::PERM) => remove_folder(top, folder, name, at_top),
            other => other,
        };
        match result {
            // Gone already is as good.
            Ok(()) | Err(Errno::NOENT) => true,
            Err(errno) => {
                failed = Some(errno);
                false
            }
        }
    })?;
    failed.map_or(Ok(count), Err)
}

fn remove_folder(top: &OwnedFd, folder: &OwnedFd, name: &[u8], at_top: bool) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::ACCESS) => {}
        // It was of a kind that the listing did not tell.
        Err(Errno::NOTDIR) => return rustix::fs::unlinkat(folder, name, AtFlags::empty()),
        other => return other,
    }
    let within = open(folder, name)?;
    if at_top {
        empty(top, &within)?;
        return match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
            // Somebody put something there; the next round finds it.
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            other => other,
        };
    }
    drop(within);
    rustix::fs::renameat(folder, name, top, beneath::temporary_name())
}

/// Opens a folder for emptying, giving its owner the rights for that if they are missing.
fn open(folder: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::openat(folder, name, flags | OFlags::PATH, Mode::empty())?;
    let stat = rustix::fs::fstat(&held)?;
    if !Mode::from_raw_mode(stat.st_mode).contains(OWNER) {
        use std::os::fd::AsRawFd as _;
        // By descriptor, so that no link is followed; if it may not be done, opening says so.
        let path = format!("/proc/self/fd/{}", held.as_raw_fd());
        let _ = rustix::fs::chmod(path, Mode::from_raw_mode(stat.st_mode) | OWNER);
    }
    rustix::fs::openat(&held, ".", flags | OFlags::RDONLY, Mode::empty())
}
