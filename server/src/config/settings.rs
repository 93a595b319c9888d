//! The table of settings: for each its name, what it does, and how a value is read and held to its bounds.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::languages::Language;
use super::{Config, EngineChoice, LogFormat, PaymentsSecret, SecretUrl, SignUp, Space};
use crate::egress::PROXY_PORT;
use crate::egress::allow::AllowList;
use crate::ledger::{THOUSANDTHS, WIDGET_PREFIX};

/// A value as it was written.
#[derive(Debug, Clone)]
pub enum Raw {
    Toml(toml::Value),
    Text(String),
}

/// One setting of the server.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub set: fn(&mut Config, &Raw) -> Result<(), String>,
}

/// One setting of a space: `spaces.SPACE.NAME`.
#[derive(Debug)]
pub struct SpaceSetting {
    pub name: &'static str,
    pub set: fn(&mut Space, &Raw) -> Result<(), String>,
}

/// One setting of a language: `languages.NAME.FIELD`.
#[derive(Debug)]
pub struct LanguageSetting {
    pub name: &'static str,
    pub set: fn(&mut Language, &Raw) -> Result<(), String>,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const DAY: u64 = 24 * 60 * 60;

pub const SETTINGS: &[Setting] = &[
    Setting { name: "listen", set: |c, raw| parsed(raw, "must be an address and a port").map(|v| c.listen = v) },
    Setting { name: "public_url", set: |c, raw| web_url(raw).map(|v| c.public_url = Some(v)) },
    Setting { name: "hosts", set: |c, raw| list(raw).map(|v| c.hosts = v) },
    Setting { name: "proxies", set: |c, raw| networks(raw).map(|v| c.proxies = v) },
    Setting { name: "data_dir", set: |c, raw| text(raw).map(|v| c.data_dir = v.into()) },
    Setting {
        name: "database_url",
        set: |c, raw| {
            let url = SecretUrl::postgres(&text(raw)?);
            c.database_url = Some(url.ok_or("must begin with postgres:// or postgresql://")?);
            Ok(())
        },
    },
    Setting {
        name: "engine",
        set: |c, raw| {
            c.engine = match text(raw)?.as_str() {
                "auto" => EngineChoice::Auto,
                "local" => EngineChoice::Local,
                "docker" => EngineChoice::Docker,
                _ => return Err("must be auto, local or docker".to_owned()),
            };
            Ok(())
        },
    },
    Setting {
        name: "log.format",
        set: |c, raw| {
            c.log.format = match text(raw)?.as_str() {
                "human" => LogFormat::Human,
                "json" => LogFormat::Json,
                _ => return Err("must be human or json".to_owned()),
            };
            Ok(())
        },
    },
    Setting { name: "log.filter", set: |c, raw| text(raw).map(|v| c.log.filter = v) },
    Setting {
        name: "limits.max_message",
        // The agent link carries one whole message at most; its own bound leaves no room for more.
        set: |c, raw| size(raw, 4 * KIB, 16 * MIB).map(|v| c.limits.max_message = v as usize),
    },
    Setting { name: "limits.handshake", set: |c, raw| duration(raw, 1, 5 * 60).map(|v| c.limits.handshake = v) },
    Setting {
        name: "limits.connections",
        set: |c, raw| whole(raw, 1, 1_000_000).map(|v| c.limits.connections = v as usize),
    },
    Setting {
        name: "limits.connections_per_address",
        set: |c, raw| whole(raw, 1, 1_000_000).map(|v| c.limits.connections_per_address = v as usize),
    },
    Setting {
        name: "limits.failed_attempts",
        set: |c, raw| whole(raw, 1, 10_000).map(|v| c.limits.failed_attempts = v as u32),
    },
    Setting {
        name: "limits.api_requests",
        set: |c, raw| whole(raw, 1, 1_000_000).map(|v| c.limits.api_requests = v as u32),
    },
    Setting {
        name: "accounts.sign_up",
        set: |c, raw| {
            c.accounts.sign_up = match text(raw)?.as_str() {
                "closed" => SignUp::Closed,
                "invitation" => SignUp::Invitation,
                "open" => SignUp::Open,
                _ => return Err("must be closed, invitation or open".to_owned()),
            };
            Ok(())
        },
    },
    Setting {
        name: "accounts.credits",
        set: |c, raw| whole(raw, 0, 1_000_000_000).map(|v| c.accounts.credits = v.cast_signed()),
    },
    Setting {
        name: "mail.smtp",
        set: |c, raw| {
            let url = SecretUrl::smtp(&text(raw)?);
            c.mail.smtp = Some(url.ok_or("must begin with smtp:// or smtps://")?);
            Ok(())
        },
    },
    Setting { name: "mail.from", set: |c, raw| text(raw).map(|v| c.mail.from = v) },
    Setting { name: "webhooks.inward", set: |c, raw| networks(raw).map(|v| c.webhooks.inward = v) },
    Setting {
        name: "payments.secret",
        set: |c, raw| {
            let secret = PaymentsSecret::read(&text(raw)?);
            c.payments_secret = Some(secret.ok_or("must be whsec_ and at least 24 bytes in Base64")?);
            Ok(())
        },
    },
    Setting { name: "retention.audit", set: |c, raw| duration(raw, DAY, 3650 * DAY).map(|v| c.retention.audit = v) },
    Setting {
        name: "retention.deliveries",
        set: |c, raw| duration(raw, 60, 3650 * DAY).map(|v| c.retention.deliveries = v),
    },
    Setting { name: "rooms.most", set: |c, raw| whole(raw, 1, 100_000).map(|v| c.rooms.most = v as usize) },
    Setting { name: "rooms.members", set: |c, raw| whole(raw, 1, 10_000).map(|v| c.rooms.members = v as usize) },
    Setting { name: "rooms.sleep_after", set: |c, raw| duration(raw, 1, 30 * DAY).map(|v| c.rooms.sleep_after = v) },
    Setting { name: "rooms.lifetime", set: |c, raw| duration(raw, 60, 3650 * DAY).map(|v| c.rooms.lifetime = v) },
    Setting { name: "preview.host", set: |c, raw| text(raw).map(|v| c.preview.host = Some(v)) },
    Setting {
        name: "preview.listen",
        set: |c, raw| parsed(raw, "must be an address and a port").map(|v| c.preview.listen = Some(v)),
    },
    Setting { name: "preview.url", set: |c, raw| web_url(raw).map(|v| c.preview.url = Some(v)) },
    Setting {
        name: "metrics.listen",
        set: |c, raw| parsed(raw, "must be an address and a port").map(|v| c.metrics_listen = Some(v)),
    },
    Setting { name: "tls.certificate", set: |c, raw| text(raw).map(|v| c.tls.certificate = Some(v.into())) },
    Setting { name: "tls.key", set: |c, raw| text(raw).map(|v| c.tls.key = Some(v.into())) },
    Setting {
        name: "tls.redirect",
        set: |c, raw| parsed(raw, "must be an address and a port").map(|v| c.tls.redirect = Some(v)),
    },
    Setting { name: "embed.origins", set: |c, raw| list(raw).map(|v| c.embed.origins = v) },
    Setting { name: "execute.space", set: |c, raw| text(raw).map(|v| c.execute.space = v) },
    Setting { name: "execute.longest", set: |c, raw| duration(raw, 1, DAY).map(|v| c.execute.longest = v) },
    Setting { name: "site.widget", set: |c, raw| widget(raw).map(|v| c.site.widget = Some(v)) },
];

pub const SPACE_SETTINGS: &[SpaceSetting] = &[
    SpaceSetting { name: "memory", set: |s, raw| size(raw, 16 * MIB, 1024 * GIB).map(|v| s.profile.limits.memory = v) },
    SpaceSetting { name: "cpus", set: |s, raw| number(raw, 0.05, 1024.0).map(|v| s.profile.limits.cpus = v) },
    SpaceSetting {
        name: "processes",
        set: |s, raw| whole(raw, 8, 100_000).map(|v| s.profile.limits.processes = v as u32),
    },
    SpaceSetting {
        name: "open_files",
        set: |s, raw| whole(raw, 64, 1_000_000).map(|v| s.profile.limits.open_files = v as u32),
    },
    SpaceSetting { name: "disk", set: |s, raw| size(raw, MIB, 1024 * GIB).map(|v| s.profile.limits.disk = v) },
    SpaceSetting { name: "inodes", set: |s, raw| whole(raw, 100, 1_000_000_000).map(|v| s.profile.limits.inodes = v) },
    SpaceSetting { name: "tmp", set: |s, raw| size(raw, MIB, 1024 * GIB).map(|v| s.profile.limits.tmp = v) },
    SpaceSetting {
        name: "egress",
        set: |s, raw| {
            s.egress.hosts = AllowList::parse(&list(raw)?)?;
            s.profile.proxy = (!s.egress.hosts.is_empty()).then_some(PROXY_PORT);
            Ok(())
        },
    },
    SpaceSetting { name: "egress_bytes", set: |s, raw| size(raw, MIB, 1024 * 1024 * GIB).map(|v| s.egress.bytes = v) },
    SpaceSetting { name: "image", set: |s, raw| name(raw).map(|v| s.profile.image = v) },
    SpaceSetting { name: "runtime", set: |s, raw| name(raw).map(|v| s.profile.runtime = Some(v)) },
    SpaceSetting {
        name: "minute_price",
        set: |s, raw| {
            let price = number(raw, 0.0, 1000.0)?;
            s.minute_price = (price * THOUSANDTHS as f64).round() as u32;
            // What is less would be free, which nobody meant.
            if price > 0.0 && s.minute_price == 0 { Err("must be 0, or 0.001 and more".to_owned()) } else { Ok(()) }
        },
    },
    SpaceSetting { name: "pool", set: |s, raw| whole(raw, 0, 1_000).map(|v| s.pool.least = v as usize) },
    SpaceSetting { name: "pool_most", set: |s, raw| whole(raw, 0, 1_000).map(|v| s.pool.most = v as usize) },
];

pub const LANGUAGE_SETTINGS: &[LanguageSetting] = &[
    LanguageSetting { name: "version", set: |l, raw| text(raw).map(|v| l.version = v) },
    LanguageSetting { name: "aliases", set: |l, raw| list(raw).map(|v| l.aliases = v) },
    LanguageSetting { name: "file", set: |l, raw| text(raw).map(|v| l.file = v) },
    LanguageSetting { name: "compile", set: |l, raw| text(raw).map(|v| l.compile = Some(v).filter(|v| !v.is_empty())) },
    LanguageSetting { name: "run", set: |l, raw| text(raw).map(|v| l.run = v) },
];

fn web_url(raw: &Raw) -> Result<String, String> {
    let url = text(raw)?;
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(url)
    } else {
        Err("must begin with http:// or https://".to_owned())
    }
}

/// The id of a widget, such as its maker was told.
fn widget(raw: &Raw) -> Result<String, String> {
    let text = text(raw)?;
    let is_id = text
        .strip_prefix(WIDGET_PREFIX)
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    if is_id { Ok(text) } else { Err(format!("must be the id of a widget, which begins with {WIDGET_PREFIX}")) }
}

fn text(raw: &Raw) -> Result<String, String> {
    match raw {
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) => Ok(text.clone()),
        Raw::Toml(_) => Err("must be a text".to_owned()),
    }
}

/// What the engine calls something: letters, digits and what stands between them in names of images.
fn name(raw: &Raw) -> Result<String, String> {
    let text = text(raw)?;
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 255
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@".contains(c));
    if fits { Ok(text) } else { Err("must be a name such as \"registry.example.org/team/image:tag\"".to_owned()) }
}

fn parsed<T: std::str::FromStr>(raw: &Raw, otherwise: &str) -> Result<T, String> {
    text(raw)?.parse().map_err(|_| otherwise.to_owned())
}

/// A list, or in the environment and in flags its parts between commas.
fn list(raw: &Raw) -> Result<Vec<String>, String> {
    match raw {
        Raw::Text(text) => {
            Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        Raw::Toml(toml::Value::Array(parts)) => {
            parts.iter().map(|part| text(&Raw::Toml(part.clone()))).collect::<Result<_, _>>()
        }
        Raw::Toml(_) => Err("must be a list of texts".to_owned()),
    }
}

fn networks(raw: &Raw) -> Result<Vec<IpNet>, String> {
    let network = |text: String| {
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse()
            .ok()
            .or_else(address)
            .ok_or_else(|| format!("{text:?} is no address and no network such as 10.0.0.0/8"))
    };
    list(raw)?.into_iter().map(network).collect()
}

fn whole(raw: &Raw, least: u64, most: u64) -> Result<u64, String> {
    let value = match raw {
        Raw::Toml(toml::Value::Integer(number)) => u64::try_from(*number).ok(),
        Raw::Text(text) => text.parse().ok(),
        Raw::Toml(_) => None,
    };
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

fn number(raw: &Raw, least: f64, most: f64) -> Result<f64, String> {
    let value = match raw {
        Raw::Toml(toml::Value::Integer(number)) => Some(*number as f64),
        Raw::Toml(toml::Value::Float(number)) => Some(*number),
        Raw::Text(text) => text.parse().ok(),
        Raw::Toml(_) => None,
    };
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("must be a number from {least} to {most}"))
}

/// Bytes: a whole number, or one with KiB, MiB or GiB.
fn size(raw: &Raw, least: u64, most: u64) -> Result<u64, String> {
    let value = match raw {
        Raw::Toml(toml::Value::Integer(number)) => u64::try_from(*number).ok(),
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) => {
            with_unit(text, &[("KiB", KIB), ("MiB", MIB), ("GiB", GIB), ("TiB", 1024 * GIB), ("", 1)])
        }
        Raw::Toml(_) => None,
    };
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("must be a size like \"16MiB\", from {least} to {most} bytes"))
}

/// A time: a whole number with ms, s, m, h or d.
fn duration(raw: &Raw, least: u64, most: u64) -> Result<Duration, String> {
    let value = match raw {
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) => {
            with_unit(text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", DAY * 1000)])
        }
        Raw::Toml(_) => None,
    };
    value
        .map(Duration::from_millis)
        .filter(|value| (Duration::from_secs(least)..=Duration::from_secs(most)).contains(value))
        .ok_or_else(|| format!("must be a time like \"15m\", from {least} to {most} seconds"))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
    let (number, unit) = text.trim().split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}
