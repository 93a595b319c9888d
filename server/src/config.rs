//! Every setting of the server: its default, its bounds, and where its value came from.
//!
//! Defaults are overridden by the file, the file by the environment, the environment by flags. A setting that is not
//! known, or out of range, is an error that names it and its source; nothing is ignored. The table of settings is
//! [`settings::SETTINGS`]; `docs/configuration.md` describes each of them.

pub mod languages;
pub mod settings;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::egress::allow::AllowList;
use crate::engine::Profile;
use languages::Language;
use settings::Raw;

/// The built-in space.
pub const DEFAULT_SPACE: &str = "default";
/// The built-in space as the reference spells it.
pub const REFERENCE_SPACE: &str = "defoult";
/// Variables of the environment that begin so are settings; `__` stands for the dot.
const PREFIX: &str = "EMBEDENV_";
/// Variables with that prefix that belong to tests and tools, not to the server.
const NOT_SETTINGS: [&str; 12] = [
    // What the clients read, who may be in the same shell.
    "PUBLIC_KEY",
    "SECRET_KEY",
    "URL",
    // What tests are told.
    "BIN",
    "CHROMIUM",
    "CI",
    "PYTHON",
    "REFERENCE",
    "REQUIRE_EMBED",
    "TEST_ENGINE",
    "TEST_POSTGRES",
    "TEST_STORE",
];

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: Option<String>,
    pub hosts: Vec<String>,
    /// Proxies whose word on who asks is believed.
    pub proxies: Vec<IpNet>,
    pub data_dir: PathBuf,
    /// The PostgreSQL database of the ledger; one of SQLite in the data directory without it.
    pub database_url: Option<SecretUrl>,
    pub engine: EngineChoice,
    pub log: Log,
    pub limits: ServerLimits,
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub mail: Mail,
    pub webhooks: Webhooks,
    /// What a payment system signs with; it grants nothing without it.
    pub payments_secret: Option<PaymentsSecret>,
    pub retention: Retention,
    pub embed: Embed,
    pub site: Site,
    pub execute: Execute,
    /// The languages in which single programs are run, by name.
    pub languages: BTreeMap<String, Language>,
    pub preview: Preview,
    pub tls: Tls,
    /// Where `/metrics` is; nowhere without it.
    pub metrics_listen: Option<SocketAddr>,
    pub spaces: BTreeMap<String, Space>,
}

/// How the server speaks TLS itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// A certificate and what it is signed with, in PEM; both are there, or neither.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Where plain HTTP is sent on to the public address.
    pub redirect: Option<SocketAddr>,
}

/// Who may have an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    pub sign_up: SignUp,
    /// What a new account begins with.
    pub credits: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    Closed,
    Invitation,
    Open,
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The SMTP server; mail goes to the log without it.
    pub smtp: Option<SecretUrl>,
    pub from: String,
}

/// For how long something is kept that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Lines of the audit log.
    pub audit: Duration,
    /// What webhooks were to hear.
    pub deliveries: Duration,
}

/// What is told to other servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Networks that are inward and may be asked all the same.
    pub inward: Vec<IpNet>,
}

/// The shortest secret of a payment system, in bytes, as Standard Webhooks has it.
const LEAST_SECRET: usize = 24;

/// A secret that is shared with a payment system: it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentsSecret(Vec<u8>);

impl PaymentsSecret {
    /// As it is written, if it is long enough to be one.
    pub fn read(text: &str) -> Option<Self> {
        crate::webhooks::read_secret(text).filter(|secret| secret.len() >= LEAST_SECRET).map(Self)
    }

    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PaymentsSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PaymentsSecret(…)")
    }
}

/// Where another server is and how one gets in there: it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// A PostgreSQL database, if it is one.
    pub fn postgres(url: &str) -> Option<Self> {
        Self::of(&["postgres://", "postgresql://"], url)
    }

    /// An SMTP server, if it is one.
    pub fn smtp(url: &str) -> Option<Self> {
        Self::of(&["smtp://", "smtps://"], url)
    }

    fn of(schemes: &[&str], url: &str) -> Option<Self> {
        schemes.iter().any(|scheme| url.starts_with(scheme)).then(|| Self(url.to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// The best engine that works on this machine.
    Auto,
    /// bubblewrap.
    Local,
    Docker,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLimits {
    /// Bytes of a client's message.
    pub max_message: usize,
    /// How long a socket has for its first frame.
    pub handshake: Duration,
    /// Connections at once, and from one address.
    pub connections: usize,
    pub connections_per_address: usize,
    /// Failed attempts a minute, by address and by presented key, before failures are answered 4429.
    pub failed_attempts: u32,
    /// Requests of the REST API a minute, by account.
    pub api_requests: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooms {
    /// Rooms at once.
    pub most: usize,
    /// Members of one room.
    pub members: usize,
    /// An empty room's sandbox ends after this.
    pub sleep_after: Duration,
    /// A room ends this long after its last use.
    pub lifetime: Duration,
}

/// What the address of the WebSocket names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Space {
    pub profile: Profile,
    pub pool: Pool,
    pub egress: Egress,
    /// What a minute costs for which a sandbox of it runs, in thousandths of a credit.
    pub minute_price: u32,
}

/// Traffic out of a space's sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    pub hosts: AllowList,
    /// Bytes that each room may carry, both ways together.
    pub bytes: u64,
}

impl Default for Egress {
    fn default() -> Self {
        Self { hosts: AllowList::default(), bytes: 10 * 1024 * 1024 * 1024 }
    }
}

/// How many sandboxes of a space are kept ready: as many as were asked for in the last minute, within these bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    pub least: usize,
    /// What is less than `least` counts as `least`.
    pub most: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { least: 0, most: 4 }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Embed {
    /// Origins whose pages may frame `/embed`; empty for all.
    pub origins: Vec<String>,
}

/// The server's own pages: what it is, its documentation, its playground.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The widget by which their visitors open rooms; without it nothing runs there.
    pub widget: Option<String>,
}

/// How single programs are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execute {
    /// In whose sandboxes, unless the key pair is for others.
    pub space: String,
    /// The longest time that a program, or its compiler, may ask for.
    pub longest: Duration,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// The name that every port's own stands before, with an optional port; `localhost` if `None`.
    pub host: Option<String>,
    /// Where previews are served by paths, for want of such a name.
    pub listen: Option<SocketAddr>,
    /// Where people reach that, if it isn't at the server's own name.
    pub url: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            hosts: Vec::new(),
            proxies: Vec::new(),
            data_dir: default_data_dir(),
            database_url: None,
            engine: EngineChoice::Auto,
            log: Log { format: LogFormat::Human, filter: "info".to_owned() },
            limits: ServerLimits {
                max_message: embedenv_shared::MAX_CLIENT_MESSAGE,
                handshake: Duration::from_secs(10),
                connections: 4096,
                connections_per_address: 1024,
                failed_attempts: 20,
                api_requests: 600,
            },
            rooms: Rooms {
                most: 1000,
                members: 200,
                sleep_after: Duration::from_secs(15 * 60),
                lifetime: Duration::from_secs(24 * 60 * 60),
            },
            accounts: Accounts { sign_up: SignUp::Closed, credits: 20 },
            mail: Mail { smtp: None, from: "Embedenv <noreply@localhost>".to_owned() },
            webhooks: Webhooks::default(),
            payments_secret: None,
            retention: Retention {
                audit: Duration::from_secs(365 * 24 * 60 * 60),
                deliveries: Duration::from_secs(30 * 24 * 60 * 60),
            },
            embed: Embed::default(),
            site: Site::default(),
            execute: Execute { space: DEFAULT_SPACE.to_owned(), longest: Duration::from_secs(60) },
            languages: languages::built_in(),
            preview: Preview::default(),
            tls: Tls::default(),
            metrics_listen: None,
            spaces: BTreeMap::from([(
                DEFAULT_SPACE.to_owned(),
                Space { pool: Pool { least: 1, ..Pool::default() }, ..Space::default() },
            )]),
        }
    }
}

/// What is wrong with a setting, and where it stands.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the configuration file {path} is not TOML: {reason}")]
    Parse { path: PathBuf, reason: String },
    #[error("there is no setting {name:?} ({source_name}){}", suggestion(.name))]
    Unknown { name: String, source_name: String },
    #[error("the setting {name} ({source_name}) {reason}")]
    Value { name: String, source_name: String, reason: String },
}

impl Config {
    /// Reads the file, if one is named, then the environment, then what the flags say (names as in the file).
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Parse {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
            let mut found = Vec::new();
            flatten("", toml::Value::Table(table), &mut found);
            for (name, value) in found {
                config.apply(&name, &Raw::Toml(value), &format!("in {}", path.display()))?;
            }
        }
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix(PREFIX).filter(|name| !NOT_SETTINGS.contains(name)) else {
                continue;
            };
            let name = name.to_lowercase().replace("__", ".");
            config.apply(&name, &Raw::Text(value), &format!("from the variable {variable}"))?;
        }
        for (name, value) in flags {
            config.apply(name, &Raw::Text(value.clone()), &format!("from the flag --{}", name.replace('_', "-")))?;
        }
        Ok(config)
    }

    /// A space, by the name in the address.
    pub fn space(&self, name: &str) -> Option<&Space> {
        let name = if name == REFERENCE_SPACE { DEFAULT_SPACE } else { name };
        self.spaces.get(name)
    }

    /// The name under which a space's rooms are kept: the reference's spelling means the default.
    pub fn space_name<'a>(&self, name: &'a str) -> &'a str {
        if name == REFERENCE_SPACE { DEFAULT_SPACE } else { name }
    }

    /// The address that printed links begin with.
    pub fn link_base(&self, listening: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{listening}"),
        }
    }

    /// What the server itself speaks.
    pub fn scheme(&self) -> &'static str {
        if self.tls.certificate.is_some() { "https" } else { "http" }
    }

    fn apply(&mut self, name: &str, raw: &Raw, source_name: &str) -> Result<(), ConfigError> {
        let value_error =
            |reason| ConfigError::Value { name: name.to_owned(), source_name: source_name.to_owned(), reason };
        if let Some(setting) = settings::SETTINGS.iter().find(|setting| setting.name == name) {
            return (setting.set)(self, raw).map_err(value_error);
        }
        if let Some((space, field)) = name.strip_prefix("spaces.").and_then(|rest| rest.rsplit_once('.'))
            && let Some(setting) = settings::SPACE_SETTINGS.iter().find(|setting| setting.name == field)
        {
            if !is_space_name(space) {
                return Err(value_error("must name a space of 1 to 64 letters, digits, - or _".to_owned()));
            }
            let space = self.spaces.entry(space.to_owned()).or_default();
            return (setting.set)(space, raw).map_err(value_error);
        }
        if let Some((language, field)) = name.strip_prefix("languages.").and_then(|rest| rest.rsplit_once('.'))
            && let Some(setting) = settings::LANGUAGE_SETTINGS.iter().find(|setting| setting.name == field)
        {
            let language = self.languages.entry(language.to_owned()).or_default();
            return (setting.set)(language, raw).map_err(value_error);
        }
        Err(ConfigError::Unknown { name: name.to_owned(), source_name: source_name.to_owned() })
    }
}

fn is_space_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `/var/lib/embedenv` for root; otherwise a folder of the user's (XDG base directories).
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/embedenv");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    data.or_else(home).unwrap_or_else(std::env::temp_dir).join("embedenv")
}

/// All values of a table under their dotted names.
fn flatten(prefix: &str, value: toml::Value, found: &mut Vec<(String, toml::Value)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                flatten(&name, value, found);
            }
        }
        value => found.push((prefix.to_owned(), value)),
    }
}

/// The known setting closest to a wrong name, if one is close.
fn suggestion(name: &str) -> String {
    let known = settings::SETTINGS.iter().map(|setting| setting.name);
    let ratio = |known: &&str| (similar::TextDiff::from_chars(name, *known).ratio() * 1000.0) as u32;
    match known.max_by_key(ratio) {
        Some(closest) if ratio(&closest) > 700 => format!("; did you mean {closest:?}?"),
        _ => "; docs/configuration.md lists them all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn with_file(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(Some(file.path()), [], &[])
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"listen = \"127.0.0.1:1\"\n[spaces.default]\npool = 3\n[rooms]\nlifetime = \"2h\"\n").unwrap();
        let environment =
            [("EMBEDENV_SPACES__DEFAULT__POOL".to_owned(), "4".to_owned()), ("OTHER".to_owned(), "x".to_owned())];
        let flags = [("listen", "127.0.0.1:2".to_owned())];
        let config = Config::load(Some(file.path()), environment, &flags).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.spaces["default"].pool.least, 4);
        assert_eq!(config.rooms.lifetime, Duration::from_secs(7200));
    }

    #[test]
    fn an_unknown_setting_is_named_with_what_was_meant() {
        let error = with_file("[rooms]\nlifetme = \"2h\"\n").unwrap_err().to_string();
        assert!(error.contains("rooms.lifetme") && error.contains("rooms.lifetime"), "{error}");
        let clients = ["URL", "PUBLIC_KEY", "SECRET_KEY"].map(|name| (format!("EMBEDENV_{name}"), "x".to_owned()));
        assert!(Config::load(None, clients, &[]).is_ok());
        let environment = [("EMBEDENV_LISTN".to_owned(), "x".to_owned())];
        let error = Config::load(None, environment, &[]).unwrap_err().to_string();
        assert!(error.contains("EMBEDENV_LISTN") && error.contains("listen"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_names_the_bound() {
        let error = with_file("[limits]\nmax_message = \"1TiB\"\n").unwrap_err().to_string();
        assert!(error.contains("limits.max_message") && error.contains("16777216"), "{error}");
        assert!(with_file("listen = 7\n").is_err());
        assert!(with_file("[rooms]\nsleep_after = \"soon\"\n").is_err());
    }

    #[test]
    fn spaces_have_limits_of_their_own_and_the_reference_spelling_is_the_default() {
        let config = with_file("[spaces.small]\nmemory = \"128MiB\"\n[spaces.default]\ncpus = 0.5\n").unwrap();
        assert_eq!(config.space("small").unwrap().profile.limits.memory, 128 * 1024 * 1024);
        assert_eq!(config.space("defoult").unwrap().profile.limits.cpus, 0.5);
        assert!(config.space("none").is_none());
    }

    #[test]
    fn a_language_is_added_and_changed_by_settings() {
        let config = with_file(
            "[languages.python]\nrun = \"exec pypy3 \\\"$MAIN\\\"\"\n[languages.\"f#\"]\nversion = \"v\"\nrun = \"r\"\naliases = [\"fs\"]\n",
        )
        .unwrap();
        assert_eq!(
            (&*config.languages["python"].run, &*config.languages["python"].file),
            ("exec pypy3 \"$MAIN\"", "main.py")
        );
        assert_eq!(config.languages["f#"].aliases, ["fs"]);
        assert!(with_file("[languages.python]\nrunn = \"x\"\n").is_err());
    }

    #[test]
    fn every_setting_stands_in_the_documentation() {
        let page = include_str!("../../docs/configuration.md");
        let names = settings::SETTINGS.iter().map(|s| s.name).chain(settings::SPACE_SETTINGS.iter().map(|s| s.name));
        let names = names.chain(settings::LANGUAGE_SETTINGS.iter().map(|s| s.name));
        for name in names {
            assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/configuration.md");
        }
    }
}
