//! Files that come in from a person's own machine and go out to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv_shared::code::Failure;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use embedenv_shared::tree::content_bytes;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::Workbench;
use crate::interop::page;
use crate::words;

/// Room in a message beside the content of a file that is sent.
const FRAME_ROOM: u64 = 8 * 1024;

impl Workbench {
    /// Sends files of the person's own into the selected folder, one after the other.
    pub(crate) fn upload(&self, files: Vec<File>) {
        let Some(project) = self.project() else { return };
        let folder = self.state().tree.place_for_new();
        let most = self.state().me.as_ref().map_or(0, |me| me.max_message).saturating_sub(FRAME_ROOM) / 4 * 3;
        let workbench = self.clone();
        spawn_local(async move {
            for file in files {
                if let Err(why) = workbench.upload_one(&project, &folder, &file, most).await {
                    workbench.alert(why);
                }
            }
            workbench.list(folder);
        });
    }

    async fn upload_one(
        &self,
        project: &ProjectName,
        folder: &WorkspacePath,
        file: &File,
        most: u64,
    ) -> Result<(), String> {
        let name = file.name();
        if file.size() > most as f64 {
            let (is, most) = (words::size(file.size() as u64), words::size(most));
            return Err(format!("{name} was not uploaded: it has {is}, and this server takes files of up to {most}."));
        }
        let entry = EntryName::parse(&name).and_then(|entry| folder.join(&entry));
        let path = entry.map_err(|error| format!("{name} was not uploaded: {error}."))?;
        let bytes = page::file_bytes(file).await.map_err(|_| format!("{name} could not be read on your side."))?;
        let members = json!({"path": path, "content": STANDARD.encode(bytes), "encoding": "base64"});
        let written = self.connection.command(project, json!({"type": "write"}), members).await;
        written.map_err(|failure| words::failed(&format!("{name} was not uploaded"), &failure))
    }

    /// Hands a file of the room to the browser to keep.
    pub(crate) fn download(&self, path: WorkspacePath) {
        let Some(project) = self.project() else { return };
        if self.state().tree.is_folder(&path) {
            return self.alert("A folder can't be downloaded yet. Select a file.");
        }
        let workbench = self.clone();
        spawn_local(async move {
            let reply = workbench.connection.request(&FullRequest::Read { project, path: path.clone() }).await;
            let name = path.name().unwrap_or_default();
            let failed = |failure: &Failure| words::failed(&format!("{name} could not be downloaded"), failure);
            let bytes = match reply {
                Ok(ServerFrame::File { content, encoding, .. }) => content_bytes(content, encoding).ok(),
                Ok(_) => None,
                Err(failure) => return workbench.alert(failed(&failure)),
            };
            if bytes.is_none_or(|bytes| page::download(name, &bytes).is_err()) {
                workbench.alert(format!("{name} could not be downloaded: what came was not a file."));
            }
        });
    }

    pub(crate) fn download_selected(&self) {
        let shown = || self.state().files.active().map(|file| file.path.clone());
        let selected = self.state().tree.selected.clone();
        match selected.or_else(shown) {
            Some(path) => self.download(path),
            None => self.alert("Select the file to download first."),
        }
    }
}
