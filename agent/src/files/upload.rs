//! Files that come in pieces. What has come of one lies in a hidden folder of the home, under the name that the client
//! gave the upload, until it is whole and moved into its place. Nothing else is kept: how long that file is says where
//! the upload stands, whatever became of the link or the server meanwhile.

use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::UploadKey;
use embedenv_shared::link::files::{EntryKind, Version};
use embedenv_shared::link::transfer::{MAX_PIECE, MAX_UNFINISHED, MAX_UPLOAD, Upload, UploadPiece};
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::beneath::{self, FILE_MODE, HOLD, Home, Place};
use super::{failure, list, write};
use crate::limits::disk::Disk;

/// Where unfinished uploads lie, in the home; no list of projects names it.
const FOLDER: &str = ".embedenv-uploads.tmp";
/// An upload that nothing was added to for this long is forgotten when another begins.
const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// Begins an upload or goes on with it, and says how much of it is there.
pub fn begin(home: &Home, disk: &Disk, upload: &Upload) -> Result<u64, Failure> {
    let Upload { project, path, size, .. } = upload;
    if *size > MAX_UPLOAD {
        let message = format!("{path} has {size} bytes, and a file that is uploaded has at most {MAX_UPLOAD}");
        return Err(Failure::new(ErrorCode::TooLarge, message));
    }
    let parent = path.parent().ok_or_else(failure::is_root)?;
    match beneath::beneath(&home.project(project)?, parent.as_str(), HOLD, Mode::empty()) {
        // Told before anything is sent for nothing; looked at again in the end.
        Ok(folder) => {
            let name = path.name().ok_or_else(failure::is_root)?;
            free(&Place { folder, name }, upload)?;
        }
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(failure::on(&parent, errno)),
    }
    let fail = |errno| failure::on(path, errno);
    let folder = folder(home).map_err(fail)?;
    if sweep(&folder).map_err(fail)? >= MAX_UNFINISHED {
        let message = format!("the workspace has {MAX_UNFINISHED} unfinished uploads already");
        return Err(Failure::new(ErrorCode::LimitReached, message));
    }
    let (file, stat) = match open(&folder, &upload.key, OFlags::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => {
            disk.fits(*size, 1)?;
            open(&folder, &upload.key, OFlags::CREATE | OFlags::EXCL).map_err(fail)?
        }
        Err(errno) => return Err(fail(errno)),
    };
    let there = u64::try_from(stat.st_size).unwrap_or(0);
    if there == 0 && *size > 0 {
        // All of the room is taken now, so that a full disk is told at once. Where that can't be done, it is found out.
        if let Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) =
            rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, *size)
        {
            remove(&folder, &upload.key);
            return Err(fail(Errno::NOSPC));
        }
    }
    if there > *size {
        // Another file under the same name.
        rustix::fs::ftruncate(&file, 0).map_err(fail)?;
        return Ok(0);
    }
    Ok(there)
}

/// Takes the next bytes of an upload, and says how much of it is there now.
pub fn piece(home: &Home, disk: &Disk, piece: &UploadPiece) -> Result<u64, Failure> {
    let UploadPiece { key, size, offset, bytes } = piece;
    let fail = |errno| failure::at("the file", errno);
    let folder = folder(home).map_err(fail)?;
    let (file, stat) = open(&folder, key, OFlags::empty()).map_err(|errno| match errno {
        Errno::NOENT => lost(),
        _ => fail(errno),
    })?;
    let there = u64::try_from(stat.st_size).unwrap_or(0);
    let end = offset.saturating_add(bytes.len() as u64);
    if bytes.len() > MAX_PIECE || end > *size {
        return Err(Failure::new(ErrorCode::TooLarge, "a piece of an upload is longer than it may be"));
    }
    if end <= there {
        // Sent again.
        return Ok(there);
    }
    if *offset != there {
        let message = format!("the upload stands at {there} and not at {offset}");
        return Err(Failure::new(ErrorCode::Conflict, message));
    }
    let written = if disk.is_over() { Err(Errno::NOSPC) } else { write_at(&file, bytes, there) };
    written.map(|()| end).map_err(|errno| {
        if matches!(errno, Errno::NOSPC | Errno::DQUOT) {
            // It never will be whole; there is room again for what else is to be saved.
            remove(&folder, key);
        } else {
            // Half a piece is none.
            let _ = rustix::fs::ftruncate(&file, there);
        }
        fail(errno)
    })
}

/// Moves an upload that is whole into its place.
pub fn finish(home: &Home, upload: &Upload) -> Result<Version, Failure> {
    let Upload { project, path, key, size, overwrite } = upload;
    let fail = |errno| failure::on(path, errno);
    let unfinished = folder(home).map_err(fail)?;
    let (file, stat) = open(&unfinished, key, OFlags::empty()).map_err(|errno| match errno {
        Errno::NOENT => lost(),
        _ => fail(errno),
    })?;
    if u64::try_from(stat.st_size).unwrap_or(0) != *size {
        let message = format!("{path} is not whole: {} of its {size} bytes are here", stat.st_size);
        return Err(Failure::new(ErrorCode::Conflict, message));
    }
    let name = path.name().ok_or_else(failure::is_root)?;
    let parent = path.parent().ok_or_else(failure::is_root)?;
    let place = Place { folder: beneath::make_folders(&home.project(project)?, &parent)?, name };
    let existing = free(&place, upload)?;
    let mode = match existing {
        Some(stat) if beneath::kind(&stat) == EntryKind::File => Mode::from_raw_mode(stat.st_mode),
        _ => FILE_MODE.difference(Mode::from_raw_mode(0o022)),
    };
    rustix::fs::fchmod(&file, mode).map_err(fail)?;
    let flags = if *overwrite { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    rustix::fs::renameat_with(&unfinished, file_name(key), &place.folder, place.name, flags).map_err(fail)?;
    rustix::fs::fstat(&file).map(|stat| beneath::version(&stat)).map_err(fail)
}

pub fn abort(home: &Home, key: &UploadKey) -> Result<(), Failure> {
    let folder = folder(home).map_err(|errno| failure::at("the upload", errno))?;
    remove(&folder, key);
    Ok(())
}

/// What the upload replaces; something that it may not replace is an error.
fn free(place: &Place<'_>, upload: &Upload) -> Result<Option<Stat>, Failure> {
    let existing = write::replaceable(place, &upload.path)?;
    if existing.is_some() && !upload.overwrite {
        return Err(failure::on(&upload.path, Errno::EXIST));
    }
    Ok(existing)
}

fn lost() -> Failure {
    Failure::new(ErrorCode::NotFound, "nothing is left of this upload; begin it again")
}

fn file_name(key: &UploadKey) -> String {
    format!(".embedenv-{}.tmp", key.as_str())
}

/// The folder of unfinished uploads. A program may have put something else there: then there are none.
fn folder(home: &Home) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(home.folder(), FOLDER, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    beneath::beneath(home.folder(), FOLDER, flags, Mode::empty())
}

fn open(folder: &OwnedFd, key: &UploadKey, more: OFlags) -> Result<(OwnedFd, Stat), Errno> {
    // Nothing here waits for a pipe that a program put there.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | more;
    let file = rustix::fs::openat(folder, file_name(key), flags, Mode::RUSR | Mode::WUSR)?;
    let stat = rustix::fs::fstat(&file)?;
    // A second name of some other file is none of ours.
    if beneath::kind(&stat) != EntryKind::File || stat.st_nlink != 1 {
        return Err(Errno::LOOP);
    }
    Ok((file, stat))
}

fn write_at(file: &OwnedFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn remove(folder: &OwnedFd, key: &UploadKey) {
    // If it can't be removed, it stays unseen.
    let _ = rustix::fs::unlinkat(folder, file_name(key), AtFlags::empty());
}

/// Removes what was left lying, and says how many uploads there are.
fn sweep(folder: &OwnedFd) -> Result<usize, Errno> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut count = 0;
    list::each_entry(folder, |name, _, _| {
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        let is_old = stat.is_ok_and(|stat| {
            let modified = Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or(0));
            now.saturating_sub(modified) > IDLE
        });
        if !(is_old && rustix::fs::unlinkat(folder, name, AtFlags::empty()).is_ok()) {
            count += 1;
        }
        true
    })?;
    Ok(count)
}
