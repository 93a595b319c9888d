//! `embedenv widgets`: make, list and revoke the ids by which visitors of a site open rooms.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use embedenv_shared::tree::{Plan, PlannedFile};
use serde_json::json;

use super::{CliError, Settings};
use crate::config::DEFAULT_SPACE;
use crate::ledger::{MAX_PROJECT, NewWidget, Quota};

/// What a starting project is called if its folder can't say.
const PROJECT: &str = "project";

#[derive(Debug, Subcommand)]
pub(super) enum WidgetsCommand {
    /// Make a widget: an id for pages of a site, whose visitors open rooms on a key pair's credits.
    Create {
        /// Whose credits they take.
        #[arg(long, value_name = "PUBLIC_KEY")]
        key: String,
        /// What the widget is called in lists.
        #[arg(long, default_value = "default")]
        name: String,
        /// An origin whose pages may show it, such as https://docs.example.org or https://*.example.org; as often as needed.
        #[arg(long = "origin", value_name = "ORIGIN", required = true)]
        origins: Vec<String>,
        /// The space of its rooms.
        #[arg(long, default_value = DEFAULT_SPACE)]
        space: String,
        /// A folder whose files each room begins with.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
        /// Rooms that it opens in an hour at most.
        #[arg(long, default_value_t = 100)]
        per_hour: i64,
        /// Rooms that it opens in an hour for one address at most.
        #[arg(long, default_value_t = 10)]
        per_address: i64,
        /// How its frame looks: parameters of its address, such as theme=dark&hideExplorer=1.
        #[arg(long, value_name = "PARAMETERS", default_value = "")]
        look: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// List all widgets.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Let a widget open nothing more.
    Revoke {
        widget: String,
        #[command(flatten)]
        settings: Settings,
    },
}

/// What is wrong with what a widget is to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum WidgetError {
    #[error("there is no space {0:?}; the configuration names them")]
    Space(String),
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} can't be part of a project: {why}")]
    Entry { path: String, why: String },
    #[error("the project has more than {most} bytes")]
    TooLarge { most: usize },
}

pub(super) async fn carry_out(command: WidgetsCommand) -> Result<(), CliError> {
    match command {
        WidgetsCommand::Create { key, name, origins, space, project, per_hour, per_address, look, json, settings } => {
            let config = settings.config(&[])?;
            if config.space(&space).is_none() {
                return Err(WidgetError::Space(space).into());
            }
            let space = config.space_name(&space).to_owned();
            let project = project.map(|folder| read(&folder)).transpose()?;
            let ledger = settings.ledger().await?;
            let quota = Quota { per_hour, per_address };
            let new = NewWidget { public_key: key, name, origins, space, project, quota, look };
            let widget = ledger.create_widget(new).await?;
            if json {
                println!("{}", json!({"widget": widget}));
            } else {
                println!("widget: {widget}");
            }
            ledger.close().await;
        }
        WidgetsCommand::List { json, settings } => {
            let ledger = settings.ledger().await?;
            let widgets = ledger.widgets(None).await?;
            if json {
                println!("{}", json!(widgets));
            } else {
                for widget in widgets {
                    let revoked = if widget.revoked.is_some() { "  revoked" } else { "" };
                    let (of, opened) = (widget.quota.per_hour, widget.opened);
                    let origins = widget.origins.join(" ");
                    println!("{}  {}  {opened} of {of} this hour  {origins}{revoked}", widget.widget, widget.name);
                }
            }
            ledger.close().await;
        }
        WidgetsCommand::Revoke { widget, settings } => {
            let ledger = settings.ledger().await?;
            ledger.revoke_widget(&widget, None).await?;
            println!("revoked: {widget}");
            ledger.close().await;
        }
    }
    Ok(())
}

/// A folder as a project: its files and folders, links left out.
fn read(folder: &Path) -> Result<(ProjectName, Plan), WidgetError> {
    let name = folder.canonicalize().ok().and_then(|folder| folder.file_name()?.to_str().map(str::to_owned));
    let name = name.and_then(|name| ProjectName::parse(&name).ok());
    let name = name.unwrap_or_else(|| ProjectName::parse(PROJECT).expect("a plain word is a name"));
    let mut plan = Plan::default();
    let (mut pending, mut bytes) = (vec![(folder.to_owned(), WorkspacePath::root())], 0);
    while let Some((folder, path)) = pending.pop() {
        let failed = |source| WidgetError::Read { path: folder.display().to_string(), source };
        let mut entries = fs::read_dir(&folder).and_then(|all| all.collect::<Result<Vec<_>, _>>()).map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let at = entry.path();
            let wrong = |why: String| WidgetError::Entry { path: at.display().to_string(), why };
            let text = entry.file_name().into_string().map_err(|_| wrong("its name is not UTF-8".to_owned()))?;
            let inside =
                EntryName::parse(&text).and_then(|name| path.join(&name)).map_err(|why| wrong(why.to_string()))?;
            let kind =
                entry.file_type().map_err(|source| WidgetError::Read { path: at.display().to_string(), source })?;
            if kind.is_dir() {
                plan.folders.push(inside.clone());
                pending.push((at, inside));
            } else if kind.is_file() {
                let content =
                    fs::read(&at).map_err(|source| WidgetError::Read { path: at.display().to_string(), source })?;
                bytes += content.len();
                if bytes > MAX_PROJECT {
                    return Err(WidgetError::TooLarge { most: MAX_PROJECT });
                }
                plan.files.push(PlannedFile { path: inside, content });
            }
        }
    }
    Ok((name, plan))
}
