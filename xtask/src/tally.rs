//! Counts tests from what the runners print: cargo's `test result:` lines, the summaries of Node and pytest, and `SKIPPED: `
//! lines, by which a test says that a precondition is missing.

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
        } else {
            self.pytest(line);
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

    /// `1 failed, 12 passed in 3.21s`, with or without a rule of `=` around it. Nothing else looks like it.
    fn pytest(&mut self, line: &str) {
        let Some((counts, took)) = line.trim_matches(['=', ' ']).rsplit_once(" in ") else { return };
        let is_time = took.split_once('s').is_some_and(|(seconds, _)| seconds.parse::<f64>().is_ok());
        let parts = counts.split(", ").map(|part| {
            let (count, word) = part.split_once(' ')?;
            Some((count.parse::<u64>().ok()?, word))
        });
        let Some(parts) = parts.collect::<Option<Vec<_>>>().filter(|_| is_time) else { return };
        for (count, word) in parts {
            match word {
                "passed" => self.passed += count,
                "failed" | "error" | "errors" => self.failed += count,
                "skipped" | "xfailed" => self.skipped += count,
                _ => {}
            }
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
    fn pytest_summaries_count_in_either_style() {
        assert_eq!(tally("....s [100%]\n12 passed, 1 skipped in 3.30s"), "12 passed, 0 failed, 1 skipped");
        let text = "= 1 failed, 3 passed, 2 errors, 1 warning in 65.01s (0:01:05) =\nbuilt 3 files in 2 s";
        assert_eq!(tally(text), "3 passed, 3 failed, 0 skipped");
    }

    #[test]
    fn node_summaries_count_in_either_style() {
        assert_eq!(tally("ℹ tests 4\nℹ pass 3\nℹ fail 1\nℹ skipped 0"), "3 passed, 1 failed, 0 skipped");
        assert_eq!(tally("SKIPPED: no browser\n# pass 0\n# fail 0\n# skipped 1"), "0 passed, 0 failed, 1 skipped");
    }
}
