//! Which member watches which folder, so that changes are told to those who look at it and the agent watches no more
//! than somebody needs.

use std::collections::{HashMap, HashSet};

use super::members::SeatId;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::files::Changed;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;

use super::members::Members;

type Folder = (ProjectName, WorkspacePath);

#[derive(Debug, Default)]
pub struct Watches {
    watchers: Mutex<HashMap<Folder, HashSet<SeatId>>>,
}

impl Watches {
    pub fn add(&self, member: SeatId, project: ProjectName, path: WorkspacePath) {
        self.watchers.lock().entry((project, path)).or_default().insert(member);
    }

    /// Returns whether nobody watches the folder any more.
    pub fn remove(&self, member: SeatId, project: &ProjectName, path: &WorkspacePath) -> bool {
        let mut watchers = self.watchers.lock();
        let folder = (project.clone(), path.clone());
        let Some(members) = watchers.get_mut(&folder) else { return false };
        members.remove(&member);
        let empty = members.is_empty();
        if empty {
            watchers.remove(&folder);
        }
        empty
    }

    pub(super) fn left(&self, member: SeatId) {
        self.watchers.lock().retain(|_, members| {
            members.remove(&member);
            !members.is_empty()
        });
    }

    pub(super) fn tell(&self, members: &Members, changed: Changed) {
        let Changed { project, path, names } = changed;
        let Some(watching) = self.watchers.lock().get(&(project.clone(), path.clone())).cloned() else { return };
        let frame = ServerFrame::Changed { project, path, names };
        for member in members.all().into_iter().filter(|member| watching.contains(&member.id)) {
            member.outbox.send(&frame);
        }
    }
}
