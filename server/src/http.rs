//! HTTP: the accept loop, the one table of routes, and what stands in front of every one of them.
//!
//! Translates between the web and the rooms; decides nothing about either.

pub mod accept;
pub mod address;
pub mod assets;
pub mod attempts;
pub mod headers;
pub mod host;
pub mod problem;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::config::Config;
use crate::room::registry::Registry;
use crate::tasks::Tasks;
use attempts::Attempts;

/// What every route may reach.
#[derive(Debug, Clone)]
pub struct Doors {
    pub config: Arc<Config>,
    pub registry: Arc<Registry>,
    pub attempts: Arc<Attempts>,
    pub tasks: Tasks,
}
