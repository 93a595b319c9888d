//! The catalogue of words: English compiled in and checked while compiling, another language from a file of its own.
//!
//! `web/words/en.txt` is English, and what another language is made from: copy it to `web/words/CODE.txt` and translate what
//! stands behind the equals signs. What a language lacks is said in English. Code never holds words of its own: it says
//! `say!("key")`, and a key or a placeholder that is not in the catalogue does not compile.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// The English catalogue.
pub const ENGLISH: &str = include_str!("../../words/en.txt");

/// How many words there are.
const COUNT: usize = lines(ENGLISH);

/// A key and its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    key: &'static str,
    text: &'static str,
}

static WORDS: [Word; COUNT] = index(ENGLISH);

/// A language other than English. One that was loaded stays for the page's life: there are few, and all of the page may
/// hold texts of it.
pub struct Language {
    /// As in `lang`: `de`, `pt-BR`.
    pub code: String,
    texts: BTreeMap<&'static str, &'static str>,
    /// Which form a number takes: `one`, `few`, `other` …
    form: Box<dyn Fn(usize) -> String>,
}

thread_local! {
    /// `None` is English.
    static SPOKEN: Cell<Option<&'static Language>> = const { Cell::new(None) };
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Language").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Language {
    pub fn new(code: &str, file: &str, form: Box<dyn Fn(usize) -> String>) -> Self {
        let file: &'static str = Box::leak(file.to_owned().into_boxed_str());
        Self { code: code.to_owned(), texts: entries(file).collect(), form }
    }

    /// English in brackets and with strange letters: what is not of the catalogue stands out.
    pub fn pseudo() -> Self {
        let texts = WORDS.iter().map(|word| (word.key, &*Box::leak(strange(word.text).into_boxed_str())));
        Self { code: PSEUDO.to_owned(), texts: texts.collect(), form: Box::new(|count| english_form(count).to_owned()) }
    }

    /// Whether it is written from right to left.
    pub fn is_from_right(&self) -> bool {
        self.texts.get("language.direction").is_some_and(|direction| *direction == "rtl")
    }
}

/// The language that [`Language::pseudo`] is.
pub const PSEUDO: &str = "en-XA";

/// Speaks a language from now on; `None` is English.
pub fn speak(language: Option<Language>) {
    SPOKEN.set(language.map(|language| &*Box::leak(Box::new(language))));
}

/// The language that is spoken, as in `lang`, and whether it is written from right to left.
pub fn spoken() -> (&'static str, bool) {
    SPOKEN.get().map_or(("en", false), |language| (&language.code, language.is_from_right()))
}

/// The keys and texts of a catalogue's file.
pub fn entries(file: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, text)| (key.trim(), text.trim()))
}

/// The text of a key that was looked up while compiling.
pub fn text(at: usize) -> &'static str {
    said(&WORDS[at])
}

/// A word of a catalogue in the language that is spoken.
pub(crate) fn said(word: &'static Word) -> &'static str {
    SPOKEN.get().and_then(|language| language.texts.get(word.key).copied()).unwrap_or(word.text)
}

/// The text of a key that a table's row leads to, which a test holds against the catalogue.
pub fn find(key: &str) -> Option<&'static str> {
    WORDS.iter().position(|word| word.key == key).map(text)
}

/// The text of a number of things, `at` being that of `KEY.other`.
pub fn counted(at: usize, count: usize) -> &'static str {
    let other = WORDS[at].key;
    let key = |form: &str| format!("{}{form}", other.strip_suffix("other").unwrap_or(other));
    match SPOKEN.get() {
        None => find(&key(english_form(count))).unwrap_or_else(|| text(at)),
        Some(language) => {
            let text_of = |form: &str| language.texts.get(key(form).as_str()).copied();
            text_of(&(language.form)(count)).unwrap_or_else(|| text(at))
        }
    }
}

/// The text with its placeholders filled.
pub fn filled(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut said = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            said.push_str(&value.to_string());
        }
        rest = after;
    }
    said + rest
}

/// Looks a key up while compiling. Placeholders of its text must be among `names`, and all of `names` in it.
pub const fn at(key: &str, names: &[&str]) -> usize {
    at_in(&WORDS, key, names, false)
}

/// The same for the text of a number of things, which may say the number or not.
pub const fn at_counted(key: &str, names: &[&str]) -> usize {
    at_in(&WORDS, key, names, true)
}

/// The same in any catalogue.
pub(crate) const fn at_in(words: &[Word], key: &str, names: &[&str], is_counted: bool) -> usize {
    let mut at = 0;
    while at < words.len() {
        if is_same(words[at].key, key) {
            let says_count = is_counted && has_placeholder(words[at].text, "count");
            assert!(
                count_placeholders(words[at].text) == names.len() + says_count as usize,
                "a placeholder of the text is not filled, or there are too many: see web/words"
            );
            let mut name = 0;
            while name < names.len() {
                assert!(has_placeholder(words[at].text, names[name]), "the text has no such placeholder");
                name += 1;
            }
            return at;
        }
        at += 1;
    }
    panic!("the catalogue in web/words has no such key")
}

/// Says something: `say!("key")`, or with what belongs into its text, `say!("key", name = value)`.
macro_rules! say {
    ($key:literal) => {{
        const AT: usize = $crate::words::catalogue::at($key, &[]);
        $crate::words::catalogue::text(AT)
    }};
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        const AT: usize = $crate::words::catalogue::at($key, &[$(stringify!($name)),+]);
        let values: &[(&str, &dyn ::std::fmt::Display)] = &[$((stringify!($name), &$value)),+];
        $crate::words::catalogue::filled($crate::words::catalogue::text(AT), values)
    }};
}

/// Says something of a number of things: `count!("key", number)`; the catalogue has `key.one`, `key.other` and, in other
/// languages, what forms these know. The text's `{count}` is the number.
macro_rules! count {
    ($key:literal, $count:expr $(, $name:ident = $value:expr)* $(,)?) => {{
        const AT: usize = $crate::words::catalogue::at_counted(concat!($key, ".other"), &[$(stringify!($name)),*]);
        let count: usize = $count;
        let values: &[(&str, &dyn ::std::fmt::Display)] = &[("count", &count) $(, (stringify!($name), &$value))*];
        $crate::words::catalogue::filled($crate::words::catalogue::counted(AT, count), values)
    }};
}

pub(crate) use {count, say};

fn english_form(count: usize) -> &'static str {
    if count == 1 { "one" } else { "other" }
}

/// A text with other letters and in brackets; placeholders stay.
fn strange(text: &str) -> String {
    let mut inside = false;
    let letters = text.chars().map(|letter| {
        inside = (inside || letter == '{') && letter != '}';
        match letter {
            _ if inside => letter,
            'a' => 'á',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ö',
            'u' => 'ü',
            'A' => 'Å',
            'E' => 'É',
            'O' => 'Ø',
            _ => letter,
        }
    });
    format!("⟦{}⟧", letters.collect::<String>())
}

/// The lines of a file that hold a word.
pub(crate) const fn lines(file: &str) -> usize {
    let bytes = file.as_bytes();
    let (mut count, mut start, mut at) = (0, 0, 0);
    while at < bytes.len() {
        if bytes[at] == b'\n' {
            if at > start && bytes[start] != b'#' {
                count += 1;
            }
            start = at + 1;
        }
        at += 1;
    }
    count
}

/// All words of a file, of which there are `N`.
pub(crate) const fn index<const N: usize>(file: &'static str) -> [Word; N] {
    let bytes = file.as_bytes();
    let mut words = [Word { key: "", text: "" }; N];
    let (mut count, mut start, mut equals, mut at) = (0, 0, 0, 0);
    while at < bytes.len() {
        if bytes[at] == b'=' && equals == 0 {
            equals = at;
        }
        if bytes[at] == b'\n' {
            if at > start && bytes[start] != b'#' {
                assert!(equals > start, "a line of a catalogue has no equals sign");
                words[count] = Word { key: part(file, start, equals), text: part(file, equals + 1, at) };
                count += 1;
            }
            (start, equals) = (at + 1, 0);
        }
        at += 1;
    }
    words
}

/// What is between two places, without space around it.
const fn part(file: &'static str, start: usize, end: usize) -> &'static str {
    file.split_at(end).0.split_at(start).1.trim_ascii()
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    // From the end: keys begin alike.
    let mut at = one.len();
    while at > 0 {
        at -= 1;
        if one[at] != other[at] {
            return false;
        }
    }
    true
}

const fn count_placeholders(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'{' {
            count += 1;
        }
        at += 1;
    }
    count
}

const fn has_placeholder(text: &str, name: &str) -> bool {
    let (bytes, name) = (text.as_bytes(), name.as_bytes());
    let mut at = 0;
    while at + name.len() + 1 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 1 + name.len()] == b'}' {
            let mut letter = 0;
            while letter < name.len() && bytes[at + 1 + letter] == name[letter] {
                letter += 1;
            }
            if letter == name.len() {
                return true;
            }
        }
        at += 1;
    }
    false
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
