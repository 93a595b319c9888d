//! Edits between a document and its file, and messages that a document refuses: nothing that was acknowledged is lost, and
//! nobody is worse off for what another message did.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use embedenv::journal::Syncer;
use embedenv::room::document::{Document, Received};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::editor::Editor;
use embedenv_tests::program::Program;
use serde_json::{Value, json};

/// How often one connection may have a document read in a second (docs/protocol.md).
const MAX_READINGS: usize = 32;

async fn write(client: &mut Client, path: &str, content: &str) -> Result<()> {
    let command =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": path, "content": content});
    let done = client.request(command).await?;
    ensure!(done["type"] == "done", "{done}");
    Ok(())
}

async fn create(client: &mut Client, path: &str) -> Result<()> {
    let create = json!({"type": "create", "item": "file", "path": path});
    let done = client.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    ensure!(done["type"] == "done", "{done}");
    Ok(())
}

async fn join(program: &Program, join: &Value, full: bool) -> Result<Client> {
    let mut client = Client::connect(&program.url()).await?;
    let mut frame = json!({"type": "join", "join": join});
    if full {
        frame["protocol"] = json!(2);
    }
    client.send(frame).await?;
    client.expect("joined").await?;
    Ok(client)
}

/// An update in which each of these clients of Yjs types one letter at the beginning.
fn letters(clients: std::ops::Range<u32>) -> Vec<u8> {
    let mut update = number(clients.len());
    for client in clients {
        update.push(1);
        update.extend(number(client as usize));
        update.extend([0, 4, 1, 7]);
        update.extend(b"content");
        update.extend([1, b'x']);
    }
    update.push(0);
    update
}

/// The update of one letter that Yjs client 5 types.
fn letter() -> Vec<u8> {
    [&[1, 1, 5, 0, 4, 1, 7][..], b"content", &[1, b'x', 0]].concat()
}

fn edit(update: &[u8]) -> Vec<u8> {
    [&[0, 2][..], &number(update.len()), update].concat()
}

/// A whole number in the lib0 encoding.
fn number(number: usize) -> Vec<u8> {
    let (mut out, mut left) = (Vec::new(), number);
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_and_a_typed_line_read_what_was_typed_just_before() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.full(&server.room().await?).await?;
    write(&mut client, "a.txt", "").await?;
    let mut editor = Editor::open(&mut client, "p", "a.txt").await?;
    editor.insert(&mut client, 0, "for the pipe").await?;
    let piped = client.request(json!({"type": "pipe", "project": "p", "command": "cat a.txt", "input": ""})).await?;
    assert_eq!(piped["output"], "for the pipe", "{piped}");

    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24});
    let opened = client.request(open).await?;
    let terminal = u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?;
    for word in ["one", "two", "three"] {
        editor.insert(&mut client, 0, &format!("{word}-{word} ")).await?;
        // The word stands twice in the file, and once in what is typed.
        let line = format!("grep -c {word}-{word} a.txt | sed s/^/{word}:/\r");
        client.send_binary(BinaryFrame::Input { terminal: SessionId(terminal), bytes: line.as_bytes() }).await?;
        let output = client.output_with(terminal, &format!("\r{word}:")).await?;
        ensure!(output.contains(&format!("{word}:1")), "{output}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_deleted_under_edits_that_are_not_in_it_is_written_anew() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut typist, mut plain) = (server.full(&key).await?, server.plain(&key).await?);
    write(&mut typist, "a.txt", "").await?;
    let mut editor = Editor::open(&mut typist, "p", "a.txt").await?;
    let wait = |what: &str| format!("until {what}; do sleep 0.01; done");
    plain.shell("p", &format!("{}; rm a.txt; {}", wait("[ -e go ]"), wait("[ -e a.txt ]"))).await?;
    let is_back = AtomicBool::new(false);
    let typing = async {
        editor.insert(&mut typist, 0, "x").await?;
        create(&mut typist, "go").await?;
        // While somebody types there is always something that is not in the file.
        while !is_back.load(Ordering::Acquire) {
            editor.insert(&mut typist, 0, "x").await?;
            editor.wait_until_held(&mut typist).await?;
        }
        anyhow::Ok(())
    };
    let waiting = async {
        plain.until_end().await?;
        is_back.store(true, Ordering::Release);
        anyhow::Ok(())
    };
    tokio::try_join!(typing, waiting)?;
    plain.shell("p", "cat a.txt").await?;
    assert_eq!(shown(&plain.until_end().await?), editor.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_follows_its_file_when_a_program_gives_it_another_name() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut typist, mut plain) = (server.full(&key).await?, server.plain(&key).await?);
    write(&mut typist, "a.txt", "text").await?;
    let mut editor = Editor::open(&mut typist, "p", "a.txt").await?;
    plain.shell("p", "mv a.txt b.txt").await?;
    plain.until_end().await?;
    let moved = typist.expect("document-moved").await?;
    assert_eq!((&moved["document"], &moved["path"]), (&json!(editor.document), &json!("b.txt")));
    editor.insert(&mut typist, 4, " and more").await?;
    editor.wait_until_held(&mut typist).await?;
    plain.shell("p", "ls; cat b.txt").await?;
    assert_eq!(shown(&plain.until_end().await?), "b.txt\ntext and more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_no_document_whatever_was_open_in_it() -> Result<()> {
    let mut program = Program::start(0).await?;
    let mut client = program.full().await?;
    let key = client.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?["join"].clone();
    write(&mut client, "src/a.txt", "text").await?;
    Editor::open(&mut client, "p", "src/a.txt").await?;
    program.kill().await?;
    program.restart().await?;
    let mut client = join(&program, &key, true).await?;
    let refused = client.request(json!({"type": "open", "project": "p", "path": "src"})).await?;
    assert_eq!(refused["code"], "is_a_folder", "{refused}");
    assert_eq!(Editor::open(&mut client, "p", "src/a.txt").await?.text(), "text");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_does_not_drop_what_stands_behind_it_and_counts_with_it() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.full(&server.room().await?).await?;
    write(&mut client, "a.txt", "").await?;
    let editor = Editor::open(&mut client, "p", "a.txt").await?;
    // Junk at the beginning of two portions, and an edit at the end.
    let mut frame = [edit(&[0xff]), [3].repeat(20), edit(&[0xff])].concat();
    frame.extend(edit(&letter()));
    editor.send_raw(&mut client, &frame).await?;
    let refused = client.expect("error").await?;
    assert_eq!(refused["code"], "bad_request");
    let sent = 1 + 3;
    client.frame_where("the count", |frame| frame["type"] == "document" && frame["received"] == sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_life_is_nobodys_error() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut author, mut other) = (server.full(&key).await?, server.full(&key).await?);
    write(&mut author, "a.txt", "").await?;
    let of_author = Editor::open(&mut author, "p", "a.txt").await?;
    let of_other = Editor::open(&mut other, "p", "a.txt").await?;
    // More clients than one life may have, and more behind them that belongs to the life that is over.
    let frame = [edit(&letters(20_000..24_200)), edit(&letter())].concat();
    of_author.send_raw(&mut author, &frame).await?;
    of_author.send_raw(&mut author, &edit(&letter())).await?;
    other.expect("document-closed").await?;
    of_other.send_raw(&mut other, &edit(&letter())).await?;
    for client in [&mut author, &mut other] {
        client.request(json!({"type": "ping"})).await?;
        let errors: Vec<&Value> = client.aside.iter().filter(|frame| frame["type"] == "error").collect();
        ensure!(errors.is_empty(), "{errors:?}");
    }
    ensure!(author.aside.iter().any(|frame| frame["type"] == "document-closed"), "{:?}", author.aside);
    // How much of it was taken when it had cost too much is left to chance.
    let text = Editor::open(&mut author, "p", "a.txt").await?.text();
    ensure!(!text.is_empty() && text.chars().all(|letter| letter == 'x'), "{text:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_frame_does_not_have_a_document_read_a_thousand_times() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.full(&server.room().await?).await?;
    write(&mut client, "a.txt", "text").await?;
    let editor = Editor::open(&mut client, "p", "a.txt").await?;
    let began = Instant::now();
    editor.send_raw(&mut client, &[0, 0, 1, 0].repeat(1024)).await?;
    let refused = client.expect("error").await?;
    assert_eq!(refused["code"], "limit_reached");
    client.request(json!({"type": "ping"})).await?;
    // Reading the frame takes seconds, since each of its messages is dear to who sent it; every second has its own count.
    let answers = client.documents.iter().filter(|(_, message)| message.starts_with(&[0, 1])).count();
    let most = MAX_READINGS * (2 + began.elapsed().as_secs() as usize);
    ensure!((MAX_READINGS / 2..=most).contains(&answers), "{answers} of {most}");
    Ok(())
}

/// Sandboxes have their files in the data directory there.
mod local_engine {
    use super::*;

    /// The folder with this project's files in a home of the local engine.
    fn project(folder: &Path) -> Option<PathBuf> {
        let inside = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        inside.into_iter().find_map(|path| if path.ends_with("p") { Some(path) } else { project(&path) })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_got_another_name_when_the_server_died_is_found_however_often_that_fails() -> Result<()> {
        let mut program = Program::start(0).await?;
        let mut client = program.full().await?;
        let key = client.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?["join"].clone();
        write(&mut client, "a.txt", "text").await?;
        Editor::open(&mut client, "p", "a.txt").await?;
        program.kill().await?;
        // An edit that was acknowledged, and a rename that was done and not written down.
        let room = std::fs::read_dir(program.data_dir().join("journals"))?.next().context("a room")??.path();
        let mut document = Document::restore(&room.join("1.log"), Syncer::default())?.document;
        ensure!(matches!(document.receive(&edit(&letter())), Ok(Received::Update { changed: true, .. })));
        document.moving(&WorkspacePath::parse("b.txt")?);
        let files = project(&program.data_dir().join("rooms")).context("the project's folder")?;
        std::fs::rename(files.join("a.txt"), files.join("b.txt"))?;
        // What is there now can't be read as the file, so that the first look fails.
        std::fs::create_dir(files.join("a.txt"))?;
        program.restart().await?;
        let mut plain = join(&program, &key, false).await?;
        plain.shell("p", "rmdir a.txt").await?;
        plain.until_end().await?;
        plain.shell("p", "ls; cat b.txt").await?;
        let shown = shown(&plain.until_end().await?);
        ensure!(["b.txt\ntextx", "b.txt\nxtext"].contains(&&*shown), "{shown:?}");
        Ok(())
    }
}
