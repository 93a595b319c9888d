//! Telling that folders changed.
//!
//! Watched are the folders that were listed with that wish, [`MAX_WATCHES`] at most. Changes are gathered for
//! [`GATHER`]: until then the kernel keeps them, so that a program that writes without pause wakes the agent a few
//! times a second and no more. What the kernel could not keep is told as "list it again".

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use embedenv_shared::link::files::{Changed, MAX_CHANGED_NAMES, MAX_WATCHES};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::beneath;

/// How long changes are gathered before they are told.
pub const GATHER: Duration = Duration::from_millis(50);
/// Bytes of events taken from the kernel at once.
const EVENT_BUFFER: usize = 16 * 1024;

type Folder = (ProjectName, WorkspacePath);

/// All watches; shared with the workers, who set them while they list.
#[derive(Debug)]
pub struct Watches {
    inotify: OwnedFd,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// A folder may be watched under several paths, through links.
    folders: HashMap<i32, Vec<Folder>>,
    /// Which watch a folder has, and when it was set.
    watches: HashMap<Folder, (i32, u64)>,
    set: u64,
}

/// What changed in each folder; `None` is too much to tell.
type Changes = BTreeMap<Folder, Option<BTreeSet<String>>>;

impl Watches {
    pub fn new() -> Result<Self, Errno> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, table: Mutex::default() })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a folder that is open. Must be done before it is listed, so that no change is missed.
    pub fn add(&self, project: ProjectName, path: WorkspacePath, folder: &OwnedFd) -> Result<(), Errno> {
        let mask = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::EXCL_UNLINK
            | WatchFlags::ONLYDIR;
        // Held while the watch is set: its first event may come before this returns.
        let mut table = self.table();
        let watch = inotify::add_watch(&self.inotify, format!("/proc/self/fd/{}", folder.as_raw_fd()), mask)?;
        table.set += 1;
        let set = table.set;
        let key = (project, path);
        if let Some((old, _)) = table.watches.insert(key.clone(), (watch, set))
            && old != watch
        {
            self.forget(&mut table, old, &key);
        }
        let names = table.folders.entry(watch).or_default();
        if !names.contains(&key) {
            names.push(key);
        }
        if table.watches.len() > MAX_WATCHES
            && let Some(oldest) = table.watches.iter().min_by_key(|(_, (_, set))| *set).map(|(key, _)| key.clone())
        {
            self.drop_folder(&mut table, &oldest);
        }
        Ok(())
    }

    pub fn remove(&self, project: ProjectName, path: WorkspacePath) {
        self.drop_folder(&mut self.table(), &(project, path));
    }

    /// Nobody is there to be told.
    pub fn clear(&self) {
        let mut table = self.table();
        for watch in std::mem::take(&mut table.folders).into_keys() {
            // The folder may be gone, and the watch with it.
            let _ = inotify::remove_watch(&self.inotify, watch);
        }
        table.watches.clear();
    }

    fn drop_folder(&self, table: &mut Table, key: &Folder) {
        if let Some((watch, _)) = table.watches.remove(key) {
            self.forget(table, watch, key);
        }
    }

    fn forget(&self, table: &mut Table, watch: i32, key: &Folder) {
        if let Some(names) = table.folders.get_mut(&watch) {
            names.retain(|name| name != key);
            if names.is_empty() {
                table.folders.remove(&watch);
                let _ = inotify::remove_watch(&self.inotify, watch);
            }
        }
    }

    /// Everything that changed since the last time.
    pub fn collect(&self) -> Vec<Changed> {
        let mut table = self.table();
        let mut changes = Changes::new();
        let mut buffer = [MaybeUninit::uninit(); EVENT_BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                // EAGAIN: that was all.
                Err(_) => break,
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                changes = table.watches.keys().map(|key| (key.clone(), None)).collect();
                continue;
            }
            let watch = event.wd();
            if flags.contains(ReadFlags::IGNORED) {
                for key in table.folders.remove(&watch).unwrap_or_default() {
                    table.watches.remove(&key);
                }
                continue;
            }
            let Some(keys) = table.folders.get(&watch).cloned() else { continue };
            if flags.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
                for key in keys {
                    self.drop_folder(&mut table, &key);
                    changes.insert(key, None);
                }
                continue;
            }
            let Some(name) = event.file_name().filter(|name| !beneath::is_temporary(name.to_bytes())) else { continue };
            let name = name.to_string_lossy().into_owned();
            if flags.contains(ReadFlags::ISDIR) && flags.intersects(ReadFlags::MOVED_FROM | ReadFlags::DELETE) {
                for key in &keys {
                    let gone = self.drop_beneath(&mut table, key, &name);
                    changes.extend(gone.into_iter().map(|key| (key, None)));
                }
            }
            for key in keys {
                let names = changes.entry(key).or_insert_with(|| Some(BTreeSet::new()));
                if let Some(set) = names {
                    set.insert(name.clone());
                    if set.len() > MAX_CHANGED_NAMES {
                        *names = None;
                    }
                }
            }
        }
        let told = changes.into_iter().map(|((project, path), names)| Changed {
            project,
            path,
            names: names.unwrap_or_default().into_iter().collect(),
        });
        told.collect()
    }

    /// A folder went away under its path; what was watched in it has another path now, or none. Returns what is no
    /// longer watched.
    fn drop_beneath(&self, table: &mut Table, parent: &Folder, name: &str) -> Vec<Folder> {
        let Ok(gone) = EntryName::parse(name).and_then(|name| parent.1.join(&name)) else { return Vec::new() };
        let beneath: Vec<Folder> = table
            .watches
            .keys()
            .filter(|(project, path)| *project == parent.0 && path.is_within(&gone))
            .cloned()
            .collect();
        for key in &beneath {
            self.drop_folder(table, key);
        }
        beneath
    }
}

impl AsFd for Watches {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// When gathered changes are to be told.
pub fn due() -> Instant {
    Instant::now() + GATHER
}
