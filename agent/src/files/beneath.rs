//! Opening what lies beneath a project's folder and nothing else.
//!
//! Every path is resolved by the kernel with `RESOLVE_BENEATH` from the project's descriptor, at the moment it is
//! used: neither `..` nor a link nor a rename in between leads out. What an operation then does, it does by
//! descriptor, or by one name in a folder it holds open. Nothing here ever waits for a named pipe or a device.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::{EntryKind, Version};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::failure;

/// How often a path is looked up again that was being renamed meanwhile (the kernel then gives up by itself).
const RETRIES: usize = 32;
/// How a folder is held to work in it: it need not be readable.
pub const HOLD: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Modes of what is made, before the umask.
pub const FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);
pub const FILE_MODE: Mode = Mode::from_raw_mode(0o666);
/// Names of unfinished files and folders begin and end like this; no listing shows them.
const TEMPORARY: (&str, &str) = (".embedenv-", ".tmp");

/// The sandbox user's home: projects are its folders.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    folder: OwnedFd,
}

/// An entry's folder, held open, and its name in it.
#[derive(Debug)]
pub struct Place<'a> {
    pub folder: OwnedFd,
    pub name: &'a str,
}

impl Home {
    pub fn open(path: PathBuf) -> Result<Self, Errno> {
        let folder = rustix::fs::open(&path, HOLD, Mode::empty())?;
        Ok(Self { path, folder })
    }

    /// Whether this kernel can do what all file work here stands on.
    pub fn can_resolve(&self) -> Result<(), Errno> {
        beneath(&self.folder, "", HOLD, Mode::empty()).map(drop)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn folder(&self) -> &OwnedFd {
        &self.folder
    }

    /// A project's folder, made if it is missing.
    pub fn project(&self, name: &ProjectName) -> Result<OwnedFd, Failure> {
        let fail = |errno| failure::at(&format!("the project {name}"), errno);
        match beneath(&self.folder, name.as_str(), HOLD, Mode::empty()) {
            Err(Errno::NOENT) => {}
            other => return other.map_err(fail),
        }
        match rustix::fs::mkdirat(&self.folder, name.as_str(), FOLDER_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(fail(errno)),
        }
        beneath(&self.folder, name.as_str(), HOLD, Mode::empty()).map_err(fail)
    }
}

/// Opens `path` beneath `folder`; links are followed as long as they stay there.
pub fn beneath(folder: &OwnedFd, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let path = if path.is_empty() { "." } else { path };
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(folder, path, flags | OFlags::CLOEXEC, mode, resolve) {
            Err(Errno::AGAIN | Errno::INTR) if tries < RETRIES => tries += 1,
            other => return other,
        }
    }
}

/// What `path` leads to, not opened.
pub fn hold(project: &OwnedFd, path: &WorkspacePath) -> Result<(OwnedFd, Stat), Failure> {
    let fail = |errno| failure::on(path, errno);
    let held = beneath(project, path.as_str(), OFlags::PATH, Mode::empty()).map_err(fail)?;
    let stat = rustix::fs::fstat(&held).map_err(fail)?;
    Ok((held, stat))
}

/// Opens a regular file for reading.
pub fn file(project: &OwnedFd, path: &WorkspacePath) -> Result<(OwnedFd, Stat), Failure> {
    // Looked at before it is opened: opening a named pipe or a device would do something to it.
    regular(path, &hold(project, path)?.1)?;
    let fail = |errno| failure::on(path, errno);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = beneath(project, path.as_str(), flags, Mode::empty()).map_err(fail)?;
    let stat = rustix::fs::fstat(&opened).map_err(fail)?;
    regular(path, &stat)?;
    Ok((opened, stat))
}

/// Opens a folder for reading.
pub fn folder(project: &OwnedFd, path: &WorkspacePath) -> Result<OwnedFd, Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    beneath(project, path.as_str(), flags, Mode::empty()).map_err(|errno| failure::on(path, errno))
}

/// Where an entry stands or is to stand. Its folder must exist.
pub fn place<'a>(project: &OwnedFd, path: &'a WorkspacePath) -> Result<Place<'a>, Failure> {
    let name = path.name().ok_or_else(failure::is_root)?;
    let parent = path.parent().ok_or_else(failure::is_root)?;
    let folder = beneath(project, parent.as_str(), HOLD, Mode::empty()).map_err(|errno| failure::on(&parent, errno))?;
    Ok(Place { folder, name })
}

/// Opens a folder beneath a project, making what is missing of it.
pub fn make_folders(project: &OwnedFd, path: &WorkspacePath) -> Result<OwnedFd, Failure> {
    match beneath(project, path.as_str(), HOLD, Mode::empty()) {
        Err(Errno::NOENT) => {}
        other => return other.map_err(|errno| failure::on(path, errno)),
    }
    let mut at = WorkspacePath::root();
    let mut held = beneath(project, "", HOLD, Mode::empty()).map_err(|errno| failure::on(&at, errno))?;
    for part in path.parts() {
        let parsed = embedenv_shared::path::EntryName::parse(part)?;
        at = at.join(&parsed)?;
        match rustix::fs::mkdirat(&held, part, FOLDER_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failure::on(&at, errno)),
        }
        // From the project's folder again: a link may lead up as long as it stays beneath.
        held = beneath(project, at.as_str(), HOLD, Mode::empty()).map_err(|errno| failure::on(&at, errno))?;
    }
    Ok(held)
}

/// What stands under a name, links not followed; `None` if nothing does.
pub fn look(folder: &OwnedFd, name: &str) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Whether there is a regular file.
pub fn regular(path: &WorkspacePath, stat: &Stat) -> Result<(), Failure> {
    match kind(stat) {
        EntryKind::File => Ok(()),
        EntryKind::Folder => Err(failure::on(path, Errno::ISDIR)),
        EntryKind::Link | EntryKind::Other => Err(failure::not_regular(path.as_str())),
    }
}

pub fn kind(stat: &Stat) -> EntryKind {
    kind_of(FileType::from_raw_mode(stat.st_mode))
}

pub fn kind_of(file_type: FileType) -> EntryKind {
    match file_type {
        FileType::Directory => EntryKind::Folder,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

pub fn version(stat: &Stat) -> Version {
    let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
    let modified = seconds.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec);
    Version { size: u64::try_from(stat.st_size).unwrap_or(0), modified, inode: stat.st_ino }
}

/// A name for something unfinished that nothing else has.
pub fn temporary_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut random = [0; 4];
    // Without randomness the counter alone serves: names are made exclusively, a clash is an error and not a danger.
    let _ = getrandom::fill(&mut random);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}{:08x}{number:04x}{}", TEMPORARY.0, u32::from_ne_bytes(random), TEMPORARY.1)
}

pub fn is_temporary(name: &[u8]) -> bool {
    name.starts_with(TEMPORARY.0.as_bytes()) && name.ends_with(TEMPORARY.1.as_bytes())
}
