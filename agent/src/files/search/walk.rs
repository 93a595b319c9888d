//! Going through a project's folders, one entry at a time, with nothing held open in between.
//!
//! Files of a folder come before its folders, each sorted by name. Links are told and never followed; what is neither
//! a file nor a folder nor a link is passed over, and so is what no client could name.

use std::os::fd::OwnedFd;

use embedenv_shared::code::Failure;
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::Scope;
use ignore::Match;
use ignore::gitignore::Gitignore;
use rustix::fs::FileType;
use rustix::io::Errno;

use super::super::{beneath, list};
use super::globs::{self, Globs, MARKS};
use super::join;

/// Bytes of names kept of the folders on the way; the walk ends where there would be more.
const MAX_NAMES: usize = 8 * 1024 * 1024;
/// Bytes read of one `.gitignore`, and of all on the way together; what is beyond counts for nothing.
const MAX_RULES: usize = 64 * 1024;
const MAX_ALL_RULES: usize = 256 * 1024;

#[derive(Debug)]
pub struct Walk {
    project: OwnedFd,
    globs: Globs,
    /// From the project's folder down to where the walk is.
    levels: Vec<Level>,
    has_begun: bool,
    names: usize,
    rules: usize,
    /// Folders that could not be read.
    pub skipped: u32,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    File {
        path: WorkspacePath,
        is_link: bool,
    },
    Nothing,
    /// The folders on the way have too many entries to be kept.
    Full,
    End,
}

#[derive(Debug)]
struct Level {
    path: WorkspacePath,
    /// All names behind one another.
    text: String,
    /// Where each begins and ends in `text`, and what it is; the next one is the last.
    entries: Vec<(u32, u32, Entry)>,
    rules: Option<Gitignore>,
    rules_bytes: usize,
    /// A glob names the folder, and so all that is in it.
    is_included: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    File,
    Link,
    Folder,
}

impl Walk {
    pub fn new(project: OwnedFd, scope: &Scope) -> Result<Self, Failure> {
        let globs = Globs::new(scope)?;
        Ok(Self { project, globs, levels: Vec::new(), has_begun: false, names: 0, rules: 0, skipped: 0 })
    }

    pub fn project(&self) -> &OwnedFd {
        &self.project
    }

    pub fn step(&mut self) -> Step {
        if !self.has_begun {
            self.has_begun = true;
            return self.enter(WorkspacePath::root(), false);
        }
        let Some(level) = self.levels.last_mut() else { return Step::End };
        let Some((from, to, entry)) = level.entries.pop() else {
            self.leave();
            return Step::Nothing;
        };
        let Some(path) = join(&level.path, &level.text[from as usize..to as usize]) else { return Step::Nothing };
        let is_folder = entry == Entry::Folder;
        let was_included = level.is_included;
        if self.globs.excludes(&path, is_folder) || self.is_ignored(&path, is_folder) {
            return Step::Nothing;
        }
        let is_included = was_included || self.globs.includes(&path, is_folder);
        match entry {
            Entry::Folder => self.enter(path, is_included),
            Entry::File | Entry::Link if is_included => Step::File { path, is_link: entry == Entry::Link },
            Entry::File | Entry::Link => Step::Nothing,
        }
    }

    fn enter(&mut self, path: WorkspacePath, is_included: bool) -> Step {
        match self.read(path, is_included) {
            Ok(Some(level)) => {
                self.names += level.size();
                self.rules += level.rules_bytes;
                self.levels.push(level);
                Step::Nothing
            }
            Ok(None) => Step::Nothing,
            Err(Errno::NOMEM) => Step::Full,
            // It went away meanwhile.
            Err(Errno::NOENT) => Step::Nothing,
            Err(_) => {
                self.skipped += 1;
                Step::Nothing
            }
        }
    }

    fn leave(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.names -= level.size();
            self.rules -= level.rules_bytes;
        }
    }

    /// The entries of a folder; `None` if it is one that a program filled, `NOMEM` if there are too many.
    fn read(&self, path: WorkspacePath, is_included: bool) -> Result<Option<Level>, Errno> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let folder = beneath::beneath(&self.project, path.as_str(), flags, Mode::empty())?;
        let room = MAX_NAMES - self.names.min(MAX_NAMES);
        let mut level =
            Level { path, text: String::new(), entries: Vec::new(), rules: None, rules_bytes: 0, is_included };
        let mut is_full = false;
        list::each_entry(&folder, |name, file_type, _| {
            if beneath::is_temporary(name) {
                return true;
            }
            let Ok(name) = std::str::from_utf8(name) else { return true };
            let file_type = match file_type {
                // Some file systems don't tell in the listing.
                FileType::Unknown => match beneath::look(&folder, name) {
                    Ok(Some(stat)) => FileType::from_raw_mode(stat.st_mode),
                    _ => return true,
                },
                known => known,
            };
            let entry = match file_type {
                FileType::RegularFile => Entry::File,
                FileType::Directory => Entry::Folder,
                FileType::Symlink => Entry::Link,
                _ => return true,
            };
            level.add(name, entry);
            is_full = level.size() > room;
            !is_full
        })?;
        if is_full {
            return Err(Errno::NOMEM);
        }
        level.sort();
        if !self.globs.take_ignored() {
            if !level.path.is_root() && MARKS.iter().any(|mark| level.has_file(mark)) {
                return Ok(None);
            }
            self.read_rules(&mut level);
        }
        Ok(Some(level))
    }

    fn read_rules(&self, level: &mut Level) {
        const NAME: &str = ".gitignore";
        let room = MAX_RULES.min(MAX_ALL_RULES - self.rules.min(MAX_ALL_RULES));
        if room == 0 || !level.has_file(NAME) {
            return;
        }
        // One that can't be read says nothing.
        let Some(path) = join(&level.path, NAME) else { return };
        let Ok((file, _)) = beneath::file(&self.project, &path) else { return };
        let mut bytes = vec![0; room];
        let mut length = 0;
        while length < room {
            match rustix::io::read(&file, &mut bytes[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
        level.rules = globs::rules(&level.path, &String::from_utf8_lossy(&bytes[..length]));
        level.rules_bytes = if level.rules.is_some() { length } else { 0 };
    }

    /// Whether a `.gitignore` names it: the deepest one that says anything decides, as with git.
    fn is_ignored(&self, path: &WorkspacePath, is_folder: bool) -> bool {
        self.levels
            .iter()
            .rev()
            .filter_map(|level| level.rules.as_ref())
            .map(|rules| rules.matched(path.as_str(), is_folder))
            .find(|matched| !matched.is_none())
            .is_some_and(|matched| matches!(matched, Match::Ignore(_)))
    }
}

impl Level {
    fn add(&mut self, name: &str, entry: Entry) {
        let from = self.text.len() as u32;
        self.text.push_str(name);
        self.entries.push((from, self.text.len() as u32, entry));
    }

    /// The next one last: files before folders, then by name.
    fn sort(&mut self) {
        let text = &self.text;
        let key = |&(from, to, entry): &(u32, u32, Entry)| (entry == Entry::Folder, &text[from as usize..to as usize]);
        self.entries.sort_unstable_by(|a, b| key(b).cmp(&key(a)));
    }

    fn has_file(&self, name: &str) -> bool {
        let is = |&(from, to, entry): &(u32, u32, Entry)| {
            entry == Entry::File && &self.text[from as usize..to as usize] == name
        };
        self.entries.iter().any(is)
    }

    fn size(&self) -> usize {
        // What is taken off in between stays counted: the memory stays, too.
        self.text.len() + self.entries.capacity() * size_of::<(u32, u32, Entry)>()
    }
}
