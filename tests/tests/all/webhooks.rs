//! Webhooks, payments and minutes: what a business hears and pays, on real sockets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use embedenv::config::{Config, PaymentsSecret};
use embedenv::webhooks::{ID, SIGNATURE, TIMESTAMP, read_secret, signature};
use embedenv_tests::TestServer;
use embedenv_tests::backend::Backend;
use embedenv_tests::hooks::Hooks;
use embedenv_tests::http::{Answer, ask_at};
use serde_json::{Value, json};

/// A secret that is shared with a payment system.
const PAYMENTS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MINUTE: Duration = Duration::from_secs(60);

fn within(config: &mut Config) {
    config.webhooks.inward = vec!["127.0.0.0/8".parse().expect("a network")];
}

/// The deliveries of a webhook, once the newest is as wanted.
async fn newest(backend: &Backend<'_>, webhook: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    loop {
        let (_, listed) = backend.get(&format!("/webhooks/{webhook}/deliveries")).await?;
        let newest = &listed["deliveries"][0];
        if wanted(newest) {
            return Ok(newest.clone());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_hears_signed_of_its_rooms_and_runs() -> Result<()> {
    let server = TestServer::with(within).await?;
    let mut hooks = Hooks::start().await?;
    let key = server.key(3).await?;
    let backend = Backend::new(&server, &key);
    let (status, made) = backend.ask("POST", "/webhooks", json!({"url": hooks.url()})).await?;
    let secret = made["secret"].as_str().context("a secret")?.to_owned();
    let webhook = made["webhook"]["webhook"].as_str().context("an id")?.to_owned();
    ensure!(status == 201 && made["webhook"]["events"].as_array().is_some_and(|events| events.len() == 5), "{made}");
    let (_, listed) = backend.get("/webhooks").await?;
    ensure!(listed["webhooks"] == json!([made["webhook"]]) && !listed.to_string().contains(&secret), "{listed}");

    let (_, opened) = backend.ask("POST", "/rooms", json!({})).await?;
    let room = opened["room"].as_str().context("a room")?;
    hooks.messages(1).await?;
    let mut plain = server.plain(opened["join"].as_str().context("a key")?).await?;
    plain.shell("p", "echo hello; exit 3").await?;
    plain.until_end().await?;
    hooks.messages(2).await?;
    backend.ask("DELETE", &format!("/rooms/{room}"), Value::Null).await?;
    let messages = hooks.messages(3).await?;
    let said = messages.iter().map(|message| message.read(&secret)).collect::<Result<Vec<_>>>()?;
    let kinds: Vec<_> = said.iter().map(|said| said["type"].as_str().unwrap_or_default()).collect();
    ensure!(kinds == ["room.started", "run.finished", "room.ended"], "{kinds:?}");
    ensure!(said.iter().all(|said| said["data"]["room"] == room), "{said:?}");
    ensure!(said[0]["data"]["public_key"] == *key.public_key, "{}", said[0]);
    ensure!(said[1]["data"]["project"] == "p" && said[1]["data"]["code"] == 3, "{}", said[1]);
    ensure!(messages[0].read("whsec_AAAA").is_err());

    // Asked for by hand, also again.
    let (status, _) = backend.ask("POST", &format!("/webhooks/{webhook}/tests"), Value::Null).await?;
    ensure!(status == 202);
    let test = hooks.messages(4).await?.pop().context("a message")?;
    ensure!(test.read(&secret)?["type"] == "webhook.test");
    let delivered = newest(&backend, &webhook, |newest| newest["delivered"].is_u64()).await?;
    ensure!(
        delivered["delivery"] == *test.id() && delivered["status"] == 204 && delivered["tries"] == 1,
        "{delivered}"
    );
    backend.ask("POST", &format!("/webhooks/{webhook}/deliveries/{}/retries", test.id()), Value::Null).await?;
    ensure!(hooks.messages(5).await?.pop().context("a message")?.id() == test.id());

    // Nothing more after it is revoked, and another pair sees none of it.
    let other = server.key(1).await?;
    let other = Backend::new(&server, &other);
    let of = format!("/webhooks/{webhook}");
    for (method, path) in [("DELETE", of.clone()), ("GET", format!("{of}/deliveries")), ("POST", format!("{of}/tests"))]
    {
        let (status, _) = other.ask(method, &path, Value::Null).await?;
        ensure!(status == 404, "{method} {path}: {status}");
    }
    ensure!(backend.ask("DELETE", &of, Value::Null).await?.0 == 204);
    ensure!(backend.get("/webhooks").await?.1["webhooks"] == json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_arrive_outlives_the_server_and_is_delivered_later() -> Result<()> {
    let mut server = TestServer::with(within).await?;
    let mut hooks = Hooks::start().await?;
    hooks.answer(500);
    let key = server.key(1).await?;
    let (_, made) = Backend::new(&server, &key)
        .ask("POST", "/webhooks", json!({"url": hooks.url(), "events": ["credits.low"]}))
        .await?;
    let webhook = made["webhook"]["webhook"].as_str().context("an id")?.to_owned();
    Backend::new(&server, &key).ask("POST", &format!("/webhooks/{webhook}/tests"), Value::Null).await?;
    let refused = newest(&Backend::new(&server, &key), &webhook, |newest| newest["status"] == 500).await?;
    ensure!(refused["next_try"].as_u64() > refused["created"].as_u64(), "{refused}");
    ensure!(refused["problem"] == "it answered 500 Internal Server Error", "{refused}");
    server.stop().await?;
    hooks.answer(200);
    let tried = hooks.count();
    server.start().await?;
    // By itself, some seconds after the first try.
    let id = hooks.messages(tried + 1).await?.pop().context("a message")?.id().to_owned();
    ensure!(refused["delivery"] == *id, "{id}");
    let backend = Backend::new(&server, &key);
    let delivered = newest(&backend, &webhook, |newest| newest["delivered"].is_u64()).await?;
    ensure!(delivered["next_try"].is_null() && delivered["problem"].is_null(), "{delivered}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_led_nowhere_inward() -> Result<()> {
    let server = TestServer::new().await?;
    let hooks = Hooks::start().await?;
    let key = server.key(1).await?;
    let backend = Backend::new(&server, &key);
    let port = hooks.port();
    for bad in [
        hooks.url(),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "ftp://a.example/".to_owned(),
    ] {
        let (status, problem) = backend.ask("POST", "/webhooks", json!({"url": bad})).await?;
        ensure!(status == 400 && problem["code"] == "bad_request", "{bad}: {problem}");
    }
    let (status, problem) =
        backend.ask("POST", "/webhooks", json!({"url": "https://a.example/", "events": ["x"]})).await?;
    ensure!(status == 400 && problem["detail"].as_str().is_some_and(|detail| detail.contains("\"x\"")), "{problem}");
    // What a name leads to is known only when it is asked.
    let (_, made) = backend.ask("POST", "/webhooks", json!({"url": format!("https://localhost:{port}/")})).await?;
    let webhook = made["webhook"]["webhook"].as_str().context("an id")?;
    backend.ask("POST", &format!("/webhooks/{webhook}/tests"), Value::Null).await?;
    let refused = newest(&backend, webhook, |newest| newest["problem"].is_string()).await?;
    ensure!(
        refused["problem"].as_str().is_some_and(|problem| problem.contains("private, local or reserved")),
        "{refused}"
    );
    ensure!(hooks.count() == 0);
    Ok(())
}

/// What a payment system says of a payment, with a signature by `secret` of `ago` seconds before now.
async fn pay(server: &TestServer, id: &str, body: &Value, secret: &str, ago: u64) -> Result<Answer> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (timestamp, body) = ((now - ago).to_string(), body.to_string());
    let signed = signature(&read_secret(secret).context("a secret")?, id, &timestamp, body.as_bytes());
    let fields = [(ID, id), (TIMESTAMP, &timestamp), (SIGNATURE, &signed), ("content-type", "application/json")];
    let host = server.address().to_string();
    ask_at(server.address(), "POST", &host, "/api/v1/payments", &fields, body.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_system_grants_what_was_paid_for_once_and_nobody_else_does() -> Result<()> {
    let secret = PaymentsSecret::read(PAYMENTS).context("a secret")?;
    let server = TestServer::with(|config| config.payments_secret = Some(secret)).await?;
    let key = server.key(1).await?;
    let account = server.ledger()?.account_of(&key.public_key).await?;
    let body = json!({"account": account, "credits": 40});
    for _ in 0..3 {
        let paid = pay(&server, "order-1", &body, PAYMENTS, 0).await?;
        ensure!(paid.status == 200 && paid.text() == "{\"credits\":41}", "{}", paid.text());
    }
    let other = pay(&server, "order-1", &json!({"account": account, "credits": 400}), PAYMENTS, 0).await?;
    ensure!(other.status == 409, "{}", other.text());
    let nobody = pay(&server, "order-2", &json!({"account": "a_x", "credits": 40}), PAYMENTS, 0).await?;
    ensure!(nobody.status == 404, "{}", nobody.text());
    for (id, credits) in [("order-3", json!(0)), ("order-4", json!(-1)), ("order-5", json!("x"))] {
        let bad = pay(&server, id, &json!({"account": account, "credits": credits}), PAYMENTS, 0).await?;
        ensure!(bad.status == 400, "{credits}: {}", bad.text());
    }
    // Old copies, other signers, and nobody in particular.
    let copy = pay(&server, "order-6", &body, PAYMENTS, 6 * 60).await?;
    let forged = pay(&server, "order-7", &body, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0).await?;
    ensure!((copy.status, forged.status) == (401, 401), "{} {}", copy.text(), forged.text());
    ensure!(server.ledger()?.balance(&key.public_key).await? == 41);
    let none = TestServer::new().await?;
    ensure!(pay(&none, "order-1", &body, PAYMENTS, 0).await?.status == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_whose_minutes_nobody_pays_for_ends_and_starts_again_once_they_are() -> Result<()> {
    let mut server = TestServer::with(|config| {
        for space in config.spaces.values_mut() {
            space.minute_price = 500;
        }
    })
    .await?;
    let key = server.key(2).await?;
    let (_, opened) = Backend::new(&server, &key).ask("POST", "/rooms", json!({})).await?;
    let join = opened["join"].as_str().context("a key")?.to_owned();
    let mut client = server.full(&join).await?;
    // Two minutes cost a credit; the server that ends in between forgets none.
    server.running()?.registry().meter(MINUTE).await;
    ensure!(server.ledger()?.balance(&key.public_key).await? == 1);
    client.leave().await?;
    server.restart().await?;
    let mut client = server.full(&join).await?;
    client.command("p", json!({"type": "write"}), json!({"path": "kept.txt", "content": "kept"})).await?;
    client.request(json!({"type": "read", "project": "p", "path": "kept.txt"})).await?;
    server.running()?.registry().meter(MINUTE).await;
    ensure!(server.ledger()?.balance(&key.public_key).await? == 0);

    server.running()?.registry().meter(2 * MINUTE).await;
    let gone = client.frame_where("a sandbox that is gone", |frame| frame["state"] == "gone").await?;
    ensure!(
        gone["message"].as_str().is_some_and(|message| message.contains("credits or minutes are used up")),
        "{gone}"
    );
    let refused = client.request(json!({"type": "sandbox-start"})).await?;
    ensure!(refused["type"] == "error" && refused["code"] == "no_credits", "{refused}");
    let account = server.ledger()?.account_of(&key.public_key).await?;
    server.ledger()?.grant_to(&account, embedenv::ledger::Actor::CommandLine, 5, None).await?;
    let started = client.request(json!({"type": "sandbox-start"})).await?;
    ensure!(started["type"] == "done", "{started}");
    let read = client.request(json!({"type": "read", "project": "p", "path": "kept.txt"})).await?;
    ensure!(read["content"] == "kept", "{read}");
    ensure!(server.ledger()?.balance(&key.public_key).await? == 4);
    Ok(())
}
