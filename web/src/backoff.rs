//! How long to wait before the next attempt to connect. Knows no clock and no randomness of its own.

/// The shortest wait, in milliseconds.
pub const SHORTEST: f64 = 250.0;
/// The longest wait, in milliseconds.
pub const LONGEST: f64 = 10_000.0;
/// By how much of itself chance makes a wait longer, so that a room's members don't all come back at once.
const JITTER: f64 = 1.0;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait in milliseconds; each is twice the last but for chance, up to [`LONGEST`]. `chance` lies in
    /// `0.0..1.0`.
    pub fn next(&mut self, chance: f64) -> f64 {
        let least = (SHORTEST * 2f64.powi(self.failures.min(16) as i32)).min(LONGEST / (1.0 + JITTER));
        self.failures = self.failures.saturating_add(1);
        least * (1.0 + JITTER * chance)
    }

    /// The connection stood: the next failure is a first one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<f64> = (0..8).map(|_| backoff.next(0.0)).collect();
        assert_eq!(waits, [250.0, 500.0, 1000.0, 2000.0, 4000.0, 5000.0, 5000.0, 5000.0]);
        backoff.reset();
        assert_eq!(backoff.next(0.0), SHORTEST);
    }

    #[test]
    fn chance_spreads_every_wait_the_first_and_the_longest_too() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.clone().next(0.5), 375.0);
        for _ in 0..10 {
            backoff.next(0.0);
        }
        assert_eq!((backoff.next(0.5), backoff.next(0.9)), (7_500.0, 9_500.0));
    }
}
