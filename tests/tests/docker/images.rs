//! Images: which work, which can't be had and what is said of that, and what happens when a name comes to mean another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use embedenv_tests::dockerd::{BUSYBOX, Dockerd};
use embedenv_tests::program::Program;
use embedenv_tests::sandboxes::docker;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{LOOK, RECOVERED, init, init_until_given, ledger_sum, of_busybox, run};

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_nothing_but_a_busybox_works() -> Result<()> {
    let server = TestServer::with(of_busybox).await?;
    let mut client = server.plain(&server.room().await?).await?;
    let seen = run(&mut client, "id -un; id -u; pwd; echo $HOME $SHELL; touch /x; cat /proc/1/comm").await?;
    let expected = "user\n1000\n/home/user/p\n/home/user /bin/sh\ntouch: /x: Read-only file system\nagent\n";
    assert_eq!(seen, expected);
    client.command("p", json!({"type": "write"}), json!({"path": "f/g", "content": "kept"})).await?;
    assert_eq!(run(&mut client, "cat f/g").await?, "kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_to_be_had_says_so_and_costs_nothing() -> Result<()> {
    let settings = [("EMBEDENV_SPACES__DEFAULT__IMAGE", "localhost:1/none:none")];
    let program = Program::start_with(0, &settings).await?;
    let answer = init(&program).await?;
    assert_eq!(answer["code"], "sandbox_unavailable");
    let said = answer["message"].as_str().unwrap_or_default();
    ensure!(said.contains("localhost:1/none:none"), "{said}");
    let charged = ledger_sum(&program).await?;
    assert_eq!(charged, 0, "the credit was given back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_nothing_in_it_has_files_and_its_programs_end_as_others_do() -> Result<()> {
    let image = format!("localhost:1/empty-{}:latest", std::process::id());
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("empty.tar");
    // Two blocks of zeros end a tar archive.
    std::fs::write(&archive, [0; 1024])?;
    docker(&["import", archive.to_str().context("a path in UTF-8")?, &image])?;
    let name = image.clone();
    let tried = async {
        let server = TestServer::with(|config| {
            for space in config.spaces.values_mut() {
                space.profile.image = name.clone();
            }
        })
        .await?;
        let join = server.room().await?;
        let mut client = server.plain(&join).await?;
        client.command("p", json!({"type": "write"}), json!({"path": "f", "content": "x"})).await?;
        // There is nothing that could run it.
        client.shell("p", "true").await?;
        client.until_end().await?;
        let mut client = server.full(&join).await?;
        let read = client.request(json!({"type": "read", "project": "p", "path": "f"})).await?;
        ensure!(read["content"] == "x", "{read}");
        anyhow::Ok(())
    };
    let outcome = tried.await;
    docker(&["rmi", "--force", &image])?;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn spares_are_replaced_when_their_image_changes() -> Result<()> {
    let image = format!("embedenv/test-{}:latest", std::process::id());
    docker(&["tag", BUSYBOX, &image])?;
    let settings = [("EMBEDENV_SPACES__DEFAULT__IMAGE", image.as_str())];
    let program = Program::start_with(1, &settings).await?;
    let spare = async |not: Option<&str>| {
        loop {
            let found = program.sandboxes()?;
            let container = found.first().and_then(|sandbox| sandbox.container.clone());
            match container {
                Some(container) if found.len() == 1 && not != Some(&container) => return anyhow::Ok(container),
                _ => sleep(LOOK).await,
            }
        }
    };
    let first = timeout(RECOVERED, spare(None)).await.context("no spare was made")??;
    // The same name, another image: one that says so in its environment.
    let container = docker(&["create", BUSYBOX, "sh"])?;
    docker(&["commit", "--change", "ENV CHANGED=yes", &container, &image])?;
    docker(&["rm", &container])?;
    timeout(RECOVERED, spare(Some(&first))).await.context("the spare was not replaced")??;
    let key = init_until_given(&program).await?;
    let mut client = Client::connect(&program.url()).await?;
    client.send(json!({"type": "join", "join": key})).await?;
    client.expect("joined").await?;
    assert_eq!(run(&mut client, "echo $CHANGED").await?, "yes\n");
    drop(program);
    docker(&["rmi", "-f", &image])?;
    Ok(())
}

/// A registry on this machine's loopback, which an engine asks without TLS in the end.
struct Registry {
    address: String,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Registry {
    /// One that says of everything that it has none, or that answers nothing.
    async fn start(answers: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let count = count.clone();
                open.spawn(async move {
                    if !answers {
                        count.fetch_add(1, Ordering::Relaxed);
                        return std::future::pending().await;
                    }
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {
                        // A TLS greeting: the engine then asks in the clear.
                        if request.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
                            return;
                        }
                    }
                    let manifest = String::from_utf8_lossy(&request).contains("/manifests/");
                    let (status, body) = if manifest { ("404 Not Found", NO_MANIFEST) } else { ("200 OK", "{}") };
                    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
                    let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                    if stream.write_all(answer.as_bytes()).await.is_ok() && manifest {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Ok(Self { address, asked, _serving: serving })
    }

    async fn asked(&self, times: usize) -> Result<()> {
        let asked = async {
            while self.asked.load(Ordering::Relaxed) < times {
                sleep(LOOK).await;
            }
        };
        timeout(Duration::from_secs(30), asked).await.context("the engine did not ask")
    }
}

const NO_MANIFEST: &str = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_was_prepared_is_used_on_when_its_name_leads_nowhere() -> Result<()> {
    let registry = Registry::start(true).await?;
    let image = format!("{}/test:latest", registry.address);
    docker(&["tag", BUSYBOX, &image])?;
    let program = Program::start_with(0, &[("EMBEDENV_SPACES__DEFAULT__IMAGE", &image)]).await?;
    let first = init(&program).await?;
    docker(&["rmi", &image])?;
    ensure!(first["join"].is_string(), "{first}");
    // HEAD and GET for each try: by the third request the first try has failed and the second has begun.
    registry.asked(3).await?;
    let answer = init(&program).await?;
    ensure!(answer["join"].is_string(), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_fetched_slowly_holds_up_no_other() -> Result<()> {
    let registry = Registry::start(false).await?;
    let slow = format!("{}/slow:latest", registry.address);
    let image = format!("localhost:1/test-{}:latest", std::process::id());
    let images = [("EMBEDENV_SPACES__SLOW__IMAGE", slow.as_str()), ("EMBEDENV_SPACES__DEFAULT__IMAGE", &image)];
    let program = Program::start_with(0, &images).await?;
    registry.asked(1).await?;
    docker(&["tag", BUSYBOX, &image])?;
    let given = timeout(RECOVERED, init_until_given(&program)).await;
    docker(&["rmi", &image])?;
    given.context("it waits for another image")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_image_is_asked_of_no_registry() -> Result<()> {
    let mut dockerd = Dockerd::prepare()?;
    dockerd.start()?;
    let address = dockerd.address();
    let program = Program::start_with(0, &[("DOCKER_HOST", &address)]).await?;
    let answer = init(&program).await?;
    let said = answer["message"].as_str().unwrap_or_default();
    ensure!(answer["code"] == "sandbox_unavailable" && said.contains("never fetched by itself"), "{answer}");
    Ok(())
}
