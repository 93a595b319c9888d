//! Coming back: as who one was, with what was ordered carried out once, whatever happened to the connection or the server.

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use embedenv_tests::program::Program;
use serde_json::{Value, json};

/// Joins as a page does. Returns what it is told.
async fn join(url: &str, key: &str, instance: &str, resume: Option<&str>) -> Result<(Client, Value)> {
    let mut client = Client::connect(url).await?;
    let mut frame = json!({"type": "join", "join": key, "protocol": 2, "instance": instance});
    if let Some(resume) = resume {
        frame["resume"] = json!(resume);
    }
    client.send(frame).await?;
    let joined = client.expect("joined").await?;
    Ok((client, joined))
}

fn token(joined: &Value) -> Result<String> {
    Ok(joined["resume"].as_str().with_context(|| joined.to_string())?.to_owned())
}

fn make_folder(seq: u64, path: &str) -> Value {
    let command = json!({"type": "create", "item": "folder", "path": path});
    json!({"type": "cmd", "project_name": "p", "command": command, "seq": seq})
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_who_they_were_and_nothing_is_carried_out_twice() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut client, joined) = join(&server.url(), &key, "page", None).await?;
    assert_eq!((&joined["resumed"], &joined["executed"]), (&Value::Null, &json!(0)));
    assert_eq!(client.request(make_folder(1, "one")).await?["type"], "done");
    assert_eq!(client.request(make_folder(1, "one")).await?["code"], "already_done");
    assert_eq!(client.request(make_folder(4, "four")).await?["type"], "done");
    assert_eq!(client.request(make_folder(3, "three")).await?["code"], "already_done");
    assert_eq!(client.expect("executed").await?["seq"], 4);
    // The page is told nothing, and its connection breaks with a command on the way.
    client.send(make_folder(5, "five")).await?;
    drop(client);

    let (mut client, again) = join(&server.url(), &key, "page", Some(&token(&joined)?)).await?;
    assert_eq!(
        (&again["resumed"], &again["member"], &again["user"]),
        (&json!(true), &joined["member"], &joined["user"])
    );
    let executed = again["executed"].as_u64().context("a number")?;
    ensure!((4..=5).contains(&executed), "{executed}");
    let answer = client.request(make_folder(5, "five")).await?;
    ensure!(answer["type"] == "done" || answer["code"] == "already_done", "{answer}");
    let listing = client.request(json!({"type": "list", "project": "p", "path": ""})).await?;
    assert_eq!(listing["entries"].as_array().context("entries")?.len(), 3);

    let unnumbered =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "create", "item": "folder", "path": "x"}});
    assert_eq!(client.request(unnumbered).await?["type"], "done");
    for bad in [json!(0), json!(-1), json!("1"), json!(1.5), json!(1u64 << 53)] {
        let mut frame = make_folder(1, "bad");
        frame["seq"] = bad.clone();
        assert_eq!(client.request(frame).await?["code"], "bad_request", "{bad}");
    }
    let mut other = server.full(&key).await?;
    assert_eq!(other.request(make_folder(1, "y")).await?["code"], "bad_request", "it named no instance");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_once_for_its_own_key_and_a_copied_tab_is_somebody_else() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut ada, joined) = join(&server.url(), &key, "page", None).await?;
    let first = token(&joined)?;
    let minted = ada.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let viewers = minted["join"].as_str().context("a key")?.to_owned();

    // A tab that was copied has the token and is another page: it becomes somebody of its own.
    let (mut copy, copied) = join(&server.url(), &key, "copy of the page", Some(&first)).await?;
    assert_eq!(copied["resumed"], Value::Null);
    assert_ne!(copied["member"], joined["member"]);
    assert_eq!(ada.request(json!({"type": "ping"})).await?["type"], "pong");
    // With another key the token says nothing.
    let (_viewer, other) = join(&server.url(), &viewers, "page", Some(&first)).await?;
    assert_eq!((&other["resumed"], &other["role"]), (&Value::Null, &json!("viewer")));

    // The page itself, which does not know yet that its connection is dead, takes its own place.
    let (mut again, second) = join(&server.url(), &key, "page", Some(&first)).await?;
    assert_eq!((&second["resumed"], &second["member"]), (&json!(true), &joined["member"]));
    assert_eq!(ada.closed().await?, Some(4411));
    let people = again.frame_where("people", |frame| frame["type"] == "people").await?;
    let same = people["people"].as_array().context("people")?.iter().filter(|one| one["member"] == joined["member"]);
    assert_eq!(same.count(), 1, "{people}");

    // Its answer was lost: the same token once more. After a word on the new connection it is used up.
    drop(again);
    let (mut third, thirdly) = join(&server.url(), &key, "page", Some(&first)).await?;
    assert_eq!(thirdly["resumed"], true);
    third.request(json!({"type": "ping"})).await?;
    drop(third);
    let (_, used) = join(&server.url(), &key, "page", Some(&first)).await?;
    assert_eq!(used["resumed"], Value::Null);
    copy.request(json!({"type": "ping"})).await?;

    let bad = json!({"type": "join", "join": key, "protocol": 2, "instance": "x".repeat(65)});
    let mut refused = Client::connect(&server.url()).await?;
    refused.send(bad).await?;
    assert_eq!(refused.expect("error").await?["code"], "bad_request");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_a_terminal_arrives_in_order_and_once_though_connections_break_and_the_server_is_killed()
-> Result<()> {
    let mut program = Program::start(0).await?;
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    let key = host.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let (mut client, mut joined) = join(&program.url(), &key, "page", None).await?;
    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": "stty -echo; cat > typed", "seq": 1});
    let opened = client.request(open).await?;
    let terminal = SessionId(u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?);
    let number = |seq: u64| format!("{seq}\n");
    let mut next = 2;
    let mut kills = 0;
    for round in 0..12 {
        // As a page does: everything that is not known to be carried out goes out again, in order.
        next = joined["executed"].as_u64().context("a number")?.max(1) + 1;
        let last = next + 40;
        for seq in next..last {
            let bytes = number(seq);
            client.send_binary(BinaryFrame::NumberedInput { terminal, seq, bytes: bytes.as_bytes() }).await?;
        }
        next = last;
        if round % 4 == 3 {
            kills += 1;
            program.kill().await?;
            program.restart().await?;
        }
        let resume = token(&joined)?;
        drop(client);
        (client, joined) = join(&program.url(), &key, "page", Some(&resume)).await?;
        ensure!(joined["resumed"] == true, "round {round}: {joined}");
    }
    let executed = joined["executed"].as_u64().context("a number")?;
    for seq in executed + 1..next {
        let bytes = number(seq);
        client.send_binary(BinaryFrame::NumberedInput { terminal, seq, bytes: bytes.as_bytes() }).await?;
    }
    client.send_binary(BinaryFrame::NumberedInput { terminal, seq: next, bytes: b"\x04" }).await?;
    client.frame_where("the end", |frame| frame["type"] == "terminal" && frame["exit"]["code"] == 0).await?;
    let read = client.request(json!({"type": "read", "project": "p", "path": "typed"})).await?;
    let typed = read["content"].as_str().with_context(|| read.to_string())?;
    let typed: Vec<u64> = typed.lines().map(str::parse).collect::<Result<_, _>>().with_context(|| typed.to_owned())?;
    ensure!(typed.is_sorted_by(|one, next| one < next), "out of order, or twice: {typed:?}");
    // A server that is killed between writing a number down and carrying it out has not carried it out.
    let missing = (2..next).filter(|seq| !typed.contains(seq)).count();
    ensure!(missing <= kills, "{missing} are missing after {kills} kills: {typed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_over_which_the_server_was_killed_is_named_and_no_other() -> Result<()> {
    let mut program = Program::start(0).await?;
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    let key = host.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let (mut client, joined) = join(&program.url(), &key, "page", None).await?;
    assert_eq!(client.request(make_folder(1, "one")).await?["type"], "done");
    program.kill().await?;
    program.restart().await?;
    let (mut client, joined) = join(&program.url(), &key, "page", Some(&token(&joined)?)).await?;
    assert_eq!((&joined["executed"], &joined["uncertain"]), (&json!(1), &Value::Null));

    let sandboxes = program.sandboxes()?;
    let sandbox = sandboxes.first().context("a sandbox")?;
    sandbox.freeze()?;
    client.send(make_folder(2, "two")).await?;
    client.frame_where("its number", |frame| frame["type"] == "executed" && frame["seq"] == 2).await?;
    program.kill().await?;
    sandbox.thaw()?;
    program.restart().await?;
    let (mut client, joined) = join(&program.url(), &key, "page", Some(&token(&joined)?)).await?;
    assert_eq!((&joined["executed"], &joined["uncertain"]), (&json!(2), &json!(2)));
    assert_eq!(client.request(make_folder(2, "two")).await?["code"], "already_done");
    // Now the client knows.
    let (_, joined) = join(&program.url(), &key, "page", Some(&token(&joined)?)).await?;
    assert_eq!((&joined["resumed"], &joined["uncertain"]), (&json!(true), &Value::Null));
    Ok(())
}
