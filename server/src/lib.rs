//! The edge server of Embedenv as a library: what `embedenv serve` starts, and what the tests start in-process.

pub mod accounts;
pub mod backup;
pub mod cli;
pub mod config;
mod data_dir;
pub mod doctor;
pub mod egress;
pub mod engine;
pub mod execute;
pub mod http;
pub mod journal;
pub mod ledger;
pub mod link;
pub mod mail;
pub mod metrics;
pub mod origin;
pub mod passwords;
pub mod policy;
pub mod room;
pub mod server;
pub mod tasks;
pub mod telemetry;
mod upkeep;
pub mod webhooks;
