//! Formatting: the sandbox's own program gets the text and prints it as it should be; what differs becomes edits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::WorkspacePath;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::state::files::{Access, FileId};
use crate::state::formatters::{Formatter, formatters_of, question};
use crate::words;
use crate::words::catalogue::say;

/// What is known of the sandbox's formatters.
#[derive(Default)]
pub(crate) struct KnownFormatters {
    there: RefCell<BTreeSet<String>>,
    /// A text is being formatted.
    busy: Cell<bool>,
}

impl Workbench {
    pub(super) fn format_active(&self) {
        let active = self.state().files.active.map(|id| self.state().files.source(id));
        let Some(id) = active else { return self.alert(say!("format.no-file")) };
        let workbench = self.clone();
        spawn_local(async move {
            if let Err(why) = workbench.format(id).await {
                workbench.alert(why);
            }
        });
    }

    /// Before a file is saved because somebody said so: formats it, if they want that, and obeys its `.editorconfig`.
    pub(super) async fn put_right(&self, id: FileId) {
        let Some(editor) = self.editable(id) else { return };
        let path = self.state().files.get(id).map(|file| file.path.clone());
        let formats = self.state().settings.format_on_save && self.connection.is_up();
        if formats && path.is_some_and(|path| !formatters_of(&path).is_empty()) {
            // It is saved as it is, and why it was not formatted is told.
            if let Err(why) = self.format(id).await {
                self.alert(why);
            }
        }
        editor.tidy();
        self.obey_line_ending(id);
    }

    fn editable(&self, id: FileId) -> Option<std::rc::Rc<crate::interop::editor::Editor>> {
        let is_editable = self.state().files.get(id).is_some_and(|file| file.access == Access::Editable);
        self.documents.editor(id).filter(|_| is_editable)
    }

    async fn format(&self, id: FileId) -> Result<(), String> {
        let Some(path) = self.state().files.get(id).map(|file| file.path.clone()) else { return Ok(()) };
        let name = path.name().unwrap_or_default().to_owned();
        let Some(editor) = self.editable(id) else {
            return Err(say!("format.read-only", name = name));
        };
        if self.formatters.busy.replace(true) {
            return Ok(());
        }
        let outcome = async {
            let formatter = self.formatter_of(&path, &name).await?;
            let before = editor.to_format();
            let after = self.through(formatter, &path, &name, before.clone()).await?;
            editor.formatted(&before, &after);
            Ok(())
        }
        .await;
        self.formatters.busy.set(false);
        outcome
    }

    /// The first formatter for the file that the sandbox has. It is asked for what it has once, and again for what it
    /// lacked, which may have been installed since.
    async fn formatter_of(&self, path: &WorkspacePath, name: &str) -> Result<&'static Formatter, String> {
        let candidates = formatters_of(path);
        let Some(first) = candidates.first() else {
            return Err(say!("format.unknown-kind", name = name));
        };
        let known = || {
            let there = self.formatters.there.borrow();
            candidates.iter().copied().find(|formatter| there.contains(formatter.program))
        };
        if let Some(formatter) = known() {
            return Ok(formatter);
        }
        let (_, said, _) = self.pipe(question(), String::new()).await.map_err(|why| not_formatted(name, &why))?;
        *self.formatters.there.borrow_mut() = said.lines().map(str::to_owned).collect();
        known().ok_or_else(|| {
            let programs: Vec<&str> = candidates.iter().map(|formatter| formatter.program).collect();
            say!("format.none", name = name, programs = programs.join(" / "), install = first.install)
        })
    }

    async fn through(
        &self,
        formatter: &Formatter,
        path: &WorkspacePath,
        name: &str,
        text: String,
    ) -> Result<String, String> {
        let had_text = !text.trim().is_empty();
        let command = formatter.command(path);
        let (code, output, errors) = self.pipe(command, text).await.map_err(|why| not_formatted(name, &why))?;
        if code == 0 && (!output.is_empty() || !had_text) {
            return Ok(output);
        }
        if matches!(code, 126 | 127) {
            // It is not there any more.
            self.formatters.there.borrow_mut().remove(formatter.program);
        }
        let program = formatter.program;
        let said = words::first_lines(&errors);
        Err(if said.is_empty() {
            say!("format.silent", name = name, program = program, code = code)
        } else {
            say!("format.said", name = name, program = program, said = said)
        })
    }

    /// Runs a command line without a terminal; its exit status, its output and what it complained of.
    async fn pipe(&self, command: String, input: String) -> Result<(i32, String, String), String> {
        let Some(project) = self.project() else { return Err(say!("format.no-connection").to_owned()) };
        match self.connection.request(&FullRequest::Pipe { project, command, input }).await {
            Ok(ServerFrame::Piped { code, output, errors, .. }) => Ok((code, output, errors)),
            Ok(_) => Err(say!("format.strange").to_owned()),
            Err(failure) if failure.code == ErrorCode::Unavailable => Err(say!("format.no-connection").to_owned()),
            Err(failure) => Err(failure.message.trim_end_matches('.').to_owned()),
        }
    }
}

fn not_formatted(name: &str, why: &str) -> String {
    say!("format.failed", name = name, why = why)
}
