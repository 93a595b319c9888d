//! Commands without a terminal: what goes in and out, how they end, and what they are held to.

use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::pipe::{MAX_OUTPUT, Pipe, Piped};

use crate::harness::{Agent, Client, eventually, project};

/// The environment is read when the agent starts; until then commands are refused.
fn pipe(client: &mut Client, command: &str, input: &[u8]) -> Result<Piped, Failure> {
    loop {
        let pipe = Pipe { project: project(), command: command.into(), input: input.to_vec() };
        match client.call(pipe) {
            Err(failure) if failure.code == ErrorCode::Unavailable => std::thread::sleep(Duration::from_millis(10)),
            answer => return answer,
        }
    }
}

#[test]
fn a_text_goes_through_a_command_and_its_end_is_told() {
    let agent = Agent::with(&["--nofile", "77"]);
    let mut client = agent.client();
    let long = b"line\n".repeat(100_000);
    let piped = pipe(&mut client, "tr a-z A-Z; echo said >&2; exit 3", &long).unwrap();
    assert_eq!(piped.output, b"LINE\n".repeat(100_000));
    assert_eq!((piped.code, piped.errors.as_slice()), (3, b"said\n".as_slice()));
    // It stands in the project's folder, with the limits of programs, and need not read what it is given.
    let piped = pipe(&mut client, "basename $PWD; ulimit -n", &long).unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.output), format!("{}\n77\n", project()));
    assert_eq!(pipe(&mut client, "no-such-program", b"").unwrap().code, 127);
    assert_eq!(pipe(&mut client, "cat", b"").unwrap(), Piped { code: 0, output: vec![], errors: vec![] });
}

#[test]
fn a_command_that_prints_without_end_is_killed_with_all_it_started() {
    let agent = Agent::start();
    let mut client = agent.client();
    let failure = pipe(&mut client, "yes & cat /dev/zero", b"").unwrap_err();
    assert_eq!(failure.code, ErrorCode::TooLarge, "{failure}");
    assert!(failure.message.contains(&MAX_OUTPUT.to_string()));
    eventually("all to end", || agent.children().is_empty());
    // Its place is free again, and of what it complains the beginning is kept.
    let piped = pipe(&mut client, "yes error | head -c 300000 >&2; exit 1", b"").unwrap();
    assert_eq!((piped.code, piped.errors.starts_with(b"error\n")), (1, true));
}
