//! What an operator sees and steers of the server itself: how full it is, what its spaces are, how its engine does, and
//! maintenance.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::Body;
use super::operators::Operator;
use crate::config::{Config, EngineChoice, SignUp};
use crate::doctor;
use crate::engine::finding::{Finding, State as Found};
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{Actor, MAINTENANCE_MESSAGE, Maintenance, failed};
use crate::room::registry::SpaceStanding;

/// The server as it stands now.
#[derive(Serialize, ToSchema)]
pub(super) struct Server {
    version: &'static str,
    /// Since when it runs.
    started: u64,
    /// What runs sandboxes: `local` or `docker`.
    engine: &'static str,
    database: &'static str,
    sign_up: &'static str,
    rooms: Capacity,
    /// The server's memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    spaces: Vec<Space>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maintenance: Option<MaintenanceBody>,
}

/// How many there are, and may be.
#[derive(Serialize, ToSchema)]
struct Capacity {
    living: usize,
    most: usize,
    /// Rooms whose sandbox runs.
    running: usize,
    /// Rooms that are kept ready.
    spare: usize,
    /// Connections to rooms.
    connections: usize,
}

/// What rooms are opened in.
#[derive(Serialize, ToSchema)]
struct Space {
    name: String,
    /// What its containers are made of, where the engine is `docker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Bytes of one sandbox, in memory and on disk.
    memory: u64,
    disk: u64,
    /// Processors of one sandbox, in whole and parts.
    cpus: f64,
    processes: u32,
    /// Hosts that its programs may reach.
    egress: Vec<String>,
    /// Thousandths of a credit for each minute of a sandbox.
    minute_price: u32,
    /// Sandboxes that are kept ready: how many there are, and between which bounds.
    spare: usize,
    spare_least: usize,
    spare_most: usize,
    living: usize,
    running: usize,
}

/// While it lasts, no room is opened. Rooms that are there go on.
#[derive(Serialize, ToSchema)]
#[schema(as = Maintenance)]
pub(super) struct MaintenanceBody {
    /// What who asks for a room is told.
    message: String,
    since: u64,
}

impl From<Maintenance> for MaintenanceBody {
    fn from(Maintenance { message, since }: Maintenance) -> Self {
        Self { message, since: since.unsigned_abs() }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    /// What who asks for a room is told; that it is to be tried later, if left out.
    #[schema(min_length = 1, max_length = 500)]
    message: Option<String>,
}

/// What was tried and found of the engine that runs here.
#[derive(Serialize, ToSchema)]
pub(super) struct Examination {
    /// Whether everything is there that it needs.
    works: bool,
    findings: Vec<FindingBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingBody {
    what: &'static str,
    state: Standing,
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    Good,
    /// It works, with less than it could.
    Weaker,
    Missing,
}

impl From<Finding> for FindingBody {
    fn from(Finding { what, state, detail, remedy }: Finding) -> Self {
        let state = match state {
            Found::Good => Standing::Good,
            Found::Weaker => Standing::Weaker,
            Found::Missing => Standing::Missing,
        };
        Self { what, state, detail, remedy }
    }
}

/// The server as it stands now: how full, with which spaces, and whether it takes new rooms.
#[utoipa::path(get, path = "/api/v1/server", tag = "operators", operation_id = "showServer", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = Server), Refused))]
pub(super) async fn show(State(doors): State<Doors>, _: Operator) -> Result<axum::Json<Server>, Problem> {
    let Doors { config, registry, accounts, .. } = &doors;
    let maintenance = accounts.ledger().maintenance().await.map_err(failed)?;
    let engine = registry.engine();
    let now = registry.standing();
    let spaces = registry.spaces().into_iter().filter_map(|standing| space(config, engine, standing));
    Ok(axum::Json(Server {
        version: env!("CARGO_PKG_VERSION"),
        started: registry.started.unsigned_abs(),
        engine,
        database: if config.database_url.is_some() { "postgresql" } else { "sqlite" },
        sign_up: match config.accounts.sign_up {
            SignUp::Closed => "closed",
            SignUp::Invitation => "invitation",
            SignUp::Open => "open",
        },
        rooms: Capacity {
            living: now.rooms,
            most: config.rooms.most,
            running: now.running,
            spare: now.spare,
            connections: now.members,
        },
        memory: memory().await,
        spaces: spaces.collect(),
        maintenance: maintenance.map(MaintenanceBody::from),
    }))
}

fn space(config: &Config, engine: &str, standing: SpaceStanding) -> Option<Space> {
    let SpaceStanding { name, living, running, spare } = standing;
    let space = config.spaces.get(&name)?;
    let limits = &space.profile.limits;
    Some(Space {
        name,
        image: (engine == "docker").then(|| space.profile.image.clone()),
        memory: limits.memory,
        disk: limits.disk,
        cpus: limits.cpus,
        processes: limits.processes,
        egress: space.egress.hosts.written(),
        minute_price: space.minute_price,
        spare,
        spare_least: space.pool.least,
        spare_most: space.pool.most.max(space.pool.least),
        living,
        running,
    })
}

/// The server's own resident memory, in bytes, as the kernel tells it (`VmRSS` of proc(5)).
async fn memory() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Tries what the engine that runs here needs and can hold sandboxes to, as `embedenv doctor` does. It takes some seconds.
#[utoipa::path(get, path = "/api/v1/server/examination", tag = "operators", operation_id = "examineServer", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = Examination), Refused))]
pub(super) async fn examine(State(doors): State<Doors>, _: Operator) -> axum::Json<Examination> {
    let engine = match doors.registry.engine() {
        "docker" => EngineChoice::Docker,
        _ => EngineChoice::Local,
    };
    let reports = doctor::reports(&Config { engine, ..(*doors.config).clone() }).await;
    let works = reports.iter().all(|report| report.works);
    let findings = reports.into_iter().flat_map(|report| report.findings).map(FindingBody::from);
    axum::Json(Examination { works, findings: findings.collect() })
}

/// Begins maintenance, or says anew what people are told: no room is opened until it ends. Rooms that are there go on.
#[utoipa::path(put, path = "/api/v1/maintenance", tag = "operators", operation_id = "beginMaintenance", security(("session" = [])),
    request_body = Message, responses((status = 200, description = "It is under way.", body = MaintenanceBody), Refused))]
pub(super) async fn begin(
    State(doors): State<Doors>,
    Operator(session): Operator,
    Body(Message { message }): Body<Message>,
) -> Result<axum::Json<MaintenanceBody>, Problem> {
    let actor = Actor::Account(&session.account.account);
    let message = message.as_deref().unwrap_or(MAINTENANCE_MESSAGE);
    let begun = doors.accounts.ledger().begin_maintenance(actor, message).await.map_err(failed)?;
    tracing::info!(message = begun.message, "maintenance has begun: no room is opened");
    Ok(axum::Json(begun.into()))
}

/// Ends it.
#[utoipa::path(delete, path = "/api/v1/maintenance", tag = "operators", operation_id = "endMaintenance", security(("session" = [])),
    responses((status = 204, description = "Done."), Refused))]
pub(super) async fn end(State(doors): State<Doors>, Operator(session): Operator) -> Result<StatusCode, Problem> {
    doors.accounts.ledger().end_maintenance(Actor::Account(&session.account.account)).await.map_err(failed)?;
    tracing::info!("maintenance has ended");
    Ok(StatusCode::NO_CONTENT)
}
