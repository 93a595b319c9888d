//! What is refused and what is reached, with real sockets and a resolver that can lie.

use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn list(entries: &[&str]) -> Result<AllowList, String> {
    AllowList::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
}

#[test]
fn a_list_means_hosts_those_below_a_star_and_the_web_s_ports() {
    let list = list(&["PyPI.org.", "*.pythonhosted.org", "deb.debian.org:80", "127.0.0.1:9000", "[::1]:9000"]).unwrap();
    for (host, port) in [
        ("pypi.org", 443),
        ("pypi.org", 80),
        ("PYPI.ORG.", 443),
        ("files.pythonhosted.org", 443),
        ("a.b.pythonhosted.org", 443),
        ("deb.debian.org", 80),
        ("127.0.0.1", 9000),
        ("[::1]", 9000),
    ] {
        assert!(list.allows(host, port), "{host}:{port}");
    }
    for (host, port) in [
        ("pypi.org", 22),
        ("test.pypi.org", 443),
        ("xpypi.org", 443),
        ("pypi.org.evil.example", 443),
        ("pythonhosted.org", 443),
        ("evilpythonhosted.org", 443),
        ("deb.debian.org", 443),
        ("127.0.0.1", 80),
        ("localhost", 9000),
        ("[::1]", 80),
        ("", 443),
    ] {
        assert!(!list.allows(host, port), "{host}:{port}");
    }
}

#[test]
fn an_entry_that_can_not_be_meant_is_named() {
    for entry in [
        "",
        " ",
        "https://pypi.org",
        "pypi.org/simple",
        "*",
        "*.",
        "*.*.org",
        "a..b",
        "-a.org",
        "a b",
        "a:0",
        "a:99999",
        ":80",
        "1.2.3",
        "0x7f.1",
        "user@host",
        "é.org",
    ] {
        let parsed = list(&["pypi.org", entry]);
        if entry == "*" {
            assert!(parsed.is_ok());
            continue;
        }
        let error = parsed.unwrap_err();
        assert!(error.contains(&format!("{entry:?}")), "{entry:?}: {error}");
    }
}

#[test]
fn i10_sixty_addresses_and_which_lead_inward() {
    let inward = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3 \
        169.254.0.1 169.254.169.254 172.16.0.1 172.17.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 \
        192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 224.0.0.1 239.255.255.255 \
        240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 \
        64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 \
        ff05::2 2001::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 3fff::1 4000::1 5f00::1";
    let outward = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 \
        151.101.0.223 169.253.255.255 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
        223.255.255.255 ::ffff:1.1.1.1 64:ff9b::101:101 2001:200::1 2606:4700::1111 2a00:1450::1 2a04:4e42::223";
    for address in inward.split_whitespace() {
        assert!(address::is_inward(address.parse().unwrap()), "{address}");
    }
    for address in outward.split_whitespace() {
        assert!(!address::is_inward(address.parse().unwrap()), "{address}");
    }
    assert!(inward.split_whitespace().chain(outward.split_whitespace()).count() >= 60);
}

/// Answers with what it was told, one answer after the other, and counts.
#[derive(Debug)]
struct Told {
    answers: Vec<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(answers: &[&[SocketAddr]]) -> Arc<Self> {
        Arc::new(Self { answers: answers.iter().map(|answer| answer.to_vec()).collect(), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Told {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolution<'a> {
        let at = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
        Box::pin(async move { Ok(self.answers[at].clone()) })
    }
}

fn egress(entries: &[&str], quota: u64, resolve: Arc<dyn Resolve>) -> Arc<Egress> {
    Arc::new(Egress::with(list(entries).unwrap(), quota, Tasks::default(), resolve))
}

/// A host that says what it is sent, until its connection ends.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    Tasks::default().spawn("echo", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            Tasks::default().spawn("echo", async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

/// What the proxy answers to these bytes, up to its end or this text.
async fn asked(egress: &Arc<Egress>, request: &str, until: &str) -> String {
    let (mut program, proxy) = tokio::io::duplex(64 * 1024);
    egress.tasks.spawn("proxy", serve(proxy, egress.clone()));
    program.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(until) {
        if program.read_buf(&mut answer).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_name_that_leads_inward_is_refused_whatever_else_it_leads_to_first() {
    let inward: SocketAddr = "127.0.0.1:443".parse().unwrap();
    let metadata: SocketAddr = "169.254.169.254:443".parse().unwrap();
    let egress = egress(&["rebound.example"], u64::MAX, Told::new(&[&[inward, metadata]]));
    let answer = asked(&egress, "CONNECT rebound.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("egress_denied"), "{answer}");
}

#[tokio::test]
async fn this_machine_is_reached_by_name_only_where_the_name_is_spelled_out() {
    let inward: SocketAddr = "127.0.0.1:443".parse().unwrap();
    let addresses =
        async |list: &str| egress(&[list], u64::MAX, Told::new(&[&[inward]])).addresses("localhost", 443).await;
    assert_eq!(addresses("localhost").await, Ok(vec![inward]));
    assert_eq!(addresses("*").await, Err(Refusal::Inward));
    assert_eq!(addresses("*.example").await, Err(Refusal::NotListed));
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_reached_however_the_resolver_answers_next() {
    let host = echo().await;
    let other: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let told = Told::new(&[&[host], &[other]]);
    // The address is named, as an administrator does who means it.
    let egress = egress(&[&format!("name.example:{}", host.port()), &host.to_string()], u64::MAX, told.clone());
    let request = format!("CONNECT name.example:{} HTTP/1.1\r\n\r\nhello", host.port());
    let answer = asked(&egress, &request, "\r\n\r\nhello").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
    assert_eq!(told.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_not_listed_not_there_or_nonsense_has_its_code() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let egress = egress(&[&free.to_string(), "empty.example"], u64::MAX, Told::new(&[&[]]));
    for (request, code) in [
        ("CONNECT evil.example:443 HTTP/1.1".to_owned(), "egress_denied"),
        ("CONNECT 169.254.169.254:80 HTTP/1.1".to_owned(), "egress_denied"),
        ("CONNECT empty.example:443 HTTP/1.1".to_owned(), "egress_unresolved"),
        (format!("CONNECT {free} HTTP/1.1"), "egress_unreachable"),
        (format!("GET http://{free}/ HTTP/1.1"), "egress_unreachable"),
        ("GET / HTTP/1.1".to_owned(), "bad_request"),
        ("GET ftp://empty.example/ HTTP/1.1".to_owned(), "bad_request"),
    ] {
        let answer = asked(&egress, &format!("{request}\r\nConnection: close\r\n\r\n"), "nothing but the end").await;
        assert!(answer.contains(&format!("embedenv-error: {code}")), "{request}: {answer}");
    }
}

#[tokio::test]
async fn connections_and_bytes_are_bounded() {
    let host = echo().await;
    let egress = egress(&[&host.to_string()], 10_000, Arc::new(System));
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        open.push(egress.connect("127.0.0.1", host.port()).await.unwrap());
    }
    assert_eq!(egress.connect("127.0.0.1", host.port()).await.unwrap_err(), Refusal::Connections);
    drop(open);
    let mut carried = egress.connect("127.0.0.1", host.port()).await.unwrap();
    assert!(carried.write_all(&[0; 20_000]).await.is_err());
    assert_eq!(egress.connect("127.0.0.1", host.port()).await.unwrap_err(), Refusal::Quota);
    let used = egress.used();
    assert_eq!((used.connections, used.refused), (MAX_CONNECTIONS as u64 + 1, 2));
    assert!(used.bytes >= 10_000, "{used:?}");
}
