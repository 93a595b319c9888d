//! Widgets: public ids by which visitors of listed sites open rooms on a key pair's credits, so many an hour and no more.
//!
//! An id holds no secret. What it can cost its owner is bounded here, in the transaction that takes the credit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv_shared::look::Look;
use embedenv_shared::path::ProjectName;
use embedenv_shared::tree::Plan;
use serde::Serialize;
use sqlx::{Any, Row as _, Transaction};

use super::{Ledger, LedgerError, keys, now};
use crate::origin::{is_source, matches};

/// Random bytes of an id.
const ID: usize = 12;
/// What every id begins with.
pub const WIDGET_PREFIX: &str = "w_";
/// The longest name of a widget, in characters.
const MAX_NAME: usize = 100;
/// The most origins of a widget.
const MAX_ORIGINS: usize = 50;
/// The most rooms an hour that a widget may open.
const MAX_HOURLY: i64 = 1_000_000;
/// The most bytes of a starting project.
pub const MAX_PROJECT: usize = 1024 * 1024;
const HOUR: i64 = 60 * 60 * 1000;

/// A widget to be made.
#[derive(Debug, Clone)]
pub struct NewWidget {
    /// The pair that makes it, and pays for what it opens.
    pub public_key: String,
    pub name: String,
    /// The origins whose pages may show it.
    pub origins: Vec<String>,
    pub space: String,
    pub project: Option<(ProjectName, Plan)>,
    pub quota: Quota,
    /// How its frame looks, as [`Look::parse`] reads it.
    pub look: String,
}

/// How many rooms a widget opens at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// In any hour, for all visitors together.
    pub per_hour: i64,
    /// In any hour, for one address.
    pub per_address: i64,
}

/// A widget as it is used.
#[derive(Debug, Clone)]
pub struct Widget {
    pub id: String,
    pub public_key: String,
    pub origins: Vec<String>,
    pub space: String,
    pub project: Option<(ProjectName, Plan)>,
    pub quota: Quota,
    pub look: Look,
}

impl Widget {
    /// Whether a page of this origin may show it.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|listed| matches(listed, origin))
    }
}

/// A widget as it is listed. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WidgetRow {
    pub widget: String,
    pub public_key: String,
    pub name: String,
    pub origins: Vec<String>,
    pub space: String,
    pub quota: Quota,
    pub look: String,
    pub created: i64,
    pub revoked: Option<i64>,
    /// Rooms opened in the last hour.
    pub opened: i64,
}

/// By which widget a room is opened, and for whom.
#[derive(Debug, Clone)]
pub struct Visit {
    pub widget: String,
    pub quota: Quota,
    /// Where the visitor comes from; only a keyed hash of it is kept, for an hour.
    pub visitor: String,
}

impl Ledger {
    /// Makes a widget and returns its id.
    pub async fn create_widget(&self, new: NewWidget) -> Result<String, LedgerError> {
        let NewWidget { public_key, name, origins, space, project, quota, look } = new;
        let name = super::name(&name, MAX_NAME)?;
        if origins.is_empty() || origins.len() > MAX_ORIGINS {
            return Err(LedgerError::Origins { most: MAX_ORIGINS });
        }
        // `*` would let any site take the owner's credits.
        if let Some(bad) = origins.iter().find(|origin| *origin == "*" || !is_source(origin)) {
            return Err(LedgerError::Origin(bad.clone()));
        }
        let look = Look::parse(&look)?;
        let is_fine = |amount: i64| (1..=MAX_HOURLY).contains(&amount);
        if !is_fine(quota.per_hour) || !is_fine(quota.per_address) {
            return Err(LedgerError::Quota { most: MAX_HOURLY });
        }
        let project = project.map(|project| postcard::to_stdvec(&project).expect("projects always serialise"));
        if project.as_ref().is_some_and(|bytes| bytes.len() > MAX_PROJECT) {
            return Err(LedgerError::Project { most: MAX_PROJECT });
        }
        let account: Option<String> =
            sqlx::query_scalar("SELECT account FROM key_pairs WHERE public_key = $1 AND revoked IS NULL")
                .bind(&public_key)
                .fetch_optional(&self.store.readers)
                .await?;
        let account = account.ok_or_else(|| LedgerError::NoKey(public_key.clone()))?;
        let id = format!("{WIDGET_PREFIX}{}", keys::random::<ID>());
        sqlx::query(
            "INSERT INTO widgets (widget, public_key, name, origins, space, project, per_hour, per_address, look, created, account) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&id)
        .bind(&public_key)
        .bind(name)
        .bind(serde_json::to_string(&origins).expect("texts always serialise"))
        .bind(&space)
        .bind(project.map(|bytes| STANDARD.encode(bytes)))
        .bind(quota.per_hour)
        .bind(quota.per_address)
        .bind(look.as_str())
        .bind(now())
        .bind(&account)
        .execute(&self.store.writer)
        .await?;
        Ok(id)
    }

    /// A widget that may be used: not revoked, and its pair neither.
    pub async fn widget(&self, id: &str) -> Result<Widget, LedgerError> {
        let row = sqlx::query(
            "SELECT widgets.public_key, origins, space, project, per_hour, per_address, look FROM widgets \
             JOIN key_pairs ON key_pairs.public_key = widgets.public_key \
             WHERE widget = $1 AND widgets.revoked IS NULL AND key_pairs.revoked IS NULL",
        )
        .bind(id)
        .fetch_optional(&self.store.readers)
        .await?
        .ok_or(LedgerError::UnknownWidget)?;
        let project = row.try_get::<Option<String>, _>(3)?.as_deref().map(project).transpose()?;
        Ok(Widget {
            id: id.to_owned(),
            public_key: row.try_get(0)?,
            origins: origins(&row.try_get::<String, _>(1)?)?,
            space: row.try_get(2)?,
            project,
            quota: Quota { per_hour: row.try_get(4)?, per_address: row.try_get(5)? },
            look: look(id, &row.try_get::<String, _>(6)?),
        })
    }

    /// All widgets, or those of one account.
    pub async fn widgets(&self, account: Option<&str>) -> Result<Vec<WidgetRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT widget, public_key, name, origins, space, per_hour, per_address, look, created, revoked, \
             (SELECT COUNT(*) FROM widget_openings o WHERE o.widget = widgets.widget AND o.created > $1) \
             FROM widgets WHERE account = COALESCE($2, account) ORDER BY created, widget",
        )
        .bind(now() - HOUR)
        .bind(account)
        .fetch_all(&self.store.readers)
        .await?;
        let row = |row: &sqlx::any::AnyRow| {
            Ok(WidgetRow {
                widget: row.try_get(0)?,
                public_key: row.try_get(1)?,
                name: row.try_get(2)?,
                origins: origins(&row.try_get::<String, _>(3)?)?,
                space: row.try_get(4)?,
                quota: Quota { per_hour: row.try_get(5)?, per_address: row.try_get(6)? },
                look: row.try_get(7)?,
                created: row.try_get(8)?,
                revoked: row.try_get(9)?,
                opened: row.try_get(10)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// From now on the widget, which is of that account if one is named, opens nothing. Rooms that are open stay.
    pub async fn revoke_widget(&self, id: &str, account: Option<&str>) -> Result<(), LedgerError> {
        let done = sqlx::query(
            "UPDATE widgets SET revoked = COALESCE(revoked, $1) WHERE widget = $2 AND account = COALESCE($3, account)",
        )
        .bind(now())
        .bind(id)
        .bind(account)
        .execute(&self.store.writer)
        .await?;
        if done.rows_affected() == 0 { Err(LedgerError::UnknownWidget) } else { Ok(()) }
    }

    /// Counts a visit, in the transaction that takes its credit. `false` if there were as many in this hour as there may be.
    pub(super) async fn visit(
        &self,
        transaction: &mut Transaction<'_, Any>,
        visit: &Visit,
        room: &str,
    ) -> Result<bool, LedgerError> {
        let visitor = STANDARD.encode(self.secret.derive("visitor", &[visit.visitor.as_bytes()]));
        let since = now() - HOUR;
        let counts = sqlx::query(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN visitor = $1 THEN 1 ELSE 0 END), 0) FROM widget_openings WHERE widget = $2 AND created > $3",
        )
        .bind(&visitor)
        .bind(&visit.widget)
        .bind(since)
        .fetch_one(&mut **transaction)
        .await?;
        let (all, theirs): (i64, i64) = (counts.try_get(0)?, counts.try_get(1)?);
        if all >= visit.quota.per_hour || theirs >= visit.quota.per_address {
            return Ok(false);
        }
        sqlx::query("DELETE FROM widget_openings WHERE created <= $1").bind(since).execute(&mut **transaction).await?;
        sqlx::query("INSERT INTO widget_openings (widget, room, visitor, created) VALUES ($1, $2, $3, $4)")
            .bind(&visit.widget)
            .bind(room)
            .bind(&visitor)
            .bind(now())
            .execute(&mut **transaction)
            .await?;
        Ok(true)
    }
}

/// How a widget's frame looks. What an earlier version let it say and this one does not know is no reason to refuse it.
fn look(widget: &str, text: &str) -> Look {
    Look::parse(text).unwrap_or_else(|error| {
        tracing::warn!(widget, %error, "a widget's look can't be read; its frame looks as all do");
        Look::default()
    })
}

fn origins(text: &str) -> Result<Vec<String>, LedgerError> {
    serde_json::from_str(text).map_err(|_| LedgerError::Unreadable("the origins of a widget"))
}

fn project(text: &str) -> Result<(ProjectName, Plan), LedgerError> {
    let unreadable = || LedgerError::Unreadable("the project of a widget");
    let bytes = STANDARD.decode(text).map_err(|_| unreadable())?;
    postcard::from_bytes(&bytes).map_err(|_| unreadable())
}
