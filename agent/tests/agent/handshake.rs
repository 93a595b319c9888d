//! Who may talk to the agent: the greeting, its secret, and one server at a time.

use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{Attach, SessionKind};
use embedenv_shared::link::{Kind, Ping, SECRET};

use crate::harness::{Agent, Client};

#[test]
fn who_does_not_hold_the_secret_is_hung_up_on_and_disturbs_nobody() {
    let agent = Agent::start();
    let mut client = agent.client();
    assert!(Client::greet(agent.connect(), [8; SECRET]).is_none());
    client.call(Ping).unwrap();
}

#[test]
fn a_newer_connection_replaces_the_older_and_finds_the_sessions() {
    let agent = Agent::start();
    let mut older = agent.client();
    older.open(1, SessionKind::Terminal, Some("echo ready; read line; echo got $line")).unwrap();
    older.until_text(1, "ready");
    let mut newer = agent.client();
    assert!(older.frame().is_none_or(|_| older.frame().is_none()), "the older one was hung up on");
    assert_eq!(newer.sessions.len(), 1);
    assert_eq!(newer.sessions[0].session, SessionId(1));
    let attached = newer.call(Attach { session: SessionId(1), from: 0 }).unwrap();
    assert_eq!(attached.from, 0);
    newer.type_in(1, "one\n");
    newer.until_text(1, "got one");
    assert!(newer.text(1).starts_with("ready"));
}

#[test]
fn garbage_instead_of_a_greeting_is_hung_up_on() {
    let agent = Agent::start();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]] {
        let mut stream = agent.connect();
        std::io::Write::write_all(&mut stream, bytes).unwrap();
        let mut rest = Vec::new();
        let end = std::io::Read::read_to_end(&mut stream, &mut rest);
        assert!(end.is_err() || rest.is_empty());
    }
    agent.client().call(Ping).unwrap();
}

#[test]
fn a_frame_that_cannot_be_read_ends_that_link_and_not_the_agent() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "sleep 100");
    client.send(Kind::Request, 1, &[0xff; 9]);
    while client.frame().is_some() {}
    let client = agent.client();
    assert_eq!(client.sessions.len(), 1, "sessions live on");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said_with_status_two() {
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_embedenv-agent")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("usage:"), "{text}");
    assert_eq!(run(&["serve"]).0, Some(2));
    assert_eq!(run(&["dance"]).0, Some(2));
}
