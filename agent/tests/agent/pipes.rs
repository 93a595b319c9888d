//! An agent that is reached through pipes: what comes ahead of the link, and connections after the first.

use std::process::Command;

use embedenv_shared::link::sessions::SessionKind;
use embedenv_shared::link::{Ping, Preamble};

use crate::harness::{Agent, Client, KEY, piped};

/// A filter of one instruction, which allows everything (seccomp(2)): `BPF_RET | BPF_K`, `SECCOMP_RET_ALLOW`.
const ALLOW: [u8; 8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f];

#[test]
fn filters_are_taken_on_and_a_later_connection_comes_through_the_connect_mode() {
    let preamble = Preamble { secret: KEY, filters: vec![ALLOW.to_vec(), ALLOW.to_vec()] };
    let (agent, stream, name) = Agent::through_pipes(&preamble.encode());
    let mut first = Client::greet(stream, KEY).unwrap();
    first.call(Ping).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!((of("NoNewPrivs:"), of("Seccomp:"), of("Seccomp_filters:")), ("1".into(), "2".into(), "2".into()));

    let mut connect = Command::new(env!("CARGO_BIN_EXE_embedenv-agent"));
    let (mut relay, stream) = piped(connect.args(["connect", &name]));
    let mut second = Client::greet(stream, KEY).unwrap();
    second
        .open(1, SessionKind::Shell, Some("grep Seccomp: /proc/self/status; head -c 300000 /dev/zero | tr '\\0' x"))
        .unwrap();
    second.until_text(1, "Seccomp:\t2");
    second.until("all of the output", |client| client.output.get(&1).is_some_and(|bytes| bytes.len() > 300_000));
    drop(second);
    assert!(relay.wait().unwrap().success());
}

#[test]
fn a_preamble_that_is_cut_or_a_filter_that_is_none_ends_the_agent_with_a_word() {
    let cut = Preamble { secret: KEY, filters: vec![] }.encode()[..10].to_vec();
    let odd = Preamble { secret: KEY, filters: vec![vec![1, 2, 3]] }.encode();
    for preamble in [cut, odd] {
        let (mut agent, stream, _) = Agent::through_pipes(&preamble);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!agent.ended().success());
    }
}
