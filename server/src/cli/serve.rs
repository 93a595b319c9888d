//! `embedenv serve` and `embedenv try`: a server until a signal ends it.

use std::io::{self, Write as _};

use embedenv_shared::path::ProjectName;
use embedenv_shared::tree::Plan;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;
use crate::config::{Config, DEFAULT_SPACE};
use crate::ledger::{NewWidget, Quota};
use crate::server::{Running, Server, ServerError};

/// The key pair that `try` opens its room with.
const TRY_KEY: &str = "try";
/// The key pair and the widget by which the public pages of `try` open rooms: for one person, who won't use them up.
const SITE_WIDGET: &str = "try-site";
const SITE_CREDITS: i64 = 1_000_000;
const SITE_QUOTA: Quota = Quota { per_hour: 1_000, per_address: 1_000 };
/// The sample project.
const SAMPLE: &str = "sample";
const SAMPLE_TREE: [(&str, &str); 4] = [
    ("ask.py", include_str!("../../../static/sample/ask.py")),
    ("web.py", include_str!("../../../static/sample/web.py")),
    ("fizz.sh", include_str!("../../../static/sample/fizz.sh")),
    ("README.md", include_str!("../../../static/sample/README.md")),
];

pub(super) async fn serve(config: Config) -> Result<(), CliError> {
    let running = Server::new(config.clone()).await?.listen().await?;
    let ending = Ending::listen()?;
    let base = config.link_base(running.address());
    say(&format!("listening on {}://{}", config.scheme(), running.address()));
    if let Some(code) = running.operator_code().await? {
        say(&format!(
            "nobody operates this server yet; who opens this within a day does: {base}/console#operator={code}"
        ));
    }
    ending.wait().await;
    match running.shutdown().await {
        true => Ok(()),
        false => Err(CliError::Shutdown),
    }
}

/// Serves one person: a room with a sample project, and the link to it. Its sandbox ends with the server; its files
/// stay for the next time. Unless an address was chosen, a port that is taken gives way to a free one.
pub(super) async fn try_out(config: Config, chosen: bool) -> Result<(), CliError> {
    let running = match live(config.clone()).await?.listen().await {
        Err(ServerError::Listen { source, .. }) if !chosen && source.kind() == io::ErrorKind::AddrInUse => {
            let mut config = config.clone();
            config.listen.set_port(0);
            live(config).await?.listen().await?
        }
        other => other?,
    };
    let key = running.try_room(TRY_KEY, sample()).await.map_err(CliError::Sample)?;
    let ending = Ending::listen()?;
    let base = config.link_base(running.address());
    say(&format!("listening on {}://{}", config.scheme(), running.address()));
    say(&format!(
        "\n  Open  {base}/w#join={key}&project={SAMPLE}\n  or    {base}/  for what this is, live\n\n  Ctrl+C ends it; your files stay for the next time."
    ));
    ending.wait().await;
    match running.end().await {
        true => Ok(()),
        false => Err(CliError::Shutdown),
    }
}

/// A server whose public pages are live: with a widget of its own, which is the one of the last time if it is still good.
async fn live(config: Config) -> Result<Server, CliError> {
    let origin = config.link_base(config.listen);
    let server = Server::new(config).await?;
    let ledger = server.ledger();
    for row in ledger.widgets(None).await?.into_iter().filter(|row| row.name == SITE_WIDGET) {
        if ledger.widget(&row.widget).await.is_ok() {
            return Ok(server.with_site_widget(row.widget));
        }
    }
    let widget = NewWidget {
        public_key: ledger.create_key(SITE_WIDGET, SITE_CREDITS).await?.public_key,
        name: SITE_WIDGET.to_owned(),
        origins: vec![origin],
        space: DEFAULT_SPACE.to_owned(),
        project: None,
        quota: SITE_QUOTA,
        look: String::new(),
    };
    let widget = ledger.create_widget(widget).await?;
    Ok(server.with_site_widget(widget))
}

fn sample() -> (ProjectName, Plan) {
    let mut plan = Plan::default();
    for (name, content) in SAMPLE_TREE {
        let path = embedenv_shared::path::WorkspacePath::parse(name).expect("the sample's names are paths");
        plan.files.push(embedenv_shared::tree::PlannedFile { path, content: content.as_bytes().to_vec() });
    }
    (ProjectName::parse(SAMPLE).expect("a project's name"), plan)
}

/// Prints a line that others may be waiting for.
fn say(line: &str) {
    // Nobody reading is no reason to stop serving.
    let _ = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
}

/// SIGTERM and SIGINT, listened for before the line is printed: whoever waits for that may send one at once.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    fn listen() -> Result<Self, CliError> {
        let terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
        Ok(Self { terminate, interrupt })
    }

    /// Waits for the first signal. A second one while the server goes down ends it at once.
    async fn wait(mut self) {
        self.next().await;
        tracing::info!("going down");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(self.next());
                std::process::exit(1);
            }
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Running {
    /// The room of `try`: the one of the last time if it still lives, or a new one with the sample project in it.
    /// Returns its owner's key.
    async fn try_room(
        &self,
        name: &str,
        (project, plan): (ProjectName, Plan),
    ) -> Result<String, embedenv_shared::code::Failure> {
        let ledger = |error: crate::ledger::LedgerError| {
            embedenv_shared::code::Failure::new(embedenv_shared::code::ErrorCode::Internal, error.to_string())
        };
        if let Some((room, owner)) = self.registry().latest_of(name).await.map_err(ledger)? {
            room.wake().await?;
            return Ok(owner);
        }
        let key = self.ledger().create_key(name, 1).await.map_err(ledger)?;
        let opened = self.open(&key.public_key, &key.secret_key).await?;
        opened.room.plant(project, plan).await?;
        Ok(opened.owner)
    }
}
