//! What people say and do in a room: told to everybody in one order, kept with the room, asked for by number.

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use embedenv_tests::program::Program;
use serde_json::{Value, json};

async fn say(client: &mut Client, text: &str) -> Result<Value> {
    client.request(json!({"type": "chat", "text": text})).await
}

/// The numbers of the events after one, asked for in pages of this many.
async fn after(client: &mut Client, mut after: u64, limit: u64) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let page = client.request(json!({"type": "events", "after": after, "limit": limit})).await?;
        let events = page["events"].as_array().with_context(|| page.to_string())?;
        ensure!(events.len() as u64 <= limit, "{page}");
        all.extend(events.iter().cloned());
        match events.last().and_then(|event| event["number"].as_u64()) {
            Some(last) if page["last"] != last => after = last,
            _ => return Ok(all),
        }
    }
}

fn numbers(events: &[Value]) -> Vec<u64> {
    events.iter().filter_map(|event| event["number"].as_u64()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_hears_everything_in_one_order_and_who_comes_later_gets_exactly_the_rest() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut ada, mut bob) = (server.full(&key).await?, server.full(&key).await?);
    let both = async |name: &str, client: &mut Client| {
        for n in 0..8 {
            let answer = say(client, &format!("{name} {n}")).await?;
            ensure!(answer["type"] == "done", "{answer}");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(both("ada", &mut ada), both("bob", &mut bob))?;
    let heard = async |client: &mut Client| {
        while client.aside.iter().filter(|frame| frame["type"] == "event").count() < 16 {
            let event = client.expect("event").await?;
            client.aside.push(event);
        }
        let events = client.aside.iter().filter(|frame| frame["type"] == "event").cloned();
        anyhow::Ok(events.collect::<Vec<_>>())
    };
    let (by_ada, by_bob) = (heard(&mut ada).await?, heard(&mut bob).await?);
    assert_eq!(by_ada, by_bob);
    assert_eq!(numbers(&by_ada), (1..=16).collect::<Vec<_>>());
    assert_eq!(by_ada[0]["kind"], "chat");
    ensure!(by_ada[0]["by"]["color"].as_str().is_some_and(|color| color.starts_with('#')), "{}", by_ada[0]);

    let mut late = server.full(&key).await?;
    let rest = after(&mut late, 9, 3).await?;
    assert_eq!(numbers(&rest), (10..=16).collect::<Vec<_>>());
    let said = |events: &[Value]| events.iter().map(|event| event["text"].clone()).collect::<Vec<_>>();
    assert_eq!(said(&rest), said(&by_ada[9..]));
    assert_eq!(after(&mut late, 16, 500).await?, Vec::<Value>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ran_made_and_removed_what_is_noted_and_what_failed_is_not() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut full = server.full(&key).await?;
    let mut plain = server.plain(&key).await?;
    let command = |kind: Value, rest: Value| {
        let mut frame = json!({"type": "cmd", "project_name": "p", "command": kind});
        frame.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        frame
    };
    for (frame, answer) in [
        (command(json!({"type": "create", "item": "file"}), json!({"path": "a.txt"})), "done"),
        (command(json!({"type": "create", "item": "file"}), json!({"path": "a.txt"})), "error"),
        (command(json!({"type": "rename"}), json!({"path": "a.txt", "name": "b.txt"})), "done"),
        (command(json!({"type": "delete"}), json!({"path": "b.txt"})), "done"),
        (command(json!({"type": "delete"}), json!({"path": "b.txt"})), "error"),
        (
            json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": "true"}),
            "terminal-opened",
        ),
    ] {
        let reply = full.request(frame.clone()).await?;
        assert_eq!(reply["type"], answer, "{frame} {reply}");
    }
    plain.shell("p", "cat").await?;
    plain.shell("p", "this is its input").await?;
    plain.shell("p", "Ctrl+D").await?;
    plain.until_end().await?;
    let tree = json!({"type": "folder", "name": "q", "children": [{"type": "file", "name": "x", "content": "1"}]});
    plain.send(json!({"type": "cmd", "project_name": "q", "command": {"type": "project"}, "id": 1, "file_structure": tree})).await?;
    let planted = plain.frame_where("its answer", |frame| frame["id"] == 1).await?;
    assert_eq!(planted["type"], "msg", "{planted}");
    let events = after(&mut full, 0, 500).await?;
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            let what = ["path", "name", "command", "files"].map(|name| event[name].to_string());
            format!("{} {}", event["kind"].as_str().unwrap_or_default(), what.concat().replace("null", ""))
        })
        .collect();
    let expected = [
        r#"created "a.txt""#,
        r#"renamed "a.txt""b.txt""#,
        r#"deleted "b.txt""#,
        r#"ran "true""#,
        r#"ran "cat""#,
        "planted 1",
    ];
    assert_eq!(told, expected);
    assert_ne!(events[3]["by"]["member"], events[4]["by"]["member"]);
    ensure!(plain.aside.iter().all(|frame| frame["type"] != "event"), "plain clients get what they always got");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_and_a_viewer_reads_along() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut editor = server.full(&key).await?;
    let minted = editor.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    assert_eq!(say(&mut viewer, "hello").await?["code"], "forbidden");
    for (text, code) in
        [("", "bad_request"), (" \n", "bad_request"), ("a\u{7}", "bad_request"), (&"x".repeat(4097), "too_large")]
    {
        assert_eq!(say(&mut editor, text).await?["code"], code, "{text:?}");
    }
    assert_eq!(editor.request(json!({"type": "chat"})).await?["code"], "bad_request");
    assert_eq!(editor.request(json!({"type": "events", "after": -1})).await?["code"], "bad_request");
    let hostile = "<img src=x onerror=alert(1)> \u{202e}\"'\\ ${a}";
    assert_eq!(say(&mut editor, hostile).await?["type"], "done");
    let event = viewer.expect("event").await?;
    assert_eq!(
        (&event["text"], &event["number"], &event["by"]["role"]),
        (&json!(hostile), &json!(1), &json!("editor"))
    );
    assert_eq!(numbers(&after(&mut viewer, 0, 10).await?), [1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_there_after_the_server_was_killed() -> Result<()> {
    let mut program = Program::start(0).await?;
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    let key = host.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let join = json!({"type": "join", "join": key, "protocol": 2});
    for round in 0..5u64 {
        let mut client = Client::connect(&program.url()).await?;
        client.send(join.clone()).await?;
        client.expect("joined").await?;
        for n in 1..=3 {
            let answer = say(&mut client, &format!("round {round}, {n}")).await?;
            ensure!(answer["type"] == "done", "{answer}");
        }
        program.kill().await?;
        program.restart().await?;
        let mut client = Client::connect(&program.url()).await?;
        client.send(join.clone()).await?;
        client.expect("joined").await?;
        let kept = after(&mut client, 0, 500).await?;
        assert_eq!(numbers(&kept), (1..=3 * (round + 1)).collect::<Vec<_>>());
        assert_eq!(kept.last().context("an event")?["text"], format!("round {round}, 3"));
    }
    Ok(())
}
