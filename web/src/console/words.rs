//! What the console says, as [`crate::words::catalogue`] does for the IDE: a catalogue of its own, so that neither page
//! carries the other's words.

use crate::words::catalogue::{self, Word};

/// The English catalogue.
pub const ENGLISH: &str = include_str!("../../words/console/en.txt");

static WORDS: [Word; catalogue::lines(ENGLISH)] = catalogue::index(ENGLISH);

/// The text of a key that was looked up while compiling.
pub fn text(at: usize) -> &'static str {
    catalogue::said(&WORDS[at])
}

/// Looks a key up while compiling. Placeholders of its text must be among `names`, and all of `names` in it.
pub const fn at(key: &str, names: &[&str]) -> usize {
    catalogue::at_in(&WORDS, key, names, false)
}

/// Says something: `tell!("key")`, or with what belongs into its text, `tell!("key", name = value)`.
macro_rules! tell {
    ($key:literal) => {{
        const AT: usize = $crate::console::words::at($key, &[]);
        $crate::console::words::text(AT)
    }};
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        const AT: usize = $crate::console::words::at($key, &[$(stringify!($name)),+]);
        let values: &[(&str, &dyn ::std::fmt::Display)] = &[$((stringify!($name), &$value)),+];
        $crate::words::catalogue::filled($crate::console::words::text(AT), values)
    }};
}

pub(crate) use tell;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::words::catalogue::entries;

    use super::*;

    const GERMAN: &str = include_str!("../../words/console/de.txt");

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn german_has_every_word_and_no_other() {
        let keys = |file: &'static str| entries(file).map(|(key, _)| key).collect::<BTreeSet<_>>();
        assert_eq!(keys(ENGLISH), keys(GERMAN));
        for (key, text) in entries(ENGLISH) {
            let german = entries(GERMAN).find(|(other, _)| *other == key).map(|(_, text)| text).unwrap();
            assert_eq!(placeholders(text), placeholders(german), "{key}");
            assert!(!text.is_empty() && !german.is_empty(), "{key}");
        }
    }

    #[test]
    fn every_word_is_said() {
        let source = walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/console")));
        let source = source + include_str!("../console.rs");
        for (key, _) in entries(ENGLISH).filter(|(key, _)| !key.starts_with("language.")) {
            assert!(source.contains(&format!("\"{key}\"")), "{key} is never said");
        }
    }

    fn walk(folder: &std::path::Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
    }
}
