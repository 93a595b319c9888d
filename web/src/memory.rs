//! What the page remembers: the link and the open things in the tab's storage, so that a reload finds them; the settings
//! and the layout in the browser's. Where there is no storage it remembers nothing, and works. In a frame it keeps nothing
//! of the tab's either, which all frames of a page share, and leaves the person's own layout alone.

use embedenv_shared::id::RoomId;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use web_sys::Storage;

use crate::interop::page;
use crate::link::RoomLink;
use crate::state::State;
use crate::state::groups::Kept;
use crate::state::request::Request;
use crate::state::runs::Choice;
use crate::state::settings::stored::Values;
use crate::state::settings::{Layout, Settings};
use crate::state::terminals::strip::Kept as Strip;
use crate::state::tree::Since;
use crate::state::views::View;

const LINK: &str = "embedenv.link";
const PAGE: &str = "embedenv.page";
const RESUME: &str = "embedenv.resume";
const INSTANCE: &str = "embedenv.instance";
/// Other tabs hear when this changes.
pub(crate) const SETTINGS: &str = "embedenv.settings";
pub(crate) const ROOMS: &str = "embedenv.rooms";
const COMMANDS: &str = "embedenv.commands";
/// Commands that are remembered.
const MAX_COMMANDS: usize = 10;
const LAYOUT: &str = "embedenv.layout";
const CHOICES: &str = "embedenv.runs";
const REQUESTS: &str = "embedenv.requests";
const PORTS: &str = "embedenv.ports";
/// Projects of which it is remembered what Run is for; the oldest make room.
const MAX_CHOICES: usize = 50;

/// The projects of which it is remembered what they were at first; each has a place of its own, called after this.
const SINCE: &str = "embedenv.since";
/// So many; the one that changed longest ago makes room.
const MAX_SINCE: usize = 10;

/// Rooms whose own settings are kept; the one that was set longest ago makes room.
const MAX_ROOMS: usize = 50;

/// What was open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) project: ProjectName,
    pub(crate) groups: Kept<WorkspacePath>,
    pub(crate) active: Option<WorkspacePath>,
    pub(crate) folders: Vec<WorkspacePath>,
    /// Hidden files are not shown.
    #[serde(default)]
    pub(crate) hides: bool,
    pub(crate) terminal: Option<u32>,
    /// How the terminals stand.
    #[serde(default)]
    pub(crate) terminals: Strip,
    pub(crate) layout: Layout,
}

impl Page {
    pub(crate) fn of(state: &State) -> Option<Self> {
        Some(Self {
            project: state.me.as_ref()?.project.clone(),
            // Views of files are opened anew when they are wanted.
            groups: state
                .files
                .groups
                .kept(&|id| state.files.get(id).filter(|file| file.view == View::File).map(|file| file.path.clone())),
            active: state.files.active().map(|file| file.path.clone()),
            folders: state.tree.open.iter().cloned().collect(),
            hides: state.tree.hides,
            terminal: state.terminals.active.map(|id| id.0),
            terminals: state.terminals.strip.kept(),
            layout: state.layout,
        })
    }
}

/// The tab's own storage, for a page that has the tab for itself.
fn tab() -> Option<Storage> {
    if page::is_framed() { None } else { page::session_storage() }
}

pub(crate) fn link() -> Option<RoomLink> {
    read(tab(), LINK)
}

/// Remembers another link, and forgets what was open in the room of the one before.
pub(crate) fn keep_link(link: &RoomLink) {
    if self::link().is_none_or(|known| known.join != link.join) {
        forget_page();
    }
    write(tab(), LINK, link);
}

pub(crate) fn page() -> Option<Page> {
    read(tab(), PAGE)
}

pub(crate) fn keep_page(page: &Page) {
    write(tab(), PAGE, page);
}

pub(crate) fn forget_page() {
    if let Some(storage) = tab() {
        let _ = storage.remove_item(PAGE);
    }
}

/// What the server gave this tab to come back with.
pub(crate) fn resume() -> Option<String> {
    read(tab(), RESUME)
}

pub(crate) fn keep_resume(token: &str) {
    write(tab(), RESUME, &token);
}

/// What this page calls itself: what it did before it was loaded again, or a name of its own. It is in the storage only
/// between the two pages, so that no copy of the tab finds it.
pub(crate) fn instance() -> String {
    let kept = read(tab(), INSTANCE);
    if let Some(storage) = tab() {
        let _ = storage.remove_item(INSTANCE);
    }
    kept.filter(|_| page::was_reloaded()).unwrap_or_else(page::unique)
}

pub(crate) fn keep_instance(instance: &str) {
    write(tab(), INSTANCE, &instance);
}

/// The layout of the room that was left last.
pub(crate) fn layout() -> Option<Layout> {
    read(page::local_storage(), LAYOUT)
}

pub(crate) fn keep_layout(layout: Layout) {
    write(own(), LAYOUT, &layout);
}

/// A person's own settings, and what was wrong with those that are kept.
pub(crate) fn settings() -> (Settings, Vec<String>) {
    Settings::read(&read(page::local_storage(), SETTINGS).unwrap_or_default())
}

pub(crate) fn keep_settings(settings: &Settings) {
    write(page::local_storage(), SETTINGS, &settings.values());
}

/// What a room has instead of a person's own settings.
pub(crate) fn room_settings(room: RoomId) -> Values {
    let rooms: Vec<(RoomId, Values)> = read(page::local_storage(), ROOMS).unwrap_or_default();
    rooms.into_iter().find(|(other, _)| *other == room).map(|(_, values)| values).unwrap_or_default()
}

pub(crate) fn keep_room_settings(room: RoomId, values: &Values) {
    let mut rooms: Vec<(RoomId, Values)> = read(page::local_storage(), ROOMS).unwrap_or_default();
    rooms.retain(|(other, _)| *other != room);
    if !values.is_empty() {
        rooms.push((room, values.clone()));
    }
    let surplus = rooms.len().saturating_sub(MAX_ROOMS);
    write(page::local_storage(), ROOMS, &rooms[surplus..].to_vec());
}

/// What Run is for in a project.
pub(crate) fn choice(room: RoomId, project: &ProjectName) -> Option<Choice> {
    choices().into_iter().find(|(of, _)| *of == place(room, project)).map(|(_, choice)| choice)
}

pub(crate) fn keep_choice(room: RoomId, project: &ProjectName, choice: &Choice) {
    let mut all = choices();
    all.retain(|(of, _)| *of != place(room, project));
    all.push((place(room, project), choice.clone()));
    let surplus = all.len().saturating_sub(MAX_CHOICES);
    all.drain(..surplus);
    write(page::local_storage(), CHOICES, &all);
}

fn choices() -> Vec<(String, Choice)> {
    read(page::local_storage(), CHOICES).unwrap_or_default()
}

fn place(room: RoomId, project: &ProjectName) -> String {
    format!("{room}/{project}")
}

/// What a project was when this browser saw it first.
pub(crate) fn since(room: RoomId, project: &ProjectName) -> Option<Since> {
    read(own(), &since_of(&place(room, project)))
}

pub(crate) fn keep_since(room: RoomId, project: &ProjectName, since: &Since) {
    let place = place(room, project);
    let mut all: Vec<String> = read(own(), SINCE).unwrap_or_default();
    if all.last() != Some(&place) {
        all.retain(|of| *of != place);
        all.push(place.clone());
        let surplus = all.len().saturating_sub(MAX_SINCE);
        for of in all.drain(..surplus) {
            if let Some(storage) = own() {
                let _ = storage.remove_item(&since_of(&of));
            }
        }
        write(own(), SINCE, &all);
    }
    write(own(), &since_of(&place), since);
}

fn since_of(place: &str) -> String {
    format!("{SINCE}.{place}")
}

/// The browser's storage, for a page that is no other one's part.
fn own() -> Option<Storage> {
    if page::is_framed() { None } else { page::local_storage() }
}

/// Commands that were taken from the palette, by their ids, the last one first.
pub(crate) fn commands() -> Vec<String> {
    read(own(), COMMANDS).unwrap_or_default()
}

pub(crate) fn keep_command(id: &str) {
    let mut all = commands();
    all.retain(|other| other != id);
    all.insert(0, id.to_owned());
    all.truncate(MAX_COMMANDS);
    write(own(), COMMANDS, &all);
}

/// The requests that were made in this tab, the newest first.
pub(crate) fn requests() -> Vec<Request> {
    read(tab(), REQUESTS).unwrap_or_default()
}

pub(crate) fn keep_requests(requests: &[Request]) {
    write(tab(), REQUESTS, &requests);
}

/// Ports that this tab has told of.
pub(crate) fn told_ports() -> Vec<u16> {
    read(tab(), PORTS).unwrap_or_default()
}

pub(crate) fn keep_told_ports(ports: &[u16]) {
    write(tab(), PORTS, &ports);
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
