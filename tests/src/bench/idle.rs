//! What an idle room costs: memory of agent and wrapper, and of the server for each room.

use anyhow::{Context as _, Result};

use super::Row;
use crate::program::Program;
use crate::sandboxes::Sandbox;

/// Rooms that the server's share is divided by.
const ROOMS: usize = 50;

pub async fn run() -> Result<Vec<Row>> {
    let program = Program::start(0).await?;
    let first = program.full().await?;
    let before = resident(program.pid()?)?;
    let mut rooms = vec![first];
    for _ in 0..ROOMS {
        rooms.push(program.full().await?);
    }
    let each = resident(program.pid()?)?.saturating_sub(before) as f64 / ROOMS as f64;
    let sandboxes = program.sandboxes()?;
    let memory = sandboxes.iter().flat_map(Sandbox::processes).filter_map(|pid| resident(pid).ok()).sum::<u64>();
    let sandbox = memory as f64 / rooms.len() as f64;
    drop(rooms);
    drop(program);
    Ok(vec![
        Row {
            what: "memory of one idle sandbox, agent and wrapper (8 MB at most)".to_owned(),
            ours: format!("{:.2} MB", sandbox / 1e6),
            floor: "–".to_owned(),
            ratio: None,
        },
        Row {
            what: "memory of one idle room with one client in the server (256 kB at most)".to_owned(),
            ours: format!("{:.0} kB", each / 1e3),
            floor: "–".to_owned(),
            ratio: None,
        },
    ])
}

/// Resident bytes of a process.
pub(super) fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}
