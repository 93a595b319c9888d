//! Run configurations as the page offers them: the project's own first, then those that were found, and which one Run is
//! for. Pure; they are found and kept by `workbench::runs`.

use serde::{Deserialize, Serialize};

use crate::run::Configuration;
use crate::run::kept::Kept;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs {
    pub kept: Kept,
    pub found: Vec<Configuration>,
    pub choice: Choice,
}

/// What Run is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Nobody has chosen: the default of `run.toml`, or the open file.
    #[default]
    Nothing,
    OpenFile,
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunsAction {
    Found(Vec<Configuration>),
    Kept(Kept),
    Choose(Choice),
}

impl Runs {
    pub fn reduce(&mut self, action: RunsAction) {
        match action {
            RunsAction::Found(found) => self.found = found,
            RunsAction::Kept(kept) => self.kept = kept,
            RunsAction::Choose(choice) => self.choice = choice,
        }
    }

    /// All of them in the order in which they are offered. One that is kept hides a found one of its name.
    pub fn all(&self) -> impl Iterator<Item = &Configuration> {
        let kept = &self.kept.configurations;
        let is_hidden = |found: &&Configuration| kept.iter().any(|kept| kept.name == found.name);
        kept.iter().chain(self.found.iter().filter(move |found| !is_hidden(found)))
    }

    pub fn get(&self, name: &str) -> Option<&Configuration> {
        self.all().find(|configuration| configuration.name == name)
    }

    /// The one that Run starts; without one it is the open file. A chosen one that is gone counts as none, and is chosen
    /// again when it comes back.
    pub fn chosen(&self) -> Option<&Configuration> {
        match &self.choice {
            Choice::OpenFile => None,
            Choice::Named(name) => self.get(name),
            Choice::Nothing => self.get(self.kept.default.as_deref()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_goes_first_and_hides_what_was_found() {
        let mut runs = Runs::default();
        runs.reduce(RunsAction::Found(vec![Configuration::new("main.py", "a"), Configuration::new("test", "b")]));
        let kept = Kept { configurations: vec![Configuration::new("test", "c")], ..Kept::default() };
        runs.reduce(RunsAction::Kept(kept));
        assert_eq!(runs.all().map(|run| run.command.as_str()).collect::<Vec<_>>(), ["c", "a"]);
    }

    #[test]
    fn run_is_for_what_was_chosen_then_for_the_default_and_else_for_the_open_file() {
        let mut runs = Runs::default();
        runs.reduce(RunsAction::Found(vec![Configuration::new("main.py", "a"), Configuration::new("test", "b")]));
        assert_eq!(runs.chosen(), None);
        runs.kept.default = Some("test".to_owned());
        assert_eq!(runs.chosen().map(|run| run.command.as_str()), Some("b"));
        runs.reduce(RunsAction::Choose(Choice::Named("main.py".to_owned())));
        assert_eq!(runs.chosen().map(|run| run.command.as_str()), Some("a"));
        runs.reduce(RunsAction::Choose(Choice::OpenFile));
        assert_eq!(runs.chosen(), None);
        runs.reduce(RunsAction::Choose(Choice::Named("gone".to_owned())));
        assert_eq!(runs.chosen(), None);
    }
}
