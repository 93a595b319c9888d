//! A tree of small files in one `project` frame, beside plain writes of the same files.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Row, median};
use crate::program::Program;

const ROUNDS: usize = 5;
const CONTENT: &str = "print('a small file')\n";

pub async fn run() -> Result<Vec<Row>> {
    let program = Program::start(1).await?;
    let mut client = program.full().await?;
    let mut rows = Vec::new();
    for count in [1_000, 10_000] {
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            plain.push(plain_writes(count)?);
            let tree = tree(count).to_string();
            let frame = json!({"type": "cmd", "project_name": format!("p{count}-{round}"), "command": {"type": "project"}, "file_structure": tree});
            let started = Instant::now();
            let reply = client.request(frame).await?;
            ours.push(started.elapsed());
            ensure!(reply["type"] == "msg", "{reply}");
        }
        rows.push(Row::times(
            format!("{count} small files in one frame, beside plain writes, median"),
            median(&mut ours),
            median(&mut plain),
        ));
    }
    Ok(rows)
}

fn tree(count: usize) -> Value {
    let files: Vec<Value> =
        (0..count).map(|n| json!({"name": format!("file{n}.py"), "type": "file", "content": CONTENT})).collect();
    json!({"name": "project", "type": "folder", "children": files})
}

fn plain_writes(count: usize) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    for n in 0..count {
        std::fs::write(folder.path().join(format!("file{n}.py")), CONTENT)?;
    }
    Ok(started.elapsed())
}
