//! Keystroke echo: a byte typed, the same byte on the screen, through everything between.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use futures_util::future::try_join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::floor::Floor;
use super::{Row, median, percentile};
use crate::client::{Client, Received};
use crate::program::Program;

/// Interleaved rounds, and keystrokes in each.
const ROUNDS: usize = 20;
const KEYS: usize = 100;
/// Sessions at once in the crowded case: this many rooms.
const CROWD: usize = 100;
/// Says that it is ready, then leaves the echo to the terminal itself.
const COMMAND: &str = "printf ready; exec cat";

pub async fn run() -> Result<Vec<Row>> {
    let program = Program::start(1).await?;
    let floor = Floor::start().await?;
    let mut ours = Ours::open(&program).await?;
    let mut bare = Bare::open(&floor).await?;
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..KEYS {
            theirs.push(bare.key().await?);
        }
        for _ in 0..KEYS {
            mine.push(ours.key().await?);
        }
    }
    let mut rows = vec![
        Row::times("keystroke echo, one session, median", median(&mut mine), median(&mut theirs)),
        Row::times("keystroke echo, one session, p99", percentile(&mut mine, 99), percentile(&mut theirs, 99)),
    ];
    drop((ours, bare));

    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(Ours::open(&program).await?);
    }
    let mut bare_crowd = Vec::new();
    for _ in 0..CROWD {
        bare_crowd.push(Bare::open(&floor).await?);
    }
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_time, mut bare_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS / 4 {
        let started = Instant::now();
        theirs.extend(try_join_all(bare_crowd.iter_mut().map(Bare::keys)).await?.concat());
        bare_time += started.elapsed();
        let started = Instant::now();
        mine.extend(try_join_all(crowd.iter_mut().map(Ours::keys)).await?.concat());
        our_time += started.elapsed();
    }
    rows.push(Row::times(format!("keystroke echo, {CROWD} sessions, median"), median(&mut mine), median(&mut theirs)));
    let rate = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    let (ours, bare) = (rate(mine.len(), our_time), rate(theirs.len(), bare_time));
    rows.push(Row {
        what: format!("keystrokes a second, {CROWD} sessions (more is better)"),
        ours: format!("{ours:.0}/s"),
        floor: format!("{bare:.0}/s"),
        ratio: Some(ours / bare),
    });
    Ok(rows)
}

struct Ours {
    client: Client,
    terminal: SessionId,
}

impl Ours {
    async fn open(program: &Program) -> Result<Self> {
        let mut client = program.full().await?;
        let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": COMMAND});
        let opened = client.request(open).await?;
        let terminal = u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?;
        client.output_with(terminal, "ready").await?;
        Ok(Self { client, terminal: SessionId(terminal) })
    }

    async fn key(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.client.send_binary(BinaryFrame::Input { terminal: self.terminal, bytes: b"x" }).await?;
        loop {
            match self.client.next().await? {
                Received::Binary(frame) if frame.ends_with(b"x") => return Ok(started.elapsed()),
                Received::Closed(code) => anyhow::bail!("closed with {code:?}"),
                _ => {}
            }
        }
    }

    async fn keys(&mut self) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(KEYS);
        for _ in 0..KEYS {
            times.push(self.key().await?);
        }
        Ok(times)
    }
}

struct Bare {
    socket: super::output::Socket,
}

impl Bare {
    async fn open(floor: &Floor) -> Result<Self> {
        let (mut socket, _) = tokio_tungstenite::connect_async(floor.url(COMMAND)).await?;
        let mut seen = Vec::new();
        while !seen.ends_with(b"ready") {
            let message = socket.next().await.context("the floor closed")??;
            seen.extend_from_slice(&message.into_data());
        }
        Ok(Self { socket })
    }

    async fn key(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.socket.send(Message::binary(vec![b'x'])).await?;
        let message = self.socket.next().await.context("the floor closed")??;
        ensure!(message.into_data().ends_with(b"x"), "the floor echoed something else");
        Ok(started.elapsed())
    }

    async fn keys(&mut self) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(KEYS);
        for _ in 0..KEYS {
            times.push(self.key().await?);
        }
        Ok(times)
    }
}
