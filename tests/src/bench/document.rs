//! A document with a million edits: how long it takes to open, for one who comes to it and right after the server was
//! killed. There is no floor: the goal is a time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rand::Rng as _;
use serde_json::{Value, json};

use super::idle::resident;
use super::{Row, median, milliseconds};
use crate::chance::chance;
use crate::client::Client;
use crate::editor::Editor;
use crate::program::Program;

const EDITS: usize = 1_000_000;
/// Keys that are pressed at one place before the next; what they make stands in one update, and is the same in the
/// document as if each had its own.
const RUN: usize = 20;
/// Updates that are on their way at once.
const AT_ONCE: usize = 400;
const OPENINGS: usize = 5;
const PATH: &str = "novel.txt";

pub async fn run() -> Result<Vec<Row>> {
    let mut program = Program::start(0).await?;
    let mut host = program.full().await?;
    let opened = host.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?;
    let join = json!({"type": "join", "join": opened["join"], "protocol": 2});
    let create = json!({"type": "create", "item": "file", "path": PATH});
    host.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    let started = Instant::now();
    let lives = write(&mut host).await?;
    let wrote = EDITS as f64 / started.elapsed().as_secs_f64();
    eprintln!("{EDITS} edits at {wrote:.0} a second, {lives} lives");
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        warm.push(open(&program, &join).await?);
    }
    let memory = resident(program.pid()?)? as f64;
    for _ in 0..OPENINGS {
        program.kill().await?;
        program.restart().await?;
        cold.push(open(&program, &join).await?);
    }
    let row = |what: &str, ours: String| Row { what: what.to_owned(), ours, floor: "–".to_owned(), ratio: None };
    Ok(vec![
        row("a document of a million edits opens, median (2 s at most)", milliseconds(median(&mut warm))),
        row("the same, the first time after the server was killed", milliseconds(median(&mut cold))),
        row("the server's memory with it", format!("{:.1} MB", memory / 1e6)),
    ])
}

/// Types at places by chance. Returns how many lives the document had.
async fn write(client: &mut Client) -> Result<usize> {
    let mut chance = chance(1, 0);
    let mut editor = Editor::open(client, "p", PATH).await?;
    let (mut typed, mut lives) = (0, 1);
    while typed < EDITS {
        for _ in 0..AT_ONCE {
            let run: String = (0..RUN).map(|_| chance.random_range('a'..='z')).collect();
            editor.insert(client, chance.random_range(0..=editor.text_len()), &run).await?;
        }
        typed += AT_ONCE * RUN;
        if !held(client, &editor).await? {
            // It has got too costly, and goes on without its past.
            editor = Editor::open(client, "p", PATH).await?;
            lives += 1;
        }
    }
    Ok(lives)
}

/// Waits until the server has everything; `false` if it has begun a new life instead.
async fn held(client: &mut Client, editor: &Editor) -> Result<bool> {
    let is_it = |frame: &Value| frame["document"] == editor.document;
    let is_held = |frame: &Value| frame["type"] == "document" && frame["received"].as_u64() >= Some(editor.sent);
    let is_over = |frame: &Value| frame["type"] == "document-closed";
    let wanted = |frame: &Value| is_it(frame) && (is_held(frame) || is_over(frame));
    let frame = client.frame_where("word on the document", wanted).await?;
    client.aside.clear();
    Ok(is_held(&frame))
}

/// From asking for the document to its text, on a connection that stands.
async fn open(program: &Program, join: &Value) -> Result<Duration> {
    let mut client = Client::connect(&program.url()).await?;
    client.send(join.clone()).await?;
    client.expect("joined").await?;
    let started = Instant::now();
    let editor = Editor::open(&mut client, "p", PATH).await?;
    let took = started.elapsed();
    let length = editor.text_len();
    if (length as usize) < EDITS / 2 {
        bail!("the document has {length} characters alone");
    }
    Ok(took)
}
