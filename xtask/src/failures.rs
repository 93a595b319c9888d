//! What runners say of tests that failed, kept to be said once more at the end: cargo's `failures:`, Node's
//! `✖ failing tests:` and pytest's `FAILED` lines. Of each failure its beginning and its end.

use std::fmt;

/// Lines of a failure that are kept at its beginning, and as many at its end.
const EACH: usize = 15;
/// Failures that are kept of one runner.
const MOST: usize = 10;
/// Characters of a line.
const WIDTH: usize = 300;

#[derive(Default)]
pub(crate) struct Failures {
    within: bool,
    found: Vec<Vec<String>>,
}

impl Failures {
    /// Takes in one line of a runner's output.
    pub(crate) fn line(&mut self, line: &str) {
        match line {
            "failures:" | "✖ failing tests:" => self.within = true,
            _ if line.starts_with("test result: ") => self.within = false,
            _ if line.starts_with("FAILED ") || line.starts_with("ERROR ") => {
                if self.found.len() < MOST {
                    self.found.push(vec![line.chars().take(WIDTH).collect()]);
                }
            }
            _ if !self.within || line.trim().is_empty() => {}
            _ => {
                let begins = line.starts_with("---- ") || line.starts_with("✖ ");
                if begins && self.found.len() < MOST {
                    self.found.push(Vec::new());
                }
                if let Some(failure) = self.found.last_mut() {
                    failure.push(line.chars().take(WIDTH).collect());
                }
            }
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for lines in &self.found {
            let cut = lines.len().saturating_sub(2 * EACH);
            let rest = lines.len().min(EACH) + cut;
            for line in lines.iter().take(EACH) {
                writeln!(formatter, "{line}")?;
            }
            if cut > 0 {
                writeln!(formatter, "… {cut} lines …")?;
            }
            for line in lines.iter().skip(rest) {
                writeln!(formatter, "{line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(text: &str) -> String {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.line(line));
        failures.to_string()
    }

    #[test]
    fn what_cargo_says_of_failures_is_kept_and_nothing_of_what_passed() {
        let text = "running 2 tests\ntest a ... ok\n\nfailures:\n\n---- b stdout ----\npanicked at b.rs:1\n\n\
                    failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed\nlater";
        assert_eq!(failures(text), "---- b stdout ----\npanicked at b.rs:1\n    b\n");
    }

    #[test]
    fn pytest_names_what_failed() {
        let text = "short test summary info\nFAILED tests/test_a.py::test_b - AssertionError\n1 failed in 0.10s";
        assert_eq!(failures(text), "FAILED tests/test_a.py::test_b - AssertionError\n");
    }

    #[test]
    fn what_node_says_of_failures_is_kept_with_a_long_one_cut_in_its_middle() {
        let log: String = (0..100).map(|number| format!("  line {number}\n")).collect();
        let text = format!("✖ first\nℹ fail 1\n\n✖ failing tests:\n\ntest at x.mjs:1:1\n✖ first\n{log}");
        let kept = failures(&text);
        assert!(kept.starts_with("✖ first\n  line 0\n"), "{kept}");
        assert!(kept.contains("  line 13\n… 71 lines …\n  line 85\n"), "{kept}");
        assert!(kept.ends_with("  line 99\n"), "{kept}");
    }
}
