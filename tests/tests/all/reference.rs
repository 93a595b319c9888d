//! The reference itself, as its readers would use it: its walk of fourteen steps, and its two example programs,
//! unchanged but for address and keys.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::client::Client;
use embedenv_tests::{TestServer, precondition};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a foreign program may take.
const PROGRAM: Duration = Duration::from_secs(60);

/// The folder of the published description, if it is on this machine.
fn reference() -> Option<PathBuf> {
    let given = std::env::var_os("EMBEDENV_REFERENCE").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    given.or(Some(beside)).filter(|folder| folder.join("reference/websocket-pipeline.txt").exists())
}

/// A Python with the `websockets` package.
fn python() -> Option<PathBuf> {
    std::env::var_os("EMBEDENV_PYTHON").map(PathBuf::from).filter(|python| python.exists())
}

/// Runs Python on a program and returns what it printed.
async fn run_python(arguments: &[&str], program: Option<&str>) -> Result<String> {
    let python = python().context("no Python with websockets")?;
    let mut child = Command::new(python)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("a pipe")?;
    stdin.write_all(program.unwrap_or_default().as_bytes()).await?;
    drop(stdin);
    let output = timeout(PROGRAM, child.wait_with_output()).await.context("the program did not end")??;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_walk_passes() -> Result<()> {
    let Some(folder) = precondition("the reference is beside the repository", reference()) else { return Ok(()) };
    if precondition("EMBEDENV_PYTHON names a Python with websockets", python()).is_none() {
        return Ok(());
    }
    let server = TestServer::new().await?;
    let key = server.key(5).await?;
    let walk = folder.join("conformance/reference_walk.py");
    let walk = walk.to_str().context("a path in UTF-8")?;
    let url = server.url();
    let arguments = [walk, "--url", &url, "--public-key", &key.public_key, "--secret-key", &key.secret_key];
    let said = run_python(&arguments, None).await?;
    ensure!(said.lines().last().is_some_and(|line| line.ends_with(", 0 failed")), "{said}");
    Ok(())
}

/// The part of the reference between two lines, the first included.
fn excerpt(text: &str, from: &str, to: &str) -> Result<String> {
    let start = text.find(from).with_context(|| format!("no {from:?} in the reference"))?;
    let length = text[start..].find(to).with_context(|| format!("no {to:?} in the reference"))?;
    Ok(text[start..start + length].to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_python_backend_runs_unchanged() -> Result<()> {
    let Some(folder) = precondition("the reference is beside the repository", reference()) else { return Ok(()) };
    if precondition("EMBEDENV_PYTHON names a Python with websockets", python()).is_none() {
        return Ok(());
    }
    let server = TestServer::new().await?;
    let key = server.key(1).await?;
    let text = std::fs::read_to_string(folder.join("reference/websocket-pipeline.txt"))?;
    let program = excerpt(&text, "import asyncio\n", "\nThis client-side Javascript code")?
        .replace("wss://embedenv.com/ws/spaces/defoult/", &server.url())
        .replace("YOUR_PUBLIC_KEY_PLACEHOLDER", &key.public_key)
        .replace("YOUR_SECRET_KEY_PLACEHOLDER", &key.secret_key);
    let said = run_python(&["-"], Some(&program)).await?;
    let join = said.trim().strip_prefix("Secure Token obtained successfully: ").context(said.clone())?;

    // The key is good after the backend has gone.
    let mut client = Client::connect(&server.url()).await?;
    client.send(json!({"type": "join", "join": join})).await?;
    assert_eq!(client.frame().await?["type"], "joined");
    Ok(())
}
