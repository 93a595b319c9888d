//! The REST API as a backend uses it: rooms, join keys and widgets of a key pair, and nobody else's.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv::config::SignUp;
use embedenv::ledger::NewKey;
use embedenv_tests::backend::Backend;
use embedenv_tests::client::Client;
use embedenv_tests::editor::Editor;
use embedenv_tests::http::ask_at;
use embedenv_tests::{TestServer, precondition};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_opens_lists_and_ends_rooms_and_hands_out_keys() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.key(3).await?;
    let backend = Backend::new(&server, &key);
    let (status, own) = backend.get("/key").await?;
    ensure!(status == 200 && own["public_key"] == *key.public_key && own["credits"] == 3, "{own}");

    let (status, opened) = backend.ask("POST", "/rooms", json!({})).await?;
    ensure!(status == 201 && opened["remaining_credits"] == 2 && opened["space"] == "default", "{opened}");
    let room = opened["room"].as_str().context("a room")?.to_owned();
    let mut owner = server.full(opened["owner"].as_str().context("a key")?).await?;
    let (_, listed) = backend.get("/rooms").await?;
    ensure!(listed["rooms"][0]["room"] == *room && listed["rooms"][0]["connections"] == 1, "{listed}");
    ensure!(listed["next"].is_null() && listed["rooms"][0]["sandbox"] == "ready", "{listed}");

    // Sent again it is the same room, and with other parameters a conflict.
    let again = [("Idempotency-Key", "once")];
    let first = backend.raw("POST", "/rooms", &again, b"{}").await?;
    let second = backend.raw("POST", "/rooms", &again, b"{}").await?;
    ensure!((first.status, second.status) == (201, 201) && first.body == second.body, "{}", second.text());
    let id = serde_json::from_slice::<Value>(&first.body)?["room"].as_str().context("a room")?.to_owned();
    ensure!(first.field("location") == Some(&*format!("/api/v1/rooms/{id}")), "{}", first.head);
    ensure!(backend.get("/key").await?.1["credits"] == 1);

    // Pages.
    let (_, page) = backend.get("/rooms?limit=1").await?;
    let next = page["next"].as_str().context("a next page")?;
    let (_, last) = backend.get(&format!("/rooms?limit=1&after={next}")).await?;
    ensure!(
        page["rooms"] != last["rooms"]
            && last["next"].is_null()
            && last["rooms"].as_array().is_some_and(|all| all.len() == 1)
    );

    // Keys, which end with their revocation.
    let at = format!("/rooms/{room}/keys");
    let (status, minted) = backend.ask("POST", &at, json!({"role": "viewer", "ttl": 60, "uses": 2})).await?;
    ensure!(status == 201 && minted["role"] == "viewer" && minted["uses"] == 2, "{minted}");
    let mut viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    let (_, keys) = backend.get(&at).await?;
    ensure!(
        keys["keys"].as_array().is_some_and(|keys| keys.iter().any(|key| key["number"] == minted["number"])),
        "{keys}"
    );
    ensure!(backend.ask("DELETE", &format!("{at}/{}", minted["number"]), Value::Null).await?.0 == 204);
    ensure!(viewer.closed().await? == Some(4404));

    ensure!(backend.ask("DELETE", &format!("/rooms/{room}"), Value::Null).await?.0 == 204);
    ensure!(owner.closed().await? == Some(4410));
    ensure!(backend.get(&format!("/rooms/{room}")).await?.0 == 404);
    ensure!(backend.ask("DELETE", &format!("/rooms/{room}"), Value::Null).await?.0 == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_writes_and_reads_files_and_people_see_it() -> Result<()> {
    let server = TestServer::new().await?;
    let backend = Backend::new(&server, &server.key(2).await?);
    let (_, opened) = backend.ask("POST", "/rooms", json!({})).await?;
    let at = format!("/rooms/{}", opened["room"].as_str().context("a room")?);
    let project = json!({"name": "course", "files": {"main.py": "print(1)\n", "data/in/x.txt": "x"}});
    ensure!(backend.ask("POST", &format!("{at}/projects"), project).await?.0 == 204);
    ensure!(backend.get(&format!("{at}/projects")).await?.1 == json!({"projects": ["course"]}));
    let (_, listed) = backend.get(&format!("{at}/entries?project=course")).await?;
    let names: Vec<_> = listed["entries"].as_array().context("entries")?.iter().map(|entry| &entry["name"]).collect();
    ensure!(names == ["data", "main.py"] && listed["entries"][0]["kind"] == "folder", "{listed}");
    ensure!(listed["entries"][1]["size"] == 9 && listed["next"].is_null(), "{listed}");

    // Whoever has it open sees what is written, and what they type is read.
    let join = opened["join"].as_str().context("a key")?;
    let mut client = server.full(join).await?;
    let mut person = Editor::open(&mut client, "course", "main.py").await?;
    let file = format!("{at}/files?project=course&path=main.py");
    let wrote = backend.raw("PUT", &file, &[("Content-Type", "application/octet-stream")], b"print(2)\n").await?;
    ensure!(wrote.status == 204, "{}", wrote.text());
    person.wait_for(&mut client, "print(2)\n").await?;
    person.insert(&mut client, person.text_len(), "# typed\n").await?;
    person.wait_until_held(&mut client).await?;
    let read = backend.raw("GET", &file, &[], b"").await?;
    ensure!(read.body == b"print(2)\n# typed\n" && read.field("content-type") == Some("application/octet-stream"));
    let bytes = [0, 159, 146, 150, b'\n'];
    let raw = format!("{at}/files?project=course&path=new%20folder/%C3%A9.bin");
    ensure!(backend.raw("PUT", &raw, &[], &bytes).await?.status == 204);
    ensure!(backend.raw("GET", &raw, &[], b"").await?.body == bytes);

    let (status, _) = backend.ask("POST", &format!("{at}/folders"), json!({"project": "course", "path": "a"})).await?;
    ensure!(status == 204);
    let moving = json!({"project": "course", "from": "main.py", "to": "a/other.py"});
    ensure!(backend.ask("POST", &format!("{at}/moves"), moving).await?.0 == 204);
    ensure!(backend.raw("GET", &file, &[], b"").await?.status == 404);
    let moved = format!("{at}/files?project=course&path=a/other.py");
    ensure!(backend.raw("DELETE", &moved, &[], b"").await?.status == 204);
    ensure!(backend.raw("GET", &moved, &[], b"").await?.status == 404);

    for (method, bad, status, code) in [
        ("GET", "files?project=course&path=../x", 400, "bad_path"),
        ("GET", "files?project=course", 400, "bad_request"),
        ("GET", "files?project=..&path=x", 400, "bad_path"),
        ("GET", "files?project=course&path=data", 409, "is_a_folder"),
        ("PUT", "files?project=course&path=data", 409, "is_a_folder"),
        ("DELETE", "files?project=course&path=none", 404, "not_found"),
        ("GET", "entries?project=course&path=none", 404, "not_found"),
        ("GET", "entries?project=course&after=x", 400, "bad_request"),
    ] {
        let answer = backend.raw(method, &format!("{at}/{bad}"), &[], b"").await?;
        let problem: Value = serde_json::from_slice(&answer.body)?;
        ensure!(answer.status == status && problem["code"] == code, "{method} {bad}: {problem}");
    }
    let stranger = Backend::new(&server, &server.key(1).await?);
    ensure!(stranger.raw("GET", &raw, &[], b"").await?.status == 404, "another pair's room looks like none");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_sees_what_it_spent() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.key(5).await?;
    let backend = Backend::new(&server, &key);
    let mut rooms = Vec::new();
    for _ in 0..3 {
        let (_, opened) = backend.ask("POST", "/rooms", json!({})).await?;
        rooms.push(opened["room"].clone());
    }
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = backend.get(&format!("/credits?limit=2&after={after}")).await?;
        ensure!(status == 200 && page["credits"] == 2, "{page}");
        pages.extend(page["entries"].as_array().context("entries")?.clone());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    ensure!(pages.len() == 4, "{pages:?}");
    // Two of one millisecond may stand in either order.
    let charged: Vec<_> = pages.iter().filter(|entry| entry["kind"] == "charge").map(|entry| &entry["room"]).collect();
    ensure!(charged.len() == 3 && rooms.iter().all(|room| charged.contains(&room)), "{pages:?}");
    let granted = pages.iter().find(|entry| entry["kind"] == "grant").context("a grant")?;
    ensure!(granted["amount"] == 5 && granted["balance"] == 5 && granted["room"].is_null(), "{granted}");
    let sum: i64 = pages.iter().filter_map(|entry| entry["amount"].as_i64()).sum();
    ensure!(sum == 2, "{pages:?}");

    let (_, usage) = backend.get("/usage").await?;
    let days = usage["days"].as_array().context("days")?;
    let total = |name: &str| days.iter().filter_map(|day| day[name].as_i64()).sum::<i64>();
    ensure!((total("rooms"), total("spent"), total("granted")) == (3, 3, 5), "{usage}");
    ensure!(days.iter().all(|day| day["began"].as_u64().is_some_and(|began| began % 86_400_000 == 0)), "{usage}");
    for bad in ["/usage?days=0", "/usage?days=367", "/credits?limit=0", "/credits?after=x", "/usage?more=1"] {
        let (status, problem) = backend.get(bad).await?;
        ensure!(status == 400 && problem["code"] == "bad_request", "{bad}: {problem}");
    }
    let stranger = Backend::new(&server, &server.key(0).await?);
    ensure!(stranger.get("/credits").await?.1 == json!({"credits": 0, "entries": []}));
    ensure!(stranger.get("/usage").await?.1 == json!({"days": []}));
    Ok(())
}

/// The events of a stream, with their data.
pub(crate) fn events(body: &str) -> Result<Vec<(String, Value)>> {
    let (mut events, mut name) = (Vec::new(), "");
    for line in body.lines() {
        if let Some(said) = line.strip_prefix("event: ") {
            name = said;
        } else if let Some(data) = line.strip_prefix("data: ") {
            events.push((name.to_owned(), serde_json::from_str(data)?));
        }
    }
    Ok(events)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_runs_a_command_and_hears_it_to_its_end() -> Result<()> {
    let server = TestServer::new().await?;
    let backend = Backend::new(&server, &server.key(1).await?);
    let (_, opened) = backend.ask("POST", "/rooms", json!({})).await?;
    let at = format!("/rooms/{}", opened["room"].as_str().context("a room")?);
    let file = format!("{at}/files?project=course&path=say.sh");
    ensure!(backend.ask("POST", &format!("{at}/projects"), json!({"name": "course", "files": {}})).await?.0 == 204);
    ensure!(backend.raw("PUT", &file, &[], b"echo h\xc3\xa9; echo oh >&2; exit 3\n").await?.status == 204);
    let at = format!("{at}/commands");
    let command = json!({"project": "course", "command": "sh say.sh"}).to_string();
    let ran = backend.raw("POST", &at, &[], command.as_bytes()).await?;
    ensure!(ran.status == 200 && ran.field("content-type") == Some("text/event-stream"), "{}", ran.head);
    let told = events(&ran.text())?;
    ensure!(told.first().is_some_and(|(name, data)| name == "started" && data["terminal"].is_u64()), "{told:?}");
    let text: String = told.iter().filter_map(|(_, data)| data["text"].as_str()).collect();
    ensure!(text.replace('\r', "") == "h\u{e9}\noh\n", "{text:?}");
    let (name, ended) = told.last().context("an end")?;
    ensure!(name == "ended" && ended["code"] == 3 && ended["elapsed"].is_u64(), "{told:?}");

    // Whoever goes away ends what they ran; people in the room see both.
    let mut person = server.full(opened["join"].as_str().context("a key")?).await?;
    let body = json!({"project": "course", "command": "echo begun; exec sleep 1000"}).to_string();
    let mut stream = TcpStream::connect(server.address()).await?;
    let head = format!(
        "POST /api/v1{at} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address(),
        backend.pair,
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut heard = String::new();
    let mut lines = BufReader::new(stream);
    while !heard.contains("begun") {
        ensure!(lines.read_line(&mut heard).await? > 0, "{heard}");
    }
    let started = person.expect("terminal").await?;
    drop(lines);
    let closed = person.expect("terminal-closed").await?;
    ensure!(closed["terminal"] == started["terminal"], "{closed}");

    for (bad, status, code) in [
        (json!({"project": "course", "command": "x".repeat(200_000)}), 413, "too_large"),
        (json!({"project": "course", "command": "a\0b"}), 400, "bad_request"),
        (json!({"project": "..", "command": "ls"}), 400, "bad_path"),
        (json!({"command": "ls"}), 400, "bad_request"),
    ] {
        let (answered, problem) = backend.ask("POST", &at, bad).await?;
        ensure!(answered == status && problem["code"] == code, "{problem}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_is_made_listed_and_revoked() -> Result<()> {
    let server = TestServer::new().await?;
    let backend = Backend::new(&server, &server.key(1).await?);
    let project = json!({"name": "course", "files": {"main.py": "print(1)\n", "data/in/x.txt": "x"}});
    let new = json!({"name": "docs", "origins": ["https://docs.example.org"], "project": project, "per_hour": 7, "look": "theme=dark&readonly=1"});
    let (status, made) = backend.ask("POST", "/widgets", new).await?;
    ensure!(status == 201, "{made}");
    let id = made["widget"].as_str().context("an id")?;
    let (_, listed) = backend.get("/widgets").await?;
    let widget = &listed["widgets"][0];
    ensure!(widget["widget"] == *id && widget["per_hour"] == 7 && widget["per_address"] == 10, "{listed}");
    ensure!(widget["origins"] == json!(["https://docs.example.org"]) && widget["opened"] == 0, "{listed}");
    ensure!(widget["look"] == "theme=dark&readonly=1", "{listed}");
    let host = server.address().to_string();
    let page = ask_at(server.address(), "GET", &host, &format!("/embed/{id}"), &[], b"").await?;
    ensure!(
        page.text().contains(r#"<meta name="embedenv-look" content="theme=dark&amp;readonly=1">"#),
        "{}",
        page.text()
    );
    for bad in [
        json!({"name": "x", "origins": ["*"]}),
        json!({"name": "x", "origins": []}),
        json!({"name": "", "origins": ["https://a.example"]}),
        json!({"name": "x", "origins": ["https://a.example"], "per_hour": 0}),
        json!({"name": "x", "origins": ["https://a.example"], "project": {"name": "../x", "files": {}}}),
        json!({"name": "x", "origins": ["https://a.example"], "project": {"name": "p", "files": {"../x": ""}}}),
        json!({"name": "x", "origins": ["https://a.example"], "more": 1}),
        json!({"name": "x", "origins": ["https://a.example"], "look": "theme=pink"}),
        json!({"name": "x", "origins": ["https://a.example"], "look": "join=k"}),
    ] {
        let (status, problem) = backend.ask("POST", "/widgets", bad.clone()).await?;
        ensure!(status == 400, "{bad}: {problem}");
    }
    let mut visitor = Client::connect_from(&server.url(), Some("https://docs.example.org")).await?;
    visitor.send(json!({"type": "visit", "widget": id, "user": "Visitor", "protocol": 2})).await?;
    let visited = visitor.frame().await?;
    ensure!(visited["type"] == "visited", "{visited}");
    ensure!(backend.get("/widgets").await?.1["widgets"][0]["opened"] == 1);
    ensure!(backend.ask("DELETE", &format!("/widgets/{id}"), Value::Null).await?.0 == 204);
    ensure!(backend.get("/widgets").await?.1["widgets"][0]["revoked"].is_u64());
    ensure!(backend.ask("DELETE", "/widgets/w_none", Value::Null).await?.0 == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_pairs_looks_like_nothing_and_who_has_none_gets_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let (key, other) = (server.key(1).await?, server.key(1).await?);
    let (ada, eve) = (Backend::new(&server, &key), Backend::new(&server, &other));
    let (_, opened) = ada.ask("POST", "/rooms", json!({})).await?;
    let room = opened["room"].as_str().context("a room")?;
    let new = json!({"name": "docs", "origins": ["https://docs.example.org"]});
    let widget = ada.ask("POST", "/widgets", new).await?.1["widget"].as_str().context("an id")?.to_owned();
    for (method, path) in [
        ("GET", format!("/rooms/{room}")),
        ("DELETE", format!("/rooms/{room}")),
        ("GET", format!("/rooms/{room}/keys")),
        ("DELETE", format!("/rooms/{room}/keys/1")),
        ("DELETE", format!("/widgets/{widget}")),
    ] {
        let (status, theirs) = eve.ask(method, &path, Value::Null).await?;
        let none = path.replace(room, "aaaaaaaaaaaaaaaa").replace(&widget, "w_none");
        ensure!((status, theirs) == eve.ask(method, &none, Value::Null).await?, "{method} {path}");
        ensure!(status == 404, "{method} {path}");
    }
    ensure!(eve.get("/rooms").await?.1["rooms"] == json!([]) && eve.get("/widgets").await?.1["widgets"] == json!([]));
    ensure!(ada.get(&format!("/rooms/{room}")).await?.0 == 200);

    let nobody = Backend::saying(&server, "Basic x");
    let (status, problem) = nobody.get("/key").await?;
    ensure!(status == 401 && problem["code"] == "bad_credentials", "{problem}");
    // A page of another origin has no business here, whatever its browser remembers.
    let foreign = ada.raw("GET", "/key", &[("Origin", "https://evil.example")], b"").await?;
    ensure!(foreign.status == 403, "{}", foreign.text());
    for (method, path, body, status, code) in [
        ("POST", "/rooms", "{", 400, "bad_json"),
        ("POST", "/rooms", "{\"space\":\"none\"}", 404, "unknown_space"),
        ("POST", "/rooms", "{}", 402, "no_credits"),
        ("GET", "/rooms?limit=0", "", 400, "bad_request"),
        ("GET", "/rooms?limit=x", "", 400, "bad_request"),
        ("PUT", "/rooms", "", 405, "bad_request"),
        ("GET", "/none", "", 404, "not_found"),
    ] {
        let answer = ada.raw(method, path, &[], body.as_bytes()).await?;
        let problem: Value = serde_json::from_slice(&answer.body)?;
        ensure!(answer.status == status && problem["code"] == code, "{method} {path}: {problem}");
        ensure!(answer.field("content-type") == Some("application/problem+json"), "{}", answer.head);
    }
    let allowed = ada.raw("PUT", "/rooms", &[], b"").await?;
    ensure!(allowed.field("allow").is_some_and(|allow| allow.contains("post")), "{}", allowed.head);

    // Guessing is slowed down, and who is right notices nothing.
    let wrong = Backend::new(&server, &NewKey { secret_key: "sk_wrong".to_owned(), ..key.clone() });
    let mut refused = Vec::new();
    for _ in 0..25 {
        refused.push(wrong.get("/key").await?.0);
    }
    ensure!(refused.contains(&401) && refused.last() == Some(&429), "{refused:?}");
    ensure!(ada.get("/key").await?.0 == 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_by_who_asks_where_a_trusted_proxy_says_so() -> Result<()> {
    let guesses = async |server: &TestServer, from: &str| {
        let mut refused = Vec::new();
        for guess in 0..25 {
            let public_key = format!("pk_{from}{guess}");
            let pair = STANDARD.encode(format!("{public_key}:x"));
            let wrong = Backend::saying(server, &format!("Basic {pair}"));
            refused.push(wrong.raw("GET", "/key", &[("X-Forwarded-For", from)], b"").await?.status);
        }
        anyhow::Ok(refused)
    };
    let trusting =
        TestServer::with(|config| config.proxies = vec![std::net::IpAddr::from([127, 0, 0, 1]).into()]).await?;
    ensure!(guesses(&trusting, "203.0.113.1").await?.last() == Some(&429));
    ensure!(guesses(&trusting, "203.0.113.2").await?.first() == Some(&401));
    let alone = TestServer::new().await?;
    ensure!(guesses(&alone, "203.0.113.1").await?.last() == Some(&429));
    ensure!(guesses(&alone, "203.0.113.2").await?.first() == Some(&429), "anybody may say so");
    Ok(())
}

/// What was never thought of: everything that the description allows, and some that it doesn't.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() -> Result<()> {
    let Some(python) = precondition("a Python with schemathesis", std::env::var_os("EMBEDENV_PYTHON")) else {
        return Ok(());
    };
    let server = TestServer::with(|config| {
        config.limits.api_requests = 1_000_000;
        config.limits.failed_attempts = 10_000;
        config.accounts.sign_up = SignUp::Open;
    })
    .await?;
    let key = server.key(3).await?;
    let at = format!("http://{}/api/v1/openapi.json", server.address());
    let pair = format!("{}:{}", key.public_key, key.secret_key);
    let mut run = Command::new(python);
    let seed = std::env::var("EMBEDENV_SEED").unwrap_or_else(|_| "1".to_owned());
    run.args(["-m", "schemathesis.cli", "run", &at, "--auth", &pair, "--no-color"]);
    run.args(["--max-examples", "40", "--seed", &seed]);
    let folder = tempfile::tempdir()?;
    // A pair may have no credits left, and what a path may be no schema says.
    let statuses = r#"["2xx", "400", "401", "402", "403", "404", "409", "429", "5xx"]"#;
    std::fs::write(
        folder.path().join("schemathesis.toml"),
        format!("[checks.positive_data_acceptance]\nexpected-statuses = {statuses}\n"),
    )?;
    run.current_dir(folder.path());
    let ended = tokio::task::spawn_blocking(move || run.output()).await??;
    let said = String::from_utf8_lossy(&ended.stdout).replace(&pair, "…");
    // Before that stands what it has tried.
    let found = said.find(" FAILURES ").or_else(|| said.find(" ERRORS ")).map_or(&*said, |at| &said[at..]);
    ensure!(ended.status.success(), "{found}\n{}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}
