//! Which entries a search looks at, by name: the globs it came with, `.gitignore`, and what is never a person's own.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::{MAX_GLOB, MAX_GLOBS, Scope};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// What keeps the history of a project, and is never looked at.
const HISTORIES: [&str; 4] = [".git", ".hg", ".svn", ".jj"];
/// Folders of packages and compiled files, by name.
const PACKAGES: [&str; 3] = ["node_modules", "bower_components", "__pycache__"];
/// A folder that holds one of these says itself that a program filled it: a cache (<https://bford.info/cachedir/>, as
/// cargo's `target` has it) or a virtual environment of Python (PEP 405).
pub const MARKS: [&str; 2] = ["CACHEDIR.TAG", "pyvenv.cfg"];

/// The globs of a search.
#[derive(Debug)]
pub struct Globs {
    include: Option<Gitignore>,
    exclude: Option<Gitignore>,
    ignored: bool,
}

impl Globs {
    pub fn new(scope: &Scope) -> Result<Self, Failure> {
        Ok(Self { include: compile(&scope.include)?, exclude: compile(&scope.exclude)?, ignored: scope.ignored })
    }

    /// Whether `.gitignore` and the like count for nothing.
    pub fn take_ignored(&self) -> bool {
        self.ignored
    }

    pub fn excludes(&self, path: &WorkspacePath, is_folder: bool) -> bool {
        let name = path.name().unwrap_or_default();
        let by_name = is_folder && (HISTORIES.contains(&name) || !self.ignored && PACKAGES.contains(&name));
        by_name || self.exclude.as_ref().is_some_and(|globs| globs.matched(path.as_str(), is_folder).is_ignore())
    }

    /// Whether a glob names this entry, and with a folder all that is in it. Without globs everything is named.
    pub fn includes(&self, path: &WorkspacePath, is_folder: bool) -> bool {
        self.include.as_ref().is_none_or(|globs| globs.matched(path.as_str(), is_folder).is_ignore())
    }
}

/// What a `.gitignore` in `folder` says; lines that can't be read say nothing.
pub fn rules(folder: &WorkspacePath, text: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new(folder.as_str());
    for line in text.lines() {
        // As git does: one bad line spoils no other.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}

fn compile(globs: &[String]) -> Result<Option<Gitignore>, Failure> {
    if globs.len() > MAX_GLOBS {
        return Err(Failure::new(ErrorCode::TooLarge, format!("a search takes up to {MAX_GLOBS} globs of a kind")));
    }
    let mut builder = GitignoreBuilder::new("");
    for glob in globs.iter().map(|glob| glob.trim()).filter(|glob| !glob.is_empty()) {
        if glob.len() > MAX_GLOB {
            return Err(Failure::new(ErrorCode::TooLarge, format!("a glob has up to {MAX_GLOB} bytes")));
        }
        builder.add_line(None, &anchored(glob)).map_err(|error| bad(glob, &error))?;
    }
    let globs = builder.build().map_err(|error| bad("these globs", &error))?;
    Ok(Some(globs).filter(|globs| !globs.is_empty()))
}

/// The same as a line of a `.gitignore`, in which neither `!` nor `#` means anything.
fn anchored(glob: &str) -> String {
    match glob.strip_prefix("./").or_else(|| glob.strip_prefix('/')) {
        Some(rest) => format!("/{rest}"),
        None if glob.starts_with("**/") => glob.to_owned(),
        None => format!("**/{glob}"),
    }
}

fn bad(glob: &str, error: &ignore::Error) -> Failure {
    let text = error.to_string();
    // The message begins with the glob as it was rewritten.
    let why = text.rsplit_once("': ").map_or(text.as_str(), |(_, why)| why);
    Failure::new(ErrorCode::BadRequest, format!("{glob} is no glob: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    fn globs(include: &[&str], exclude: &[&str]) -> Globs {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        Globs::new(&Scope { include: owned(include), exclude: owned(exclude), ignored: false }).unwrap()
    }

    #[test]
    fn a_glob_names_files_and_folders_anywhere_and_an_anchored_one_from_the_root() {
        let named = |glob: &str, at: &str, is_folder| globs(&[glob], &[]).includes(&path(at), is_folder);
        assert!(named("*.rs", "a/b/c.rs", false));
        assert!(named("*.{ts,rs}", "c.rs", false));
        assert!(named("src", "a/src", true));
        assert!(named("src/", "a/src", true) && !named("src/", "a/src", false));
        assert!(named("src/*.rs", "a/src/c.rs", false));
        assert!(named("./src/*.rs", "src/c.rs", false) && !named("./src/*.rs", "a/src/c.rs", false));
        assert!(named("/c.rs", "c.rs", false) && !named("/c.rs", "a/c.rs", false));
        assert!(named("!x", "!x", false) && named("#x", "#x", false));
        assert!(named("**/x", "a/x", false));
    }

    #[test]
    fn no_glob_names_everything_and_a_bad_one_is_told() {
        assert!(globs(&[], &[]).includes(&path("x"), false));
        assert!(globs(&[" "], &[]).includes(&path("x"), false));
        assert!(globs(&[], &["*.log"]).excludes(&path("a/b.log"), false));
        assert!(globs(&[], &[]).excludes(&path("a/.git"), true));
        assert!(globs(&[], &[]).excludes(&path("node_modules"), true));
        let bad = Globs::new(&Scope { include: vec!["{a".into()], ..Scope::default() }).unwrap_err();
        assert_eq!(bad.code, ErrorCode::BadRequest);
        assert!(bad.message.starts_with("{a is no glob: "), "{}", bad.message);
    }
}
