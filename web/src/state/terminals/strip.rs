//! In which order terminals stand, and which of them stand side by side: a person's own arrangement of the room's
//! terminals. It knows them by their ids alone.

use embedenv_shared::id::SessionId;

use crate::state::groups::{Area, WHOLE};

/// Most terminals side by side; with fewer columns for each, nothing can be read. One more stands by itself.
pub const MAX_PANES: usize = 6;
/// A terminal has at least this share of what it and its neighbour have, in thousandths.
const LEAST_SHARE: u32 = 100;

/// Terminals from the left to the right, in groups of those that are shown together, each with its share in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strip(Vec<Vec<(SessionId, u32)>>);

/// The arrangement as it is remembered.
pub type Kept = Vec<Vec<(u32, u32)>>;

/// The edge between a terminal and the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The terminal before it.
    pub before: SessionId,
    /// What both cover.
    pub area: Area,
    /// The share of the one before it of what both have, in thousandths.
    pub share: u32,
}

impl Strip {
    pub fn kept(&self) -> Kept {
        self.0.iter().map(|group| group.iter().map(|(id, share)| (id.0, *share)).collect()).collect()
    }

    /// What was remembered, of those terminals that are still there; the others stand behind, each by itself.
    pub fn restore(&mut self, kept: &Kept) {
        let mut left: Vec<SessionId> = self.order();
        let mut groups = Vec::new();
        for group in kept {
            let mut panes = Vec::new();
            for (id, share) in group.iter().take(MAX_PANES) {
                if let Some(at) = left.iter().position(|other| other.0 == *id) {
                    panes.push((left.remove(at), (*share).clamp(1, WHOLE)));
                }
            }
            groups.push(panes);
        }
        groups.extend(left.into_iter().map(alone));
        self.0 = groups;
        self.tidy();
    }

    /// Has exactly these terminals: a new one stands behind all that are older.
    pub fn follow(&mut self, ids: impl Iterator<Item = SessionId> + Clone) {
        for group in &mut self.0 {
            group.retain(|(id, _)| ids.clone().any(|other| other == *id));
        }
        self.tidy();
        for id in ids {
            if self.place(id).is_none() {
                let is_older = |group: &Vec<(SessionId, u32)>| group.iter().any(|(other, _)| *other < id);
                let at = self.0.iter().rposition(is_older).map_or(0, |last| last + 1);
                self.0.insert(at, alone(id));
            }
        }
    }

    pub fn order(&self) -> Vec<SessionId> {
        self.0.iter().flatten().map(|(id, _)| *id).collect()
    }

    /// The terminals that are shown together with this one, itself too.
    pub fn together(&self, id: SessionId) -> Vec<SessionId> {
        self.group_of(id).iter().map(|(id, _)| *id).collect()
    }

    /// Where each terminal shown with this one is, and the edges between them.
    pub fn areas(&self, id: SessionId) -> (Vec<(SessionId, Area)>, Vec<Edge>) {
        let group = self.group_of(id);
        let whole: u32 = group.iter().map(|(_, share)| share).sum();
        let part = |from: u32, share: u32| {
            let of_whole = |share: u32| f64::from(share) / f64::from(whole.max(1));
            Area { left: of_whole(from), top: 0.0, width: of_whole(share), height: 1.0 }
        };
        let (mut areas, mut edges) = (Vec::new(), Vec::new());
        let mut from = 0;
        for (at, (id, share)) in group.iter().enumerate() {
            areas.push((*id, part(from, *share)));
            if let Some((_, next)) = group.get(at + 1) {
                let both = share + next;
                edges.push(Edge { before: *id, area: part(from, both), share: share * WHOLE / both });
            }
            from += share;
        }
        (areas, edges)
    }

    /// Puts a terminal to the right of another one, with half of its room. Returns whether there was room for one more.
    pub fn split(&mut self, beside: SessionId, id: SessionId) -> bool {
        if beside == id || self.place(beside).is_none_or(|(group, _)| self.0[group].len() >= MAX_PANES) {
            return false;
        }
        self.take(id);
        if let Some((group, at)) = self.place(beside) {
            let whole = self.0[group][at].1;
            let half = (whole / 2).max(1);
            self.0[group][at].1 = (whole - half).max(1);
            self.0[group].insert(at + 1, (id, half));
        }
        self.tidy();
        true
    }

    /// Shows a terminal by itself again, behind those that it stood beside.
    pub fn take_out(&mut self, id: SessionId) {
        if let Some((group, _)) = self.place(id).filter(|(group, _)| self.0[*group].len() > 1) {
            self.take(id);
            self.0.insert(group + 1, alone(id));
        }
    }

    /// Puts a terminal before the one at a place of the whole order. Between two that stand side by side it stands with
    /// them, if there is room; elsewhere by itself, unless it only moves among its own.
    pub fn move_to(&mut self, id: SessionId, at: usize) {
        let order = self.order();
        let Some(from) = order.iter().position(|other| *other == id) else { return };
        if at == from || at == from + 1 {
            return;
        }
        let next = order.get(at).copied();
        let before = at.checked_sub(1).and_then(|at| order.get(at)).copied();
        let own = self.together(id);
        // Its own neighbours, or two others that are shown together.
        let together = match (before, next) {
            (before, next) if own.len() > 1 && [before, next].iter().flatten().any(|other| own.contains(other)) => {
                before.filter(|other| own.contains(other)).map(|other| (other, 1)).or(next.map(|other| (other, 0)))
            }
            (Some(before), Some(next)) if self.together(before).contains(&next) => {
                (self.together(before).len() < MAX_PANES).then_some((before, 1))
            }
            _ => None,
        };
        let share = self.group_of(id).iter().find(|(other, _)| *other == id).map_or(WHOLE, |(_, share)| *share);
        self.take(id);
        match together.and_then(|(other, after)| self.place(other).map(|(group, at)| (group, at + after))) {
            Some((group, at)) => {
                // Of another group it takes an even part.
                let count = self.0[group].len() as u32;
                let even = self.0[group].iter().map(|(_, share)| share).sum::<u32>() / count.max(1);
                let share = if own.contains(&self.0[group][0].0) { share } else { even.max(1) };
                self.0[group].insert(at, (id, share));
            }
            None => {
                let behind = before.and_then(|before| self.place(before)).map_or(0, |(group, _)| group + 1);
                let ahead = next.and_then(|next| self.place(next)).map(|(group, _)| group);
                self.0.insert(ahead.unwrap_or(behind), alone(id));
            }
        }
        self.tidy();
    }

    /// Moves a terminal by so many places among those it stands beside, or else past whole groups.
    pub fn shift(&mut self, id: SessionId, steps: i32) {
        let Some((group, at)) = self.place(id) else { return };
        let by = |at: usize, count: usize| at.saturating_add_signed(steps as isize).min(count.saturating_sub(1));
        if self.0[group].len() > 1 {
            let to = by(at, self.0[group].len());
            let pane = self.0[group].remove(at);
            self.0[group].insert(to, pane);
        } else {
            let to = by(group, self.0.len());
            let panes = self.0.remove(group);
            self.0.insert(to, panes);
        }
    }

    /// Gives a terminal a share of what it and the next one have, in thousandths.
    pub fn resize(&mut self, before: SessionId, share: u32) {
        let Some((group, at)) = self.place(before) else { return };
        if let Some([(_, first), (_, second)]) = self.0[group].get_mut(at..at + 2) {
            let both = *first + *second;
            *first = (both * share.clamp(LEAST_SHARE, WHOLE - LEAST_SHARE) / WHOLE).max(1);
            *second = both.saturating_sub(*first).max(1);
        }
    }

    /// The terminal so many steps from this one among those that are shown with it, around the end.
    pub fn beside(&self, id: SessionId, steps: i32) -> Option<SessionId> {
        step(&self.together(id), id, steps)
    }

    /// The terminal so many steps from this one, around the end.
    pub fn next(&self, id: SessionId, steps: i32) -> Option<SessionId> {
        step(&self.order(), id, steps)
    }

    fn group_of(&self, id: SessionId) -> &[(SessionId, u32)] {
        self.place(id).map_or(&[], |(group, _)| self.0[group].as_slice())
    }

    /// Which group a terminal is in, and where in it.
    fn place(&self, id: SessionId) -> Option<(usize, usize)> {
        let in_group = |group: &Vec<(SessionId, u32)>| group.iter().position(|(other, _)| *other == id);
        self.0.iter().enumerate().find_map(|(at, group)| in_group(group).map(|pane| (at, pane)))
    }

    /// Takes a terminal from where it is. Its group may be empty then, until [`Strip::tidy`].
    fn take(&mut self, id: SessionId) {
        for group in &mut self.0 {
            group.retain(|(other, _)| *other != id);
        }
    }

    fn tidy(&mut self) {
        self.0.retain(|group| !group.is_empty());
    }
}

fn alone(id: SessionId) -> Vec<(SessionId, u32)> {
    vec![(id, WHOLE)]
}

fn step(ids: &[SessionId], id: SessionId, steps: i32) -> Option<SessionId> {
    let at = i32::try_from(ids.iter().position(|other| *other == id)?).ok()?;
    let to = (at + steps).rem_euclid(i32::try_from(ids.len()).ok()?);
    ids.get(usize::try_from(to).ok()?).copied().filter(|to| *to != id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(text: &str) -> Strip {
        let group = |group: &str| group.split('+').map(|id| (SessionId(id.parse().unwrap()), 500)).collect();
        Strip(text.split(' ').map(group).collect())
    }

    fn shown(strip: &Strip) -> String {
        let group =
            |group: &Vec<(SessionId, u32)>| group.iter().map(|(id, _)| id.0.to_string()).collect::<Vec<_>>().join("+");
        strip.0.iter().map(group).collect::<Vec<_>>().join(" ")
    }

    fn ids(ids: &[u32]) -> impl Iterator<Item = SessionId> + Clone {
        ids.iter().map(|id| SessionId(*id))
    }

    #[test]
    fn new_terminals_stand_behind_the_older_ones_and_closed_ones_leave_no_hole() {
        let mut strip = strip("3 1+2");
        strip.follow(ids(&[2, 3, 4]));
        assert_eq!(shown(&strip), "3 2 4");
        strip.follow(ids(&[]));
        assert_eq!(shown(&strip), "");
    }

    #[test]
    fn a_split_stands_to_the_right_with_half_the_room_until_there_are_too_many() {
        let mut strip = strip("1 2 3");
        assert!(strip.split(SessionId(1), SessionId(3)));
        assert_eq!(shown(&strip), "1+3 2");
        let (areas, edges) = strip.areas(SessionId(3));
        let lefts: Vec<f64> = areas.iter().map(|(_, area)| area.left).collect();
        assert_eq!((lefts, edges.len(), edges[0].share), (vec![0.0, 0.5], 1, 500));
        strip.follow((1..=8).map(SessionId));
        let taken: Vec<bool> = (4..=8).map(|id| strip.split(SessionId(1), SessionId(id))).collect();
        assert_eq!(taken, [true, true, true, true, false]);
        assert_eq!(shown(&strip), "1+7+6+5+4+3 2 8");
        strip.take_out(SessionId(6));
        assert_eq!(shown(&strip), "1+7+5+4+3 6 2 8");
    }

    #[test]
    fn a_terminal_is_put_anywhere_in_the_order() {
        for (before, id, at, after) in [
            ("1 2 3", 1, 3, "2 3 1"),
            ("1 2 3", 3, 0, "3 1 2"),
            ("1 2 3", 2, 1, "1 2 3"),
            ("1 2 3", 2, 2, "1 2 3"),
            ("1+2 3", 3, 1, "1+3+2"),
            ("1+2 3", 3, 0, "3 1+2"),
            ("1+2 3", 1, 3, "2 3 1"),
            ("1+2 3", 1, 2, "2+1 3"),
            ("1+2 3", 2, 0, "2+1 3"),
            ("1+2 3 4", 4, 2, "1+2 4 3"),
        ] {
            let mut strip = strip(before);
            strip.move_to(SessionId(id), at);
            assert_eq!(shown(&strip), after, "{before}: {id} to {at}");
        }
    }

    #[test]
    fn by_key_a_terminal_moves_among_its_own_or_past_others() {
        for (before, id, steps, after) in
            [("1+2 3", 1, 1, "2+1 3"), ("1+2 3", 2, 1, "1+2 3"), ("1+2 3", 3, -1, "3 1+2"), ("1 2", 1, -1, "1 2")]
        {
            let mut strip = strip(before);
            strip.shift(SessionId(id), steps);
            assert_eq!(shown(&strip), after, "{before}: {id} by {steps}");
        }
        let strip = strip("1+2 3");
        assert_eq!(strip.beside(SessionId(2), 1), Some(SessionId(1)));
        assert_eq!(strip.beside(SessionId(3), 1), None);
        assert_eq!(strip.next(SessionId(3), 1), Some(SessionId(1)));
    }

    #[test]
    fn what_is_remembered_comes_back_for_those_that_are_there() {
        let mut before = strip("3 1+2");
        before.resize(SessionId(1), 700);
        let mut after = Strip::default();
        after.follow(ids(&[1, 2, 4]));
        after.restore(&before.kept());
        assert_eq!(shown(&after), "1+2 4");
        assert_eq!(after.areas(SessionId(1)).1[0].share, 700);
        after.restore(&vec![vec![], vec![(9, 0), (4, u32::MAX), (4, 1)], vec![(1, 5)]]);
        assert_eq!(shown(&after), "4 1 2");
    }

    #[test]
    fn nobody_is_pushed_out_by_an_edge() {
        let mut strip = strip("1+2");
        for (share, then) in [(0, LEAST_SHARE), (5_000, WHOLE - LEAST_SHARE)] {
            strip.resize(SessionId(1), share);
            assert_eq!(strip.areas(SessionId(1)).1[0].share, then);
        }
    }
}
