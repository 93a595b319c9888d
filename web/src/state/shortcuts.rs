//! The keys of commands as people see and change them. Pure; recorded strokes come from `workbench::keys`.

use super::commands::{COMMANDS, Entry};
use super::keys::{Choices, Chord, Keymap, Place, Stroke};
use crate::words::catalogue::find;

/// One command with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub entry: &'static Entry,
    pub keys: Vec<Chord>,
    /// Its keys are others than those of the table.
    pub is_changed: bool,
}

/// What commands are looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Words of their name, their place or their keys.
    Typed(String),
    /// Keys that were pressed.
    Pressed(Vec<Stroke>),
}

/// The commands that fit, in the order of the table.
pub fn lines(choices: &Choices, keymap: &Keymap, sought: &Sought) -> Vec<Line> {
    let line = |entry: &'static Entry| Line {
        entry,
        keys: keymap.all(entry.command).cloned().collect(),
        is_changed: choices.contains_key(entry.id),
    };
    COMMANDS.iter().map(line).filter(|line| line.fits(sought)).collect()
}

impl Line {
    fn fits(&self, sought: &Sought) -> bool {
        match sought {
            Sought::Typed(typed) => {
                let keys = self.keys.iter().map(|chord| format!("{chord} {}", chord.shown()));
                let keys = keys.collect::<Vec<_>>().join(" ");
                let text = format!("{} {} {keys}", self.entry.name(), place_name(self.entry.place)).to_lowercase();
                typed.to_lowercase().split_whitespace().all(|word| text.contains(word))
            }
            Sought::Pressed(strokes) => self.keys.iter().any(|chord| chord.strokes().starts_with(strokes)),
        }
    }
}

pub fn place_name(place: Place) -> &'static str {
    let key = match place {
        Place::Everywhere => "place.everywhere",
        Place::Page | Place::Field | Place::Find => "place.page",
        Place::Editor => "place.editor",
        Place::Tree => "place.tree",
        Place::Terminal => "place.terminal",
        Place::Dialog => "place.dialog",
    };
    find(key).unwrap_or(key)
}

/// Gives a command one more key, in place of `instead` if that is one of its own, and takes it from whoever has it.
pub fn with_key(choices: &Choices, entry: &Entry, chord: &Chord, instead: Option<&Chord>) -> Choices {
    let keymap = Keymap::new(choices);
    let mut choices = choices.clone();
    for (other, taken) in keymap.conflicts(chord, entry) {
        choices = without_key(&choices, other, taken);
    }
    let mut keys: Vec<Chord> = keymap.all(entry.command).filter(|key| *key != chord).cloned().collect();
    match keys.iter().position(|key| Some(key) == instead) {
        Some(at) => keys[at] = chord.clone(),
        None => keys.push(chord.clone()),
    }
    choose(choices, entry, &keys)
}

/// Takes a key from a command.
pub fn without_key(choices: &Choices, entry: &Entry, chord: &Chord) -> Choices {
    let keymap = Keymap::new(choices);
    let keys: Vec<Chord> = keymap.all(entry.command).filter(|key| *key != chord).cloned().collect();
    choose(choices.clone(), entry, &keys)
}

/// Gives a command its keys of the table again.
pub fn reset(choices: &Choices, entry: &Entry) -> Choices {
    let mut choices = choices.clone();
    choices.remove(entry.id);
    choices
}

/// Whether a browser keeps these keys to itself, wholly or in some of its windows, so that the page never hears of them.
pub fn is_the_browsers(chord: &Chord) -> bool {
    const KEPT: [&str; 13] = [
        "Ctrl+W",
        "Ctrl+T",
        "Ctrl+N",
        "Ctrl+Shift+W",
        "Ctrl+Shift+T",
        "Ctrl+Shift+N",
        "Ctrl+Tab",
        "Ctrl+Shift+Tab",
        "Ctrl+PageUp",
        "Ctrl+PageDown",
        "Ctrl+F4",
        "Alt+F4",
        "F11",
    ];
    chord.strokes().iter().any(|stroke| KEPT.contains(&stroke.to_string().as_str()))
}

/// What is the table's own is not kept as a choice: a later table may know better.
fn choose(mut choices: Choices, entry: &Entry, keys: &[Chord]) -> Choices {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    if keys == entry.keys {
        choices.remove(entry.id);
    } else {
        choices.insert(entry.id.to_owned(), keys);
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::super::commands::{Command, of};
    use super::*;

    fn chord(text: &str) -> Chord {
        Chord::parse(text).unwrap()
    }

    fn keys(choices: &Choices, command: Command) -> Vec<String> {
        Keymap::new(choices).all(command).map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_that_is_given_to_a_command_is_taken_from_the_other() {
        let save = of(Command::Save);
        let choices = with_key(&Choices::new(), save, &chord("Ctrl+P"), Some(&chord("Ctrl+S")));
        assert_eq!(keys(&choices, Command::Save), ["Ctrl+P"]);
        assert!(keys(&choices, Command::GoToFile).is_empty());
        let back = reset(&with_key(&choices, of(Command::GoToFile), &chord("Ctrl+P"), None), save);
        assert_eq!(back, Choices::new(), "what is as in the table is no choice");
    }

    #[test]
    fn a_key_is_added_and_removed() {
        let palette = of(Command::Palette);
        let choices = with_key(&Choices::new(), palette, &chord("Ctrl+K P"), None);
        assert_eq!(keys(&choices, Command::Palette), ["Ctrl+Shift+P", "F1", "Ctrl+K P"]);
        let choices = without_key(&choices, palette, &chord("F1"));
        assert_eq!(keys(&choices, Command::Palette), ["Ctrl+Shift+P", "Ctrl+K P"]);
    }

    #[test]
    fn commands_are_found_by_words_and_by_keys() {
        let (choices, keymap) = (Choices::new(), Keymap::default());
        let found =
            |sought| lines(&choices, &keymap, &sought).into_iter().map(|line| line.entry.command).collect::<Vec<_>>();
        assert_eq!(found(Sought::Typed("split RIGHT".to_owned())), [Command::SplitRight]);
        assert!(found(Sought::Typed("ctrl+s".to_owned())).contains(&Command::Save));
        let pressed = found(Sought::Pressed(chord("Ctrl+K").strokes().to_vec()));
        assert!(pressed.contains(&Command::Zen) && !pressed.contains(&Command::Save));
        assert_eq!(found(Sought::Typed(String::new())).len(), COMMANDS.len());
    }

    #[test]
    fn keys_of_the_browsers_own_are_known() {
        assert!(is_the_browsers(&chord("Ctrl+W")) && is_the_browsers(&chord("Ctrl+K Ctrl+T")));
        assert!(!is_the_browsers(&chord("Ctrl+S")));
    }

    #[test]
    fn every_place_has_its_name() {
        for place in [Place::Everywhere, Place::Page, Place::Editor, Place::Tree, Place::Terminal, Place::Dialog] {
            assert!(!place_name(place).contains('.'), "{place:?}");
        }
    }
}
