//! Run configurations that a project has by itself, found from its files' names and the few files that say more. Pure:
//! whoever has read them calls [`found`]. Proposes command lines; starts nothing, and judges no program's text.

use std::collections::BTreeSet;

use embedenv_shared::path::WorkspacePath;
use serde_json::Value;

use super::{Configuration, Plan, plan, quoted};

/// Configurations that are offered at most; what comes after them stays out of the list.
pub const MAX_FOUND: usize = 60;
/// Targets of a Makefile that are offered at most.
const MAX_TARGETS: usize = 20;
/// Files at the root by which a program begins, best first; each is offered under its name.
const MAIN_FILES: [&str; 18] = [
    "main.py",
    "app.py",
    "__main__.py",
    "index.js",
    "server.js",
    "main.js",
    "app.js",
    "index.mjs",
    "index.ts",
    "main.ts",
    "main.c",
    "main.cpp",
    "main.cc",
    "main.rs",
    "Main.java",
    "main.rb",
    "main.sh",
    "main.lua",
];
/// Scripts of a `package.json` that are offered before the others.
const SCRIPTS_FIRST: [&str; 4] = ["dev", "start", "test", "build"];

/// What is known of a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Names of the entries at the root.
    pub root: BTreeSet<String>,
    /// Names in `src` and in `src/bin`, if there are such folders.
    pub src: BTreeSet<String>,
    pub bin: BTreeSet<String>,
    /// The text of the `Makefile`, whatever it is called.
    pub makefile: Option<String>,
    pub package: Option<Value>,
    pub cargo: Option<Value>,
    pub pyproject: Option<Value>,
}

impl Facts {
    fn has(&self, name: &str) -> bool {
        self.root.contains(name)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }
}

/// Every configuration that the facts give, each name once.
pub fn found(facts: &Facts) -> Vec<Configuration> {
    let mut all = Vec::new();
    main_files(facts, &mut all);
    scripts(facts, &mut all);
    cargo(facts, &mut all);
    go(facts, &mut all);
    python_tests(facts, &mut all);
    makefile(facts, &mut all);
    if facts.has("index.html") {
        all.push(Configuration::new("Serve index.html", "python -m http.server 8000"));
    }
    let mut names = BTreeSet::new();
    all.retain(|configuration| names.insert(configuration.name.clone()));
    all.truncate(MAX_FOUND);
    all
}

fn main_files(facts: &Facts, all: &mut Vec<Configuration>) {
    let has_scripts = scripts_of(facts).next().is_some();
    for name in MAIN_FILES {
        let is_script = has_scripts && [".js", ".mjs", ".ts"].iter().any(|ending| name.ends_with(ending));
        // What a project's own scripts start is left to them.
        if !facts.has(name) || is_script || (name == "main.rs" && facts.cargo.is_some()) {
            continue;
        }
        if let Ok(path) = WorkspacePath::parse(name)
            && let Plan::Command(command) = plan(&path)
        {
            all.push(Configuration::new(name, &command));
        }
    }
    if facts.has("manage.py") {
        all.push(Configuration::new("manage.py runserver", "python manage.py runserver"));
    }
    if facts.has("main.go") && !facts.has("go.mod") {
        all.push(Configuration::new("main.go", "go run main.go"));
    }
    if facts.has("index.php") {
        all.push(Configuration::new("Serve index.php", "php -S localhost:8000"));
    }
    if facts.src.contains("main.py") && !facts.has("main.py") {
        all.push(Configuration::new("src/main.py", "python src/main.py"));
    }
}

fn scripts_of(facts: &Facts) -> impl Iterator<Item = &String> {
    let scripts = facts.package.as_ref().and_then(|package| package.get("scripts")).and_then(Value::as_object);
    scripts.into_iter().flatten().filter(|(_, line)| line.is_string()).map(|(name, _)| name)
}

fn scripts(facts: &Facts, all: &mut Vec<Configuration>) {
    let runner = match () {
        () if facts.has("pnpm-lock.yaml") => "pnpm",
        () if facts.has("yarn.lock") => "yarn",
        () if facts.has_any(&["bun.lock", "bun.lockb"]) => "bun",
        () => "npm",
    };
    let names: Vec<&String> = scripts_of(facts).collect();
    // What npm runs around another script is no program of its own.
    let is_hook = |name: &str| {
        let of = name.strip_prefix("pre").or_else(|| name.strip_prefix("post"));
        of.is_some_and(|of| names.iter().any(|name| *name == of))
    };
    let rank = |name: &str| SCRIPTS_FIRST.iter().position(|first| *first == name).unwrap_or(SCRIPTS_FIRST.len());
    let mut offered: Vec<&&String> = names.iter().filter(|name| !is_hook(name)).collect();
    offered.sort_by_key(|name| rank(name));
    for name in offered {
        all.push(Configuration::new(&format!("{runner} run {name}"), &format!("{runner} run {}", quoted(name))));
    }
}

fn cargo(facts: &Facts, all: &mut Vec<Configuration>) {
    let Some(cargo) = &facts.cargo else { return };
    let package = cargo.pointer("/package/name").and_then(Value::as_str);
    let mut programs = BTreeSet::new();
    if let Some(package) = package.filter(|_| facts.src.contains("main.rs")) {
        programs.insert(package);
    }
    let named = cargo.get("bin").and_then(Value::as_array).into_iter().flatten();
    programs.extend(named.filter_map(|bin| bin.get("name").and_then(Value::as_str)));
    programs.extend(facts.bin.iter().filter_map(|file| match file.strip_suffix(".rs") {
        None if file.contains('.') => None,
        None => Some(file.as_str()),
        program => program,
    }));
    if programs.len() == 1 {
        all.push(Configuration::new("cargo run", "cargo run"));
    } else {
        for program in programs {
            let line = format!("cargo run --bin {}", quoted(program));
            all.push(Configuration::new(&format!("cargo run --bin {program}"), &line));
        }
    }
    all.push(Configuration::new("cargo test", "cargo test"));
}

fn go(facts: &Facts, all: &mut Vec<Configuration>) {
    if facts.has("go.mod") {
        if facts.has("main.go") {
            all.push(Configuration::new("go run .", "go run ."));
        }
        all.push(Configuration::new("go test ./...", "go test ./..."));
    }
}

fn python_tests(facts: &Facts, all: &mut Vec<Configuration>) {
    let is_test = |name: &str| name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"));
    let says_so = facts.has_any(&["pytest.ini", "conftest.py"])
        || facts.pyproject.as_ref().is_some_and(|project| project.pointer("/tool/pytest").is_some());
    // A folder of tests is Python's only where something else is, too.
    let is_python = facts.has_any(&["pyproject.toml", "setup.py", "requirements.txt", "tox.ini"])
        || facts.root.iter().any(|name| name.ends_with(".py"));
    let has_folder = is_python && facts.has_any(&["tests", "test"]);
    if says_so || has_folder || facts.root.iter().any(|name| is_test(name)) {
        all.push(Configuration::new("pytest", "python -m pytest"));
    }
}

fn makefile(facts: &Facts, all: &mut Vec<Configuration>) {
    let Some(text) = &facts.makefile else { return };
    for target in targets(text) {
        all.push(Configuration::new(&format!("make {target}"), &format!("make {}", quoted(&target))));
    }
}

/// Targets of a Makefile that can be asked for by name, in their order.
fn targets(text: &str) -> Vec<String> {
    let mut targets: Vec<String> = Vec::new();
    for line in text.lines() {
        // Recipes are indented; `:=` and its like assign.
        let Some((names, rest)) = line.split_once(':') else { continue };
        if line.starts_with(char::is_whitespace) || names.contains(['=', '#', '$', '%']) || rest.starts_with(['=', ':'])
        {
            continue;
        }
        for name in names.split_ascii_whitespace() {
            if !name.starts_with(['.', '-'])
                && targets.len() < MAX_TARGETS
                && !targets.iter().any(|known| known == name)
            {
                targets.push(name.to_owned());
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn lines(facts: &Facts) -> Vec<(String, String)> {
        found(facts).into_iter().map(|configuration| (configuration.name, configuration.command)).collect()
    }

    fn pair(name: &str, command: &str) -> (String, String) {
        (name.to_owned(), command.to_owned())
    }

    #[test]
    fn main_files_are_run_by_their_kind_and_a_page_is_served() {
        let facts = Facts { root: names(&["main.py", "README.md", "index.html", "manage.py"]), ..Facts::default() };
        assert_eq!(
            lines(&facts),
            [
                pair("main.py", "python main.py"),
                pair("manage.py runserver", "python manage.py runserver"),
                pair("Serve index.html", "python -m http.server 8000"),
            ]
        );
        assert_eq!(found(&Facts::default()), []);
    }

    #[test]
    fn scripts_of_a_package_go_by_its_own_runner_and_hooks_stay_out() {
        let package = json!({"scripts": {"lint": "x", "pretest": "y", "test": "z", "dev": "v", "a b": "q", "odd": 3}});
        let facts = Facts { root: names(&["index.js", "pnpm-lock.yaml"]), package: Some(package), ..Facts::default() };
        assert_eq!(
            lines(&facts),
            [
                pair("pnpm run dev", "pnpm run dev"),
                pair("pnpm run test", "pnpm run test"),
                pair("pnpm run a b", "pnpm run 'a b'"),
                pair("pnpm run lint", "pnpm run lint"),
            ]
        );
    }

    #[test]
    fn one_program_of_cargo_needs_no_name_and_several_do() {
        let cargo = json!({"package": {"name": "tool"}});
        let mut facts = Facts { cargo: Some(cargo), src: names(&["main.rs"]), ..Facts::default() };
        assert_eq!(lines(&facts), [pair("cargo run", "cargo run"), pair("cargo test", "cargo test")]);
        facts.bin = names(&["extra.rs", "folder"]);
        assert_eq!(
            lines(&facts),
            [
                pair("cargo run --bin extra", "cargo run --bin extra"),
                pair("cargo run --bin folder", "cargo run --bin folder"),
                pair("cargo run --bin tool", "cargo run --bin tool"),
                pair("cargo test", "cargo test"),
            ]
        );
        let library = Facts { cargo: Some(json!({"package": {"name": "x"}})), ..Facts::default() };
        assert_eq!(lines(&library), [pair("cargo test", "cargo test")]);
    }

    #[test]
    fn targets_are_told_from_assignments_patterns_and_recipes() {
        let text = "CC := gcc\nA=b:c\n.PHONY: all clean\nall: x y\n\techo a: b\nclean test:\n%.o: %.c\n$(X): y\n::\ndeep/x:: y\n-x: z\n";
        assert_eq!(targets(text), ["all", "clean", "test"]);
        let many: String = (0..99).map(|at| format!("t{at}:\n")).collect();
        assert_eq!(targets(&many).len(), MAX_TARGETS);
    }

    #[test]
    fn tests_of_python_are_found_by_files_folders_and_settings() {
        let with = |root: &[&str], pyproject: Option<Value>| {
            let facts = Facts { root: names(root), pyproject, ..Facts::default() };
            lines(&facts).contains(&pair("pytest", "python -m pytest"))
        };
        assert!(with(&["test_a.py"], None));
        assert!(with(&["tests", "setup.py"], None));
        assert!(with(&["pyproject.toml"], Some(json!({"tool": {"pytest": {"ini_options": {}}}}))));
        assert!(!with(&["tests", "package.json"], None), "another language's tests");
        assert!(!with(&["pyproject.toml"], Some(json!({"tool": {"ruff": {}}}))));
    }
}
