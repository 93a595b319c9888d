//! Looking: projects, pages of folders, what an entry is, pieces of files.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::{
    Content, Entry, EntryKind, Listing, MAX_LISTING, MAX_READ, ProjectList, Read, StatFile, Stated,
};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, StatxFlags};
use rustix::io::Errno;

use super::beneath::{self, Home};
use super::failure;

/// Bytes of names in one page; beyond that it ends, so that its frame stays below what an agent may send.
const MAX_LISTING_BYTES: usize = 768 * 1024;
/// Bytes of directory entries taken from the kernel at once.
const DIRECTORY_BUFFER: usize = 32 * 1024;
/// Projects told of at most.
const MAX_PROJECTS: usize = 4096;

pub fn projects(home: &Home) -> Result<ProjectList, Failure> {
    let fail = |errno| failure::at("the home", errno);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let folder = beneath::beneath(home.folder(), "", flags, Mode::empty()).map_err(fail)?;
    let mut projects = Vec::new();
    each_entry(&folder, |name, file_type, _| {
        if name.first() != Some(&b'.')
            && is_folder(&folder, name, file_type)
            && let Ok(text) = std::str::from_utf8(name)
            && let Ok(project) = ProjectName::parse(text)
        {
            projects.push(project);
        }
        projects.len() < MAX_PROJECTS
    })
    .map_err(fail)?;
    projects.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok(ProjectList { projects })
}

/// One page of a folder that was opened for reading.
pub fn page(folder: &OwnedFd, path: &WorkspacePath, after: Option<u64>) -> Result<Listing, Failure> {
    let fail = |errno| failure::on(path, errno);
    if let Some(after) = after {
        rustix::fs::seek(folder, SeekFrom::Start(after)).map_err(fail)?;
    }
    let mut entries = Vec::new();
    let mut bytes = 0;
    let mut next = None;
    let mut cookie = after;
    each_entry(folder, |name, file_type, end| {
        if beneath::is_temporary(name) {
            cookie = Some(end);
            return true;
        }
        let text = String::from_utf8_lossy(name);
        if entries.len() == MAX_LISTING || bytes + text.len() > MAX_LISTING_BYTES {
            next = cookie;
            return false;
        }
        // One that went away meanwhile is not there any more.
        if let Some(entry) = entry(folder, name, text.into_owned(), file_type) {
            bytes += entry.name.len();
            entries.push(entry);
        }
        cookie = Some(end);
        true
    })
    .map_err(fail)?;
    entries
        .sort_unstable_by(|a, b| (a.kind != EntryKind::Folder, &a.name).cmp(&(b.kind != EntryKind::Folder, &b.name)));
    Ok(Listing { entries, next })
}

pub fn stat(home: &Home, request: &StatFile) -> Result<Stated, Failure> {
    let (_, stat) = beneath::hold(&home.project(&request.project)?, &request.path)?;
    Ok(Stated { kind: beneath::kind(&stat), version: beneath::version(&stat) })
}

pub fn read(home: &Home, request: &Read) -> Result<Content, Failure> {
    let (file, _) = beneath::file(&home.project(&request.project)?, &request.path)?;
    let fail = |errno| failure::on(&request.path, errno);
    let mut bytes = vec![0; request.length.min(MAX_READ) as usize];
    let mut length = 0;
    while length < bytes.len() {
        match rustix::io::pread(&file, &mut bytes[length..], request.offset.saturating_add(length as u64)) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(Errno::INTR) => {}
            // An offset beyond what the kernel counts to is beyond the file's end.
            Err(Errno::INVAL | Errno::OVERFLOW) if request.offset > i64::MAX as u64 - u64::from(MAX_READ) => break,
            Err(errno) => return Err(fail(errno)),
        }
    }
    bytes.truncate(length);
    // Taken after the reading: a change meanwhile shows in the version.
    let stat = rustix::fs::fstat(&file).map_err(fail)?;
    Ok(Content { version: beneath::version(&stat), bytes })
}

/// Calls `each` with name, type and the cookie after every entry but `.` and `..`, until it returns `false`.
pub fn each_entry(folder: impl AsFd, mut each: impl FnMut(&[u8], FileType, u64) -> bool) -> Result<(), Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); DIRECTORY_BUFFER];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !each(name, entry.file_type(), entry.next_entry_cookie()) {
            break;
        }
    }
    Ok(())
}

fn entry(folder: &OwnedFd, name: &[u8], text: String, file_type: FileType) -> Option<Entry> {
    let wanted = StatxFlags::TYPE | StatxFlags::SIZE | StatxFlags::MTIME;
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let (kind, size, modified) = match rustix::fs::statx(folder, name, flags, wanted) {
        Ok(stat) => {
            let seconds = u64::try_from(stat.stx_mtime.tv_sec).unwrap_or(0);
            let modified = seconds.saturating_mul(1000) + u64::from(stat.stx_mtime.tv_nsec / 1_000_000);
            let file_type = FileType::from_raw_mode(stat.stx_mode.into());
            (beneath::kind_of(file_type), stat.stx_size, modified)
        }
        Err(Errno::NOENT) => return None,
        // It is there, whatever keeps it from being looked at.
        Err(_) => (beneath::kind_of(file_type), 0, 0),
    };
    Some(Entry { name: text, kind, size: if kind == EntryKind::Folder { 0 } else { size }, modified })
}

fn is_folder(folder: &OwnedFd, name: &[u8], file_type: FileType) -> bool {
    match file_type {
        FileType::Directory => true,
        // Some file systems don't tell in the listing.
        FileType::Unknown => rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| beneath::kind(&stat) == EntryKind::Folder),
        _ => false,
    }
}
