//! What the page remembers: the link and the open things in the tab's storage, so that a reload finds them; the settings
//! and the layout in the browser's. Where there is no storage it remembers nothing, and works.

use embedenv_shared::path::{ProjectName, WorkspacePath};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use web_sys::Storage;

use crate::interop::page;
use crate::link::RoomLink;
use crate::state::State;
use crate::state::groups::Kept;
use crate::state::settings::{Layout, Settings};

const LINK: &str = "embedenv.link";
const PAGE: &str = "embedenv.page";
const RESUME: &str = "embedenv.resume";
const SETTINGS: &str = "embedenv.settings";
const LAYOUT: &str = "embedenv.layout";

/// What was open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) project: ProjectName,
    pub(crate) groups: Kept<WorkspacePath>,
    pub(crate) active: Option<WorkspacePath>,
    pub(crate) folders: Vec<WorkspacePath>,
    pub(crate) terminal: Option<u32>,
    pub(crate) layout: Layout,
}

impl Page {
    pub(crate) fn of(state: &State) -> Option<Self> {
        Some(Self {
            project: state.me.as_ref()?.project.clone(),
            groups: state.files.groups.kept(&|id| state.files.get(id).map(|file| file.path.clone())),
            active: state.files.active().map(|file| file.path.clone()),
            folders: state.tree.open.iter().cloned().collect(),
            terminal: state.terminals.active.map(|id| id.0),
            layout: state.layout,
        })
    }
}

pub(crate) fn link() -> Option<RoomLink> {
    read(page::session_storage(), LINK)
}

/// Remembers another link, and forgets what was open in the room of the one before.
pub(crate) fn keep_link(link: &RoomLink) {
    if self::link().is_none_or(|known| known.join != link.join) {
        forget_page();
    }
    write(page::session_storage(), LINK, link);
}

pub(crate) fn page() -> Option<Page> {
    read(page::session_storage(), PAGE)
}

pub(crate) fn keep_page(page: &Page) {
    write(page::session_storage(), PAGE, page);
}

pub(crate) fn forget_page() {
    if let Some(storage) = page::session_storage() {
        let _ = storage.remove_item(PAGE);
    }
}

/// What the server gave this tab to come back with.
pub(crate) fn resume() -> Option<String> {
    read(page::session_storage(), RESUME)
}

pub(crate) fn keep_resume(token: &str) {
    write(page::session_storage(), RESUME, &token);
}

/// The layout of the room that was left last.
pub(crate) fn layout() -> Option<Layout> {
    read(page::local_storage(), LAYOUT)
}

pub(crate) fn keep_layout(layout: Layout) {
    write(page::local_storage(), LAYOUT, &layout);
}

pub(crate) fn settings() -> Settings {
    read(page::local_storage(), SETTINGS).unwrap_or_default()
}

pub(crate) fn keep_settings(settings: &Settings) {
    write(page::local_storage(), SETTINGS, settings);
}

fn read<T: DeserializeOwned>(storage: Option<Storage>, key: &str) -> Option<T> {
    // By way of a value: one reader for all that is remembered.
    let value: Value = serde_json::from_str(&storage?.get_item(key).ok()??).ok()?;
    serde_json::from_value(value).ok()
}

/// A full storage loses the memory and nothing else.
fn write<T: Serialize>(storage: Option<Storage>, key: &str, value: &T) {
    if let (Some(storage), Ok(value)) = (storage, serde_json::to_value(value)) {
        let _ = storage.set_item(key, &value.to_string());
    }
}
