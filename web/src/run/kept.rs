//! `.embedenv/run.toml`: the run configurations that a project keeps, read from what a TOML parser made of the file and
//! written as text. `docs/run.md` describes the format. What is wrong is told with its line, and the rest of the file
//! counts all the same.

use std::collections::BTreeSet;

use embedenv_shared::path::WorkspacePath;
use serde_json::Value;

use super::Configuration;
use crate::words::catalogue::say;

/// The file's folder, and the file.
pub const FOLDER: &str = ".embedenv";
pub const FILE: &str = ".embedenv/run.toml";
/// Configurations that are read at most; what comes after them is told and left out.
pub const MAX_KEPT: usize = 100;
/// Characters of a configuration's name; a longer one is told and left out.
pub const MAX_NAME: usize = 64;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub configurations: Vec<Configuration>,
    /// The name of the one that is chosen where nobody has chosen another.
    pub default: Option<String>,
    pub problem: Option<Problem>,
}

/// The first thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// Reads the file: `text` as it is, `value` as a TOML parser reads it.
pub fn read(text: &str, value: &Value) -> Kept {
    let mut kept = Kept::default();
    match value.get("default") {
        None => {}
        Some(Value::String(name)) => kept.default = Some(name.clone()),
        Some(_) => kept.tell(line_with(text, "default"), say!("runtoml.default")),
    }
    let runs = match value.get("run") {
        None => &[],
        Some(Value::Array(runs)) => runs.as_slice(),
        Some(_) => {
            kept.tell(line_with(text, "[run"), say!("runtoml.brackets"));
            &[]
        }
    };
    let mut names = BTreeSet::new();
    for (at, run) in runs.iter().enumerate() {
        let line = line_of_run(text, at);
        match configuration(run) {
            _ if at >= MAX_KEPT => kept.tell(line, &say!("runtoml.too-many", count = MAX_KEPT)),
            Err(what) => kept.tell(line, &what),
            Ok(run) if !names.insert(run.name.clone()) => {
                kept.tell(line, &say!("runtoml.second", name = run.name));
            }
            Ok(run) => kept.configurations.push(run),
        }
    }
    if let Some(name) = kept.default.take_if(|name| !names.contains(name.as_str())) {
        kept.tell(line_with(text, "default"), &say!("runtoml.no-default", name = name));
    }
    kept
}

/// The file that says this, below the comment with which `before` begins.
pub fn written(before: &str, configurations: &[Configuration], default: Option<&str>) -> String {
    let mut text: String =
        before.lines().take_while(|line| line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect();
    if text.is_empty() {
        text.push_str("# Run configurations of this project, read by Embedenv.\n");
    }
    if let Some(default) = default {
        text.push_str(&format!("\ndefault = {}\n", string(default)));
    }
    for configuration in configurations {
        let Configuration { name, command, folder, environment } = configuration;
        text.push_str(&format!("\n[[run]]\nname = {}\ncommand = {}\n", string(name), string(command)));
        if !folder.is_root() {
            text.push_str(&format!("folder = {}\n", string(folder.as_str())));
        }
        if !environment.is_empty() {
            let pairs: Vec<_> = environment.iter().map(|(name, value)| format!("{name} = {}", string(value))).collect();
            text.push_str(&format!("env = {{ {} }}\n", pairs.join(", ")));
        }
    }
    text
}

/// Whether a variable of the environment may be called so.
pub fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Checks what makes up a configuration, in words for whoever wrote it.
pub fn checked(
    name: &str,
    command: &str,
    folder: &str,
    environment: Vec<(String, String)>,
) -> Result<Configuration, String> {
    let (name, command) = (name.trim(), command.trim());
    if name.is_empty() {
        return Err(say!("runtoml.no-name").to_owned());
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(say!("runtoml.long-name", count = MAX_NAME));
    }
    if command.is_empty() {
        return Err(say!("runtoml.no-command", name = name));
    }
    let folder = WorkspacePath::parse_or_root(folder.trim())
        .map_err(|error| say!("runtoml.folder", name = name, why = error))?;
    if let Some((variable, _)) = environment.iter().find(|(variable, _)| !is_variable(variable)) {
        return Err(say!("runtoml.variable", name = variable));
    }
    Ok(Configuration { name: name.to_owned(), command: command.to_owned(), folder, environment })
}

fn configuration(run: &Value) -> Result<Configuration, String> {
    let text = |member: &str| match run.get(member) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(say!("runtoml.no-text", name = member)),
    };
    let environment = match run.get("env") {
        None => Vec::new(),
        Some(Value::Object(variables)) => {
            let pair = |(name, value): (&String, &Value)| match value {
                Value::String(value) => Ok((name.clone(), value.clone())),
                Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
                _ => Err(say!("runtoml.no-value", name = name)),
            };
            variables.iter().map(pair).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(say!("runtoml.env").to_owned()),
    };
    checked(&text("name")?, &text("command")?, &text("folder")?, environment)
}

impl Kept {
    fn tell(&mut self, line: usize, what: &str) {
        self.problem.get_or_insert_with(|| Problem { line, what: what.to_owned() });
    }
}

/// The line on which the configuration of that place begins, from 1.
fn line_of_run(text: &str, at: usize) -> usize {
    let mut headers = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("[[run]]"));
    headers.nth(at).map_or_else(|| line_with(text, "run"), |(line, _)| line + 1)
}

fn line_with(text: &str, beginning: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(beginning)).map_or(1, |line| line + 1)
}

/// A basic string of TOML's (toml.io, "String").
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_is_read_with_its_default() {
        let value = json!({"default": "serve", "run": [
            {"name": "serve", "command": "python app.py", "folder": "web", "env": {"PORT": 8000, "DEBUG": true}},
            {"name": "check", "command": "make check"},
        ]});
        let kept = read("default = \"serve\"\n", &value);
        assert_eq!(kept.problem, None);
        assert_eq!(kept.default.as_deref(), Some("serve"));
        let serve = &kept.configurations[0];
        assert_eq!((serve.name.as_str(), serve.folder.as_str()), ("serve", "web"));
        assert_eq!(serve.environment, [("DEBUG".into(), "true".into()), ("PORT".into(), "8000".into())]);
        assert_eq!(kept.configurations.len(), 2);
    }

    #[test]
    fn what_is_wrong_has_its_line_and_the_rest_counts() {
        let text = "# mine\n\n[[run]]\nname = \"a\"\ncommand = \"x\"\n\n[[run]]\nname = \"b\"\n";
        let kept = read(text, &json!({"run": [{"name": "a", "command": "x"}, {"name": "b"}]}));
        assert_eq!(kept.problem, Some(Problem { line: 7, what: "b needs a command".into() }));
        assert_eq!(kept.configurations.len(), 1);
        for (run, what) in [
            (json!({"name": "a", "command": 1}), "command is a text, in quotes"),
            (json!({"name": "a", "command": "x", "folder": "../b"}), "the folder of a: the path must not contain '..'"),
            (
                json!({"name": "a", "command": "x", "env": {"A-B": ""}}),
                "A-B can’t be the name of a variable: letters, digits and _ alone",
            ),
        ] {
            assert_eq!(read("[[run]]\n", &json!({"run": [run]})).problem, Some(Problem { line: 1, what: what.into() }));
        }
        let gone = read("\ndefault = \"z\"\n", &json!({"default": "z"}));
        assert_eq!(gone.problem, Some(Problem { line: 2, what: "no configuration is called z".into() }));
        assert_eq!(gone.default, None);
    }

    #[test]
    fn what_is_written_quotes_what_is_hostile_and_keeps_the_first_comment() {
        let environment = vec![("A".to_owned(), "1\n2".to_owned())];
        let hostile = checked("x \"y\"", "echo \\ '\u{1}'", "a/b", environment).unwrap();
        let text = written("# Ours.\nx = 1\n", &[hostile], Some("x \"y\""));
        assert_eq!(
            text,
            "# Ours.\n\ndefault = \"x \\\"y\\\"\"\n\n[[run]]\nname = \"x \\\"y\\\"\"\n\
             command = \"echo \\\\ '\\u0001'\"\nfolder = \"a/b\"\nenv = { A = \"1\\n2\" }\n"
        );
    }
}
