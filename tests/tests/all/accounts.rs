//! Accounts over REST, as the console uses them: signing up, logging in, key pairs, and what a cookie alone can't do.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv::config::{Config, SecretUrl, SignUp};
use embedenv_tests::TestServer;
use embedenv_tests::browser::Browser;
use embedenv_tests::client::Client;
use embedenv_tests::mailbox::Mailbox;
use serde_json::{Value, json};

const PASSWORD: &str = "a long password";

async fn with_mail(sign_up: SignUp) -> Result<(TestServer, Mailbox)> {
    let mailbox = Mailbox::start().await?;
    let url = SecretUrl::smtp(&mailbox.url());
    let server = TestServer::with(|config: &mut Config| {
        config.accounts.sign_up = sign_up;
        config.accounts.credits = 5;
        config.mail.smtp = url;
    })
    .await?;
    Ok((server, mailbox))
}

async fn signed_up(server: &TestServer, mailbox: &mut Mailbox, email: &str) -> Result<Browser> {
    let mut browser = Browser::new(server.address());
    let before = mailbox.count();
    let new = json!({"name": "Ada", "email": email, "password": PASSWORD});
    let (status, said) = browser.ask("POST", "/sign-ups", new).await?;
    ensure!(status == 202, "{status} {said}");
    let mail = mailbox.mail(before + 1).await?;
    ensure!(mail.to == email.to_lowercase(), "{mail:?}");
    browser.enter("/sign-ups/confirmations", json!({"token": mail.token("confirm")?})).await?;
    Ok(browser)
}

fn pair(made: &Value) -> Result<String> {
    let text = |name: &str| made[name].as_str().context("a key").map(str::to_owned);
    Ok(format!("Basic {}", STANDARD.encode(format!("{}:{}", text("public_key")?, text("secret_key")?))))
}

async fn with_pair(server: &TestServer, pair: &str, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
    let browser = Browser::new(server.address());
    let answer = browser.raw(method, path, &[("Authorization", pair)], &body).await?;
    Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_up_gets_pairs_spends_credits_and_leaves() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Open).await?;
    let ada = signed_up(&server, &mut mailbox, "Ada@Example.org").await?;
    let (_, session) = ada.ask("GET", "/session", Value::Null).await?;
    ensure!(session["account"]["email"] == "ada@example.org" && session["account"]["credits"] == 5, "{session}");
    ensure!(session["account"]["role"] == "member", "{session}");

    // Two pairs spend from one account, and each sees its rooms.
    let (status, first) = ada.ask("POST", "/keys", json!({"name": "Courses"})).await?;
    ensure!(status == 201, "{first}");
    let (_, second) = ada.ask("POST", "/keys", json!({"name": "Docs", "budget": 1, "rooms_most": 1})).await?;
    let (first_pair, second_pair) = (pair(&first)?, pair(&second)?);
    let (status, opened) = with_pair(&server, &first_pair, "POST", "/rooms", json!({})).await?;
    ensure!(status == 201 && opened["remaining_credits"] == 4, "{opened}");
    let (status, opened) = with_pair(&server, &second_pair, "POST", "/rooms", json!({})).await?;
    ensure!(status == 201 && opened["remaining_credits"] == 3, "{opened}");
    let (_, listed) = with_pair(&server, &second_pair, "GET", "/rooms", Value::Null).await?;
    ensure!(listed["rooms"].as_array().is_some_and(|rooms| rooms.len() == 2), "{listed}");
    let (status, refused) = with_pair(&server, &second_pair, "POST", "/rooms", json!({})).await?;
    ensure!(status == 402 && refused["code"] == "no_credits", "{status} {refused}");
    let key = second["public_key"].as_str().context("a key")?.to_owned();
    let (status, changed) = ada.ask("PUT", &format!("/keys/{key}"), json!({"name": "Docs", "rooms_most": 1})).await?;
    ensure!(status == 200 && changed["spent"] == 1 && changed["budget"].is_null(), "{changed}");
    let (status, refused) = with_pair(&server, &second_pair, "POST", "/rooms", json!({})).await?;
    ensure!(status == 409 && refused["code"] == "limit_reached", "{status} {refused}");
    let (_, usage) = ada.ask("GET", "/usage", Value::Null).await?;
    let today = &usage["days"][0];
    ensure!(
        today["spent"] == 2 && today["granted"] == 5 && today["keys"].as_array().is_some_and(|keys| keys.len() == 2),
        "{usage}"
    );
    // The console opens rooms, too.
    let (status, opened) = ada.ask("POST", "/rooms", json!({})).await?;
    ensure!(status == 201 && opened["remaining_credits"] == 2, "{opened}");

    // A new secret, beside the old one for a while or at once.
    let key = first["public_key"].as_str().context("a key")?.to_owned();
    let (status, rotated) = ada.ask("POST", &format!("/keys/{key}/rotations"), json!({"overlap": 3600})).await?;
    ensure!(status == 201, "{rotated}");
    for good in [&first_pair, &pair(&rotated)?] {
        ensure!(with_pair(&server, good, "GET", "/key", Value::Null).await?.0 == 200);
    }
    let (_, again) = ada.ask("POST", &format!("/keys/{key}/rotations"), json!({"overlap": 0})).await?;
    for bad in [&first_pair, &pair(&rotated)?] {
        ensure!(with_pair(&server, bad, "GET", "/key", Value::Null).await?.0 == 401);
    }
    ensure!(with_pair(&server, &pair(&again)?, "GET", "/key", Value::Null).await?.0 == 200);
    ensure!(ada.ask("DELETE", &format!("/keys/{key}"), Value::Null).await?.0 == 204);
    ensure!(with_pair(&server, &pair(&again)?, "GET", "/key", Value::Null).await?.0 == 401);
    // A pair makes no other one.
    ensure!(with_pair(&server, &second_pair, "POST", "/keys", json!({"name": "x"})).await?.0 == 401);

    let (_, audit) = ada.ask("GET", "/audit", Value::Null).await?;
    let actions: Vec<_> =
        audit["entries"].as_array().context("lines")?.iter().map(|line| line["action"].clone()).collect();
    ensure!(actions[0] == "key.revoked" && actions.last() == Some(&json!("account.created")), "{audit}");
    let (_, export) = ada.ask("GET", "/account/export", Value::Null).await?;
    ensure!(
        export["account"]["name"] == "Ada" && export["credits"].as_array().is_some_and(|lines| lines.len() == 4),
        "{export}"
    );

    // Leaving takes the password, and everything with it.
    let (status, refused) = ada.ask("DELETE", "/account", json!({"password": "not this one"})).await?;
    ensure!(status == 403, "{refused}");
    ensure!(ada.ask("DELETE", "/account", json!({"password": PASSWORD})).await?.0 == 204);
    ensure!(ada.ask("GET", "/session", Value::Null).await?.0 == 401);
    ensure!(with_pair(&server, &second_pair, "GET", "/key", Value::Null).await?.0 == 401);
    ensure!(server.ledger()?.rooms().await?.is_empty());
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
    ensure!(Browser::new(server.address()).ask("POST", "/sessions", log_in).await?.0 == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_known_and_one_that_is_not_are_answered_alike() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Open).await?;
    signed_up(&server, &mut mailbox, "ada@example.org").await?;
    let stranger = Browser::new(server.address());
    let sign_up = |email: &str| json!({"name": "X", "email": email, "password": PASSWORD});
    let known = stranger.raw("POST", "/sign-ups", &[], &sign_up("ada@example.org")).await?;
    let unknown = stranger.raw("POST", "/sign-ups", &[], &sign_up("bob@example.org")).await?;
    ensure!((known.status, known.text()) == (unknown.status, unknown.text()), "{} {}", known.text(), unknown.text());
    let mails = [mailbox.mail(2).await?, mailbox.mail(3).await?];
    let to_ada = mails.iter().find(|mail| mail.to == "ada@example.org").context("a mail to her")?;
    ensure!(to_ada.text.contains("has an account already") && !to_ada.text.contains("#confirm="), "{to_ada:?}");

    let wrong = |email: &str| json!({"email": email, "password": "not this one"});
    let known = stranger.raw("POST", "/sessions", &[], &wrong("ada@example.org")).await?;
    let unknown = stranger.raw("POST", "/sessions", &[], &wrong("carol@example.org")).await?;
    ensure!(known.status == 401 && known.text() == unknown.text(), "{} {}", known.text(), unknown.text());
    let reset = |email: &str| json!({"email": email});
    let known = stranger.raw("POST", "/password-resets", &[], &reset("ada@example.org")).await?;
    let unknown = stranger.raw("POST", "/password-resets", &[], &reset("carol@example.org")).await?;
    ensure!((known.status, known.text()) == (202, unknown.text()), "{} {}", known.text(), unknown.text());
    mailbox.mail(4).await?;

    // Who guesses is told to wait, and who knows gets in meanwhile.
    for _ in 0..25 {
        stranger.raw("POST", "/sessions", &[], &wrong("ada@example.org")).await?;
    }
    ensure!(stranger.raw("POST", "/sessions", &[], &wrong("ada@example.org")).await?.status == 429);
    let mut ada = Browser::new(server.address());
    ada.enter("/sessions", json!({"email": "ada@example.org", "password": PASSWORD})).await?;
    for bad in ["", "nobody", "a@b@c"] {
        ensure!(stranger.raw("POST", "/sign-ups", &[], &sign_up(bad)).await?.status == 400, "{bad}");
    }
    let short = json!({"name": "X", "email": "dan@example.org", "password": "short"});
    ensure!(stranger.raw("POST", "/sign-ups", &[], &short).await?.status == 400);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_once_and_logs_everybody_out() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Open).await?;
    let old = signed_up(&server, &mut mailbox, "ada@example.org").await?;
    ensure!(old.ask("POST", "/password-resets", json!({"email": "ADA@example.org"})).await?.0 == 202);
    let token = mailbox.mail(2).await?.token("reset")?;
    let mut ada = Browser::new(server.address());
    ada.enter("/password-resets/confirmations", json!({"token": token, "password": "another password"})).await?;
    ensure!(old.ask("GET", "/session", Value::Null).await?.0 == 401);
    let again = json!({"token": token, "password": "a third password"});
    ensure!(ada.ask("POST", "/password-resets/confirmations", again).await?.0 == 401);
    let old_one = json!({"email": "ada@example.org", "password": PASSWORD});
    ensure!(Browser::new(server.address()).ask("POST", "/sessions", old_one).await?.0 == 401);

    // Changed by who is logged in, the others are logged out; they are listed and can be ended one by one.
    let mut phone = Browser::new(server.address());
    phone.enter("/sessions", json!({"email": "ada@example.org", "password": "another password"})).await?;
    let (_, listed) = ada.ask("GET", "/sessions", Value::Null).await?;
    let sessions = listed["sessions"].as_array().context("sessions")?;
    ensure!(sessions.len() == 2 && sessions[0]["browser"] == "Test 1.0", "{listed}");
    let change = json!({"current": "another password", "password": "a fourth password"});
    ensure!(ada.ask("PUT", "/password", change.clone()).await?.0 == 204);
    ensure!(ada.ask("PUT", "/password", change).await?.0 == 403);
    ensure!(phone.ask("GET", "/session", Value::Null).await?.0 == 401);
    phone.enter("/sessions", json!({"email": "ada@example.org", "password": "a fourth password"})).await?;
    let (_, listed) = ada.ask("GET", "/sessions", Value::Null).await?;
    let other = listed["sessions"].as_array().and_then(|all| all.iter().find(|one| one["is_this"] == false));
    let other = other.and_then(|one| one["session"].as_str()).context("the other one")?;
    ensure!(ada.ask("DELETE", &format!("/sessions/{other}"), Value::Null).await?.0 == 204);
    ensure!(ada.ask("DELETE", &format!("/sessions/{other}"), Value::Null).await?.0 == 404);
    ensure!(phone.ask("GET", "/session", Value::Null).await?.0 == 401);
    ensure!(ada.ask("DELETE", "/session", Value::Null).await?.0 == 204);
    ensure!(ada.ask("GET", "/session", Value::Null).await?.0 == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Open).await?;
    let ada = signed_up(&server, &mut mailbox, "ada@example.org").await?;
    let token = ada.page_token.clone().context("a token")?;
    let key = json!({"name": "x"});
    for (method, path, body) in [
        ("POST", "/keys", &key),
        ("DELETE", "/session", &Value::Null),
        ("POST", "/rooms", &json!({})),
        ("PUT", "/password", &json!({"current": PASSWORD, "password": "another password"})),
        ("DELETE", "/account", &json!({"password": PASSWORD})),
    ] {
        for fields in [
            &[][..],
            &[("X-Embedenv-Page", "made-up")],
            &[("X-Embedenv-Page", &token), ("Origin", "https://evil.example")],
        ] {
            let answer = ada.raw(method, path, fields, body).await?;
            ensure!(answer.status == 403, "{method} {path} {fields:?}: {}", answer.text());
        }
    }
    // Nor is anything read by a page of another site, and nobody is logged in by one.
    let foreign = [("Origin", "https://evil.example")];
    ensure!(ada.raw("GET", "/session", &foreign, &Value::Null).await?.status == 403);
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
    ensure!(Browser::new(server.address()).raw("POST", "/sessions", &foreign, &log_in).await?.status == 403);
    let (_, listed) = ada.ask("GET", "/keys", Value::Null).await?;
    ensure!(listed["keys"] == json!([]), "{listed}");
    let own = format!("http://{}", server.address());
    let made = ada.raw("POST", "/keys", &[("X-Embedenv-Page", &token), ("Origin", &own)], &key).await?;
    ensure!(made.status == 201, "{}", made.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_made_by_a_code_and_invites_and_grants() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Invitation).await?;
    let code = server.running()?.operator_code().await?.context("a fresh server has a code")?;
    let mut root = Browser::new(server.address());
    let new = |code: &str| json!({"code": code, "name": "Root", "email": "root@example.org", "password": PASSWORD});
    ensure!(root.ask("POST", "/operators", new("ot_made-up")).await?.0 == 401);
    let said = root.enter("/operators", new(&code)).await?;
    ensure!(said["account"]["role"] == "operator", "{said}");
    ensure!(Browser::new(server.address()).ask("POST", "/operators", new(&code)).await?.0 == 401);
    ensure!(server.running()?.operator_code().await?.is_none());

    let sign_up = |token: Option<&str>, email: &str| json!({"name": "Bob", "email": email, "password": PASSWORD, "invitation": token});
    let bob = Browser::new(server.address());
    ensure!(bob.ask("POST", "/sign-ups", sign_up(None, "bob@example.org")).await?.0 == 403);
    ensure!(root.ask("POST", "/invitations", json!({"email": "bob@example.org"})).await?.0 == 202);
    let invitation = mailbox.mail(1).await?.token("invitation")?;
    ensure!(bob.ask("POST", "/sign-ups", sign_up(Some(&invitation), "eve@example.org")).await?.0 == 403);
    ensure!(bob.ask("POST", "/sign-ups", sign_up(Some(&invitation), "bob@example.org")).await?.0 == 202);
    let mut bob = bob;
    let confirm = mailbox.mail(2).await?.token("confirm")?;
    let said = bob.enter("/sign-ups/confirmations", json!({"token": confirm})).await?;
    let account = said["account"]["account"].as_str().context("an account")?.to_owned();

    ensure!(bob.ask("GET", "/accounts", Value::Null).await?.0 == 403);
    let grant = format!("/accounts/{account}/grants");
    ensure!(bob.ask("POST", &grant, json!({"credits": 7})).await?.0 == 403);
    let (status, granted) = root.ask("POST", &grant, json!({"credits": 7})).await?;
    ensure!(status == 201 && granted["credits"] == 12, "{granted}");
    ensure!(root.ask("POST", "/accounts/a_none/grants", json!({"credits": 7})).await?.0 == 404);
    ensure!(root.ask("POST", &grant, json!({"credits": 0})).await?.0 == 400);
    let (_, listed) = root.ask("GET", "/accounts?limit=1", Value::Null).await?;
    let next = listed["next"].as_str().context("a next page")?;
    let (_, rest) = root.ask("GET", &format!("/accounts?limit=1&after={next}"), Value::Null).await?;
    ensure!(listed["accounts"] != rest["accounts"] && rest["next"].is_null(), "{listed} {rest}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_pair_opens_only_what_it_is_for() -> Result<()> {
    let (server, mut mailbox) = with_mail(SignUp::Open).await?;
    let ada = signed_up(&server, &mut mailbox, "ada@example.org").await?;
    let made = |scope: Value| ada.ask("POST", "/keys", json!({"name": "x", "scope": scope}));
    let (_, rest_only) = made(json!({"rest_only": true})).await?;
    let (_, elsewhere) = made(json!({"spaces": ["small"]})).await?;
    let (status, refused) = made(json!({"origins": ["*"]})).await?;
    ensure!(status == 400, "{refused}");
    let init = |key: &Value| json!({"type": "init", "public_key": key["public_key"], "secret_key": key["secret_key"]});
    let mut client = Client::connect(&server.url()).await?;
    client.send(init(&rest_only)).await?;
    ensure!(client.frame().await?["code"] == "forbidden");
    let (status, opened) = with_pair(&server, &pair(&rest_only)?, "POST", "/rooms", json!({})).await?;
    ensure!(status == 201, "{opened}");
    let (status, refused) = with_pair(&server, &pair(&elsewhere)?, "POST", "/rooms", json!({})).await?;
    ensure!(status == 403, "{refused}");
    let (_, key) = with_pair(&server, &pair(&elsewhere)?, "GET", "/key", Value::Null).await?;
    ensure!(key["credits"] == 4, "{key}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_asks_too_often_is_told_when_to_come_again() -> Result<()> {
    let server = TestServer::with(|config| config.limits.api_requests = 3).await?;
    let key = server.key(1).await?;
    let said = json!({"public_key": key.public_key, "secret_key": key.secret_key});
    let pair = pair(&said)?;
    let browser = Browser::new(server.address());
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(browser.raw("GET", "/key", &[("Authorization", &pair)], &Value::Null).await?);
    }
    let seen: Vec<_> = answers.iter().map(|answer| (answer.status, answer.field("ratelimit-remaining"))).collect();
    ensure!(seen == [(200, Some("2")), (200, Some("1")), (200, Some("0")), (429, Some("0"))], "{seen:?}");
    let last = &answers[3];
    ensure!(
        last.field("ratelimit-limit") == Some("3") && last.field("retry-after") == last.field("ratelimit-reset"),
        "{}",
        last.head
    );
    Ok(())
}
