//! Requests against servers that answer well, badly, slowly or never.

use std::collections::BTreeMap;

use embedenv_shared::command::Curl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// How the server of a test goes on after it has read the request.
type Script = Vec<Step>;

enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Keeps the connection open and says nothing.
    Hang,
}

fn send(text: impl AsRef<[u8]>) -> Step {
    Step::Send(text.as_ref().to_vec())
}

fn curl(method: &str, port: u16, data: &str) -> Request {
    let url = format!("http://localhost:{port}/p?q=1");
    let headers = BTreeMap::from([("X-Given".to_owned(), "yes".to_owned())]);
    Request::check(Curl { method: method.into(), url, headers, data: data.into() }).unwrap()
}

/// Has a server answer one request by a script; gives the request it read.
async fn serve(listener: TcpListener, script: Script) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 64 * 1024];
    let mut read = 0;
    while !request[..read].windows(4).any(|four| four == b"\r\n\r\n") {
        read += stream.read(&mut request[read..]).await.unwrap();
    }
    for step in script {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            Step::Pause(time) => sleep(time).await,
            Step::Hang => drop(stream.read(&mut request[read..]).await),
        }
    }
    String::from_utf8_lossy(&request[..read]).into_owned()
}

type Outcome = Result<(u16, Vec<Piece>), Failure>;

async fn exchange(method: &str, data: &str, script: Script, quiet: Duration) -> (Outcome, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut reply = fetch_within(stream, curl(method, port, data), quiet).await?;
        let mut pieces = Vec::new();
        while let Some(piece) = reply.next().await {
            pieces.push(piece?);
        }
        assert!(reply.next().await.is_none());
        Ok((reply.status, pieces))
    };
    timeout(PATIENCE, async { tokio::join!(client, serve(listener, script)) }).await.expect("both ends finish")
}

async fn get(script: Script) -> Outcome {
    exchange("GET", "", script, PATIENCE).await.0
}

fn joined(pieces: &[Piece]) -> (bool, Vec<u8>) {
    let is_text = pieces.first().is_none_or(|piece| piece.encoding.is_none());
    let mut body = Vec::new();
    for piece in pieces {
        assert_eq!(piece.encoding.is_none(), is_text, "every piece says the same");
        let bytes = if is_text { piece.content.as_bytes().to_vec() } else { STANDARD.decode(&piece.content).unwrap() };
        assert!(!bytes.is_empty() && bytes.len() <= MAX_PIECE);
        body.extend_from_slice(&bytes);
    }
    (is_text, body)
}

#[tokio::test]
async fn a_body_comes_back_and_the_request_is_as_given() {
    let script = vec![send("HTTP/1.1 201 Created\r\ncontent-length: 5\r\nx-y: z\r\n\r\nhello")];
    let (outcome, request) = exchange("POST", "data", script, PATIENCE).await;
    let (status, pieces) = outcome.unwrap();
    assert_eq!((status, joined(&pieces)), (201, (true, b"hello".to_vec())));
    assert!(request.starts_with("POST /p?q=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-given: yes\r\n") && request.contains("content-length: 4\r\n"), "{request}");
    assert!(request.contains("host: localhost:"), "{request}");
}

#[tokio::test]
async fn chunked_bodies_and_those_that_end_with_the_connection_are_whole() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: u\r\n\r\n";
    assert_eq!(joined(&get(vec![send(chunked)]).await.unwrap().1).1, b"abcde");
    let closed = vec![send("HTTP/1.0 200 OK\r\nServer: SimpleHTTP\r\n\r\nab"), send("cde")];
    assert_eq!(joined(&get(closed).await.unwrap().1).1, b"abcde");
    let after_continue = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
    assert_eq!(joined(&get(vec![send(after_continue)]).await.unwrap().1).1, b"x");
}

#[tokio::test]
async fn answers_without_a_body_have_no_pieces() {
    let no_content = vec![send("HTTP/1.1 204 No Content\r\n\r\n")];
    assert_eq!(get(no_content).await.unwrap(), (204, vec![]));
    let head = vec![send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"), Step::Hang];
    assert_eq!(exchange("HEAD", "", head, PATIENCE).await.0.unwrap(), (200, vec![]));
    let empty = vec![send("HTTP/1.1 302 Found\r\nlocation: http://evil.example/\r\ncontent-length: 0\r\n\r\n")];
    assert_eq!(get(empty).await.unwrap(), (302, vec![]));
}

#[tokio::test]
async fn text_is_cut_between_characters_wherever_the_network_cuts_it() {
    let body = "ä€😀x".repeat(20_000);
    for (kind, cut) in [("text/plain", 1), ("text/html; charset=\"UTF-8\"", 16_383), ("application/json", 100_001)] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        let (first, rest) = body.as_bytes().split_at(cut);
        let script = vec![send(head), send(first), Step::Pause(Duration::from_millis(20)), send(rest)];
        assert_eq!(joined(&get(script).await.unwrap().1), (true, body.clone().into_bytes()));
    }
}

#[tokio::test]
async fn a_body_is_text_exactly_if_it_is_utf8_whatever_it_is_declared_as() {
    for (kind, body, is_text) in [
        ("image/png", "plain".as_bytes(), true),
        ("text/plain", b"caf\xe9", false),
        ("text/plain", b"cut \xe2\x82", false),
        ("text/plain", b"\0\x01", true),
        ("application/octet-stream", b"\xff\xfe\x00", false),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n");
        let outcome = get(vec![send(head), send(body)]).await.unwrap();
        assert_eq!(joined(&outcome.1), (is_text, body.to_vec()), "{kind}");
    }
}

#[tokio::test]
async fn a_long_body_is_decided_by_how_it_begins() {
    let text = "line of text\n".repeat(100_000);
    let head = |kind: &str| send(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n"));
    let plain = get(vec![head("text/plain"), send(&text)]).await.unwrap();
    assert_eq!(joined(&plain.1), (true, text.clone().into_bytes()));
    let mut mixed = text.clone().into_bytes();
    mixed.extend_from_slice(&[0xff; 100]);
    let binary = get(vec![head("application/x-tar"), send(&mixed)]).await.unwrap();
    assert_eq!(joined(&binary.1), (false, mixed.clone()));
    let latin = get(vec![head("text/plain; charset=iso-8859-1"), send(&mixed)]).await.unwrap();
    assert_eq!(joined(&latin.1), (false, mixed.clone()));
    let broken = get(vec![head("text/plain"), send(&mixed)]).await.unwrap_err();
    assert_eq!(broken.code, ErrorCode::NotText);
}

#[tokio::test]
async fn a_slow_stream_of_text_is_not_held_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let server = serve(listener, vec![send(head), send(b"data: \xe2\x82"), Step::Hang]);
    let client = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut reply = fetch(stream, curl("GET", port, "")).await.unwrap();
        let first = reply.next().await.unwrap().unwrap();
        assert_eq!(first, Piece { content: "data: ".into(), encoding: None });
    };
    timeout(PATIENCE, async { tokio::join!(client, server) }).await.expect("both ends finish");
}

#[tokio::test]
async fn a_server_that_hangs_up_or_talks_nonsense_is_an_error() {
    for script in [
        vec![],
        vec![send("HTTP/1.1 200 OK\r\ncontent-")],
        vec![send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")],
        vec![send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab")],
        vec![send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nab")],
        vec![send("SSH-2.0-OpenSSH_9.2\r\n"), Step::Hang],
        vec![send(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1_000_000)))],
    ] {
        assert_eq!(get(script).await.unwrap_err().code, ErrorCode::Unreachable);
    }
}

#[tokio::test]
async fn silence_is_an_error() {
    let quiet = Duration::from_millis(100);
    for script in [
        vec![Step::Hang],
        vec![send("HTTP/1.1 200 OK\r\n"), Step::Hang],
        vec![send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"), Step::Hang],
        vec![send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\ncontent-type: text/plain\r\n\r\nhalf"), Step::Hang],
    ] {
        let (outcome, _) = exchange("GET", "", script, quiet).await;
        assert_eq!(outcome.unwrap_err().code, ErrorCode::TimedOut);
    }
}
