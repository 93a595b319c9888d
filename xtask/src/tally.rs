//! Counts tests from what the runners print: cargo's `test result:` lines, Node's summary, and `SKIPPED: ` lines, by which a
//! test says that a precondition is missing.

/// How a test says that it could not be done here; the reason follows.
const SKIPPED: &str = "SKIPPED: ";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// Tests that ended well by saying `SKIPPED: `; their runner counts them as passed.
    excused: u64,
}

impl Tally {
    /// Takes in one line of a runner's output.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim_start();
        if line.starts_with(SKIPPED) {
            self.excused += 1;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.cargo(counts);
        } else if let Some(count) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            self.node(count);
        }
    }

    /// `ok. 12 passed; 0 failed; 1 ignored; …`
    fn cargo(&mut self, counts: &str) {
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for part in counts.split("; ") {
            match part.split_once(' ').and_then(|(count, word)| Some((count.parse::<u64>().ok()?, word))) {
                Some((count, "passed")) => self.passed += count,
                Some((count, "failed")) => self.failed += count,
                Some((count, "ignored")) => self.skipped += count,
                _ => {}
            }
        }
    }

    /// `pass 3`
    fn node(&mut self, line: &str) {
        match line.split_once(' ').and_then(|(word, count)| Some((word, count.parse::<u64>().ok()?))) {
            Some(("pass", count)) => self.passed += count,
            Some(("fail" | "cancelled", count)) => self.failed += count,
            Some(("skipped" | "todo", count)) => self.skipped += count,
            _ => {}
        }
    }

    /// The counts with excused tests moved from passed to skipped; where the runner counted them itself, they count once.
    pub(crate) fn settled(self) -> Self {
        let unknown = self.excused.saturating_sub(self.skipped);
        Self {
            passed: self.passed.saturating_sub(unknown),
            failed: self.failed,
            skipped: self.skipped + unknown,
            excused: 0,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        let other = other.settled();
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> String {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.line(line));
        tally.settled().to_string()
    }

    #[test]
    fn cargo_results_are_summed_over_binaries() {
        let text = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s\n\
                    test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s";
        assert_eq!(tally(text), "14 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn a_missing_precondition_is_skipped_not_passed() {
        let text = "SKIPPED: no Docker here\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(tally(text), "1 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn node_summaries_count_in_either_style() {
        assert_eq!(tally("ℹ tests 4\nℹ pass 3\nℹ fail 1\nℹ skipped 0"), "3 passed, 1 failed, 0 skipped");
        assert_eq!(tally("SKIPPED: no browser\n# pass 0\n# fail 0\n# skipped 1"), "0 passed, 0 failed, 1 skipped");
    }
}
