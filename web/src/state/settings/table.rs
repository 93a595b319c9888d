//! Everything that can be set: one table of settings with their kinds and bounds, from which the dialog draws its rows.
//!
//! A setting is a field of [`Settings`](super::Settings), a row here by the field's name, and two texts of the catalogue:
//! `setting.ID` and `setting.ID.about`; each value of a choice has its own, `setting.ID.VALUE`.

use serde_json::Value;

use crate::state::editing::FONT_SIZE;
use crate::words::catalogue::{find, say};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The field's name, as settings are kept and exported. Never changes.
    pub id: &'static str,
    pub section: Section,
    pub kind: Kind,
    /// It may be another one in a room.
    pub in_room: bool,
}

/// Where a setting stands in the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Appearance,
    Editor,
    Terminal,
    Keyboard,
    You,
    Room,
}

/// What a setting can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Switch,
    /// One of these, by the names they are kept by.
    Choice(&'static [&'static str]),
    /// A whole number with its least, its most and the step between.
    Number {
        least: i64,
        most: i64,
        step: i64,
    },
    /// A text of at most so many characters.
    Text {
        longest: usize,
    },
    /// A language that the page has; empty for the browser's.
    Language,
}

const fn row(id: &'static str, section: Section, kind: Kind) -> Row {
    Row { id, section, kind, in_room: false }
}

impl Row {
    const fn in_room(self) -> Self {
        Self { in_room: true, ..self }
    }

    pub fn name(&self) -> &'static str {
        find(&format!("setting.{}", self.id)).unwrap_or(self.id)
    }

    /// What it is good for.
    pub fn about(&self) -> &'static str {
        find(&format!("setting.{}.about", self.id)).unwrap_or_default()
    }

    /// What a value of a choice is called.
    pub fn choice(&self, value: &'static str) -> &'static str {
        find(&format!("setting.{}.{value}", self.id)).unwrap_or(value)
    }

    /// Why `value` can't be the setting's, if so.
    pub fn refuses(&self, value: &Value) -> Option<String> {
        match self.kind {
            Kind::Switch if !value.is_boolean() => Some(say!("settings.wrong.switch").to_owned()),
            Kind::Choice(choices) if !value.as_str().is_some_and(|value| choices.contains(&value)) => {
                Some(say!("settings.wrong.choice", choices = choices.join(", ")))
            }
            Kind::Number { least, most, .. } if !value.as_i64().is_some_and(|n| (least..=most).contains(&n)) => {
                Some(say!("settings.wrong.number", least = least, most = most))
            }
            Kind::Text { longest } if value.as_str().is_none_or(|text| text.chars().count() > longest) => {
                Some(say!("settings.wrong.text", longest = longest))
            }
            Kind::Language if !value.is_string() => Some(say!("settings.wrong.text", longest = 16)),
            _ => None,
        }
    }

    /// Whether it is one of those that `typed` looks for: each of its words begins somewhere in the name, the explanation,
    /// the section or the choices.
    pub fn fits(&self, typed: &str) -> bool {
        let mut text = format!("{} {} {} {}", self.name(), self.about(), self.section.name(), self.id);
        if let Kind::Choice(choices) = self.kind {
            for choice in choices {
                text += " ";
                text += self.choice(choice);
            }
        }
        let text = text.to_lowercase();
        typed.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

impl Section {
    pub const ALL: [Self; 6] = [Self::Appearance, Self::Editor, Self::Terminal, Self::Keyboard, Self::You, Self::Room];

    pub fn id(self) -> &'static str {
        match self {
            Self::Appearance => "appearance",
            Self::Editor => "editor",
            Self::Terminal => "terminal",
            Self::Keyboard => "keyboard",
            Self::You => "you",
            Self::Room => "room",
        }
    }

    pub fn name(self) -> &'static str {
        find(&format!("section.{}", self.id())).unwrap_or_else(|| self.id())
    }
}

pub const ROWS: &[Row] = &[
    row(
        "theme",
        Section::Appearance,
        Kind::Choice(&["system", "dark", "light", "contrast-dark", "contrast-light", "harbour", "paper"]),
    )
    .in_room(),
    row("language", Section::Appearance, Kind::Language),
    row("font_size", Section::Editor, Kind::Number { least: FONT_SIZE.0 as i64, most: FONT_SIZE.2 as i64, step: 1 }),
    row("tab_size", Section::Editor, Kind::Number { least: 0, most: 16, step: 1 }).in_room(),
    row("wrap", Section::Editor, Kind::Switch),
    row("completion", Section::Editor, Kind::Switch),
    row("guides", Section::Editor, Kind::Switch),
    row("whitespace", Section::Editor, Kind::Switch),
    row("format_on_save", Section::Editor, Kind::Switch).in_room(),
    row("screen_reader", Section::Terminal, Kind::Switch),
    row("copy_on_select", Section::Terminal, Kind::Switch),
    row("paste_unasked", Section::Terminal, Kind::Switch),
    row("user", Section::You, Kind::Text { longest: 64 }).in_room(),
];

/// The row of a setting.
pub fn of(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, Theme};
    use super::*;

    #[test]
    fn every_row_is_a_field_has_its_words_and_takes_its_own_default() {
        let Value::Object(fields) = serde_json::to_value(Settings::default()).unwrap() else { panic!() };
        for row in ROWS {
            let default = fields.get(row.id).unwrap_or_else(|| panic!("{} is no field", row.id));
            assert_eq!(row.refuses(default), None, "{}", row.id);
            for key in [format!("setting.{}", row.id), format!("setting.{}.about", row.id)] {
                assert!(find(&key).is_some(), "the catalogue lacks {key}");
            }
            if let Kind::Choice(choices) = row.kind {
                for choice in choices {
                    let key = format!("setting.{}.{choice}", row.id);
                    assert!(find(&key).is_some(), "the catalogue lacks {key}");
                }
            }
        }
        for section in Section::ALL {
            assert!(find(&format!("section.{}", section.id())).is_some(), "{section:?}");
        }
    }

    #[test]
    fn every_theme_can_be_chosen() {
        let themes: Vec<Value> = Theme::ALL.iter().map(|theme| serde_json::to_value(theme).unwrap()).collect();
        let Some(Row { kind: Kind::Choice(choices), .. }) = of("theme") else { panic!() };
        assert_eq!(themes, choices.iter().map(|choice| Value::from(*choice)).collect::<Vec<_>>());
    }

    #[test]
    fn a_row_is_found_by_what_it_says() {
        let row = of("theme").unwrap();
        for typed in ["", "theme", "DARK", "appear  theme"] {
            assert!(row.fits(typed), "{typed}");
        }
        assert!(!row.fits("theme nothing"));
    }
}
