//! Telling that a watched folder changed.

use embedenv_shared::link::Event;
use embedenv_shared::link::files::{Changed, Delete, Rename, Unwatch};

use crate::harness::{Agent, Client, name, path, project};

/// Whether it was told that `names` of a folder changed; an empty list is "list it again".
fn told(client: &Client, at: &str, wanted: &str) -> bool {
    client.events.iter().any(|event| match event {
        Event::Changed(Changed { path: folder, names, .. }) => {
            *folder == path(at) && (names.iter().any(|name| name == wanted) || (wanted.is_empty() && names.is_empty()))
        }
        _ => false,
    })
}

#[test]
fn changes_by_programs_and_by_requests_are_told() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("src/f", b"").unwrap();
    client.list("", true).unwrap();
    client.list("src", true).unwrap();
    client.shell(1, "echo made > made; echo more >> src/f; mkdir new");
    for (folder, entry) in [("", "made"), ("", "new"), ("src", "f")] {
        client.until(entry, |client| told(client, folder, entry));
    }
    client.events.clear();
    client.write("src/written", b"x").unwrap();
    client.until("written", |client| told(client, "src", "written"));
    let temporary = |event: &Event| matches!(event, Event::Changed(changed) if changed.names.iter().any(|name| name.contains(".tmp")));
    assert!(!client.events.iter().any(temporary));
    client.call(Delete { project: project(), path: path("made") }).unwrap();
    client.until("deleted", |client| told(client, "", "made"));
}

#[test]
fn what_is_no_longer_watched_is_not_told() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a/x", b"").unwrap();
    client.write("b/x", b"").unwrap();
    client.list("a", true).unwrap();
    client.list("b", true).unwrap();
    client.call(Unwatch { project: project(), path: path("a") }).unwrap();
    client.write("a/quiet", b"").unwrap();
    client.write("b/loud", b"").unwrap();
    client.until("loud", |client| told(client, "b", "loud"));
    assert!(!told(&client, "a", "quiet"));
}

#[test]
fn a_folder_that_moves_or_goes_is_unwatched() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a/b/x", b"").unwrap();
    client.write("c/x", b"").unwrap();
    for folder in ["", "a", "a/b", "c"] {
        client.list(folder, true).unwrap();
    }
    client.call(Rename { project: project(), path: path("a"), name: name("moved") }).unwrap();
    client.until("moved", |client| told(client, "", "moved"));
    client.call(Delete { project: project(), path: path("c") }).unwrap();
    client.until("gone", |client| told(client, "c", ""));
    client.events.clear();
    client.write("moved/b/y", b"").unwrap();
    client.write("marker", b"").unwrap();
    client.until("marker", |client| told(client, "", "marker"));
    assert!(!told(&client, "a/b", "y"), "its path is not that any more");
}

#[test]
fn more_changes_than_can_be_told_are_one_wish_to_list_again() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("many/x", b"").unwrap();
    client.list("many", true).unwrap();
    agent.meanwhile(|| {
        for number in 0..500 {
            std::fs::write(agent.project().join(format!("many/{number}")), b"").unwrap();
        }
    });
    client.until("list it again", |client| told(client, "many", ""));
}

#[test]
fn only_so_many_folders_are_watched() {
    let agent = Agent::start();
    let mut client = agent.client();
    std::fs::create_dir(agent.project()).unwrap();
    for number in 0..1030 {
        std::fs::create_dir(agent.project().join(number.to_string())).unwrap();
        client.list(&number.to_string(), true).unwrap();
    }
    client.write("0/x", b"").unwrap();
    client.write("1029/x", b"").unwrap();
    client.until("the newest", |client| told(client, "1029", "x"));
    assert!(!told(&client, "0", "x"), "the oldest made room");
}
