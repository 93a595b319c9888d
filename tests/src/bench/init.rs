//! What an `init` costs beside the sandbox: the key's check, the charge, the room and its link, on an engine that starts
//! nothing; and what a ledger of ten million lines takes to answer.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use embedenv::config::{Config, Pool, SecretUrl};
use embedenv::engine::{
    EndCause, Engine, EngineFuture, LinkSecret, LinkStream, Notice, Profile, SandboxRecord, SandboxSpec, Standing,
    Started, Swept,
};
use embedenv::ledger::{DAY, Ledger, NewKey};
use embedenv::metrics::Metrics;
use embedenv::room::registry::Registry;
use embedenv::tasks::Tasks;
use embedenv_shared::command::{Guest, Init};
use embedenv_shared::id::RoomId;
use embedenv_shared::link::{
    self as wire, Answer, Greeting, HEADER, Header, Kind, LINK_VERSION, MAX_TO_AGENT, Pong, Reply, Speaker,
};
use futures_util::future::try_join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use sha2::Sha256;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::{Row, median};

/// Opened one after the other, and with so many at once.
const ROUNDS: usize = 300;
const PARALLEL: usize = 32;
const PARALLEL_ROUNDS: usize = 3000;
/// Lines of the large ledger, of one account, over a year.
const LINES: i64 = 10_000_000;
const DAYS: i64 = 365;
const ASKED: usize = 21;

pub async fn run() -> Result<Vec<Row>> {
    let mut rows = opened().await?;
    rows.extend(large().await?);
    Ok(rows)
}

async fn opened() -> Result<Vec<Row>> {
    let folder = tempfile::Builder::new().prefix("embedenv-init-").tempdir()?;
    let ledger = Ledger::open(folder.path(), None::<&SecretUrl>).await?;
    let key = ledger.create_key("bench", 1_000_000).await?;
    let tasks = Tasks::default();
    let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
    config.rooms.most = 100_000;
    for space in config.spaces.values_mut() {
        space.pool = Pool { least: 0, most: 0 };
    }
    let engine = Arc::new(Stub { secrets: Mutex::default(), tasks: tasks.clone() });
    let registry = Registry::start(Arc::new(config), engine, ledger, Metrics::new(), tasks.clone()).await?;

    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(synced(folder.path())?);
        let begun = Instant::now();
        let room = open(&registry, &key).await?;
        ours.push(begun.elapsed());
        registry.end(&room).await;
    }
    let mut rows = vec![Row::times(
        "init without a sandbox (key, charge, room, link), beside a write that is synced to the same disk, median",
        median(&mut ours),
        median(&mut floor),
    )];

    let done = AtomicUsize::new(0);
    let begun = Instant::now();
    try_join_all((0..PARALLEL).map(|_| async {
        while done.fetch_add(1, Ordering::Relaxed) < PARALLEL_ROUNDS {
            open(&registry, &key).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    rows.push(Row {
        what: format!("the same, {PARALLEL} at once"),
        ours: format!("{:.0}/s", PARALLEL_ROUNDS as f64 / begun.elapsed().as_secs_f64()),
        floor: "goal 500/s".to_owned(),
        ratio: None,
    });
    for room in registry.all() {
        registry.end(&room).await;
    }
    tasks.close(Duration::from_secs(10)).await;
    Ok(rows)
}

async fn open(registry: &Registry, key: &NewKey) -> Result<Arc<embedenv::room::Room>> {
    let init = Init {
        public_key: key.public_key.clone(),
        secret_key: key.secret_key.clone(),
        idempotency_key: None,
        guest: Guest::default(),
    };
    let opened = registry.open("default", &init, None).await;
    opened.map(|opened| opened.room).map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

/// What a page of the database takes to be on the disk.
fn synced(folder: &Path) -> Result<Duration> {
    use std::io::Write as _;
    let mut file = std::fs::File::options().create(true).append(true).open(folder.join("floor"))?;
    let begun = Instant::now();
    file.write_all(&[7; 4096])?;
    file.sync_data()?;
    Ok(begun.elapsed())
}

/// A ledger in which one account has spent a year's worth of credits.
async fn large() -> Result<Vec<Row>> {
    let folder = tempfile::Builder::new().prefix("embedenv-lines-").tempdir()?;
    let ledger = Ledger::open(folder.path(), None::<&SecretUrl>).await?;
    let key = ledger.create_key("bench", 1).await?;
    let account = ledger.account_of(&key.public_key).await?;
    let payer = ledger.payer(&key.public_key).await?;
    ledger.close().await;

    let options = SqliteConnectOptions::new().filename(folder.path().join("embedenv.db")).foreign_keys(false);
    let mut database = options.connect().await?;
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?;
    sqlx::query("PRAGMA synchronous = OFF").execute(&mut database).await?;
    sqlx::query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) \
         INSERT INTO credits (entry, account, public_key, kind, amount, balance_after, room, created) \
         SELECT printf('c_%012d', n), $2, $3, 'charge', -1, $1 - n, printf('r%d', n), $4 - ($1 - n) * $5 / $1 FROM n",
    )
    .bind(LINES)
    .bind(&account)
    .bind(payer.public_key())
    .bind(now)
    .bind(DAYS * DAY)
    .execute(&mut database)
    .await?;
    // What the ledger would have summed up meanwhile.
    sqlx::query(
        "INSERT INTO usage_days (account, day, public_key, rooms, spent, granted) \
         SELECT account, created / $1, public_key, COUNT(*), -SUM(amount), 0 FROM credits WHERE kind = 'charge' GROUP BY 1, 2, 3",
    )
    .bind(DAY)
    .execute(&mut database)
    .await?;
    drop(database);

    let ledger = Ledger::open(folder.path(), None::<&SecretUrl>).await?;
    let (mut balances, mut usages) = (Vec::new(), Vec::new());
    for _ in 0..ASKED {
        let begun = Instant::now();
        ledger.balance(&key.public_key).await?;
        balances.push(begun.elapsed());
        let begun = Instant::now();
        let usage = ledger.usage(&account, 1).await?;
        usages.push(begun.elapsed());
        anyhow::ensure!(usage.iter().any(|row| row.spent > 1000), "{usage:?}");
    }
    ledger.close().await;
    let goal = Duration::from_millis(20);
    Ok(vec![
        Row::times("the balance, with 10 million lines of one account, beside the goal", median(&mut balances), goal),
        Row::times("today's usage, with the same, beside the goal", median(&mut usages), goal),
    ])
}

/// An engine whose sandboxes are an agent's manners and nothing else.
#[derive(Debug)]
struct Stub {
    secrets: Mutex<HashMap<RoomId, LinkSecret>>,
    tasks: Tasks,
}

impl Engine for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn start<'a>(&'a self, spec: &'a SandboxSpec) -> EngineFuture<'a, Started> {
        self.secrets.lock().insert(spec.room, spec.secret.clone());
        let details = serde_json::Value::Null;
        let record = SandboxRecord { room: spec.room, engine: "stub".to_owned(), epoch: spec.epoch, details };
        Box::pin(async move { Ok(Started { record, stream: None }) })
    }

    fn connect<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, LinkStream> {
        Box::pin(async move {
            let (stream, agent) = UnixStream::pair().expect("a pair of sockets");
            let secret = self.secrets.lock().get(&record.room).expect("a sandbox that was started").clone();
            self.tasks.spawn("agent", async move {
                // It goes on until the server hangs up.
                let _ = converse(agent, secret).await;
            });
            Ok(LinkStream { stream, descriptors: false })
        })
    }

    fn end<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, ()> {
        self.secrets.lock().remove(&record.room);
        Box::pin(async { Ok(()) })
    }

    fn ended<'a>(&'a self, _: &'a SandboxRecord) -> EngineFuture<'a, EndCause> {
        Box::pin(std::future::pending())
    }

    fn erase(&self, _: RoomId) -> EngineFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn sweep<'a>(&'a self, _: &'a (dyn Fn(RoomId) -> Standing + Send + Sync)) -> EngineFuture<'a, Swept> {
        Box::pin(async { Ok(Swept::default()) })
    }

    fn is_current(&self, _: &Profile, _: &SandboxRecord) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        _: &'a (dyn Fn(Notice) + Send + Sync),
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::pending())
    }
}

/// The agent's end of a link: it proves itself and answers whether it lives.
async fn converse(mut stream: UnixStream, secret: LinkSecret) -> Result<()> {
    let Greeting::Hello { nonce: server, .. } = greeting(&mut stream).await? else { anyhow::bail!("no hello") };
    let agent = [7; 32];
    let mut mac = <Hmac<Sha256>>::new_from_slice(&secret.0)?;
    mac.update(&wire::proof_input(Speaker::Agent, &server, &agent));
    let proof = mac.finalize().into_bytes().into();
    let welcome = Greeting::Welcome { version: LINK_VERSION, nonce: agent, proof };
    stream.write_all(&wire::encode(Kind::Greeting, 0, &welcome)).await?;
    greeting(&mut stream).await?;
    stream.write_all(&wire::encode(Kind::Greeting, 0, &Greeting::Ready { sessions: Vec::new() })).await?;
    loop {
        let (header, _) = frame(&mut stream).await?;
        let answer: Answer = Ok(Reply::Pong(Pong));
        stream.write_all(&wire::encode(Kind::Reply, header.channel, &answer)).await?;
    }
}

async fn greeting(stream: &mut UnixStream) -> Result<Greeting> {
    Ok(wire::decode(&frame(stream).await?.1)?)
}

async fn frame(stream: &mut UnixStream) -> Result<(Header, Vec<u8>)> {
    let mut head = [0; HEADER];
    stream.read_exact(&mut head).await?;
    let header = Header::decode(&head, MAX_TO_AGENT)?;
    let mut payload = vec![0; header.length as usize];
    stream.read_exact(&mut payload).await?;
    Ok((header, payload))
}
