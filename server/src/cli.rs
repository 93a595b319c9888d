//! The command line: what can be typed, and what is printed. Exit codes: 0 done, 1 failed, 2 wrong use or settings.

mod backup;
mod credits;
mod keys;
mod maintenance;
mod operator;
mod serve;
mod widgets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError};
use crate::{doctor, telemetry};

/// An embeddable browser IDE on real sandboxes.
#[derive(Debug, Parser)]
#[command(name = "embedenv", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(ServeArguments),
    /// Run the server, open a room with a small sample project, and print its link.
    Try(ServeArguments),
    /// Make, list and revoke key pairs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Show and grant a key pair's credits.
    #[command(subcommand)]
    Credits(credits::CreditsCommand),
    /// Make, list and revoke widgets, by which visitors of a site open rooms.
    #[command(subcommand)]
    Widgets(widgets::WidgetsCommand),
    /// Have a server open no rooms for a while.
    #[command(subcommand)]
    Maintenance(maintenance::MaintenanceCommand),
    /// Copy the data directory into one file, beside a server that may be running on it.
    Backup {
        /// A file that is not there yet.
        file: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make a data directory of a backup.
    Restore {
        file: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print a link, good once and for a day, by which somebody becomes an operator of the server.
    Operator {
        #[command(flatten)]
        settings: Settings,
    },
    /// Tell what this machine lets each engine enforce, what is missing, and how to get it.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
}

/// Where settings come from, for every command.
#[derive(Debug, Args)]
struct Settings {
    /// The folder of the database and the rooms' files.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// What runs sandboxes: auto, local or docker.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

/// What ends a command early.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Filter(#[from] telemetry::BadFilter),
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Server(#[from] crate::server::ServerError),
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    #[error(transparent)]
    Widget(#[from] widgets::WidgetError),
    #[error(transparent)]
    Backup(#[from] crate::backup::BackupError),
    #[error("cannot use the data directory {path}")]
    DataDir {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the sample room could not be opened: {0}")]
    Sample(embedenv_shared::code::Failure),
    #[error("the server could not end everything in time")]
    Shutdown,
}

impl CliError {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Filter(_) | Self::Widget(_) => 2,
            _ => 1,
        }
    }
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    match carry_out(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embedenv: {}", telemetry::chain(&error));
            ExitCode::from(error.code())
        }
    }
}

fn carry_out(command: Command) -> Result<(), CliError> {
    match command {
        Command::Serve(arguments) => {
            let config = arguments.config()?;
            telemetry::start(&config.log)?;
            runtime()?.block_on(serve::serve(config))
        }
        Command::Try(arguments) => {
            let mut config = arguments.config()?;
            let chosen = arguments.listen.is_some();
            // One person on their own machine: what matters is said on standard output.
            if config.log == Config::default().log {
                config.log.filter = "warn".to_owned();
            }
            telemetry::start(&config.log)?;
            runtime()?.block_on(serve::try_out(config, chosen))
        }
        Command::Keys(command) => runtime()?.block_on(keys::carry_out(command)),
        Command::Credits(command) => runtime()?.block_on(credits::carry_out(command)),
        Command::Widgets(command) => runtime()?.block_on(widgets::carry_out(command)),
        Command::Maintenance(command) => runtime()?.block_on(maintenance::carry_out(command)),
        Command::Backup { file, settings } => runtime()?.block_on(backup::write(file, settings)),
        Command::Restore { file, settings } => backup::restore(&file, &settings),
        Command::Operator { settings } => runtime()?.block_on(operator::invite(settings)),
        Command::Doctor { json, settings } => {
            let config = settings.config(&[])?;
            let reports = runtime()?.block_on(doctor::reports(&config));
            if json {
                println!("{}", serde_json::to_string_pretty(&reports).expect("reports always serialise"));
            } else {
                println!("{}", reports.iter().map(|report| format!("{report}")).collect::<Vec<_>>().join("\n"));
            }
            Ok(())
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)
}

impl Settings {
    fn config(&self, flags: &[(&str, String)]) -> Result<Config, ConfigError> {
        let mut flags = flags.to_vec();
        if let Some(folder) = &self.data_dir {
            flags.push(("data_dir", folder.display().to_string()));
        }
        Config::load(self.config.as_deref(), std::env::vars(), &flags)
    }

    /// The ledger that these settings name, beside a server that may be running on it.
    async fn ledger(&self) -> Result<crate::ledger::Ledger, CliError> {
        let config = self.config(&[])?;
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|source| CliError::DataDir { path: config.data_dir.display().to_string(), source })?;
        Ok(crate::ledger::Ledger::open(&config.data_dir, config.database_url.as_ref()).await?)
    }
}

impl ServeArguments {
    fn config(&self) -> Result<Config, ConfigError> {
        let listen = self.listen.iter().map(|listen| ("listen", listen.clone()));
        let engine = self.engine.iter().map(|engine| ("engine", engine.clone()));
        self.settings.config(&listen.chain(engine).collect::<Vec<_>>())
    }
}
