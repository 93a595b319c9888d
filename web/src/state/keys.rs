//! Which keys do what: strokes, chords of one or two of them, and the map from chords to commands.
//!
//! Pure; a key event becomes a [`Stroke`] in `workbench::keys`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::commands::{COMMANDS, Command, Entry};

/// Where the keyboard is, and where a key is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Heard wherever the keyboard is; of these, no program in a terminal needs any.
    Everywhere,
    /// Anywhere but in a terminal and in a dialog.
    Page,
    Editor,
    Tree,
    Terminal,
    /// What one types into besides editors and terminals, and what answers keys of its own; no command is of it.
    Field,
    /// The editor's panel for finding: a field in which the editor's commands about that are heard, too.
    Find,
    /// A dialog: nothing but what is heard everywhere.
    Dialog,
}

impl Place {
    /// Whether a command of this place is heard while the keyboard is at `focus`.
    fn hears(self, focus: Self) -> bool {
        let is_of_page = matches!(focus, Self::Editor | Self::Tree | Self::Field | Self::Find);
        self == Self::Everywhere || self == focus || (self == Self::Page && is_of_page)
    }
}

impl Entry {
    /// Whether its keys are heard while the keyboard is at `focus`.
    fn is_heard_at(&self, focus: Place) -> bool {
        let is_spared = self.spares_fields && matches!(focus, Place::Field | Place::Find);
        (self.place.hears(focus) && !is_spared) || (self.finds && focus == Place::Find)
    }
}

/// One key with its modifiers. Ctrl is Cmd on a Mac.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stroke {
    pub control: bool,
    pub alt: bool,
    pub shift: bool,
    /// As `KeyboardEvent.key` says it without Shift; a letter is a capital.
    pub key: String,
}

impl Stroke {
    fn parse(text: &str) -> Option<Self> {
        let mut stroke = Self { control: false, alt: false, shift: false, key: String::new() };
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix("Ctrl+") {
                (stroke.control, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("Alt+") {
                (stroke.alt, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("Shift+") {
                (stroke.shift, rest) = (true, after);
            } else {
                break;
            }
        }
        stroke.key = normal(rest);
        (!stroke.key.is_empty() && !stroke.key.contains(' ')).then_some(stroke)
    }

    /// Keys as an event tells them: `key` is what they write, `code` where they are (`KeyP`, `Slash`). The second form is
    /// for layouts on which the first one is not a key of the map.
    pub fn of_event(modifiers: (bool, bool, bool), key: &str, code: &str) -> Vec<Self> {
        let (control, alt, shift) = modifiers;
        let stroke = |key: String| Self { control, alt, shift, key };
        let mut strokes = Vec::with_capacity(2);
        if !matches!(key, "Control" | "Shift" | "Alt" | "Meta" | "AltGraph" | "Dead" | "Process" | "Unidentified") {
            strokes.push(stroke(normal(key)));
        }
        if let Some(key) = on_us_keyboard(code)
            && strokes.first().is_none_or(|first| first.key != key)
        {
            strokes.push(stroke(key));
        }
        strokes
    }
}

/// Whether Ctrl is down, as commands mean it: Cmd on a Mac, where Ctrl with a letter moves in the text. `None` for a key
/// that is left to the system.
pub fn control(ctrl: bool, meta: bool, key: &str) -> Option<bool> {
    if !MAC.load(Ordering::Relaxed) {
        return Some(ctrl || meta);
    }
    let is_letter = key.len() == 1 && key.chars().all(|letter| letter.is_ascii_alphabetic());
    (meta || !ctrl || !is_letter).then_some(meta || ctrl)
}

impl Stroke {
    /// Which of the forms of [`Stroke::of_event`] is kept when somebody chooses the key: the one that says how it is done
    /// on the keyboard that shortcuts are written for.
    pub fn chosen(forms: Vec<Self>) -> Option<Self> {
        let mut forms = forms.into_iter();
        let (written, place) = (forms.next()?, forms.next());
        let is_plain =
            written.key.len() > 1 && written.key.is_ascii() || written.key.chars().all(|c| c.is_ascii_alphanumeric());
        let is_shifted = written.shift || !written.key.is_ascii();
        Some(if is_plain || !is_shifted { written } else { place.unwrap_or(written) })
    }

    /// As it is printed on the keys of people here.
    pub fn shown(&self) -> String {
        let arrow = match self.key.as_str() {
            "ArrowUp" => "↑",
            "ArrowDown" => "↓",
            "ArrowLeft" => "←",
            "ArrowRight" => "→",
            key => key,
        };
        if !MAC.load(Ordering::Relaxed) {
            return Self { key: arrow.to_owned(), ..self.clone() }.to_string();
        }
        let key = match self.key.as_str() {
            "Enter" => "↩",
            "Escape" => "⎋",
            "Backspace" => "⌫",
            "Delete" => "⌦",
            "Tab" => "⇥",
            _ => arrow,
        };
        let modifiers = [(self.alt, '⌥'), (self.shift, '⇧'), (self.control, '⌘')];
        let down = modifiers.into_iter().filter(|(is_down, _)| *is_down).map(|(_, sign)| sign);
        down.chain(key.chars()).collect()
    }
}

fn normal(key: &str) -> String {
    let mut letters = key.chars();
    match (letters.next(), letters.next()) {
        (Some(' '), None) => "Space".to_owned(),
        (Some(letter), None) => letter.to_uppercase().collect(),
        _ => key.to_owned(),
    }
}

/// What a place on the keyboard writes without Shift on the layout that shortcuts are written for.
fn on_us_keyboard(code: &str) -> Option<String> {
    if let Some(letter) = code.strip_prefix("Key").or_else(|| code.strip_prefix("Digit")) {
        return (letter.len() == 1).then(|| letter.to_owned());
    }
    let key = match code {
        "Backquote" => "`",
        "Minus" => "-",
        "Equal" => "=",
        "BracketLeft" => "[",
        "BracketRight" => "]",
        "Backslash" => "\\",
        "Semicolon" => ";",
        "Quote" => "'",
        "Comma" => ",",
        "Period" => ".",
        "Slash" => "/",
        _ => return None,
    };
    Some(key.to_owned())
}

impl fmt::Display for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_down, name) in [(self.control, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            if is_down {
                f.write_str(name)?;
            }
        }
        f.write_str(&self.key)
    }
}

/// Strokes after each other that do one thing: one, or two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chord(Vec<Stroke>);

impl Chord {
    /// Most strokes of one chord.
    pub const MAX: usize = 2;

    pub fn new(strokes: Vec<Stroke>) -> Option<Self> {
        (1..=Self::MAX).contains(&strokes.len()).then_some(Self(strokes))
    }

    /// Reads `Ctrl+Shift+P` or `Ctrl+K Z`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(text.split(' ').map(Stroke::parse).collect::<Option<_>>()?)
    }

    pub fn strokes(&self) -> &[Stroke] {
        &self.0
    }

    /// As it is printed on the keys of people here.
    pub fn shown(&self) -> String {
        self.0.iter().map(Stroke::shown).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a key goes from word to word in a text, as it does on a Mac.
fn moves_by_words(stroke: &Stroke, focus: Place) -> bool {
    let is_arrow = matches!(stroke.key.as_str(), "ArrowLeft" | "ArrowRight");
    is_arrow && stroke.alt && !stroke.control && focus != Place::Terminal && MAC.load(Ordering::Relaxed)
}

/// Whether keys are shown as a Mac has them.
static MAC: AtomicBool = AtomicBool::new(false);

/// Says once what keyboard people here have.
pub fn show_as_on_mac(is_mac: bool) {
    MAC.store(is_mac, Ordering::Relaxed);
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, stroke) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            stroke.fmt(f)?;
        }
        Ok(())
    }
}

/// What a person chose: the keys of commands by their ids, in place of those of the table.
pub type Choices = BTreeMap<String, Vec<String>>;

/// The keys of all commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: Vec<(Chord, &'static Entry)>,
}

/// What a stroke is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Nothing,
    /// The first of two.
    Begins,
    Does(Command),
}

impl Keymap {
    pub fn new(choices: &Choices) -> Self {
        let keys = COMMANDS.iter().flat_map(|entry| {
            let chosen = choices.get(entry.id).map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
            let keys = chosen.unwrap_or_else(|| entry.keys.to_vec());
            keys.into_iter().filter_map(Chord::parse).map(move |chord| (chord, entry))
        });
        Self { keys: keys.collect() }
    }

    /// What `stroke` means after `before` while the keyboard is at `focus`.
    pub fn meaning(&self, before: Option<&Stroke>, stroke: &Stroke, focus: Place) -> Meaning {
        let is_it = |chord: &Chord| match before {
            Some(before) => chord.0.first() == Some(before) && chord.0.get(1) == Some(stroke),
            None => chord.0.first() == Some(stroke),
        };
        if moves_by_words(stroke, focus) {
            return Meaning::Nothing;
        }
        let mut fitting = self.keys.iter().filter(|(chord, entry)| entry.is_heard_at(focus) && is_it(chord));
        match fitting.next() {
            None => Meaning::Nothing,
            Some((chord, _)) if before.is_none() && chord.0.len() > 1 => Meaning::Begins,
            Some((_, entry)) => Meaning::Does(entry.command),
        }
    }

    /// The first key of a command, to be shown beside its name.
    pub fn shown(&self, command: Command) -> Option<String> {
        self.all(command).next().map(Chord::shown)
    }

    pub fn all(&self, command: Command) -> impl Iterator<Item = &Chord> {
        self.keys.iter().filter(move |(_, entry)| entry.command == command).map(|(chord, _)| chord)
    }

    /// What other commands have of these keys at places that both hear.
    pub fn conflicts(&self, chord: &Chord, by: &Entry) -> Vec<(&'static Entry, &Chord)> {
        let meets = |other: &Entry| other.place.hears(by.place) || by.place.hears(other.place);
        let begins = |other: &Chord| other.0.starts_with(&chord.0) || chord.0.starts_with(&other.0);
        let taken = self.keys.iter().filter(|(other, entry)| entry.id != by.id && meets(entry) && begins(other));
        taken.map(|(other, entry)| (*entry, other)).collect()
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&Choices::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke(text: &str) -> Stroke {
        Stroke::parse(text).unwrap()
    }

    #[test]
    fn what_is_written_of_a_chord_is_read_as_the_same() {
        for text in
            ["Ctrl+Shift+P", "F1", "Ctrl+K Z", "Alt+ArrowUp", "Ctrl+=", "Ctrl++", "Shift+Space", "Ctrl+K Ctrl+S"]
        {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "Ctrl+", "A B C", " "] {
            assert_eq!(Chord::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_key_is_known_by_what_it_writes_or_else_by_its_place() {
        let with = |key, code| Stroke::of_event((true, false, true), key, code);
        assert_eq!(with("p", "KeyP"), [stroke("Ctrl+Shift+P")]);
        assert_eq!(with("з", "KeyP"), [stroke("Ctrl+Shift+З"), stroke("Ctrl+Shift+P")]);
        assert_eq!(with("~", "Backquote"), [stroke("Ctrl+Shift+~"), stroke("Ctrl+Shift+`")]);
        assert_eq!(with("Control", "ControlLeft"), []);
    }

    #[test]
    fn a_key_that_is_chosen_is_kept_as_it_is_done() {
        let chosen = |key, code| Stroke::chosen(Stroke::of_event((true, false, true), key, code)).unwrap().to_string();
        assert_eq!(chosen("!", "Digit1"), "Ctrl+Shift+1");
        assert_eq!(chosen("з", "KeyP"), "Ctrl+Shift+P");
        assert_eq!(chosen("Enter", "Enter"), "Ctrl+Shift+Enter");
        let plain = Stroke::chosen(Stroke::of_event((true, false, false), "/", "Digit7")).unwrap();
        assert_eq!(plain.to_string(), "Ctrl+/");
    }

    #[test]
    fn keys_are_heard_where_they_mean_something() {
        let map = Keymap::default();
        let means = |text, focus| map.meaning(None, &stroke(text), focus);
        assert_eq!(means("Ctrl+Shift+P", Place::Terminal), Meaning::Does(Command::Palette));
        assert_eq!(means("Ctrl+P", Place::Editor), Meaning::Does(Command::GoToFile));
        assert_eq!(means("Ctrl+P", Place::Terminal), Meaning::Nothing);
        assert_eq!(means("Ctrl+P", Place::Dialog), Meaning::Nothing);
        assert_eq!(means("Ctrl+Enter", Place::Field), Meaning::Nothing, "forms are sent with it");
        assert_eq!(means("Ctrl+P", Place::Field), Meaning::Does(Command::GoToFile));
        assert_eq!(means("Ctrl+Z", Place::Field), Meaning::Nothing, "the field's own");
        assert_eq!(means("F3", Place::Find), Meaning::Does(Command::Editor("find-next")));
        assert_eq!(means("Ctrl+P", Place::Find), Meaning::Does(Command::GoToFile));
        assert_eq!(means("Ctrl+Enter", Place::Find), Meaning::Nothing);
        assert_eq!(means("Ctrl+Z", Place::Find), Meaning::Nothing, "the field's own");
        assert_eq!(means("F3", Place::Field), Meaning::Nothing);
        assert_eq!(means("Delete", Place::Editor), Meaning::Nothing);
        assert_eq!(means("Delete", Place::Tree), Meaning::Does(Command::Delete));
    }

    #[test]
    fn a_chosen_key_takes_the_place_of_the_first_and_one_of_two_strokes_waits() {
        let choices = Choices::from([("save".to_owned(), vec!["Ctrl+K S".to_owned()]), ("gone".to_owned(), vec![])]);
        let map = Keymap::new(&choices);
        assert_eq!(map.meaning(None, &stroke("Ctrl+S"), Place::Page), Meaning::Nothing);
        assert_eq!(map.meaning(None, &stroke("Ctrl+K"), Place::Page), Meaning::Begins);
        let second = map.meaning(Some(&stroke("Ctrl+K")), &stroke("S"), Place::Page);
        assert_eq!(second, Meaning::Does(Command::Save));
        assert_eq!(map.shown(Command::Save).as_deref(), Some("Ctrl+K S"));
    }

    #[test]
    fn a_key_that_is_taken_is_told() {
        let map = Keymap::default();
        let run = super::super::commands::of(Command::Run);
        let taken = |text| {
            let chord = Chord::parse(text).unwrap();
            map.conflicts(&chord, run).iter().map(|(entry, _)| entry.command).collect::<Vec<_>>()
        };
        assert_eq!(taken("Ctrl+S"), [Command::Save]);
        assert_eq!(taken("Ctrl+Enter"), []);
        assert_eq!(taken("Ctrl+Shift+P X"), [Command::Palette]);
        assert!(taken("Ctrl+K").len() > 1, "all that begin so");
    }
}
