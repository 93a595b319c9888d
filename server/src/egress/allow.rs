//! The list of hosts that a space may reach, as an administrator writes it.
//!
//! `pypi.org` is that host; `*.example.org` is every host below it; `*` is every public host. A port may follow, and
//! without one 80 and 443 are meant. An address is allowed only if it is written as such: `127.0.0.1:9000`, `[::1]:9000`.

use std::net::IpAddr;

/// Ports that are meant where none is written.
const WEB: [u16; 2] = [80, 443];
/// The longest host name (RFC 1035, 2.3.4).
const MAX_HOST: usize = 253;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None` for those of the web.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    Address(IpAddr),
    Name(String),
    /// Everything that ends with this, which begins with a dot.
    Below(String),
    Every,
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.hosts {
            Hosts::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Hosts::Address(address) => write!(f, "{address}")?,
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(end) => write!(f, "*{end}")?,
            Hosts::Every => f.write_str("*")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl AllowList {
    /// Reads the entries; an error names the one that is wrong.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        entries.iter().map(|entry| parse(entry)).collect::<Result<_, _>>().map(Self)
    }

    /// The entries as an administrator writes them.
    pub fn written(&self) -> Vec<String> {
        self.0.iter().map(Entry::to_string).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a host may be asked for at all. What its name leads to is another question.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        if let Some(address) = literal(host) {
            return self.names(address, port);
        }
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        self.0.iter().filter(|entry| entry.fits(port)).any(|entry| match &entry.hosts {
            Hosts::Address(_) => false,
            Hosts::Name(name) => host == name,
            Hosts::Below(end) => host.len() > end.len() && host.ends_with(end),
            Hosts::Every => true,
        })
    }

    /// Whether this very name is written down, and not only meant by a star.
    pub fn spells(&self, name: &str, port: u16) -> bool {
        self.0.iter().any(|entry| entry.fits(port) && entry.hosts == Hosts::Name(name.to_owned()))
    }

    /// Whether this very address is written down.
    pub fn names(&self, address: IpAddr, port: u16) -> bool {
        self.0.iter().any(|entry| entry.fits(port) && entry.hosts == Hosts::Address(address))
    }
}

impl Entry {
    fn fits(&self, port: u16) -> bool {
        self.port.map_or_else(|| WEB.contains(&port), |own| own == port)
    }
}

/// The address that a host is written as, if it is one; in a URL one of version 6 stands in brackets.
pub fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

fn parse(entry: &str) -> Result<Entry, String> {
    let wrong = |why: &str| format!("holds {entry:?}, which {why}");
    let text = entry.trim().to_ascii_lowercase();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Entry { hosts: Hosts::Address(address), port: None });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => {
            let port = port.parse().ok().filter(|port| *port != 0);
            (host.to_owned(), Some(port.ok_or_else(|| wrong("has no port of 1 to 65535 after its colon"))?))
        }
        _ => (text.clone(), None),
    };
    let hosts = if let Some(address) = literal(&host) {
        Hosts::Address(address)
    } else if host == "*" {
        Hosts::Every
    } else if let Some(below) = host.strip_prefix("*.") {
        Hosts::Below(format!(".{}", name(below).ok_or_else(|| wrong("has no host name after its star"))?))
    } else {
        Hosts::Name(name(&host).ok_or_else(|| wrong("is neither a host name nor an address"))?)
    };
    Ok(Entry { hosts, port })
}

/// A host name: labels of letters, digits and hyphens. One of digits alone at the end would be an odd address.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    (text.len() <= MAX_HOST && text.split('.').all(label) && !numeric).then(|| text.to_owned())
}
