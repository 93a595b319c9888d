//! What files are written in: the languages that the editor knows, and which files tell theirs by their names. Pure; what
//! the editor does with a language stands in `web/js/src/editor/languages.ts`, which is told a name of a file.

/// A language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    pub name: &'static str,
    /// What files of it end in; of the first one the editor knows what to load.
    endings: &'static [&'static str],
    /// Whole names of files, in small letters.
    names: &'static [&'static str],
}

const fn language(name: &'static str, endings: &'static [&'static str], names: &'static [&'static str]) -> Language {
    Language { name, endings, names }
}

/// All of them, in the order in which they are offered.
pub static LANGUAGES: [Language; 19] = [
    language("C", &["c", "h"], &[]),
    language("C++", &["cpp", "cc", "cxx", "hh", "hpp", "hxx", "ino"], &[]),
    language("CSS", &["css"], &[]),
    language("Dockerfile", &[], &["dockerfile", "containerfile"]),
    language("Go", &["go"], &[]),
    language("HTML", &["html", "htm", "xhtml", "vue"], &[]),
    language("Java", &["java"], &[]),
    language("JavaScript", &["js", "mjs", "cjs", "jsx"], &[]),
    language("JSON", &["json", "jsonc", "webmanifest", "ipynb", "map"], &[".prettierrc", ".babelrc"]),
    language("Makefile", &["mk"], &["makefile", "gnumakefile"]),
    language("Markdown", &["md", "markdown"], &[]),
    language("Python", &["py", "pyi", "pyw"], &[]),
    language("Rust", &["rs"], &[]),
    language(
        "Shell",
        &["sh", "bash", "zsh", "ksh"],
        &[".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".env"],
    ),
    language("TOML", &["toml"], &["cargo.lock", "poetry.lock", "uv.lock"]),
    language("TypeScript", &["ts", "mts", "cts"], &[]),
    language("TypeScript JSX", &["tsx"], &[]),
    language("XML", &["xml", "svg"], &[]),
    language("YAML", &["yaml", "yml"], &[]),
];

impl Language {
    /// What a file is called that the editor takes for one of this language.
    pub fn example(&self) -> String {
        match (self.endings, self.names) {
            ([ending, ..], _) => format!("x.{ending}"),
            ([], [name, ..]) => (*name).to_owned(),
            ([], []) => String::new(),
        }
    }
}

/// The language that a file's name tells, if it tells one.
pub fn language_of(name: &str) -> Option<&'static Language> {
    let name = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let by_name = LANGUAGES.iter().find(|language| language.names.contains(&name.as_str()));
    by_name.or_else(|| LANGUAGES.iter().find(|language| language.endings.contains(&ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_language_by_its_whole_name_or_by_how_it_ends() {
        let of = |name| language_of(name).map(|language| language.name);
        assert_eq!(of("src/Main.PY"), Some("Python"));
        assert_eq!(of("Dockerfile"), Some("Dockerfile"));
        assert_eq!(of("poetry.lock"), Some("TOML"));
        assert_eq!((of("notes.txt"), of("py"), of("")), (None, None, None));
    }

    #[test]
    fn the_example_of_a_language_is_of_that_language_and_no_two_have_one_name() {
        for (at, language) in LANGUAGES.iter().enumerate() {
            assert_eq!(language_of(&language.example()), Some(language));
            assert!(LANGUAGES[..at].iter().all(|other| other.name.to_lowercase() < language.name.to_lowercase()));
        }
    }
}
