//! Going to a file by a few of its letters: all files of the project, ranked while somebody types.
//!
//! A name that contains what was typed goes before one that has its letters apart, and both go before a path that has
//! them. Ranking looks at every file and measures; what is shown alone is marked, letter by letter.

use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::FolderFiles;

/// A file and what it is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    path: Box<str>,
    lower: Box<str>,
    /// Where its name begins.
    name: usize,
    /// Which letters it has: a bit for each of `a` to `z` and the digits, and one for all others.
    letters: u64,
}

/// All files of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllFiles {
    known: Vec<Known>,
    /// The list has ended; until then there may be more.
    pub is_whole: bool,
    /// There are more than are listed.
    pub is_cut: bool,
}

/// A file that fits, with the letters that do, by their bytes in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitting {
    pub path: WorkspacePath,
    pub marked: Vec<usize>,
}

impl AllFiles {
    pub fn add(&mut self, folders: &[FolderFiles]) {
        for folder in folders {
            for name in &folder.names {
                let path = if folder.path.is_root() { name.clone() } else { format!("{}/{name}", folder.path) };
                let lower = path.to_ascii_lowercase();
                let letters = lower.bytes().fold(0, |letters, byte| letters | bit(byte));
                let name = path.len() - name.len();
                self.known.push(Known { path: path.into(), lower: lower.into(), name, letters });
            }
        }
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Folders with something in them, files or folders, that `fits` by its name: at most `most`, each behind those above it.
    pub fn folders_with(&self, fits: impl Fn(&str) -> bool, most: usize) -> Vec<WorkspacePath> {
        let mut found: Vec<WorkspacePath> = Vec::new();
        for known in &self.known {
            // The last name that fits: what is above it is to be open, and itself, if it is a folder, is not.
            let mut end = known.path.len();
            loop {
                let begin = known.path[..end].rfind('/').map_or(0, |slash| slash + 1);
                if begin == 0 {
                    break;
                }
                if fits(&known.path[begin..end]) {
                    let folder = WorkspacePath::parse(&known.path[..begin - 1]).ok();
                    let above = std::iter::successors(folder, WorkspacePath::parent).filter(|path| !path.is_root());
                    let mut new: Vec<WorkspacePath> = above.filter(|path| !found.contains(path)).collect();
                    new.reverse();
                    found.extend(new);
                    break;
                }
                end = begin - 1;
            }
            if found.len() >= most {
                found.truncate(most);
                break;
            }
        }
        found
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The files that fit best, at most `most`. With nothing typed, `recent` ones first.
    pub fn fitting(&self, typed: &str, most: usize, recent: &[WorkspacePath]) -> Vec<Fitting> {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        if typed.is_empty() {
            let others = self.known.iter().filter_map(|known| WorkspacePath::parse(&known.path).ok());
            let others = others.filter(|path| !recent.contains(path));
            let all = recent.iter().cloned().chain(others).take(most);
            return all.map(|path| Fitting { path, marked: Vec::new() }).collect();
        }
        let wanted = typed.bytes().fold(0, |letters, byte| letters | bit(byte));
        let mut best: Vec<(i32, &Known)> = Vec::new();
        for known in self.known.iter().filter(|known| known.letters & wanted == wanted) {
            let Some(mut score) = rank(&typed, known, None) else { continue };
            score += 40 * i32::from(recent.iter().any(|path| path.as_str() == &*known.path));
            if best.len() == most && best.last().is_some_and(|(worst, _)| *worst >= score) {
                continue;
            }
            let at = best.partition_point(|(better, _)| *better >= score);
            best.insert(at, (score, known));
            best.truncate(most);
        }
        let marked = best.into_iter().filter_map(|(_, known)| {
            let mut marked = Vec::new();
            rank(&typed, known, Some(&mut marked))?;
            Some(Fitting { path: WorkspacePath::parse(&known.path).ok()?, marked })
        });
        marked.collect()
    }
}

/// How well a file fits, and where; `None` when a letter is missing.
fn rank(typed: &str, known: &Known, mut marked: Option<&mut Vec<usize>>) -> Option<i32> {
    let (lower, path) = (&*known.lower, &*known.path);
    let name = &lower[known.name..];
    let length = i32::try_from(path.len()).unwrap_or(i32::MAX) / 4;
    let mut whole = |at: usize| {
        if let Some(marked) = marked.as_deref_mut() {
            marked.extend(at..at + typed.len());
        }
    };
    let has_folder = typed.contains('/');
    if !has_folder && let Some(at) = name.find(typed) {
        whole(known.name + at);
        let is_word = at == 0 || begins_word(path, known.name + at);
        let rest = i32::try_from(name.len() - typed.len()).unwrap_or(i32::MAX);
        let begins = 400 * i32::from(at == 0) + 200 * i32::from(is_word);
        return Some(3000 + begins - rest.min(200) - length);
    }
    if !has_folder && let Some(score) = scattered(typed, path, lower, known.name, marked.as_deref_mut()) {
        return Some(2000 + score - length);
    }
    if let Some(at) = lower.rfind(typed) {
        if let Some(marked) = marked {
            marked.extend(at..at + typed.len());
        }
        return Some(1000 + 200 * i32::from(at == 0 || begins_word(path, at)) - length);
    }
    scattered(typed, path, lower, 0, marked).map(|score| score - length)
}

/// The letters in their order from a place on, those at beginnings of words and side by side counting more.
fn scattered(typed: &str, path: &str, lower: &str, from: usize, marked: Option<&mut Vec<usize>>) -> Option<i32> {
    let (typed, text) = (typed.as_bytes(), lower.as_bytes());
    let mut places = Vec::new();
    let wants_places = marked.is_some();
    let (mut score, mut at, mut last) = (0, from, usize::MAX);
    for (index, letter) in typed.iter().enumerate() {
        let next = at + text[at..].iter().position(|byte| byte == letter)?;
        // A word that begins with the letter goes before one that has it inside, if the rest is still to be found after it.
        let begins = |place: &usize| text[*place] == *letter && begins_word(path, *place);
        let word =
            (next..text.len()).find(begins).filter(|word| *word == next || is_in(&typed[index..], &text[*word..]));
        let follows = last != usize::MAX && next == last + 1;
        let place = if follows { next } else { word.unwrap_or(next) };
        score += 1 + 8 * i32::from(begins_word(path, place)) + 5 * i32::from(last != usize::MAX && place == last + 1);
        (last, at) = (place, place + 1);
        if wants_places {
            places.push(place);
        }
    }
    if let Some(marked) = marked {
        marked.extend(places);
    }
    Some(score)
}

fn is_in(letters: &[u8], text: &[u8]) -> bool {
    let mut text = text.iter();
    letters.iter().all(|letter| text.any(|byte| byte == letter))
}

fn begins_word(path: &str, at: usize) -> bool {
    let bytes = path.as_bytes();
    let Some(before) = at.checked_sub(1).map(|before| bytes[before]) else { return true };
    !before.is_ascii_alphanumeric() && before.is_ascii()
        || before.is_ascii_lowercase() && bytes[at].is_ascii_uppercase()
}

fn bit(byte: u8) -> u64 {
    match byte {
        b'a'..=b'z' => 1 << (byte - b'a'),
        b'0'..=b'9' => 1 << (26 + byte - b'0'),
        _ => 1 << 36,
    }
}

/// Something that a file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    /// `function`, `class`, `heading` …
    pub kind: String,
    pub line: u32,
    pub column: u32,
}

/// Reads what the editor says of a file's symbols; what can't be read is left out.
pub fn symbols(json: &str) -> Vec<Symbol> {
    let Ok(serde_json::Value::Array(symbols)) = serde_json::from_str(json) else { return Vec::new() };
    let read = |symbol: serde_json::Value| {
        let number = |name: &str| symbol[name].as_u64().and_then(|number| u32::try_from(number).ok());
        let text = |name: &str| symbol[name].as_str().map(str::to_owned);
        Some(Symbol { name: text("name")?, kind: text("kind")?, line: number("line")?, column: number("column")? })
    };
    symbols.into_iter().filter_map(read).collect()
}

/// What was typed, as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Files that fit, at a line and a column if they are named.
    File(String, Option<(u32, u32)>),
    /// Symbols of the open file that fit.
    Symbol(String),
    /// A line of the open file.
    Line(Option<(u32, u32)>),
    /// Commands that fit.
    Command(String),
}

/// Reads `name:12:4`, `:12`, `@symbol` and `>command`.
pub fn wish(typed: &str) -> Wish {
    if let Some(command) = typed.trim_start().strip_prefix('>') {
        return Wish::Command(command.to_owned());
    }
    if let Some(symbol) = typed.trim_start().strip_prefix('@') {
        return Wish::Symbol(symbol.to_owned());
    }
    let mut parts = typed.split(':');
    let name = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(|part| part.trim().parse::<u32>().ok()).filter(|number| *number > 0);
    let place = number().map(|line| (line, number().unwrap_or(1)));
    if typed.trim_start().starts_with(':') { Wish::Line(place) } else { Wish::File(name.to_owned(), place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> AllFiles {
        let mut files = AllFiles::default();
        for path in paths {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let path = WorkspacePath::parse_or_root(folder).unwrap();
            files.add(&[FolderFiles { path, names: vec![name.to_owned()] }]);
        }
        files
    }

    fn best(typed: &str, paths: &[&str]) -> String {
        files(paths).fitting(typed, 10, &[])[0].path.to_string()
    }

    #[test]
    fn folders_are_found_by_what_is_in_them() {
        let files =
            files(&["deep/er/main.rs", "deep/other.txt", "maintained/a/b.txt", "x/maintained/c/d.txt", "main.c"]);
        let found = files.folders_with(|name| name.contains("main"), 10);
        let found: Vec<&str> = found.iter().map(WorkspacePath::as_str).collect();
        assert_eq!(found, ["deep", "deep/er", "x"]);
        assert_eq!(files.folders_with(|_| true, 1).len(), 1);
    }

    #[test]
    fn the_name_goes_before_the_path_and_letters_together_before_letters_apart() {
        assert_eq!(best("main", &["main/other.rs", "src/domain.rs", "src/main.rs"]), "src/main.rs");
        assert_eq!(best("sp", &["src/wasp.rs", "src/search_pane.rs", "spare/x.rs"]), "src/wasp.rs");
        assert_eq!(best("srp", &["src/surplus.rs", "src/search_replace_pane.rs"]), "src/search_replace_pane.rs");
        assert_eq!(best("src/lib", &["lib/src.rs", "a/src/lib.rs"]), "a/src/lib.rs");
        assert_eq!(best("TreeRow", &["web/tree_row.rs", "web/treerow.rs"]), "web/treerow.rs");
        assert!(files(&["a/b"]).fitting("x", 10, &[]).is_empty());
    }

    #[test]
    fn the_letters_that_fit_are_marked_and_other_scripts_do_no_harm() {
        let found = files(&["src/search_pane.rs"]).fitting("pane", 10, &[]);
        assert_eq!(found[0].marked, [11, 12, 13, 14]);
        let found = files(&["dir/é😀a_b.txt"]).fitting("ab", 10, &[]);
        assert_eq!(found[0].marked.len(), 2);
        assert_eq!(files(&["x/日本.md"]).fitting("日", 10, &[]).len(), 1);
    }

    #[test]
    fn recent_files_come_first_when_nothing_is_typed() {
        let recent = [WorkspacePath::parse("z").unwrap()];
        let found = files(&["a", "z"]).fitting(" ", 10, &recent);
        assert_eq!(found.iter().map(|fitting| fitting.path.as_str()).collect::<Vec<_>>(), ["z", "a"]);
    }

    #[test]
    fn a_place_and_a_command_are_read() {
        assert_eq!(wish("main.rs:12:4"), Wish::File("main.rs".into(), Some((12, 4))));
        assert_eq!(wish("main.rs:"), Wish::File("main.rs".into(), None));
        assert_eq!(wish(":12"), Wish::Line(Some((12, 1))));
        assert_eq!(wish(":"), Wish::Line(None));
        assert_eq!(wish("@f"), Wish::Symbol("f".into()));
        assert_eq!(wish(">save"), Wish::Command("save".into()));
    }

    #[test]
    fn symbols_are_read_and_what_is_none_is_left_out() {
        let one = Symbol { name: "f".into(), kind: "function".into(), line: 2, column: 5 };
        let json = r#"[{"name":"f","kind":"function","line":2,"column":5,"depth":0},{"name":1},null]"#;
        assert_eq!(symbols(json), [one]);
        assert_eq!(symbols("nonsense"), []);
    }

    #[test]
    fn a_hundred_thousand_files_are_ranked_while_somebody_types() {
        let mut files = AllFiles::default();
        for folder in 0..1000 {
            let path = WorkspacePath::parse(&format!("packages/package-{folder}/source/components")).unwrap();
            let names = (0..100).map(|file| format!("component_{file}_of_many.test.tsx")).collect();
            files.add(&[FolderFiles { path, names }]);
        }
        assert_eq!(files.len(), 100_000);
        for typed in ["c", "co", "comp42", "pk99cmp7", "nothing like it"] {
            assert!(files.fitting(typed, 60, &[]).len() <= 60);
        }
    }
}
