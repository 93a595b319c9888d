//! Processes on pipes: two logs, input that is fed, bounds, and their ends.

use std::collections::BTreeMap;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{
    Bounds, Close, ExitStatus, Feed, MAX_ENVIRONMENT, MAX_FEED, MAX_SESSIONS, Open, Pipes, SessionKind, Signal,
    SignalKind,
};

use crate::harness::{Agent, Client, eventually, exists, opening, path};

const FREE: Bounds = Bounds { elapsed: None, processor: None, memory: None };

fn feed(client: &mut Client, session: u32, text: &[u8], ends: bool) -> Result<(), ErrorCode> {
    let feed = Feed { session: SessionId(session), bytes: text.to_vec(), ends };
    client.call(feed).map(drop).map_err(|failure| failure.code)
}

#[test]
fn a_process_has_two_logs_and_no_terminal() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.process(
        1,
        "echo out; echo err >&2; [ -t 0 ] || [ -t 1 ] || echo none > /dev/stderr; wc -c; exit 3",
        false,
        FREE,
    );
    let (out, exited) = client.until_exit(1);
    let (errors, same) = client.until_exit(2);
    assert_eq!((out.as_str(), errors.as_str()), ("out\n0\n", "err\nnone\n"));
    assert_eq!((exited.status, same.status), (ExitStatus::Code(3), ExitStatus::Code(3)));
    assert_eq!((exited.offset, same.offset), (6, 9));
    assert!(exited.cost.is_some() && !exited.timed_out);
}

#[test]
fn it_starts_where_and_with_what_was_asked_for() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("sub/here.txt", b"").unwrap();
    let environment = BTreeMap::from([("PAGER".to_owned(), "mine".to_owned()), ("A".to_owned(), "b=c d".to_owned())]);
    let open = Open {
        kind: SessionKind::Process,
        folder: path("sub"),
        command: Some("ls; echo $PAGER $A; echo ${PWD##*/}".to_owned()),
        environment,
        pipes: Some(Pipes { errors: SessionId(2), is_fed: false, bounds: FREE }),
        ..opening(1)
    };
    client.call(open.clone()).unwrap();
    assert_eq!(client.until_exit(1).0, "here.txt\nmine b=c d\nsub\n");
    let other = |session: u32| Open {
        session: SessionId(session),
        pipes: Some(Pipes { errors: SessionId(session + 1), is_fed: false, bounds: FREE }),
        ..open.clone()
    };
    assert_eq!(client.refused(other(1)), ErrorCode::Conflict);
    assert_eq!(client.refused(Open { folder: path("none"), ..other(11) }), ErrorCode::NotFound);
    assert_eq!(client.refused(Open { pipes: None, ..other(11) }), ErrorCode::BadRequest);
    assert_eq!(client.refused(Open { kind: SessionKind::Errors, ..other(11) }), ErrorCode::BadRequest);
    assert_eq!(client.refused(Open { command: None, ..other(11) }), ErrorCode::BadRequest);
    let variable = |name: &str, value: String| BTreeMap::from([(name.to_owned(), value)]);
    for name in ["", "A=B", "A\0"] {
        let environment = variable(name, String::new());
        assert_eq!(client.refused(Open { environment, ..other(11) }), ErrorCode::BadRequest);
    }
    let environment = variable("A", "x".repeat(MAX_ENVIRONMENT));
    assert_eq!(client.refused(Open { environment, ..other(11) }), ErrorCode::TooLarge);
}

#[test]
fn whoever_feeds_it_is_as_slow_as_it_reads_and_no_byte_is_lost() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.process(1, "read line; echo \"got $line\"; while [ ! -e go ]; do sleep 0.01; done; wc -c", true, FREE);
    feed(&mut client, 1, b"first\n", false).unwrap();
    client.until_text(1, "got first\n");
    // More than the pipe takes: the answer waits for whoever reads, and meanwhile nothing else is taken.
    let slow = client.start_call(Feed { session: SessionId(1), bytes: vec![b'x'; MAX_FEED], ends: false });
    assert_eq!(feed(&mut client, 1, b"y", false), Err(ErrorCode::LimitReached));
    client.write("go", b"").unwrap();
    client.finish_call::<Feed>(slow).unwrap();
    assert_eq!(feed(&mut client, 1, &[0; MAX_FEED + 1], false), Err(ErrorCode::TooLarge));
    feed(&mut client, 1, b"yz", true).unwrap();
    let (text, _) = client.until_exit(1);
    assert_eq!(text, format!("got first\n{}\n", MAX_FEED + 2));
    assert_eq!(feed(&mut client, 1, b"late", false), Err(ErrorCode::Conflict));
    assert_eq!(feed(&mut client, 2, b"none", false), Err(ErrorCode::BadRequest));
    assert_eq!(feed(&mut client, 7, b"none", false), Err(ErrorCode::NotFound));
}

#[test]
fn what_nobody_will_read_is_told_to_whoever_feeds_it() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.process(1, "exec <&-; echo closed; sleep 100", true, FREE);
    client.until_text(1, "closed");
    assert_eq!(feed(&mut client, 1, b"x", false), Err(ErrorCode::Conflict));
    // It ends while something waits.
    client.process(3, "echo up; while [ ! -e end ]; do sleep 0.01; done", true, FREE);
    client.until_text(3, "up");
    let waiting = client.start_call(Feed { session: SessionId(3), bytes: vec![b'x'; MAX_FEED], ends: false });
    client.write("end", b"").unwrap();
    assert_eq!(client.finish_call::<Feed>(waiting).unwrap_err().code, ErrorCode::Conflict);
    // It is closed while something waits.
    client.process(5, "sleep 100", true, FREE);
    let waiting = client.start_call(Feed { session: SessionId(5), bytes: vec![b'x'; MAX_FEED], ends: false });
    client.call(Close { session: SessionId(5) }).unwrap();
    assert_eq!(client.finish_call::<Feed>(waiting).unwrap_err().code, ErrorCode::Conflict);
}

#[test]
fn signals_reach_the_group_and_the_end_of_input_its_pipe() {
    let agent = Agent::start();
    let mut client = agent.client();
    let mut end = |session: u32, command: &str, signal: SignalKind| {
        client.process(session, command, true, FREE);
        client.until_text(session, "up");
        client.call(Signal { session: SessionId(session), signal }).unwrap();
        client.until_exit(session).1.status
    };
    assert_eq!(end(1, "echo up; sleep 100", SignalKind::Interrupt), ExitStatus::Signal(2));
    assert_eq!(
        end(3, "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done", SignalKind::Terminate),
        ExitStatus::Code(7)
    );
    assert_eq!(
        end(5, "trap '' INT TERM; echo up; while :; do sleep 0.01; done", SignalKind::Kill),
        ExitStatus::Signal(9)
    );
    assert_eq!(end(7, "echo up; cat; exit 4", SignalKind::EndOfInput), ExitStatus::Code(4));
}

#[test]
fn its_time_ends_it_and_all_it_started() {
    let agent = Agent::start();
    let mut client = agent.client();
    let bounds = Bounds { elapsed: Some(300), ..FREE };
    client.process(1, "trap '' TERM; sleep 100 & echo $!; wait", false, bounds);
    let (text, exited) = client.until_exit(1);
    assert_eq!(exited.status, ExitStatus::Signal(9));
    assert!(exited.timed_out && exited.cost.is_some_and(|cost| cost.elapsed >= 300), "{exited:?}");
    let job: u32 = text.trim().parse().unwrap();
    eventually("the job in the background has ended", || !exists(format!("/proc/{job}").as_ref()));
}

#[test]
fn memory_and_processor_are_bounded() {
    let agent = Agent::start();
    let mut client = agent.client();
    let bounds = Bounds { memory: Some(64 << 20), ..FREE };
    client.process(1, "python3 -c 'bytearray(200 << 20)' 2>&1 | grep -o MemoryError", false, bounds);
    assert_eq!(client.until_exit(1).0, "MemoryError\n");
    let bounds = Bounds { processor: Some(900), ..FREE };
    client.process(3, "while :; do :; done", false, bounds);
    let exited = client.until_exit(3).1;
    assert!(matches!(exited.status, ExitStatus::Signal(9 | 24)), "{exited:?}");
    assert!(exited.cost.is_some_and(|cost| (900..5_000).contains(&cost.processor)), "{exited:?}");
}

#[test]
fn a_new_connection_finds_both_logs_and_closing_ends_both() {
    let agent = Agent::start();
    let mut first = agent.client();
    first.process(1, "echo one; echo two >&2; sleep 100", false, FREE);
    first.until_text(1, "one");
    first.until_text(2, "two");
    drop(first);
    let mut client = agent.client();
    let [out, errors] = client.sessions.as_slice() else { panic!("{:?}", client.sessions) };
    assert_eq!((out.kind, out.errors, out.head), (SessionKind::Process, Some(SessionId(2)), 4));
    assert_eq!((errors.kind, errors.errors, errors.head), (SessionKind::Errors, None, 4));
    client.call(Close { session: SessionId(1) }).unwrap();
    for session in [1, 2] {
        assert_eq!(client.refused(Close { session: SessionId(session) }), ErrorCode::NotFound);
    }
}

#[test]
fn its_log_of_errors_takes_no_place_of_another() {
    let agent = Agent::start();
    let mut client = agent.client();
    for at in 0..MAX_SESSIONS as u32 {
        client.process(1 + 2 * at, "sleep 100", false, FREE);
    }
    let one_more = Open {
        kind: SessionKind::Process,
        command: Some("true".to_owned()),
        pipes: Some(Pipes { errors: SessionId(101), is_fed: false, bounds: FREE }),
        ..opening(100)
    };
    assert_eq!(client.refused(one_more), ErrorCode::LimitReached);
}
