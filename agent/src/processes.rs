//! The processes of the sandbox, as `/proc` shows them.
//!
//! As process 1 that is everything but the agent. As an ordinary child it is only what descends from the agent, so
//! that nothing else is ever counted or signalled.

use std::collections::HashMap;

use rustix::process::{Pid, Signal};

/// One process, from its `stat`.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    pub pid: Pid,
    parent: i32,
    group: i32,
    session: i32,
}

fn every() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| read(Pid::from_raw(pid)?))
        .collect()
}

/// The members of a process group.
pub fn group(group: Pid) -> impl Iterator<Item = Pid> {
    every().into_iter().filter(move |process| process.group == number(group)).map(|process| process.pid)
}

/// Everything that runs in the sandbox but the agent itself; ended processes that nobody reaped included.
pub fn all() -> Vec<Process> {
    let mut found = every();
    let own = rustix::process::getpid();
    if own == Pid::INIT {
        found.retain(|process| process.pid != own);
        return found;
    }
    let parents: HashMap<i32, i32> = found.iter().map(|process| (number(process.pid), process.parent)).collect();
    found.retain(|process| {
        let mut at = process.parent;
        // A chain of parents is never longer than there are processes; it may change while it is read.
        for _ in 0..parents.len() {
            if at == number(own) {
                return true;
            }
            match parents.get(&at) {
                Some(&parent) => at = parent,
                None => return false,
            }
        }
        false
    });
    found
}

fn number(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

fn read(pid: Pid) -> Option<Process> {
    let stat = std::fs::read(format!("/proc/{}/stat", number(pid))).ok()?;
    let (parent, group, session) = parse(&stat)?;
    Some(Process { pid, parent, group, session })
}

/// Parent, group and session in a `stat` line (proc(5)). The name in parentheses may hold anything, parentheses too.
fn parse(stat: &[u8]) -> Option<(i32, i32, i32)> {
    let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace();
    let (_state, parent, group, session) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some((parent.parse().ok()?, group.parse().ok()?, session.parse().ok()?))
}

/// The members of the session that `leader` leads or led, itself left out.
fn members(leader: Pid) -> impl Iterator<Item = Pid> {
    all().into_iter().filter(move |process| process.session == number(leader) && process.pid != leader).map(|p| p.pid)
}

pub fn signal_session(leader: Pid, signal: Signal) {
    for pid in members(leader) {
        // It may have ended this moment.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

pub fn any_in_session(leader: Pid) -> bool {
    members(leader).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_confuse_the_fields() {
        assert_eq!(parse(b"12 (a) R 1 (b) S 7 8 9 0 -1"), Some((7, 8, 9)));
        assert_eq!(parse(b"12 (a"), None);
    }
}
