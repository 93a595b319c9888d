//! Limits that the agent sets: processes, open files, disk and inodes.

use std::time::Duration;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::link::sessions::ExitStatus;
use embedenv_shared::link::{Event, Usage};

use crate::harness::{Agent, eventually};

#[test]
fn limits_reach_programs_and_spare_the_agent() {
    let agent = Agent::with(&["--nofile", "77", "--nproc", "4321"]);
    let mut client = agent.client();
    client.shell(1, "ulimit -n; ulimit -u; ulimit -c");
    assert_eq!(client.until_exit(1).0, "77\r\n4321\r\n0\r\n");
}

#[test]
fn usage_is_counted() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a/b", &[1; 100_000]).unwrap();
    client.shell(1, "sleep 100");
    let used = client.call(Usage).unwrap();
    assert_eq!(used.inodes, 3, "the project, a folder and a file");
    assert!((100_000..200_000).contains(&used.disk), "{}", used.disk);
    assert_eq!(used.processes, 3, "the agent, the holder and the program");
}

#[test]
fn a_program_that_fills_the_disk_is_stopped_and_room_made_is_noticed() {
    let agent = Agent::with(&["--disk", "20000000"]);
    let mut client = agent.client();
    client.shell(1, "exec head -c 4000000000 /dev/zero > large");
    let (_, exited) = client.until_exit(1);
    assert_eq!(exited.status, ExitStatus::Signal(9));
    client.until("to be told", |client| client.events.contains(&Event::OverQuota(true)));
    assert_eq!(client.write("small", b"x").unwrap_err().code, ErrorCode::QuotaExceeded);
    client.shell(2, "rm large");
    client.until_exit(2);
    client.until("to be told", |client| client.events.contains(&Event::OverQuota(false)));
    client.write("small", b"x").unwrap();
    eventually("all to end", || agent.children().is_empty());
}

#[test]
fn a_request_beyond_the_quota_is_refused() {
    let agent = Agent::with(&["--disk", "1000000", "--inodes", "10"]);
    let mut client = agent.client();
    assert_eq!(client.write("large", &[1; 1_100_000]).unwrap_err().code, ErrorCode::QuotaExceeded);
    let mut refused = None;
    for number in 0..20 {
        if let Err(failure) = client.write(&number.to_string(), b"") {
            refused = Some(failure.code);
            break;
        }
    }
    assert_eq!(refused, Some(ErrorCode::QuotaExceeded));
    assert!(std::fs::read_dir(agent.project()).unwrap().count() <= 10);
}

#[test]
fn an_idle_agent_is_small_and_sleeps() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.shell(1, "sleep 100");
    let spent = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", agent.pid())).unwrap();
        let fields: Vec<u64> =
            stat.rsplit_once(") ").unwrap().1.split(' ').filter_map(|field| field.parse().ok()).collect();
        fields[10] + fields[11]
    };
    let before = spent();
    std::thread::sleep(Duration::from_millis(600));
    assert!(spent() - before <= 3, "clock ticks spent doing nothing");
    assert!(agent.resident() < 8 * 1024 * 1024, "{}", agent.resident());
}
