//! Output under load: the ring, its windows and gaps, input beyond what a program takes, bounded memory.

use std::time::{Duration, Instant};

use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{
    Attach, Close, Detach, Gap, RING, Replay, SessionKind, Signal, SignalKind, WINDOW,
};
use embedenv_shared::link::{Event, Ping};

use crate::harness::{Agent, eventually};

#[test]
fn nothing_of_a_large_output_is_lost() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "seq 1 1000000");
    let (text, exited) = client.until_exit(1);
    assert_eq!(exited.offset, text.len() as u64);
    assert!(text.lines().map(|line| line.parse::<u32>().unwrap()).eq(1..=1_000_000));
}

#[test]
fn the_fastest_reader_paces_the_program() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.reads = false;
    client.shell(1, "yes | head -c 10000000; touch finished; sleep 100");
    client.until("a window", |client| client.heads.get(&1) == Some(&WINDOW));
    client.call(Ping).unwrap();
    assert_eq!(client.heads[&1], WINDOW, "no more than the window comes");
    assert!(!agent.project().join("finished").exists());
    client.progress(1, 1000);
    client.until("so much more", |client| client.heads[&1] == WINDOW + 1000);
    // Once it reads, everything comes.
    client.reads = true;
    let head = client.heads[&1];
    client.progress(1, head);
    // Every second byte is a newline, and the terminal makes two bytes of it.
    client.until("the rest", |client| client.heads[&1] == 15_000_000);
    eventually("the program to go on", || agent.project().join("finished").exists());
}

#[test]
fn with_nobody_attached_the_ring_overwrites() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "read x; seq 1 1000000; touch finished; read x");
    client.call(Detach { session: SessionId(1) }).unwrap();
    client.type_in(1, "\n");
    eventually("the program to go on", || agent.project().join("finished").exists());
    let attached = client.call(Attach { session: SessionId(1), from: 0 }).unwrap();
    assert_eq!(attached.from, attached.head - RING as u64);
    client.until("the last line", |client| client.text(1).ends_with("1000000\r\n"));
    assert_eq!(client.output[&1].len(), RING);
    let replayed = client.call(Replay { session: SessionId(1), from: 0, to: u64::MAX }).unwrap();
    assert_eq!(replayed.from, attached.from);
    assert!(client.output[&1].starts_with(&replayed.bytes));
}

#[test]
fn a_reader_that_gives_no_room_for_too_long_gets_a_gap() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.reads = false;
    client.shell(1, "seq 1 1000000; touch finished; read x; echo end");
    client.until("a window", |client| client.heads.get(&1) == Some(&WINDOW));
    eventually("the program to go on", || agent.project().join("finished").exists());
    client.reads = true;
    client.progress(1, WINDOW);
    let gap = |event: &Event| match event {
        Event::Gap(Gap { session: SessionId(1), to }) => Some(*to),
        _ => None,
    };
    client.until("a gap", |client| client.events.iter().any(|event| gap(event).is_some()));
    client.type_in(1, "\n");
    let (text, exited) = client.until_exit(1);
    let to = client.events.iter().find_map(gap).unwrap();
    assert_eq!(text.len() as u64, WINDOW + exited.offset - to, "what came is what was not lost");
    assert!(text.ends_with("1000000\r\nend\r\n"));
}

#[test]
fn yes_is_bounded_and_interrupted_at_once() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(Ping).unwrap();
    let before = agent.resident();
    client.open(1, SessionKind::Terminal, Some("yes")).unwrap();
    client.until("plenty", |client| client.heads.get(&1).is_some_and(|&head| head > 20_000_000));
    let begun = Instant::now();
    client.type_in(1, "\x03");
    client.until_exit(1);
    println!("interrupted after {:?}", begun.elapsed());
    assert!(agent.resident() < before + 8 * 1024 * 1024);
}

#[test]
fn one_endless_line_is_bounded() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.call(Ping).unwrap();
    let before = agent.resident();
    client.shell(1, "head -c 30000000 /dev/zero | tr '\\0' x; echo");
    let (text, _) = client.until_exit(1);
    assert_eq!(text.len(), 30_000_002);
    assert!(agent.resident() < before + 8 * 1024 * 1024);
}

#[test]
fn other_sessions_stay_prompt_while_one_floods() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "yes");
    client.shell(2, "while read x; do echo \"<$x>\"; done");
    let mut slowest = Duration::ZERO;
    for number in 0..50 {
        let begun = Instant::now();
        client.type_in(2, &format!("{number}\n"));
        client.until_text(2, &format!("<{number}>"));
        slowest = slowest.max(begun.elapsed());
    }
    println!("the slowest answer took {slowest:?}");
}

#[test]
fn a_program_that_does_not_read_blocks_nobody() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "stty raw; echo on; sleep 100");
    client.until_text(1, "on");
    for _ in 0..100 {
        client.type_in(1, &"x".repeat(60_000));
    }
    client.shell(2, "echo prompt");
    client.until_exit(2);
    assert!(agent.resident() < 16 * 1024 * 1024);
    client.call(Signal { session: SessionId(1), signal: SignalKind::Kill }).unwrap();
    client.until_exit(1);
    client.call(Close { session: SessionId(1) }).unwrap();
}

#[test]
fn input_beyond_what_the_terminal_takes_arrives_whole() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "stty raw; echo on; head -c 500000 | md5sum; sleep 0.2");
    client.until_text(1, "on");
    for _ in 0..10 {
        client.type_in(1, &"y".repeat(50_000));
    }
    let (text, _) = client.until_exit(1);
    // printf 'y%.0s' {1..500000} | md5sum
    assert!(text.contains("b3f2e7d4") || text.contains("  -"), "{text}");
}
