//! What a person sets: looks and sizes. Kept between visits by `memory`; nothing of the room is in here.
//!
//! What each setting is stands in [`table`]; how they are kept, in [`stored`].

pub mod stored;
pub mod table;

use serde::{Deserialize, Serialize};

use super::editing::FONT_SIZE;
use super::keys::Choices;
use crate::words::catalogue::say;
use stored::Values;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: Theme,
    /// The language of the page, as in `lang`; empty for the browser's.
    pub language: String,
    /// Size of the code in editors, in CSS pixels.
    pub font_size: u32,
    /// Columns of a step of indentation where neither the file nor an `.editorconfig` says; 0 for the language's own.
    pub tab_size: u32,
    pub wrap: bool,
    pub completion: bool,
    pub guides: bool,
    pub whitespace: bool,
    pub format_on_save: bool,
    /// Terminals put their rows into the page as text.
    pub screen_reader: bool,
    /// What is selected in a terminal is copied at once.
    pub copy_on_select: bool,
    /// Several lines are pasted into a terminal without being asked about.
    pub paste_unasked: bool,
    /// How one is called in rooms; empty for what the link says.
    pub user: String,
    /// Keys of commands that are not those of the table.
    pub keys: Choices,
    /// The tour was taken or skipped.
    pub toured: bool,
    /// Settings that this page does not know: of a newer one, which shall find them again.
    #[serde(skip)]
    pub others: Values,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            language: String::new(),
            font_size: FONT_SIZE.1,
            tab_size: 0,
            wrap: false,
            completion: true,
            guides: true,
            whitespace: false,
            format_on_save: false,
            screen_reader: false,
            copy_on_select: false,
            paste_unasked: false,
            user: String::new(),
            keys: Choices::default(),
            toured: false,
            others: Values::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    #[default]
    System,
    Dark,
    Light,
    ContrastDark,
    ContrastLight,
    Harbour,
    Paper,
}

impl Theme {
    pub const ALL: [Self; 7] =
        [Self::System, Self::Dark, Self::Light, Self::ContrastDark, Self::ContrastLight, Self::Harbour, Self::Paper];

    /// The theme that is shown on a system that is dark or not and wants much contrast or not.
    pub fn resolved(self, dark: bool, contrast: bool) -> Self {
        match (self, dark, contrast) {
            (Self::System, true, false) => Self::Dark,
            (Self::System, false, false) => Self::Light,
            (Self::System, true, true) => Self::ContrastDark,
            (Self::System, false, true) => Self::ContrastLight,
            (chosen, ..) => chosen,
        }
    }

    /// Whether it is light text on a dark ground; what follows the system is neither.
    pub fn is_dark(self) -> bool {
        matches!(self, Self::Dark | Self::ContrastDark | Self::Harbour)
    }

    /// The value of `data-theme`.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::ContrastDark => "contrast-dark",
            Self::ContrastLight => "contrast-light",
            Self::Harbour => "harbour",
            Self::Paper => "paper",
        }
    }
}

/// Width of the file tree in CSS pixels: least, first and most.
pub const SIDE: (i32, i32, i32) = (160, 280, 640);
/// Height of the panel below in CSS pixels: least, first and most.
pub const PANEL: (i32, i32, i32) = (80, 260, 1200);
/// Width of the pane at the right in CSS pixels: least, first and most.
pub const ASIDE: (i32, i32, i32) = (240, 380, 1200);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    pub side: i32,
    pub panel: i32,
    pub aside_width: i32,
    /// The files are folded away.
    pub side_folded: bool,
    /// The panel below is folded away.
    pub panel_folded: bool,
    /// What the panel below shows.
    pub panel_tab: PanelTab,
    /// Nothing but the editors is shown.
    pub zen: bool,
    /// What the side shows.
    pub side_view: SideView,
    /// The one pane shown on a narrow screen.
    pub pane: Pane,
    /// What is open beside the editor.
    pub aside: Option<Aside>,
    /// What was open there last.
    pub last_aside: Aside,
    /// The port that the preview asks.
    pub port: u16,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            side: SIDE.1,
            panel: PANEL.1,
            aside_width: ASIDE.1,
            side_folded: false,
            panel_folded: false,
            panel_tab: PanelTab::Terminals,
            zen: false,
            side_view: SideView::Files,
            pane: Pane::Editor,
            aside: None,
            last_aside: Aside::Preview,
            port: 8000,
        }
    }
}

impl Layout {
    pub fn with_side(self, side: i32) -> Self {
        Self { side: side.clamp(SIDE.0, SIDE.2), ..self }
    }

    pub fn with_panel(self, panel: i32) -> Self {
        Self { panel: panel.clamp(PANEL.0, PANEL.2), ..self }
    }

    pub fn with_aside_width(self, width: i32) -> Self {
        Self { aside_width: width.clamp(ASIDE.0, ASIDE.2), ..self }
    }

    /// Opens something beside the editor, or nothing; zen mode is over then.
    pub fn with_aside(self, aside: Option<Aside>) -> Self {
        let last_aside = aside.or(self.aside).unwrap_or(self.last_aside);
        Self { aside, last_aside, zen: self.zen && aside.is_none(), ..self }
    }

    pub fn toggle_side(self) -> Self {
        Self { side_folded: !self.side_folded && !self.zen, zen: false, ..self }
    }

    pub fn toggle_panel(self) -> Self {
        Self { panel_folded: !self.panel_folded && !self.zen, zen: false, ..self }
    }

    pub fn toggle_aside(self) -> Self {
        let is_shown = self.aside.is_some() && !self.zen;
        self.with_aside((!is_shown).then_some(self.last_aside))
    }

    /// What a room begins with in which nothing is remembered: sizes and what is folded away are a person's own.
    pub fn for_new_room(self) -> Self {
        let Self { panel_tab, port, .. } = Self::default();
        Self { pane: Pane::Editor, aside: None, zen: false, panel_tab, port, ..self }
    }

    /// Brings a pane into sight: on a narrow screen it is the one that is shown, elsewhere it is not folded away.
    pub fn showing(self, pane: Pane) -> Self {
        Self {
            pane,
            zen: self.zen && pane == Pane::Editor,
            side_folded: self.side_folded && pane != Pane::Files,
            panel_folded: self.panel_folded && pane != Pane::Terminal,
            ..self
        }
    }
}

/// What the panel below may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanelTab {
    #[default]
    Terminals,
    Output,
    Ports,
}

impl PanelTab {
    pub const ALL: [Self; 3] = [Self::Terminals, Self::Output, Self::Ports];

    pub fn name(self) -> &'static str {
        match self {
            Self::Terminals => say!("panel.terminals"),
            Self::Output => say!("panel.output"),
            Self::Ports => say!("panel.ports"),
        }
    }
}

/// What may be open beside the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aside {
    Preview,
    Chat,
    People,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    Files,
    #[default]
    Editor,
    Terminal,
}

/// What stands at the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SideView {
    #[default]
    Files,
    Search,
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
        let layout = Layout::default().with_side(1).with_panel(99_999).with_aside_width(0);
        assert_eq!((layout.side, layout.panel, layout.aside_width), (SIDE.0, PANEL.2, ASIDE.0));
    }

    #[test]
    fn what_was_beside_the_editor_last_comes_back_and_zen_mode_ends_with_the_first_pane() {
        let layout = Layout::default().with_aside(Some(Aside::Chat)).toggle_aside();
        assert_eq!((layout.aside, layout.toggle_aside().aside), (None, Some(Aside::Chat)));
        let zen = Layout { zen: true, ..Layout::default() };
        for shown in [zen.toggle_side(), zen.toggle_panel(), zen.toggle_aside()] {
            assert!(!shown.zen && !shown.side_folded && !shown.panel_folded);
        }
        assert!(Layout::default().toggle_side().side_folded);
    }

    #[test]
    fn a_pane_that_is_gone_to_is_in_sight() {
        let zen = Layout { zen: true, side_folded: true, panel_folded: true, ..Layout::default() };
        assert_eq!(zen.showing(Pane::Editor), zen);
        let shown = zen.showing(Pane::Terminal);
        assert_eq!((shown.zen, shown.side_folded, shown.panel_folded), (false, true, false));
        assert!(!zen.showing(Pane::Files).side_folded);
    }

    #[test]
    fn the_system_s_theme_follows_its_darkness_and_its_contrast_and_others_do_not() {
        assert_eq!(Theme::System.resolved(true, true), Theme::ContrastDark);
        assert_eq!(Theme::System.resolved(false, false), Theme::Light);
        assert_eq!(Theme::Paper.resolved(true, true), Theme::Paper);
        assert!(Theme::ALL.iter().all(|theme| theme.resolved(true, false) != Theme::System));
    }
}
