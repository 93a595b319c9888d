//! `embedenv maintenance`: has a server, which may be running, open no rooms for a while.

use clap::Subcommand;

use super::{CliError, Settings};
use crate::ledger::{Actor, MAINTENANCE_MESSAGE};

#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceCommand {
    /// Open no rooms from now on. Rooms that are there go on.
    Begin {
        /// What who asks for a room is told.
        #[arg(long, default_value = MAINTENANCE_MESSAGE)]
        message: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Open rooms again.
    End {
        #[command(flatten)]
        settings: Settings,
    },
    /// Tell whether it is under way.
    Show {
        #[command(flatten)]
        settings: Settings,
    },
}

pub(super) async fn carry_out(command: MaintenanceCommand) -> Result<(), CliError> {
    let (MaintenanceCommand::Begin { settings, .. }
    | MaintenanceCommand::End { settings }
    | MaintenanceCommand::Show { settings }) = &command;
    let ledger = settings.ledger().await?;
    match &command {
        MaintenanceCommand::Begin { message, .. } => {
            ledger.begin_maintenance(Actor::CommandLine, message).await?;
        }
        MaintenanceCommand::End { .. } => ledger.end_maintenance(Actor::CommandLine).await?,
        MaintenanceCommand::Show { .. } => {}
    }
    match ledger.maintenance().await? {
        Some(maintenance) => println!("no rooms are opened; who asks is told: {}", maintenance.message),
        None => println!("rooms are opened as usual"),
    }
    ledger.close().await;
    Ok(())
}
