//! From `init` to the first byte of a program on Docker: cold, beside what the engine itself takes to create, attach to
//! and start a container; and with a sandbox kept ready, beside the local engine in the same state.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use embedenv::engine::WORKSPACE;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::start::{PYTHON, first_output};
use super::{Row, median};
use crate::program::Program;

const ROUNDS: usize = 10;
/// Before each start: the pool makes its next sandbox, the engine ends the last one, and the machine comes to rest.
const PAUSE: Duration = Duration::from_millis(1500);

/// `None` where there is no engine to measure.
pub async fn run() -> Result<Option<Vec<Row>>> {
    let Some(address) = std::env::var("DOCKER_HOST").ok().filter(|address| address.starts_with("unix://")) else {
        eprintln!("SKIPPED: DOCKER_HOST names no Unix socket of an engine");
        return Ok(None);
    };
    let socket = address.trim_start_matches("unix://");
    let on_docker = [("EMBEDENV_ENGINE", "docker"), ("DOCKER_HOST", address.as_str())];
    let cold = Program::start_with(0, &on_docker).await?;
    let warm = Program::start_with(1, &on_docker).await?;
    let local = Program::start_with(1, &[("EMBEDENV_ENGINE", "local")]).await?;
    let (mut colds, mut warms, mut locals, mut floors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        sleep(PAUSE).await;
        floors.push(by_hand(socket).await?);
        sleep(PAUSE).await;
        colds.push(first_output(&cold).await?);
        sleep(PAUSE).await;
        locals.push(first_output(&local).await?);
        sleep(PAUSE).await;
        warms.push(first_output(&warm).await?);
    }
    Ok(Some(vec![
        Row::times(
            "docker: init to first byte of python, cold, beside the engine's create, attach and start, median",
            median(&mut colds),
            median(&mut floors),
        ),
        Row::times(
            "docker: the same, sandbox kept ready, beside the local engine's kept ready, median",
            median(&mut warms),
            median(&mut locals),
        ),
    ]))
}

/// A container without a network, as ours is (which saves the engine 0.1 s), attached and started over the engine's API.
async fn by_hand(socket: &str) -> Result<Duration> {
    let body = json!({
        "Image": WORKSPACE, "Cmd": ["bash", "-c", PYTHON], "AttachStdout": true, "NetworkDisabled": true,
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}},
    });
    let started = Instant::now();
    let created = ask(socket, "POST", "/containers/create", Some(&body)).await?;
    let id = created["Id"].as_str().with_context(|| created.to_string())?.to_owned();
    let attach = format!("/containers/{id}/attach?stream=1&stdout=1");
    let mut output = open(socket, "POST", &attach, None).await?;
    ask(socket, "POST", &format!("/containers/{id}/start"), None).await?;
    // Eight bytes say which stream it is and how much comes (the engine's API, "Attach to a container").
    let mut first = [0; 9];
    output.read_exact(&mut first).await?;
    let took = started.elapsed();
    ensure!(first[8] == b'1', "{first:?}");
    ask(socket, "DELETE", &format!("/containers/{id}?force=1"), None).await?;
    Ok(took)
}

/// One request, and its answer as JSON.
async fn ask(socket: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let mut text = String::new();
    open(socket, method, path, body).await?.read_to_string(&mut text).await?;
    Ok(serde_json::from_str(text.trim()).unwrap_or(Value::Null))
}

/// Sends a request and reads the head of its answer.
async fn open(socket: &str, method: &str, path: &str, body: Option<&Value>) -> Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(socket).await?;
    let body = body.map(Value::to_string).unwrap_or_default();
    // HTTP/1.0: the answer ends with the connection, in no chunks.
    let head =
        format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).await?;
    if !line.contains(" 20") {
        bail!("{method} {path}: {line}");
    }
    while !line.trim().is_empty() {
        line.clear();
        answer.read_line(&mut line).await?;
    }
    Ok(answer)
}
