//! `embedenv credits`: show and grant a pair's credits.

use clap::Subcommand;

use super::{CliError, Settings};

#[derive(Debug, Subcommand)]
pub(super) enum CreditsCommand {
    /// Show how many credits a pair has.
    Show {
        public_key: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give a pair more credits.
    Grant {
        public_key: String,
        amount: i64,
        #[command(flatten)]
        settings: Settings,
    },
}

pub(super) async fn carry_out(command: CreditsCommand) -> Result<(), CliError> {
    let (ledger, balance) = match command {
        CreditsCommand::Show { public_key, settings } => {
            let ledger = settings.ledger().await?;
            let balance = ledger.balance(&public_key).await?;
            (ledger, balance)
        }
        CreditsCommand::Grant { public_key, amount, settings } => {
            let ledger = settings.ledger().await?;
            let balance = ledger.grant(&public_key, amount).await?;
            (ledger, balance)
        }
    };
    println!("credits: {balance}");
    ledger.close().await;
    Ok(())
}
