//! Sessions from open to close: environment, size, signals, exit, background jobs, many at once.

use embedenv_shared::code::ErrorCode;
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{
    Attach, Close, Detach, ExitStatus, MAX_SESSIONS, Open, Replay, Resize, SessionKind, Signal, SignalKind, Size,
};

use embedenv_shared::link::Ping;

use crate::harness::{Agent, eventually, opening};

#[test]
fn a_shell_prints_and_tells_its_status_after_all_output() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "echo hello; pwd; exit 3");
    let (text, exited) = client.until_exit(1);
    assert_eq!(text, format!("hello\r\n{}\r\n", agent.project().display()));
    assert_eq!(exited.status, ExitStatus::Code(3));
    assert_eq!(exited.offset, text.len() as u64);
}

#[test]
fn the_end_of_a_program_tells_its_time_and_the_memory_of_its_largest_process() {
    let agent = Agent::start();
    let mut client = agent.client();
    // The child of the shell takes the memory, the shell takes the time.
    client.shell(1, "python3 -c 'x = bytes(50_000_000).replace(b\"\\0\", b\"1\")'; sleep 0.3; exit 3");
    let cost = client.until_exit(1).1.cost.expect("the holder has waited for it");
    assert!((300..60_000).contains(&cost.elapsed), "{cost:?}");
    assert!((50_000_000..400_000_000).contains(&cost.memory), "{cost:?}");
    client.shell(2, "kill -9 $$");
    let exited = client.until_exit(2).1;
    assert_eq!(exited.status, ExitStatus::Signal(9));
    assert!(exited.cost.is_some_and(|cost| cost.memory < 50_000_000), "{exited:?}");
}

#[test]
fn a_shell_has_the_promised_environment_and_no_stray_descriptors() {
    let agent = Agent::start();
    let mut client = agent.client();
    let command =
        "echo $TERM $LANG $PAGER $GIT_PAGER $USER $LOGNAME $HOME $PWD; stty size; ls /proc/self/fd | tr '\\n' ' ';
        grep -E '^Sig(Ign|Blk)' /proc/self/status; ulimit -n -u -c";
    client.shell(1, command);
    let (text, _) = client.until_exit(1);
    let home = agent.home();
    let home = home.display();
    assert!(
        text.starts_with(&format!("xterm-256color C.UTF-8 cat cat user user {home} {home}/P\r\n24 80\r\n0 1 2 3 ")),
        "{text}"
    );
    assert!(text.contains("SigBlk:\t0000000000000000\r\n"), "{text}");
    assert!(text.contains("SigIgn:\t0000000000000000\r\n"), "{text}");
    assert!(text.contains("core file size"), "{text}");
}

#[test]
fn nothing_typed_into_a_shell_is_echoed() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "read name; echo \"<$name>\"");
    client.type_in(1, "Ada\n");
    assert_eq!(client.until_exit(1).0, "<Ada>\r\n");
}

#[test]
fn a_terminal_is_an_interactive_shell_with_echo() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.open(1, SessionKind::Terminal, None).unwrap();
    client.type_in(1, "echo $((6*7)) $COLORTERM\n");
    client.until_text(1, "42 truecolor");
    assert!(client.text(1).contains("echo $((6*7))"));
    client.type_in(1, "exit 5\n");
    assert_eq!(client.until_exit(1).1.status, ExitStatus::Code(5));
}

#[test]
fn the_size_reaches_the_program() {
    let agent = Agent::start();
    let mut client = agent.client();
    client
        .open(1, SessionKind::Terminal, Some("trap 'stty size; exit' WINCH; echo on; while :; do sleep 0.01; done"))
        .unwrap();
    client.until_text(1, "on");
    client.call(Resize { session: SessionId(1), size: Size { cols: 132, rows: 50 } }).unwrap();
    client.until_text(1, "50 132");
}

#[test]
fn background_jobs_outlive_their_shell_and_hold_nothing_up() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(
        1,
        "(while [ ! -e go ]; do sleep 0.02; done; echo late; while [ ! -e end ]; do sleep 0.02; done) & echo early",
    );
    let (text, exited) = client.until_exit(1);
    assert_eq!((text.as_str(), exited.status), ("early\r\n", ExitStatus::Code(0)));
    client.write("go", b"").unwrap();
    client.until_text(1, "late");
    assert_eq!(agent.children().len(), 2, "the holder and the job: {:?}", agent.children());
    client.write("end", b"").unwrap();
    eventually("holder and job to go", || agent.children().is_empty());
    // What it printed can still be read.
    let replayed = client.call(Replay { session: SessionId(1), from: 0, to: u64::MAX }).unwrap();
    assert_eq!(replayed.bytes, b"early\r\nlate\r\n");
}

#[test]
fn daemons_without_the_terminal_survive_the_end_of_their_session() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "(while [ ! -e go ]; do sleep 0.02; done; touch done) >/dev/null 2>&1 </dev/null & :");
    client.until_exit(1);
    eventually("the holder to go", || agent.children().len() == 1);
    client.write("go", b"").unwrap();
    eventually("the daemon's work", || agent.project().join("done").exists());
}

#[test]
fn what_a_terminal_leaves_is_hung_up() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.open(1, SessionKind::Terminal, Some("trap '' HUP; sleep 100 & sleep 100 & echo left")).unwrap();
    client.until_exit(1);
    // They ignore the hang-up and are killed after a grace of two seconds.
    eventually("everything to end", || agent.children().is_empty());
}

#[test]
fn closing_ends_everything_and_the_number_is_forgotten() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "sleep 100 & sleep 100");
    client.call(Close { session: SessionId(1) }).unwrap();
    eventually("everything to end", || agent.children().is_empty());
    assert_eq!(client.refused(Close { session: SessionId(1) }), ErrorCode::NotFound);
}

#[test]
fn interrupt_terminate_and_kill_reach_the_foreground_group() {
    let agent = Agent::start();
    let mut client = agent.client();
    let signal = |signal| Signal { session: SessionId(1), signal };
    // The terminal's modes don't matter.
    client.shell(1, "stty -isig; trap 'echo int' INT; trap 'echo term' TERM; echo on; while :; do sleep 0.01; done");
    client.until_text(1, "on\r\n");
    client.call(signal(SignalKind::Interrupt)).unwrap();
    client.until_text(1, "int");
    client.call(signal(SignalKind::Terminate)).unwrap();
    client.until_text(1, "term");
    client.call(signal(SignalKind::Kill)).unwrap();
    assert_eq!(client.until_exit(1).1.status, ExitStatus::Signal(9));
}

#[test]
fn end_of_input_ends_a_reader() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "cat; echo end");
    client.type_in(1, "line\n");
    client.until_text(1, "line\r\n");
    client.call(Signal { session: SessionId(1), signal: SignalKind::EndOfInput }).unwrap();
    assert_eq!(client.until_exit(1).0, "line\r\nend\r\n");
}

#[test]
fn a_killed_holder_takes_its_session_down_and_the_end_is_told() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "kill -9 $PPID; sleep 100");
    assert_eq!(client.until_exit(1).1.status, ExitStatus::Signal(9));
    eventually("everything to end", || agent.children().is_empty());
}

#[test]
fn sixteen_sessions_live_and_no_more_and_all_are_freed() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(9999, ":");
    client.until_exit(9999);
    eventually("its holder to go", || agent.children().is_empty());
    client.call(Ping).unwrap();
    let before = agent.descriptors();
    let calls: Vec<u32> = (0..1000)
        .map(|number| {
            let (kind, command) = (SessionKind::Shell, Some("sleep 100".into()));
            client.start_call(Open { kind, command, ..opening(number) })
        })
        .collect();
    let mut opened = Vec::new();
    for (number, id) in calls.into_iter().enumerate() {
        match client.finish_call::<Open>(id) {
            Ok(_) => opened.push(number as u32),
            Err(failure) => assert_eq!(failure.code, ErrorCode::LimitReached),
        }
    }
    assert_eq!(opened.len(), MAX_SESSIONS);
    for number in opened {
        client.call(Close { session: SessionId(number) }).unwrap();
    }
    eventually("all processes to end", || agent.children().is_empty());
    eventually("all descriptors to be closed", || agent.descriptors() == before);
    client.shell(5000, "echo again");
    client.until_text(5000, "again");
}

#[test]
fn ended_sessions_are_kept_up_to_a_number() {
    let agent = Agent::start();
    let mut client = agent.client();
    for number in 0..40 {
        client.shell(number, "echo x");
        client.until_exit(number);
    }
    eventually("the last holder to go", || agent.children().is_empty());
    client.shell(40, "echo x");
    let kept: Vec<u32> =
        (0..40).filter(|&number| client.call(Replay { session: SessionId(number), from: 0, to: 9 }).is_ok()).collect();
    assert!((31..=33).contains(&kept.len()), "{kept:?}");
    assert_eq!(*kept.last().unwrap(), 39);
}

#[test]
fn ten_thousand_orphans_leave_no_zombie() {
    let agent = Agent::start();
    let mut client = agent.client();
    let command = "n=0; while [ $n -lt 500 ]; do (for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true & done; for i in 1 2 3 4 5 6 7 8 9 10; do : & done) & n=$((n+1)); done; wait; echo done";
    client.shell(1, command);
    client.until_exit(1);
    eventually("all to be reaped", || agent.children().is_empty());
}

#[test]
fn attaching_again_goes_on_from_the_offset() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "echo first; read x; echo second");
    client.until_text(1, "first\r\n");
    client.call(Detach { session: SessionId(1) }).unwrap();
    client.type_in(1, "\n");
    // Nothing is sent while nobody is attached, but the end is told.
    client.until("the end", |client| client.exit_of(1).is_some());
    assert_eq!(client.text(1), "first\r\n");
    let attached = client.call(Attach { session: SessionId(1), from: 7 }).unwrap();
    assert_eq!((attached.from, attached.head), (7, 15));
    client.until_text(1, "second\r\n");
    let attached = client.call(Attach { session: SessionId(1), from: 999 }).unwrap();
    assert_eq!(attached.from, 15);
}

#[test]
fn bad_requests_about_sessions_are_refused() {
    let agent = Agent::start();
    let mut client = agent.client();
    let code = |result: Result<_, embedenv_shared::code::Failure>| {
        result.map(|_: embedenv_shared::link::sessions::Opened| ()).unwrap_err().code
    };
    assert_eq!(code(client.open(1, SessionKind::Shell, None)), ErrorCode::BadRequest);
    assert_eq!(code(client.open(1, SessionKind::Shell, Some("a\0b"))), ErrorCode::BadRequest);
    let long = "x".repeat(128 * 1024 + 1);
    assert_eq!(code(client.open(1, SessionKind::Shell, Some(&long))), ErrorCode::TooLarge);
    client.shell(1, "sleep 100");
    assert_eq!(code(client.open(1, SessionKind::Shell, Some("x"))), ErrorCode::Conflict);
    assert_eq!(client.refused(Attach { session: SessionId(2), from: 0 }), ErrorCode::NotFound);
    assert_eq!(client.refused(Detach { session: SessionId(2) }), ErrorCode::NotFound);
    client.type_in(2, "nobody");
    client.progress(2, 7);
}
