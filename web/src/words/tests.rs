//! The catalogue's own tests: what a language's file must hold, and that nothing of the catalogue is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The forms that a number can take in any language.
const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// Restores English when a test ends: the language is the thread's.
struct Speaking;

impl Speaking {
    fn new(language: Language) -> Self {
        speak(Some(language));
        Self
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        speak(None);
    }
}

#[test]
fn a_text_is_filled_and_a_number_takes_its_form() {
    assert_eq!(say!("dialog.close"), "Close");
    assert_eq!(say!("delete.title", path = "a/b.py"), "Delete a/b.py?");
    assert_eq!([count!("away.files", 1), count!("away.files", 2)], ["1 file", "2 files"]);
}

#[test]
fn another_language_is_spoken_as_far_as_it_goes() {
    let file = "# x\ndialog.close = Zavřít\naway.files.one = {count} soubor\naway.files.few = {count} soubory\n\
                away.files.other = {count} souborů\nlanguage.direction = rtl\n";
    let form = |count| {
        if count == 1 {
            "one"
        } else if count < 5 {
            "few"
        } else {
            "other"
        }
    };
    let _speaking = Speaking::new(Language::new("cs", file, Box::new(move |count| form(count).to_owned())));
    assert_eq!(say!("dialog.close"), "Zavřít");
    assert_eq!(say!("delete.title", path = "x"), "Delete x?", "what it lacks is English");
    assert_eq!(count!("away.files", 1), "1 soubor");
    assert_eq!(count!("away.files", 3), "3 soubory");
    assert_eq!(count!("away.files", 9), "9 souborů");
    assert_eq!(spoken(), ("cs", true));
}

#[test]
fn the_pseudo_language_changes_every_text_and_keeps_what_is_filled_in() {
    let _speaking = Speaking::new(Language::pseudo());
    assert_eq!(say!("delete.title", path = "name.py"), "⟦Délété name.py?⟧");
    for word in &WORDS {
        assert!(find(word.key).unwrap().starts_with('⟦'), "{}", word.key);
    }
}

/// What each language must be: no key that English lacks, the same placeholders, its own name.
#[test]
fn every_language_file_fits_the_english_one() {
    let english: BTreeMap<&str, &str> = entries(ENGLISH).collect();
    let mut keys: Vec<&str> = WORDS.iter().map(|word| word.key).collect();
    keys.sort_unstable();
    let twice: Vec<_> = keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(twice.is_empty(), "these stand there twice: {twice:?}");
    // Those of the console are held against its own catalogue.
    let own = |file: &PathBuf| file.parent().is_some_and(|folder| folder.ends_with("words"));
    for file in files(&root().join("words"), "txt").into_iter().filter(own) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.ends_with('\n'), "{}: its last line does not end", file.display());
        let all: Vec<(&str, &str)> = entries(&text).collect();
        let known: BTreeMap<&str, &str> = all.iter().copied().collect();
        assert_eq!(known.len(), all.len(), "{}: a key stands there twice", file.display());
        for name in ["language.name", "language.direction"] {
            assert!(known.contains_key(name), "{}: has no {name}", file.display());
        }
        for (key, text) in known {
            assert!(!text.is_empty(), "{}: {key} is empty", file.display());
            let like = english.get(key).or_else(|| english.get(other_form(key)?.as_str()));
            let like = like.unwrap_or_else(|| panic!("{}: {key} is not in English", file.display()));
            let (has, may) = (placeholders(text), placeholders(like));
            // "one file" needs no number.
            let fits = has == may || (other_form(key).is_some() && has.is_subset(&may));
            assert!(fits, "{}: {key} has other placeholders than English", file.display());
        }
    }
}

#[test]
fn german_has_every_word() {
    let text = fs::read_to_string(root().join("words/de.txt")).unwrap();
    let german: BTreeSet<&str> = entries(&text).map(|(key, _)| key).collect();
    let missing: Vec<&str> = WORDS.iter().map(|word| word.key).filter(|key| !german.contains(key)).collect();
    assert!(missing.is_empty(), "German lacks {missing:?}");
}

/// Words that nothing says any more would be translated for nobody.
#[test]
fn no_word_is_left_over() {
    let mut code = String::new();
    for folder in [root().join("src"), root().join("js/src")] {
        for file in files(&folder, "rs").into_iter().chain(files(&folder, "ts")) {
            code += &fs::read_to_string(file).unwrap();
        }
    }
    // Keys that rows of tables lead to; a test of each table holds that the catalogue has them.
    let of_tables = ["command.", "setting.", "section.", "language.", "place.", "tour.", "key."];
    let is_left_over = |word: &&Word| {
        let key = other_form(word.key).map_or(word.key.to_owned(), |key| key.trim_end_matches(".other").to_owned());
        !code.contains(&format!("\"{key}\"")) && !of_tables.iter().any(|table| key.starts_with(table))
    };
    let left_over: Vec<&str> = WORDS.iter().filter(is_left_over).map(|word| word.key).collect();
    assert!(left_over.is_empty(), "nothing says {left_over:?}");
}

/// The key of the form that every language has, for the key of any form.
fn other_form(key: &str) -> Option<String> {
    let (stem, form) = key.rsplit_once('.')?;
    let other = format!("{stem}.other");
    (FORMS.contains(&form) && WORDS.iter().any(|word| word.key == other)).then_some(other)
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found
}
