//! What programs serve in a sandbox, seen from outside: who may see it, what reaches the app, and what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use embedenv_tests::http::{Answer, ask_at};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const SOON: Duration = Duration::from_secs(20);

/// Says what it was asked, streams, takes uploads, echoes WebSockets, and tries what an app may not.
const APP: &str = r#"
import base64, hashlib, http.server, json, socketserver, struct, sys, time
class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def say(self, kind, body, *more):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more: self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(body)
    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket": return self.socket()
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for n in range(1000000):
                part = b"data: %d\n\n" % n
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part)); self.wfile.flush()
                time.sleep(0.05)
        if self.path == "/page":
            return self.say("text/html", b"<!doctype html><h1>hi</h1>", ("X-Frame-Options", "DENY"))
        if self.path == "/linked":
            return self.say("text/html", b'<!doctype html><a href="/page">there</a>')
        if self.path == "/moved":
            self.send_response(302); self.send_header("Location", "/page"); self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.path == "/hostile":
            return self.say("text/plain", b"x", ("Set-Cookie", "a=1; Domain=localhost"), ("Set-Cookie", "embedenv_preview=evil"),
                ("Alt-Svc", 'h3=":1"'), ("Strict-Transport-Security", "max-age=9"), ("Connection", "X-Hop"), ("X-Hop", "1"))
        body = json.dumps({"path": self.path, "method": self.command, "headers": [[k.lower(), v] for k, v in self.headers.items()]})
        self.say("application/json", body.encode())
    do_HEAD = do_OPTIONS = do_DELETE = do_GET
    def do_POST(self):
        length, total = int(self.headers.get("Content-Length", 0)), 0
        while total < length:
            got = self.rfile.read1(min(65536, length - total))
            if not got: break
            total += len(got)
        self.say("text/plain", b"%d" % total)
    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket"); self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers(); self.wfile.flush()
        while True:
            head = self.rfile.read(2)
            if len(head) < 2: break
            length = head[1] & 127
            if length == 126: length = struct.unpack(">H", self.rfile.read(2))[0]
            mask = self.rfile.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(length)))
            if head[0] & 15 == 8: break
            self.wfile.write(bytes([head[0], length]) + data); self.wfile.flush()
        self.close_connection = True
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
print("serving", flush=True)
Server(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
"#;

/// One request on a connection of its own.
async fn ask(
    server: &TestServer,
    method: &str,
    host: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    ask_at(server.address(), method, host, path, fields, body).await
}

async fn get(server: &TestServer, host: &str, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    ask(server, "GET", host, path, fields, b"").await
}

/// A room whose sandbox serves the app on port 3000.
async fn serving(server: &TestServer) -> Result<(Client, String)> {
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    serve(&mut ada).await?;
    Ok((ada, key))
}

async fn serve(client: &mut Client) -> Result<()> {
    let write = json!({"type": "write", "path": "app.py", "content": APP});
    let create = json!({"type": "create", "item": "file", "path": "app.py"});
    for command in [create, write] {
        client.request(json!({"type": "cmd", "project_name": "p", "command": command})).await?;
    }
    let open =
        json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": "python3 app.py 3000"});
    client.request(open).await?;
    client.frame_where("the port", |frame| frame["type"] == "ports" && frame["ports"] == json!([3000])).await?;
    Ok(())
}

/// The host of a port, and what lets its holder's browser see it: the whole way of a browser that is let in.
async fn enter(server: &TestServer, client: &mut Client, port: u16) -> Result<(String, String)> {
    let preview = client.request(json!({"type": "preview", "port": port})).await?;
    let (host, path) = split(preview["enter"].as_str().context("the way in")?)?;
    let entered = get(server, &host, &format!("{path}&to=%2Fx%3Fy%3D1"), &[]).await?;
    ensure!(entered.status == 303, "{}", entered.head);
    let cookie = entered.field("set-cookie").context("a cookie")?.to_owned();
    for attribute in ["httponly", "secure", "samesite=none", "partitioned", "path=/"] {
        ensure!(cookie.contains(attribute), "{cookie}");
    }
    ensure!(!cookie.contains("domain"), "{cookie}");
    // The head was put into lower case; secrets aren't.
    let cookie = raw_cookie(server, client, port).await?;
    let check = get(server, &host, entered.field("location").context("where to")?, &[("Cookie", &cookie)]).await?;
    ensure!((check.status, check.field("location")) == (303, Some("/x?y=1")), "{}", check.head);
    Ok((host, cookie))
}

async fn raw_cookie(server: &TestServer, client: &mut Client, port: u16) -> Result<String> {
    let preview = client.request(json!({"type": "preview", "port": port})).await?;
    let (host, path) = split(preview["enter"].as_str().context("the way in")?)?;
    cookie_of(server, &host, &path).await
}

async fn cookie_of(server: &TestServer, host: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer)).await??;
    let cookie = answer.lines().find_map(|line| line.to_lowercase().starts_with("set-cookie:").then(|| &line[12..]));
    Ok(cookie.with_context(|| answer.clone())?.split(';').next().context("a pair")?.to_owned())
}

fn split(url: &str) -> Result<(String, String)> {
    let rest = url.strip_prefix("http://").context("http")?;
    let (host, path) = rest.split_once('/').context("a path")?;
    Ok((host.to_owned(), format!("/{path}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_serves_is_seen_by_who_was_let_in_and_by_nobody_else() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut ada, _) = serving(&server).await?;
    let (host, cookie) = enter(&server, &mut ada, 3000).await?;
    ensure!(host == format!("3000-{}.localhost:{}", &host[5..21], server.address().port()), "{host}");

    let seen =
        get(&server, &host, "/a?b=c", &[("Cookie", &format!("z=1; {cookie}; y=2")), ("X-Forwarded-For", "6.6.6.6")])
            .await?;
    ensure!(seen.status == 200, "{} {}", seen.head, seen.text());
    let said: Value = serde_json::from_slice(&seen.body)?;
    let fields: Vec<(String, String)> = serde_json::from_value(said["headers"].clone())?;
    let field = |name: &str| fields.iter().filter(|(of, _)| of == name).map(|(_, value)| &**value).collect::<Vec<_>>();
    ensure!(said["path"] == "/a?b=c" && field("host") == [&*host] && field("cookie") == ["z=1; y=2"], "{said}");
    ensure!(field("x-forwarded-for") == ["127.0.0.1"] && field("x-forwarded-proto") == ["http"], "{said}");
    ensure!(field("x-forwarded-host") == [&*host], "{said}");
    // A client without cookies says it in a header.
    let token = cookie.split_once('=').context("a pair")?.1;
    ensure!(get(&server, &host, "/", &[("X-Embedenv-Preview", token)]).await?.status == 200);

    for fields in [vec![], vec![("Cookie", "embedenv_preview=1.forged")], vec![("X-Embedenv-Preview", "1.forged")]] {
        let refused = get(&server, &host, "/", &fields).await?;
        ensure!(refused.status == 401 && refused.text().contains("\"forbidden\""), "{}", refused.text());
    }
    let page = get(&server, &host, "/", &[("Accept", "text/html")]).await?;
    ensure!(page.status == 401 && page.text().contains("This preview is private"), "{}", page.text());
    let other = host.replacen("3000-", "3001-", 1);
    ensure!(get(&server, &other, "/", &[("Cookie", &cookie)]).await?.status == 401, "a pass is its port's alone");
    let gone = host.replacen(&host[5..21], "aaaaaaaaaaaaaaaa", 1);
    ensure!(get(&server, &gone, "/", &[("Cookie", &cookie)]).await?.status == 410);
    let foreign = get(&server, &host.replace("localhost", "evil.example"), "/", &[("Cookie", &cookie)]).await?;
    ensure!(foreign.status == 421);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_app_reaches_beyond_its_origin_and_frames_get_a_script() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut ada, _) = serving(&server).await?;
    let (host, cookie) = enter(&server, &mut ada, 3000).await?;
    let hostile = get(&server, &host, "/hostile", &[("Cookie", &cookie)]).await?;
    let kept = "a=1; secure; samesite=none; partitioned";
    ensure!(hostile.field("set-cookie") == Some(kept), "{}", hostile.head);
    for name in ["alt-svc", "strict-transport-security", "x-hop"] {
        ensure!(hostile.field(name).is_none(), "{}", hostile.head);
    }
    let whole = get(&server, &host, "/page", &[("Cookie", &cookie)]).await?;
    ensure!(
        whole.text() == "<!doctype html><h1>hi</h1>" && whole.field("x-frame-options").is_some(),
        "{}",
        whole.text()
    );
    let framed = get(&server, &host, "/page", &[("Cookie", &cookie), ("Sec-Fetch-Dest", "iframe")]).await?;
    ensure!(
        framed.text().contains("<!doctype html><script src=\"/.embedenv/inside.js\"></script><h1>hi</h1>"),
        "{}",
        framed.text()
    );
    ensure!(framed.field("x-frame-options").is_none(), "{}", framed.head);
    let script = get(&server, &host, "/.embedenv/inside.js", &[]).await?;
    let own = format!("\"http://localhost:{}\"", server.address().port());
    ensure!(script.status == 200 && script.text().contains(&own), "{}", script.text());
    ensure!(get(&server, &host, "/.embedenv/none", &[("Cookie", &cookie)]).await?.status == 404, "never the app's");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_uploads_and_sockets_pass_both_ways_and_end_when_the_key_is_revoked() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut ada, _) = serving(&server).await?;
    let minted = ada.request(json!({"type": "key-mint", "role": "editor"})).await?;
    let mut bob = server.full(minted["join"].as_str().context("a key")?).await?;
    let (host, cookie) = enter(&server, &mut bob, 3000).await?;

    let upload = vec![7; 20 * 1024 * 1024];
    let taken = ask(&server, "POST", &host, "/", &[("Cookie", &cookie)], &upload).await?;
    ensure!(taken.text().contains(&upload.len().to_string()), "{} {}", taken.head, taken.text());

    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(format!("GET /stream HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes()).await?;
    let mut events = BufReader::new(stream).lines();
    let mut count = 0;
    while count < 5 {
        let line = timeout(SOON, events.next_line()).await??.context("the stream goes on")?;
        count += usize::from(line.starts_with("data: "));
    }

    let request = tokio_tungstenite::tungstenite::handshake::client::Request::builder()
        .uri(format!("ws://{host}/ws"))
        .header("Host", &host)
        .header("Origin", format!("http://{host}"))
        .header("Cookie", &cookie)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", tokio_tungstenite::tungstenite::handshake::client::generate_key())
        .body(())?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, TcpStream::connect(server.address()).await?).await?;
    for text in ["a", "bc"] {
        socket.send(Message::text(text)).await?;
        let echo = timeout(SOON, socket.next()).await?.context("an echo")??;
        ensure!(echo == Message::text(text), "{echo:?}");
    }

    ada.request(json!({"type": "key-revoke", "number": minted["number"]})).await?;
    let over = timeout(SOON, async {
        while let Ok(Some(_)) = events.next_line().await {}
        while let Some(Ok(_)) = socket.next().await {}
    });
    over.await.context("what is open ends with the key")?;
    ensure!(get(&server, &host, "/", &[("Cookie", &cookie)]).await?.status == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_other_sites_send_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut ada, _) = serving(&server).await?;
    let minted = ada.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut eve = server.full(minted["join"].as_str().context("a key")?).await?;
    let (host, cookie) = enter(&server, &mut eve, 3000).await?;
    let eves = [("Cookie", &*cookie)];
    for (method, status) in
        [("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("POST", 403), ("DELETE", 403), ("TRACE", 403)]
    {
        ensure!(ask(&server, method, &host, "/", &eves, b"").await?.status == status, "{method}");
    }
    let upgrade = [("Cookie", &*cookie), ("Connection", "upgrade"), ("Upgrade", "websocket")];
    ensure!(get(&server, &host, "/", &upgrade).await?.status == 403);
    for request in [
        json!({"type": "preview-share", "port": 3000, "ttl": 60}),
        json!({"type": "port-open", "port": 3000, "ttl": 60}),
    ] {
        ensure!(eve.request(request).await?["code"] == "forbidden");
    }

    let (_, cookie) = enter(&server, &mut ada, 3000).await?;
    for (origin, status) in
        [(format!("http://{host}"), 200), ("https://evil.example".to_owned(), 403), ("null".to_owned(), 403)]
    {
        let fields = [("Cookie", &*cookie), ("Origin", &origin)];
        ensure!(ask(&server, "POST", &host, "/", &fields, b"x").await?.status == status, "{origin}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_good_until_it_is_revoked_and_an_open_port_until_it_is_closed_over_a_restart() -> Result<()> {
    let mut server = TestServer::new().await?;
    let key = server.key(10).await?;
    let mut owner = Client::connect(&server.url()).await?;
    owner
        .send(json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key, "protocol": 2}))
        .await?;
    let init = owner.expect("init").await?;
    owner.expect("joined").await?;
    serve(&mut owner).await?;
    let join = init["join"].as_str().context("a key")?.to_owned();
    let mut ada = server.full(&join).await?;
    ensure!(
        ada.request(json!({"type": "port-open", "port": 3000, "ttl": 60})).await?["code"] == "forbidden",
        "an editor"
    );

    let shared = ada.request(json!({"type": "preview-share", "port": 3000, "ttl": 600})).await?;
    ensure!(shared["type"] == "preview-link" && shared["link"]["number"] == 1, "{shared}");
    let told = owner.frame_where("the links", |frame| frame["type"] == "previews").await?;
    ensure!(told["links"][0]["port"] == 3000 && !told.to_string().contains("ticket"), "{told}");
    let (host, path) = split(shared["url"].as_str().context("an address")?)?;
    let cookie = cookie_of(&server, &host, &path).await?;
    ensure!(cookie_of(&server, &host, &path).await? == cookie, "as often as they like");

    server.restart().await?;
    let mut ada = server.full(&join).await?;
    let host = moved(&host, &server)?;
    timeout(SOON, async {
        while get(&server, &host, "/", &[("Cookie", &cookie)]).await?.status != 200 {}
        anyhow::Ok(())
    })
    .await
    .context("it goes on after a restart")??;
    ensure!(ada.request(json!({"type": "previews"})).await?["links"][0]["number"] == 1);
    ensure!(ada.request(json!({"type": "preview-revoke", "link": 1})).await?["type"] == "done");
    ensure!(get(&server, &host, "/", &[("Cookie", &cookie)]).await?.status == 401);
    ensure!(ada.request(json!({"type": "preview-revoke", "link": 1})).await?["code"] == "not_found");

    let mut owner = server.full(init["owner"].as_str().context("the owner's key")?).await?;
    for bad in [
        json!({"type": "port-open", "port": 3000, "ttl": 0}),
        json!({"type": "port-open", "port": 0, "ttl": 60}),
        json!({"type": "preview", "port": 0}),
    ] {
        ensure!(owner.request(bad.clone()).await?["code"] == "bad_request", "{bad}");
    }
    ensure!(owner.request(json!({"type": "port-open", "port": 3000, "ttl": 60})).await?["type"] == "done");
    ensure!(get(&server, &host, "/", &[]).await?.status == 200, "anybody");
    ensure!(ask(&server, "POST", &host, "/", &[("Origin", "https://other.example")], b"x").await?.status == 200);
    owner.request(json!({"type": "port-close", "port": 3000})).await?;
    ensure!(get(&server, &host, "/", &[]).await?.status == 401);
    Ok(())
}

/// The host, with the port that the server has now.
fn moved(host: &str, server: &TestServer) -> Result<String> {
    let (name, _) = host.rsplit_once(':').context("a port")?;
    Ok(format!("{name}:{}", server.address().port()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_what_does_not_listen_yet_and_a_sleeping_room_is_not_woken() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    let (host, cookie) = enter(&server, &mut ada, 3000).await?;
    let fields = [("Cookie", &*cookie), ("Accept", "text/html,*/*")];
    let waits = get(&server, &host, "/", &fields).await?;
    ensure!(waits.status == 503 && waits.text().contains("Waiting for port 3000"), "{}", waits.text());
    ensure!(waits.field("content-security-policy").is_some_and(|policy| !policy.contains("unsafe")), "{}", waits.head);
    let (ready, served) = tokio::join!(get(&server, &host, "/.embedenv/ready", &fields), serve(&mut ada));
    served?;
    ensure!(ready?.status == 204 && get(&server, &host, "/", &fields).await?.status == 200);
    server.kill_sandboxes()?;
    ada.frame_where("the end", |frame| frame["type"] == "sandbox" && frame["state"] == "gone").await?;
    let asleep = get(&server, &host, "/", &fields).await?;
    ensure!(asleep.status == 503 && asleep.text().contains("not running"), "{}", asleep.text());
    ensure!(server.sandboxes()?.is_empty(), "a request wakes nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_slowed_down() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut ada, _) = serving(&server).await?;
    let (host, cookie) = enter(&server, &mut ada, 3000).await?;
    let mut limited = 0;
    for guess in 0..60 {
        let answer = match guess % 2 {
            0 => get(&server, &host, &format!("/.embedenv/enter?ticket=guess{guess}"), &[]).await?,
            _ => get(&server, &host, "/", &[("X-Embedenv-Preview", &format!("{guess}.guess"))]).await?,
        };
        match answer.status {
            401 => {}
            429 => limited += 1,
            status => bail!("{status}"),
        }
    }
    ensure!(limited >= 40, "{limited}");
    ensure!(get(&server, &host, "/", &[("Cookie", &cookie)]).await?.status == 200, "who was let in notices nothing");
    Ok(())
}

/// Where previews below paths are for somebody: the address that listens, the host and the prefix.
async fn enter_below(client: &mut Client) -> Result<(SocketAddr, String, String)> {
    let preview = client.request(json!({"type": "preview", "port": 3000})).await?;
    let (host, path) = split(preview["url"].as_str().with_context(|| preview.to_string())?)?;
    let port = host.rsplit_once(':').context("a port")?.1.parse()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let (_, enter) = split(preview["enter"].as_str().context("the way in")?)?;
    let prefix = path.trim_end_matches('/').to_owned();
    let entered = ask_at(address, "GET", &host, &format!("{enter}&to=%2Fx%3Fy%3D1"), &[], b"").await?;
    let led = format!("{prefix}/x?y=1").to_lowercase();
    ensure!((entered.status, entered.field("location")) == (303, Some(&*led)), "{}", entered.head);
    Ok((address, host, prefix))
}

#[tokio::test(flavor = "multi_thread")]
async fn below_a_path_apps_share_an_origin_and_nothing_else() -> Result<()> {
    let server = TestServer::with(|config| config.preview.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)))).await?;
    let (mut ada, _) = serving(&server).await?;
    let (address, host, prefix) = enter_below(&mut ada).await?;
    let at = async |method: &str, path: &str, fields: &[(&str, &str)]| {
        ask_at(address, method, &host, &format!("{prefix}{path}"), fields, b"").await
    };

    // The app gets neither the path nor a cookie, and takes its own pages for its own.
    let fields = [("Cookie", "a=1"), ("Origin", "null"), ("Referer", &*format!("http://{host}{prefix}/"))];
    let seen = at("GET", "/a?b=c", &fields).await?;
    ensure!(seen.status == 200, "{} {}", seen.head, seen.text());
    let secret = prefix.split_once('~').context("a secret")?.1;
    ensure!(!seen.text().contains(secret) && !seen.text().contains("cookie"), "{}", seen.text());
    ensure!(seen.text().contains("\"/a?b=c\"") && seen.text().contains(&format!("http://{host}")), "{}", seen.text());
    for (name, value) in [("referrer-policy", "no-referrer"), ("access-control-allow-origin", "*")] {
        ensure!(seen.field(name) == Some(value), "{}", seen.head);
    }
    let sandbox = seen.field("content-security-policy").context("a policy")?;
    ensure!(sandbox.starts_with("sandbox allow-scripts") && !sandbox.contains("same-origin"), "{sandbox}");
    let hostile = at("GET", "/hostile", &[]).await?;
    ensure!(hostile.field("set-cookie").is_none() && hostile.field("x-hop").is_none(), "{}", hostile.head);

    // Its addresses stay its own.
    let page = at("GET", "/linked", &[("Accept", "text/html,*/*")]).await?;
    let expected = format!(
        "<!doctype html><script src=\"{prefix}/.embedenv/inside.js\"></script><a href=\"{prefix}/page\">there</a>"
    );
    ensure!(page.text().contains(&expected), "{}", page.text());
    let script = at("GET", "/.embedenv/inside.js", &[]).await?;
    ensure!(script.text().contains(&format!("const own = '{prefix}'")), "{}", script.text());
    let moved = at("GET", "/moved", &[]).await?;
    ensure!(moved.field("location") == Some(&*format!("{prefix}/page").to_lowercase()), "{}", moved.head);
    let led = ask_at(address, "GET", &host, &prefix, &[], b"").await?;
    ensure!((led.status, led.field("location")) == (308, Some(&*format!("{prefix}/").to_lowercase())), "{}", led.head);
    let preflight = [("Origin", "null"), ("Access-Control-Request-Method", "PUT")];
    let allowed = at("OPTIONS", "/a", &preflight).await?;
    ensure!((allowed.status, allowed.field("access-control-allow-methods")) == (204, Some("put")), "{}", allowed.head);
    ensure!(at("DELETE", "/a", &[("Origin", "null")]).await?.status == 200);

    // WebSockets too.
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{host}{prefix}/ws")).await?;
    socket.send(Message::text("hello")).await?;
    ensure!(timeout(SOON, socket.next()).await?.context("an echo")??.into_text()? == "hello");

    // Nothing is to be had without the secret, at another port with it, or under another name; and nothing else is here.
    let room = &prefix[6..22];
    for (path, status) in [
        (format!("/3000-{room}~/"), 401),
        (format!("/3000-{room}~1.forged/"), 401),
        (prefix.replacen("/3000-", "/3001-", 1) + "/", 401),
        (format!("/3000-aaaaaaaaaaaaaaaa~{secret}/"), 410),
        ("/".to_owned(), 404),
        ("/w".to_owned(), 404),
        (format!("/3000-{room}/"), 404),
    ] {
        let answer = ask_at(address, "GET", &host, &path, &[], b"").await?;
        ensure!(answer.status == status, "{path}: {}", answer.head);
    }
    ensure!(ask_at(address, "GET", "evil.example", &format!("{prefix}/"), &[], b"").await?.status == 421);
    let private = ask_at(address, "GET", &host, &format!("/3000-{room}~x/"), &[("Accept", "text/html")], b"").await?;
    ensure!(private.text().contains("This preview is private"), "{}", private.text());

    // A viewer only looks, and a link ends with its revocation.
    let minted = ada.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    let (_, _, looking) = enter_below(&mut viewer).await?;
    for (method, status) in [("GET", 200), ("DELETE", 403)] {
        let answer = ask_at(address, method, &host, &format!("{looking}/a"), &[], b"").await?;
        ensure!(answer.status == status, "{method}: {}", answer.head);
    }
    let shared = ada.request(json!({"type": "preview-share", "port": 3000, "ttl": 60})).await?;
    let (_, link) = split(shared["url"].as_str().context("a link")?)?;
    ensure!(ask_at(address, "GET", &host, &link, &[], b"").await?.status == 200);
    ada.request(json!({"type": "preview-revoke", "link": shared["link"]["number"]})).await?;
    ensure!(ask_at(address, "GET", &host, &link, &[], b"").await?.status == 401);
    Ok(())
}
