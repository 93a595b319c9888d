//! Moving, copying, uploads in pieces and downloads, from a client's end to the sandbox and back.

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::UploadId;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, WITHIN};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PIECE: usize = 256 * 1024;
/// Pieces on their way at once, as the page has it.
const AHEAD: u64 = 4;

fn key(number: u32) -> String {
    format!("upload-{number:016}")
}

fn upload(number: u32, path: &str, size: usize) -> Value {
    json!({"type": "upload", "upload": number, "project": "p", "path": path, "key": key(number), "size": size})
}

fn finish(number: u32, path: &str, size: usize) -> Value {
    json!({"type": "upload-finish", "project": "p", "path": path, "key": key(number), "size": size})
}

async fn write(client: &mut Client, path: &str, content: &str) -> Result<()> {
    let frame =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": path, "content": content});
    let answer = client.request(frame).await?;
    ensure!(answer["type"] == "done", "{answer}");
    Ok(())
}

async fn read(client: &mut Client, path: &str) -> Result<Value> {
    client.request(json!({"type": "read", "project": "p", "path": path})).await
}

/// Sends the pieces of a file from an offset up to `until`, a few ahead of what is answered.
async fn send_pieces(client: &mut Client, number: u32, bytes: &[u8], from: usize, until: usize) -> Result<()> {
    let (mut sent, mut stands) = (from, from);
    while stands < until {
        while sent < until && sent - stands < PIECE * AHEAD as usize {
            let end = (sent + PIECE).min(until);
            let piece = BinaryFrame::Piece { upload: UploadId(number), offset: sent as u64, bytes: &bytes[sent..end] };
            client.send_binary(piece).await?;
            sent = end;
        }
        let answer = client.frame_where("an answer to a piece", |frame| frame["upload"] == number).await?;
        ensure!(answer["type"] == "upload-stands", "{answer}");
        stands = answer["offset"].as_u64().context("an offset")? as usize;
    }
    Ok(())
}

/// An HTTP answer: its head, and its body as it came, to its end. `None` for a body that was cut off.
async fn fetch(server: &TestServer, method: &str, address: &str) -> Result<(String, Option<Vec<u8>>)> {
    let mut stream = TcpStream::connect(server.address()).await?;
    let head = format!("{method} {address} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address());
    stream.write_all(head.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("a head")?;
    let head = String::from_utf8(bytes[..end].to_vec())?.to_ascii_lowercase();
    let body = &bytes[end + 4..];
    if !head.contains("transfer-encoding: chunked") {
        return Ok((head, Some(body.to_vec())));
    }
    let (mut rest, mut whole) = (body, Vec::new());
    loop {
        let Some(line) = rest.windows(2).position(|window| window == b"\r\n") else { return Ok((head, None)) };
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line])?, 16)?;
        if length == 0 {
            return Ok((head, Some(whole)));
        }
        let Some(chunk) = rest.get(line + 2..line + 2 + length) else { return Ok((head, None)) };
        whole.extend_from_slice(chunk);
        rest = rest.get(line + 4 + length..).unwrap_or_default();
    }
}

async fn download(client: &mut Client, path: &str) -> Result<(String, String)> {
    let answer = client.request(json!({"type": "download", "project": "p", "path": path})).await?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned).with_context(|| answer.to_string());
    Ok((text("address")?, text("name")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_document_follows_its_file_through_moves_of_it_and_of_what_it_stands_in() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.full(&server.room().await?).await?;
    write(&mut client, "src/a.py", "a").await?;
    write(&mut client, "other/b.py", "b").await?;
    let opened = client.request(json!({"type": "open", "project": "p", "path": "src/a.py"})).await?;
    let moved = client.request(json!({"type": "move", "project": "p", "path": "src/a.py", "to": "other/c.py"})).await?;
    assert_eq!(moved["type"], "done", "{moved}");
    let told = client.aside.iter().find(|frame| frame["type"] == "document-moved").context("it was told")?;
    assert_eq!((&told["document"], &told["path"]), (&opened["document"], &json!("other/c.py")));
    client.aside.clear();
    client.request(json!({"type": "move", "project": "p", "path": "other", "to": "src/deep"})).await?;
    let told = client.aside.iter().find(|frame| frame["type"] == "document-moved").context("it was told again")?;
    assert_eq!(told["path"], "src/deep/c.py");
    let refused = client.request(json!({"type": "move", "project": "p", "path": "src", "to": "src/deep/x"})).await?;
    assert_eq!(refused["code"], "bad_path");
    let refused = json!({"type": "move", "project": "p", "path": "src/deep/c.py", "to": "src/deep/b.py"});
    assert_eq!(client.request(refused).await?["code"], "already_exists");

    let copied = client.request(json!({"type": "copy", "project": "p", "path": "src", "to": "copy"})).await?;
    assert_eq!(copied["type"], "done", "{copied}");
    assert_eq!(read(&mut client, "copy/deep/b.py").await?["content"], "b");
    let events = client.request(json!({"type": "events"})).await?;
    let kinds: Vec<&Value> =
        events["events"].as_array().context("events")?.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds[2..], ["moved", "moved", "copied"]);
    assert_eq!(events["events"][4]["to"], "copy");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_its_connection_broke_and_its_server_was_restarted() -> Result<()> {
    let mut server = TestServer::new().await?;
    let key = server.room().await?;
    let mut client = server.full(&key).await?;
    let bytes: Vec<u8> = (0..10_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let begun = client.request(upload(1, "in/large.bin", bytes.len())).await?;
    assert_eq!((&begun["type"], &begun["offset"]), (&json!("upload-stands"), &json!(0)), "{begun}");
    send_pieces(&mut client, 1, &bytes, 0, 3_000_000).await?;
    drop(client);
    let mut client = server.full(&key).await?;
    let again = client.request(upload(7, "in/large.bin", bytes.len())).await?;
    assert_eq!(again["offset"], 0, "another key is another upload");
    let mut again = upload(1, "in/large.bin", bytes.len());
    again["upload"] = json!(9);
    assert_eq!(client.request(again).await?["offset"], 3_000_000);
    send_pieces(&mut client, 9, &bytes, 3_000_000, 5_000_000).await?;
    server.restart().await?;
    let mut client = server.full(&key).await?;
    assert_eq!(client.request(upload(1, "in/large.bin", bytes.len())).await?["offset"], 5_000_000);
    let early = client.request(finish(1, "in/large.bin", bytes.len())).await?;
    assert_eq!(early["code"], "conflict", "{early}");
    let listing = client.request(json!({"type": "list", "project": "p", "path": ""})).await?;
    assert_eq!(listing["entries"], json!([]), "nothing is seen of it yet");
    send_pieces(&mut client, 1, &bytes, 5_000_000, bytes.len()).await?;
    assert_eq!(client.request(finish(1, "in/large.bin", bytes.len())).await?["type"], "done");
    let (address, _) = download(&mut client, "in/large.bin").await?;
    let (head, body) = fetch(&server, "GET", &address).await?;
    assert!(head.contains("content-length: 10000000"), "{head}");
    assert!(body.context("a whole body")? == bytes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_can_not_be_says_so_and_an_open_document_takes_one_up() -> Result<()> {
    let server = TestServer::with(|config| {
        for space in config.spaces.values_mut() {
            space.profile.limits.disk = 50 * 1024 * 1024;
        }
    })
    .await?;
    let mut client = server.full(&server.room().await?).await?;
    write(&mut client, "a.txt", "old\n").await?;
    assert_eq!(client.request(upload(1, "a.txt", 4)).await?["code"], "already_exists");
    assert_eq!(client.request(upload(2, "huge", 100 * 1024 * 1024)).await?["code"], "quota_exceeded");
    assert_eq!(client.request(upload(3, "../x", 4)).await?["code"], "bad_path");
    let mut bad = upload(4, "x", 4);
    bad["key"] = json!("../../../../etc/passwd");
    assert_eq!(client.request(bad).await?["code"], "bad_request");
    for number in 10..18 {
        assert_eq!(client.request(upload(number, &format!("f{number}"), 4)).await?["offset"], 0);
    }
    assert_eq!(client.request(upload(18, "f18", 4)).await?["code"], "limit_reached");
    let abort = json!({"type": "upload-abort", "key": key(17)});
    assert_eq!(client.request(abort).await?["type"], "done");
    assert_eq!(client.request(upload(18, "f18", 4)).await?["offset"], 0);
    client.send_binary(BinaryFrame::Piece { upload: UploadId(18), offset: 0, bytes: b"12345" }).await?;
    let failed = client.expect("upload-failed").await?;
    assert_eq!((&failed["upload"], &failed["code"]), (&json!(18), &json!("too_large")));

    let opened = client.request(json!({"type": "open", "project": "p", "path": "a.txt"})).await?;
    let mut replace = upload(20, "a.txt", 4);
    replace["overwrite"] = json!(true);
    assert_eq!(client.request(replace).await?["offset"], 0);
    send_pieces(&mut client, 20, b"new\n", 0, 4).await?;
    client.documents.clear();
    let mut done = finish(20, "a.txt", 4);
    done["overwrite"] = json!(true);
    assert_eq!(client.request(done).await?["type"], "done");
    while !client.documents.iter().any(|(document, bytes)| {
        json!(document) == opened["document"] && bytes.windows(3).any(|window| window == b"new")
    }) {
        client.frame().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_one_members_once_and_never_a_page() -> Result<()> {
    let server = TestServer::new().await?;
    let room = server.room().await?;
    let mut editor = server.full(&room).await?;
    write(&mut editor, "src/page \"é\".html", "<script>alert(1)</script>").await?;
    let minted = editor.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    let (address, name) = download(&mut viewer, "src/page \"é\".html").await?;
    assert_eq!(name, "page \"é\".html");
    assert_eq!(fetch(&server, "HEAD", &address).await?.0.lines().next(), Some("http/1.1 405 method not allowed"));
    let (head, body) = fetch(&server, "GET", &address).await?;
    assert_eq!(body.as_deref(), Some(&b"<script>alert(1)</script>"[..]));
    for line in [
        "content-type: application/octet-stream",
        "content-disposition: attachment; filename=\"page _e_.html\"",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "; sandbox;",
    ] {
        let line = line.replace("_e_", "___");
        assert!(head.contains(&line), "{line} in {head}");
    }
    assert!(fetch(&server, "GET", &address).await?.0.starts_with("http/1.1 404"), "once");
    let (address, name) = download(&mut viewer, "src").await?;
    assert_eq!(name, "src.zip");
    let (head, body) = fetch(&server, "GET", &address).await?;
    assert!(head.contains("content-type: application/zip"), "{head}");
    assert!(body.context("a whole archive")?.starts_with(b"PK\x03\x04"));
    let some = |path: &str, only: &str| json!({"type": "download", "project": "p", "path": path, "only": [only]});
    let answer = viewer.request(some("", "src/page \"é\".html")).await?;
    let address = answer["address"].as_str().with_context(|| answer.to_string())?;
    assert!(fetch(&server, "GET", address).await?.1.context("a whole archive")?.starts_with(b"PK\x03\x04"));
    assert_eq!(viewer.request(some("src", "other")).await?["code"], "bad_path");
    let missing = viewer.request(json!({"type": "download", "project": "p", "path": "none"})).await?;
    assert_eq!(missing["code"], "not_found");

    let (address, _) = download(&mut viewer, "").await?;
    viewer.leave().await?;
    let gone =
        || async { Ok::<_, anyhow::Error>(fetch(&server, "GET", &address).await?.0.starts_with("http/1.1 404")) };
    assert!(gone().await?, "who asked has left");
    for bad in ["/download/x", "/download/aaaaaaaaaaaaaaaa.x", "/download/."] {
        assert!(fetch(&server, "GET", bad).await?.0.starts_with("http/1.1 404"), "{bad}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_moves_copies_and_uploads_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let mut editor = server.full(&server.room().await?).await?;
    write(&mut editor, "a", "a").await?;
    let minted = editor.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    for frame in [
        json!({"type": "move", "project": "p", "path": "a", "to": "b"}),
        json!({"type": "copy", "project": "p", "path": "a", "to": "b"}),
        upload(1, "b", 1),
        finish(1, "b", 1),
        json!({"type": "upload-abort", "key": key(1)}),
    ] {
        assert_eq!(viewer.request(frame.clone()).await?["code"], "forbidden", "{frame}");
    }
    viewer.send_binary(BinaryFrame::Piece { upload: UploadId(1), offset: 0, bytes: b"x" }).await?;
    assert_eq!(viewer.expect("error").await?["code"], "forbidden");
    let mut plain = server.plain(&server.room().await?).await?;
    let frame = json!({"type": "move", "project": "p", "path": "a", "to": "b"});
    assert_eq!(plain.request(frame).await?["code"], "unknown_type");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_given_up_frees_the_sandbox() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.full(&server.room().await?).await?;
    client.shell("p", "mkdir src; head -c 30000000 /dev/urandom > src/noise").await?;
    client
        .frame_where("the end of the program", |frame| frame["type"] == "terminal" && frame["exit"]["code"] == 0)
        .await?;
    // More than may be made at once, each left after its first bytes. A place is free once the sandbox has seen that its
    // reader is gone.
    let deadline = tokio::time::Instant::now() + WITHIN;
    for _ in 0..6 {
        loop {
            let (address, _) = download(&mut client, "src").await?;
            let mut stream = TcpStream::connect(server.address()).await?;
            let head = format!("GET {address} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
            stream.write_all(head.as_bytes()).await?;
            let mut first = [0; 12];
            stream.read_exact(&mut first).await?;
            if first.ends_with(b"200") {
                stream.read_exact(&mut [0; 200_000]).await?;
                break;
            }
            ensure!(first.ends_with(b"409") && tokio::time::Instant::now() < deadline, "{first:?}");
        }
    }
    Ok(())
}
