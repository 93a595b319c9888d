//! Benchmarks of the real program against floors measured in the same run.
//!
//! The server under test is the release binary in a process of its own; the floor is a bare axum WebSocket on a bare
//! pseudo-terminal, in a process of its own too. Rounds of both are interleaved, so that a machine whose speed drifts
//! drifts for both.

pub mod crowd;
pub mod docker;
pub mod document;
pub mod echo;
pub mod files;
pub mod floor;
pub mod idle;
pub mod init;
pub mod output;
mod peers;
pub mod preview;
pub mod start;
pub mod together;

use std::time::Duration;

use anyhow::Result;

/// What can be asked for by name.
pub const NAMES: [&str; 11] =
    ["start", "init", "echo", "output", "crowd", "together", "document", "files", "preview", "idle", "docker"];

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    pub what: String,
    pub ours: String,
    pub floor: String,
    pub ratio: Option<f64>,
}

impl Row {
    /// Two times and their ratio.
    pub fn times(what: impl Into<String>, ours: Duration, floor: Duration) -> Self {
        let ratio = ours.as_secs_f64() / floor.as_secs_f64().max(f64::EPSILON);
        Self { what: what.into(), ours: milliseconds(ours), floor: milliseconds(floor), ratio: Some(ratio) }
    }
}

pub async fn run(wanted: &[String]) -> Result<()> {
    println!("| what | embedenv | floor | ratio |");
    println!("| --- | --- | --- | --- |");
    for name in NAMES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("bench {name} …");
        let rows = match name {
            "start" => start::run().await?,
            "init" => init::run().await?,
            "echo" => echo::run().await?,
            "output" => output::run().await?,
            "crowd" => crowd::run().await?,
            "together" => together::run().await?,
            "preview" => preview::run().await?,
            "document" => document::run().await?,
            "files" => files::run().await?,
            "docker" => docker::run().await?.unwrap_or_default(),
            _ => idle::run().await?,
        };
        for Row { what, ours, floor, ratio } in rows {
            let ratio = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            println!("| {what} | {ours} | {floor} | {ratio} |");
        }
    }
    Ok(())
}

/// The middle value, sorted in place.
pub fn median(times: &mut [Duration]) -> Duration {
    percentile(times, 50)
}

/// The value that `percent` of all are not above.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len().saturating_sub(1)) * percent / 100).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.3} ms") } else { format!("{ms:.1} ms") }
}
