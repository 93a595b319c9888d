//! The accept loop against connections that are slow, many or of foreign hosts.

use std::time::Instant;

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::get;
use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const SHORT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(10);

struct TestServer {
    address: SocketAddr,
    tasks: Tasks,
}

impl TestServer {
    async fn new(bounds: AcceptBounds) -> Self {
        let echo = |upgrade: WebSocketUpgrade| async {
            upgrade.on_upgrade(|mut socket| async move {
                while let Some(Ok(message)) = socket.next().await {
                    let is_close = matches!(message, Message::Close(_));
                    if is_close || socket.send(message).await.is_err() {
                        return;
                    }
                }
            })
        };
        let router = Router::new()
            .route(HEALTH, get(async || "ok"))
            .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
            .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
            .route("/large", get(async || vec![b'x'; 16 * 1024 * 1024]))
            .route("/echo", get(echo));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = Tasks::default();
        tasks.spawn("accept", serve(listener, router, None, bounds, tasks.clone()));
        Self { address, tasks }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own, to the end of what is answered.
    async fn get(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        ask(&mut stream, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await;
        to_end(&mut stream).await
    }
}

async fn ask(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Everything the server says until it closes.
async fn to_end(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the server closes").ok();
    String::from_utf8_lossy(&said).into_owned()
}

fn bounds() -> AcceptBounds {
    AcceptBounds { first_byte: SHORT, header: SHORT, stall: SHORT, ..AcceptBounds::default() }
}

#[tokio::test]
async fn a_silent_connection_is_closed_in_time() {
    let server = TestServer::new(bounds()).await;
    let begun = Instant::now();
    assert_eq!(to_end(&mut server.connect().await).await, "");
    assert!(begun.elapsed() >= SHORT);
}

#[tokio::test]
async fn half_a_head_is_closed_in_time_however_it_dribbles() {
    let server = TestServer::new(bounds()).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "GET / HTTP/1.1\r\nhost: loc").await;
    let (mut reader, mut writer) = stream.into_split();
    let dribble = async {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let mut said = Vec::new();
    tokio::select! {
        () = dribble => {}
        ended = timeout(PATIENCE, reader.read_to_end(&mut said)) => drop(ended.expect("the server closes")),
    }
    assert!(!said.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_knows_its_peer() {
    let server = TestServer::new(AcceptBounds::default()).await;
    let mut stream = server.connect().await;
    let own = stream.local_addr().unwrap().to_string();
    for _ in 0..3 {
        ask(&mut stream, "GET /peer HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let mut said = String::new();
        while !said.ends_with(&own) {
            let mut part = [0; 1024];
            let n = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
            assert!(n > 0, "{said}");
            said.push_str(std::str::from_utf8(&part[..n]).unwrap());
        }
        assert!(said.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let server = TestServer::new(bounds()).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(to_end(&mut stream).await.ends_with("ok"));
}

#[tokio::test]
async fn heads_over_the_limits_get_431() {
    let server = TestServer::new(AcceptBounds { head_bytes: 4096, ..AcceptBounds::default() }).await;
    for head in [format!("a: {}\r\n", "x".repeat(8192)), "a: b\r\n".repeat(101)] {
        let mut stream = server.connect().await;
        ask(&mut stream, &format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{head}\r\n")).await;
        let said = to_end(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let server = TestServer::new(bounds()).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    stream.readable().await.unwrap();
    let refused = async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("the server closes");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_500_and_nothing_more() {
    let server = TestServer::new(AcceptBounds::default()).await;
    let said = server.get("/panic").await;
    assert!(said.starts_with("HTTP/1.1 500") && !said.contains("on purpose"), "{said}");
    assert!(server.get(HEALTH).await.ends_with("ok"));
}

#[tokio::test]
async fn half_open_connections_delay_nobody() {
    let server = TestServer::new(AcceptBounds { per_address: 200, ..AcceptBounds::default() }).await;
    let mut half_open = join_all((0..500).map(|_| server.connect())).await;
    for stream in half_open.iter_mut().step_by(2) {
        // Those that had to make room are closed already.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: lo").await;
    }
    // Once this is answered, everything before it has been accepted.
    assert!(server.get(HEALTH).await.ends_with("ok"));
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let begun = Instant::now();
        assert!(server.get(HEALTH).await.ends_with("ok"));
        slowest = slowest.max(begun.elapsed());
    }
    println!("the slowest answer took {slowest:?}");
    drop(half_open);
}

#[tokio::test]
async fn a_full_server_still_says_that_it_lives() {
    let server = TestServer::new(AcceptBounds { total: 2, reserve: 1, ..AcceptBounds::default() }).await;
    let held = join_all((0..2).map(|_| open_echo(&server))).await;
    // Even while somebody keeps the reserve.
    let silent = server.connect().await;
    assert!(server.get(HEALTH).await.ends_with("ok"));
    let refused = server.get("/peer").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("unavailable"), "{refused}");
    drop((held, silent));
    let served = async { while !server.get("/peer").await.starts_with("HTTP/1.1 200") {} };
    timeout(PATIENCE, served).await.expect("what ended makes room");
}

async fn open_echo(server: &TestServer) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let url = format!("ws://{}/echo", server.address);
    let (socket, _) = tokio_tungstenite::client_async(url, server.connect().await).await.unwrap();
    socket
}

#[tokio::test]
async fn an_upgraded_connection_carries_frames_and_outlives_the_limits() {
    let server = TestServer::new(bounds()).await;
    let mut socket = open_echo(&server).await;
    sleep(SHORT * 2).await;
    for text in ["one", "two"] {
        socket.send(tokio_tungstenite::tungstenite::Message::text(text)).await.unwrap();
        let reply = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(reply.into_text().unwrap(), text);
    }
}

#[tokio::test]
async fn shutdown_ends_waiting_connections_and_finishes_requests() {
    let server = TestServer::new(AcceptBounds::default()).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    ask(&mut idle, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    idle.readable().await.unwrap();
    let mut loading = server.connect().await;
    ask(&mut loading, "GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    loading.readable().await.unwrap();
    let (closed, said) = tokio::join!(server.tasks.close(PATIENCE), to_end(&mut loading));
    assert!(closed);
    assert!(said.len() > 16 * 1024 * 1024);
    assert_eq!(to_end(&mut silent).await, "");
    assert!(to_end(&mut idle).await.ends_with("ok"));
    assert!(TcpStream::connect(server.address).await.is_err());
}
