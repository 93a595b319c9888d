//! Finding in files: what is asked for, what was found so far, and the rows in which it is shown.
//!
//! Pure. What is found of a new search takes the place of the old only when it comes, so that nothing flickers while
//! somebody types.

use std::collections::BTreeSet;
use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::{Chosen, Cut, FoundFile, Hit, Query, Scope, Spot, Summary};

use crate::words::catalogue::{count, say};

/// Rows of hits that are drawn at first, and that are added when more are wanted.
pub const SHOWN: usize = 300;

/// What is asked for, as it stands in the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    pub pattern: String,
    pub regex: bool,
    pub case: bool,
    pub word: bool,
    /// Globs with commas between them.
    pub include: String,
    pub exclude: String,
    pub ignored: bool,
    pub with: String,
    /// The field for what replaces is open.
    pub replaces: bool,
    /// The fields for globs are open.
    pub has_details: bool,
}

impl Asked {
    pub fn query(&self) -> Query {
        Query { pattern: self.pattern.clone(), regex: self.regex, case: self.case, word: self.word }
    }

    pub fn scope(&self) -> Scope {
        Scope { include: globs(&self.include), exclude: globs(&self.exclude), ignored: self.ignored }
    }

    /// What replaces, as it goes to the server: with a regular expression, `\n`, `\t` and `\\` are what they say.
    pub fn replacement(&self) -> String {
        if !self.regex {
            return self.with.clone();
        }
        let mut text = String::with_capacity(self.with.len());
        let mut letters = self.with.chars();
        while let Some(letter) = letters.next() {
            match (letter, letters.clone().next()) {
                ('\\', Some(next @ ('n' | 't' | '\\'))) => {
                    letters.next();
                    text.push(if next == 'n' {
                        '\n'
                    } else if next == 't' {
                        '\t'
                    } else {
                        '\\'
                    });
                }
                _ => text.push(letter),
            }
        }
        text
    }
}

/// The globs of a field; a comma in braces parts none.
fn globs(text: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let parts = text.split(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|glob| !glob.is_empty()).map(str::to_owned).collect()
}

/// How far the search is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nothing is looked for.
    #[default]
    Idle,
    Looking,
    Done(Summary),
    /// Why it can't be looked for.
    Failed(String),
}

/// A row, by what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    File(WorkspacePath),
    Hit(WorkspacePath, Spot),
}

impl RowId {
    pub fn path(&self) -> &WorkspacePath {
        match self {
            Self::File(path) | Self::Hit(path, _) => path,
        }
    }
}

/// What is drawn, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    File { file: &'a FoundFile, is_open: bool },
    Hit { file: &'a FoundFile, hit: &'a Hit },
}

impl Row<'_> {
    pub fn id(&self) -> RowId {
        match self {
            Self::File { file, .. } => RowId::File(file.path.clone()),
            Self::Hit { file, hit } => RowId::Hit(file.path.clone(), spot(hit)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    pub asked: Asked,
    pub standing: Standing,
    /// Each behind an [`Rc`]: there may be thousands of hits, and what is selected changes with every key.
    pub files: Vec<Rc<FoundFile>>,
    folded: BTreeSet<WorkspacePath>,
    pub selected: Option<RowId>,
    shown: usize,
    /// What was asked for by the search that is under way, or was last.
    begun: Asked,
    /// By which what is there was found, and is replaced: the fields may have gone on.
    pub found_by: Asked,
    /// What is there is of an earlier search.
    is_old: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SearchAction {
    Ask(Asked),
    Begun,
    Found(Vec<FoundFile>),
    Ended(Summary),
    Failed(String),
    Clear,
    Fold(WorkspacePath, bool),
    Select(Option<RowId>),
    ShowMore,
}

impl Search {
    pub fn reduce(&mut self, action: SearchAction) {
        match action {
            SearchAction::Ask(asked) => self.asked = asked,
            SearchAction::Begun => {
                self.standing = Standing::Looking;
                self.begun = self.asked.clone();
                self.is_old = true;
            }
            SearchAction::Found(files) => {
                self.forget_old();
                self.files.extend(files.into_iter().map(Rc::new));
            }
            SearchAction::Ended(summary) => {
                self.forget_old();
                self.standing = Standing::Done(summary);
            }
            SearchAction::Failed(why) => {
                self.is_old = true;
                self.forget_old();
                self.standing = Standing::Failed(why);
            }
            SearchAction::Clear => {
                *self = Self { asked: std::mem::take(&mut self.asked), ..Self::default() };
            }
            SearchAction::Fold(path, is_folded) => {
                if is_folded {
                    self.folded.insert(path);
                } else {
                    self.folded.remove(&path);
                }
            }
            SearchAction::Select(row) => self.selected = row,
            SearchAction::ShowMore => self.shown += SHOWN,
        }
    }

    /// Hits that are known of now.
    pub fn hits(&self) -> usize {
        self.files.iter().map(|file| file.hits.len()).sum()
    }

    /// How much is there, in words.
    pub fn found(&self) -> String {
        format!("{} {}", count!("finder.hits", self.hits()), count!("finder.in-files", self.files.len()))
    }

    /// What there is to say of the search, in a sentence or two.
    pub fn said(&self) -> String {
        let summary = match &self.standing {
            Standing::Idle => return say!("finder.idle").to_owned(),
            Standing::Failed(why) => return why.clone(),
            Standing::Looking if self.files.is_empty() => return say!("finder.looking").to_owned(),
            Standing::Looking => return say!("finder.looking-on", found = self.found()),
            Standing::Done(summary) => summary,
        };
        let mut text =
            if self.files.is_empty() { say!("finder.none").to_owned() } else { format!("{}.", self.found()) };
        let cut = match summary.cut {
            Some(Cut::Hits) => Some(say!("finder.cut.hits")),
            Some(Cut::Files) => Some(say!("finder.cut.files")),
            Some(Cut::Time) => Some(say!("finder.cut.time")),
            Some(Cut::Cancelled) | None => None,
        };
        let skipped = (summary.skipped > 0).then(|| count!("finder.skipped", summary.skipped as usize));
        for more in cut.map(str::to_owned).into_iter().chain(skipped) {
            text.push(' ');
            text.push_str(&more);
        }
        text
    }

    /// The rows that are drawn, and whether there are more.
    pub fn rows(&self) -> (Vec<Row<'_>>, bool) {
        let most = SHOWN + self.shown;
        let mut rows = Vec::new();
        for file in &self.files {
            let is_open = !self.folded.contains(&file.path);
            rows.push(Row::File { file, is_open });
            if is_open {
                rows.extend(file.hits.iter().map(|hit| Row::Hit { file, hit }));
            }
            if rows.len() > most {
                rows.truncate(most);
                return (rows, true);
            }
        }
        (rows, false)
    }

    /// The row that the keyboard is at: the selected one, or the first.
    pub fn focused(&self) -> Option<RowId> {
        let (rows, _) = self.rows();
        let selected = self.selected.as_ref();
        let is_there = selected.is_some_and(|selected| rows.iter().any(|row| row.id() == *selected));
        if is_there { selected.cloned() } else { rows.first().map(Row::id) }
    }

    /// How long a hit is.
    pub fn length(&self, row: &RowId) -> u32 {
        let RowId::Hit(path, at) = row else { return 0 };
        let hits = self.files.iter().filter(|file| file.path == *path).flat_map(|file| &file.hits);
        hits.into_iter().find(|hit| spot(hit) == *at).map_or(0, |hit| hit.length)
    }

    /// The row `by` steps from the focused one, at most at either end.
    pub fn step(&self, by: isize) -> Option<RowId> {
        let (rows, _) = self.rows();
        let focused = self.focused()?;
        let at = rows.iter().position(|row| row.id() == focused)?;
        let to = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        rows.get(to).map(Row::id)
    }

    /// What to replace: everything, a file's hits, or one hit. Of a file whose hits are all told, all that it has.
    pub fn chosen(&self, which: Option<&RowId>) -> Vec<Chosen> {
        let all = |file: &FoundFile| Chosen { path: file.path.clone(), version: file.version, hits: None };
        match which {
            None => self.files.iter().map(|file| all(file)).collect(),
            Some(RowId::File(path)) => {
                self.files.iter().filter(|file| file.path == *path).map(|file| all(file)).collect()
            }
            Some(RowId::Hit(path, spot)) => {
                let one = |file: &FoundFile| Chosen { hits: Some(vec![*spot]), ..all(file) };
                self.files.iter().filter(|file| file.path == *path).map(|file| one(file)).collect()
            }
        }
    }

    fn forget_old(&mut self) {
        if std::mem::take(&mut self.is_old) {
            self.files.clear();
            self.shown = 0;
            self.found_by = self.begun.clone();
        }
    }
}

pub fn spot(hit: &Hit) -> Spot {
    Spot { line: hit.line, column: hit.column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, hits: u32) -> FoundFile {
        let hit = |line| Hit {
            line,
            column: 1,
            length: 1,
            before: String::new(),
            text: "x".into(),
            after: String::new(),
            replacement: None,
        };
        let version = "1-2-3".parse().unwrap();
        FoundFile {
            path: WorkspacePath::parse(path).unwrap(),
            version,
            hits: (1..=hits).map(hit).collect(),
            more: false,
        }
    }

    fn searched(files: Vec<FoundFile>) -> Search {
        let mut search = Search::default();
        search.reduce(SearchAction::Begun);
        search.reduce(SearchAction::Found(files));
        search.reduce(SearchAction::Ended(Summary::default()));
        search
    }

    #[test]
    fn what_was_found_stays_until_something_new_is() {
        let mut search = searched(vec![file("a", 2)]);
        search.reduce(SearchAction::Begun);
        assert_eq!(search.hits(), 2);
        search.reduce(SearchAction::Found(vec![file("b", 1)]));
        search.reduce(SearchAction::Found(vec![file("c", 1)]));
        assert_eq!(search.files.len(), 2);
        search.reduce(SearchAction::Begun);
        search.reduce(SearchAction::Ended(Summary::default()));
        assert_eq!(search.hits(), 0);
    }

    #[test]
    fn what_is_said_tells_how_much_there_is_and_what_may_be_missing() {
        let mut search = searched(vec![file("a", 2), file("b", 1)]);
        assert_eq!(search.said(), "3 results in 2 files.");
        search.reduce(SearchAction::Ended(Summary { cut: Some(Cut::Hits), skipped: 1, ..Summary::default() }));
        let said = search.said();
        assert!(
            said.contains("There are more") && said.ends_with("1 file was too large, or could not be read."),
            "{said}"
        );
        search.reduce(SearchAction::Begun);
        assert_eq!(search.said(), "3 results in 2 files so far…");
        search.reduce(SearchAction::Failed("no".to_owned()));
        assert_eq!((search.said(), search.hits()), ("no".to_owned(), 0));
    }

    #[test]
    fn rows_are_walked_folded_and_come_a_portion_at_a_time() {
        let mut search = searched(vec![file("a", 2), file("b", 1000)]);
        assert_eq!(search.rows().0.len(), SHOWN);
        assert!(search.rows().1);
        search.reduce(SearchAction::Fold(WorkspacePath::parse("b").unwrap(), true));
        assert_eq!(search.rows().0.len(), 4);
        assert_eq!(search.focused(), Some(search.rows().0[0].id()));
        assert_eq!(search.step(1), Some(search.rows().0[1].id()));
        assert_eq!(search.step(100), Some(search.rows().0[3].id()));
        assert_eq!(search.step(-1), Some(search.rows().0[0].id()));
    }

    #[test]
    fn everything_a_file_or_one_hit_is_chosen() {
        let search = searched(vec![file("a", 2), file("b", 1)]);
        assert_eq!(search.chosen(None).len(), 2);
        let (rows, _) = search.rows();
        assert_eq!(search.chosen(Some(&rows[0].id()))[0].hits, None);
        assert_eq!(search.chosen(Some(&rows[2].id()))[0].hits, Some(vec![Spot { line: 2, column: 1 }]));
    }

    #[test]
    fn globs_are_parted_by_commas_and_escapes_count_in_expressions_alone() {
        assert_eq!(globs("*.{ts,js}, src ,,"), ["*.{ts,js}", "src"]);
        let asked = |regex| Asked { with: r"a\n\\n\x".into(), regex, ..Asked::default() };
        assert_eq!(asked(false).replacement(), r"a\n\\n\x");
        assert_eq!(asked(true).replacement(), "a\n\\n\\x");
    }
}
