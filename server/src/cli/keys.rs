//! `embedenv keys`: make, list and revoke key pairs.

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Settings};
use crate::ledger::{Actor, Scope};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a pair. Its secret is shown this once.
    Create {
        /// What the pair is called in lists.
        #[arg(long, default_value = "default")]
        name: String,
        /// How many rooms it may open.
        #[arg(long, default_value_t = 100)]
        credits: i64,
        /// It runs single programs (`/api/v2`) and does nothing else, so that it may stand in an address.
        #[arg(long)]
        execute_only: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// List all pairs.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Let a pair open nothing more.
    Revoke {
        public_key: String,
        #[command(flatten)]
        settings: Settings,
    },
}

pub(super) async fn carry_out(command: KeysCommand) -> Result<(), CliError> {
    match command {
        KeysCommand::Create { name, credits, execute_only, json, settings } => {
            let ledger = settings.ledger().await?;
            let scope = Scope { execute_only, ..Scope::default() };
            let key = ledger.create_key_for(&name, credits, scope).await?;
            if json {
                let crate::ledger::NewKey { public_key, secret_key, credits } = key;
                println!("{}", json!({"public_key": public_key, "secret_key": secret_key, "credits": credits}));
            } else {
                println!("public_key: {}\nsecret_key: {}\ncredits: {}", key.public_key, key.secret_key, key.credits);
            }
            ledger.close().await;
        }
        KeysCommand::List { json, settings } => {
            let ledger = settings.ledger().await?;
            let keys = ledger.keys().await?;
            if json {
                println!("{}", json!(keys));
            } else {
                for key in keys {
                    let revoked = if key.revoked.is_some() { "  revoked" } else { "" };
                    println!("{}  {} credits  {}{revoked}", key.public_key, key.credits, key.name);
                }
            }
            ledger.close().await;
        }
        KeysCommand::Revoke { public_key, settings } => {
            let ledger = settings.ledger().await?;
            ledger.revoke_key(None, Actor::CommandLine, &public_key).await?;
            println!("revoked: {public_key}");
            ledger.close().await;
        }
    }
    Ok(())
}
