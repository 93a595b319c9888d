//! Plain clients: what `PROTOCOL.md` promises to a client written from the reference alone.

use std::time::Duration;

use anyhow::{Context as _, Result};
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, shown};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Long enough for a frame that should not come to come.
const QUIET: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn init_is_answered_by_one_frame_and_costs_one_credit() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.key(3).await?;
    let mut client = Client::connect(&server.url()).await?;
    client.send(json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key})).await?;
    let answer = client.frame().await?;
    let members: Vec<_> = answer.as_object().context("an object")?.keys().cloned().collect();
    assert_eq!(members, ["join", "remaining_credits", "type"], "three members and no other (sorted by the parser)");
    assert_eq!(answer["remaining_credits"], 2);
    client.silent_for(QUIET).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_is_answered_and_gone_for_the_others() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut leaving = server.plain(&join).await?;
    let mut staying = server.full(&join).await?;
    staying.frame_where("both", |frame| frame["people"].as_array().is_some_and(|people| people.len() == 2)).await?;
    assert_eq!(leaving.leave().await?, Some(1000));
    staying.frame_where("one", |frame| frame["people"].as_array().is_some_and(|people| people.len() == 1)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_websocket_message_is_closed_with_its_code() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    for (opcode, code) in [(OpCode::Data(Data::Text), 1007), (OpCode::Data(Data::Reserved(3)), 1002)] {
        for mut client in [server.plain(&join).await?, Client::connect(&server.url()).await?] {
            client.send_frame(Frame::message(&b"\xff"[..], opcode, true)).await?;
            assert_eq!(client.closed().await?, Some(code));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn handshake_failures_have_their_codes() -> Result<()> {
    let server = TestServer::new().await?;
    let poor = server.key(0).await?;
    let cases = [
        (json!({"type": "init", "public_key": "pk_no", "secret_key": "sk_no"}), "bad_credentials", Some(4401)),
        (
            json!({"type": "init", "public_key": poor.public_key, "secret_key": poor.secret_key}),
            "no_credits",
            Some(4402),
        ),
        (json!({"type": "join", "join": "jk_nonsense"}), "unknown_join_key", Some(4404)),
        (
            json!({"type": "cmd", "project_name": "p", "command": {"type": "shell", "command": "ls"}}),
            "bad_request",
            None,
        ),
    ];
    for (frame, code, close) in cases {
        let mut client = Client::connect(&server.url()).await?;
        client.send(frame).await?;
        let error = client.frame().await?;
        assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("error"), Some(code)));
        let closed = client.closed().await?;
        assert!(close.is_none() || closed == close, "{code} closed with {closed:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twentieth_guess_in_a_minute_is_limited_and_the_right_key_still_opens() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut limited = false;
    for _ in 0..25 {
        let mut client = Client::connect(&server.url()).await?;
        client.send(json!({"type": "join", "join": "jk_guess"})).await?;
        limited = client.frame().await?["code"] == "too_many_attempts";
        assert_eq!(client.closed().await?, Some(if limited { 4429 } else { 4404 }));
    }
    assert!(limited);
    let mut client = Client::connect(&server.url()).await?;
    client.send(json!({"type": "join", "join": join})).await?;
    assert_eq!(client.frame().await?["type"], "joined");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn output_goes_to_every_plain_client_of_the_room() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut one = server.plain(&join).await?;
    let mut two = server.plain(&join).await?;
    one.shell("p", "echo hello; echo; printf unfinished").await?;
    let expected = json!([
        {"type": "terminal-data", "data": "hello"},
        {"type": "terminal-newline", "data": ""},
        {"type": "terminal-newline", "data": ""},
        {"type": "terminal-data", "data": "unfinished"},
        {"type": "terminal-data-end"},
    ]);
    assert_eq!(json!(one.until_end().await?), expected);
    assert_eq!(json!(two.until_end().await?), expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_one_connection_take_effect_in_order() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    for turn in 0..20 {
        let content = format!("turn {turn}");
        client.command("p", json!({"type": "write"}), json!({"path": "deep/er/file.txt", "content": content})).await?;
        client.shell("p", "cat deep/er/file.txt").await?;
        assert_eq!(shown(&client.until_end().await?), content);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dot_at_a_time_is_one_line() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.shell("p", "for i in 1 2 3; do printf .; sleep 0.2; done; echo done").await?;
    let frames = client.until_end().await?;
    assert_eq!(shown(&frames), "...done\n");
    assert!(frames.iter().filter(|frame| frame["type"] == "terminal-data").count() >= 3, "{}", json!(frames));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupts_escalate_until_a_stubborn_program_ends() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.shell("p", "trap 'echo int' INT; trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done").await?;
    client.frame_where("ready", |frame| frame["data"] == "ready").await?;
    client.shell("p", "Ctrl+C").await?;
    client.frame_where("int", |frame| frame["data"] == "int").await?;
    client.shell("p", "Ctrl+C").await?;
    client.frame_where("term", |frame| frame["data"] == "term").await?;
    client.shell("p", "Ctrl+C").await?;
    client.expect("terminal-data-end").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_with_nothing_running_is_answered_to_the_asker_alone() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut one = server.plain(&join).await?;
    let mut two = server.plain(&join).await?;
    one.shell("p", "Ctrl+C").await?;
    assert_eq!(one.frame().await?, json!({"type": "terminal-data-end"}));
    two.silent_for(QUIET).await
}

#[tokio::test(flavor = "multi_thread")]
async fn end_of_input_ends_a_program_that_reads() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.shell("p", "echo go; cat; echo over").await?;
    client.frame_where("go", |frame| frame["data"] == "go").await?;
    client.shell("p", "typed").await?;
    client.frame_where("typed", |frame| frame["data"] == "typed").await?;
    client.shell("p", "Ctrl+D").await?;
    assert_eq!(shown(&client.until_end().await?).trim(), "over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_job_holds_nothing_up_and_lives_on() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.shell("p", "(sleep 1; echo late > late.txt) & echo started").await?;
    assert_eq!(shown(&client.until_end().await?), "started\n");
    client.shell("p", "while ! test -e late.txt; do sleep 0.05; done; cat late.txt").await?;
    assert_eq!(shown(&client.until_end().await?), "late\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_reaches_the_sandbox_and_nothing_else() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.command("p", json!({"type": "write"}), json!({"path": "index.html", "content": "<p>äöü</p>"})).await?;
    client.shell("p", "python -m http.server 3000").await?;
    client.frame_where("the banner", |frame| frame["data"].as_str().is_some_and(|d| d.contains("3000"))).await?;
    let curl = |url: &str| json!({"method": "GET", "url": url, "headers": {}, "data": ""});
    client.command("p", json!({"type": "curl"}), curl("http://localhost:3000/")).await?;
    let mut body = String::new();
    loop {
        let frame = client.frame().await?;
        match frame["type"].as_str() {
            Some("chunk") => body.push_str(frame["content"].as_str().context("text")?),
            Some("end") => break,
            Some("terminal-data" | "terminal-newline") => {}
            _ => panic!("{frame}"),
        }
    }
    assert_eq!(body, "<p>äöü</p>");
    for url in [
        "http://example.com/",
        "http://127.0.0.2/",
        "file:///etc/passwd",
        "http://localhost@10.0.0.1/",
        "gopher://localhost",
    ] {
        client.command("p", json!({"type": "curl"}), curl(url)).await?;
        let error = client.expect("error").await?;
        assert_eq!(error["code"], "forbidden_target", "{url}");
    }
    client.command("p", json!({"type": "curl"}), curl("http://localhost:3999/")).await?;
    assert_eq!(client.expect("error").await?["code"], "unreachable");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_its_error_and_changes_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    let tree = r#"{"name":"a","type":"folder","children":[{"name":"x","type":"file","content":"x"},{"name":"..","type":"file"}]}"#;
    let cases: Vec<(Value, Value, &str)> = vec![
        (json!({"type": "write"}), json!({"path": "../x", "content": ""}), "bad_path"),
        (json!({"type": "write"}), json!({"path": "/etc/passwd", "content": ""}), "bad_path"),
        (json!({"type": "write"}), json!({"path": "n".repeat(256), "content": ""}), "bad_path"),
        (json!({"type": "write"}), json!({"path": "a/".repeat(65) + "b", "content": ""}), "bad_path"),
        (json!({"type": "write"}), json!({"path": ""}), "bad_path"),
        (json!({"type": "write"}), json!({"path": "x"}), "bad_request"),
        (json!({"type": "delete"}), json!({"path": "missing"}), "not_found"),
        (json!({"type": "rename"}), json!({"path": "missing", "name": "x"}), "not_found"),
        (json!({"type": "rename"}), json!({"path": "missing", "name": "a/b"}), "bad_path"),
        (json!({"type": "create", "item": "file", "path": "no/such/folder"}), json!({}), "not_found"),
        (json!({"type": "create", "item": "spoon", "path": "x"}), json!({}), "bad_request"),
        (json!({"type": "project"}), json!({"file_structure": tree}), "bad_path"),
        (json!({"type": "project"}), json!({"file_structure": "{"}), "bad_request"),
        (json!({"type": "fly"}), json!({}), "unknown_type"),
    ];
    for (command, rest, code) in cases {
        client.command("p", command.clone(), rest.clone()).await?;
        let error = client.frame().await?;
        assert_eq!(error["code"], code, "{command} {rest} {error}");
    }
    for (text, code) in [("nonsense", "bad_json"), ("{\"type\":\"dance\"}", "unknown_type"), ("{}", "bad_request")] {
        client.send_text(text).await?;
        assert_eq!(client.frame().await?["code"], code, "{text}");
    }
    client.shell("p", "find . -mindepth 1").await?;
    assert_eq!(shown(&client.until_end().await?), "", "nothing was made");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_lead_out_are_bad_paths_and_pipes_are_not_files() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    client.shell("p", "ln -s /etc out; ln -s ../other sibling; mkfifo pipe; mkdir ../other").await?;
    client.until_end().await?;
    for path in ["out/passwd", "sibling/x"] {
        client.command("p", json!({"type": "write"}), json!({"path": path, "content": "x"})).await?;
        assert_eq!(client.frame().await?["code"], "bad_path", "{path}");
    }
    let mut full = server.full(&join).await?;
    let read = |path: &str| json!({"type": "read", "project": "p", "path": path});
    assert_eq!(full.request(read("pipe")).await?["code"], "not_regular");
    assert_eq!(full.request(read("out/passwd")).await?["code"], "bad_path");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_limit_is_closed_with_1009() -> Result<()> {
    let server = TestServer::with(|config| config.limits.max_message = 64 * 1024).await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    // The server may stop reading before all of it is sent.
    let _ = client.send_text(&"x".repeat(1024 * 1024)).await;
    assert_eq!(client.closed().await?, Some(1009));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_is_closed_with_4408() -> Result<()> {
    let server = TestServer::with(|config| config.limits.handshake = Duration::from_millis(200)).await?;
    let mut client = Client::connect(&server.url()).await?;
    assert_eq!(client.frame().await?["code"], "handshake_timeout");
    assert_eq!(client.closed().await?, Some(4408));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_come_back_on_replies_errors_and_acknowledgements() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    let frame = |id: Value, command: Value| json!({"type": "cmd", "id": id, "project_name": "p", "command": command});
    client.send(frame(json!(7), json!({"type": "create", "item": "file", "path": "x"}))).await?;
    assert_eq!(client.frame().await?, json!({"type": "done", "id": 7}));
    client.send(frame(json!("seven"), json!({"type": "create", "item": "file", "path": "x"}))).await?;
    let error = client.frame().await?;
    assert_eq!((error["code"].as_str(), error["id"].as_str()), (Some("already_exists"), Some("seven")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_init_returns_the_same_room_and_charges_once() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.key(5).await?;
    let init =
        json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key, "idempotency_key": "k1"});
    let mut answers = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(&server.url()).await?;
        client.send(init.clone()).await?;
        answers.push(client.frame().await?);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", json!(answers));
    assert_eq!(answers[0]["remaining_credits"], 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_room_falls_asleep_and_whoever_comes_finds_its_files_and_none_of_its_programs() -> Result<()> {
    let server = TestServer::with(|config| config.rooms.sleep_after = Duration::from_secs(1)).await?;
    let key = server.room().await?;
    let mut client = server.plain(&key).await?;
    client.shell("p", "echo files > kept; echo memory > /tmp/gone; sleep 1000 & echo on").await?;
    client.until_end().await?;
    drop(client);
    let asleep = async {
        while !server.sandboxes()?.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(20), asleep).await??;
    let mut client = server.plain(&key).await?;
    client.shell("p", "cat kept; ls /tmp; cat /proc/[0-9]*/comm | grep -c sleep").await?;
    assert_eq!(embedenv_tests::client::shown(&client.until_end().await?), "files\n0\n");
    Ok(())
}
