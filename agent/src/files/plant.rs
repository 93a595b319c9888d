//! Writing a whole tree, all or nothing.
//!
//! First everything is looked at, then every content is written into a folder of our own that no listing shows, and
//! only then is each file moved into its place. If a move fails, what was moved is moved back.

use std::collections::HashSet;
use std::os::fd::OwnedFd;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::{EntryKind, Plant};
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::tree::{MAX_NODES, PlannedFile};
use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;

use super::beneath::{self, FOLDER_MODE, HOLD, Home};
use super::{delete, failure, write};

pub fn plant(home: &Home, request: Plant) -> Result<(), Failure> {
    let plan = request.plan;
    if plan.folders.len() + plan.files.len() > MAX_NODES {
        return Err(Failure::new(ErrorCode::TooLarge, format!("a tree has at most {MAX_NODES} entries")));
    }
    let project = home.project(&request.project)?;
    let missing = missing_folders(&project, &plan.folders, &plan.files)?;
    let stage = beneath::temporary_name();
    rustix::fs::mkdirat(&project, stage.as_str(), Mode::RWXU)
        .map_err(|errno| failure::on(&WorkspacePath::root(), errno))?;
    let result = staged(&project, &stage, missing, &plan.files);
    // Old contents, or contents that were not placed. If something can't be removed, it stays unseen.
    let _ = delete::remove(&project, stage.as_bytes());
    result
}

/// The folders that have to be made, parents first.
fn missing_folders<'a>(
    project: &OwnedFd,
    folders: &'a [WorkspacePath],
    files: &'a [PlannedFile],
) -> Result<Vec<WorkspacePath>, Failure> {
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    let mut missing_set = HashSet::new();
    let of_files = files.iter().map(|file| file.path.parent().ok_or_else(failure::is_root));
    for folder in folders.iter().cloned().map(Ok).chain(of_files) {
        let mut chain = Vec::new();
        let mut at = Some(folder?);
        while let Some(path) = at.filter(|path| !path.is_root() && seen.insert(path.clone())) {
            at = path.parent();
            chain.push(path);
        }
        for path in chain.into_iter().rev() {
            if path.parent().is_some_and(|parent| missing_set.contains(&parent)) {
                missing_set.insert(path.clone());
                missing.push(path);
                continue;
            }
            match beneath::hold(project, &path) {
                Ok((_, stat)) if beneath::kind(&stat) == EntryKind::Folder => {}
                Ok(_) => return Err(failure::on(&path, Errno::NOTDIR)),
                Err(failure) if failure.code == ErrorCode::NotFound => {
                    missing_set.insert(path.clone());
                    missing.push(path);
                }
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(missing)
}

fn staged(project: &OwnedFd, stage: &str, missing: Vec<WorkspacePath>, files: &[PlannedFile]) -> Result<(), Failure> {
    let stage = beneath::beneath(project, stage, HOLD, Mode::empty())
        .map_err(|errno| failure::on(&WorkspacePath::root(), errno))?;
    let new: HashSet<&WorkspacePath> = missing.iter().collect();
    let mut replaces = Vec::with_capacity(files.len());
    let mut folders = Folders::new(project);
    for (number, file) in files.iter().enumerate() {
        let (parent, name) = split(&file.path)?;
        let replaced = if new.contains(&parent) {
            None
        } else {
            let place = beneath::Place { folder: folders.open(&parent)?, name };
            let replaced = write::replaceable(&place, &file.path)?;
            folders.last = Some((parent, place.folder));
            replaced
        };
        write::stage(&stage, &number.to_string(), &file.content, replaced.as_ref())
            .map_err(|errno| failure::on(&file.path, errno))?;
        replaces.push(replaced.is_some());
    }
    let mut moves = Moves { project, stage: &stage, made: Vec::new(), placed: Vec::new() };
    let result = moves.all(&missing, files, &replaces);
    if result.is_err() {
        moves.undo();
    }
    result
}

/// What was done, so that it can be undone.
struct Moves<'a> {
    project: &'a OwnedFd,
    stage: &'a OwnedFd,
    made: Vec<&'a WorkspacePath>,
    placed: Vec<(usize, &'a WorkspacePath, bool)>,
}

impl<'a> Moves<'a> {
    fn all(
        &mut self,
        missing: &'a [WorkspacePath],
        files: &'a [PlannedFile],
        replaces: &[bool],
    ) -> Result<(), Failure> {
        for path in missing {
            let place = beneath::place(self.project, path)?;
            rustix::fs::mkdirat(&place.folder, place.name, FOLDER_MODE).map_err(|errno| failure::on(path, errno))?;
            self.made.push(path);
        }
        let mut folders = Folders::new(self.project);
        for (number, (file, &replaces)) in files.iter().zip(replaces).enumerate() {
            let (parent, name) = split(&file.path)?;
            let folder = folders.open(&parent)?;
            let flags = if replaces { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
            rustix::fs::renameat_with(self.stage, number.to_string(), &folder, name, flags)
                .map_err(|errno| failure::on(&file.path, errno))?;
            self.placed.push((number, &file.path, replaces));
            folders.last = Some((parent, folder));
        }
        Ok(())
    }

    /// As well as it can be done: a program may be at work in the same folders.
    fn undo(&mut self) {
        for (number, path, replaced) in self.placed.drain(..).rev() {
            let Ok(place) = beneath::place(self.project, path) else { continue };
            let flags = if replaced { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
            let _ = rustix::fs::renameat_with(&place.folder, place.name, self.stage, number.to_string(), flags);
        }
        for path in self.made.drain(..).rev() {
            if let Ok(place) = beneath::place(self.project, path) {
                let _ = rustix::fs::unlinkat(&place.folder, place.name, AtFlags::REMOVEDIR);
            }
        }
    }
}

/// Folders of files; that of the last file is kept, because the next one mostly stands beside it.
struct Folders<'a> {
    project: &'a OwnedFd,
    last: Option<(WorkspacePath, OwnedFd)>,
}

impl<'a> Folders<'a> {
    fn new(project: &'a OwnedFd) -> Self {
        Self { project, last: None }
    }

    /// Hands the folder out; it is put back into `last` after use.
    fn open(&mut self, path: &WorkspacePath) -> Result<OwnedFd, Failure> {
        match self.last.take() {
            Some((last, folder)) if last == *path => Ok(folder),
            _ => beneath::beneath(self.project, path.as_str(), HOLD, Mode::empty())
                .map_err(|errno| failure::on(path, errno)),
        }
    }
}

fn split(path: &WorkspacePath) -> Result<(WorkspacePath, &str), Failure> {
    match (path.parent(), path.name()) {
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(failure::is_root()),
    }
}
