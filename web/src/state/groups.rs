//! Where open files are shown: groups of tabs, beside and above one another.
//!
//! A tree of splits with groups as its leaves; there is always one group. It knows files by their ids alone.

use serde::{Deserialize, Serialize};

use super::files::FileId;

/// Most groups at once; with fewer pixels for each, nothing can be read.
pub const MAX_GROUPS: usize = 8;
/// A group has at least this share of the one beside it, in thousandths.
const LEAST_SHARE: u32 = 100;
/// Shares of one split add up to this.
pub const WHOLE: u32 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupId(pub u32);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub tabs: Vec<FileId>,
    pub active: Option<FileId>,
}

/// How the parts of a split lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Beside each other.
    Row,
    /// One above the other.
    Column,
}

/// A side of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
    Up,
    Down,
}

impl Side {
    fn flow(self) -> Flow {
        if matches!(self, Self::Left | Self::Right) { Flow::Row } else { Flow::Column }
    }

    fn is_after(self) -> bool {
        matches!(self, Self::Right | Self::Down)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Group(GroupId),
    Split { flow: Flow, parts: Vec<(Node, u32)> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    root: Node,
    list: Vec<Group>,
    /// The group that was used last.
    pub active: GroupId,
    /// Files in the order in which they were used, each once, the last one at the end.
    used: Vec<FileId>,
    last: u32,
}

/// Groups as they are remembered, with files by their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept<P> {
    Group { tabs: Vec<P>, active: Option<P>, in_use: bool },
    Split { flow: Flow, parts: Vec<(Kept<P>, u32)> },
}

/// A place in the editors' area, in fractions of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// The edge between a part of a split and the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub flow: Flow,
    /// The way to the split from the root, and which of its parts is before the edge.
    pub at: Vec<usize>,
    /// What both parts cover.
    pub area: Area,
    /// The share of the first one of what both have, in thousandths.
    pub share: u32,
}

impl Default for Groups {
    fn default() -> Self {
        let id = GroupId(1);
        let group = Group { id, tabs: Vec::new(), active: None };
        Self { root: Node::Group(id), list: vec![group], active: id, used: Vec::new(), last: id.0 }
    }
}

impl Groups {
    /// In the order in which they were made.
    pub fn list(&self) -> &[Group] {
        &self.list
    }

    pub fn get(&self, id: GroupId) -> Option<&Group> {
        self.list.iter().find(|group| group.id == id)
    }

    fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.list.iter_mut().find(|group| group.id == id)
    }

    pub fn active(&self) -> &Group {
        self.get(self.active).unwrap_or(&self.list[0])
    }

    pub fn active_mut(&mut self) -> &mut Group {
        let at = self.list.iter().position(|group| group.id == self.active).unwrap_or_default();
        &mut self.list[at]
    }

    /// The groups as they are read: from the left to the right and from above to below.
    pub fn in_order(&self) -> Vec<GroupId> {
        let mut order = Vec::new();
        self.root.groups(&mut order);
        order
    }

    /// Whether a tab of the file is in any group.
    pub fn has(&self, file: FileId) -> bool {
        self.list.iter().any(|group| group.tabs.contains(&file))
    }

    /// Puts a file into a new group at the side of another one, which keeps its own tab of it. Returns the new group,
    /// which is the active one then; `None` if there are too many.
    pub fn split(&mut self, beside: GroupId, side: Side, file: Option<FileId>) -> Option<GroupId> {
        if self.list.len() >= MAX_GROUPS || self.get(beside).is_none() {
            return None;
        }
        self.last += 1;
        let id = GroupId(self.last);
        self.list.push(Group { id, tabs: file.into_iter().collect(), active: file });
        self.root.split(beside, side, id);
        self.active = id;
        Some(id)
    }

    /// Shows a file in a group, behind its active tab if it has none there.
    pub fn show(&mut self, id: GroupId, file: FileId) {
        let Some(group) = self.get_mut(id) else { return };
        if !group.tabs.contains(&file) {
            let at = group.tabs.iter().position(|tab| Some(*tab) == group.active).map_or(group.tabs.len(), |at| at + 1);
            group.tabs.insert(at, file);
        }
        group.active = Some(file);
        self.active = id;
    }

    /// Takes a file's tab from one group to a place in another or the same one, and shows it there.
    pub fn move_tab(&mut self, file: FileId, from: GroupId, to: GroupId, at: usize) {
        if self.get(to).is_none() || !self.get(from).is_some_and(|group| group.tabs.contains(&file)) {
            return;
        }
        let before = self.get(to).and_then(|group| group.tabs.iter().position(|tab| *tab == file));
        let at = if from == to && before.is_some_and(|before| before < at) { at - 1 } else { at };
        if from != to {
            self.take_tab(from, file);
        }
        if let Some(group) = self.get_mut(to) {
            group.tabs.retain(|tab| *tab != file);
            let at = at.min(group.tabs.len());
            group.tabs.insert(at, file);
            group.active = Some(file);
        }
        self.active = to;
        self.remove_if_empty(from);
    }

    /// Closes a file's tab in one group. A group without tabs goes, unless it is the only one.
    pub fn close_tab(&mut self, id: GroupId, file: FileId) {
        self.take_tab(id, file);
        self.remove_if_empty(id);
    }

    /// Closes all tabs of a file.
    pub fn close(&mut self, file: FileId) {
        for id in self.in_order() {
            self.close_tab(id, file);
        }
    }

    /// Brings the tabs of all groups into one.
    pub fn join(&mut self) {
        let order = self.in_order();
        let active = self.active().active;
        let mut tabs: Vec<FileId> = Vec::new();
        for group in order.iter().filter_map(|id| self.get(*id)) {
            let new: Vec<FileId> = group.tabs.iter().copied().filter(|tab| !tabs.contains(tab)).collect();
            tabs.extend(new);
        }
        let id = order[0];
        let used = std::mem::take(&mut self.used);
        *self =
            Self { root: Node::Group(id), list: vec![Group { id, tabs, active }], active: id, used, last: self.last };
    }

    /// The tab that was used before it is shown, or of those that nobody has used, the next one.
    fn take_tab(&mut self, id: GroupId, file: FileId) {
        let Some(group) = self.list.iter_mut().find(|group| group.id == id) else { return };
        let Some(at) = group.tabs.iter().position(|tab| *tab == file) else { return };
        group.tabs.remove(at);
        if group.active == Some(file) {
            let used = self.used.iter().rev().find(|used| group.tabs.contains(used));
            group.active = used.or(group.tabs.get(at)).or(group.tabs.last()).copied();
        }
    }

    /// The shown file is used now; what is open nowhere any more was never used.
    pub fn note_use(&mut self) {
        let Some(file) = self.active().active else { return };
        let is_open = |of: &FileId| self.list.iter().any(|group| group.tabs.contains(of));
        self.used = std::mem::take(&mut self.used).into_iter().filter(|of| *of != file && is_open(of)).collect();
        self.used.push(file);
    }

    /// Files in the order in which they were used, the last one first.
    pub fn used(&self) -> impl Iterator<Item = FileId> {
        self.used.iter().rev().copied()
    }

    fn remove_if_empty(&mut self, id: GroupId) {
        if self.list.len() == 1 || !self.get(id).is_some_and(|group| group.tabs.is_empty()) {
            return;
        }
        let order = self.in_order();
        self.list.retain(|group| group.id != id);
        self.root.remove(id);
        if self.active == id {
            let at = order.iter().position(|other| *other == id).unwrap_or_default();
            self.active = order[if at == 0 { 1 } else { at - 1 }];
        }
    }

    /// Gives the first of two parts a share of what both have, in thousandths.
    pub fn resize(&mut self, at: &[usize], share: u32) {
        let Some((part, way)) = at.split_last() else { return };
        let mut node = &mut self.root;
        for step in way {
            let Node::Split { parts, .. } = node else { return };
            let Some((next, _)) = parts.get_mut(*step) else { return };
            node = next;
        }
        let Node::Split { parts, .. } = node else { return };
        if let Some([(_, first), (_, second)]) = parts.get_mut(*part..part + 2) {
            let both = *first + *second;
            *first = both * share.clamp(LEAST_SHARE, WHOLE - LEAST_SHARE) / WHOLE;
            *second = both - *first;
        }
    }

    /// What is to be remembered, with the files as `name` has them; those without a name are left out.
    pub fn kept<P: PartialEq>(&self, name: &impl Fn(FileId) -> Option<P>) -> Kept<P> {
        self.kept_of(&self.root, name)
    }

    fn kept_of<P: PartialEq>(&self, node: &Node, name: &impl Fn(FileId) -> Option<P>) -> Kept<P> {
        match node {
            Node::Group(id) => {
                let group = self.get(*id);
                Kept::Group {
                    tabs: group
                        .map(|group| group.tabs.iter().filter_map(|tab| name(*tab)).collect())
                        .unwrap_or_default(),
                    active: group.and_then(|group| name(group.active?)),
                    in_use: self.active == *id,
                }
            }
            Node::Split { flow, parts } => {
                let parts = parts.iter().map(|(part, share)| (self.kept_of(part, name), *share)).collect();
                Kept::Split { flow: *flow, parts }
            }
        }
    }

    /// The groups that were remembered. Those without files, and those beyond the most, are left out.
    pub fn restored<P>(kept: &Kept<P>, file: &mut impl FnMut(&P) -> FileId) -> Self {
        let mut groups = Self { list: Vec::new(), last: 0, ..Self::default() };
        match groups.restore(kept, file) {
            Some(root) => Self { root, ..groups },
            None => Self::default(),
        }
    }

    fn restore<P>(&mut self, kept: &Kept<P>, file: &mut impl FnMut(&P) -> FileId) -> Option<Node> {
        match kept {
            Kept::Group { tabs, active, in_use } => {
                if tabs.is_empty() || self.list.len() == MAX_GROUPS {
                    return None;
                }
                self.last += 1;
                let id = GroupId(self.last);
                let tabs: Vec<FileId> = tabs.iter().map(&mut *file).collect();
                let active = active.as_ref().map(file).filter(|active| tabs.contains(active)).or(tabs.first().copied());
                self.list.push(Group { id, tabs, active });
                if *in_use || self.list.len() == 1 {
                    self.active = id;
                }
                Some(Node::Group(id))
            }
            Kept::Split { flow, parts } => {
                let mut restored: Vec<(Node, u32)> = Vec::new();
                for (part, share) in parts {
                    if let Some(node) = self.restore(part, file) {
                        restored.push((node, (*share).clamp(1, WHOLE)));
                    }
                }
                match restored.len() {
                    0 | 1 => restored.pop().map(|(node, _)| node),
                    _ => Some(Node::Split { flow: *flow, parts: restored }),
                }
            }
        }
    }

    /// Where each group is, and the edges between them.
    pub fn areas(&self) -> (Vec<(GroupId, Area)>, Vec<Edge>) {
        let (mut groups, mut edges) = (Vec::new(), Vec::new());
        let whole = Area { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        self.root.place(whole, &mut Vec::new(), &mut groups, &mut edges);
        groups.sort_by_key(|(id, _)| *id);
        (groups, edges)
    }
}

impl Node {
    fn groups(&self, order: &mut Vec<GroupId>) {
        match self {
            Self::Group(id) => order.push(*id),
            Self::Split { parts, .. } => parts.iter().for_each(|(part, _)| part.groups(order)),
        }
    }

    fn split(&mut self, beside: GroupId, side: Side, new: GroupId) {
        match self {
            Self::Group(id) if *id == beside => {
                let mut parts = vec![(Self::Group(beside), WHOLE / 2), (Self::Group(new), WHOLE / 2)];
                if !side.is_after() {
                    parts.reverse();
                }
                *self = Self::Split { flow: side.flow(), parts };
            }
            Self::Group(_) => {}
            Self::Split { flow, parts } => {
                let at = parts.iter().position(|(part, _)| matches!(part, Self::Group(id) if *id == beside));
                match at.filter(|_| *flow == side.flow()) {
                    Some(at) => {
                        let half = parts[at].1 / 2;
                        parts[at].1 -= half;
                        parts.insert(at + usize::from(side.is_after()), (Self::Group(new), half));
                    }
                    None => parts.iter_mut().for_each(|(part, _)| part.split(beside, side, new)),
                }
            }
        }
    }

    /// What had a place in a split leaves it to its neighbour; a split of one is that one.
    fn remove(&mut self, gone: GroupId) {
        let Self::Split { parts, flow } = self else { return };
        if let Some(at) = parts.iter().position(|(part, _)| matches!(part, Self::Group(id) if *id == gone)) {
            let (_, share) = parts.remove(at);
            parts[at.saturating_sub(1)].1 += share;
        }
        let flow = *flow;
        let mut at = 0;
        while at < parts.len() {
            parts[at].0.remove(gone);
            // What flows the same way is parts of this one.
            if let Self::Split { flow: inner, parts: within } = &mut parts[at].0
                && *inner == flow
            {
                let (within, share) = (std::mem::take(within), parts[at].1);
                let count = within.len();
                parts.splice(at..=at, within.into_iter().map(|(part, of)| (part, share * of / WHOLE)));
                at += count;
            } else {
                at += 1;
            }
        }
        if parts.len() == 1 {
            let (only, _) = parts.remove(0);
            *self = only;
        }
    }

    fn place(&self, area: Area, way: &mut Vec<usize>, groups: &mut Vec<(GroupId, Area)>, edges: &mut Vec<Edge>) {
        let (flow, parts) = match self {
            Self::Group(id) => return groups.push((*id, area)),
            Self::Split { flow, parts } => (*flow, parts),
        };
        let whole: u32 = parts.iter().map(|(_, share)| share).sum();
        let part_of = |before: u32, share: u32| {
            let (from, size) = (f64::from(before) / f64::from(whole), f64::from(share) / f64::from(whole));
            match flow {
                Flow::Row => Area { left: area.left + area.width * from, width: area.width * size, ..area },
                Flow::Column => Area { top: area.top + area.height * from, height: area.height * size, ..area },
            }
        };
        let mut before = 0;
        for (at, (part, share)) in parts.iter().enumerate() {
            way.push(at);
            part.place(part_of(before, *share), way, groups, edges);
            if let Some((_, next)) = parts.get(at + 1) {
                let both = share + next;
                edges.push(Edge { flow, at: way.clone(), area: part_of(before, both), share: share * WHOLE / both });
            }
            way.pop();
            before += share;
        }
    }
}

#[cfg(test)]
#[path = "groups/tests.rs"]
mod tests;
