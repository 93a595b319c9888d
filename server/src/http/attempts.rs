//! Failed attempts at keys: counted by address and by the key that was presented, so that guessing is slow whether it
//! comes from one place or goes at one key.
//!
//! Only failures are told here, after they were verified like any other attempt: who has valid credentials is never
//! refused for what others tried. Keys are kept as keyed hashes alone.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::address::Peer;

/// Time is counted in these steps; a failure counts for a minute and at most a step more.
const STEP: Duration = Duration::from_secs(10);
/// Steps that make up a minute however it lies across them.
const STEPS: usize = 7;
/// Addresses, and keys, that are remembered at once (1 MiB of each at most); when full, the quarter that has failed
/// least recently is forgotten.
const REMEMBERED: usize = 16 * 1024;

#[derive(Debug)]
pub struct Attempts {
    /// From this many failures in a minute on, they are refused.
    limit: u32,
    begun: Instant,
    hasher: RandomState,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    addresses: Counts<Peer>,
    keys: Counts<u64>,
}

/// What a failed attempt gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its own error.
    Counted,
    /// "Too many attempts".
    Limited,
}

impl Verdict {
    pub fn is_limited(self) -> bool {
        self == Self::Limited
    }
}

impl Attempts {
    pub fn new(limit: u32) -> Self {
        Self { limit, begun: Instant::now(), hasher: RandomState::new(), counted: Mutex::default() }
    }

    /// Counts an attempt that failed: from where it came, and what was presented (a public key, a join key).
    pub fn failed(&self, address: IpAddr, presented: &str) -> Verdict {
        self.failed_after(self.begun.elapsed(), address, presented)
    }

    fn failed_after(&self, elapsed: Duration, address: IpAddr, presented: &str) -> Verdict {
        let step = elapsed.as_secs() / STEP.as_secs();
        let mut counted = self.counted.lock();
        let of_address = counted.addresses.count(Peer::of(address), step, true);
        // Who makes up keys fills no more of the memory once the address is at its limit.
        let is_new_counted = of_address < self.limit;
        let of_key = counted.keys.count(self.hasher.hash_one(presented), step, is_new_counted);
        if of_address >= self.limit || of_key >= self.limit { Verdict::Limited } else { Verdict::Counted }
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(20)
    }
}

#[derive(Debug)]
struct Counts<K>(HashMap<K, Recent>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// Failures in each of the last steps; `counts[step % STEPS]` is that of `step`.
#[derive(Debug, Clone, Copy)]
struct Recent {
    last: u64,
    counts: [u32; STEPS],
}

impl<K: Copy + Eq + Hash> Counts<K> {
    /// Counts one more, and says how many there were in the last minute. What is not remembered yet is counted only if
    /// `is_new_counted`.
    fn count(&mut self, key: K, step: u64, is_new_counted: bool) -> u32 {
        if !self.0.contains_key(&key) {
            if !is_new_counted {
                return 1;
            }
            self.make_room(step);
        }
        let recent = self.0.entry(key).or_insert(Recent { last: step, counts: [0; STEPS] });
        for passed in (recent.last + 1..=step).take(STEPS) {
            recent.counts[passed as usize % STEPS] = 0;
        }
        recent.last = step;
        let current = &mut recent.counts[step as usize % STEPS];
        *current = current.saturating_add(1);
        recent.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn make_room(&mut self, step: u64) {
        if self.0.len() < REMEMBERED {
            return;
        }
        self.0.retain(|_, recent| recent.last + STEPS as u64 > step);
        if self.0.len() < REMEMBERED {
            return;
        }
        let mut oldest: Vec<(u64, K)> = self.0.iter().map(|(key, recent)| (recent.last, *key)).collect();
        let quarter = REMEMBERED / 4;
        oldest.select_nth_unstable_by_key(quarter, |(last, _)| *last);
        for (_, key) in &oldest[..quarter] {
            self.0.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn ip(last: u16) -> IpAddr {
        let [high, low] = last.to_be_bytes();
        [192, 0, high, low].into()
    }

    #[test]
    fn an_address_is_limited_from_the_twentieth_failure_in_a_minute() {
        let attempts = Attempts::default();
        let failed = |second, last, key: &str| attempts.failed_after(Duration::from_secs(second), ip(last), key);
        for n in 1..=19 {
            assert_eq!(failed(9, 1, &format!("key {n}")), Verdict::Counted, "{n}");
        }
        assert!(failed(10, 1, "key 20").is_limited());
        assert!(failed(11, 1, "key 21").is_limited());
        assert_eq!(failed(11, 2, "key 22"), Verdict::Counted);
        assert!(failed(68, 1, "key 23").is_limited());
        assert_eq!(failed(139, 1, "key 24"), Verdict::Counted);
        assert_eq!(failed(100_000, 1, "key 25"), Verdict::Counted);
    }

    #[test]
    fn a_key_is_limited_wherever_the_guesses_come_from() {
        let attempts = Attempts::default();
        for n in 1..=19 {
            assert_eq!(attempts.failed(ip(n), "the key"), Verdict::Counted);
        }
        assert!(attempts.failed(ip(20), "the key").is_limited());
        assert_eq!(attempts.failed(ip(21), "another"), Verdict::Counted);
    }

    #[test]
    fn no_minute_has_twenty_failures_that_are_not_limited() {
        let attempts = Attempts::default();
        let times = (0..1000).map(|n| Duration::from_millis(730) * n);
        let allowed: Vec<_> = times.filter(|&time| !attempts.failed_after(time, ip(1), "k").is_limited()).collect();
        assert!(allowed.len() >= 19 && allowed.windows(20).all(|twenty| twenty[19] - twenty[0] >= MINUTE));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for n in 0..40_000_u32 {
            attempts.failed(ip((n / 2) as u16), &n.to_string());
        }
        for n in 0..40_000_u32 {
            attempts.failed(ip(7), &n.to_string());
        }
        let counted = attempts.counted.lock();
        assert!(counted.addresses.0.len() <= REMEMBERED && counted.keys.0.len() <= REMEMBERED);
    }
}
