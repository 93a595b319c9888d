//! Searches of a project's files: those that are under way, and how far each has come.
//!
//! A search is pulled. Each call works for [`SLICE`], answers with what it found and leaves its place here, so that no
//! worker waits for anybody and other file work goes in between. No folder stays open from one call to the next: every
//! path is resolved beneath the project's folder when it is used, as all others are.

mod globs;
pub mod replace;
mod template;
mod text;
mod walk;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::SearchId;
use embedenv_shared::link::search::{
    Begun, Forget, Forgotten, Found, MAX_SEARCHES, Pull, Pulled, Replaced, Seek, Sought,
};
use embedenv_shared::path::{EntryName, WorkspacePath};
use embedenv_shared::search::{Cut, FolderFiles, MAX_HITS, MAX_LISTED, MAX_LOOKED, Summary};

use super::beneath::{self, Home};
use crate::limits::disk::Disk;
use text::{Stop, Text};
use walk::{Step, Walk};

/// How long one call works; a file that is being looked into is finished.
const SLICE: Duration = Duration::from_millis(50);
/// Bytes of one answer, after which it ends; a single file adds at most [`text::MAX_FILE_BYTES`].
const MAX_ANSWER: usize = 256 * 1024;
/// Hits in one answer, after which it ends.
const MAX_ANSWER_HITS: usize = 500;
/// Work that one search may be in all; it then ends with [`Cut::Time`].
const MAX_BUSY: Duration = Duration::from_secs(30);

/// The searches of one link.
#[derive(Debug, Default)]
pub struct Searches(Mutex<HashMap<SearchId, Arc<Search>>>);

#[derive(Debug)]
struct Search {
    /// Nobody wants more of it.
    cancelled: AtomicBool,
    /// Held while a call works on it.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    walk: Walk,
    /// What is looked for; `None` lists the files.
    text: Option<Text>,
    summary: Summary,
    busy: Duration,
}

impl Searches {
    /// Begins a search, or says what is wrong with what is looked for. Blocks.
    pub fn seek(&self, home: &Home, seek: Seek) -> Result<Begun, Failure> {
        let text = match &seek.what {
            Sought::Files => None,
            Sought::Text { query, replace } => Some(Text::new(query, replace.as_deref())?),
        };
        let walk = Walk::new(home.project(&seek.project)?, &seek.scope)?;
        let state = State { walk, text, summary: Summary::default(), busy: Duration::ZERO };
        let mut searches = lock(&self.0);
        if searches.len() >= MAX_SEARCHES {
            return Err(Failure::new(ErrorCode::LimitReached, "the sandbox has too many searches under way"));
        }
        let search = Search { cancelled: AtomicBool::new(false), state: Mutex::new(state) };
        searches.insert(seek.search, Arc::new(search));
        Ok(Begun)
    }

    /// Goes on with a search. Blocks.
    pub fn pull(&self, pull: &Pull) -> Result<Pulled, Failure> {
        let search = lock(&self.0).get(&pull.search).cloned();
        let search = search.ok_or_else(|| Failure::new(ErrorCode::NotFound, "the search is over"))?;
        let pulled = lock(&search.state).work(&search.cancelled);
        if pulled.end.is_some() {
            lock(&self.0).remove(&pull.search);
        }
        Ok(pulled)
    }

    /// Ends a search. Does not block.
    pub fn forget(&self, forget: &Forget) -> Forgotten {
        if let Some(search) = lock(&self.0).remove(&forget.search) {
            search.cancelled.store(true, Ordering::Relaxed);
        }
        Forgotten
    }

    /// Ends all searches: nobody is there to pull them.
    pub fn clear(&self) {
        for (_, search) in lock(&self.0).drain() {
            search.cancelled.store(true, Ordering::Relaxed);
        }
    }
}

/// Replaces hits in files, one after another. Blocks.
pub fn replace(
    home: &Home,
    disk: &Disk,
    request: &embedenv_shared::link::search::Replace,
) -> Result<Replaced, Failure> {
    replace::all(home, disk, &request.0)
}

impl State {
    fn work(&mut self, cancelled: &AtomicBool) -> Pulled {
        let begun = Instant::now();
        let mut answer = Answer::new(self.text.is_some());
        let limits = Stop { cancelled, deadline: begun + MAX_BUSY.saturating_sub(self.busy) };
        let end = loop {
            if let Some(cut) = limits.reached() {
                break Some(Some(cut));
            }
            if answer.is_full() || begun.elapsed() >= SLICE {
                break None;
            }
            match self.walk.step() {
                Step::File { path, is_link } => {
                    if let Some(cut) = self.file(&mut answer, &path, is_link, &limits) {
                        break Some(Some(cut));
                    }
                }
                Step::Nothing => {}
                Step::Full => break Some(Some(Cut::Files)),
                Step::End => break Some(None),
            }
        };
        self.busy += begun.elapsed();
        let skipped = self.summary.skipped + self.walk.skipped;
        Pulled { found: answer.found, end: end.map(|cut| Summary { cut, skipped, ..self.summary }) }
    }

    /// Takes one file in; returns why the search is over with it, if it is.
    fn file(&mut self, answer: &mut Answer, path: &WorkspacePath, is_link: bool, limits: &Stop<'_>) -> Option<Cut> {
        let summary = &mut self.summary;
        let Some(text) = &mut self.text else {
            if summary.files == MAX_LISTED {
                return Some(Cut::Files);
            }
            // A link to a file of the project's can be opened as one.
            if !is_link
                || beneath::hold(self.walk.project(), path).is_ok_and(|(_, stat)| beneath::regular(path, &stat).is_ok())
            {
                summary.files += 1;
                answer.name(path);
            }
            return None;
        };
        // What a link leads to is looked into where it stands.
        if is_link {
            return None;
        }
        if summary.files == MAX_LOOKED {
            return Some(Cut::Files);
        }
        summary.files += 1;
        let looked = text.look(self.walk.project(), path, MAX_HITS - summary.hits, limits);
        summary.skipped += u32::from(looked.is_skipped);
        if let Some(file) = looked.file {
            summary.hits += file.hits.len() as u32;
            answer.take(file, looked.bytes);
        }
        if summary.hits >= MAX_HITS { Some(Cut::Hits) } else { looked.cut }
    }
}

/// What one call answers.
#[derive(Debug)]
struct Answer {
    found: Found,
    bytes: usize,
    hits: usize,
}

impl Answer {
    fn new(is_text: bool) -> Self {
        let found = if is_text { Found::Text(Vec::new()) } else { Found::Files(Vec::new()) };
        Self { found, bytes: 0, hits: 0 }
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_ANSWER || self.hits >= MAX_ANSWER_HITS
    }

    fn take(&mut self, file: embedenv_shared::search::FoundFile, bytes: usize) {
        self.bytes += bytes;
        self.hits += file.hits.len();
        if let Found::Text(files) = &mut self.found {
            files.push(file);
        }
    }

    fn name(&mut self, path: &WorkspacePath) {
        let Found::Files(folders) = &mut self.found else { return };
        let (Some(folder), Some(name)) = (path.parent(), path.name()) else { return };
        self.bytes += name.len() + 8;
        match folders.last_mut() {
            Some(last) if last.path == folder => last.names.push(name.to_owned()),
            _ => {
                self.bytes += folder.as_str().len() + 8;
                folders.push(FolderFiles { path: folder, names: vec![name.to_owned()] });
            }
        }
    }
}

/// The entry `name` of `folder`, if clients can name it.
fn join(folder: &WorkspacePath, name: &str) -> Option<WorkspacePath> {
    folder.join(&EntryName::parse(name).ok()?).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
