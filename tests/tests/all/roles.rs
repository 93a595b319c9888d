//! What each role may send, frame by frame, over real sockets: the table that `docs/protocol.md` gives in words.

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::{SessionId, UploadId};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use serde_json::{Value, json};

/// The roles that a frame is carried out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Viewer,
    Editor,
    Owner,
}

fn command(kind: &str, members: Value) -> Value {
    let mut frame = json!({"type": "cmd", "project_name": "p", "command": {"type": kind}});
    let (Some(frame_members), Some(members)) = (frame.as_object_mut(), members.as_object()) else { return frame };
    frame_members.extend(members.clone());
    frame
}

/// Every text frame there is after the handshake, and from which role on it is more than `forbidden`. None of them has to
/// succeed: what there is not is `not_found`.
fn frames() -> Vec<(From, Value)> {
    let query = json!({"pattern": "x"});
    let tree = json!({"name": "t", "type": "folder", "children": []});
    let key = "k".repeat(16);
    let watch = [
        json!({"type": "ping"}),
        json!({"type": "projects"}),
        json!({"type": "list", "project": "p", "path": ""}),
        json!({"type": "unwatch", "project": "p", "path": ""}),
        json!({"type": "read", "project": "p", "path": "a.txt"}),
        json!({"type": "download", "project": "p", "path": "a.txt"}),
        json!({"type": "open", "project": "p", "path": "a.txt"}),
        json!({"type": "close", "document": 99}),
        json!({"type": "terminal-attach", "terminal": 99, "from": 0}),
        json!({"type": "terminal-detach", "terminal": 99}),
        json!({"type": "document-token", "project": "p", "path": "a.txt"}),
        json!({"type": "events", "after": 0}),
        json!({"type": "find", "project": "p", "query": query}),
        json!({"type": "files", "project": "p"}),
        json!({"type": "cancel", "request": 99}),
        json!({"type": "here"}),
    ];
    let work = [
        command("project", json!({"file_structure": tree})),
        command("create", json!({"command": {"type": "create", "item": "folder"}, "path": "new"})),
        command("write", json!({"path": "a.txt", "content": "x"})),
        command("rename", json!({"path": "nothing", "name": "b"})),
        command("delete", json!({"path": "nothing"})),
        command("shell", json!({"command": {"type": "shell", "command": "sleep infinity"}})),
        command("kill", json!({})),
        command("curl", json!({"url": "http://localhost:9/", "method": "GET"})),
        json!({"type": "save", "document": 99}),
        json!({"type": "replace", "project": "p", "query": query, "with": "y", "files": []}),
        json!({"type": "pipe", "project": "p", "command": "true", "input": ""}),
        json!({"type": "move", "project": "p", "path": "nothing", "to": "b"}),
        json!({"type": "copy", "project": "p", "path": "nothing", "to": "b"}),
        json!({"type": "upload", "upload": 1, "project": "p", "path": "up", "key": key, "size": 1}),
        json!({"type": "upload-finish", "project": "p", "path": "up", "key": key, "size": 1}),
        json!({"type": "upload-abort", "key": key}),
        json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24, "command": "true"}),
        json!({"type": "terminal-resize", "terminal": 99, "cols": 80, "rows": 24}),
        json!({"type": "terminal-lock", "terminal": 99, "locked": true}),
        json!({"type": "terminal-title", "terminal": 99, "title": "t"}),
        json!({"type": "terminal-signal", "terminal": 99, "signal": "kill"}),
        json!({"type": "terminal-close", "terminal": 99}),
        json!({"type": "sandbox-start"}),
        json!({"type": "chat", "text": "hello"}),
        json!({"type": "keys"}),
        json!({"type": "key-mint", "role": "viewer"}),
        json!({"type": "key-mint", "role": "editor"}),
        json!({"type": "key-revoke", "number": 99}),
    ];
    let own = [json!({"type": "key-mint", "role": "owner"})];
    let all = [(From::Viewer, watch.to_vec()), (From::Editor, work.to_vec()), (From::Owner, own.to_vec())];
    all.into_iter().flat_map(|(from, frames)| frames.into_iter().map(move |frame| (from, frame))).collect()
}

/// One client of each role, with its key's.
async fn everybody(server: &TestServer) -> Result<[(From, Client); 3]> {
    let pair = server.key(1).await?;
    let mut owner = Client::connect(&server.url()).await?;
    let init = json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key, "protocol": 2});
    owner.send(init).await?;
    let editors = owner.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    let minted = owner.request(json!({"type": "key-mint", "role": "viewer"})).await?;
    let viewer = server.full(minted["join"].as_str().context("a key")?).await?;
    let editor = server.full(&editors).await?;
    Ok([(From::Viewer, viewer), (From::Editor, editor), (From::Owner, owner)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_each_frame_is_carried_out_for_the_roles_that_may_send_it_and_for_no_other() -> Result<()> {
    let server = TestServer::new().await?;
    for (role, mut client) in everybody(&server).await? {
        for (from, frame) in frames() {
            let answer = client.request(frame.clone()).await.with_context(|| format!("{role:?}: {frame}"))?;
            ensure!((answer["code"] == "forbidden") == (role < from), "{role:?}: {frame}: {answer}");
            ensure!(answer["code"] != "bad_request" && answer["code"] != "unknown_type", "{frame}: {answer}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_input_and_pieces_of_files_are_taken_from_those_who_work_alone() -> Result<()> {
    let server = TestServer::new().await?;
    for (role, mut client) in everybody(&server).await? {
        client.send_binary(BinaryFrame::Input { terminal: SessionId(99), bytes: b"x" }).await?;
        let answer = client.expect("error").await?;
        assert_eq!(answer["code"], if role == From::Viewer { "forbidden" } else { "not_found" }, "{role:?}");
        client.send_binary(BinaryFrame::Piece { upload: UploadId(9), offset: 0, bytes: b"x" }).await?;
        if role == From::Viewer {
            assert_eq!(client.expect("error").await?["code"], "forbidden");
        }
        assert_eq!(client.request(json!({"type": "ping"})).await?["type"], "pong");
    }
    Ok(())
}
