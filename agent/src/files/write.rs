//! Changing one entry: write, create, rename.
//!
//! A file is written under a temporary name beside it and renamed, so that whoever reads sees the old or the new
//! content and never half of it.

use std::os::fd::OwnedFd;

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::{Create, EntryKind, Item, Rename, Version, Write, Written};
use embedenv_shared::path::WorkspacePath;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::beneath::{self, FILE_MODE, FOLDER_MODE, Home, Place};
use super::failure;

pub fn write(home: &Home, request: &Write) -> Result<Written, Failure> {
    let path = &request.path;
    let name = path.name().ok_or_else(failure::is_root)?;
    let parent = path.parent().ok_or_else(failure::is_root)?;
    let folder = beneath::make_folders(&home.project(&request.project)?, &parent)?;
    let place = Place { folder, name };
    let fail = |errno| failure::on(path, errno);
    let existing = replaceable(&place, path)?;
    expect(path, existing.as_ref(), request.expected.as_ref())?;
    let temporary = beneath::temporary_name();
    let file = stage(&place.folder, &temporary, &request.content, existing.as_ref()).map_err(fail)?;
    let finish = || {
        if request.expected.is_some() {
            // Looked at once more, as late as can be.
            expect(path, replaceable(&place, path)?.as_ref(), request.expected.as_ref())?;
        }
        rustix::fs::renameat(&place.folder, &temporary, &place.folder, place.name).map_err(fail)?;
        rustix::fs::fstat(&file).map_err(fail)
    };
    match finish() {
        Ok(stat) => Ok(Written { version: beneath::version(&stat) }),
        Err(failure) => {
            // If it can't be removed either, it stays unseen.
            let _ = rustix::fs::unlinkat(&place.folder, &temporary, AtFlags::empty());
            Err(failure)
        }
    }
}

/// What a file written to `place` replaces: nothing, a file or a link.
pub fn replaceable(place: &Place<'_>, path: &WorkspacePath) -> Result<Option<Stat>, Failure> {
    let existing = beneath::look(&place.folder, place.name).map_err(|errno| failure::on(path, errno))?;
    match existing.as_ref().map(beneath::kind) {
        None | Some(EntryKind::File | EntryKind::Link) => Ok(existing),
        Some(EntryKind::Folder) => Err(failure::on(path, Errno::ISDIR)),
        Some(EntryKind::Other) => Err(failure::not_regular(path.as_str())),
    }
}

fn expect(path: &WorkspacePath, existing: Option<&Stat>, expected: Option<&Option<Version>>) -> Result<(), Failure> {
    match expected {
        Some(expected) if existing.map(beneath::version) != *expected => Err(failure::changed(path)),
        _ => Ok(()),
    }
}

/// Writes a new file, with the mode of the regular file it is to replace. Nothing is left of it if that fails.
pub fn stage(folder: &OwnedFd, name: &str, content: &[u8], replaced: Option<&Stat>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, FILE_MODE)?;
    let fill = || {
        let mut rest = content;
        while !rest.is_empty() {
            match rustix::io::write(&file, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        match replaced {
            Some(stat) if beneath::kind(stat) == EntryKind::File => {
                rustix::fs::fchmod(&file, Mode::from_raw_mode(stat.st_mode))
            }
            _ => Ok(()),
        }
    };
    match fill() {
        Ok(()) => Ok(file),
        Err(errno) => {
            let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
            Err(errno)
        }
    }
}

pub fn create(home: &Home, request: &Create) -> Result<(), Failure> {
    let place = beneath::place(&home.project(&request.project)?, &request.path)?;
    match request.item {
        Item::Folder => rustix::fs::mkdirat(&place.folder, place.name, FOLDER_MODE),
        Item::File => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&place.folder, place.name, flags, FILE_MODE).map(drop)
        }
    }
    .map_err(|errno| failure::on(&request.path, errno))
}

pub fn rename(home: &Home, request: &Rename) -> Result<(), Failure> {
    let place = beneath::place(&home.project(&request.project)?, &request.path)?;
    let new = request.path.with_name(&request.name)?;
    rustix::fs::renameat_with(&place.folder, place.name, &place.folder, request.name.as_str(), RenameFlags::NOREPLACE)
        .map_err(|errno| match errno {
            Errno::EXIST | Errno::NAMETOOLONG => failure::on(&new, errno),
            _ => failure::on(&request.path, errno),
        })
}
