//! Terminals that several people share: whose size they have, who may type, and that everybody gets every byte.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::client::{Client, Received};
use embedenv_tests::{TestServer, chance};
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

async fn open(client: &mut Client, cols: u16, rows: u16, command: Option<&str>) -> Result<u32> {
    let frame = json!({"type": "terminal-open", "project": "p", "cols": cols, "rows": rows, "command": command});
    let opened = client.request(frame).await?;
    Ok(u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?)
}

async fn resize(client: &mut Client, terminal: u32, cols: u16, rows: u16) -> Result<()> {
    let frame = json!({"type": "terminal-resize", "terminal": terminal, "cols": cols, "rows": rows});
    let answer = client.request(frame).await?;
    ensure!(answer["type"] == "done", "{answer}");
    Ok(())
}

async fn type_in(client: &mut Client, terminal: u32, text: &str) -> Result<()> {
    client.send_binary(BinaryFrame::Input { terminal: SessionId(terminal), bytes: text.as_bytes() }).await
}

/// Waits until a client is told that the terminal stands like this.
async fn told(client: &mut Client, terminal: u32, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
    let frame = |frame: &Value| frame["type"] == "terminal" && frame["terminal"] == terminal && holds(frame);
    client.frame_where(what, frame).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_is_that_of_who_typed_last_and_everybody_is_told() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    let mut bob = server.full(&key).await?;
    let mut cy = server.full(&key).await?;
    let terminal = open(&mut ada, 100, 30, None).await?;
    resize(&mut bob, terminal, 40, 20).await?;
    type_in(&mut ada, terminal, "stty size\n").await?;
    ada.output_with(terminal, "30 100").await?;

    bob.request(json!({"type": "terminal-attach", "terminal": terminal})).await?;
    type_in(&mut bob, terminal, "stty size\n").await?;
    bob.output_with(terminal, "20 40").await?;
    for client in [&mut ada, &mut cy] {
        told(client, terminal, "Bob's size", |frame| frame["cols"] == 40 && frame["rows"] == 20).await?;
    }
    // Who does not type changes nothing by a larger window.
    resize(&mut ada, terminal, 120, 50).await?;
    resize(&mut bob, terminal, 44, 22).await?;
    let frame = told(&mut cy, terminal, "Bob's new size", |frame| frame["cols"] == 44).await?;
    let driver = frame["driver"].clone();
    type_in(&mut ada, terminal, "stty size\n").await?;
    ada.output_with(terminal, "50 120").await?;
    told(&mut cy, terminal, "Ada's size", |frame| frame["cols"] == 120 && frame["driver"] != driver).await?;

    // It is hers after she left, too: who looks on from a telephone makes it no narrower, and who types does.
    drop(ada);
    cy.frame_where("Ada has left", |frame| {
        frame["type"] == "people" && frame["people"].as_array().is_some_and(|people| people.len() == 2)
    })
    .await?;
    resize(&mut cy, terminal, 60, 25).await?;
    resize(&mut bob, terminal, 44, 22).await?;
    type_in(&mut cy, terminal, "stty size\n").await?;
    let frame = told(&mut bob, terminal, "who types", |frame| frame["cols"] != 120).await?;
    assert_eq!((&frame["cols"], &frame["rows"]), (&json!(60), &json!(25)));

    // Who is here alone gets the size that they have room for, once the one who typed last has had time to come back.
    drop(cy);
    told(&mut bob, terminal, "Bob's size", |frame| frame["cols"] == 44 && frame["rows"] == 22).await?;
    Ok(())
}

/// A full client that may come back, and what it joined with.
async fn returning(server: &TestServer, key: &str, instance: &str, resume: Option<&str>) -> Result<(Client, Value)> {
    let mut client = Client::connect(&server.url()).await?;
    let join = json!({"type": "join", "join": key, "protocol": 2, "instance": instance, "resume": resume});
    client.send(join).await?;
    let joined = client.expect("joined").await?;
    Ok((client, joined))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_whose_it_was_after_a_restart_and_no_number_is_given_twice() -> Result<()> {
    let mut server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut ada, joined) = returning(&server, &key, "ada", None).await?;
    let token = joined["resume"].as_str().context("a token")?.to_owned();
    let (who, mine) = (joined["member"].clone(), open(&mut ada, 100, 30, None).await?);
    let lock = |locked| json!({"type": "terminal-lock", "terminal": mine, "locked": locked});
    ensure!(ada.request(lock(true)).await?["type"] == "done");
    let closed = open(&mut ada, 100, 30, None).await?;
    ada.request(json!({"type": "terminal-close", "terminal": closed})).await?;

    drop(ada);
    server.restart().await?;
    let mut bob = server.full(&key).await?;
    let terminal = bob.aside[0]["terminals"][0].clone();
    assert_eq!((&terminal["opener"], &terminal["driver"], &terminal["locked"]), (&who, &who, &json!(true)));
    type_in(&mut bob, mine, "echo by''bob\n").await?;
    assert_eq!(bob.expect("error").await?["code"], "forbidden");
    ensure!(open(&mut bob, 50, 20, None).await? > closed, "a client may still know the terminal of that number");

    let (mut ada, joined) = returning(&server, &key, "ada", Some(&token)).await?;
    assert_eq!(joined["member"], who);
    ensure!(ada.request(lock(false)).await?["type"] == "done");
    // A telephone that is there first makes it no narrower.
    resize(&mut bob, mine, 40, 20).await?;
    ada.request(json!({"type": "terminal-attach", "terminal": mine})).await?;
    type_in(&mut ada, mine, "stty size\n").await?;
    ada.output_with(mine, "30 100").await?;

    // A server that goes down does not wait for who has just left.
    drop(bob);
    let alone = |frame: &Value| frame["people"].as_array().is_some_and(|people| people.len() == 1);
    ada.frame_where("Bob has left", |frame| frame["type"] == "people" && alone(frame)).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_command_takes_no_line_and_no_signal_of_others() -> Result<()> {
    let server = TestServer::new().await?;
    let pair = server.key(1).await?;
    let mut owner = Client::connect(&server.url()).await?;
    let init = json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key, "protocol": 2});
    owner.send(init).await?;
    let key = owner.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let mut bob = server.full(&key).await?;
    bob.shell("p", "read line; echo got $line").await?;
    let shell = owner.frame_where("the command", |frame| frame["type"] == "terminal").await?["terminal"].clone();
    let locked = owner.request(json!({"type": "terminal-lock", "terminal": shell, "locked": true})).await?;
    ensure!(locked["type"] == "done", "{locked}");
    for line in ["a line", "Ctrl+C", "Ctrl+D"] {
        bob.shell("p", line).await?;
        assert_eq!(bob.expect("error").await?["code"], "forbidden", "{line}");
    }
    bob.command("p", json!({"type": "kill"}), json!({})).await?;
    assert_eq!(bob.expect("error").await?["code"], "forbidden");
    owner.shell("p", "hers").await?;
    told(&mut bob, u32::try_from(shell.as_u64().context("a number")?)?, "the end", |frame| frame["exit"]["code"] == 0)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_terminal_is_its_openers_and_an_owner_may_unlock_it() -> Result<()> {
    let server = TestServer::new().await?;
    let pair = server.key(1).await?;
    let mut owner = Client::connect(&server.url()).await?;
    let init = json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key, "protocol": 2});
    owner.send(init).await?;
    let key = owner.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let mut ada = server.full(&key).await?;
    let mut bob = server.full(&key).await?;
    let terminal = open(&mut ada, 80, 24, None).await?;
    let lock = |locked| json!({"type": "terminal-lock", "terminal": terminal, "locked": locked});
    assert_eq!(bob.request(lock(true)).await?["code"], "forbidden");
    assert_eq!(ada.request(lock(true)).await?["type"], "done");
    told(&mut bob, terminal, "the lock", |frame| frame["locked"] == true).await?;

    type_in(&mut bob, terminal, "echo by''bob\n").await?;
    assert_eq!(bob.expect("error").await?["code"], "forbidden");
    for frame in [
        json!({"type": "terminal-signal", "terminal": terminal, "signal": "kill"}),
        json!({"type": "terminal-close", "terminal": terminal}),
    ] {
        assert_eq!(bob.request(frame.clone()).await?["code"], "forbidden", "{frame}");
    }
    resize(&mut bob, terminal, 33, 11).await?;
    type_in(&mut ada, terminal, "stty size; echo by''ada\n").await?;
    let output = ada.output_with(terminal, "byada").await?;
    ensure!(output.contains("24 80") && !output.contains("bybob"), "{output}");

    assert_eq!(owner.request(lock(false)).await?["type"], "done");
    type_in(&mut bob, terminal, "echo by''bob\n").await?;
    ada.output_with(terminal, "bybob").await?;
    let unknown = json!({"type": "terminal-lock", "terminal": 99, "locked": true});
    assert_eq!(ada.request(unknown).await?["code"], "not_found");
    Ok(())
}

/// Whether a process of this machine was started with a command line that has this in it.
fn runs(marker: &str) -> Result<bool> {
    for entry in std::fs::read_dir("/proc")? {
        let line = std::fs::read(entry?.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(marker) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The server types by itself there what an agent is too busy for.
mod local_engine {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_program_that_ends_while_its_sandbox_is_out_of_reach_has_ended_for_everybody() -> Result<()> {
        let server = TestServer::new().await?;
        let key = server.room().await?;
        let mut ada = server.full(&key).await?;
        let mut bob = server.full(&key).await?;
        let marker = format!("marker_{}", std::process::id());
        let terminal = open(&mut ada, 80, 24, Some(&format!("echo st''arted; read {marker}; exit 3"))).await?;
        ada.output_with(terminal, "started").await?;
        let [sandbox] = &server.sandboxes()?[..] else { bail!("one sandbox") };
        sandbox.freeze()?;
        type_in(&mut ada, terminal, "\n").await?;
        while runs(&marker)? {
            tokio::task::yield_now().await;
        }
        server.cut_links()?;
        sandbox.thaw()?;
        for client in [&mut ada, &mut bob] {
            told(client, terminal, "the end", |frame| frame["exit"]["code"] == 3).await?;
        }
        Ok(())
    }
}

const FOLLOWERS: usize = 10;
/// Cuts of each of them.
const CUTS: usize = 100;

/// Follows a terminal to its end, and is cut off again and again. Returns every byte, as this client put them together.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminals_title_is_everybodys_and_bounded() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    let mut bob = server.full(&key).await?;
    let terminal = open(&mut ada, 80, 24, None).await?;
    let call = |title: &str| json!({"type": "terminal-title", "terminal": terminal, "title": title});
    let answer = bob.request(call("  the bell rang “now”  ")).await?;
    ensure!(answer["type"] == "done", "{answer}");
    told(&mut ada, terminal, "the title", |frame| frame["title"] == "the bell rang “now”").await?;
    for title in ["", "  ", "a\nb", "\u{1b}[31m", &"x".repeat(81)] {
        let answer = bob.request(call(title)).await?;
        ensure!(answer["code"] == "bad_request", "{title:?}: {answer}");
    }
    let unknown = bob.request(json!({"type": "terminal-title", "terminal": 99, "title": "x"})).await?;
    ensure!(unknown["code"] == "not_found", "{unknown}");

    ada.request(json!({"type": "terminal-lock", "terminal": terminal, "locked": true})).await?;
    let answer = bob.request(call("mine")).await?;
    ensure!(answer["code"] == "forbidden", "a locked one is its opener's to name: {answer}");
    let answer = ada.request(call("mine")).await?;
    ensure!(answer["type"] == "done", "{answer}");
    Ok(())
}

async fn follow(url: String, key: String, terminal: u32, mut chance: StdRng, is_cut: Arc<Barrier>) -> Result<Vec<u8>> {
    let mut seen: Vec<u8> = Vec::new();
    for cut in 0..=CUTS {
        let mut client = Client::connect(&url).await?;
        client.send(json!({"type": "join", "join": key, "protocol": 2})).await?;
        client.expect("joined").await?;
        client.send(json!({"type": "terminal-attach", "terminal": terminal, "from": seen.len()})).await?;
        if cut == CUTS {
            is_cut.wait().await;
        }
        // After so many frames it is cut off, in the middle of whatever the server sends.
        let mut frames = chance.random_range(1..4);
        // Who does not read the terminal yet is told of its end at once.
        let mut is_attached = false;
        while cut == CUTS || frames > 0 {
            match client.next().await? {
                Received::Binary(bytes) => {
                    let BinaryFrame::Output { offset, bytes, .. } = BinaryFrame::decode(&bytes)? else {
                        bail!("a snapshot: output was lost")
                    };
                    ensure!(offset == seen.len() as u64, "{offset} follows {}", seen.len());
                    seen.extend_from_slice(bytes);
                    frames -= 1;
                }
                Received::Text(frame) if is_attached && frame["type"] == "terminal" && frame["exit"].is_object() => {
                    return Ok(seen);
                }
                Received::Text(frame) => {
                    is_attached |= frame["type"] == "terminal-attached";
                    ensure!(frame["type"] != "terminal-gap" && frame["type"] != "error", "{frame}");
                }
                Received::Closed(code) => bail!("closed with {code:?}"),
            }
        }
    }
    bail!("the program ended before everybody was cut off {CUTS} times")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_cuts_while_a_terminal_prints_cost_nobody_a_byte() -> Result<()> {
    let seed = chance::seed();
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut host = server.full(&key).await?;
    // Less than is kept of a terminal, for as long as there is somebody to be cut off.
    let command = "stty raw -echo; i=0; while [ ! -e enough ]; do i=$((i+1)); echo line $i; [ $((i%9)) = 0 ] && sleep 0.002; done; echo $i > printed";
    let terminal = open(&mut host, 80, 24, Some(command)).await?;
    let is_cut = Arc::new(Barrier::new(FOLLOWERS + 1));
    let mut following = JoinSet::new();
    for follower in 0..FOLLOWERS as u64 {
        let chance = chance::chance(seed, follower);
        following.spawn(follow(server.url(), key.clone(), terminal, chance, is_cut.clone()));
    }
    let ended = tokio::select! {
        _ = is_cut.wait() => None,
        ended = following.join_next() => ended,
    };
    if let Some(ended) = ended {
        bail!("{:?}", ended?);
    }
    let create = json!({"type": "create", "item": "file", "path": "enough"});
    host.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    let texts = following.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let printed = host.request(json!({"type": "read", "project": "p", "path": "printed"})).await?;
    let lines: usize = printed["content"].as_str().with_context(|| printed.to_string())?.trim().parse()?;
    let expected: String = (1..=lines).map(|line| format!("line {line}\n")).collect();
    ensure!(expected.len() < 2 * 1024 * 1024, "{} bytes were printed", expected.len());
    for text in texts {
        ensure!(text == expected.as_bytes(), "{} of {} bytes", text.len(), expected.len());
    }
    Ok(())
}
