//! For how long people were in a room by each of its links, until whole minutes of it were counted in the ledger. Owns the
//! parts of minutes alone: they are lost with the server.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::ledger::{EDITOR_KEY, OWNER_KEY};

const MINUTE: Duration = Duration::from_secs(60);

/// What was not counted yet, by the number of the link.
#[derive(Debug, Default)]
pub(super) struct Attendance(Mutex<HashMap<u32, Duration>>);

impl Attendance {
    /// So much time has passed for everybody who is here, each named by the number of the link they came by. Returns the
    /// whole minutes that there are now, which are counted herewith.
    pub(super) fn passed(&self, here: impl IntoIterator<Item = u32>, passed: Duration) -> Vec<(u32, u64)> {
        let mut parts = self.0.lock();
        // The keys that every room has are good as long as it is.
        for number in here.into_iter().filter(|number| ![EDITOR_KEY, OWNER_KEY].contains(number)) {
            *parts.entry(number).or_default() += passed;
        }
        let mut whole = Vec::new();
        for (number, part) in parts.iter_mut() {
            let minutes = part.as_secs() / MINUTE.as_secs();
            if minutes > 0 {
                *part -= MINUTE * u32::try_from(minutes).unwrap_or(u32::MAX);
                whole.push((*number, minutes));
            }
        }
        whole
    }

    /// Minutes that could not be counted after all.
    pub(super) fn owe(&self, number: u32, minutes: u64) {
        *self.0.lock().entry(number).or_default() += MINUTE * u32::try_from(minutes).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_persons_minutes_are_counted_for_their_link_and_those_of_the_rooms_own_keys_for_none() {
        let attendance = Attendance::default();
        let here = [0, 1, 5, 5, 6];
        assert_eq!(attendance.passed(here, Duration::from_secs(20)), []);
        assert_eq!(attendance.passed(here, Duration::from_secs(20)), [(5, 1)]);
        let mut counted = attendance.passed(here, Duration::from_secs(40));
        counted.sort_unstable();
        assert_eq!(counted, [(5, 1), (6, 1)]);
        attendance.owe(6, 1);
        assert_eq!(attendance.passed([], Duration::ZERO), [(6, 1)]);
        assert_eq!(attendance.passed([], Duration::ZERO), []);
    }
}
