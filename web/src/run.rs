//! The one table of how a file is run, by its name, and what a run configuration is. Makes command lines; starts nothing.
//!
//! Commands run in the project's folder, in a login shell on a terminal of their own.

pub mod found;
pub mod kept;

use embedenv_shared::path::WorkspacePath;

use crate::words::catalogue::say;

/// What Run does with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Command(String),
    /// There is nothing to run, and why.
    Nothing(String),
}

/// Something that can be run by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    pub name: String,
    /// A command line for the shell.
    pub command: String,
    /// Where it runs.
    pub folder: WorkspacePath,
    /// Names and values of variables that it gets besides the shell's.
    pub environment: Vec<(String, String)>,
}

impl Configuration {
    pub fn new(name: &str, command: &str) -> Self {
        Self {
            name: name.to_owned(),
            command: command.to_owned(),
            folder: WorkspacePath::root(),
            environment: Vec::new(),
        }
    }

    /// The whole line, which begins in the project's folder.
    pub fn line(&self) -> String {
        let mut line = String::new();
        if !self.folder.is_root() {
            line = format!("cd {} && ", quoted(self.folder.as_str()));
        }
        if !self.environment.is_empty() {
            let set = self.environment.iter().map(|(name, value)| format!("{name}={}", in_quotes(value)));
            line = format!("{line}export {} && ", set.collect::<Vec<_>>().join(" "));
        }
        // What follows a `;` belongs to what the folder and the variables are for.
        if line.is_empty() { self.command.clone() } else { format!("{line}{{ {}\n}}", self.command) }
    }
}

/// Where compiled programs go.
const PROGRAM: &str = "/tmp/run";

/// How the file at `path` is run.
pub fn plan(path: &WorkspacePath) -> Plan {
    let name = path.name().unwrap_or_default();
    let file = quoted(path.as_str());
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    if matches!(lower.as_str(), "makefile" | "gnumakefile") {
        return Plan::Command(format!("make -C {} -f {}", folder(path), quoted(name)));
    }
    Plan::Command(match extension {
        "py" => format!("python {file}"),
        "js" | "mjs" | "cjs" => format!("node {file}"),
        "ts" | "mts" | "tsx" => format!("npx --yes tsx {file}"),
        "sh" | "bash" => format!("bash {file}"),
        "zsh" => format!("zsh {file}"),
        "c" => format!("gcc -Wall -o {PROGRAM} {file} -lm && {PROGRAM}"),
        "cc" | "cpp" | "cxx" => format!("g++ -Wall -std=c++20 -o {PROGRAM} {file} && {PROGRAM}"),
        "rs" => format!("rustc --edition 2024 -o {PROGRAM} {file} && {PROGRAM}"),
        "go" => format!("go run {file}"),
        "java" => format!("java {file}"),
        "rb" => format!("ruby {file}"),
        "php" => format!("php {file}"),
        "pl" => format!("perl {file}"),
        "lua" => format!("lua {file}"),
        "r" => format!("Rscript {file}"),
        "awk" => format!("awk -f {file}"),
        "html" | "htm" => {
            return Plan::Nothing(say!("run.page", name = name));
        }
        "md" | "markdown" | "txt" | "json" | "toml" | "yaml" | "yml" | "css" | "csv" | "xml" | "svg" => {
            return Plan::Nothing(say!("run.no-program", name = name));
        }
        _ => {
            return Plan::Nothing(say!("run.unknown", name = name));
        }
    })
}

fn folder(path: &WorkspacePath) -> String {
    let parent = path.parent().unwrap_or_else(WorkspacePath::root);
    if parent.is_root() { ".".to_owned() } else { quoted(parent.as_str()) }
}

/// A word for a POSIX shell. One that begins with `-` would be read as an option, so it gets its folder's name first.
pub(crate) fn quoted(word: &str) -> String {
    let word = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word } else { in_quotes(&word) }
}

/// Any text as one word, whatever it begins with.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(path: &str) -> String {
        match plan(&WorkspacePath::parse(path).unwrap()) {
            Plan::Command(command) => command,
            Plan::Nothing(why) => panic!("{path}: {why}"),
        }
    }

    #[test]
    fn files_are_run_by_their_kind() {
        for (path, line) in [
            ("main.py", "python main.py"),
            ("src/app.mjs", "node src/app.mjs"),
            ("a.ts", "npx --yes tsx a.ts"),
            ("fizz.sh", "bash fizz.sh"),
            ("x.c", "gcc -Wall -o /tmp/run x.c -lm && /tmp/run"),
            ("x.go", "go run x.go"),
            ("Makefile", "make -C . -f Makefile"),
            ("lib/Makefile", "make -C lib -f Makefile"),
        ] {
            assert_eq!(command(path), line);
        }
    }

    #[test]
    fn hostile_names_are_one_word() {
        assert_eq!(command("a b.py"), "python 'a b.py'");
        assert_eq!(command("$(rm -rf ~);'x'.py"), r"python '$(rm -rf ~);'\''x'\''.py'");
        assert_eq!(command("-c.py"), "python ./-c.py");
        assert_eq!(command("-c x.py"), "python './-c x.py'");
        assert_eq!(command("~.py"), "python '~.py'");
    }

    #[test]
    fn a_configuration_runs_in_its_folder_with_its_variables() {
        let mut configuration = Configuration::new("x", "a; b");
        assert_eq!(configuration.line(), "a; b");
        configuration.folder = WorkspacePath::parse("my web").unwrap();
        configuration.environment = vec![("A".into(), "it's".into()), ("B".into(), "-1".into())];
        assert_eq!(configuration.line(), "cd 'my web' && export A='it'\\''s' B='-1' && { a; b\n}");
    }

    #[test]
    fn what_does_not_run_says_why() {
        for path in ["index.html", "README.md", "data.bin", "LICENSE"] {
            let Plan::Nothing(why) = plan(&WorkspacePath::parse(path).unwrap()) else { panic!("{path} runs") };
            assert!(why.contains(path), "{why}");
        }
    }
}
