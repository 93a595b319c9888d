//! What is done to the server on purpose: guesses by the thousand, kills at any moment of spending, and a look for every
//! secret in whatever it writes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv::ledger::{CreditRow, Ledger};
use embedenv_tests::browser::Browser;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::http::ask_at;
use embedenv_tests::mailbox::Mailbox;
use embedenv_tests::program::{LOGGED, Program};
use embedenv_tests::{TestServer, chance, stores};
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// Guesses of a key pair's secret, and of others' links and passwords, from one address.
const GUESSES: usize = 10_000;
const OTHER_GUESSES: usize = 100;
/// From this failure of a minute on, an address is told that it has tried too often.
const LIMIT: usize = 20;
/// How many people of the same address come meanwhile.
const CLASS: usize = 30;
/// Kills of who spends; `cargo xtask test --full` does the long form.
const KILLS: usize = 100;
const FULL_KILLS: usize = 1000;
/// Who spends at once.
const LINES: usize = 4;
/// How long a spender may take to say the next thing.
const SOON: Duration = Duration::from_secs(20);

/// Whether what was asked with these fields was refused as a guess, or as one too many.
async fn refused(address: SocketAddr, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Result<u16> {
    Ok(ask_at(address, method, &address.to_string(), path, fields, body).await?.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_guesses_find_nothing_and_others_of_the_address_notice_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let address = server.address();
    let link = server.room().await?;
    let public_key = server.key(100).await?.public_key;

    let guesses = async {
        let mut statuses = Vec::new();
        for guess in 0..GUESSES {
            let secret = format!("{public_key}:es_{guess:043}");
            let pair = format!("Basic {}", STANDARD.encode(secret));
            statuses.push(refused(address, "GET", "/api/v1/rooms", &[("Authorization", &pair)], b"").await?);
        }
        let early = statuses.iter().take(LIMIT).filter(|status| **status == 401).count();
        ensure!((LIMIT - 1..=LIMIT).contains(&early), "the first were answered {:?}", &statuses[..2 * LIMIT]);
        // Minutes pass, and each begins with guesses that are counted anew; none is let in.
        ensure!(statuses.iter().all(|status| [401, 429].contains(status)), "a guess was right");
        ensure!(statuses[LIMIT..2 * LIMIT].iter().all(|status| *status == 429), "{:?}", &statuses[..2 * LIMIT]);
        let limited = statuses.iter().filter(|status| **status == 429).count();
        ensure!(limited * 10 > GUESSES * 9, "{limited} of {GUESSES} were limited");
        for guess in 0..OTHER_GUESSES {
            let mut stranger = Client::connect(&server.url()).await?;
            stranger.send(json!({"type": "join", "join": format!("ej_{guess:043}")})).await?;
            ensure!(stranger.closed().await? == Some(4429));
            let body = json!({"email": "ada@example.com", "password": format!("guess {guess}")}).to_string();
            let json = [("Content-Type", "application/json")];
            ensure!(refused(address, "POST", "/api/v1/sessions", &json, body.as_bytes()).await? == 429);
        }
        Ok(())
    };
    let class = async {
        for _ in 0..CLASS {
            let mut person = server.plain(&link).await?;
            person.shell("p", "echo he''re").await?;
            ensure!(shown(&person.until_end().await?) == "here\n");
        }
        let other = server.key(1).await?;
        let pair = format!("Basic {}", STANDARD.encode(format!("{}:{}", other.public_key, other.secret_key)));
        ensure!(refused(address, "GET", "/api/v1/rooms", &[("Authorization", &pair)], b"").await? == 200);
        anyhow::Ok(())
    };
    tokio::try_join!(guesses, class)?;
    Ok(())
}

/// What a spender said is on disk.
#[derive(Default)]
struct Said {
    /// The number that each line of work is at.
    next: [u64; LINES],
    /// Which room each number of each line has, but for those that are given back.
    rooms: BTreeMap<(usize, u64), String>,
    opened: BTreeSet<String>,
    refunded: BTreeSet<String>,
    paid: BTreeSet<String>,
}

impl Said {
    fn hear(&mut self, line: &str) -> Result<()> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["room", line, number, room] => {
                let (line, number): (usize, u64) = (line.parse()?, number.parse()?);
                self.next[line] = number;
                self.opened.insert(room.to_owned());
                if number % 3 != 0
                    && let Some(before) = self.rooms.insert((line, number), room.to_owned())
                {
                    ensure!(before == room, "{line}-{number} opened {before} and {room}");
                }
            }
            ["refund", room] => drop(self.refunded.insert(room.to_owned())),
            ["paid", payment] => drop(self.paid.insert(payment.to_owned())),
            _ => anyhow::bail!("{line:?}"),
        }
        Ok(())
    }
}

/// Every line of an account's credits.
async fn lines(ledger: &Ledger, account: &str) -> Result<Vec<CreditRow>> {
    let mut rows: Vec<CreditRow> = Vec::new();
    loop {
        let mark = rows.last().map(CreditRow::mark);
        let page = ledger.credits(account, mark.as_ref(), 1000).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// The spender, on the database of this folder.
fn spender(data: &Path, public_key: &str, said: &Said) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spender"));
    command.arg(data.join("data")).arg(public_key).args(said.next.map(|next| next.to_string()));
    command.envs(stores::url(data).map(|url| ("SPENDER_DATABASE", url)));
    command.stdout(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_spends_is_killed_again_and_again_and_the_sum_is_right() -> Result<()> {
    let kills = if std::env::var_os("EMBEDENV_FULL").is_some() { FULL_KILLS } else { KILLS };
    let mut chance = chance::chance(chance::seed(), 0);
    let data = tempfile::Builder::new().prefix("embedenv-spent-").tempdir()?;
    std::fs::create_dir(data.path().join("data"))?;
    let open = async || Ledger::open(&data.path().join("data"), stores::database(data.path()).as_ref()).await;
    let ledger = open().await?;
    let granted = 1_000_000;
    let key = ledger.create_key("spender", granted).await?;
    let account = ledger.account_of(&key.public_key).await?;
    ledger.close().await;

    let mut said = Said::default();
    for _ in 0..kills {
        let mut child = spender(data.path(), &key.public_key, &said).spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        for _ in 0..chance.random_range(0..40) {
            said.hear(&timeout(SOON, output.next_line()).await??.context("the spender ended by itself")?)?;
        }
        // Into the middle of something; at first of being started.
        sleep(Duration::from_micros(chance.random_range(0..5000))).await;
        child.kill().await?;
        while let Some(line) = output.next_line().await? {
            said.hear(&line)?;
        }
    }

    let ledger = open().await?;
    let rows = lines(&ledger, &account).await?;
    let balance = ledger.balance(&key.public_key).await?;
    ensure!(balance == rows.iter().map(|row| row.amount).sum::<i64>(), "{balance} is not the sum of its lines");
    let of_kind = |kind: &str| {
        let mut count: HashMap<String, usize> = HashMap::new();
        for row in rows.iter().filter(|row| row.kind == kind) {
            *count.entry(row.room.clone().unwrap_or_default()).or_default() += 1;
        }
        count
    };
    let (charges, refunds) = (of_kind("charge"), of_kind("refund"));
    ensure!(charges.values().all(|count| *count == 1), "a room was charged twice");
    ensure!(refunds.iter().all(|(room, count)| *count == 1 && charges.contains_key(room)), "a refund too many");
    ensure!(said.opened.iter().all(|room| charges.contains_key(room)), "a room that was told of is gone");
    ensure!(said.refunded.iter().all(|room| refunds.contains_key(room)), "a refund that was told of is gone");
    let payments = rows.iter().filter(|row| row.kind == "payment").count();
    ensure!((said.paid.len()..=said.paid.len() + LINES).contains(&payments), "{payments} payments");

    let living: BTreeSet<String> = ledger.rooms().await?.iter().map(|row| row.room.to_string()).collect();
    ensure!(living.len() == charges.len() - refunds.len(), "a room without its charge, or the other way round");
    ensure!(said.rooms.values().all(|room| living.contains(room)), "a room that was told of has ended");
    // What was under way at the last kill is all that nobody was told of.
    ensure!(living.len() - said.rooms.len() <= LINES, "{} living, {} told of", living.len(), said.rooms.len());
    println!("{} rooms, {} given back, {payments} payments, {balance} credits left", charges.len(), refunds.len());
    ledger.close().await;
    Ok(())
}

/// The text behind each name, wherever it is in an answer.
fn under(value: &Value, names: &[&str], found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if names.contains(&&**name) => found.push((name.clone(), text.clone())),
                    value => under(value, names, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| under(value, names, found)),
        _ => {}
    }
}

/// Every file below a folder, and what is in it.
fn files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            files(&path, found)?;
        } else if kind.is_file() {
            found.push((path.clone(), std::fs::read(&path)?));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_given_out_or_typed_stands_in_the_log_or_on_disk() -> Result<()> {
    const PASSWORDS: [&str; 2] = ["correct horse planted", "battery staple planted"];
    const PAYMENTS: &str = "whsec_cGxhbnRlZCBzZWNyZXQgb2YgdGhlIHBheW1lbnRz";
    // What is a secret, by the names that answers have for it.
    const SECRETS: [&str; 8] = ["secret_key", "join", "editor", "owner", "resume", "token", "page_token", "secret"];
    let mut mailbox = Mailbox::start().await?;
    let settings = [
        LOGGED,
        ("EMBEDENV_ACCOUNTS__SIGN_UP", "open"),
        ("EMBEDENV_MAIL__SMTP", &mailbox.url()),
        ("EMBEDENV_PAYMENTS__SECRET", PAYMENTS),
        ("EMBEDENV_WEBHOOKS__INWARD", "127.0.0.0/8"),
    ];
    let mut program = Program::start_with(0, &settings).await?;
    let address: SocketAddr = program.address.parse()?;
    let mut given: Vec<(String, String)> = vec![
        ("secret_key".to_owned(), program.secret_key.clone()),
        ("payments".to_owned(), PAYMENTS["whsec_".len()..].to_owned()),
    ];
    given.extend(PASSWORDS.map(|password| ("password".to_owned(), password.to_owned())));

    // An account, from signing up to a password that is set anew.
    let mut ada = Browser::new(address);
    let new = json!({"name": "Ada", "email": "ada@example.org", "password": PASSWORDS[0]});
    ensure!(ada.ask("POST", "/sign-ups", new).await?.0 == 202);
    let confirm = mailbox.mail(1).await?.token("confirm")?;
    let entered = ada.enter("/sign-ups/confirmations", json!({"token": confirm})).await?;
    given.push(("confirmation".to_owned(), confirm));
    under(&entered, &SECRETS, &mut given);
    let cookie =
        |browser: &Browser| browser.cookie.as_deref().and_then(|it| it.split_once('=')).map(|it| it.1.to_owned());
    given.push(("cookie".to_owned(), cookie(&ada).context("a cookie")?));
    ensure!(ada.ask("POST", "/password-resets", json!({"email": "ada@example.org"})).await?.0 == 202);
    let reset = mailbox.mail(2).await?.token("reset")?;
    let body = json!({"token": reset, "password": PASSWORDS[1]});
    under(&ada.enter("/password-resets/confirmations", body).await?, &SECRETS, &mut given);
    given.push(("reset".to_owned(), reset));
    given.push(("cookie".to_owned(), cookie(&ada).context("a cookie")?));

    // Key pairs, webhooks, and what a backend makes with a pair.
    let (status, pair) = ada.ask("POST", "/keys", json!({"name": "Planted"})).await?;
    ensure!(status == 201, "{pair}");
    under(&pair, &SECRETS, &mut given);
    let public_key = pair["public_key"].as_str().context("a key")?.to_owned();
    let (status, rotated) = ada.ask("POST", &format!("/keys/{public_key}/rotations"), json!({"overlap": 60})).await?;
    ensure!(status == 201, "{rotated}");
    under(&rotated, &SECRETS, &mut given);
    let hook = json!({"url": format!("http://{address}/nowhere"), "events": ["room.started"]});
    let (status, hook) = ada.ask("POST", "/webhooks", hook).await?;
    ensure!(status == 201, "{hook}");
    under(&hook, &SECRETS, &mut given);
    let secret = pair["secret_key"].as_str().context("a key")?;
    let authorization = format!("Basic {}", STANDARD.encode(format!("{public_key}:{secret}")));
    given.push(("authorization".to_owned(), authorization["Basic ".len()..].to_owned()));
    let opened = ask_at(
        address,
        "POST",
        &address.to_string(),
        "/api/v1/rooms",
        &[("Authorization", &authorization), ("Content-Type", "application/json")],
        b"{}",
    )
    .await?;
    ensure!(opened.status == 201, "{}", opened.text());
    under(&serde_json::from_slice(&opened.body)?, &SECRETS, &mut given);

    // People: links, coming back, a file, a terminal, chat.
    let mut host = program.full().await?;
    for frame in host.aside.clone() {
        under(&frame, &SECRETS, &mut given);
    }
    let minted = host.request(json!({"type": "key-mint", "role": "editor"})).await?;
    under(&minted, &SECRETS, &mut given);
    let write = json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "planted.txt", "content": "content-planted"});
    ensure!(host.request(write).await?["type"] == "done");
    let token = host.request(json!({"type": "document-token", "project": "p", "path": "planted.txt"})).await?;
    under(&token, &SECRETS, &mut given);
    host.request(json!({"type": "chat", "text": "chat-planted"})).await?;
    let mut guest = Client::connect(&program.url()).await?;
    guest.send(json!({"type": "join", "join": minted["join"]})).await?;
    guest.expect("joined").await?;
    guest.shell("p", "echo typed-plan''ted").await?;
    ensure!(shown(&guest.until_end().await?) == "typed-planted\n");

    let before = given.len();
    given.retain(|(_, secret)| secret.len() >= 12);
    for name in ["secret_key", "join", "token", "page_token", "secret", "cookie", "confirmation", "reset"] {
        ensure!(given.iter().any(|(given, _)| given == name), "no {name} was given out ({before})");
    }
    ensure!(program.terminate().await?.success());
    let log = std::fs::read(program.log())?;
    ensure!(log.len() > 5_000 && contains(&log, "DEBUG"), "the log says next to nothing");
    for (name, secret) in &given {
        ensure!(!contains(&log, secret), "the log tells a {name}: {}", around(&log, secret));
    }
    for content in ["content-planted", "chat-planted", "typed-planted", "typed-plan''ted"] {
        ensure!(!contains(&log, content), "the log tells what was written: {}", around(&log, content));
    }
    let mut kept = Vec::new();
    files(&program.data_dir(), &mut kept)?;
    ensure!(kept.iter().any(|(path, _)| path.ends_with("embedenv.db")) || stores::url(Path::new("x")).is_some());
    for (path, bytes) in &kept {
        for (name, secret) in &given {
            ensure!(!contains(bytes, secret), "{} holds a {name}", path.display());
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The line that a text is in.
fn around(bytes: &[u8], text: &str) -> String {
    let all = String::from_utf8_lossy(bytes);
    all.lines().find(|line| line.contains(text)).unwrap_or_default().chars().take(300).collect()
}
