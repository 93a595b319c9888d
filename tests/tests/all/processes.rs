//! Commands without a terminal: two logs, input, bounds, restarts of the server; by full clients and by backends. And rooms
//! whose hosts say how long they stay.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::TestServer;
use embedenv_tests::backend::Backend;
use embedenv_tests::client::Client;
use serde_json::{Value, json};

/// What one process is known by.
#[derive(Debug, Clone, Copy)]
struct Process {
    out: u32,
    errors: u32,
}

async fn start(client: &mut Client, command: &str, more: Value) -> Result<Process> {
    let mut frame = json!({"type": "process-start", "project": "p", "command": command});
    let members = frame.as_object_mut().context("an object")?;
    members.extend(more.as_object().context("an object")?.clone());
    let started = client.request(frame).await?;
    ensure!(started["type"] == "process-started", "{started}");
    let number = |name: &str| u32::try_from(started[name].as_u64()?).ok();
    Ok(Process { out: number("process").context("a process")?, errors: number("errors").context("errors")? })
}

async fn feed(client: &mut Client, process: Process, data: &str, end: bool) -> Result<Value> {
    client.request(json!({"type": "process-input", "process": process.out, "data": data, "end": end})).await
}

/// How both of its logs ended, the process's first; the ends come in any order, and may have come before.
async fn ended(client: &mut Client, process: Process) -> Result<[Value; 2]> {
    let exits = |client: &Client| {
        [process.out, process.errors].map(|log| client.aside.iter().find(|frame| is_end(frame, log)).cloned())
    };
    loop {
        if let [Some(out), Some(errors)] = exits(client) {
            return Ok([out["exit"].clone(), errors["exit"].clone()]);
        }
        let one = |frame: &Value| is_end(frame, process.out) || is_end(frame, process.errors);
        let end = client.frame_where("an end", one).await?;
        client.aside.push(end);
    }
}

fn is_end(frame: &Value, log: u32) -> bool {
    frame["type"] == "terminal" && frame["terminal"] == log && frame["exit"].is_object()
}

#[tokio::test(flavor = "multi_thread")]
async fn output_and_errors_are_told_apart_and_the_end_follows_both() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut ada, mut bob) = (server.full(&key).await?, server.full(&key).await?);
    let write = json!({"type": "write"});
    ada.command("p", write, json!({"path": "sub/a.txt", "content": "a"})).await?;
    let more = json!({"folder": "sub", "environment": {"GREETING": "good day"}});
    let process =
        start(&mut ada, "ls; echo $GREETING >&2; head -c 600000 /dev/zero | tr '\\0' x; exit 3", more).await?;
    let [exit, errors] = ended(&mut ada, process).await?;
    assert_eq!((&exit["code"], &errors["code"]), (&json!(3), &json!(3)));
    ensure!(exit["elapsed"].is_u64() && exit["memory"].is_u64() && exit["cpu"].is_u64(), "{exit}");
    let out = ada.output_of(process.out);
    ensure!(out.starts_with("a.txt\nxxx") && out.len() == 600_006, "{} bytes", out.len());
    assert_eq!(ada.output_of(process.errors), "good day\n");
    // Others hear of it, and may read it.
    let is_it = |frame: &Value| frame["type"] == "terminal" && frame["terminal"] == process.out;
    let seen = bob.frame_where("the process", is_it).await?;
    assert_eq!((&seen["kind"], &seen["errors"]), (&json!("process"), &json!(process.errors)));
    bob.request(json!({"type": "terminal-attach", "terminal": process.errors})).await?;
    bob.output_with(process.errors, "good day").await?;
    // It is closed as a whole.
    let close = |log: u32| json!({"type": "terminal-close", "terminal": log});
    assert_eq!(ada.request(close(process.errors)).await?["code"], "bad_request");
    assert_eq!(ada.request(close(process.out)).await?["type"], "done");
    for log in [process.out, process.errors] {
        bob.frame_where("its end", |frame| frame["type"] == "terminal-closed" && frame["terminal"] == log).await?;
        assert_eq!(ada.request(close(log)).await?["code"], "not_found");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_fed_as_fast_as_it_reads_and_may_be_stopped_meanwhile() -> Result<()> {
    let server = TestServer::new().await?;
    let mut ada = server.full(&server.room().await?).await?;
    let process = start(&mut ada, "wc -c", json!({"stdin": true})).await?;
    for _ in 0..8 {
        assert_eq!(feed(&mut ada, process, &"x".repeat(256 * 1024), false).await?["type"], "done");
    }
    assert_eq!(feed(&mut ada, process, &"x".repeat(256 * 1024 + 1), false).await?["code"], "too_large");
    let base64 =
        json!({"type": "process-input", "process": process.out, "data": "/w==", "encoding": "base64", "end": true});
    assert_eq!(ada.request(base64).await?["type"], "done");
    ended(&mut ada, process).await?;
    assert_eq!(ada.output_of(process.out).trim(), (8 * 256 * 1024 + 1).to_string());
    ensure!(feed(&mut ada, process, "late", false).await?["code"] == "conflict");

    // Without being asked for there is no input, and what is typed is for terminals.
    let deaf = start(&mut ada, "cat; sleep 1000", json!({})).await?;
    ensure!(feed(&mut ada, deaf, "x", false).await?["code"] == "conflict");
    ada.send_binary(BinaryFrame::Input { terminal: SessionId(deaf.out), bytes: b"x" }).await?;
    assert_eq!(ada.expect("error").await?["code"], "bad_request");

    // Who waits for a program that reads nothing can stop it all the same.
    let stuck = start(&mut ada, "sleep 1000", json!({"stdin": true})).await?;
    let data = "x".repeat(256 * 1024);
    ada.send(json!({"type": "process-input", "id": "stuck", "process": stuck.out, "data": data})).await?;
    let kill = json!({"type": "terminal-signal", "terminal": stuck.out, "signal": "kill"});
    assert_eq!(ada.request(kill).await?["type"], "done");
    assert_eq!(ended(&mut ada, stuck).await?[0]["signal"], 9);
    let is_answer = |frame: &Value| frame["id"] == "stuck";
    let answer = match ada.aside.iter().find(|frame| is_answer(frame)) {
        Some(answer) => answer.clone(),
        None => ada.frame_where("the answer", is_answer).await?,
    };
    assert_eq!(answer["code"], "conflict");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_outlives_the_server_and_its_time_is_kept() -> Result<()> {
    let mut server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    let lines = "for n in 1 2 3; do echo out $n; echo err $n >&2; read line; done; echo got $line";
    let process = start(&mut ada, lines, json!({"stdin": true})).await?;
    let short = start(&mut ada, "sleep 1000", json!({"timeout": 1500})).await?;
    ada.output_with(process.errors, "err 1\n").await?;
    ada.output_with(process.out, "out 1\n").await?;
    server.restart().await?;

    let mut ada = server.full(&key).await?;
    let listed = ada.aside[0]["terminals"].clone();
    let kinds: Vec<&str> =
        listed.as_array().context("terminals")?.iter().filter_map(|log| log["kind"].as_str()).collect();
    ensure!(kinds.iter().filter(|kind| **kind == "process").count() == 2, "{listed}");
    for (log, from) in [(process.out, 6), (process.errors, 6)] {
        let attached = ada.request(json!({"type": "terminal-attach", "terminal": log, "from": from})).await?;
        assert_eq!(attached["from"], from, "{attached}");
    }
    for _ in 0..3 {
        assert_eq!(feed(&mut ada, process, "on\n", false).await?["type"], "done");
    }
    let [exit, _] = ended(&mut ada, process).await?;
    assert_eq!(exit["code"], 0);
    assert_eq!(ada.output_of(process.out), "out 2\nout 3\ngot on\n");
    assert_eq!(ada.output_of(process.errors), "err 2\nerr 3\n");
    let exit = match listed.as_array().into_iter().flatten().find(|log| log["terminal"] == short.out) {
        Some(log) if log["exit"].is_object() => log["exit"].clone(),
        _ => ended(&mut ada, short).await?[0].clone(),
    };
    assert_eq!((&exit["signal"], &exit["timed_out"]), (&json!(9), &json!(true)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_is_told_and_takes_no_number_of_anybodys() -> Result<()> {
    let server = TestServer::new().await?;
    let mut ada = server.full(&server.room().await?).await?;
    let frame = |more: Value| {
        let mut frame = json!({"type": "process-start", "project": "p", "command": "true"});
        frame.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        frame
    };
    for (more, code) in [
        (json!({"command": ""}), "bad_request"),
        (json!({"command": "a\0"}), "bad_request"),
        (json!({"command": "x".repeat(200_000)}), "too_large"),
        (json!({"timeout": 0}), "bad_request"),
        (json!({"folder": "../up"}), "bad_path"),
        (json!({"folder": "none"}), "not_found"),
        (json!({"environment": {"A=B": ""}}), "bad_request"),
        (json!({"environment": {"A": "x".repeat(70_000)}}), "too_large"),
        (json!({"environment": {"A": 1}}), "bad_request"),
    ] {
        let answer = ada.request(frame(more.clone())).await?;
        assert_eq!(answer["code"], code, "{more}: {answer}");
    }
    for _ in 0..16 {
        start(&mut ada, "sleep 1000", json!({})).await?;
    }
    assert_eq!(ada.request(frame(json!({}))).await?["code"], "limit_reached");
    Ok(())
}

fn text(told: &[(String, Value)], name: &str) -> String {
    told.iter().filter(|(event, _)| event == name).filter_map(|(_, data)| data["text"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_hears_output_and_errors_and_gives_input() -> Result<()> {
    let server = TestServer::new().await?;
    let backend = Backend::new(&server, &server.key(1).await?);
    let (_, opened) = backend.ask("POST", "/rooms", json!({})).await?;
    let at = format!("/rooms/{}/commands", opened["room"].as_str().context("a room")?);
    let large = "y".repeat(1_000_000);
    let command = json!({"project": "p", "command": "echo $WHO >&2; wc -c; exit 4", "terminal": false,
        "stdin": large, "environment": {"WHO": "me"}, "timeout": 60_000});
    let ran = backend.raw("POST", &at, &[], command.to_string().as_bytes()).await?;
    ensure!(ran.status == 200, "{}", ran.head);
    let told = super::api::events(&ran.text())?;
    ensure!(told[0].0 == "started" && told[0].1["process"].is_u64(), "{told:?}");
    assert_eq!((text(&told, "stdout").trim(), text(&told, "stderr").as_str()), ("1000000", "me\n"));
    let (name, end) = told.last().context("an end")?;
    ensure!(name == "ended" && end["code"] == 4 && end["cpu"].is_u64(), "{end}");

    let command = json!({"project": "p", "command": "sleep 1000", "terminal": false, "timeout": 100});
    let ran = backend.raw("POST", &at, &[], command.to_string().as_bytes()).await?;
    let (_, end) = super::api::events(&ran.text())?.pop().context("an end")?;
    assert_eq!((&end["signal"], &end["timed_out"]), (&json!(9), &json!(true)));
    for bad in [
        json!({"project": "p", "command": "true", "stdin": "x"}),
        json!({"project": "p", "command": "true", "timeout": 5}),
        json!({"project": "p", "command": "true", "terminal": false, "timeout": 0}),
    ] {
        let (status, problem) = backend.ask("POST", &at, bad).await?;
        ensure!(status == 400 && problem["code"] == "bad_request", "{problem}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_stays_as_long_as_its_host_said_and_carries_what_was_written_on_it() -> Result<()> {
    let mut server = TestServer::with(|config| config.rooms.sleep_after = Duration::from_millis(100)).await?;
    let backend = Backend::new(&server, &server.key(9).await?);
    let open = json!({"timeout": 3600, "metadata": {"user": "a \"b\",{", "job": "7"}});
    let (status, opened) = backend.ask("POST", "/rooms", open.clone()).await?;
    ensure!(status == 201, "{opened}");
    backend.ask("POST", "/rooms", json!({"metadata": {"job": "8"}})).await?;
    let room = opened["room"].as_str().context("a room")?.to_owned();
    let at = format!("/rooms/{room}");
    let (_, seen) = backend.get(&at).await?;
    ensure!(seen["metadata"] == open["metadata"] && seen["ends_at"].is_u64(), "{seen}");
    for (wanted, found) in [
        ("job%3D7", 1),
        ("job%3D8", 1),
        ("job%3D9", 0),
        ("user%3Da%20%22b%22%2C%7B", 1),
        ("b%3D", 0),
        ("job%3D7&metadata=user%3Da+%22b%22%2C%7B", 1),
        ("job%3D7&metadata=user%3Db", 0),
    ] {
        let (_, listed) = backend.get(&format!("/rooms?metadata={wanted}")).await?;
        assert_eq!(listed["rooms"].as_array().map(Vec::len), Some(found), "{wanted}: {listed}");
    }
    ensure!(backend.get("/rooms?metadata=none").await?.0 == 400);

    // It does not fall asleep before its end, and the next server knows when that is.
    let pair = backend.pair.clone();
    server.restart_with(|config| config.rooms.sleep_after = Duration::from_millis(100)).await?;
    let backend = Backend::saying(&server, &pair);
    let (_, later) = backend.get(&at).await?;
    assert_eq!(later["ends_at"], seen["ends_at"]);
    let (_, changed) = backend.ask("PATCH", &at, json!({"timeout": 1})).await?;
    ensure!(changed["ends_at"].as_u64() < seen["ends_at"].as_u64(), "{changed}");
    while backend.get(&at).await?.0 != 404 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for bad in
        [json!({"timeout": 0}), json!({"timeout": 86_401}), json!({"metadata": {"a": 1}}), json!({"timeout": -1})]
    {
        let (status, problem) = backend.ask("POST", "/rooms", bad).await?;
        ensure!(status == 400, "{problem}");
    }
    let (status, _) = backend.ask("POST", "/rooms", json!({"metadata": {"a": "x".repeat(5000)}})).await?;
    assert_eq!(status, 413);
    Ok(())
}
