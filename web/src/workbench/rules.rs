//! `.editorconfig` files: read through the server from a file's folder up to the project's root, kept, and read anew when
//! they change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::{EntryName, WorkspacePath};
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::state::editorconfig::{EditorConfig, rules};
use crate::state::files::FileId;
use crate::state::views::View;

const NAME: &str = ".editorconfig";
/// Folders whose configuration is kept; beyond that all are read anew.
const MAX_KNOWN: usize = 512;

/// What there is in each folder that was asked; `None` where there is no such file.
#[derive(Default)]
pub(crate) struct RuleFiles(RefCell<BTreeMap<WorkspacePath, Option<Rc<EditorConfig>>>>);

impl RuleFiles {
    pub(super) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

impl Workbench {
    /// Has a file's editor obey what there is to obey.
    pub(crate) fn apply_rules(&self, id: FileId) {
        let Some(path) = self.state().files.get(id).map(|file| file.path.clone()) else { return };
        let workbench = self.clone();
        spawn_local(async move {
            // The text goes first.
            workbench.at_leisure().await;
            let obeying: Pin<Box<dyn Future<Output = ()>>> = Box::pin(workbench.obey(id, path));
            obeying.await;
        });
    }

    async fn obey(self, id: FileId, path: WorkspacePath) {
        let mut configs = Vec::new();
        let mut folder = path.parent();
        while let Some(at) = folder {
            let config = self.rules_in(&at).await;
            let is_root = config.as_ref().is_some_and(|config| config.root);
            configs.extend(config.map(|config| (at.clone(), config)));
            folder = if is_root || at.is_root() { None } else { at.parent() };
        }
        let from_afar: Vec<(&str, &EditorConfig)> =
            configs.iter().rev().map(|(folder, config)| (folder.as_str(), &**config)).collect();
        let rules = rules(path.as_str(), &from_afar);
        // It may have moved meanwhile, which asked anew.
        let is_it = self.state().files.get(id).is_some_and(|file| file.path == path);
        if let Some(editor) = self.documents.editor(id).filter(|_| is_it) {
            editor.set_rules(&rules);
            self.documents.want_line_ending(id, rules.line_ending);
        }
    }

    async fn rules_in(&self, folder: &WorkspacePath) -> Option<Rc<EditorConfig>> {
        if let Some(known) = self.rule_files.0.borrow().get(folder) {
            return known.clone();
        }
        let project = self.project()?;
        self.watch_folder(folder);
        let path = EntryName::parse(NAME).and_then(|name| folder.join(&name)).ok()?;
        let found = match self.connection.request(&FullRequest::Read { project, path }).await {
            Ok(ServerFrame::File { content, encoding: None, .. }) => Some(Rc::new(EditorConfig::parse(&content))),
            Ok(_) => None,
            Err(failure) if failure.code == ErrorCode::NotFound => None,
            // Asked again with the next file.
            Err(_) => return None,
        };
        let mut known = self.rule_files.0.borrow_mut();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(folder.clone(), found.clone());
        found
    }

    /// Entries of a folder have changed; with no names, any of them.
    pub(super) fn rules_changed(&self, folder: &WorkspacePath, names: &[String]) {
        if !names.is_empty() && !names.iter().any(|name| name == NAME) {
            return;
        }
        if self.rule_files.0.borrow_mut().remove(folder).is_none() {
            return;
        }
        let within: Vec<FileId> = {
            let state = self.state();
            let concerned =
                state.files.open.iter().filter(|file| file.view == View::File && file.path.is_within(folder));
            concerned.map(|file| file.id).collect()
        };
        for id in within {
            self.apply_rules(id);
        }
    }
}
