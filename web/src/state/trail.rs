//! Where somebody has been: places in files, to go back to and forward again. Pure; going there is `workbench::trail`'s.

use embedenv_shared::path::WorkspacePath;

/// Places that are remembered; the oldest makes room.
const MAX_PLACES: usize = 50;
/// Whoever moves by fewer lines is still at the same place.
const NEAR: u32 = 10;

/// A place in a file; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: WorkspacePath,
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, Default)]
pub struct Trail {
    places: Vec<Place>,
    /// Which of them somebody is at.
    at: usize,
    /// The way back to a place is not over: the cursor may be elsewhere until its file is shown.
    heading: bool,
}

impl Trail {
    /// The cursor is there now.
    pub fn visit(&mut self, path: &WorkspacePath, line: u32, column: u32) {
        let Some(here) = self.places.get_mut(self.at) else {
            self.places.push(Place { path: path.clone(), line, column });
            return;
        };
        let is_here = here.path == *path && here.line.abs_diff(line) < NEAR;
        if self.heading {
            self.heading = !(is_here && here.line == line);
        } else if is_here {
            (here.line, here.column) = (line, column);
        } else {
            self.places.truncate(self.at + 1);
            self.places.push(Place { path: path.clone(), line, column });
            if self.places.len() > MAX_PLACES {
                self.places.remove(0);
            }
            self.at = self.places.len() - 1;
        }
    }

    /// The place before, or after, the one where somebody is; they are on the way to it from now on.
    pub fn step(&mut self, by: isize) -> Option<Place> {
        let to = self.at.checked_add_signed(by)?;
        let place = self.places.get(to)?.clone();
        (self.at, self.heading) = (to, true);
        Some(place)
    }

    /// Somebody does something else than going back: where the cursor is from now on is where they are.
    pub fn wander(&mut self) {
        self.heading = false;
    }

    /// A file has another path.
    pub fn moved(&mut self, from: &WorkspacePath, to: &WorkspacePath) {
        for place in self.places.iter_mut().filter(|place| place.path == *from) {
            place.path = to.clone();
        }
    }

    /// An entry is no longer there.
    pub fn removed(&mut self, gone: &WorkspacePath) {
        let before = self.places.iter().take(self.at).filter(|place| place.path.is_within(gone)).count();
        self.places.retain(|place| !place.path.is_within(gone));
        self.at = self.at.saturating_sub(before).min(self.places.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    fn step(trail: &mut Trail, by: isize) -> Option<(String, u32)> {
        let place = trail.step(by)?;
        // It is shown from its first line on, before the cursor is where it shall be.
        trail.visit(&place.path, 1, 1);
        trail.visit(&place.path, place.line, place.column);
        Some((place.path.to_string(), place.line))
    }

    #[test]
    fn one_goes_back_to_where_one_was_and_forward_again() {
        let mut trail = Trail::default();
        let (a, b) = (path("a.py"), path("b.py"));
        trail.visit(&a, 1, 1);
        trail.visit(&a, 5, 1);
        trail.visit(&a, 50, 3);
        trail.visit(&b, 1, 1);
        assert_eq!(step(&mut trail, 1), None);
        assert_eq!(step(&mut trail, -1), Some(("a.py".into(), 50)));
        assert_eq!(step(&mut trail, -1), Some(("a.py".into(), 5)));
        assert_eq!(step(&mut trail, -1), None);
        assert_eq!(step(&mut trail, 1), Some(("a.py".into(), 50)));
        // Who goes a way of their own has nothing before them.
        trail.visit(&b, 100, 1);
        assert_eq!(step(&mut trail, 1), None);
        assert_eq!(step(&mut trail, -1), Some(("a.py".into(), 50)));
    }

    #[test]
    fn a_way_that_does_not_arrive_ends_with_the_next_thing_done() {
        let mut trail = Trail::default();
        trail.visit(&path("a.py"), 30, 1);
        trail.visit(&path("b.py"), 1, 1);
        trail.step(-1);
        trail.visit(&path("c.py"), 1, 1);
        trail.wander();
        trail.visit(&path("c.py"), 1, 1);
        assert_eq!(step(&mut trail, -1), Some(("a.py".into(), 30)));
    }

    #[test]
    fn renamed_files_are_followed_deleted_ones_forgotten_and_the_oldest_make_room() {
        let mut trail = Trail::default();
        trail.visit(&path("x/a.py"), 1, 1);
        trail.visit(&path("b.py"), 1, 1);
        trail.visit(&path("c.py"), 1, 1);
        trail.moved(&path("b.py"), &path("d.py"));
        trail.removed(&path("x"));
        assert_eq!(step(&mut trail, -1), Some(("d.py".into(), 1)));
        assert_eq!(step(&mut trail, -1), None);
        for line in 1..200 {
            trail.visit(&path("long.py"), line * 20, 1);
        }
        assert_eq!(trail.places.len(), MAX_PLACES);
        assert_eq!(step(&mut trail, -1), Some(("long.py".into(), 198 * 20)));
    }
}
