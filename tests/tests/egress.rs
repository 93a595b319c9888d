//! Traffic out of a sandbox: what a space lists is reached through the agent's proxy, everything else is not, and there is
//! no way around it. Hosts are servers of the test's own, on this machine's loopback, and listed by address.

use anyhow::{Context as _, Result, ensure};
use embedenv::egress::PROXY_PORT;
use embedenv::egress::allow::AllowList;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, shown};
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

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_lists_nothing_has_no_proxy() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.plain(&server.room().await?).await?;
    let seen = run(&mut client, "env | grep -i proxy; (exec 3<>/dev/tcp/127.0.0.1/3128) 2>&1 || echo none").await?;
    ensure!(seen.contains("none") && !seen.contains("http://"), "{seen}");
    Ok(())
}
