//! The repository's own rules, as checks over its text; each names the file and line that breaks it.

mod words;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::repo;

/// The modules that call the kernel directly. Each says `#![allow(unsafe_code)]` with its reason; everywhere else it is denied.
const UNSAFE_MODULES: &[&str] = &[
    "agent/src/arguments.rs",
    "agent/src/filter.rs",
    "agent/src/reap.rs",
    "agent/src/session/ring.rs",
    "agent/src/session/spawn.rs",
    "server/src/engine/local/process.rs",
    "server/src/engine/local/spawn.rs",
    "tests/src/bench/floor.rs",
];

/// Folders whose Rust files are the product's own.
const RUST_FOLDERS: [&str; 7] = ["server", "agent", "shared", "web", "tests", "xtask", "fuzz"];

/// Kinds of files that people read as code.
const CODE: [&str; 8] = ["rs", "ts", "tsx", "mjs", "js", "css", "py", "html"];

/// The longest a file of code may be; beyond it, it is split by its nouns.
const LONGEST: usize = 700;

pub(crate) fn command() -> Result<()> {
    println!("{}", check()?);
    Ok(())
}

pub(crate) fn check() -> Result<String> {
    let mut broken = Vec::new();
    let files = repo::files()?;
    let mut seen = 0;
    for file in &files {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if CODE.contains(&extension) {
            let absolute = repo::root().join(file);
            let text =
                std::fs::read_to_string(&absolute).with_context(|| format!("cannot read {}", absolute.display()))?;
            let name = file.to_string_lossy();
            any_code(&name, &text, &mut broken);
            if extension == "rs" && RUST_FOLDERS.iter().any(|folder| file.starts_with(folder)) {
                rust(&name, &text, &mut broken);
                words::check(&name, &text, &mut broken);
            }
            seen += 1;
        }
    }
    let names: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    for listed in UNSAFE_MODULES.iter().filter(|listed| !names.iter().any(|name| name == *listed)) {
        broken.push(format!("xtask/src/tidy.rs: lists {listed}, which is gone"));
    }
    if let Ok(text) = std::fs::read_to_string(repo::path("ARCHITECTURE.md")) {
        architecture(&text, &names, &mut broken);
    }
    if broken.is_empty() {
        return Ok(format!("{seen} files in order"));
    }
    for line in &broken {
        println!("  {line}");
    }
    bail!("{} broken rules", broken.len());
}

/// Rules for every file of code.
fn any_code(name: &str, text: &str, broken: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST {
        broken.push(format!("{name}: {lines} lines, {LONGEST} at most"));
    }
    let marker = concat!("TO", "DO");
    for (number, _) in numbered(text).filter(|(_, line)| line.contains(marker)) {
        broken.push(format!("{name}:{number}: a {marker}: do it or write it down elsewhere"));
    }
}

/// Rules for Rust.
fn rust(name: &str, text: &str, broken: &mut Vec<String>) {
    let generated = text.trim().is_empty();
    if generated || !text.starts_with("//!") {
        broken.push(format!("{name}:1: a module opens with `//!`: what it owns, what it must never do"));
    }
    let is_test = name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs");
    let mut in_tests = is_test;
    for (number, line) in numbered(text) {
        in_tests |= line.trim() == "#[cfg(test)]";
        let code = without_comment(line);
        if !in_tests && code.contains(concat!(".unwrap", "()")) {
            broken.push(format!("{name}:{number}: `unwrap` outside tests; `expect` states the invariant"));
        }
        if has_word(code, "unsafe") && !UNSAFE_MODULES.contains(&name) {
            broken.push(format!("{name}:{number}: `unsafe` in a module that xtask/src/tidy.rs does not list"));
        }
    }
}

/// `ARCHITECTURE.md` names no path that is gone: whatever stands between backticks and looks like a path must exist, from the
/// top or as a part of some file's path.
fn architecture(text: &str, files: &[String], broken: &mut Vec<String>) {
    for (number, line) in numbered(text) {
        for word in line.split('`').skip(1).step_by(2).filter(|word| is_path(word)) {
            let path = word.trim_end_matches('/');
            let exists = files
                .iter()
                .map(|file| format!("/{file}"))
                .any(|file| file.ends_with(&format!("/{path}")) || file.contains(&format!("/{path}/")));
            if !exists {
                broken.push(format!("ARCHITECTURE.md:{number}: names `{word}`, which is gone"));
            }
        }
    }
}

fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|character| character.is_ascii_alphanumeric() || "._-/".contains(character));
    let elsewhere = word.starts_with(['/', '.']) && !word.starts_with(".c") || word.starts_with("target/");
    let known = Path::new(word).extension().is_some_and(|extension| {
        extension == "md" || extension == "toml" || CODE.iter().any(|code| extension == *code)
    });
    plain && !elsewhere && (known || word.contains('/'))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The line up to a comment. A `//` inside a string cuts it too, which can only hide the rest of that line.
fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Whether `word` stands in `code` as a keyword: on its own, and outside string literals.
fn has_word(code: &str, word: &str) -> bool {
    let outside: String = code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    let part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    outside.match_indices(word).any(|(start, _)| {
        let before = outside[..start].chars().next_back();
        let after = outside[start + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part) && after != Some('`')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust_breaks(name: &str, text: &str) -> Vec<String> {
        let mut broken = Vec::new();
        rust(name, text, &mut broken);
        broken
    }

    #[test]
    fn unwrap_is_for_tests_alone() {
        let text =
            concat!("//! A.\nfn a() { b().unwrap", "(); }\n#[cfg(test)]\nmod tests { fn c() { b().unwrap", "(); } }\n");
        assert_eq!(rust_breaks("server/src/a.rs", text).len(), 1);
        assert!(rust_breaks("tests/tests/a.rs", text).is_empty());
    }

    #[test]
    fn a_module_that_says_nothing_is_noticed() {
        assert_eq!(rust_breaks("agent/src/a.rs", "fn main() {}\n").len(), 1);
    }

    #[test]
    fn unsafe_outside_the_list_is_noticed_and_its_lint_is_not() {
        assert_eq!(rust_breaks("agent/src/a.rs", "//! A.\nfn a() { unsafe { b() } }\n").len(), 1);
        assert!(
            rust_breaks("agent/src/a.rs", "//! unsafe\nlet a = \"unsafe\"; // unsafe\nlet unsafe_code = 1;\n")
                .is_empty()
        );
    }

    #[test]
    fn architecture_names_what_exists() {
        let files = ["server/src/room.rs".to_owned(), "web/js/build.mjs".to_owned()];
        let mut broken = Vec::new();
        architecture("`server/src/` `room.rs` `web/js/` `GET /healthz` `/w` `x.y()`", &files, &mut broken);
        assert!(broken.is_empty(), "{broken:?}");
        architecture("the `server/src/gone.rs`\nand `lost.rs`", &files, &mut broken);
        assert_eq!(broken.len(), 2);
    }
}
