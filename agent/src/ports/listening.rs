//! Knowing what listens: `/proc/net/tcp` and `tcp6`, looked at now and then.

use std::time::Duration;

/// How often while programs run.
pub const OFTEN: Duration = Duration::from_millis(500);
/// How often otherwise.
pub const SELDOM: Duration = Duration::from_secs(3);
/// The state `TCP_LISTEN` (net/tcp_states.h), as these files show it.
const LISTEN: &str = "0A";

/// The ports that something listens on, sorted.
pub fn ports() -> Vec<u16> {
    let mut ports = Vec::new();
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // There may be no IPv6.
        if let Ok(table) = std::fs::read_to_string(path) {
            parse(&table, &mut ports);
        }
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Adds the listening ports of a table as in proc_net_tcp(5).
fn parse(table: &str, ports: &mut Vec<u16>) {
    for line in table.lines().skip(1) {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(_remote), Some(state)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if state == LISTEN
            && let Some((_, port)) = local.rsplit_once(':')
            && let Ok(port) = u16::from_str_radix(port, 16)
        {
            ports.push(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_count() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n\
             1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000\n\
             2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0\n";
        let mut ports = Vec::new();
        parse(table, &mut ports);
        assert_eq!(ports, [8080, 22]);
    }
}
