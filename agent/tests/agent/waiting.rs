//! Telling which programs wait for input and which do not.

use std::time::{Duration, Instant};

use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{SessionKind, Waiting};
use embedenv_shared::link::{Event, Ping};

use crate::harness::{Agent, Client};

fn told(client: &Client, session: u32) -> Vec<u64> {
    let offset = |event: &Event| match event {
        Event::Waiting(Waiting { session: id, offset }) if *id == SessionId(session) => Some(*offset),
        _ => None,
    };
    client.events.iter().filter_map(offset).collect()
}

/// Hears what comes within a time in which nothing is expected.
fn for_a_while(client: &mut Client, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        client.call(Ping).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn whoever_reads_the_terminal_after_an_unfinished_line_waits() {
    let agent = Agent::start();
    let mut client = agent.client();
    for (number, program) in [
        "printf 'name? '; read name; echo \"<$name>\"",
        "printf 'cat: '; head -n 1",
        "python3 -c 'x = input(\"name? \"); print(f\"<{x}>\")'",
        "python3 -c 'import sys, select; print(\"poll? \", end=\"\", flush=True); p = select.poll(); p.register(0); p.poll(); print(sys.stdin.readline())'",
        "python3 -c 'import sys, select; print(\"select? \", end=\"\", flush=True); select.select([0], [], []); print(sys.stdin.readline())'",
        "python3 -c 'import sys, select; print(\"epoll? \", end=\"\", flush=True); e = select.epoll(); e.register(0); e.poll(); print(sys.stdin.readline())'",
        "python3 -c 'import sys, select; print(\"limit? \", end=\"\", flush=True); select.select([0], [], [], 30); print(sys.stdin.readline())'",
        "printf 'tty? '; read x </dev/tty; echo $x",
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u32;
        client.shell(number, program);
        client.until("to be told that it waits", |client| !told(client, number).is_empty());
        let head = client.heads[&number];
        client.type_in(number, "Ada\n");
        let (text, _) = client.until_exit(number);
        assert!(text.contains("Ada"), "{program}: {text}");
        assert_eq!(told(&client, number), [head], "{program}: once, at the end of the prompt");
    }
}

#[test]
fn whoever_does_something_else_does_not_wait() {
    let agent = Agent::start();
    let mut client = agent.client();
    let programs = [
        "printf 'working'; sleep 1; printf .",
        "for i in 1 2 3 4 5 6 7 8; do printf .; sleep 0.1; done",
        "printf 'counting'; python3 -c 'import time; t = time.time()\nwhile time.time() < t + 1: pass'",
        "printf 'socket'; python3 -c 'import socket; s = socket.socketpair(); s[0].settimeout(1)\ntry: s[0].recv(1)\nexcept TimeoutError: pass'",
        "echo 'finished line'; read x",
    ];
    for (number, program) in programs.into_iter().enumerate() {
        client.shell(number as u32, program);
    }
    for_a_while(&mut client, Duration::from_millis(1300));
    for number in 0..programs.len() as u32 {
        assert_eq!(told(&client, number), [0; 0], "{}", programs[number as usize]);
    }
}

#[test]
fn a_terminal_is_not_told_of() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.open(1, SessionKind::Terminal, Some("printf '? '; read x")).unwrap();
    client.until_text(1, "? ");
    for_a_while(&mut client, Duration::from_millis(200));
    assert_eq!(told(&client, 1), [0; 0]);
}
