//! Widgets: visitors of listed sites open rooms on somebody's credits, so many an hour, and nobody else does.

use anyhow::{Context as _, Result, ensure};
use embedenv::ledger::{NewWidget, Quota};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use embedenv_shared::tree::{Plan, PlannedFile};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SITE: &str = "https://docs.example.org";

/// A widget for [`SITE`] and the names below another, of a pair with so many credits. Returns its id and the pair.
async fn widget(server: &TestServer, credits: i64, quota: Quota) -> Result<(String, String)> {
    let key = server.key(credits).await?;
    let file = PlannedFile { path: WorkspacePath::parse("src/main.py")?, content: b"print(7)\n".to_vec() };
    let plan = Plan { folders: vec![WorkspacePath::parse("src")?], files: vec![file] };
    let new = NewWidget {
        public_key: key.public_key.clone(),
        name: "docs".to_owned(),
        origins: vec![SITE.to_owned(), "https://*.example.net".to_owned()],
        space: "default".to_owned(),
        project: Some((ProjectName::parse("lesson")?, plan)),
        quota,
        look: String::new(),
    };
    Ok((server.ledger()?.create_widget(new).await?, key.public_key))
}

const GENEROUS: Quota = Quota { per_hour: 100, per_address: 100 };

/// The first answer to a visitor of a page.
async fn visit(server: &TestServer, widget: &str, origin: Option<&str>) -> Result<(Client, serde_json::Value)> {
    let mut client = Client::connect_from(&server.url(), origin).await?;
    client.send(json!({"type": "visit", "widget": widget, "user": "Visitor", "protocol": 2})).await?;
    let answer = client.frame().await?;
    Ok((client, answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_of_a_listed_site_gets_a_room_with_the_project_on_the_owners_credit() -> Result<()> {
    let server = TestServer::new().await?;
    let (id, payer) = widget(&server, 5, GENEROUS).await?;
    let (mut visitor, answer) = visit(&server, &id, Some(SITE)).await?;
    ensure!(answer["type"] == "visited", "{answer}");
    let joined = visitor.expect("joined").await?;
    ensure!(joined["role"] == "editor" && joined["projects"] == json!(["lesson"]), "{joined}");
    let file = visitor.request(json!({"type": "read", "project": "lesson", "path": "src/main.py"})).await?;
    ensure!(file["content"] == "print(7)\n", "{file}");
    ensure!(server.ledger()?.balance(&payer).await? == 4);
    let mut again = server.full(answer["join"].as_str().context("a key")?).await?;
    ensure!(again.request(json!({"type": "projects"})).await?["projects"] == json!(["lesson"]));
    let (_, other) = visit(&server, &id, Some("https://deep.down.example.net")).await?;
    ensure!(other["type"] == "visited" && other["join"] != answer["join"], "a room for each");
    // The server's own page, in a frame that its policy allowed.
    let own = format!("http://{}", server.address());
    ensure!(visit(&server, &id, Some(&own)).await?.1["type"] == "visited");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_copied_opens_nothing_elsewhere_and_one_that_was_revoked_nowhere() -> Result<()> {
    let server = TestServer::new().await?;
    let (id, payer) = widget(&server, 5, GENEROUS).await?;
    for origin in [
        None,
        Some("https://evil.example"),
        Some("http://docs.example.org"),
        Some("https://docs.example.org.evil.example"),
        Some("https://evildocs.example.org"),
        Some("https://example.net"),
        Some("https://.example.net"),
        Some("https://evilexample.net"),
        Some("null"),
    ] {
        let (_, answer) = visit(&server, &id, origin).await?;
        ensure!(answer["code"] == "forbidden", "{origin:?}: {answer}");
    }
    ensure!(visit(&server, "w_none", Some(SITE)).await?.1["code"] == "not_found");
    ensure!(server.ledger()?.balance(&payer).await? == 5);
    let head = head(&server, &format!("/embed/{id}")).await?;
    ensure!(head.contains(&format!("frame-ancestors {SITE} https://*.example.net\r\n")), "{head}");
    server.ledger()?.revoke_widget(&id, None).await?;
    ensure!(visit(&server, &id, Some(SITE)).await?.1["code"] == "not_found");
    ensure!(self::head(&server, &format!("/embed/{id}")).await?.starts_with("HTTP/1.1 404"));
    Ok(())
}

async fn head(server: &TestServer, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Ok(answer.split_once("\r\n\r\n").context("a head")?.0.to_owned() + "\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_costs_no_more_than_its_hour_allows_however_many_race_for_it() -> Result<()> {
    let server = TestServer::new().await?;
    let (id, payer) = widget(&server, 100, Quota { per_hour: 4, per_address: 100 }).await?;
    let mut visits = JoinSet::new();
    for _ in 0..16 {
        let (url, id) = (server.url(), id.clone());
        visits.spawn(async move {
            let mut client = Client::connect_from(&url, Some(SITE)).await?;
            client.send(json!({"type": "visit", "widget": id, "protocol": 2})).await?;
            let answer = client.frame().await?;
            anyhow::Ok(answer["code"].as_str().map_or_else(|| answer["type"].to_string(), str::to_owned))
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = visits.join_next().await {
        answers.push(answer??);
    }
    ensure!(answers.iter().filter(|answer| *answer == "quota_exceeded").count() == 12, "{answers:?}");
    ensure!(server.ledger()?.balance(&payer).await? == 96);
    let (id, _) = widget(&server, 100, Quota { per_hour: 100, per_address: 1 }).await?;
    ensure!(visit(&server, &id, Some(SITE)).await?.1["type"] == "visited");
    ensure!(visit(&server, &id, Some(SITE)).await?.1["code"] == "quota_exceeded", "from one address");
    Ok(())
}
