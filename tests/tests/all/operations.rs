//! What an operator relies on: the server as it stands, maintenance, minutes that run out, and credits that add up however
//! often the server is killed while rooms are being opened.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv::ledger::Ledger;
use embedenv_tests::browser::Browser;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::http::ask_at;
use embedenv_tests::program::{CREDITS, Program};
use embedenv_tests::sandboxes::TestEngine;
use embedenv_tests::{TestServer, chance};
use futures_util::future::join_all;
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// Rounds of killing while rooms are being opened; `cargo xtask test --full` does the long form.
const ROUNDS: usize = 6;
const FULL_ROUNDS: usize = 50;
/// Rooms that are asked for at once, and those of them that are asked for a second time.
const AT_ONCE: usize = 6;
const TWICE: usize = 2;
/// The longest that a round goes on before the kill.
const MOST: Duration = Duration::from_millis(400);
/// How long the server may take to answer an `init`.
const SOON: Duration = Duration::from_secs(60);

async fn operator(server: &TestServer) -> Result<Browser> {
    let code = server.running()?.operator_code().await?.context("a fresh server has a code")?;
    let mut root = Browser::new(server.address());
    let new = json!({"code": code, "name": "Root", "email": "root@example.org", "password": "a long password"});
    root.enter("/operators", new).await?;
    Ok(root)
}

/// How an `init` by a new pair is answered, and closed if it was refused.
async fn init(server: &TestServer) -> Result<(Value, Option<u16>)> {
    let pair = server.key(1).await?;
    let mut host = Client::connect(&server.url()).await?;
    host.send(json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key})).await?;
    let answer = host.frame().await?;
    let closed = if answer["type"] == "error" { host.closed().await? } else { None };
    Ok((answer, closed))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_the_server_and_nobody_opens_a_room_during_maintenance() -> Result<()> {
    let server = TestServer::with(|config| config.rooms.most = 70).await?;
    let root = operator(&server).await?;
    let link = server.room().await?;
    let person = server.plain(&link).await?;
    let (status, seen) = root.ask("GET", "/server", Value::Null).await?;
    ensure!(status == 200 && seen["engine"] == TestEngine::chosen().name(), "{seen}");
    let rooms = &seen["rooms"];
    ensure!(
        rooms["living"] == 1 && rooms["most"] == 70 && rooms["running"] == 1 && rooms["connections"] == 1,
        "{seen}"
    );
    let space = &seen["spaces"][0];
    ensure!(space["name"] == "default" && space["living"] == 1 && space["memory"].as_u64() > Some(0), "{seen}");
    ensure!(seen["memory"].as_u64() > Some(1 << 20) && seen["maintenance"].is_null(), "{seen}");
    let (status, examined) = root.ask("GET", "/server/examination", Value::Null).await?;
    let findings = examined["findings"].as_array().context("findings")?;
    ensure!(status == 200 && examined["works"] == true && findings.len() > 5, "{examined}");

    let (status, refused) = root.ask("PUT", "/maintenance", json!({"message": ""})).await?;
    ensure!(status == 400 && refused["code"] == "bad_request", "{refused}");
    let (status, begun) = root.ask("PUT", "/maintenance", json!({"message": "Back at noon."})).await?;
    ensure!(status == 200 && begun["since"].as_u64() > Some(0), "{begun}");
    let (answer, closed) = init(&server).await?;
    ensure!(answer["code"] == "unavailable" && answer["message"] == "Back at noon.", "{answer}");
    ensure!(closed.is_some(), "it was not closed");
    let (_, seen) = root.ask("GET", "/server", Value::Null).await?;
    ensure!(seen["maintenance"]["message"] == "Back at noon.", "{seen}");
    // Who is here stays, and who has a link comes.
    let mut other = server.plain(&link).await?;
    other.shell("p", "echo he''re").await?;
    ensure!(shown(&other.until_end().await?) == "here\n");
    drop(person);

    ensure!(root.ask("DELETE", "/maintenance", Value::Null).await?.0 == 204);
    let (answer, _) = init(&server).await?;
    ensure!(answer["remaining_credits"] == 0, "{answer}");
    for (method, path) in [("GET", "/server"), ("PUT", "/maintenance"), ("DELETE", "/maintenance")] {
        let stranger = Browser::new(server.address());
        ensure!(stranger.ask(method, path, json!({})).await?.0 == 401, "{method} {path}");
    }
    let page = ask_at(server.address(), "GET", &server.address().to_string(), "/api", &[], b"").await?;
    ensure!(page.status == 200 && page.text().contains("<section id=\"beginMaintenance\">"), "{}", page.status);
    ensure!(page.field("content-security-policy").is_some_and(|policy| policy.contains("style-src 'nonce-")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_a_link_is_sent_away_when_its_minutes_are_used_up() -> Result<()> {
    let server = TestServer::new().await?;
    let pair = server.key(1).await?;
    let mut host = Client::connect(&server.url()).await?;
    let init = json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key, "protocol": 2});
    host.send(init).await?;
    host.expect("joined").await?;
    for bad in [0, 1_000_001] {
        let refused = host.request(json!({"type": "key-mint", "role": "editor", "minutes": bad})).await?;
        ensure!(refused["code"] == "bad_request", "{refused}");
    }
    let made = host.request(json!({"type": "key-mint", "role": "editor", "minutes": 3})).await?;
    let link = made["join"].as_str().with_context(|| made.to_string())?.to_owned();
    let (mut ada, mut bob) = (server.full(&link).await?, server.plain(&link).await?);
    let registry = server.running()?.registry().clone();
    registry.meter(Duration::from_secs(70)).await;
    let listed = host.request(json!({"type": "keys"})).await?;
    ensure!(listed["keys"][0]["minutes"] == 3 && listed["keys"][0]["spent"] == 2, "{listed}");
    registry.meter(Duration::from_secs(60)).await;
    ensure!(ada.closed().await? == Some(4404) && bob.closed().await? == Some(4404));
    let mut late = Client::connect(&server.url()).await?;
    late.send(json!({"type": "join", "join": link})).await?;
    ensure!(late.closed().await? == Some(4404));
    // The room's own keys are good as long as it is.
    ensure!(host.request(json!({"type": "ping"})).await?["type"] == "pong");
    Ok(())
}

/// What an `init` with this name is answered; `None` if the server was killed over it.
async fn opened(url: &str, mut init: Value, name: &str) -> Result<Option<String>> {
    init["idempotency_key"] = json!(name);
    let asked = async {
        let mut host = Client::connect(url).await?;
        host.send(init).await?;
        host.frame().await
    };
    match timeout(SOON, asked).await.context("no answer in time")? {
        Ok(answer) => {
            let join = answer["join"].as_str().with_context(|| answer.to_string())?;
            Ok(Some(join.to_owned()))
        }
        Err(_) => Ok(None),
    }
}

async fn account(ledger: &Ledger, public_key: &str) -> Result<(i64, i64, usize)> {
    let account = ledger.account_of(public_key).await?;
    let lines = ledger.credits(&account, None, u32::MAX).await?;
    let sum = lines.iter().map(|line| line.amount).sum();
    Ok((ledger.balance(public_key).await?, sum, ledger.rooms().await?.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_are_opened_while_the_server_is_killed_again_and_again_cost_a_credit_each() -> Result<()> {
    let rounds = if std::env::var_os("EMBEDENV_FULL").is_some() { FULL_ROUNDS } else { ROUNDS };
    let mut chance = chance::chance(chance::seed(), 0);
    let mut program = Program::start(2).await?;
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut names = Vec::new();
    for round in 0..rounds {
        let fresh: Vec<_> = (0..AT_ONCE).map(|n| format!("{round}-{n}")).collect();
        // Some are asked for twice at once, as by a client that has lost patience.
        let asked: Vec<_> = fresh.iter().chain(&fresh[..TWICE]).cloned().collect();
        names.extend(fresh);
        let (url, init) = (program.url(), program.init());
        let all = join_all(asked.iter().map(|name| opened(&url, init.clone(), name)));
        let kill = async {
            sleep(MOST.mul_f64(chance.random())).await;
            program.kill().await
        };
        let (answers, killed) = tokio::join!(all, kill);
        killed?;
        for (name, answer) in asked.into_iter().zip(answers) {
            if let Some(join) = answer? {
                ensure!(told.entry(name).or_insert_with(|| join.clone()) == &join, "two rooms of one name");
            }
        }
        program.restart().await?;
    }
    let before = told.len();
    for name in &names {
        let join = opened(&program.url(), program.init(), name).await?.context("the server is there")?;
        ensure!(*told.entry(name.clone()).or_insert_with(|| join.clone()) == join, "{name} has another room now");
    }
    println!("{before} of {} were answered before a kill", names.len());
    let (balance, sum, rooms) = account(&program.ledger().await?, &program.public_key).await?;
    ensure!(balance == sum, "the balance is {balance}, and its lines come to {sum}");
    ensure!(rooms == names.len(), "{rooms} rooms live, {} were asked for", names.len());
    ensure!(CREDITS - balance == i64::try_from(rooms)?, "{rooms} rooms cost {}", CREDITS - balance);
    // Each is a room with a sandbox that runs things.
    for join in told.values() {
        let mut person = Client::connect(&program.url()).await?;
        person.send(json!({"type": "join", "join": join})).await?;
        person.expect("joined").await?;
        person.shell("p", "echo he''re").await?;
        ensure!(shown(&person.until_end().await?) == "here\n");
    }
    Ok(())
}
