//! Steps with a name and a duration: says what is being done, how long each step took, and the table at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps taken so far, in order.
#[derive(Default)]
pub(crate) struct Steps {
    taken: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    /// What came of it in a word or two, such as `unchanged`; `Err` for a failed step.
    outcome: Result<String, String>,
}

impl Steps {
    /// Takes a step that the rest depends on: its failure ends everything.
    pub(crate) fn need(&mut self, name: &'static str, work: impl FnOnce() -> Result<String>) -> Result<()> {
        self.take(name, work)
    }

    /// Takes a step whose failure is remembered while the others go on.
    pub(crate) fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<String>) {
        if let Err(error) = self.take(name, work) {
            eprintln!("xtask: {name}: {}", format!("{error:#}").lines().next().unwrap_or_default());
        }
    }

    fn take(&mut self, name: &'static str, work: impl FnOnce() -> Result<String>) -> Result<()> {
        println!("· {name}");
        let begun = Instant::now();
        let result = work();
        let took = begun.elapsed();
        let outcome = match &result {
            Ok(note) => Ok(note.clone()),
            Err(error) => Err(format!("{error:#}")),
        };
        let word = outcome.as_deref().unwrap_or("failed");
        println!("  {name}: {word} in {:.1} s", took.as_secs_f64());
        self.taken.push(Step { name, took, outcome });
        result.map(|_| ())
    }

    pub(crate) fn failed(&self) -> Vec<&'static str> {
        self.taken.iter().filter(|step| step.outcome.is_err()).map(|step| step.name).collect()
    }

    /// What failed steps say beyond the line that stands in the table.
    pub(crate) fn reasons(&self) -> String {
        let mut said = String::new();
        for Step { name, outcome, .. } in &self.taken {
            if let Err(reason) = outcome
                && let Some((_, more)) = reason.split_once('\n').filter(|(_, more)| !more.is_empty())
            {
                said += &format!("\n{name}:\n{more}");
            }
        }
        said
    }

    /// One line a step, and one for all.
    pub(crate) fn table(&self) -> String {
        let width = self.taken.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let mut table = String::new();
        for Step { name, took, outcome } in &self.taken {
            let word = match outcome {
                Ok(note) => note.clone(),
                Err(reason) => format!("FAILED: {}", reason.lines().next().unwrap_or_default()),
            };
            table += &format!("  {name:width$}  {:>7.1} s  {word}\n", took.as_secs_f64());
        }
        let total: Duration = self.taken.iter().map(|step| step.took).sum();
        table + &format!("  {:width$}  {:>7.1} s\n", "all", total.as_secs_f64())
    }
}
