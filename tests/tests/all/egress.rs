//! Traffic out of a sandbox: what a space lists is reached through the agent's proxy, everything else is not, and there is
//! no way around it. Hosts are servers of the test's own, on this machine's loopback, and listed by address.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use embedenv::egress::PROXY_PORT;
use embedenv::egress::allow::AllowList;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, shown};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A web server that answers every request with its first line and a body of this length.
async fn web(body: usize) -> Result<(u16, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut open = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            open.spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {}
                let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
                let text = format!("{line}\n{}", "x".repeat(body));
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
                // A client that has left needs no answer.
                let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
            });
        }
    });
    Ok((port, serving))
}

async fn server(hosts: &[String], bytes: u64) -> Result<TestServer> {
    let hosts = AllowList::parse(hosts).map_err(anyhow::Error::msg)?;
    TestServer::with(move |config| {
        for space in config.spaces.values_mut() {
            space.profile.proxy = Some(PROXY_PORT);
            space.egress.hosts = hosts.clone();
            space.egress.bytes = bytes;
        }
    })
    .await
}

async fn run(client: &mut Client, line: &str) -> Result<String> {
    client.shell("p", line).await?;
    Ok(shown(&client.until_end().await?))
}

/// Asks for a URL, through the proxy whatever its host is.
const FETCH: &str = r#"
import http.client, os, sys, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["http_proxy"])
how, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = http.client.HTTPConnection(proxy.hostname, proxy.port)
if how == "tunnel":
    connection.set_tunnel(host, port)
    path = "/a?b"
else:
    path = f"http://{host}:{port}/a?b"
try:
    connection.request("GET", path)
    answer = connection.getresponse()
    print(answer.status, answer.getheader("Embedenv-Error"), len(answer.read()) if len(sys.argv) > 4 else answer.read().decode())
except (OSError, http.client.HTTPException) as error:
    print(error)
"#;

async fn with_fetch(server: &TestServer) -> Result<Client> {
    let mut client = server.plain(&server.room().await?).await?;
    let write = serde_json::json!({"path": "fetch.py", "content": FETCH});
    client.command("p", serde_json::json!({"type": "write"}), write).await?;
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn i9_what_is_listed_is_reached_both_ways_and_nothing_else() -> Result<()> {
    let (port, _web) = web(0).await?;
    let (other, _other) = web(0).await?;
    let server = server(&[format!("127.0.0.1:{port}"), "localhost".to_owned()], u64::MAX).await?;
    let mut client = with_fetch(&server).await?;
    for how in ["tunnel", "plain"] {
        let answer = run(&mut client, &format!("python fetch.py {how} 127.0.0.1 {port}")).await?;
        assert_eq!(answer, "200 None GET /a?b HTTP/1.1\n\n", "{how}");
    }
    for (how, host, port) in [
        ("plain", "127.0.0.1", other),
        ("plain", "169.254.169.254", 80),
        ("plain", "10.0.0.1", 443),
        ("plain", "[::1]", port),
        ("plain", "evil.example", 80),
    ] {
        let answer = run(&mut client, &format!("python fetch.py {how} '{host}' {port}")).await?;
        ensure!(answer.starts_with("403 egress_denied"), "{host}: {answer}");
    }
    let answer = run(&mut client, &format!("python fetch.py tunnel 127.0.0.1 {other}")).await?;
    ensure!(answer.contains("403"), "{answer}");
    // Without the proxy there is no network, and the proxy is no port that a preview could show.
    let around = format!("(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>&1 || echo refused; ls /sys/class/net 2>/dev/null");
    ensure!(run(&mut client, &around).await?.contains("refused"));
    let mut full = server.full(&server.room().await?).await?;
    let joined = full.aside.pop().context("joined")?;
    assert_eq!(joined["ports"], serde_json::json!([]));
    full.request(serde_json::json!({"type": "save", "document": 1})).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_has_carried_what_it_may_is_cut() -> Result<()> {
    let (port, _web) = web(3_000_000).await?;
    let server = server(&[format!("127.0.0.1:{port}")], 4_000_000).await?;
    let mut client = with_fetch(&server).await?;
    let fetch = format!("python fetch.py plain 127.0.0.1 {port} length");
    assert_eq!(run(&mut client, &fetch).await?, "200 None 3000018\n");
    ensure!(!run(&mut client, &fetch).await?.contains("3000018"));
    ensure!(run(&mut client, &fetch).await?.starts_with("429 egress_limit"));
    Ok(())
}

/// A registry of packages: what is at each path. On an address of this machine that `NO_PROXY` does not name.
async fn registry(at: impl FnOnce(&str) -> HashMap<String, Vec<u8>>) -> Result<(String, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.2:0").await?;
    let address = listener.local_addr()?.to_string();
    let files = Arc::new(at(&format!("http://{address}")));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut open = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let files = files.clone();
            open.spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {}
                let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
                let path = line.split(' ').nth(1).unwrap_or_default();
                let (status, body) = match files.get(path) {
                    Some(body) => ("200 OK", body.as_slice()),
                    None => ("404 Not Found", &b""[..]),
                };
                let kind = match path.rsplit_once('.').map_or("", |(_, kind)| kind) {
                    "whl" | "tgz" => "application/octet-stream",
                    _ if path.starts_with("/simple/") => "text/html",
                    _ => "application/json",
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n");
                let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
                // A client that has left needs no answer.
                let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
            });
        }
    });
    Ok((address, serving))
}

/// Makes an archive of the smallest package by a program of Python's.
fn package(script: &str) -> Result<Vec<u8>> {
    let made = std::process::Command::new("python3").args(["-c", script]).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(made.stdout)
}

const WHEEL: &str = r#"
import io, sys, zipfile
made, info = io.BytesIO(), "tiny-1.0.dist-info/"
with zipfile.ZipFile(made, "w") as wheel:
    wheel.writestr("tiny.py", "answer = 42\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "tiny.py,,\n" + "".join(f"{info}{name},,\n" for name in ["METADATA", "WHEEL", "RECORD"]))
sys.stdout.buffer.write(made.getvalue())
"#;

const TARBALL: &str = r#"
import io, sys, tarfile
made = io.BytesIO()
with tarfile.open(fileobj=made, mode="w:gz") as tarball:
    for name, text in [("package.json", '{"name": "tiny", "version": "1.0.0"}'), ("index.js", "module.exports = 42;")]:
        entry = tarfile.TarInfo("package/" + name)
        entry.size = len(text)
        tarball.addfile(entry, io.BytesIO(text.encode()))
sys.stdout.buffer.write(made.getvalue())
"#;

/// Whether a program is there; if not, the test says that it was skipped.
async fn has(client: &mut Client, program: &str) -> Result<bool> {
    let there = run(client, &format!("command -v {program} > /dev/null && echo yes")).await? == "yes\n";
    if !there {
        println!("SKIPPED: not so here: sandboxes have {program}");
    }
    Ok(there)
}

#[tokio::test(flavor = "multi_thread")]
async fn pip_installs_a_package_from_a_registry_that_is_listed() -> Result<()> {
    let wheel = package(WHEEL)?;
    let (address, _registry) = registry(|_| {
        let name = "tiny-1.0-py3-none-any.whl";
        let index = format!("<!DOCTYPE html><html><body><a href=\"/files/{name}\">{name}</a></body></html>");
        HashMap::from([("/simple/tiny/".to_owned(), index.into_bytes()), (format!("/files/{name}"), wheel)])
    })
    .await?;
    let server = server(std::slice::from_ref(&address), u64::MAX).await?;
    let mut client = server.plain(&server.room().await?).await?;
    if !has(&mut client, "pip").await? {
        return Ok(());
    }
    let install = format!("pip install --index-url http://{address}/simple/ --trusted-host 127.0.0.2 tiny 2>&1");
    let said = run(&mut client, &install).await?;
    assert_eq!(run(&mut client, "python3 -c 'import tiny; print(tiny.answer)'").await?, "42\n", "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_installs_a_package_from_a_registry_that_is_listed() -> Result<()> {
    let tarball = package(TARBALL)?;
    let (address, _registry) = registry(|base| {
        let dist = json!({"tarball": format!("{base}/tiny/-/tiny-1.0.0.tgz")});
        let version = json!({"name": "tiny", "version": "1.0.0", "dist": dist});
        let about = json!({"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}});
        let about = about.to_string().into_bytes();
        HashMap::from([("/tiny".to_owned(), about), ("/tiny/-/tiny-1.0.0.tgz".to_owned(), tarball)])
    })
    .await?;
    let server = server(std::slice::from_ref(&address), u64::MAX).await?;
    let mut client = server.plain(&server.room().await?).await?;
    if !has(&mut client, "npm").await? {
        return Ok(());
    }
    let install = format!("npm install --no-audit --no-fund --registry http://{address}/ tiny 2>&1");
    let said = run(&mut client, &install).await?;
    assert_eq!(run(&mut client, r#"node -e 'process.stdout.write(String(require("tiny")))'"#).await?, "42", "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_lists_nothing_has_no_proxy() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.plain(&server.room().await?).await?;
    let seen = run(&mut client, "env | grep -i proxy; (exec 3<>/dev/tcp/127.0.0.1/3128) 2>&1 || echo none").await?;
    ensure!(seen.contains("none") && !seen.contains("http://"), "{seen}");
    Ok(())
}
