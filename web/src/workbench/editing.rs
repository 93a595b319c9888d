//! How files are edited: what is set for all editors, and for one file.

use super::Workbench;
use crate::interop::page;
use crate::state::settings::Settings;

impl Workbench {
    /// Turns a setting on or off that is either.
    pub(super) fn switch_setting(&self, id: &str) {
        let is_on = self.state().settings.value(id).as_bool() == Some(true);
        // A switch takes either.
        let _ = self.change_setting(id, (!is_on).into());
    }

    /// Makes the text of all editors larger, or smaller, as far as it may be.
    pub(super) fn size_text(&self, by: i32) {
        let size = self.state().settings.font_size.saturating_add_signed(by);
        // Beyond the bounds it stays as it is.
        let _ = self.change_setting("font_size", size.into());
    }

    /// Brings every editor into line with the settings.
    pub(super) fn apply_editing(&self, before: &Settings) {
        let settings = self.state().settings.clone();
        let is_same = |one: &Settings, other: &Settings| {
            let sizes = (one.font_size, one.tab_size) == (other.font_size, other.tab_size);
            let switches = |of: &Settings| (of.wrap, of.completion, of.guides, of.whitespace);
            sizes && switches(one) == switches(other)
        };
        if is_same(before, &settings) {
            return;
        }
        self.size_code();
        for (_, editor) in self.documents.editors() {
            editor.set_habits(&settings);
        }
    }

    /// Says to CSS how large code is.
    pub(super) fn size_code(&self) {
        page::set_property("--code-size", &format!("{}px", self.state().settings.font_size));
    }

    /// Tells the status bar how the shown file is indented.
    pub(crate) fn show_indentation(&self) {
        let id = self.state().files.active.map(|id| self.state().files.source(id));
        self.indentation.set(id.and_then(|id| self.documents.indentation(id)));
    }

    /// How the shown file is indented from now on; `None` for what its text shows.
    pub(crate) fn indent_shown(&self, chosen: Option<(bool, u32)>) {
        let id = self.state().files.active.map(|id| self.state().files.source(id));
        if let Some(editor) = id.and_then(|id| self.documents.editor(id)) {
            editor.set_indentation(chosen);
        }
    }
}
