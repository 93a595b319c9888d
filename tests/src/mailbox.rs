//! A mail server that keeps what it is sent (RFC 5321, as much of it as a client needs that trusts it).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use embedenv::tasks::Tasks;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest a mail may be on its way.
const SOON: Duration = Duration::from_secs(20);

/// A mail: to whom, and all of it, with soft line ends taken out.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

impl Mail {
    /// What its link carries.
    pub fn token(&self, name: &str) -> Result<String> {
        let at = self.text.find(&format!("#{name}=")).with_context(|| format!("no {name} in {}", self.text))?;
        let rest = &self.text[at + name.len() + 2..];
        Ok(rest.lines().next().context("a line")?.trim().to_owned())
    }
}

#[derive(Debug)]
pub struct Mailbox {
    address: SocketAddr,
    mails: watch::Receiver<Vec<Mail>>,
}

impl Mailbox {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (keep, mails) = watch::channel(Vec::new());
        let keep = Arc::new(keep);
        let tasks = Tasks::default();
        let within = tasks.clone();
        tasks.spawn("mailbox", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keep = keep.clone();
                within.spawn("mail", async move {
                    // A client that hangs up has no more to say.
                    let _ = converse(stream, keep).await;
                });
            }
        });
        Ok(Self { address, mails })
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Waits until there are so many, and returns the last of them.
    pub async fn mail(&mut self, number: usize) -> Result<Mail> {
        let mails =
            timeout(SOON, self.mails.wait_for(|mails| mails.len() >= number)).await.context("no mail came")??;
        mails.get(number - 1).cloned().context("a mail")
    }

    pub fn count(&self) -> usize {
        self.mails.borrow().len()
    }
}

async fn converse(stream: TcpStream, keep: Arc<watch::Sender<Vec<Mail>>>) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mailbox\r\n").await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 good\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    // Quoted-printable: what goes on in the next line, and the sign that says so.
                    match line.strip_suffix('=') {
                        Some(part) => text.push_str(part),
                        None => text.push_str(&format!("{line}\n")),
                    }
                }
                let text = text.replace("=3D", "=");
                keep.send_modify(|mails| mails.push(Mail { to: to.clone(), text }));
                b"250 kept\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 good\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
