//! What a person sets: looks and sizes. Kept between visits by `memory`; nothing of the room is in here.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: Theme,
    /// Terminals put their rows into the page as text.
    pub screen_reader: bool,
    /// How one is called in rooms; empty for what the link says.
    pub user: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    #[default]
    System,
    Dark,
    Light,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    pub fn name(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Dark => "Dark",
            Self::Light => "Light",
        }
    }

    /// The value of `data-theme`; `None` follows the system.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Dark => Some("dark"),
            Self::Light => Some("light"),
        }
    }
}

/// Width of the file tree in CSS pixels: least, first and most.
pub const SIDE: (i32, i32, i32) = (160, 240, 640);
/// Height of the terminal panel in CSS pixels: least, first and most.
pub const PANEL: (i32, i32, i32) = (80, 260, 1200);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    pub side: i32,
    pub panel: i32,
    /// The one pane shown on a narrow screen.
    pub pane: Pane,
    /// What is open beside the editor.
    pub aside: Option<Aside>,
    /// The port that the preview asks.
    pub port: u16,
}

impl Default for Layout {
    fn default() -> Self {
        Self { side: SIDE.1, panel: PANEL.1, pane: Pane::Editor, aside: None, port: 8000 }
    }
}

impl Layout {
    pub fn with_side(self, side: i32) -> Self {
        Self { side: side.clamp(SIDE.0, SIDE.2), ..self }
    }

    pub fn with_panel(self, panel: i32) -> Self {
        Self { panel: panel.clamp(PANEL.0, PANEL.2), ..self }
    }
}

/// What may be open beside the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aside {
    Preview,
    Chat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    Files,
    #[default]
    Editor,
    Terminal,
}

impl Pane {
    /// The value of `data-pane`.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Editor => "editor",
            Self::Terminal => "terminal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_keep_within_their_bounds() {
        let layout = Layout::default().with_side(1).with_panel(99_999);
        assert_eq!((layout.side, layout.panel), (SIDE.0, PANEL.2));
    }

    #[test]
    fn settings_of_an_older_page_are_read() {
        let settings: Settings = serde_json::from_str(r#"{"theme":"dark","gone":1}"#).unwrap();
        assert_eq!(settings, Settings { theme: Theme::Dark, ..Settings::default() });
    }
}
