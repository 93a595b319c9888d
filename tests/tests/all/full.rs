//! Full clients: terminals that resume, documents that two people edit, keys and roles, and a sandbox that dies.

use anyhow::{Context as _, Result, bail, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, Received, shown};
use embedenv_tests::editor::Editor;
use serde_json::{Value, json};

/// Opens a terminal and returns its number.
async fn terminal(client: &mut Client, command: Option<&str>) -> Result<u32> {
    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": command});
    let opened = client.request(open).await?;
    Ok(u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?)
}

async fn type_in(client: &mut Client, terminal: u32, text: &str) -> Result<()> {
    client.send_binary(BinaryFrame::Input { terminal: SessionId(terminal), bytes: text.as_bytes() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_on_from_its_offset_after_a_reconnect() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let number = terminal(&mut client, None).await?;
    type_in(&mut client, number, "echo fir''st\n").await?;
    client.output_with(number, "first\r\n").await?;
    let seen: usize = client.output.iter().map(|(.., bytes)| bytes.len()).sum();
    drop(client);

    let mut client = server.full(&join).await?;
    let attached = client.request(json!({"type": "terminal-attach", "terminal": number, "from": seen})).await?;
    assert_eq!(attached["from"], seen);
    type_in(&mut client, number, "echo sec''ond\n").await?;
    let output = client.output_with(number, "second\r\n").await?;
    assert!(!output.contains("first"), "{output}");

    let mut late = server.full(&join).await?;
    late.request(json!({"type": "terminal-attach", "terminal": number, "from": 0})).await?;
    let output = late.output_with(number, "second\r\n").await?;
    assert!(output.contains("first"), "a late joiner has the scrollback: {output}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_is_told_after_its_output() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let number = terminal(&mut client, Some("seq 1 20000; exit 3")).await?;
    let ended = |frame: &Value| frame["type"] == "terminal" && frame["terminal"] == number && !frame["exit"].is_null();
    let exit = client.frame_where("the exit", ended).await?;
    assert_eq!(exit["exit"]["code"], 3);
    assert!(exit["exit"]["signal"].is_null());
    let (elapsed, memory) = (exit["exit"]["elapsed"].as_u64(), exit["exit"]["memory"].as_u64());
    assert!(elapsed.is_some_and(|elapsed| elapsed < 60_000), "{exit}");
    assert!(memory.is_some_and(|memory| (100_000..1_000_000_000).contains(&memory)), "{exit}");
    assert!(client.output_of(number).ends_with("20000\r\n"));

    // One that has ended before anybody could look is told too.
    for _ in 0..20 {
        let number = terminal(&mut client, Some("exit 4")).await?;
        let ended = |frame: &Value| frame["terminal"] == number && frame["exit"]["code"] == 4;
        client.frame_where("the exit", ended).await?;
        client.request(json!({"type": "terminal-close", "terminal": number})).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_reaches_the_program_and_everybody() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let mut other = server.full(&join).await?;
    let number = terminal(&mut client, None).await?;
    client.request(json!({"type": "terminal-resize", "terminal": number, "cols": 101, "rows": 37})).await?;
    type_in(&mut client, number, "stty size\n").await?;
    client.output_with(number, "37 101").await?;
    other.frame_where("the new size", |frame| frame["type"] == "terminal" && frame["cols"] == 101).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_goes_through_a_command_that_holds_up_nothing_else() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let create = json!({"type": "create", "item": "file", "path": "go"});
    let pipe = json!({
        "type": "pipe", "id": "slow", "project": "p", "input": "words\n",
        "command": "until [ -e go ]; do sleep 0.01; done; tr a-z A-Z; echo no >&2; exit 4",
    });
    client.send(pipe).await?;
    // It ends by what comes after it on the same connection; whose answer is first is left to chance.
    client.send(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    let piped = client.frame_where("its answer", |frame| frame["id"] == "slow").await?;
    assert_eq!(piped, json!({"type": "piped", "id": "slow", "code": 4, "output": "WORDS\n", "errors": "no\n"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_watches_and_changes_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut editor = server.full(&join).await?;
    let number = terminal(&mut editor, None).await?;
    let key = editor.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let viewer_key = key["join"].as_str().context("a key")?.to_owned();
    let refused = editor.request(json!({"type": "key-mint", "role": "owner"})).await?;
    assert_eq!(refused["code"], "forbidden");

    let mut viewer = server.full(&viewer_key).await?;
    viewer.request(json!({"type": "terminal-attach", "terminal": number})).await?;
    for frame in [
        json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24}),
        json!({"type": "terminal-close", "terminal": number}),
        json!({"type": "key-mint", "role": "viewer"}),
        json!({"type": "pipe", "project": "p", "command": "touch typed"}),
        json!({"type": "cmd", "project_name": "p", "command": {"type": "shell", "command": "touch x"}}),
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "x", "content": ""}),
    ] {
        assert_eq!(viewer.request(frame.clone()).await?["code"], "forbidden", "{frame}");
    }
    type_in(&mut viewer, number, "touch typed\n").await?;
    assert_eq!(viewer.expect("error").await?["code"], "forbidden");
    type_in(&mut editor, number, "ls; echo list''ed\n").await?;
    let output = viewer.output_with(number, "listed").await?;
    assert!(!output.contains("typed"), "{output}");

    editor.request(json!({"type": "key-revoke", "join": viewer_key})).await?;
    assert_eq!(viewer.closed().await?, Some(4404));
    let mut again = Client::connect(&server.url()).await?;
    again.send(json!({"type": "join", "join": viewer_key})).await?;
    assert_eq!(again.frame().await?["code"], "unknown_join_key");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_watched_tells_what_changed() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let listing = client.request(json!({"type": "list", "project": "p", "path": "", "watch": true})).await?;
    assert_eq!(listing["entries"], json!([]));
    let mut plain = server.plain(&join).await?;
    plain.shell("p", "mkdir sub; echo x > new.txt").await?;
    client.frame_where("the change", |frame| frame["type"] == "changed" && frame["path"] == "").await?;
    plain.until_end().await?;
    let listing = client.request(json!({"type": "list", "project": "p", "path": ""})).await?;
    let names: Vec<_> = listing["entries"].as_array().context("entries")?.iter().map(|entry| &entry["name"]).collect();
    assert_eq!(json!(names), json!(["sub", "new.txt"]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_dies_is_reported_and_starts_again_with_its_files() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let mut plain = server.plain(&join).await?;
    plain.shell("p", "echo kept > file.txt; echo ready; sleep 1000").await?;
    plain.frame_where("a line", |frame| frame["type"] == "terminal-newline").await?;
    server.kill_sandboxes()?;
    let gone = client.frame_where("the report", |frame| frame["type"] == "sandbox" && frame["state"] == "gone").await?;
    assert!(gone["message"].as_str().is_some_and(|message| message.contains("safe")), "{gone}");
    let frames = plain.until_end().await?;
    assert!(
        frames.iter().all(|frame| frame["type"] == "error" || frame["type"] == "terminal-data-end"),
        "{}",
        json!(frames)
    );
    assert_eq!(client.request(json!({"type": "sandbox-start"})).await?["type"], "done");
    let read = client.request(json!({"type": "read", "project": "p", "path": "file.txt"})).await?;
    assert_eq!(read["content"], "kept\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sandboxes_and_terminals_survive_a_restart_of_the_server() -> Result<()> {
    let mut server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let number = terminal(&mut client, None).await?;
    type_in(&mut client, number, "x=remembered; echo fir''st\n").await?;
    client.output_with(number, "first").await?;
    server.restart().await?;
    assert_eq!(client.closed().await?, Some(1012));

    let mut client = server.full(&join).await?;
    client.request(json!({"type": "terminal-attach", "terminal": number, "from": 0})).await?;
    type_in(&mut client, number, "echo still $x\n").await?;
    let output = client.output_with(number, "still remembered").await?;
    assert!(output.contains("first"), "{output}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_edits_are_in_the_file_before_a_command_reads_it() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut one = server.full(&join).await?;
    let mut two = server.full(&join).await?;
    one.command("p", json!({"type": "write"}), json!({"path": "a.txt", "content": "one\n"})).await?;
    let mut left = Editor::open(&mut one, "p", "a.txt").await?;
    let mut right = Editor::open(&mut two, "p", "a.txt").await?;
    assert_eq!(left.text(), "one\n");
    left.insert(&mut one, 4, "two\n").await?;
    right.wait_for(&mut two, "one\ntwo\n").await?;
    right.insert(&mut two, 0, "zero\n").await?;
    left.wait_for(&mut one, "zero\none\ntwo\n").await?;
    let mut plain = server.plain(&join).await?;
    plain.shell("p", "cat a.txt; echo three >> a.txt").await?;
    assert_eq!(shown(&plain.until_end().await?), "zero\none\ntwo\n");
    left.wait_for(&mut one, "zero\none\ntwo\nthree\n").await?;
    right.wait_for(&mut two, "zero\none\ntwo\nthree\n").await?;
    Ok(())
}

/// Reads one terminal's output until there is `end` in it: (gaps and snapshots as they came, offset after the last byte).
/// Every byte is there, in order, or a gap says which are not.
async fn follow(client: &mut Client, number: u32, mut at: u64, end: &str) -> Result<(Vec<(u64, u64)>, u64)> {
    let mut gaps = Vec::new();
    let mut tail = Vec::new();
    loop {
        match client.next().await? {
            Received::Text(frame) if frame["type"] == "terminal-gap" && frame["terminal"] == number => {
                let offset = |name: &str| frame[name].as_u64().with_context(|| frame.to_string());
                let (from, to) = (offset("from")?, offset("to")?);
                ensure!(from == at && to > from, "{frame} at {at}");
                gaps.push((from, to));
                at = to;
            }
            Received::Binary(frame) => match BinaryFrame::decode(&frame)? {
                BinaryFrame::Output { terminal, offset, bytes } if terminal.0 == number => {
                    ensure!(offset == at, "output from {offset} at {at}");
                    at += bytes.len() as u64;
                    tail.extend_from_slice(bytes);
                    if tail.windows(end.len()).any(|part| part == end.as_bytes()) {
                        return Ok((gaps, at));
                    }
                    tail.drain(..tail.len().saturating_sub(end.len()));
                }
                BinaryFrame::Snapshot { terminal, offset, bytes } if terminal.0 == number => {
                    ensure!(offset == at, "a screen of {offset} at {at}");
                    if String::from_utf8_lossy(bytes).contains(end) {
                        return Ok((gaps, at));
                    }
                }
                _ => {}
            },
            Received::Text(_) => {}
            Received::Closed(code) => bail!("closed with {code:?} at {at}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_viewer_gets_a_gap_and_a_screen_slows_nobody_and_follows_again() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut fast = server.full(&join).await?;
    let number = terminal(&mut fast, None).await?;
    let mut slow = server.full(&join).await?;
    slow.request(json!({"type": "terminal-attach", "terminal": number, "from": 0})).await?;
    // More than the sockets between and the room's log hold.
    type_in(&mut fast, number, "stty -echo; seq 1 4000000; echo fin''ished\n").await?;
    let (gaps, head) = follow(&mut fast, number, 0, "finished").await?;
    assert_eq!(gaps, [], "who reads loses nothing");
    let (gaps, at) = follow(&mut slow, number, 0, "finished").await?;
    assert!(!gaps.is_empty() && at >= head, "{gaps:?} {at} {head}");
    type_in(&mut slow, number, "echo ag''ain\n").await?;
    follow(&mut slow, number, at, "again").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_gets_all_that_is_left_of_a_terminal_that_printed_much() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut early = server.full(&join).await?;
    let number = terminal(&mut early, Some("stty raw -echo; seq 1 600000; echo fin''ished; sleep infinity")).await?;
    let (_, head) = follow(&mut early, number, 0, "finished").await?;
    let mut late = server.full(&join).await?;
    let attached = late.request(json!({"type": "terminal-attach", "terminal": number, "from": 0})).await?;
    let from = attached["from"].as_u64().with_context(|| attached.to_string())?;
    ensure!(from > 0 && head - from > 1024 * 1024, "{attached} of {head}");
    let Received::Binary(frame) = late.next().await? else { bail!("an empty screen first") };
    let screen = BinaryFrame::decode(&frame)?;
    assert_eq!(screen, BinaryFrame::Snapshot { terminal: SessionId(number), offset: from, bytes: &[] });
    let mut text = Vec::new();
    while !text.ends_with(b"finished\n") {
        let Received::Binary(frame) = late.next().await? else { continue };
        let BinaryFrame::Output { offset, bytes, .. } = BinaryFrame::decode(&frame)? else { bail!("another screen") };
        assert_eq!(offset, from + text.len() as u64);
        text.extend_from_slice(bytes);
    }
    let printed: String = (1..=600_000).map(|n| format!("{n}\n")).collect::<String>() + "finished\n";
    ensure!(printed.as_bytes().ends_with(&text), "{} bytes are not the last of them", text.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_its_folder_is_renamed_stays_in_the_one_file() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut typist = server.full(&join).await?;
    let mut other = server.full(&join).await?;
    typist.command("p", json!({"type": "write"}), json!({"path": "f0/a.txt", "content": ""})).await?;
    let mut editor = Editor::open(&mut typist, "p", "f0/a.txt").await?;
    for turn in 0..40 {
        editor.insert(&mut typist, turn, "x").await?;
        let saves = async {
            for _ in 0..4 {
                typist.request(json!({"type": "save", "document": editor.document})).await?;
            }
            anyhow::Ok(())
        };
        let rename = json!({"type": "cmd", "project_name": "p", "command": {"type": "rename"},
            "path": format!("f{turn}"), "name": format!("f{}", turn + 1)});
        let (_, renamed) = tokio::try_join!(saves, other.request(rename))?;
        assert_eq!(renamed["type"], "done", "{renamed}");
    }
    typist.request(json!({"type": "save", "document": editor.document})).await?;
    let mut reader = server.plain(&join).await?;
    reader.shell("p", "find . -type f; cat f40/a.txt").await?;
    assert_eq!(shown(&reader.until_end().await?), format!("./f40/a.txt\n{}", "x".repeat(40)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_under_way_is_finished_when_its_sender_is_cut_off() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut staying = server.full(&join).await?;
    staying.command("p", json!({"type": "write"}), json!({"path": "f/a.txt", "content": ""})).await?;
    let mut folder = "f".to_owned();
    let mut editor = Editor::open(&mut staying, "p", "f/a.txt").await?;
    for turn in 0..10 {
        let mut leaving = server.full(&join).await?;
        // While output is sent, a reset is noticed at once, with the rename half way.
        let noise = terminal(&mut leaving, Some("yes")).await?;
        leaving.output_with(noise, "y").await?;
        leaving.command("p", json!({"type": "rename"}), json!({"path": folder, "name": format!("g{turn}")})).await?;
        drop(leaving);
        staying.request(json!({"type": "terminal-close", "terminal": noise})).await?;
        editor.insert(&mut staying, turn, "x").await?;
        staying.request(json!({"type": "save", "document": editor.document})).await?;
        let listing = staying.request(json!({"type": "list", "project": "p", "path": ""})).await?;
        let names: Vec<_> = listing["entries"].as_array().context("entries")?.iter().map(|e| &e["name"]).collect();
        ensure!(names.len() == 1, "the file is in {names:?} after {turn} renames");
        folder = names[0].as_str().context("a name")?.to_owned();
    }
    Ok(())
}
