//! What a program serves, asked through its preview: nginx inside a sandbox, beside an nginx that passes on to the same app
//! outside of any. One client program, wrk, asks both.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::Row;
use crate::client::Client;
use crate::program::Program;

/// Interleaved rounds, and how long each of them asks.
const ROUNDS: usize = 3;
const SECONDS: &str = "4s";
const CONNECTIONS: usize = 32;
/// The port of the app in its sandbox.
const PORT: u16 = 4000;
/// How long a server may take to listen.
const LISTEN: Duration = Duration::from_secs(10);

pub async fn run() -> Result<Vec<Row>> {
    for program in ["nginx", "wrk"] {
        if find(program).is_none() {
            eprintln!("SKIPPED: {program} is not installed");
            return Ok(Vec::new());
        }
    }
    let folder = tempfile::tempdir()?;
    let app_port = free_port()?;
    let _app = nginx(folder.path(), "app", &app(app_port)).await?;
    let proxy_port = free_port()?;
    let _proxy = nginx(folder.path(), "proxy", &proxy(proxy_port, app_port)).await?;
    listens(app_port).await?;
    listens(proxy_port).await?;

    let program = Program::start(0).await?;
    let mut client = program.full().await?;
    let (host, cookie) = serve(&program, &mut client).await?;
    let ours = Target {
        url: format!("http://{}/", program.address),
        fields: vec![format!("Host: {host}"), format!("Cookie: {cookie}")],
    };
    let theirs = Target { url: format!("http://127.0.0.1:{proxy_port}/"), fields: Vec::new() };
    let (mut rates, mut floors) = (Vec::new(), Vec::new());
    let (mut waits, mut floor_waits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(theirs.ask(CONNECTIONS).await?.0);
        rates.push(ours.ask(CONNECTIONS).await?.0);
        floor_waits.push(theirs.ask(1).await?.1);
        waits.push(ours.ask(1).await?.1);
    }
    let (mine, floor) = (middle(&mut rates), middle(&mut floors));
    let say = |rate: f64| format!("{rate:.0}/s");
    Ok(vec![
        Row {
            what: format!(
                "requests a second to a page in a sandbox, {CONNECTIONS} connections, beside nginx before the same app (0.5 at least)"
            ),
            ours: say(mine),
            floor: say(floor),
            ratio: Some(mine / floor),
        },
        Row::times(
            "the same, one connection, median (0.3 ms more at most)",
            duration(middle(&mut waits)),
            duration(middle(&mut floor_waits)),
        ),
    ])
}

/// Something to be asked, and what each request says.
struct Target {
    url: String,
    fields: Vec<String>,
}

impl Target {
    /// Requests a second, and the median's microseconds.
    async fn ask(&self, connections: usize) -> Result<(f64, f64)> {
        let threads = connections.min(2).to_string();
        let mut wrk = Command::new(find("wrk").context("wrk")?);
        wrk.args(["--latency", "-t", &threads, "-c", &connections.to_string(), "-d", SECONDS]);
        for field in &self.fields {
            wrk.args(["-H", field]);
        }
        let said = wrk.arg(&self.url).output().await?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        ensure!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
        let value = |name: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(name));
            line.map(str::trim).with_context(|| format!("no {name} in {said}"))
        };
        Ok((value("Requests/sec:")?.parse()?, microseconds(value("50%")?)?))
    }
}

fn microseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 1.0), ("ms", 1e3), ("s", 1e6)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    anyhow::bail!("no time: {text}")
}

fn duration(microseconds: f64) -> Duration {
    Duration::from_secs_f64(microseconds / 1e6)
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Starts the app in a room's sandbox, and lets a client in: the host to say, and the cookie.
async fn serve(program: &Program, client: &mut Client) -> Result<(String, String)> {
    let config = format!("daemon off; master_process off; pid /tmp/nginx.pid; error_log /tmp/nginx.log; {}", app(PORT));
    for command in [
        json!({"type": "create", "item": "file", "path": "nginx.conf"}),
        json!({"type": "write", "path": "nginx.conf", "content": config}),
    ] {
        client.request(json!({"type": "cmd", "project_name": "p", "command": command})).await?;
    }
    let line = format!("{} -p /tmp -c $PWD/nginx.conf", find("nginx").context("nginx")?.display());
    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": line});
    client.request(open).await?;
    client.frame_where("the app", |frame| frame["type"] == "ports" && frame["ports"] == json!([PORT])).await?;
    let preview = client.request(json!({"type": "preview", "port": PORT})).await?;
    let enter = preview["enter"].as_str().context("the way in")?;
    let (host, path) = enter.strip_prefix("http://").and_then(|rest| rest.split_once('/')).context("an address")?;
    let mut stream = TcpStream::connect(&program.address).await?;
    stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).context("a cookie")?;
    Ok((host.to_owned(), cookie.split(';').next().context("a pair")?.to_owned()))
}

fn app(port: u16) -> String {
    format!(
        "events {{ worker_connections 1024; }} http {{ access_log off; keepalive_requests 100000000; \
         client_body_temp_path /tmp/nginx-body; proxy_temp_path /tmp/nginx-proxy; fastcgi_temp_path /tmp/nginx-fastcgi; \
         uwsgi_temp_path /tmp/nginx-uwsgi; scgi_temp_path /tmp/nginx-scgi; \
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"hello, world\\n\"; }} }} }}\n"
    )
}

fn proxy(port: u16, to: u16) -> String {
    format!(
        "events {{ worker_connections 1024; }} http {{ access_log off; keepalive_requests 100000000; \
         upstream app {{ server 127.0.0.1:{to}; keepalive 64; keepalive_requests 100000000; }} \
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://app; proxy_http_version 1.1; \
         proxy_set_header Connection \"\"; proxy_set_header Host $host; }} }} }}\n"
    )
}

async fn nginx(folder: &Path, name: &str, config: &str) -> Result<Child> {
    let prefix = folder.join(name);
    tokio::fs::create_dir(&prefix).await?;
    let file = prefix.join("nginx.conf");
    let head = format!("daemon off; master_process off; pid {0}/pid; error_log {0}/log; ", prefix.display());
    tokio::fs::write(&file, head + config).await?;
    let mut command = Command::new(find("nginx").context("nginx")?);
    command.arg("-p").arg(&prefix).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Ok(command.spawn()?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn listens(port: u16) -> Result<()> {
    let tried = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LISTEN, tried).await.context("nginx does not listen")
}

/// A program on the path, or where Debian keeps those of administrators.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}
