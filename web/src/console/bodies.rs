//! What the REST API says and hears (`docs/openapi.json`), as far as the console has a use for it.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Door {
    pub sign_up: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Session {
    pub account: Account,
    pub page_token: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Account {
    pub account: String,
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    pub role: String,
    pub credits: i64,
    pub low_credits: i64,
}

impl Account {
    pub fn is_operator(&self) -> bool {
        self.role == "operator"
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Accounts {
    pub accounts: Vec<Account>,
    #[serde(default)]
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Browsers {
    pub sessions: Vec<Browser>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Browser {
    pub session: String,
    pub browser: String,
    pub is_this: bool,
    pub last_used: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Audit {
    pub entries: Vec<AuditEntry>,
    #[serde(default)]
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AuditEntry {
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub created: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Keys {
    pub keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Key {
    pub public_key: String,
    pub name: String,
    pub scope: Scope,
    #[serde(default)]
    pub budget: Option<u64>,
    #[serde(default)]
    pub rooms_most: Option<u64>,
    #[serde(default)]
    pub minutes_most: Option<u64>,
    pub spent: i64,
    pub minutes: u64,
    #[serde(default)]
    pub last_used: Option<u64>,
    #[serde(default)]
    pub former_until: Option<u64>,
    #[serde(default)]
    pub revoked: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    pub spaces: Vec<String>,
    pub origins: Vec<String>,
    pub rest_only: bool,
    pub execute_only: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeySettings {
    pub name: String,
    pub scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooms_most: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes_most: Option<u64>,
}

/// A pair with its secret, which is nowhere else.
#[derive(Clone, PartialEq, Deserialize)]
pub struct MadeKey {
    pub public_key: String,
    pub secret_key: String,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rooms {
    pub rooms: Vec<Room>,
    #[serde(default)]
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Room {
    pub room: String,
    pub space: String,
    pub last_used: u64,
    pub sandbox: String,
    pub connections: u64,
    pub minutes: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OpenedRoom {
    pub owner: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JoinKeys {
    pub keys: Vec<JoinKey>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JoinKey {
    pub number: u32,
    pub join: String,
    pub role: String,
    #[serde(default)]
    pub expires: Option<u64>,
    #[serde(default)]
    pub uses: Option<u64>,
    pub used: u64,
    #[serde(default)]
    pub minutes: Option<u64>,
    pub spent: u64,
    pub people: Vec<String>,
    pub before: Vec<String>,
    pub over: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewJoinKey {
    pub role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Widgets {
    pub widgets: Vec<Widget>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Widget {
    pub widget: String,
    pub name: String,
    pub origins: Vec<String>,
    pub per_hour: i64,
    pub opened: i64,
    #[serde(default)]
    pub revoked: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MadeWidget {
    pub widget: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Usage {
    pub days: Vec<Day>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Day {
    pub began: u64,
    pub spent: i64,
    pub keys: Vec<DayOfKey>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DayOfKey {
    pub public_key: String,
    pub spent: i64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Granted {
    pub credits: i64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Server {
    pub version: String,
    pub started: u64,
    pub engine: String,
    pub database: String,
    pub rooms: Capacity,
    #[serde(default)]
    pub memory: Option<u64>,
    pub spaces: Vec<Space>,
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Capacity {
    pub living: u64,
    pub most: u64,
    pub running: u64,
    pub spare: u64,
    pub connections: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Space {
    pub name: String,
    #[serde(default)]
    pub image: Option<String>,
    pub memory: u64,
    pub disk: u64,
    pub cpus: f64,
    pub processes: u64,
    pub egress: Vec<String>,
    pub minute_price: u32,
    pub spare: u64,
    pub spare_least: u64,
    pub spare_most: u64,
    pub living: u64,
    pub running: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Maintenance {
    pub message: String,
    pub since: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Examination {
    pub works: bool,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Finding {
    pub what: String,
    pub state: String,
    pub detail: String,
    #[serde(default)]
    pub remedy: Option<String>,
}

/// An error of the API's.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Problem {
    #[serde(default)]
    pub status: u16,
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Webhooks {
    pub webhooks: Vec<Webhook>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Webhook {
    pub webhook: String,
    pub url: String,
    pub events: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MadeWebhook {
    pub secret: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Deliveries {
    pub deliveries: Vec<Delivery>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Delivery {
    pub delivery: String,
    pub event: String,
    pub created: u64,
    pub tries: u64,
    #[serde(default)]
    pub next_try: Option<u64>,
    #[serde(default)]
    pub delivered: Option<u64>,
    #[serde(default)]
    pub problem: Option<String>,
}
