//! Connections to servers inside, and the ports that are told.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::id::StreamId;
use embedenv_shared::link::ports::{Dial, Family, Listening};
use embedenv_shared::link::{Event, Kind, Ping, STREAM_WINDOW};

use crate::harness::{Agent, Client};

fn dial(stream: u32, port: u16, family: Family) -> Dial {
    Dial { stream: StreamId(stream), port, family }
}

/// All bytes of a stream until now.
fn data(client: &Client, stream: u32) -> Vec<u8> {
    let of = client.frames.iter().filter(|(kind, channel, _)| *kind == Kind::StreamData && *channel == stream);
    of.flat_map(|(_, _, bytes)| bytes.clone()).collect()
}

fn heard(client: &Client, kind: Kind, stream: u32) -> bool {
    client.frames.iter().any(|(other, channel, _)| *other == kind && *channel == stream)
}

#[test]
fn bytes_go_both_ways_and_each_end_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(dial(1, port, Family::Any)).unwrap();
    let (mut program, _) = listener.accept().unwrap();
    client.send(Kind::StreamData, 1, b"request");
    client.send(Kind::StreamEnd, 1, b"");
    let mut text = String::new();
    program.read_to_string(&mut text).unwrap();
    assert_eq!(text, "request");
    program.write_all(b"response").unwrap();
    drop(program);
    client.until("the end", |client| heard(client, Kind::StreamEnd, 1));
    assert_eq!(data(&client, 1), b"response");
    // The number is free again.
    client.call(dial(1, port, Family::V4)).unwrap();
}

#[test]
fn both_families_are_tried_and_nothing_there_is_unreachable() {
    let agent = Agent::start();
    let mut client = agent.client();
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        let port = listener.local_addr().unwrap().port();
        client.call(dial(1, port, Family::Any)).unwrap();
        client.call(dial(2, port, Family::V6)).unwrap();
        assert_eq!(client.refused(dial(3, port, Family::V4)), ErrorCode::Unreachable);
        assert_eq!(client.refused(dial(1, port, Family::V6)), ErrorCode::Conflict);
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(client.refused(dial(4, free, Family::Any)), ErrorCode::Unreachable);
    assert_eq!(client.refused(dial(4, 0, Family::Any)), ErrorCode::Unreachable);
}

#[test]
fn a_slow_reader_at_either_end_holds_up_its_own_stream_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(dial(1, port, Family::Any)).unwrap();
    let (program, _) = listener.accept().unwrap();
    // The program sends without end; no more than the window comes, and the link stays prompt.
    let mut writer = program.try_clone().unwrap();
    let sending = std::thread::spawn(move || while writer.write_all(&[7; 4096]).is_ok() {});
    let window = STREAM_WINDOW as usize;
    client.until("a window", |client| data(client, 1).len() >= window);
    client.call(Ping).unwrap();
    assert_eq!(data(&client, 1).len(), window);
    client.send(Kind::StreamCredit, 1, &1000u32.to_le_bytes());
    client.until("a little more", |client| data(client, 1).len() >= window + 1000);
    client.call(Ping).unwrap();
    assert_eq!(data(&client, 1).len(), window + 1000);
    // The program reads nothing: what the server may send is taken, and granted again only as the kernel takes it.
    for _ in 0..window / 65536 {
        client.send(Kind::StreamData, 1, &[9; 65536]);
    }
    client.call(Ping).unwrap();
    drop(program);
    client.send(Kind::StreamReset, 1, b"");
    client.call(Ping).unwrap();
    sending.join().unwrap();
}

#[test]
fn a_large_body_arrives_whole_under_credit() {
    const SIZE: usize = 5_000_000;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(dial(1, port, Family::Any)).unwrap();
    let (mut program, _) = listener.accept().unwrap();
    let echo = std::thread::spawn(move || {
        let mut body = vec![0; SIZE];
        program.read_exact(&mut body).unwrap();
        program.write_all(&body).unwrap();
    });
    let body: Vec<u8> = (0..SIZE).map(|n| (n % 249) as u8).collect();
    let mut credit = STREAM_WINDOW as usize;
    let mut granted = 0;
    for chunk in body.chunks(60_000) {
        client.until("credit", |client| {
            let grants = client.frames.iter().filter(|(kind, ..)| *kind == Kind::StreamCredit);
            let total: u32 = grants.map(|(_, _, bytes)| u32::from_le_bytes(bytes[..].try_into().unwrap())).sum();
            credit += total as usize - granted;
            granted = total as usize;
            credit >= chunk.len()
        });
        credit -= chunk.len();
        client.send(Kind::StreamData, 1, chunk);
    }
    let mut read = 0;
    let mut back = Vec::new();
    while back.len() < SIZE {
        client.until("more", |client| client.frames.len() > read);
        for (kind, _, bytes) in client.frames.split_off(read) {
            if kind == Kind::StreamData {
                client.send(Kind::StreamCredit, 1, &(bytes.len() as u32).to_le_bytes());
                back.extend(bytes);
            }
        }
        read = client.frames.len();
    }
    assert!(back == body);
    echo.join().unwrap();
}

#[test]
fn what_sends_more_than_its_window_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(dial(1, port, Family::Any)).unwrap();
    let _program = listener.accept().unwrap();
    // The kernel's buffers take a few megabytes before the window counts.
    for _ in 0..400 {
        client.send(Kind::StreamData, 1, &[9; 65536]);
    }
    client.until("a reset", |client| heard(client, Kind::StreamReset, 1));
    client.call(Ping).unwrap();
}

#[test]
fn who_listens_is_told_with_its_number_and_since_when() {
    let agent = Agent::start();
    let mut client = agent.client();
    let program = "import os, socket, time; s = socket.create_server(('127.0.0.1', 0)); \
                   print(f'<{os.getpid()} {s.getsockname()[1]}>', flush=True); time.sleep(600)";
    client.shell(1, &format!("exec python3 -c \"{program}\""));
    client.until_text(1, ">");
    let text = client.text(1);
    let numbers = text.trim().trim_matches(['<', '>']).split_once(' ').expect("its number and its port");
    let (pid, port): (u32, u16) = (numbers.0.parse().unwrap(), numbers.1.parse().unwrap());
    let listener = |client: &Client| {
        client.events.iter().rev().find_map(|event| match event {
            Event::Ports(Listening { ports }) => ports.iter().find(|listener| listener.port == port).cloned(),
            _ => None,
        })
    };
    client.until("to be told", |client| listener(client).is_some());
    let listener = listener(&client).unwrap();
    let program = listener.program.expect("it is a child of the agent's");
    assert_eq!(program.pid, pid);
    assert!(program.name.starts_with("python3"), "{program:?}");
    assert!(listener.since > 1_700_000_000_000, "{}", listener.since);
}

#[test]
fn what_listens_is_told_when_it_changes() {
    let agent = Agent::start();
    let mut client = agent.client();
    let listens = |client: &Client, port: u16| {
        let last = client.events.iter().rev().find_map(|event| match event {
            Event::Ports(Listening { ports }) => Some(ports.iter().any(|listener| listener.port == port)),
            _ => None,
        });
        last == Some(true)
    };
    client.until("the first list", |client| client.events.iter().any(|event| matches!(event, Event::Ports(_))));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    client.until("to be told", |client| listens(client, port));
    drop(listener);
    client.until("to be told again", |client| !listens(client, port));
}
