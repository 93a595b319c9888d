//! Rooms made ahead of need, so that an `init` need not wait for a sandbox: for each space as many as were opened in
//! the last minute, within the space's bounds.
//!
//! Owns which spares there are; never starts or ends one. Its filling is the registry's task.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Room;
use crate::config;

/// What was opened so long ago says nothing of what will be asked for next.
const DEMAND: Duration = Duration::from_secs(60);

/// The spares of every space.
#[derive(Debug, Default)]
pub struct Pool(HashMap<String, Shelf>);

/// The spares of one space.
#[derive(Debug)]
pub struct Shelf {
    bounds: config::Pool,
    stock: Mutex<Stock>,
    /// Something was taken.
    pub taken: Notify,
}

#[derive(Debug, Default)]
struct Stock {
    spares: VecDeque<Arc<Room>>,
    /// When rooms of this space were opened, in [`DEMAND`]; at most as many as the pool may hold.
    opened: VecDeque<Instant>,
}

impl Pool {
    pub fn new<'a>(spaces: impl Iterator<Item = (&'a String, &'a config::Space)>) -> Self {
        let shelf =
            |space: &config::Space| Shelf { bounds: space.pool.clone(), stock: Mutex::default(), taken: Notify::new() };
        Self(spaces.map(|(name, space)| (name.clone(), shelf(space))).collect())
    }

    pub fn shelf(&self, space: &str) -> Option<&Shelf> {
        self.0.get(space)
    }

    /// How many spares there are.
    pub fn count(&self) -> usize {
        self.0.values().map(Shelf::count).sum()
    }

    /// Takes every spare there is.
    pub fn empty(&self) -> Vec<Arc<Room>> {
        self.0.values().flat_map(|shelf| std::mem::take(&mut shelf.stock.lock().spares)).collect()
    }
}

impl Shelf {
    /// The spare that has waited longest, if one is ready. Counts as demand either way.
    pub fn take(&self) -> Option<Arc<Room>> {
        let mut stock = self.stock.lock();
        if stock.opened.len() >= self.bounds.most.max(1) {
            stock.opened.pop_front();
        }
        stock.opened.push_back(Instant::now());
        let at = stock.spares.iter().position(|room| room.sandbox.link_now().is_some());
        let room = at.and_then(|at| stock.spares.remove(at));
        self.taken.notify_one();
        room
    }

    /// How many spares there are.
    pub fn count(&self) -> usize {
        self.stock.lock().spares.len()
    }

    /// A spare that was not used after all is the next to be taken. Returns whether there is a place for it.
    pub fn put_back(&self, room: &Arc<Room>) -> bool {
        let mut stock = self.stock.lock();
        let fits = stock.spares.len() < self.bounds.most.max(self.bounds.least);
        if fits {
            stock.spares.push_front(room.clone());
        }
        fits
    }

    pub fn add(&self, room: Arc<Room>) {
        self.stock.lock().spares.push_back(room);
    }

    /// Takes out what should not be kept: spares that are `unfit`, and those beyond what is wanted now.
    pub fn retire(&self, unfit: impl Fn(&Room) -> bool) -> Vec<Arc<Room>> {
        let mut stock = self.stock.lock();
        let (mut out, fit): (Vec<_>, Vec<_>) = stock.spares.drain(..).partition(|room| unfit(room));
        stock.spares = fit.into();
        let beyond = stock.spares.len().saturating_sub(self.wanted(&mut stock, Instant::now()));
        out.extend(stock.spares.drain(..beyond));
        out
    }

    /// Whether another should be made.
    pub fn lacks(&self) -> bool {
        let mut stock = self.stock.lock();
        stock.spares.len() < self.wanted(&mut stock, Instant::now())
    }

    fn wanted(&self, stock: &mut Stock, now: Instant) -> usize {
        while stock.opened.front().is_some_and(|opened| now.duration_since(*opened) >= DEMAND) {
            stock.opened.pop_front();
        }
        stock.opened.len().min(self.bounds.most).max(self.bounds.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_wanted_as_were_opened_in_the_last_minute_within_the_bounds() {
        let shelf = Shelf { bounds: config::Pool { least: 1, most: 3 }, stock: Mutex::default(), taken: Notify::new() };
        let wanted = |later| shelf.wanted(&mut shelf.stock.lock(), Instant::now() + later);
        assert_eq!(wanted(Duration::ZERO), 1);
        for expected in [1, 2, 3, 3, 3] {
            assert!(shelf.take().is_none());
            assert_eq!(wanted(Duration::ZERO), expected);
        }
        assert_eq!(wanted(DEMAND), 1);
    }
}
