//! Which program formats which files, how it is run, and how one gets it. Pure; asking for them is the workbench's.

use embedenv_shared::path::WorkspacePath;

use crate::run::quoted;

/// A program that reads a text and prints it formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formatter {
    pub program: &'static str,
    /// What follows the program's name; `PATH` stands for the file's path.
    arguments: &'static str,
    /// Endings of the files it is for.
    endings: &'static [&'static str],
    pub install: &'static str,
}

const PYTHON: &[&str] = &["py", "pyi", "pyw"];

/// Of those for one kind of file, the first that is there is taken.
pub const FORMATTERS: &[Formatter] = &[
    Formatter {
        program: "black",
        arguments: "-q --stdin-filename PATH -",
        endings: PYTHON,
        install: "pip install black",
    },
    Formatter {
        program: "ruff",
        arguments: "format -q --stdin-filename PATH -",
        endings: PYTHON,
        install: "pip install ruff",
    },
    Formatter {
        program: "prettier",
        arguments: "--stdin-filepath PATH",
        endings: &[
            "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "json", "jsonc", "css", "scss", "less", "html",
            "htm", "vue", "md", "markdown", "yaml", "yml",
        ],
        install: "npm install --save-dev prettier",
    },
    Formatter {
        program: "rustfmt",
        arguments: "--edition 2021",
        endings: &["rs"],
        install: "rustup component add rustfmt",
    },
    Formatter { program: "gofmt", arguments: "", endings: &["go"], install: "apt install golang-go" },
    Formatter {
        program: "clang-format",
        arguments: "--assume-filename=PATH",
        endings: &["c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino", "java", "proto"],
        install: "pip install clang-format",
    },
    Formatter {
        program: "shfmt",
        arguments: "-filename PATH",
        endings: &["sh", "bash", "ksh"],
        install: "pip install shfmt-py",
    },
];

/// Programs of the project itself go before those of the sandbox.
const OWN: &str = r#"PATH="$PWD/node_modules/.bin:$PWD/.venv/bin:$PWD/venv/bin:$HOME/.local/bin:$PATH"; "#;

impl Formatter {
    /// The command line that formats what it is given as the file at `path`.
    pub fn command(&self, path: &WorkspacePath) -> String {
        format!("{OWN}exec {} {}", self.program, self.arguments.replace("PATH", &quoted(path.as_str())))
    }
}

/// Those that format the file, the one that is taken first at the beginning.
pub fn formatters_of(path: &WorkspacePath) -> Vec<&'static Formatter> {
    let name = path.name().unwrap_or_default().to_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    FORMATTERS.iter().filter(|formatter| formatter.endings.contains(&ending)).collect()
}

/// A command line that prints the names of the programs that are there.
pub fn question() -> String {
    let names: Vec<&str> = FORMATTERS.iter().map(|formatter| formatter.program).collect();
    format!("{OWN}for name in {}; do command -v $name >/dev/null && echo $name; done; true", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    #[test]
    fn a_path_is_one_word_of_the_command() {
        let [black, ruff] = formatters_of(&path("src/it's $x.py"))[..] else { panic!("two for Python") };
        assert_eq!((black.program, ruff.program), ("black", "ruff"));
        assert!(
            black.command(&path("src/it's $x.py")).ends_with(r"exec black -q --stdin-filename 'src/it'\''s $x.py' -")
        );
        assert!(formatters_of(&path("notes.txt")).is_empty() && formatters_of(&path("go")).is_empty());
    }
}
