//! Searching and replacing over real sockets, in real sandboxes: what is found as it is found, what ends a search, and
//! what becomes of open documents.

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use embedenv_tests::editor::Editor;
use serde_json::{Value, json};

/// What a `find` or `files` came to.
#[derive(Debug, Default)]
struct Answer {
    /// The pieces in which it came.
    pieces: Vec<Value>,
    end: Value,
}

impl Answer {
    fn files(&self) -> Vec<&Value> {
        self.pieces.iter().flat_map(|piece| piece["files"].as_array().into_iter().flatten()).collect()
    }

    fn paths(&self) -> Vec<&str> {
        self.files().iter().filter_map(|file| file["path"].as_str()).collect()
    }
}

/// Sends a request under an id of its own and takes all of its answer.
async fn ask(client: &mut Client, id: &str, mut request: Value) -> Result<Answer> {
    request["id"] = json!(id);
    client.send(request).await?;
    answer(client, id).await
}

async fn answer(client: &mut Client, id: &str) -> Result<Answer> {
    let mut answer = Answer::default();
    loop {
        let frame = client.frame_where(id, |frame| frame["id"] == id).await?;
        if ["search-end", "end", "error"].iter().any(|end| frame["type"] == *end) {
            answer.end = frame;
            return Ok(answer);
        }
        answer.pieces.push(frame);
    }
}

fn find(pattern: &str) -> Value {
    json!({"type": "find", "project": "p", "query": {"pattern": pattern}})
}

async fn write(client: &mut Client, path: &str, content: &str) -> Result<()> {
    let write =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": path, "content": content});
    let done = client.request(write).await?;
    ensure!(done["type"] == "done", "{done}");
    Ok(())
}

async fn read(client: &mut Client, path: &str) -> Result<String> {
    let file = client.request(json!({"type": "read", "project": "p", "path": path})).await?;
    Ok(file["content"].as_str().with_context(|| file.to_string())?.to_owned())
}

/// Runs a command to its end.
async fn run(server: &TestServer, join: &str, line: &str) -> Result<()> {
    let mut plain = server.plain(join).await?;
    plain.shell("p", line).await?;
    plain.until_end().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_comes_in_pieces_and_then_its_end() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    let make = "mkdir -p a b; for n in $(seq 1 600); do echo 'one needle here' > a/$n.txt; done; \
                echo nothing > b/none.txt; echo 'needle' > b/x.log; echo '*.log' > .gitignore";
    run(&server, &join, make).await?;
    let found = ask(&mut client, "all", find("Needle")).await?;
    assert_eq!(found.end["hits"], 600);
    assert_eq!((&found.end["cut"], &found.end["skipped"]), (&Value::Null, &json!(0)));
    assert!(found.pieces.len() > 1, "600 hits come in more than one piece");
    let hit = &found.files()[0]["hits"][0];
    let expected = json!({"line": 1, "column": 5, "length": 6, "before": "one ", "text": "needle", "after": " here",
        "replacement": null});
    assert_eq!(*hit, expected);

    let mut one = find("needle");
    one["scope"] = json!({"include": ["b"], "ignored": true});
    assert_eq!(ask(&mut client, "one", one).await?.paths(), ["b/x.log"]);

    let files = ask(&mut client, "files", json!({"type": "files", "project": "p"})).await?;
    assert_eq!(files.end["files"], 602);
    let folders: Vec<_> =
        files.pieces.iter().flat_map(|piece| piece["folders"].as_array().into_iter().flatten()).collect();
    assert_eq!(folders[0], &json!({"path": "", "names": [".gitignore"]}));

    let bad =
        ask(&mut client, "bad", json!({"type": "find", "project": "p", "query": {"pattern": "(", "regex": true}}));
    let bad = bad.await?.end;
    assert_eq!(bad["code"], "bad_request");
    assert_eq!(bad["message"], "the regular expression can't be read: unclosed group");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_when_it_is_cancelled_or_its_connection_is_gone() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    // Enough that no machine is through with it at once.
    run(&server, &join, "for n in $(seq 1 40); do yes aaaaaaaaaaaaaaaaaaaaaab | head -c 8000000 > $n.txt; done")
        .await?;
    let slow = json!({"type": "find", "id": "slow", "project": "p",
        "query": {"pattern": "(?:(?:[ab]{0,40}){0,20}x){1,2}", "regex": true}});
    client.send(slow.clone()).await?;
    let done = client.request(json!({"type": "cancel", "request": "slow"})).await?;
    assert_eq!(done["type"], "done");
    assert_eq!(answer(&mut client, "slow").await?.end["cut"], "cancelled");
    let done = client.request(json!({"type": "cancel", "request": "slow"})).await?;
    assert_eq!(done["type"], "done", "there is nothing any more, and that is no error");

    // As many as there may be at once, of a client that goes away.
    let mut many = server.full(&join).await?;
    for number in 0..16 {
        let mut another = slow.clone();
        another["id"] = json!(number);
        many.send(another).await?;
    }
    many.request(json!({"type": "ping"})).await?;
    let refused = ask(&mut client, "more", find("x")).await?.end;
    assert_eq!(refused["code"], "limit_reached");
    drop(many);
    loop {
        let end = ask(&mut client, "again", find("nowhere to be found")).await?.end;
        match end["type"].as_str() {
            Some("search-end") => break,
            _ => assert_eq!(end["code"], "limit_reached"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_program_leaves_in_the_way_holds_a_search_up() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    run(
        &server,
        &join,
        "truncate -s 1G giant; mkfifo pipe; ln -s . loop; ln -s loop loop2; ln -s / root; ln -s /etc/passwd passwd; \
         head -c 5000000 /dev/zero | tr '\\0' x > line; mkdir -p d; cd d; ln -s ../.. up; cd ..; echo root: > real",
    )
    .await?;
    let found = ask(&mut client, "all", find("root:")).await?;
    assert_eq!(found.paths(), ["real"]);
    assert_eq!(found.end["skipped"], 2);
    // A folder that changes into a link out and back again leads nowhere, however often.
    run(
        &server,
        &join,
        "mkdir swap; echo root: > swap/passwd; (while :; do mv swap aside; ln -s /etc swap; rm swap; \
                         mv aside swap; done) >/dev/null 2>&1 &",
    )
    .await?;
    for round in 0..50 {
        let found = ask(&mut client, &format!("round {round}"), find("root:x:0")).await?;
        assert_eq!(found.end["hits"], 0, "{found:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_open_documents_are_found_and_replaced_and_editors_follow() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.full(&join).await?;
    write(&mut client, "a.txt", "first line\n").await?;
    write(&mut client, "b.txt", "a needle\n").await?;
    let mut editor = Editor::open(&mut client, "p", "a.txt").await?;
    editor.insert(&mut client, 0, "a needle before the ").await?;
    editor.wait_until_held(&mut client).await?;

    let mut request = find("(need)le");
    request["query"]["regex"] = json!(true);
    request["replace"] = json!("$1ful");
    let found = ask(&mut client, "find", request).await?;
    assert_eq!(found.paths(), ["a.txt", "b.txt"]);
    assert_eq!(found.files()[0]["hits"][0]["replacement"], "needful");

    // One file is changed meanwhile; the other is replaced all the same.
    write(&mut client, "b.txt", "another needle\n").await?;
    editor.insert(&mut client, 0, "").await?;
    let chosen: Vec<_> =
        found.files().iter().map(|file| json!({"path": file["path"], "version": file["version"]})).collect();
    let replace = json!({"type": "replace", "project": "p", "query": {"pattern": "(need)le", "regex": true},
        "with": "$1ful", "files": chosen});
    let replaced = ask(&mut client, "replace", replace).await?;
    assert_eq!(replaced.end, json!({"type": "end", "id": "replace"}));
    let files = replaced.files();
    assert_eq!(*files[0], json!({"path": "a.txt", "hits": 1, "failure": null}));
    assert_eq!(files[1]["failure"]["code"], "conflict");
    editor.wait_for(&mut client, "a needful before the first line\n").await?;
    assert_eq!(read(&mut client, "a.txt").await?, "a needful before the first line\n");
    assert_eq!(read(&mut client, "b.txt").await?, "another needle\n");
    let is_event = |frame: &Value| frame["kind"] == "replaced";
    let event = match client.aside.iter().find(|frame| is_event(frame)) {
        Some(event) => event.clone(),
        None => client.frame_where("the event", is_event).await?,
    };
    assert_eq!((&event["files"], &event["hits"]), (&json!(1), &json!(1)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_searches_and_replaces_nothing_and_a_plain_client_does_neither() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut editor = server.full(&join).await?;
    write(&mut editor, "a.txt", "needle\n").await?;
    let key = editor.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let mut viewer = server.full(key["join"].as_str().context("a key")?).await?;
    let found = ask(&mut viewer, "find", find("needle")).await?;
    assert_eq!(found.end["hits"], 1);
    let replace = json!({"type": "replace", "project": "p", "query": {"pattern": "needle"}, "with": "x",
        "files": [{"path": "a.txt", "version": found.files()[0]["version"]}]});
    assert_eq!(ask(&mut viewer, "replace", replace).await?.end["code"], "forbidden");
    let mut plain = server.plain(&join).await?;
    assert_eq!(ask(&mut plain, "plain", find("needle")).await?.end["code"], "unknown_type");
    assert_eq!(read(&mut editor, "a.txt").await?, "needle\n");
    Ok(())
}
