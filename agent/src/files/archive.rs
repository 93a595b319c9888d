//! A folder as a zip archive, made while it is read. Holds no more of it than a buffer and the list of what it wrote.
//!
//! Links are stored as links and never followed. What can't be read, and what is neither file, folder nor link, is left
//! out and named in a file of the archive's own. A file that grows meanwhile is cut at the size it had.
//!
//! Each archive has a thread, which waits for whoever takes its bytes, and ends with them.

use std::collections::HashSet;
use std::io::{self, BufWriter, Read as _, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::EntryKind;
use embedenv_shared::link::transfer::{Archive, MAX_ARCHIVE_ENTRIES, MAX_ARCHIVES};
use embedenv_shared::path::{MAX_DEPTH, WorkspacePath};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::net::SendFlags;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::beneath::{self, Home};
use super::list;

/// Bytes gathered before they are sent.
const BUFFER: usize = 64 * 1024;
/// The stack of an archive's thread.
const STACK: usize = 1024 * 1024;
/// The archive's own file that names what is missing.
const MISSING: &str = "NOT INCLUDED.txt";
/// Names that it lists; beyond that it says how many more there are.
const MAX_MISSING: usize = 1000;
/// Files of these kinds are packed already.
const PACKED: [&str; 24] = [
    "7z", "avif", "br", "bz2", "gif", "gz", "jar", "jpeg", "jpg", "lz4", "mov", "mp3", "mp4", "ogg", "pdf", "png",
    "tgz", "webm", "webp", "whl", "woff2", "xz", "zip", "zst",
];
/// Longer files are announced as such (zip64).
const LARGE: u64 = u32::MAX as u64 / 2;
/// Longest target of a link that is stored.
const MAX_TARGET: usize = 4096;

/// How many archives are being made.
#[derive(Debug, Clone, Default)]
pub struct Archives(Arc<AtomicUsize>);

/// One archive's place among them.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Archives {
    /// Begins to write an archive to `socket`. If it can't be whole, it has no end.
    pub fn begin(&self, home: Arc<Home>, request: Archive, socket: OwnedFd) -> Result<(), Failure> {
        let place = Place(self.0.clone());
        if self.0.fetch_add(1, Ordering::Relaxed) >= MAX_ARCHIVES {
            let message = format!("the workspace makes {MAX_ARCHIVES} archives already; wait for one of them");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        let write = move || {
            let _place = place;
            // Whoever reads sees that the end is missing.
            let _ = write(&home, &request, socket);
        };
        match std::thread::Builder::new().name("archive".into()).stack_size(STACK).spawn(write) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::new(ErrorCode::Unavailable, "the workspace has too much to do")),
        }
    }
}

fn write(home: &Home, request: &Archive, socket: OwnedFd) -> Result<(), Broken> {
    let project = home.project(&request.project).map_err(|_| Broken)?;
    let folder = beneath::folder(&project, &request.path).map_err(|_| Broken)?;
    let top = sanitised(request.path.name().unwrap_or(request.project.as_str()).as_bytes());
    let sink = BufWriter::with_capacity(BUFFER, Sink { socket, is_cut: false });
    let mut archive = Writing {
        zip: ZipWriter::new_stream(sink),
        names: HashSet::new(),
        missing: Vec::new(),
        more_missing: 0,
        buffer: vec![0; BUFFER],
    };
    if request.only.is_empty() {
        archive.folder(&folder, &format!("{top}/"), 0)?;
    }
    for path in &request.only {
        archive.chosen(&project, &request.path, path, &top)?;
    }
    archive.tell_missing(&top)?;
    let mut sink = archive.zip.finish()?.into_inner();
    sink.flush()?;
    Ok(())
}

/// The archive can't be finished: nobody takes it any more, or it has become too large.
#[derive(Debug)]
struct Broken;

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<zip::result::ZipError> for Broken {
    fn from(_: zip::result::ZipError) -> Self {
        Self
    }
}

struct Writing {
    zip: ZipWriter<StreamWriter<BufWriter<Sink>>>,
    /// What was named so far.
    names: HashSet<String>,
    missing: Vec<String>,
    more_missing: usize,
    buffer: Vec<u8>,
}

impl Writing {
    /// One entry of those that are wanted alone, where it stands within the folder.
    fn chosen(
        &mut self,
        project: &OwnedFd,
        folder: &WorkspacePath,
        path: &WorkspacePath,
        top: &str,
    ) -> Result<(), Broken> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(()) };
        let between = parent.as_str().strip_prefix(folder.as_str()).unwrap_or_default();
        let between = between.split('/').filter(|part| !part.is_empty()).map(|part| sanitised(part.as_bytes()) + "/");
        let prefix = format!("{top}/{}", between.collect::<String>());
        let within = beneath::folder(project, &parent);
        let stat = within.as_ref().ok().and_then(|within| {
            let stat = rustix::fs::statat(within, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some((within, stat))
        });
        let path = self.name(&prefix, name.as_bytes())?;
        match stat {
            Some((within, stat)) => self.entry(within, name.as_bytes(), &path, &stat, 0),
            None => {
                self.leave_out(&path);
                Ok(())
            }
        }
    }

    fn folder(&mut self, folder: &OwnedFd, prefix: &str, depth: usize) -> Result<(), Broken> {
        let mut names = Vec::new();
        let listed = list::each_entry(folder, |name, _, _| {
            if !beneath::is_temporary(name) {
                names.push(name.to_vec());
            }
            names.len() <= MAX_ARCHIVE_ENTRIES
        });
        if listed.is_err() {
            self.leave_out(prefix);
        }
        names.sort_unstable();
        for name in names {
            let path = self.name(prefix, &name)?;
            match rustix::fs::statat(folder, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => self.entry(folder, &name, &path, &stat, depth)?,
                // It went away meanwhile.
                Err(Errno::NOENT) => {}
                Err(_) => self.leave_out(&path),
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &OwnedFd, name: &[u8], path: &str, stat: &Stat, depth: usize) -> Result<(), Broken> {
        let options = options(stat);
        match beneath::kind(stat) {
            EntryKind::Folder => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match rustix::fs::openat(folder, name, flags, Mode::empty()) {
                    Ok(within) if depth < MAX_DEPTH => {
                        self.zip.add_directory(path, options)?;
                        self.folder(&within, &format!("{path}/"), depth + 1)?;
                    }
                    Err(Errno::NOENT) => {}
                    _ => self.leave_out(path),
                }
            }
            EntryKind::File => {
                // It was a regular file a moment ago; a pipe in its place is not waited for.
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                match rustix::fs::openat(folder, name, flags, Mode::empty()) {
                    Ok(file) => self.file(file, path, stat)?,
                    Err(Errno::NOENT) => {}
                    Err(_) => self.leave_out(path),
                }
            }
            EntryKind::Link => match rustix::fs::readlinkat(folder, name, Vec::new()) {
                Ok(target) if target.as_bytes().len() <= MAX_TARGET => {
                    self.zip.add_symlink(path, target.to_string_lossy(), options)?;
                }
                Err(Errno::NOENT) => {}
                _ => self.leave_out(path),
            },
            EntryKind::Other => self.leave_out(path),
        }
        Ok(())
    }

    fn file(&mut self, file: OwnedFd, path: &str, stat: &Stat) -> Result<(), Broken> {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let is_packed = path.rsplit_once('.').is_some_and(|(_, end)| {
            let end = end.to_ascii_lowercase();
            PACKED.contains(&end.as_str())
        });
        let method = if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        self.zip.start_file(path, options(stat).compression_method(method).large_file(size > LARGE))?;
        let mut rest = std::fs::File::from(file).take(size);
        loop {
            match rest.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.zip.write_all(&self.buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    // What was read of it is in the archive.
                    self.leave_out(path);
                    return Ok(());
                }
            }
        }
    }

    /// What an entry is called in the archive. No two have the same name.
    fn name(&mut self, prefix: &str, name: &[u8]) -> Result<String, Broken> {
        if self.names.len() >= MAX_ARCHIVE_ENTRIES {
            return Err(Broken);
        }
        let name = sanitised(name);
        let mut path = format!("{prefix}{name}");
        let mut number = 1;
        while !self.names.insert(path.clone()) {
            number += 1;
            path = format!("{prefix}{name}~{number}");
        }
        Ok(path)
    }

    fn leave_out(&mut self, path: &str) {
        if self.missing.len() < MAX_MISSING {
            self.missing.push(path.to_owned());
        } else {
            self.more_missing += 1;
        }
    }

    fn tell_missing(&mut self, top: &str) -> Result<(), Broken> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let path = self.name(&format!("{top}/"), MISSING.as_bytes())?;
        self.zip.start_file(path, SimpleFileOptions::default())?;
        writeln!(self.zip, "These could not be read, or are neither files nor folders:\n")?;
        for path in &self.missing {
            writeln!(self.zip, "{path}")?;
        }
        if self.more_missing > 0 {
            writeln!(self.zip, "\nand {} more", self.more_missing)?;
        }
        Ok(())
    }
}

/// Where the bytes go. Once cut it takes nothing, the writer's own attempt at an end above all.
#[derive(Debug)]
struct Sink {
    socket: OwnedFd,
    is_cut: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_cut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let sent = rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL);
        sent.map_err(|errno| {
            self.is_cut |= errno != Errno::INTR;
            errno.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A name that leads nowhere else on any system: what separates, or is no letter, is replaced.
fn sanitised(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let plain = |char: char| if char.is_control() || matches!(char, '/' | '\\' | ':') { '_' } else { char };
    match name.as_ref() {
        "" | "." | ".." => "_".to_owned(),
        name => name.chars().map(plain).collect(),
    }
}

fn options(stat: &Stat) -> SimpleFileOptions {
    let modified = u64::try_from(stat.st_mtime).ok().and_then(date).unwrap_or_default();
    SimpleFileOptions::default().unix_permissions(stat.st_mode & 0o777).last_modified_time(modified)
}

/// Seconds since 1970 as a date in UTC, if it is one that zip knows (1980 to 2107).
fn date(seconds: u64) -> Option<DateTime> {
    let (days, rest) = (i64::try_from(seconds / 86_400).ok()?, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
    DateTime::from_date_and_time(
        u16::try_from(year).ok()?,
        month as u8,
        day as u8,
        hour as u8,
        minute as u8,
        second as u8,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let shown = |seconds| date(seconds).map(|date| (date.year(), date.month(), date.day(), date.hour()));
        assert_eq!(shown(0), None, "before 1980");
        assert_eq!(shown(951_782_400), Some((2000, 2, 29, 0)));
        assert_eq!(shown(1_735_689_599), Some((2024, 12, 31, 23)));
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, safe) in [
            (&b".."[..], "_"),
            (b"..\\..\\evil.exe", ".._.._evil.exe"),
            (b"C:x", "C_x"),
            (b"a\nb", "a_b"),
            (b"\xff", "\u{fffd}"),
            ("é".as_bytes(), "é"),
        ] {
            assert_eq!(sanitised(name), safe);
        }
    }
}
