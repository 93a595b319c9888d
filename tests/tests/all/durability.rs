//! What must still be there after the server was killed at any moment, and what must not be left behind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::editor::Editor;
use embedenv_tests::program::Program;
use embedenv_tests::sandboxes::{TestEngine, docker};
use serde_json::json;
use tokio::time::timeout;

/// How long after the next start everything of before is adopted or gone (TARGETS F3).
const SETTLED: Duration = Duration::from_secs(10);
/// Rounds of killing; `cargo xtask test --full` does the long form.
const ROUNDS: usize = 3;
const FULL_ROUNDS: usize = 100;

async fn join(program: &Program, key: &str, full: bool) -> Result<Client> {
    let mut client = Client::connect(&program.url()).await?;
    let mut frame = json!({"type": "join", "join": key});
    if full {
        frame["protocol"] = json!(2);
    }
    client.send(frame).await?;
    client.expect("joined").await?;
    Ok(client)
}

async fn init(program: &Program) -> Result<(String, i64)> {
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    let answer = host.expect("init").await?;
    let key = answer["join"].as_str().with_context(|| answer.to_string())?.to_owned();
    Ok((key, answer["remaining_credits"].as_i64().context("credits")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn d1_a_killed_server_loses_no_saved_file_no_edit_that_it_took_and_no_credit() -> Result<()> {
    let rounds = if std::env::var_os("EMBEDENV_FULL").is_some() { FULL_ROUNDS } else { ROUNDS };
    let mut program = Program::start(0).await?;
    let (key, mut credits) = init(&program).await?;
    let mut lines = String::new();
    for round in 0..rounds {
        let mut client = join(&program, &key, true).await?;
        let write = json!({"path": format!("written{round}"), "content": format!("round {round}")});
        let mut frame = json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}});
        frame.as_object_mut().context("an object")?.extend(write.as_object().cloned().context("an object")?);
        ensure!(client.request(frame).await?["type"] == "done");
        if round == 0 {
            client
                .request(json!({"type": "cmd", "project_name": "p", "command": {"type": "create", "item": "file", "path": "edited"}}))
                .await?;
        }
        let mut editor = Editor::open(&mut client, "p", "edited").await?;
        ensure!(editor.text() == lines, "round {round}: {:?} instead of {lines:?}", editor.text());
        let line = format!("line {round}\n");
        editor.insert(&mut client, u32::try_from(lines.len())?, &line).await?;
        lines.push_str(&line);
        let saved = client.request(json!({"type": "save", "document": editor.document})).await?;
        ensure!(saved["type"] == "saved", "{saved}");
        let (_, left) = init(&program).await?;
        ensure!(left == credits - 1);
        credits = left;

        program.kill().await?;
        program.restart().await?;
        let mut plain = join(&program, &key, false).await?;
        plain.shell("p", &format!("cat edited written{round}")).await?;
        let seen = shown(&plain.until_end().await?);
        ensure!(seen == format!("{lines}round {round}"), "round {round}: {seen:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f3_after_a_kill_terminals_go_on_and_no_sandbox_is_left_that_no_room_owns() -> Result<()> {
    let mut program = Program::start(1).await?;
    let (key, _) = init(&program).await?;
    let mut client = join(&program, &key, true).await?;
    let opened = client.request(json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24})).await?;
    let terminal = u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?;
    let input = |bytes| BinaryFrame::Input { terminal: SessionId(terminal), bytes };
    client.send_binary(input(b"x=kept; echo be''fore\n")).await?;
    client.output_with(terminal, "before").await?;
    let title = json!({"type": "terminal-title", "terminal": terminal, "title": "kept"});
    ensure!(client.request(title).await?["type"] == "done");

    program.kill().await?;
    program.restart().await?;
    let mut client = Client::connect(&program.url()).await?;
    client.send(json!({"type": "join", "join": key, "protocol": 2})).await?;
    let joined = client.expect("joined").await?;
    ensure!(joined["terminals"][0]["title"] == "kept", "{joined}");
    let attached = client.request(json!({"type": "terminal-attach", "terminal": terminal, "from": 0})).await?;
    ensure!(attached["type"] == "terminal-attached", "{attached}");
    client.send_binary(input(b"echo af''ter $x\n")).await?;
    let output = client.output_with(terminal, "after kept").await?;
    ensure!(output.contains("before"), "{output}");

    // One sandbox of the room that lives, and one kept ready; what the killed server kept ready is gone.
    let settled = async {
        while program.sandboxes()?.len() != 2 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    timeout(SETTLED, settled).await.with_context(|| format!("{:?}", program.sandboxes()))?
}

#[tokio::test(flavor = "multi_thread")]
async fn f7_sigterm_tells_every_socket_1012_and_exits_with_0_and_what_was_typed_is_in_its_file() -> Result<()> {
    let mut program = Program::start(0).await?;
    let (key, _) = init(&program).await?;
    let mut client = join(&program, &key, true).await?;
    let mut plain = join(&program, &key, false).await?;
    plain.shell("p", "echo > edited; yes").await?;
    plain.frame_where("output", |frame| frame["data"] == "y").await?;
    let mut editor = Editor::open(&mut client, "p", "edited").await?;
    editor.insert(&mut client, 0, "typed").await?;
    editor.wait_until_held(&mut client).await?;
    let full = async { (client.closed().await, drop(client)).0 };
    let plain = async { (plain.closed().await, drop(plain)).0 };
    let (status, full, plain) = tokio::try_join!(program.terminate(), full, plain)?;
    assert_eq!((status.code(), full, plain), (Some(0), Some(1012), Some(1012)));

    program.restart().await?;
    let mut client = join(&program, &key, true).await?;
    let read = client.request(json!({"type": "read", "project": "p", "path": "edited"})).await?;
    assert_eq!(read["content"], "typed\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f7_an_init_that_sigterm_meets_is_answered_or_costs_nothing() -> Result<()> {
    let mut program = Program::start(0).await?;
    let (_, mut credits) = init(&program).await?;
    for turn in 0..6 {
        let mut client = Client::connect(&program.url()).await?;
        client.send(program.init()).await?;
        // So that the signal meets it at another point each time.
        for _ in 0..turn {
            Client::connect(&program.url()).await?;
        }
        let answer = async {
            let answered = client.expect("init").await.is_ok();
            // One that is gone already can't be waited for.
            let _ = client.closed().await;
            Ok(answered)
        };
        let (status, answered) = tokio::try_join!(program.terminate(), answer)?;
        ensure!(status.success(), "{status}");
        program.restart().await?;
        let (_, left) = init(&program).await?;
        assert_eq!(credits - left - 1, i64::from(answered), "round {turn}");
        credits = left;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_room_leaves_no_process_and_no_folder() -> Result<()> {
    let server = embedenv_tests::TestServer::with(|config| config.rooms.lifetime = Duration::from_secs(2)).await?;
    let key = server.room().await?;
    let mut client = server.plain(&key).await?;
    client.shell("p", "setsid sleep 1000 & echo > edited; echo started").await?;
    client.until_end().await?;
    drop(client);
    let homes = || match TestEngine::chosen() {
        TestEngine::Local => Ok(std::fs::read_dir(server.data_dir().join("rooms"))?.count()),
        TestEngine::Docker => {
            let own = format!("label=embedenv.server={}", server.server_id()?);
            Ok::<_, anyhow::Error>(docker(&["volume", "ls", "-q", "--filter", &own])?.lines().count())
        }
    };
    assert_eq!(homes()?, 1);
    let logs = || std::fs::read_dir(server.data_dir().join("journals")).map_or(0, Iterator::count);
    Editor::open(&mut server.full(&key).await?, "p", "edited").await?;
    assert_eq!(logs(), 1);
    let gone = async {
        while !server.sandboxes()?.is_empty() || homes()? + logs() > 0 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(20), gone).await.context("the room did not end")??;
    let mut client = Client::connect(&server.url()).await?;
    client.send(json!({"type": "join", "join": key})).await?;
    assert_eq!(client.frame().await?["code"], "unknown_join_key");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_server_and_one_that_can_not_listen_leaves_it() -> Result<()> {
    let mut server = embedenv_tests::TestServer::new().await?;
    let key = server.room().await?;
    let config = server.config().clone();
    let second = embedenv::server::Server::new(config.clone()).await;
    let refused = second.err().context("a second server")?;
    ensure!(format!("{:#}", anyhow::Error::new(refused)).contains("another server uses it"));

    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    server.stop().await?;
    let busy = embedenv::config::Config { listen: taken.local_addr()?, ..config };
    ensure!(embedenv::server::Server::new(busy).await?.listen().await.is_err());
    server.start().await?;
    let mut client = server.plain(&key).await?;
    client.shell("p", "echo here").await?;
    assert_eq!(shown(&client.until_end().await?), "here\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_terminal_prints_while_the_server_is_dead_is_there_byte_for_byte() -> Result<()> {
    let mut program = Program::start(0).await?;
    let (key, _) = init(&program).await?;
    let mut client = join(&program, &key, true).await?;
    // Less than is kept, until somebody has come back.
    let command = "stty raw -echo; i=0; while [ ! -e enough ]; do i=$((i+1)); echo line $i; \
                   [ $((i%9)) = 0 ] && sleep 0.002; done; echo $i > printed; echo finished";
    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": command});
    let opened = client.request(open).await?;
    let terminal = u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?;
    client.output_with(terminal, "line 9\n").await?;
    let mut text = client.output_of(terminal);
    program.kill().await?;
    program.restart().await?;
    let mut client = join(&program, &key, true).await?;
    let attach = json!({"type": "terminal-attach", "terminal": terminal, "from": text.len()});
    let attached = client.request(attach).await?;
    let head = attached["head"].as_u64().context("an offset")?;
    ensure!(attached["from"] == text.len() && head > text.len() as u64, "{attached} after {}", text.len());
    let create = json!({"type": "create", "item": "file", "path": "enough"});
    client.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    client.output_with(terminal, "finished\n").await?;
    let mut at = text.len() as u64;
    for (_, offset, bytes) in &client.output {
        ensure!(*offset == at, "{offset} follows {at}");
        at += bytes.len() as u64;
    }
    text += &client.output_of(terminal);
    let printed = client.request(json!({"type": "read", "project": "p", "path": "printed"})).await?;
    let lines: usize = printed["content"].as_str().with_context(|| printed.to_string())?.trim().parse()?;
    let expected: String = (1..=lines).map(|line| format!("line {line}\n")).collect::<String>() + "finished\n";
    ensure!(text == expected, "{} of {} bytes", text.len(), expected.len());
    Ok(())
}
