//! `.editorconfig` files, as <https://spec.editorconfig.org> has them: sections with globs, `root`, and the properties that
//! this page obeys. Pure; where the files are and when they change is the workbench's.

use std::collections::BTreeMap;

use embedenv_shared::frame::LineEnding;

/// Longer names of sections are ignored, as the specification allows: a glob is matched by trying.
const MAX_GLOB: usize = 1024;
/// Alternatives that a section's braces may come to; with more it fits nothing.
const MAX_ALTERNATIVES: usize = 256;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditorConfig {
    /// Files of the folders above are not asked.
    pub root: bool,
    sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    globs: Vec<Glob>,
    properties: BTreeMap<String, String>,
}

/// What the files say of one file; what they don't say is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    pub tabs: Option<bool>,
    /// Columns of one step.
    pub size: Option<u32>,
    pub tab_width: Option<u32>,
    pub trim: Option<bool>,
    pub final_newline: Option<bool>,
    /// Where a line ought to end, in columns.
    pub ruler: Option<u32>,
    /// With what lines end. Files whose lines end in a carriage return alone are not known here.
    pub line_ending: Option<LineEnding>,
}

impl EditorConfig {
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.rfind(']').map(|end| &rest[..end])) {
                config.sections.push(Section { globs: Glob::all(name), properties: BTreeMap::new() });
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim().to_lowercase(), value.trim());
                match config.sections.last_mut() {
                    Some(section) => drop(section.properties.insert(key, value.to_owned())),
                    None if key == "root" => config.root = value.eq_ignore_ascii_case("true"),
                    None => {}
                }
            }
        }
        config
    }
}

/// What holds for the file at `path`, by its configurations from the folder that is furthest up to the nearest, each with
/// the path of its folder; the root's is empty.
pub fn rules(path: &str, configs: &[(&str, &EditorConfig)]) -> Rules {
    let mut properties: BTreeMap<&str, &str> = BTreeMap::new();
    for (folder, config) in configs {
        let inside = if folder.is_empty() { Some(path) } else { path.strip_prefix(folder) };
        let Some(inside) = inside.map(|inside| inside.trim_start_matches('/')) else { continue };
        for section in config.sections.iter().filter(|section| section.globs.iter().any(|glob| glob.fits(inside))) {
            properties.extend(section.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        }
    }
    let get = |key: &str| properties.get(key).map(|value| value.to_lowercase()).filter(|value| value != "unset");
    let flag = |key: &str| get(key).and_then(|value| value.parse().ok());
    let columns =
        |key: &str| get(key).and_then(|value| value.parse::<u32>().ok()).filter(|value| (1..=200).contains(value));
    let tabs = match get("indent_style").as_deref() {
        Some("tab") => Some(true),
        Some("space") => Some(false),
        _ => None,
    };
    let by_tab = get("indent_size").as_deref() == Some("tab") || (tabs == Some(true) && get("indent_size").is_none());
    let tab_width = columns("tab_width").or_else(|| columns("indent_size"));
    Rules {
        tabs,
        size: if by_tab { tab_width } else { columns("indent_size") },
        tab_width,
        trim: flag("trim_trailing_whitespace"),
        final_newline: flag("insert_final_newline"),
        ruler: columns("max_line_length"),
        line_ending: match get("end_of_line").as_deref() {
            Some("lf") => Some(LineEnding::Lf),
            Some("crlf") => Some(LineEnding::CrLf),
            _ => None,
        },
    }
}

/// The name of a section without braces that are alternatives: each of these is a glob of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Is(char),
    /// `?`: one character of a name.
    Any,
    /// `*`: as many as one likes, of a name.
    Star,
    /// `**`: the same over folders, too.
    Everything,
    /// `[abc]`, `[!abc]`, with ranges.
    Set {
        not: bool,
        ranges: Vec<(char, char)>,
    },
    /// `{1..9}`
    Numbers(i64, i64),
}

impl Glob {
    /// All that a section's name stands for; nothing if it can't be read.
    fn all(name: &str) -> Vec<Self> {
        if name.len() > MAX_GLOB {
            return Vec::new();
        }
        // Without a slash it fits files of any folder; with one it begins at its own.
        let name = match name.strip_prefix('/') {
            Some(rest) => rest.to_owned(),
            None if name.contains('/') => name.to_owned(),
            None => format!("**/{name}"),
        };
        let mut names = vec![(Vec::new(), name.chars().collect::<Vec<char>>())];
        let mut whole = Vec::new();
        while let Some((mut parts, rest)) = names.pop() {
            if names.len() + whole.len() > MAX_ALTERNATIVES {
                return Vec::new();
            }
            match read(&mut parts, &rest) {
                Some((alternatives, after)) => {
                    for alternative in alternatives {
                        names.push((parts.clone(), [alternative, after.to_vec()].concat()));
                    }
                }
                None => whole.push(Self(parts)),
            }
        }
        whole
    }

    fn fits(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        fits(&self.0, &path)
    }
}

/// Reads parts of a name up to its first braces with alternatives, and returns those and what follows them.
fn read<'a>(parts: &mut Vec<Part>, name: &'a [char]) -> Option<(Vec<Vec<char>>, &'a [char])> {
    let mut at = 0;
    while let Some(&letter) = name.get(at) {
        at += 1;
        match letter {
            '\\' => {
                parts.push(Part::Is(name.get(at).copied().unwrap_or('\\')));
                at += 1;
            }
            '?' => parts.push(Part::Any),
            '*' if name.get(at) == Some(&'*') => {
                at += 1;
                parts.push(Part::Everything);
            }
            '*' => parts.push(Part::Star),
            '[' => match set(&name[at..]) {
                Some((set, length)) => {
                    parts.push(set);
                    at += length;
                }
                None => parts.push(Part::Is('[')),
            },
            '{' => match braces(&name[at..]) {
                Some((inside, length)) => {
                    let after = &name[at + length..];
                    if inside.len() > 1 {
                        return Some((inside, after));
                    }
                    at += length;
                    match numbers(&inside[0]) {
                        Some(numbers) => parts.push(numbers),
                        None => {
                            // Braces around one name are letters like others.
                            let text = ['{'].iter().chain(&inside[0]).chain(&['}']);
                            parts.extend(text.map(|letter| Part::Is(*letter)));
                        }
                    }
                }
                None => parts.push(Part::Is('{')),
            },
            other => parts.push(Part::Is(other)),
        }
    }
    None
}

/// A set after its `[`, and how long it is with its `]`. One with a slash is none.
fn set(rest: &[char]) -> Option<(Part, usize)> {
    let end = rest.iter().position(|letter| *letter == ']').filter(|end| *end > 0)?;
    let inside = &rest[..end];
    if inside.contains(&'/') {
        return None;
    }
    let not = inside[0] == '!';
    let letters = &inside[usize::from(not)..];
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(&first) = letters.get(at) {
        let last = if letters.get(at + 1) == Some(&'-') { letters.get(at + 2).copied() } else { None };
        ranges.push((first, last.unwrap_or(first)));
        at += if last.is_some() { 3 } else { 1 };
    }
    Some((Part::Set { not, ranges }, end + 1))
}

/// The alternatives between braces after their `{`, and how long they are with their `}`.
fn braces(rest: &[char]) -> Option<(Vec<Vec<char>>, usize)> {
    let (mut depth, mut at) = (0, 0);
    let mut inside = vec![Vec::new()];
    while let Some(&letter) = rest.get(at) {
        at += 1;
        match letter {
            '}' if depth == 0 => return Some((inside, at)),
            ',' if depth == 0 => inside.push(Vec::new()),
            _ => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                let last = inside.last_mut()?;
                last.push(letter);
                if letter == '\\' {
                    last.extend(rest.get(at));
                    at += 1;
                }
            }
        }
    }
    None
}

fn numbers(inside: &[char]) -> Option<Part> {
    let text: String = inside.iter().collect();
    let (first, last) = text.split_once("..")?;
    let (first, last) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
    Some(Part::Numbers(first.min(last), first.max(last)))
}

/// Whether the parts take up all of the path. By a table, so that no name takes long.
fn fits(parts: &[Part], path: &[char]) -> bool {
    // Where the parts so far may end.
    let mut ends = vec![false; path.len() + 1];
    ends[0] = true;
    let mut rest = parts;
    while let Some((part, after)) = rest.split_first() {
        rest = after;
        let mut next = vec![false; path.len() + 1];
        match part {
            Part::Everything => {
                let first = ends.iter().position(|end| *end);
                if let Some(first) = first {
                    next[first..].fill(true);
                }
                // `**/` fits no folder at all, too.
                if let Some((Part::Is('/'), after)) = rest.split_first() {
                    let mut through = vec![false; path.len() + 1];
                    for at in 0..path.len() {
                        through[at + 1] = next[at] && path[at] == '/';
                    }
                    for (at, end) in ends.iter().enumerate() {
                        through[at] |= *end;
                    }
                    (next, rest) = (through, after);
                }
            }
            Part::Star => {
                let mut open = false;
                for at in 0..=path.len() {
                    open = ends[at] || (open && path[at - 1] != '/');
                    next[at] = open;
                }
            }
            Part::Numbers(least, most) => {
                for at in (0..path.len()).filter(|at| ends[*at]) {
                    let sign = usize::from(matches!(path[at], '-' | '+'));
                    let digits = path[at + sign..].iter().take_while(|letter| letter.is_ascii_digit()).count();
                    let text: String = path[at..at + sign + digits].iter().collect();
                    let is_within = text.parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number));
                    if is_within && (digits == 1 || path[at + sign] != '0') {
                        next[at + sign + digits] = true;
                    }
                }
            }
            one => {
                for at in 0..path.len() {
                    next[at + 1] = ends[at] && takes(one, path[at]);
                }
            }
        }
        ends = next;
    }
    ends[path.len()]
}

/// Whether a part that is one character takes this one.
fn takes(part: &Part, letter: char) -> bool {
    match part {
        Part::Is(own) => *own == letter,
        Part::Any => letter != '/',
        Part::Set { not, ranges } => {
            letter != '/' && ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *not
        }
        Part::Star | Part::Everything | Part::Numbers(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        Glob::all(glob).iter().any(|glob| glob.fits(path))
    }

    #[test]
    fn globs_fit_what_the_specification_says() {
        let fitting = [
            ("*", "a.py"),
            ("*", "src/deep/a.py"),
            ("*.py", "src/a.py"),
            ("*.{js,ts}", "x/a.ts"),
            ("a?.c", "ab.c"),
            ("[abc].c", "b.c"),
            ("[!abc].c", "d.c"),
            ("[a-c].c", "b.c"),
            ("/top.c", "top.c"),
            ("lib/**.js", "lib/a/b.js"),
            ("lib/*.js", "lib/a.js"),
            ("**/test/*", "a/b/test/c"),
            ("**/test/*", "test/c"),
            ("a/**/b", "a/b"),
            ("a/**/b", "a/x/y/b"),
            ("{package.json,.travis.yml}", "package.json"),
            ("*.{a,{b,c}d}", "x.cd"),
            ("{single}.b", "{single}.b"),
            ("file{1..10}", "file10"),
            ("Makefile", "sub/Makefile"),
            (r"a\*b", "a*b"),
            ("[ab", "[ab"),
            ("{,x}.c", ".c"),
        ];
        for (glob, path) in fitting {
            assert!(matches(glob, path), "{glob} fits {path}");
        }
        let others = [
            ("*.py", "a.pyc"),
            ("lib/*.js", "lib/a/b.js"),
            ("lib/*.js", "x/lib/a.js"),
            ("/top.c", "sub/top.c"),
            ("a?.c", "a/.c"),
            ("file{1..10}", "file11"),
            ("file{1..10}", "file01"),
            ("[!abc].c", "a.c"),
            ("a/**/b", "ab"),
        ];
        for (glob, path) in others {
            assert!(!matches(glob, path), "{glob} does not fit {path}");
        }
    }

    #[test]
    fn a_name_that_would_take_for_ever_fits_nothing() {
        assert!(Glob::all(&"{a,b}".repeat(40)).is_empty());
        assert!(!matches(&"*a".repeat(200), &"a".repeat(150)));
    }

    #[test]
    fn nearer_files_and_later_sections_go_first() {
        let far = EditorConfig::parse(
            "root = true\nindent_size = 9\n[*]\nindent_style = space\nindent_size = 4\ninsert_final_newline = true\nend_of_line = CRLF\n\
             trim_trailing_whitespace=true\n[*.md]\ntrim_trailing_whitespace = false\nmax_line_length = 100\nend_of_line = cr",
        );
        let near = EditorConfig::parse(
            "; nearer\n[*.md]\nindent_size=2\nmax_line_length = off\n[Makefile]\nindent_style=Tab\ntab_width=8",
        );
        let of = |path| rules(path, &[("", &far), ("docs", &near)]);
        assert!(far.root && !near.root);
        let python = Rules {
            tabs: Some(false),
            size: Some(4),
            tab_width: Some(4),
            trim: Some(true),
            final_newline: Some(true),
            ruler: None,
            line_ending: Some(LineEnding::CrLf),
        };
        assert_eq!(of("src/a.py"), python);
        let markdown = of("docs/a.md");
        assert_eq!((markdown.size, markdown.trim, markdown.ruler), (Some(2), Some(false), None));
        assert_eq!((of("a.md").ruler, of("a.md").line_ending), (Some(100), None));
        let make = of("docs/Makefile");
        assert_eq!((make.tabs, make.size, make.tab_width), (Some(true), Some(4), Some(8)));
    }

    #[test]
    fn what_is_unset_or_no_value_is_open() {
        let config = EditorConfig::parse(
            "\u{feff}[*]\nindent_style = tab\ntab_width = 3\n[*.c]\nindent_style = unset\nindent_size = many",
        );
        assert_eq!(rules("a.c", &[("", &config)]), Rules { tab_width: Some(3), ..Rules::default() });
        let tabs = rules("a.h", &[("", &config)]);
        assert_eq!((tabs.tabs, tabs.size), (Some(true), Some(3)));
    }
}
