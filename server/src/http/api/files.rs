//! Projects and files of a room: made, listed, read, written, moved, deleted. What somebody has open follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::{Entry, EntryKind, Item, Listing};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use embedenv_shared::tree::{Plan, PlannedFile};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::asked::{Asked, Body};
use super::pair::Pair;
use super::rooms::room_of;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::room::Room;

/// The longest file that is written at once, in bytes.
pub(super) const MAX_FILE: usize = 16 * 1024 * 1024;

/// A project with its files, such as a room or a widget begins with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    #[schema(min_length = 1)]
    name: String,
    /// Texts by their paths.
    files: BTreeMap<String, String>,
}

impl Project {
    pub(super) fn plan(self) -> Result<(ProjectName, Plan), Problem> {
        let mut plan = Plan::default();
        for (path, text) in self.files {
            let path = path_of(&path)?;
            let mut parents: Vec<WorkspacePath> = std::iter::successors(path.parent(), WorkspacePath::parent).collect();
            parents.retain(|parent| !parent.is_root() && !plan.folders.contains(parent));
            plan.folders.extend(parents.into_iter().rev());
            plan.files.push(PlannedFile { path, content: text.into_bytes() });
        }
        Ok((project_of(&self.name)?, plan))
    }
}

pub(super) fn project_of(name: &str) -> Result<ProjectName, Problem> {
    Ok(ProjectName::parse(name).map_err(Failure::from)?)
}

/// A room of the pair's in which something is done now: it is as if somebody were there.
pub(super) async fn room_to_work_in(doors: &Doors, pair: &Pair, room: &str) -> Result<Arc<Room>, Problem> {
    let (room, _) = room_of(doors, pair, room).await?;
    room.used();
    Ok(room)
}

fn path_of(path: &str) -> Result<WorkspacePath, Problem> {
    Ok(WorkspacePath::parse(path).map_err(Failure::from)?)
}

#[derive(Serialize, ToSchema)]
pub(super) struct Projects {
    projects: Vec<String>,
}

/// A file's bytes, as they are.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(super) struct Content(#[expect(dead_code, reason = "only described")] Vec<u8>);

/// Where a file is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    #[param(min_length = 1)]
    project: String,
    /// From the project's folder on, such as `src/main.py`.
    #[param(min_length = 1)]
    path: String,
}

impl Place {
    fn parts(&self) -> Result<(ProjectName, WorkspacePath), Problem> {
        Ok((project_of(&self.project)?, path_of(&self.path)?))
    }
}

/// Where a folder is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Folder {
    #[param(min_length = 1)]
    project: String,
    /// The project's own folder if it is left out.
    #[serde(default)]
    path: String,
    /// The `next` of the page before.
    after: Option<u64>,
}

/// What is in a folder.
#[derive(Serialize, ToSchema)]
pub(super) struct Entries {
    entries: Vec<EntryBody>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub(super) struct EntryBody {
    name: String,
    kind: Kind,
    /// Bytes; 0 for folders.
    size: u64,
    modified: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Folder,
    File,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A device, a socket or a named pipe.
    Other,
}

impl From<Entry> for EntryBody {
    fn from(Entry { name, kind, size, modified }: Entry) -> Self {
        let kind = match kind {
            EntryKind::Folder => Kind::Folder,
            EntryKind::File => Kind::File,
            EntryKind::Link => Kind::Link,
            EntryKind::Other => Kind::Other,
        };
        Self { name, kind, size, modified }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFolder {
    #[schema(min_length = 1)]
    project: String,
    #[schema(min_length = 1)]
    path: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Moving {
    #[schema(min_length = 1)]
    project: String,
    #[schema(min_length = 1)]
    from: String,
    #[schema(min_length = 1)]
    to: String,
}

/// The projects of a room.
#[utoipa::path(get, path = "/api/v1/rooms/{room}/projects", tag = "files", operation_id = "listProjects",
    params(("room" = String, Path)), responses((status = 200, description = "As asked.", body = Projects), Refused))]
pub(super) async fn projects(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
) -> Result<axum::Json<Projects>, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let projects = room.projects().await?.iter().map(ToString::to_string).collect();
    Ok(axum::Json(Projects { projects }))
}

/// Makes a project with its files. One of that name is kept, and what is named here is written into it.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/projects", tag = "files", operation_id = "createProject", request_body = Project,
    params(("room" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn plant(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(project): Body<Project>,
) -> Result<StatusCode, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let (project, plan) = project.plan()?;
    room.plant(project, plan).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is in a folder: folders first, then by name, in pages.
#[utoipa::path(get, path = "/api/v1/rooms/{room}/entries", tag = "files", operation_id = "listEntries",
    params(("room" = String, Path), Folder), responses((status = 200, description = "As asked.", body = Entries), Refused))]
pub(super) async fn entries(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Asked(Folder { project, path, after }): Asked<Folder>,
) -> Result<axum::Json<Entries>, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let path = if path.is_empty() { WorkspacePath::root() } else { path_of(&path)? };
    let Listing { entries, next } = room.entries(project_of(&project)?, path, after).await?;
    Ok(axum::Json(Entries { entries: entries.into_iter().map(EntryBody::from).collect(), next }))
}

/// A file's bytes, with all that people have typed into it.
#[utoipa::path(get, path = "/api/v1/rooms/{room}/files", tag = "files", operation_id = "readFile",
    params(("room" = String, Path), Place),
    responses((status = 200, description = "As asked.", content_type = "application/octet-stream", body = Content), Refused))]
pub(super) async fn read(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Asked(place): Asked<Place>,
) -> Result<impl IntoResponse, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let (project, path) = place.parts()?;
    let bytes = room.read_latest(project, path).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "no-store")], bytes))
}

/// Writes a file, and the folders that it needs. Whoever has it open sees what changed.
#[utoipa::path(put, path = "/api/v1/rooms/{room}/files", tag = "files", operation_id = "writeFile",
    request_body(content = Option<Content>, content_type = "application/octet-stream"),
    params(("room" = String, Path), Place), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn write(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Asked(place): Asked<Place>,
    content: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let content = content.map_err(|why| Problem::new(ErrorCode::TooLarge, why.body_text()))?;
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let (project, path) = place.parts()?;
    room.write(project, path, content.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a file, or a folder with what is in it.
#[utoipa::path(delete, path = "/api/v1/rooms/{room}/files", tag = "files", operation_id = "deleteFile",
    params(("room" = String, Path), Place), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn delete(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Asked(place): Asked<Place>,
) -> Result<StatusCode, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let (project, path) = place.parts()?;
    room.delete(project, path).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a folder.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/folders", tag = "files", operation_id = "createFolder", request_body = NewFolder,
    params(("room" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn create_folder(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(NewFolder { project, path }): Body<NewFolder>,
) -> Result<StatusCode, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    room.create(project_of(&project)?, path_of(&path)?, Item::Folder).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a file or a folder another place or name in its project. Whoever has it open goes with it.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/moves", tag = "files", operation_id = "moveFile", request_body = Moving,
    params(("room" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn relocate(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(Moving { project, from, to }): Body<Moving>,
) -> Result<StatusCode, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    room.relocate(project_of(&project)?, path_of(&from)?, path_of(&to)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
