//! Watches every folder of the project for the page around a frame, once that wants to hear of changes. The page itself
//! watches what its tree shows, and nothing of this is drawn.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::files::EntryKind;
use embedenv_shared::path::{EntryName, WorkspacePath};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;

/// Folders that are watched, those near the root first; of changes in others nothing is told.
const MAX_WATCHED: usize = 200;
/// What tools fill with more folders than that, and nobody writes in.
const LEFT_OUT: &[&str] = &["node_modules", "__pycache__", "target"];

#[derive(Default)]
pub(crate) struct Watching {
    is_wanted: Cell<bool>,
    folders: RefCell<BTreeSet<WorkspacePath>>,
}

impl Watching {
    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.get()
    }
}

impl Workbench {
    /// The page around wants to hear of every change.
    pub(super) fn want_changes(&self) {
        self.watching.is_wanted.set(true);
        self.watch_all();
    }

    /// Watches everything anew: the connection or the sandbox is another one.
    pub(super) fn watch_all(&self) {
        if self.watching.is_wanted() && self.state().me.is_some() {
            self.watching.folders.take();
            self.watch_from(WorkspacePath::root(), false);
        }
    }

    /// Tells the page around that a folder has changed, and watches what is new in it.
    pub(super) fn tell_change(&self, folder: &WorkspacePath, names: &[String]) {
        self.tell_host("change", json!({"folder": folder, "names": names}));
        if self.watching.folders.borrow().contains(folder) {
            self.watch_from(folder.clone(), true);
        }
    }

    fn watch_from(&self, folder: WorkspacePath, is_news: bool) {
        let workbench = self.clone();
        spawn_local(async move {
            let mut next = VecDeque::from([folder]);
            while let Some(folder) = next.pop_front() {
                let is_new = {
                    let mut folders = workbench.watching.folders.borrow_mut();
                    if folders.len() >= MAX_WATCHED && !folders.contains(&folder) {
                        return;
                    }
                    folders.insert(folder.clone())
                };
                let Some(below) = workbench.folders_in(&folder, is_new).await else { continue };
                // What is in a new folder was made before anybody watched it.
                if is_new && is_news {
                    workbench.tell_host("change", json!({"folder": folder, "names": []}));
                }
                let mut folders = workbench.watching.folders.borrow_mut();
                folders.retain(|known| is_there(known, &folder, &below));
                next.extend(below.into_iter().filter(|path| !folders.contains(path)));
            }
        });
    }

    /// The folders in a folder, which is watched from then on if that is wanted. `None` for one that is gone.
    async fn folders_in(&self, folder: &WorkspacePath, is_watched: bool) -> Option<Vec<WorkspacePath>> {
        let (mut after, mut below) = (None, Vec::new());
        loop {
            let watch = is_watched && after.is_none();
            let list = FullRequest::List { project: self.project()?, path: folder.clone(), after, watch };
            let Ok(ServerFrame::Listing { entries, next, .. }) = self.connection.request(&list).await else {
                self.watching.folders.borrow_mut().remove(folder);
                return None;
            };
            let is_meant = |name: &str| !name.starts_with('.') && !LEFT_OUT.contains(&name);
            let folders = entries.iter().filter(|entry| entry.kind == EntryKind::Folder && is_meant(&entry.name));
            below.extend(folders.filter_map(|entry| folder.join(&EntryName::parse(&entry.name).ok()?).ok()));
            after = next;
            if after.is_none() {
                return Some(below);
            }
        }
    }
}

/// Whether a folder is still there, when those in `folder` are `below`.
fn is_there(known: &WorkspacePath, folder: &WorkspacePath, below: &[WorkspacePath]) -> bool {
    !known.is_within(folder) || known == folder || below.iter().any(|child| known.is_within(child))
}
