//! Terminal output: `cat` of a large file, every byte of it through to a client that reads as fast as it can.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Row;
use super::floor::Floor;
use crate::client::Received;
use crate::program::Program;
use crate::sandboxes::Sandbox;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The file: lines of text, this many bytes in all.
const BYTES: u64 = 200_000_000;
/// Interleaved rounds.
const ROUNDS: usize = 3;
/// Makes the file once, where `cat` then finds it in memory.
const MAKE: &str =
    "test -e big || yes 'the quick brown fox jumps over the lazy dog 0123456789' | head -c 200000000 > big";
const CLOCK_TICKS: f64 = 100.0;

pub async fn run() -> Result<Vec<Row>> {
    let program = Program::start(1).await?;
    let floor = Floor::start().await?;
    let folder = tempfile::tempdir()?;
    let bare_command = format!("cd {} && {MAKE}; printf go; cat big; printf '=END='", folder.path().display());
    let command = format!("{MAKE}; printf go; cat big; printf '=END='");
    let mut client = program.full().await?;
    let (mut ours, mut bare) = (Duration::MAX, Duration::MAX);
    let mut cpu = 0.0;
    let mut most_memory = 0;
    for _ in 0..ROUNDS {
        let (mut socket, _) = tokio_tungstenite::connect_async(floor.url(&bare_command)).await?;
        bare = bare.min(drain_bare(&mut socket).await?);

        let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": command});
        client.request(open).await?;
        let before = cpu_seconds(&program)?;
        ours = ours.min(drain_ours(&mut client, &program, &mut most_memory).await?);
        cpu = cpu_seconds(&program)? - before;
    }
    let rate = |time: Duration| BYTES as f64 / 1e6 / time.as_secs_f64();
    Ok(vec![
        Row {
            what: "output of `cat` on 200 MB (more is better)".to_owned(),
            ours: format!("{:.1} MB/s", rate(ours)),
            floor: format!("{:.1} MB/s", rate(bare)),
            ratio: Some(rate(ours) / rate(bare)),
        },
        Row {
            what: "processor time of server and agent for 1 GB of output".to_owned(),
            ours: format!("{:.1} s", cpu * 1e9 / BYTES as f64),
            floor: "–".to_owned(),
            ratio: None,
        },
        Row {
            what: "the server's largest resident set meanwhile".to_owned(),
            ours: format!("{:.1} MB", most_memory as f64 / 1e6),
            floor: "–".to_owned(),
            ratio: None,
        },
    ])
}

async fn drain_bare(socket: &mut Socket) -> Result<Duration> {
    let mut started = None;
    let mut tail = Vec::new();
    while let Some(message) = socket.next().await {
        let bytes = message?.into_data();
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(8)..]);
        tail.drain(..tail.len().saturating_sub(8));
        started.get_or_insert_with(Instant::now);
        if tail.ends_with(b"=END=") {
            return Ok(started.context("there was output")?.elapsed());
        }
    }
    bail!("the floor closed before the end")
}

async fn drain_ours(client: &mut crate::client::Client, program: &Program, most: &mut u64) -> Result<Duration> {
    let mut started = None;
    let mut tail = Vec::new();
    let mut frames = 0u64;
    loop {
        match client.next().await? {
            Received::Binary(frame) => {
                let bytes = &frame[embedenv_shared::frame::OUTPUT_HEADER..];
                tail.extend_from_slice(&bytes[bytes.len().saturating_sub(8)..]);
                tail.drain(..tail.len().saturating_sub(8));
                started.get_or_insert_with(Instant::now);
                if tail.ends_with(b"=END=") {
                    return Ok(started.context("there was output")?.elapsed());
                }
                frames += 1;
                if frames.is_multiple_of(256) {
                    *most = (*most).max(super::idle::resident(program.pid()?)?);
                }
            }
            Received::Text(frame) if frame["type"] == "terminal-gap" => bail!("there was a gap"),
            Received::Text(_) => {}
            Received::Closed(code) => bail!("closed with {code:?}"),
        }
    }
}

/// Processor seconds of the server and of every agent it started.
fn cpu_seconds(program: &Program) -> Result<f64> {
    let mut ticks = ticks_of(program.pid()?)?;
    for pid in program.sandboxes()?.iter().flat_map(Sandbox::processes) {
        ticks += ticks_of(pid).unwrap_or(0);
    }
    Ok(ticks as f64 / CLOCK_TICKS)
}

fn ticks_of(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("a stat line")?.1.split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}
