//! Widgets of a key pair: ids by which visitors of listed sites open rooms on its credits.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Body, whole};
use super::files::Project;
use super::pair::Pair;
use crate::config::DEFAULT_SPACE;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{NewWidget as LedgerWidget, Quota, WidgetRow};

/// What a widget opens in an hour if nobody says: in all, and for one address.
const PER_HOUR: i64 = 100;
const PER_ADDRESS: i64 = 10;

#[derive(Serialize, ToSchema)]
#[schema(as = Widget)]
pub(super) struct WidgetBody {
    widget: String,
    name: String,
    origins: Vec<String>,
    space: String,
    per_hour: i64,
    per_address: i64,
    /// How its frame looks.
    look: String,
    /// Rooms opened in the last hour.
    opened: i64,
    created: u64,
    /// When it was revoked, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
}

impl From<WidgetRow> for WidgetBody {
    fn from(row: WidgetRow) -> Self {
        let WidgetRow { widget, name, origins, space, quota, look, created, revoked, opened, .. } = row;
        let Quota { per_hour, per_address } = quota;
        let (created, revoked) = (created.unsigned_abs(), revoked.map(i64::unsigned_abs));
        Self { widget, name, origins, space, per_hour, per_address, look, opened, created, revoked }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Widgets {
    widgets: Vec<WidgetBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWidget {
    /// What it is called in lists.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The origins whose pages may show it, such as `https://docs.example.org` or `https://*.example.org`.
    #[schema(min_items = 1, max_items = 50)]
    origins: Vec<String>,
    /// The default space if it is left out.
    space: Option<String>,
    /// What each room begins with.
    project: Option<Project>,
    /// Rooms that it opens in an hour at most; 100 if it is left out.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "whole")]
    per_hour: Option<u64>,
    /// Rooms that it opens in an hour for one address at most; 10 if it is left out.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "whole")]
    per_address: Option<u64>,
    /// How its frame looks: parameters of the frame's address such as `theme=dark&hideExplorer=1`, which go before what an
    /// address says. They may be `theme`, `view`, `hideExplorer`, `hideNavigation`, `terminalHeight`, `fontsize`, `loading`
    /// and `readonly`.
    #[schema(max_length = 1024)]
    #[serde(default)]
    look: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Made {
    /// The id; it is public.
    widget: String,
}

/// All widgets, revoked ones too.
#[utoipa::path(get, path = "/api/v1/widgets", tag = "widgets", operation_id = "listWidgets",
    responses((status = 200, description = "As asked.", body = Widgets), Refused))]
pub(super) async fn list(State(doors): State<Doors>, Pair(payer): Pair) -> Result<axum::Json<Widgets>, Problem> {
    let rows = doors.registry.widgets_of(&payer).await?;
    Ok(axum::Json(Widgets { widgets: rows.into_iter().map(WidgetBody::from).collect() }))
}

/// Makes a widget.
#[utoipa::path(post, path = "/api/v1/widgets", tag = "widgets", operation_id = "createWidget", request_body = NewWidget,
    responses((status = 201, description = "Made.", body = Made), Refused))]
pub(super) async fn create(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Body(new): Body<NewWidget>,
) -> Result<(StatusCode, axum::Json<Made>), Problem> {
    let NewWidget { name, origins, space, project, per_hour, per_address, look } = new;
    let amount = |said: Option<u64>, unsaid| said.map_or(unsaid, |said| i64::try_from(said).unwrap_or(i64::MAX));
    let quota = Quota { per_hour: amount(per_hour, PER_HOUR), per_address: amount(per_address, PER_ADDRESS) };
    let new = LedgerWidget {
        public_key: payer.public_key().to_owned(),
        name,
        origins,
        space: space.unwrap_or_else(|| DEFAULT_SPACE.to_owned()),
        project: project.map(Project::plan).transpose()?,
        quota,
        look,
    };
    let widget = doors.registry.create_widget(new).await?;
    Ok((StatusCode::CREATED, axum::Json(Made { widget })))
}

/// Has a widget open nothing more. Rooms that are open stay.
#[utoipa::path(delete, path = "/api/v1/widgets/{widget}", tag = "widgets", operation_id = "revokeWidget",
    params(("widget" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn revoke(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Path(widget): Path<String>,
) -> Result<StatusCode, Problem> {
    doors.registry.revoke_widget_of(&payer, &widget).await?;
    Ok(StatusCode::NO_CONTENT)
}
