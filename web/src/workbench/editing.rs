//! How files are edited: what is set for all editors, and for one file.

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::LineEnding;

use super::Workbench;
use crate::interop::page;
use crate::state::editing::Choice;
use crate::state::files::{Access, FileId};
use crate::state::settings::Settings;
use crate::words;
use crate::words::catalogue::say;

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

    /// Tells the status bar how the shown file is indented, how its lines end and what it is written in.
    pub(crate) fn show_manner(&self) {
        let id = self.shown_source();
        self.manner.set(id.and_then(|id| self.documents.manner(id)));
    }

    /// Has the lines of the shown file end so.
    pub(crate) fn end_lines_of_shown(&self, eol: LineEnding) {
        if let Some(id) = self.shown_source() {
            self.end_lines(id, eol);
        }
    }

    fn end_lines(&self, id: FileId, eol: LineEnding) {
        let Some(document) = self.documents.document(id) else {
            return self.alert(say!("line-ending.away"));
        };
        let name = self.state().files.get(id).map(|file| file.name().to_owned()).unwrap_or_default();
        let workbench = self.clone();
        self.connection.ask(&FullRequest::LineEnding { document, eol }, move |reply| {
            if let Err(failure) = reply {
                workbench.alert(words::failed(&say!("failed.save", name = name), &failure));
            }
            // The choice is drawn as it stands.
            workbench.show_manner();
        });
    }

    /// Has the lines of a file end as its `.editorconfig` says, if they don't.
    pub(crate) fn obey_line_ending(&self, id: FileId) {
        let is_editable = self.state().files.get(id).is_some_and(|file| file.access == Access::Editable);
        if let Some(eol) = self.documents.wanted_line_ending(id).filter(|_| is_editable) {
            self.end_lines(id, eol);
        }
    }

    /// Has the shown file read as one of a language.
    pub(crate) fn read_shown_as(&self, choice: Choice) {
        if let Some(id) = self.shown_source() {
            self.documents.read_as(id, choice);
            self.show_manner();
        }
    }

    fn shown_source(&self) -> Option<FileId> {
        self.state().files.active.map(|id| self.state().files.source(id))
    }

    /// How the shown file is indented from now on; `None` for what its text shows.
    pub(crate) fn indent_shown(&self, chosen: Option<(bool, u32)>) {
        if let Some(editor) = self.shown_source().and_then(|id| self.documents.editor(id)) {
            editor.set_indentation(chosen);
        }
    }
}
