//! Knowing what listens: `/proc/net/tcp` and `tcp6`, read when the number of sockets has changed.
//!
//! The kernel walks the whole machine's table of connections for these files, some milliseconds each; the count in
//! `sockstat` costs next to nothing. So the count is looked at often, and the tables are read by a worker when it is
//! another one, or when it has stood for [`AGAIN`]: one server may have taken another's place.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use embedenv_shared::link::ports::{Listener, Program};

use crate::processes;

/// How often the count is looked at while programs run.
const OFTEN: Duration = Duration::from_millis(250);
/// How often otherwise.
const SELDOM: Duration = Duration::from_secs(3);
/// How long the tables are not read while the count stands.
const AGAIN: Duration = Duration::from_secs(5);
/// A reading that took long is followed by a pause of so many times as long.
const PAUSE: u32 = 20;
/// Descriptors that are looked at to learn who listens; of what comes behind them it stays unknown.
const MAX_DESCRIPTORS: usize = 20_000;
/// The state `TCP_LISTEN` (net/tcp_states.h), as these files show it.
const LISTEN: &str = "0A";
/// Bytes of the tables that are looked at: what listens stands first.
const MAX_TABLE: usize = 256 * 1024;
/// The kernel hands over a page at a time; one that is emptier than this has room for another line, so there is none.
const LAST_PAGE: usize = 4096 - 256;

/// What is known of the ports, and when to look again.
#[derive(Debug)]
pub struct Ports {
    /// A port of the agent's own, which nobody is told of.
    own: Option<u16>,
    told: Option<Vec<Listener>>,
    due: Instant,
    /// How many sockets there were when the tables were read last; `None` if they must be read.
    read_at: Option<u64>,
    reading: bool,
    /// The tables are not read before this.
    pause: Instant,
    again: Instant,
}

/// What is to be done after a look.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    Nothing,
    Tell(Vec<Listener>),
    /// Read the tables, and say what they say.
    Read,
}

impl Ports {
    pub fn new(now: Instant, own: Option<u16>) -> Self {
        Self { own, told: None, due: now, read_at: None, reading: false, pause: now, again: now }
    }

    /// Nobody knows anything any more.
    pub fn forget(&mut self) {
        self.told = None;
        self.read_at = None;
    }

    pub fn deadline(&self) -> Instant {
        self.due
    }

    pub fn look(&mut self, now: Instant, programs_run: bool) -> Look {
        let often = programs_run || self.told.as_ref().is_some_and(|ports| !ports.is_empty());
        self.due = now + if often { OFTEN } else { SELDOM };
        let count = sockets();
        if count == Some(u64::from(self.own.is_some())) {
            self.read_at = count;
            return self.news(Vec::new());
        }
        let changed = self.read_at.is_none() || self.read_at != count;
        if self.reading || now < self.pause || !(changed || now >= self.again) {
            return Look::Nothing;
        }
        self.reading = true;
        self.read_at = count;
        Look::Read
    }

    /// Takes what the tables said.
    pub fn read(&mut self, now: Instant, mut ports: Vec<Listener>, took: Duration) -> Look {
        ports.retain(|listener| Some(listener.port) != self.own);
        let told = self.told.as_deref().unwrap_or_default();
        for listener in &mut ports {
            // Whoever listens goes on to, unless another program has taken the port over.
            let goes_on = |known: &&Listener| known.port == listener.port && known.program == listener.program;
            if let Some(known) = told.iter().find(goes_on) {
                listener.since = known.since;
            }
        }
        self.reading = false;
        self.pause = now + took * PAUSE;
        self.again = now + AGAIN;
        self.news(ports)
    }

    fn news(&mut self, ports: Vec<Listener>) -> Look {
        if self.told.as_ref() == Some(&ports) {
            return Look::Nothing;
        }
        self.told = Some(ports.clone());
        Look::Tell(ports)
    }
}

/// How many TCP sockets are in use, of both families; `None` if the kernel does not say.
fn sockets() -> Option<u64> {
    let four = count(&std::fs::read_to_string("/proc/net/sockstat").ok()?)?;
    // There may be no IPv6.
    let six = std::fs::read_to_string("/proc/net/sockstat6").ok().and_then(|text| count(&text)).unwrap_or(0);
    Some(four + six)
}

/// The `inuse` of the line `TCP` or `TCP6` (net/ipv4/proc.c).
fn count(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP: ").or_else(|| line.strip_prefix("TCP6: ")))?;
    line.strip_prefix("inuse ")?.split_ascii_whitespace().next()?.parse().ok()
}

/// What listens, sorted by port, each port once. May take some milliseconds.
pub fn listeners() -> Vec<Listener> {
    let mut sockets = Vec::new();
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // There may be no IPv6.
        if let Ok(table) = table(path) {
            parse(&table, &mut sockets);
        }
    }
    sockets.sort_unstable();
    let programs = if sockets.is_empty() { HashMap::new() } else { owners(&sockets) };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    let mut listeners: Vec<Listener> = Vec::new();
    for (port, inode) in sockets {
        let program = programs.get(&inode).cloned();
        match listeners.last_mut().filter(|last| last.port == port) {
            // One program may listen on both families, and of one socket it may not be known.
            Some(last) => last.program = last.program.take().or(program),
            None => listeners.push(Listener { port, program, since }),
        }
    }
    listeners
}

/// Which process has which of the sockets, found by its open descriptors (proc(5)). Of several that share one, it is the
/// one with the lowest number: who opened it.
fn owners(sockets: &[(u16, u64)]) -> HashMap<u64, Program> {
    let mut owners: HashMap<u64, Program> = HashMap::new();
    let mut looked_at = 0;
    let mut processes: Vec<_> = processes::all().into_iter().map(|process| process.pid).collect();
    processes.sort_unstable_by_key(|pid| pid.as_raw_nonzero());
    for pid in processes {
        let pid = pid.as_raw_nonzero().get().cast_unsigned();
        // It may have ended this moment, or not be ours to look at.
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for descriptor in descriptors.flatten() {
            looked_at += 1;
            if looked_at > MAX_DESCRIPTORS {
                return owners;
            }
            if let Some(inode) = std::fs::read_link(descriptor.path()).ok().as_deref().and_then(socket)
                && sockets.iter().any(|(_, wanted)| *wanted == inode)
            {
                owners.entry(inode).or_insert_with(|| Program { pid, name: name(pid) });
            }
        }
    }
    owners
}

/// The number of the socket that a descriptor's link names.
fn socket(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn name(pid: u32) -> String {
    let name = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end().to_owned()
}

/// A table without the read that only finds its end: each read walks all connections again.
fn table(path: &str) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut text = Vec::new();
    let mut page = [0; 4096];
    loop {
        let length = file.read(&mut page)?;
        text.extend_from_slice(&page[..length]);
        if length < LAST_PAGE || text.len() >= MAX_TABLE {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// Adds the listening sockets of a table as in proc_net_tcp(5): their ports, and the numbers by which descriptors name them.
fn parse(table: &str, sockets: &mut Vec<(u16, u64)>) {
    for line in table.lines().skip(1) {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(_remote), Some(state)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if state == LISTEN
            && let Some((_, port)) = local.rsplit_once(':')
            && let Ok(port) = u16::from_str_radix(port, 16)
        {
            // Of what follows, the sixth field.
            let inode = fields.nth(5).and_then(|inode| inode.parse().ok()).unwrap_or(0);
            sockets.push((port, inode));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_sockets_is_that_of_tcp() {
        assert_eq!(count("sockets: used 9\nTCP: inuse 3 orphan 0 tw 0 alloc 5 mem 0\nUDP: inuse 7 mem 0\n"), Some(3));
        assert_eq!(count("TCP6: inuse 2\nUDP6: inuse 4\n"), Some(2));
        assert_eq!(count("nonsense"), None);
    }

    #[test]
    fn only_listening_sockets_count() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1\n\
             1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000\n\
             2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0\n";
        let mut sockets = Vec::new();
        parse(table, &mut sockets);
        assert_eq!(sockets, [(8080, 4711), (22, 0)]);
    }
}
