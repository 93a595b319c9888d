//! What an idle room costs: memory of agent and wrapper, and of the server for each room.

use anyhow::{Context as _, Result};

use super::Row;
use super::program::Program;

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
    let pids = agents(&program)?;
    let sandbox = pids.iter().filter_map(|pid| resident(*pid).ok()).sum::<u64>() as f64 / rooms.len() as f64;
    drop(rooms);
    program.stop().await?;
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

/// Processes of this server's sandboxes: wrappers, which name its data directory, and their agents.
pub(super) fn agents(program: &Program) -> Result<Vec<u32>> {
    let data = program.data_dir();
    let data = data.to_str().context("a path in UTF-8")?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if Some(pid) == program.pid().ok() || !String::from_utf8_lossy(&line).contains(data) {
            continue;
        }
        found.push(pid);
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    Ok(found)
}
