//! Documents over real sockets: what several people type, who may and who is where, and what is left of it when the
//! server is killed at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::client::{Client, shown};
use embedenv_tests::editor::Editor;
use embedenv_tests::program::Program;
use embedenv_tests::{TestServer, chance};
use parking_lot::Mutex;
use rand::Rng as _;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const EDITORS: usize = 50;
const FILES: usize = 10;
const ROUNDS: usize = 100;
/// Edits that one editor makes in one round.
const EDITS: usize = 4;

/// What the server said that it holds.
#[derive(Debug, Default)]
struct Acknowledged {
    /// For each file, the words that were typed into it.
    words: Mutex<Vec<Vec<String>>>,
    count: AtomicU64,
    some: Notify,
}

impl Acknowledged {
    fn add(&self, file: usize, word: String) {
        self.words.lock()[file].push(word);
        self.count.fetch_add(1, Ordering::AcqRel);
        self.some.notify_one();
    }
}

async fn join(program: &Program, key: &str) -> Result<Client> {
    let mut client = Client::connect(&program.url()).await?;
    client.send(json!({"type": "join", "join": key, "protocol": 2})).await?;
    client.expect("joined").await?;
    Ok(client)
}

fn name(file: usize) -> String {
    format!("file{file}.txt")
}

/// One editor's round: it types until all of its edits are acknowledged, or the server is gone.
async fn type_words(
    mut client: Client,
    editor: &mut Editor,
    file: usize,
    words: Vec<(f64, String)>,
    acknowledged: &Acknowledged,
) -> Result<()> {
    editor.reopen(&mut client, "p", &name(file)).await?;
    let mut waiting = Vec::new();
    for (place, word) in words {
        // Between two words, so that each stays whole; all of it is ASCII.
        let text = editor.text();
        let from = (place * text.len() as f64) as usize;
        let at = text[from..].find('<').map_or(text.len(), |skip| from + skip);
        editor.insert(&mut client, at as u32, &word).await?;
        waiting.push((editor.sent, word));
    }
    while !waiting.is_empty() {
        editor.take(&mut client).await?;
        while waiting.first().is_some_and(|(number, _)| *number <= editor.received) {
            acknowledged.add(file, waiting.remove(0).1);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_was_first_is_the_rooms_and_outlives_its_server() -> Result<()> {
    let mut server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    ada.command("p", json!({"type": "write"}), json!({"path": "a.txt", "content": "one\n"})).await?;
    let mut editor = Editor::open(&mut ada, "p", "a.txt").await?;
    let ask = |document: u32| json!({"type": "first-text", "document": document});
    let first = ada.request(ask(editor.document)).await?;
    ensure!(first["type"] == "first-text" && first.get("text").is_none(), "it is so still: {first}");
    editor.insert(&mut ada, 0, "zero\n").await?;
    editor.wait_until_held(&mut ada).await?;
    server.restart().await?;
    let mut grace = server.full(&key).await?;
    let editor = Editor::open(&mut grace, "p", "a.txt").await?;
    ensure!(editor.text() == "zero\none\n", "{}", editor.text());
    let first = grace.request(ask(editor.document)).await?;
    ensure!(first["text"] == "one\n", "{first}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_a_file_end_as_somebody_chose_for_everybody() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    ada.command("p", json!({"type": "write"}), json!({"path": "a.txt", "content": "one\ntwo\n"})).await?;
    let mut grace = server.full(&key).await?;
    let editor = Editor::open(&mut ada, "p", "a.txt").await?;
    Editor::open(&mut grace, "p", "a.txt").await?;
    let chosen = json!({"type": "line-ending", "document": editor.document, "eol": "crlf"});
    let saved = ada.request(chosen.clone()).await?;
    ensure!(saved["type"] == "saved", "{saved}");
    while grace.expect("document").await?["eol"] != "crlf" {}
    let mut plain = server.plain(&key).await?;
    plain.shell("p", "od -An -c a.txt").await?;
    let bytes = shown(&plain.until_end().await?).split_whitespace().collect::<String>();
    ensure!(bytes == "one\\r\\ntwo\\r\\n", "{bytes}");
    let viewer = ada.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(viewer["join"].as_str().context("a key")?).await?;
    Editor::open(&mut viewer, "p", "a.txt").await?;
    let refused = viewer.request(chosen).await?;
    ensure!(refused["code"] == "forbidden", "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_editors_lose_nothing_that_was_acknowledged_in_a_hundred_rounds_of_kill_9() -> Result<()> {
    let mut chance = chance::chance(chance::seed(), 0);
    let mut program = Program::start(0).await?;
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    let key = host.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let mut client = join(&program, &key).await?;
    for file in 0..FILES {
        let create = json!({"type": "create", "item": "file", "path": name(file)});
        client.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    }
    let mut editors = Vec::new();
    for number in 0..EDITORS {
        editors.push(Editor::open(&mut client, "p", &name(number % FILES)).await?);
    }
    drop((host, client));
    let acknowledged = Arc::new(Acknowledged::default());
    acknowledged.words.lock().resize(FILES, Vec::new());
    let mut unfinished = 0;
    for round in 0..ROUNDS {
        let begun = acknowledged.count.load(Ordering::Acquire);
        let mut typing = JoinSet::new();
        for (number, mut editor) in editors.drain(..).enumerate() {
            let word = |edit| format!("<{number}.{round}.{edit}>");
            let words = (0..EDITS).map(|edit| (chance.random_range(0.0..1.0), word(edit))).collect();
            let (acknowledged, client) = (acknowledged.clone(), join(&program, &key).await?);
            typing.spawn(async move {
                let file = number % FILES;
                let outcome = type_words(client, &mut editor, file, words, &acknowledged).await;
                (number, editor, outcome)
            });
        }
        let enough = begun + chance.random_range(1..=(EDITORS * EDITS) as u64);
        while acknowledged.count.load(Ordering::Acquire) < enough {
            acknowledged.some.notified().await;
        }
        program.kill().await?;
        let mut ended: Vec<_> = typing.join_all().await;
        unfinished += ended.iter().filter(|(_, _, outcome)| outcome.is_err()).count();
        for (number, _, outcome) in &ended {
            let why = outcome.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
            ensure!(!why.contains("epoch") && !why.contains("\"error\""), "editor {number} in round {round}: {why}");
        }
        ended.sort_by_key(|(number, ..)| *number);
        editors.extend(ended.into_iter().map(|(_, editor, _)| editor));

        // Before any editor is back, who has it all: what is there now, the server had kept.
        program.restart().await?;
        let mut client = join(&program, &key).await?;
        for file in 0..FILES {
            let text = Editor::open(&mut client, "p", &name(file)).await?.text();
            let lost: Vec<String> = acknowledged.words.lock()[file]
                .iter()
                .filter(|word| text.matches(&***word).count() != 1)
                .cloned()
                .collect();
            ensure!(lost.is_empty(), "round {round}: {} was told to hold {lost:?}", name(file));
        }
    }
    ensure!(unfinished > EDITORS, "the server was killed while only {unfinished} rounds of editors were under way");

    // All agree in the end, and so does the sandbox.
    let mut client = join(&program, &key).await?;
    for (number, editor) in editors.iter_mut().enumerate() {
        editor.reopen(&mut client, "p", &name(number % FILES)).await?;
        editor.wait_until_held(&mut client).await?;
    }
    for (number, editor) in editors.iter_mut().enumerate() {
        editor.reopen(&mut client, "p", &name(number % FILES)).await?;
    }
    let mut plain = Client::connect(&program.url()).await?;
    plain.send(json!({"type": "join", "join": key})).await?;
    plain.expect("joined").await?;
    for file in 0..FILES {
        let texts: Vec<String> = editors.iter().skip(file).step_by(FILES).map(Editor::text).collect();
        ensure!(texts.iter().all(|text| *text == texts[0]), "{} differs", name(file));
        plain.shell("p", &format!("cat {}", name(file))).await?;
        ensure!(shown(&plain.until_end().await?) == texts[0], "{} in the sandbox differs", name(file));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_while_the_server_was_gone_is_there_once() -> Result<()> {
    let mut program = Program::start(0).await?;
    let mut client = program.full().await?;
    let opened = client.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?;
    let key = opened["join"].as_str().context("a key")?.to_owned();
    let create = json!({"type": "create", "item": "file", "path": "a.txt"});
    client.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    let mut editor = Editor::open(&mut client, "p", "a.txt").await?;
    editor.insert(&mut client, 0, "before ").await?;
    editor.wait_until_held(&mut client).await?;
    program.kill().await?;
    editor.insert_offline(7, "meanwhile ");
    program.restart().await?;
    let mut client = join(&program, &key).await?;
    editor.reopen(&mut client, "p", "a.txt").await?;
    editor.wait_until_held(&mut client).await?;
    let mut other = join(&program, &key).await?;
    assert_eq!(Editor::open(&mut other, "p", "a.txt").await?.text(), "before meanwhile ");
    assert_eq!(editor.text(), "before meanwhile ");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_torn_by_a_power_cut_costs_its_last_edit_and_an_unreadable_one_no_start() -> Result<()> {
    let mut program = Program::start(0).await?;
    let mut client = program.full().await?;
    let opened = client.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?;
    let key = opened["join"].as_str().context("a key")?.to_owned();
    for path in ["torn", "junk"] {
        let create = json!({"type": "create", "item": "file", "path": path});
        client.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
        let mut editor = Editor::open(&mut client, "p", path).await?;
        for (at, word) in [(0, "one "), (4, "two "), (8, "three")] {
            editor.insert(&mut client, at, word).await?;
        }
        editor.wait_until_held(&mut client).await?;
    }
    program.kill().await?;
    let folder = std::fs::read_dir(program.data_dir().join("journals"))?.next().context("a room")??.path();
    let torn = std::fs::read(folder.join("1.log"))?;
    std::fs::write(folder.join("1.log"), &torn[..torn.len() - 3])?;
    std::fs::write(folder.join("2.log"), "junk")?;
    program.restart().await?;
    let mut client = join(&program, &key).await?;
    assert_eq!(Editor::open(&mut client, "p", "torn").await?.text(), "one two ");
    // Its file is what there is.
    Editor::open(&mut client, "p", "junk").await?;
    ensure!(folder.join("2.unreadable").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_where_the_others_are_and_nobody_speaks_for_another() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let mut ada = server.full(&key).await?;
    let create = json!({"type": "create", "item": "file", "path": "a.txt"});
    ada.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
    let minted = ada.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut bob = server.full(&key).await?;
    let mut vic = server.full(minted["join"].as_str().context("a key")?).await?;
    let mut of_ada = Editor::open(&mut ada, "p", "a.txt").await?;
    let mut of_bob = Editor::open(&mut bob, "p", "a.txt").await?;
    let of_vic = Editor::open(&mut vic, "p", "a.txt").await?;

    of_ada.say_where(&mut ada, 77, 1, r#"{"cursor":{"head":1},"extra":2,"user":{"name":"Somebody else"}}"#).await?;
    let seen = heard(&mut of_bob, &mut bob).await?;
    ensure!(seen.contains(r#""extra":2"#) && seen.contains("Guest") && !seen.contains("Somebody else"), "{seen}");

    // Bob says something of Ada's client, and then of his own: only that is heard.
    of_bob.say_where(&mut bob, 77, 9, r#"{"cursor":{"head":5}}"#).await?;
    of_bob.say_where(&mut bob, 88, 1, r#"{"cursor":{"head":6}}"#).await?;
    let seen = heard(&mut of_ada, &mut ada).await?;
    ensure!(seen.contains(r#""head":6"#) && !seen.contains(r#""head":5"#), "{seen}");

    // Of who looks on a cursor is shown, and no more.
    of_vic.say_where(&mut vic, 99, 1, r#"{"cursor":{"head":7},"extra":3}"#).await?;
    let seen = heard(&mut of_ada, &mut ada).await?;
    ensure!(seen.contains(r#""head":7"#) && !seen.contains("extra"), "{seen}");
    of_vic.send_raw(&mut vic, &[0, 2, 2, 0, 0]).await?;

    // Too much of it is an error, and no more than that.
    let long = format!(r#"{{"cursor":"{}"}}"#, "x".repeat(5000));
    of_bob.say_where(&mut bob, 88, 2, &long).await?;
    let refused = bob.frame_where("an error", |frame| frame["type"] == "error").await?;
    assert_eq!(refused["code"], "too_large");

    drop(bob);
    loop {
        let seen = heard(&mut of_ada, &mut ada).await?;
        if seen.contains("null") {
            break;
        }
    }
    Ok(())
}

/// The next awareness update, as text.
async fn heard(editor: &mut Editor, client: &mut Client) -> Result<String> {
    while editor.aware.is_empty() {
        editor.take(client).await?;
    }
    Ok(String::from_utf8_lossy(&editor.aware.remove(0)).into_owned())
}
