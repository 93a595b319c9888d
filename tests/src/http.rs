//! HTTP as bytes: one request on a connection of its own, and the whole answer. Sends what it is told to, also what no
//! client would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest an answer may take.
const SOON: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case, unless it was asked for exactly.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// One request, whose `fields` stand behind `Host`.
pub async fn ask_at(
    address: SocketAddr,
    method: &str,
    host: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    let answer = ask_exactly(address, method, host, path, fields, body).await?;
    Ok(Answer { head: answer.head.to_lowercase(), ..answer })
}

/// The same, with the head as it came: what is in it may differ by case alone.
pub async fn ask_exactly(
    address: SocketAddr,
    method: &str,
    host: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let (sent, answer) = tokio::join!(
        write.write_all(body),
        timeout(SOON, async {
            let mut head = String::new();
            while read.read_line(&mut head).await? > 2 {}
            let mut body = Vec::new();
            read.read_to_end(&mut body).await?;
            anyhow::Ok((head, body))
        })
    );
    let (head, body) = answer??;
    // What is refused need not be read.
    drop(sent);
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok(Answer { status, head, body })
}
