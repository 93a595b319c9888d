//! Giving an entry another place, and making a second one of it.
//!
//! A copy is made under a temporary name beside its place and renamed when it is whole, so that nobody sees half of it.
//! Links are copied as they are, never followed; what is neither file, folder nor link can't be copied.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::EntryKind;
use embedenv_shared::link::transfer::{Copy, MAX_COPY_BYTES, MAX_COPY_ENTRIES, Move};
use embedenv_shared::path::{MAX_DEPTH, WorkspacePath};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::beneath::{self, HOLD, Home, Place};
use super::{delete, failure, list};
use crate::limits::disk::Disk;

/// How long a copy may take; then nothing is left of it. The server waits a little longer.
const LIMIT: Duration = Duration::from_secs(110);
/// Bytes read and written at once.
const BUFFER: usize = 256 * 1024;
/// What a file takes at least.
const BLOCK: u64 = 4096;
/// Bits of a mode that a copy gets; it is nobody else's program.
const PERMISSIONS: u32 = 0o777;

pub fn relocate(home: &Home, request: &Move) -> Result<(), Failure> {
    let Move { project, from, to } = request;
    outside(from, to)?;
    let project = home.project(project)?;
    let (old, new) = (beneath::place(&project, from)?, beneath::place(&project, to)?);
    rustix::fs::renameat_with(&old.folder, old.name, &new.folder, new.name, RenameFlags::NOREPLACE).map_err(|errno| {
        match errno {
            // Through a link its new place is in itself.
            Errno::INVAL => into_itself(from),
            Errno::EXIST | Errno::NAMETOOLONG => failure::on(to, errno),
            _ => failure::on(from, errno),
        }
    })
}

pub fn copy(home: &Home, disk: &Disk, request: &Copy) -> Result<(), Failure> {
    let Copy { project, from, to } = request;
    outside(from, to)?;
    let project = home.project(project)?;
    let (old, new) = (beneath::place(&project, from)?, beneath::place(&project, to)?);
    let is_free = || match beneath::look(&new.folder, new.name) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(failure::on(to, Errno::EXIST)),
        Err(errno) => Err(failure::on(to, errno)),
    };
    is_free()?;
    let mut looked = Walk::new(None);
    looked.entry(&old, from)?;
    disk.fits(looked.bytes, looked.entries)?;
    let stage = beneath::temporary_name();
    let finish = || {
        let mut walk = Walk::new(Some(&new.folder));
        walk.entry_as(&old.folder, old.name.as_bytes(), &new.folder, stage.as_bytes(), from, 0)?;
        let flags = RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(&new.folder, stage.as_str(), &new.folder, new.name, flags)
            .map_err(|errno| failure::on(to, errno))
    };
    finish().inspect_err(|_| {
        // If something can't be removed, it stays unseen.
        let _ = delete::remove(&new.folder, stage.as_bytes());
    })
}

/// Refuses to put an entry into itself.
fn outside(from: &WorkspacePath, to: &WorkspacePath) -> Result<(), Failure> {
    if to != from && to.is_within(from) { Err(into_itself(from)) } else { Ok(()) }
}

fn into_itself(path: &WorkspacePath) -> Failure {
    Failure::new(ErrorCode::BadPath, format!("{path} can't be put into itself"))
}

/// One walk over an entry and all it holds: counting it, or copying it too.
struct Walk {
    copies: bool,
    entries: u64,
    bytes: u64,
    begun: Instant,
    buffer: Vec<u8>,
}

impl Walk {
    /// With somewhere to copy to it copies.
    fn new(to: Option<&OwnedFd>) -> Self {
        let buffer = if to.is_some() { vec![0; BUFFER] } else { Vec::new() };
        Self { copies: to.is_some(), entries: 0, bytes: 0, begun: Instant::now(), buffer }
    }

    fn entry(&mut self, place: &Place<'_>, path: &WorkspacePath) -> Result<(), Failure> {
        self.entry_as(&place.folder, place.name.as_bytes(), &place.folder, b"", path, 0)
    }

    /// Takes the entry `name` of `from`; its copy is `new` in `to`. `top` is what failures are told of.
    fn entry_as(
        &mut self,
        from: &OwnedFd,
        name: &[u8],
        to: &OwnedFd,
        new: &[u8],
        top: &WorkspacePath,
        depth: usize,
    ) -> Result<(), Failure> {
        let shown = || {
            if depth == 0 { top.to_string() } else { format!("{} in {top}", String::from_utf8_lossy(name)) }
        };
        let fail = |errno| failure::at(&shown(), errno);
        let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
        let kind = beneath::kind(&stat);
        let size = if kind == EntryKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        self.count(size, top)?;
        let mode = Mode::from_raw_mode(stat.st_mode & PERMISSIONS);
        match kind {
            EntryKind::Other => Err(failure::not_regular(&shown())),
            EntryKind::Link if self.copies => {
                let target = rustix::fs::readlinkat(from, name, Vec::new()).map_err(fail)?;
                rustix::fs::symlinkat(target.as_c_str(), to, new).map_err(fail)
            }
            EntryKind::File if self.copies => self.file(from, name, to, new, mode, size).map_err(fail),
            EntryKind::Link | EntryKind::File => Ok(()),
            EntryKind::Folder => {
                if depth >= MAX_DEPTH {
                    let message = format!("{top} is deeper than {MAX_DEPTH} levels");
                    return Err(Failure::new(ErrorCode::TooLarge, message));
                }
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let within = rustix::fs::openat(from, name, flags, Mode::empty()).map_err(fail)?;
                let made = if self.copies {
                    rustix::fs::mkdirat(to, new, Mode::RWXU).map_err(fail)?;
                    Some(rustix::fs::openat(to, new, HOLD | OFlags::NOFOLLOW, Mode::empty()).map_err(fail)?)
                } else {
                    None
                };
                for name in names(&within).map_err(fail)? {
                    let to = made.as_ref().unwrap_or(to);
                    match self.entry_as(&within, &name, to, &name, top, depth + 1) {
                        // It went away meanwhile.
                        Err(failure) if failure.code == ErrorCode::NotFound => {}
                        other => other?,
                    }
                }
                if self.copies {
                    rustix::fs::chmodat(to, new, mode, AtFlags::empty()).map_err(fail)?;
                }
                Ok(())
            }
        }
    }

    fn count(&mut self, size: u64, top: &WorkspacePath) -> Result<(), Failure> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(size.next_multiple_of(BLOCK));
        let too_large = |message: String| Err(Failure::new(ErrorCode::TooLarge, message));
        if self.entries > MAX_COPY_ENTRIES {
            return too_large(format!("{top} has more than the {MAX_COPY_ENTRIES} entries that one copy makes"));
        }
        if self.bytes > MAX_COPY_BYTES {
            return too_large(format!("{top} has more than the {MAX_COPY_BYTES} bytes that one copy makes"));
        }
        if self.begun.elapsed() > LIMIT {
            return Err(Failure::new(ErrorCode::TimedOut, format!("copying {top} took too long")));
        }
        Ok(())
    }

    /// Copies at most as many bytes of a file as were counted: one that grows without end comes to an end.
    fn file(
        &mut self,
        from: &OwnedFd,
        name: &[u8],
        to: &OwnedFd,
        new: &[u8],
        mode: Mode,
        size: u64,
    ) -> Result<(), Errno> {
        // It was a regular file a moment ago; a pipe in its place is not waited for.
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let source = rustix::fs::openat(from, name, read, Mode::empty())?;
        let make = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = rustix::fs::openat(to, new, make, Mode::RUSR | Mode::WUSR)?;
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            match rustix::io::read(&source, &mut self.buffer[..most]) {
                Ok(0) => break,
                Ok(count) => {
                    write_all(&copy, &self.buffer[..count])?;
                    left -= count as u64;
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        rustix::fs::fchmod(&copy, mode)
    }
}

/// The names in a folder, but for what is unfinished.
fn names(folder: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    list::each_entry(folder, |name, _, _| {
        if !beneath::is_temporary(name) {
            names.push(name.to_vec());
        }
        names.len() as u64 <= MAX_COPY_ENTRIES
    })?;
    Ok(names)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
