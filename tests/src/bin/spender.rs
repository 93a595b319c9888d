//! `spender DATA_DIR PUBLIC_KEY NEXT…`: spends from a ledger without an end, for a test that kills it.
//!
//! Each number begins a line of work of its own: rooms that are opened under idempotency keys, some of which are given
//! back, and payments. What is on disk is printed, a line each: `room LINE NUMBER ROOM`, `refund ROOM`, `paid PAYMENT`.
//! The database is that of the data directory, or the one that `SPENDER_DATABASE` names.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use embedenv::config::SecretUrl;
use embedenv::ledger::{IdempotencyKey, Ledger, NewRoom, OpenOutcome, Payment};
use embedenv_shared::id::RoomId;
use futures_util::future::try_join_all;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data_dir, public_key, numbers @ ..] = &arguments[..] else {
        bail!("usage: spender DATA_DIR PUBLIC_KEY NEXT…")
    };
    let database = std::env::var("SPENDER_DATABASE").ok();
    let database = database.map(|url| SecretUrl::postgres(&url).context("a database")).transpose()?;
    let ledger = Ledger::open(Path::new(data_dir), database.as_ref()).await?;
    let numbers = numbers.iter().map(|next| next.parse()).collect::<Result<Vec<u64>, _>>()?;
    let lines = numbers.into_iter().enumerate().map(|(line, next)| spend(&ledger, public_key, line, next));
    try_join_all(lines).await?;
    Ok(())
}

async fn spend(ledger: &Ledger, public_key: &str, line: usize, next: u64) -> Result<()> {
    let payer = ledger.payer(public_key).await?;
    for number in next.. {
        let idempotency = IdempotencyKey { key: format!("{line}-{number}"), fingerprint: String::new() };
        let new = NewRoom {
            payer: payer.clone(),
            room: RoomId(rand::random()),
            space: "default".to_owned(),
            idempotency: Some(idempotency),
            sandbox: None,
            visit: None,
            ends_at: None,
            metadata: "{}".to_owned(),
        };
        let room = new.room;
        let room = match ledger.open_room(new).await? {
            OpenOutcome::New { .. } => room,
            OpenOutcome::Again { room, .. } => room,
            other => bail!("{other:?}"),
        };
        say(&format!("room {line} {number} {room}"))?;
        if number % 3 == 0 {
            ledger.refund_room(room).await?;
            say(&format!("refund {room}"))?;
        }
        if number % 5 == 0 {
            let payment = Payment {
                payment: format!("payment-{line}-{number}"),
                account: payer.account().to_owned(),
                credits: 2,
                expires: None,
            };
            ledger.pay(&payment).await?;
            say(&format!("paid {}", payment.payment))?;
        }
    }
    Ok(())
}

/// In one piece, whatever happens next.
fn say(line: &str) -> Result<()> {
    Ok(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes())?)
}
