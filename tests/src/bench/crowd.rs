//! Many terminals that print at once, at a pace: whether everybody who looks on gets all of it while it is printed.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use embedenv_shared::frame::{BinaryFrame, OUTPUT_HEADER};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::Row;
use super::floor::Floor;
use super::output::Socket;
use crate::client::{Client, Received};
use crate::program::Program;

/// Rooms, and terminals in each; a room has up to 16.
const ROOMS: usize = 20;
const TERMINALS: usize = 10;
/// Connections that follow each terminal.
const READERS: usize = 2;
/// What a terminal prints, in bytes a second.
const RATE: usize = 40_000;
/// Prints by the clock: what is due since it began, in pieces of 2,000 bytes.
const COMMAND: &str = "stty raw; exec 3<> <(:); printf -v piece %02000d 0; began=${EPOCHREALTIME/./}; sent=0; \
                       while :; do read -rt 0.05 -u 3; due=$(( (${EPOCHREALTIME/./} - began) * 40 / 1000 )); \
                       while (( sent + 2000 <= due )); do printf %s $piece; (( sent += 2000 )); done; done";
/// All of them print for this long before anything is counted, and then while it is.
const WARM_UP: Duration = Duration::from_secs(3);
const COUNTED: Duration = Duration::from_secs(15);

pub async fn run() -> Result<Vec<Row>> {
    let (ours, worst) = ours().await?;
    let floor = bare().await?;
    let all = ROOMS * TERMINALS;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    Ok(vec![
        Row {
            what: format!("delivered of {all} terminals' {} kB/s each, {READERS} readers (95 % at least)", RATE / 1000),
            ours: percent(ours),
            floor: percent(floor),
            ratio: Some(ours / floor),
        },
        Row {
            what: "the same, the connection that got least".to_owned(),
            ours: percent(worst),
            floor: "–".to_owned(),
            ratio: None,
        },
    ])
}

/// What share of the bytes that were due came, to all and to the connection that got least.
async fn ours() -> Result<(f64, f64)> {
    let program = Program::start(0).await?;
    let mut clients = Vec::new();
    for _ in 0..ROOMS {
        let mut opener = program.full().await?;
        let init = opener.aside.iter().find(|frame| frame["type"] == "init").context("the answer to init")?;
        let join = init["join"].clone();
        let mut others = Vec::new();
        for _ in 1..READERS {
            others.push(look_on(&program, &join).await?);
        }
        for _ in 0..TERMINALS {
            let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": COMMAND});
            let terminal = opener.request(open).await?["terminal"].clone();
            for other in &mut others {
                other.send(json!({"type": "terminal-attach", "terminal": terminal})).await?;
            }
        }
        clients.push(opener);
        clients.append(&mut others);
    }
    let from = Instant::now() + WARM_UP;
    let counted = try_join_all(clients.iter_mut().map(|client| count(client, from, from + COUNTED))).await?;
    let due = (TERMINALS * RATE) as f64 * COUNTED.as_secs_f64();
    let all = counted.iter().sum::<usize>() as f64;
    let least = counted.iter().min().copied().unwrap_or_default() as f64;
    Ok((all / (due * counted.len() as f64), least / due))
}

async fn look_on(program: &Program, join: &Value) -> Result<Client> {
    let mut client = Client::connect(&program.url()).await?;
    client.send(json!({"type": "join", "join": join, "protocol": 2})).await?;
    client.expect("joined").await?;
    Ok(client)
}

/// The bytes of output that come between two instants.
async fn count(client: &mut Client, from: Instant, to: Instant) -> Result<usize> {
    let mut bytes = 0;
    loop {
        let Ok(received) = timeout_at(to, client.next()).await else { return Ok(bytes) };
        match received? {
            Received::Binary(frame) => match BinaryFrame::decode(&frame)? {
                BinaryFrame::Output { .. } if Instant::now() >= from => bytes += frame.len() - OUTPUT_HEADER,
                BinaryFrame::Output { .. } => {}
                other => bail!("a reader fell behind: {other:?}"),
            },
            Received::Text(_) => {}
            Received::Closed(code) => bail!("a reader was dropped with {code:?}"),
        }
    }
}

async fn bare() -> Result<f64> {
    let floor = Floor::start().await?;
    let command = format!("exec bash -c '{COMMAND}'");
    let mut sockets = Vec::new();
    for _ in 0..ROOMS * TERMINALS {
        let (socket, _) = tokio_tungstenite::connect_async(floor.url(&command)).await?;
        sockets.push(socket);
    }
    let from = Instant::now() + WARM_UP;
    let counted = try_join_all(sockets.iter_mut().map(|socket| count_bare(socket, from, from + COUNTED))).await?;
    Ok(counted.iter().sum::<usize>() as f64 / ((counted.len() * RATE) as f64 * COUNTED.as_secs_f64()))
}

async fn count_bare(socket: &mut Socket, from: Instant, to: Instant) -> Result<usize> {
    let mut bytes = 0;
    while let Ok(message) = timeout_at(to, socket.next()).await {
        let message = message.context("the floor closed")??;
        if Instant::now() >= from {
            bytes += message.len();
        }
    }
    Ok(bytes)
}
