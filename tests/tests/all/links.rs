//! Links: what they are good for, who came by them, and that ending one ends what came by it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::TestServer;
use embedenv_tests::client::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// How soon who came by a revoked link is sent away.
const SENT_AWAY: Duration = Duration::from_secs(1);
/// How long a member who reads nothing is kept.
const GRACE: Duration = Duration::from_secs(10);

/// An owner of a new room, and the key of its editors.
async fn room(server: &TestServer) -> Result<(Client, String)> {
    let pair = server.key(1).await?;
    let mut owner = Client::connect(&server.url()).await?;
    let init = json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key, "protocol": 2});
    owner.send(init).await?;
    let key = owner.expect("init").await?["join"].as_str().context("a key")?.to_owned();
    owner.expect("joined").await?;
    Ok((owner, key))
}

async fn mint(client: &mut Client, rest: Value) -> Result<(String, u64)> {
    let mut frame = json!({"type": "key-mint"});
    frame.as_object_mut().context("an object")?.extend(rest.as_object().context("an object")?.clone());
    let key = client.request(frame).await?;
    let join = key["join"].as_str().with_context(|| key.to_string())?;
    Ok((join.to_owned(), key["number"].as_u64().context("a number")?))
}

/// Comes by a key; the client, or the code with which it was refused.
async fn come(url: &str, key: &str) -> Result<Result<Client, String>> {
    let mut client = Client::connect(url).await?;
    client.send(json!({"type": "join", "join": key, "protocol": 2})).await?;
    let answer = client.frame_where("an answer", |frame| frame["type"] == "joined" || frame["type"] == "error").await?;
    Ok(if answer["type"] == "joined" {
        client.aside.push(answer);
        Ok(client)
    } else {
        Err(answer["code"].as_str().unwrap_or_default().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lets_in_as_many_as_it_says_however_many_race_for_it() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, _) = room(&server).await?;
    let (key, number) = mint(&mut owner, json!({"role": "viewer", "uses": 3})).await?;
    let mut coming = JoinSet::new();
    for _ in 0..20 {
        let (url, key) = (server.url(), key.clone());
        coming.spawn(async move { come(&url, &key).await });
    }
    let (mut came, mut refused) = (Vec::new(), 0);
    for outcome in coming.join_all().await {
        match outcome? {
            Ok(client) => came.push(client),
            Err(code) => {
                ensure!(code == "unknown_join_key" || code == "too_many_attempts", "{code}");
                refused += 1;
            }
        }
    }
    assert_eq!((came.len(), refused), (3, 17));
    let keys = owner.request(json!({"type": "keys"})).await?;
    let row = keys["keys"].as_array().context("keys")?.iter().find(|row| row["number"] == number).context("it")?;
    assert_eq!((&row["used"], &row["uses"], &row["over"]), (&json!(3), &json!(3), &json!(true)));
    assert_eq!(row["people"].as_array().context("people")?.len(), 3);
    drop(came);
    let gone = async {
        while !owner.request(json!({"type": "keys"})).await?["keys"].as_array().is_some_and(Vec::is_empty) {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(10), gone).await.context("it is listed without anybody here")?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_has_expired_lets_nobody_in_and_who_is_in_stays() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, _) = room(&server).await?;
    let (key, _) = mint(&mut owner, json!({"role": "editor", "ttl": 1})).await?;
    let mut early = come(&server.url(), &key).await?.ok().context("in time")?;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match come(&server.url(), &key).await? {
            Err(code) => {
                assert_eq!(code, "unknown_join_key");
                break;
            }
            Ok(_) => ensure!(Instant::now() < deadline, "it never expires"),
        }
    }
    assert_eq!(early.request(json!({"type": "ping"})).await?["type"], "pong");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_link_sends_away_at_once_who_came_by_it_and_nobody_else() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, editors) = room(&server).await?;
    let (key, number) = mint(&mut owner, json!({"role": "viewer"})).await?;
    let mut one = come(&server.url(), &key).await?.ok().context("in")?;
    let mut two = come(&server.url(), &key).await?.ok().context("in")?;
    let mut other = come(&server.url(), &editors).await?.ok().context("in")?;
    owner.request(json!({"type": "key-revoke", "number": number})).await?;
    for client in [&mut one, &mut two] {
        assert_eq!(timeout(SENT_AWAY, client.closed()).await.context("still there after a second")??, Some(4404));
    }
    assert_eq!(other.request(json!({"type": "ping"})).await?["type"], "pong");
    assert_eq!(come(&server.url(), &key).await?.err().as_deref(), Some("unknown_join_key"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_a_higher_role_and_of_other_rooms_are_out_of_reach_and_bad_ones_are_refused() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, editors) = room(&server).await?;
    let (owners, of_owners) = mint(&mut owner, json!({"role": "owner"})).await?;
    let (viewers, of_viewers) = mint(&mut owner, json!({"role": "viewer"})).await?;
    let mut editor = come(&server.url(), &editors).await?.ok().context("in")?;
    let mut viewer = come(&server.url(), &viewers).await?.ok().context("in")?;

    let seen = editor.request(json!({"type": "keys"})).await?;
    let numbers: Vec<_> = seen["keys"].as_array().context("keys")?.iter().map(|row| row["number"].clone()).collect();
    assert_eq!(numbers, [json!(of_viewers)]);
    for frame in [json!({"number": of_owners}), json!({"join": owners})] {
        let mut revoke = frame;
        revoke["type"] = json!("key-revoke");
        assert_eq!(editor.request(revoke.clone()).await?["code"], "forbidden", "{revoke}");
    }
    for frame in [json!({"type": "keys"}), json!({"type": "key-revoke", "number": of_viewers})] {
        assert_eq!(viewer.request(frame.clone()).await?["code"], "forbidden", "{frame}");
    }
    let (mut stranger, _) = room(&server).await?;
    let (_, foreign) = mint(&mut stranger, json!({"role": "editor"})).await?;
    for bad in [
        json!({"type": "key-mint", "role": "viewer", "ttl": 0}),
        json!({"type": "key-mint", "role": "viewer", "ttl": 1u64 << 40}),
        json!({"type": "key-mint", "role": "viewer", "uses": 0}),
        json!({"type": "key-mint", "role": "viewer", "uses": 10_001}),
        json!({"type": "key-mint", "role": "viewer", "uses": -1}),
        json!({"type": "key-revoke"}),
        json!({"type": "key-revoke", "number": 1, "join": viewers}),
    ] {
        assert_eq!(owner.request(bad.clone()).await?["code"], "bad_request", "{bad}");
    }
    for unknown in [json!(99), json!(0), json!(1)] {
        let revoke = json!({"type": "key-revoke", "number": unknown});
        assert_eq!(owner.request(revoke).await?["code"], "unknown_join_key", "{unknown}");
    }
    assert_eq!(foreign, 2, "numbers are a room's own");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_takes_no_other_use() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, _) = room(&server).await?;
    let (key, _) = mint(&mut owner, json!({"role": "editor", "uses": 1})).await?;
    let mut resume = Value::Null;
    for round in 0..4 {
        let mut client = Client::connect(&server.url()).await?;
        client.send(json!({"type": "join", "join": key, "protocol": 2, "instance": "page", "resume": resume})).await?;
        let joined = client.expect("joined").await?;
        assert_eq!(joined["resumed"] == true, round > 0, "round {round}");
        client.request(json!({"type": "ping"})).await?;
        resume = joined["resume"].clone();
    }
    // A copy of it is somebody else, for whom there is no use left.
    let mut copy = Client::connect(&server.url()).await?;
    let mut first = Client::connect(&server.url()).await?;
    first.send(json!({"type": "join", "join": key, "protocol": 2, "instance": "page", "resume": resume})).await?;
    let next = first.expect("joined").await?["resume"].clone();
    copy.send(json!({"type": "join", "join": key, "protocol": 2, "instance": "copy", "resume": next})).await?;
    assert_eq!(copy.expect("error").await?["code"], "unknown_join_key");
    Ok(())
}

/// A client that asked for so much that it has to read before anything else it sends is looked at.
async fn stalled(owner: &mut Client, url: &str, key: &str) -> Result<Client> {
    let long = "x".repeat(3 * 1024 * 1024);
    let write =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "long", "content": long});
    ensure!(owner.request(write).await?["type"] == "done");
    let mut client = come(url, key).await?.ok().context("in")?;
    // What the sockets between hold, and more than may wait before the next is looked at.
    for id in 0..6 {
        client.send(json!({"type": "read", "project": "p", "path": "long", "id": id})).await?;
    }
    client
        .send(
            json!({"type": "cmd", "project_name": "p", "command": {"type": "create", "item": "file"}, "path": "late"}),
        )
        .await?;
    Ok(client)
}

fn is_there(people: &Value, member: &Value) -> bool {
    people["people"].as_array().is_some_and(|people| people.iter().any(|one| one["member"] == *member))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_sent_away_as_soon_and_nothing_more_that_they_sent_is_done() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, _) = room(&server).await?;
    let (key, number) = mint(&mut owner, json!({"role": "editor"})).await?;
    let client = stalled(&mut owner, &server.url(), &key).await?;
    let who = client.aside[0]["member"].clone();
    owner.frame_where("the other", |frame| frame["type"] == "people" && is_there(frame, &who)).await?;
    owner.request(json!({"type": "key-revoke", "number": number})).await?;
    let gone = owner.frame_where("the other gone", |frame| frame["type"] == "people" && !is_there(frame, &who));
    timeout(SENT_AWAY, gone).await.context("still there after a second")??;
    // The socket is cut behind the second that it has for the close, though nobody reads it.
    let port = client.local_address()?.port();
    let deadline = Instant::now() + GRACE;
    while server.connected_ports()?.contains(&port) {
        ensure!(Instant::now() < deadline, "the server holds the connection still");
        tokio::task::yield_now().await;
    }
    let listing = owner.request(json!({"type": "list", "project": "p", "path": ""})).await?;
    let names: Vec<_> = listing["entries"].as_array().context("entries")?.iter().map(|e| &e["name"]).collect();
    assert_eq!(names, ["long"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_member_who_never_reads_is_let_go_within_the_grace_and_others_notice_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, editors) = room(&server).await?;
    let mut other = come(&server.url(), &editors).await?.ok().context("in")?;
    let client = stalled(&mut owner, &server.url(), &editors).await?;
    let who = client.aside[0]["member"].clone();
    owner.frame_where("the other", |frame| frame["type"] == "people" && is_there(frame, &who)).await?;
    let came = Instant::now();
    let watching = async {
        owner.frame_where("the other gone", |frame| frame["type"] == "people" && !is_there(frame, &who)).await?;
        anyhow::Ok(())
    };
    let working = async {
        loop {
            let answer = other.request(json!({"type": "list", "project": "p", "path": ""})).await?;
            ensure!(answer["type"] == "listing", "{answer}");
        }
    };
    tokio::select! {
        watched = watching => watched?,
        worked = working => worked?,
    }
    ensure!(came.elapsed() < GRACE, "let go after {:?}", came.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_who_sends_more_bytes_than_may_be_is_told_so_and_loses_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let (_, editors) = room(&server).await?;
    let mut client = come(&server.url(), &editors).await?.ok().context("in")?;
    let padding = "x".repeat(12 * 1024 * 1024);
    for id in 0..6 {
        client.send(json!({"type": "ping", "id": id, "padding": padding})).await?;
    }
    client.frame_where("the last answer", |frame| frame["type"] == "pong" && frame["id"] == 5).await?;
    let told = client.aside.iter().filter(|frame| frame["code"] == "limit_reached").count();
    let answered = client.aside.iter().filter(|frame| frame["type"] == "pong").count();
    assert_eq!((told, answered), (1, 5));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_a_link_and_left_is_named_beside_who_is_here() -> Result<()> {
    let server = TestServer::new().await?;
    let (mut owner, _) = room(&server).await?;
    let (key, number) = mint(&mut owner, json!({"role": "editor"})).await?;
    for user in ["Ada", "Bob"] {
        let mut client = Client::connect(&server.url()).await?;
        client.send(json!({"type": "join", "join": key, "protocol": 2, "instance": user, "user": user})).await?;
        client.expect("joined").await?;
        client.leave().await?;
    }
    let mut here = Client::connect(&server.url()).await?;
    here.send(json!({"type": "join", "join": key, "protocol": 2, "instance": "Cy", "user": "Cy"})).await?;
    let joined = here.expect("joined").await?;
    loop {
        let keys = owner.request(json!({"type": "keys"})).await?;
        let row = keys["keys"].as_array().context("keys")?.iter().find(|row| row["number"] == number).context("it")?;
        // Who left is here for a moment still.
        if row["people"] == json!([joined["member"]]) {
            assert_eq!(row["before"], json!(["Bob", "Ada"]));
            return Ok(());
        }
    }
}
