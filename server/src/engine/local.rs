//! The local engine: a sandbox is a bubblewrap with the agent as its first process.
//!
//! As root, every room's sandbox runs under a host user of its own, changed to before bubblewrap starts, so that
//! nothing inside is ever the host's root; as an ordinary user, under that user. Sandboxes outlive the server: they are
//! found again by process id and start time, and reached through a socket in the room's folder. Nothing here knows what
//! is said on that socket.
//!
//! ```text
//! <data>/agent/HASH          the agent's program, read-only in every sandbox
//! <data>/etc/                the sandbox's /etc
//! <data>/rooms/ROOM/home     the home, the only thing that lasts
//! <data>/rooms/ROOM/link     the agent's socket, made out here
//! <data>/rooms/ROOM/running  which process is its sandbox
//! <data>/rooms/ROOM/sandbox.log  what bubblewrap or the agent complained about
//! ```

mod bubblewrap;
mod cgroup;
mod etc;
mod process;
mod socket;
mod spawn;
mod uids;

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use embedenv_shared::id::RoomId;
use serde::{Deserialize, Serialize};
use tokio::time::{interval, timeout};

use super::seccomp::Filters;
use super::{
    Agent, EndCause, Engine, EngineError, EngineFuture, EngineHome, LinkStream, Notice, Profile, SandboxRecord,
    SandboxSpec, Standing, Started, Swept,
};
pub use cgroup::Mechanism;
use cgroup::{Cgroups, Kills, RoomCgroup};
use process::Process;
use uids::Uids;

/// How long bubblewrap may take to say which process is the sandbox.
const START: Duration = Duration::from_secs(10);
/// How long everything in a sandbox may take to be gone after SIGKILL.
const END: Duration = Duration::from_secs(5);
/// How often the kernel is asked whether it killed something for want of memory.
const LOOK: Duration = Duration::from_secs(2);
/// Others may pass through, and see nothing.
const PASSABLE: u32 = 0o711;
/// Bytes of a complaint that are told.
const COMPLAINT: usize = 1000;

/// Where things of the host are that the engine needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSettings {
    /// bubblewrap; `None` looks it up on `PATH`.
    pub bubblewrap: Option<PathBuf>,
    /// The first host user of the range for sandboxes, when the server is root, and how many there are.
    pub first_uid: u32,
    pub uids: u32,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self { bubblewrap: None, first_uid: 200_000, uids: 50_000 }
    }
}

#[derive(Debug)]
pub struct LocalEngine {
    data_dir: PathBuf,
    bubblewrap: PathBuf,
    agent: PathBuf,
    etc: PathBuf,
    filters: Filters,
    cgroups: Cgroups,
    uids: Option<Uids>,
}

/// The engine's part of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Details {
    process: Process,
    cgroup: RoomCgroup,
}

impl LocalEngine {
    /// Prepares the data directory and what every sandbox gets. Starts nothing.
    pub fn new(home: EngineHome, settings: LocalSettings) -> Result<Self, EngineError> {
        let bubblewrap = match settings.bubblewrap {
            Some(path) => path,
            None => on_path("bwrap").ok_or_else(|| {
                setup("bubblewrap (bwrap) is not on PATH; `embedenv doctor` tells how to install it", None)
            })?,
        };
        let failed = |what: &str| {
            let reason = format!("cannot prepare {what} in {}", home.data_dir.display());
            move |source| setup(&reason, Some(source))
        };
        let data_dir = prepare(&home.data_dir)?;
        let agent = data_dir.join("agent").join(home.agent.version());
        install(&agent, &home.agent).map_err(failed("the agent"))?;
        let etc = data_dir.join("etc");
        etc::install(&etc).map_err(failed("etc"))?;
        let uids = if rustix::process::geteuid().is_root() {
            Some(Uids::new(&data_dir.join("rooms"), settings.first_uid, settings.uids).map_err(failed("rooms"))?)
        } else {
            None
        };
        let cgroups = Cgroups::find(&data_dir);
        let filters = Filters::new().map_err(|reason| setup(&reason, None))?;
        Ok(Self { data_dir, bubblewrap, agent, etc, filters, cgroups, uids })
    }

    fn room(&self, room: RoomId) -> PathBuf {
        self.data_dir.join("rooms").join(room.to_string())
    }

    async fn launch(&self, spec: &SandboxSpec) -> Result<Started, EngineError> {
        let folder = self.room(spec.room);
        let failed = |what: &'static str| move |source| start(what, Some(source));
        make_folder(&folder, PASSABLE).map_err(failed("the room's folder can't be made"))?;
        // One room, one sandbox: what a start that was cut short has left is ended first.
        if let Some(left) = process::read(&folder.join("running")) {
            self.end_process(&left).await?;
        }
        let home = folder.join("home");
        make_folder(&home, 0o700).map_err(failed("the room's home can't be made"))?;
        let uid = match &self.uids {
            Some(uids) => Some(uids.of(&home).map_err(failed("no host user is free for the sandbox"))?),
            None => None,
        };
        let listener = socket::listen(&folder).map_err(failed("the agent's socket can't be made"))?;
        let cgroup = self.cgroups.make(spec.room, &spec.profile.limits).map_err(failed("its cgroup can't be made"))?;
        let launch = spawn::Launch {
            bubblewrap: &self.bubblewrap,
            folder: &folder,
            listener,
            secret: &spec.secret,
            filters: &self.filters,
            cgroup: &cgroup,
            uid,
        };
        let host = bubblewrap::Host { home: &home, agent: &self.agent, etc: &self.etc };
        let spawned = launch.spawn(|fds| bubblewrap::arguments(&host, &spec.profile, fds));
        let status = spawned.map_err(failed("bubblewrap can't be started"))?;
        let pid = match timeout(START, spawn::child_pid(status)).await {
            Ok(Ok(pid)) => pid,
            Ok(Err(_)) | Err(_) => return Err(start(&complaint(&folder), None)),
        };
        let process = Process::of(pid).map_err(failed("the sandbox ended at once"))?;
        process::write(&folder.join("running"), &process).map_err(failed("the sandbox can't be written down"))?;
        let details = serde_json::to_value(Details { process, cgroup }).expect("details always serialise");
        let record = SandboxRecord { room: spec.room, engine: self.name().to_owned(), epoch: spec.epoch, details };
        Ok(Started { record, stream: None })
    }

    /// Whether a wrapper's sandbox is the room's own: one that is being started is not written down yet.
    fn runs(&self, room: RoomId, wrapper: &Process) -> bool {
        let recorded = process::read(&self.room(room).join("running"));
        recorded.is_none_or(|process| wrapper.children().contains(&process))
    }

    async fn end_process(&self, process: &Process) -> Result<(), EngineError> {
        let Some(running) = process.open() else { return Ok(()) };
        running.kill();
        match timeout(END, running.ended()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(EngineError::End { reason: format!("process {} does not end", process.pid) }),
        }
    }

    async fn clean(&self, room: RoomId, details: &Details) -> Result<(), EngineError> {
        self.end_process(&details.process).await?;
        let folder = self.room(room);
        for name in ["link", "running"] {
            remove(&folder.join(name)).map_err(|source| erase("a file of the sandbox", source))?;
        }
        details.cgroup.remove().await;
        Ok(())
    }
}

impl Engine for LocalEngine {
    fn name(&self) -> &'static str {
        "local"
    }

    fn start<'a>(&'a self, spec: &'a SandboxSpec) -> EngineFuture<'a, Started> {
        Box::pin(self.launch(spec))
    }

    fn connect<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, LinkStream> {
        Box::pin(async move {
            details(record)?;
            let stream = socket::connect(&self.room(record.room)).await.map_err(EngineError::Connect)?;
            Ok(LinkStream { stream, descriptors: true })
        })
    }

    fn end<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, ()> {
        Box::pin(async move { self.clean(record.room, &details(record)?).await })
    }

    fn ended<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, EndCause> {
        Box::pin(async move {
            let details = details(record)?;
            if let Some(running) = details.process.open() {
                running.ended().await.map_err(|error| EngineError::End { reason: error.to_string() })?;
            }
            let killed = details.cgroup.out_of_memory_kills() > 0;
            Ok(if killed { EndCause::OutOfMemory } else { EndCause::Ended })
        })
    }

    fn erase(&self, room: RoomId) -> EngineFuture<'_, ()> {
        let folder = self.room(room);
        Box::pin(async move {
            let home = folder.join("home");
            let removed = tokio::task::spawn_blocking(move || match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            });
            removed.await.map_err(io::Error::other).flatten().map_err(|source| erase("the room's folder", source))?;
            if let Some(uids) = &self.uids {
                uids.free(&home);
            }
            Ok(())
        })
    }

    fn sweep<'a>(&'a self, standing: &'a (dyn Fn(RoomId) -> Standing + Send + Sync)) -> EngineFuture<'a, Swept> {
        Box::pin(async move {
            let rooms = self.data_dir.join("rooms");
            let mut swept = Swept::default();
            for (wrapper, name) in process::wrappers(&rooms) {
                let room = name.parse::<RoomId>();
                if room.as_ref().is_ok_and(|room| standing(*room) == Standing::Awake && self.runs(*room, &wrapper)) {
                    continue;
                }
                tracing::info!(room = name, "ending a sandbox that no room owns");
                for child in wrapper.children() {
                    self.end_process(&child).await?;
                }
                self.end_process(&wrapper).await?;
                swept.sandboxes += 1;
            }
            self.cgroups.sweep(standing);
            let entries = fs::read_dir(&rooms).map_err(|source| erase("the rooms' folder", source))?;
            for entry in entries.flatten() {
                let room = entry.file_name().to_string_lossy().parse::<RoomId>();
                if let Ok(room) = room
                    && standing(room) == Standing::Unknown
                {
                    self.erase(room).await?;
                    swept.homes += 1;
                }
            }
            Ok(swept)
        })
    }

    fn is_current(&self, _: &Profile, _: &SandboxRecord) -> bool {
        true
    }

    fn run<'a>(&'a self, tell: &'a (dyn Fn(Notice) + Send + Sync)) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let mut kills = Kills::default();
            let mut ticks = interval(LOOK);
            loop {
                ticks.tick().await;
                for room in kills.news(&self.cgroups) {
                    tell(Notice::OutOfMemory(room));
                }
            }
        })
    }
}

/// By which mechanism memory, processor and processes are limited for this data directory.
pub(crate) fn mechanism(data_dir: &Path) -> Result<Mechanism, EngineError> {
    Ok(Cgroups::find(&prepare(data_dir)?).mechanism())
}

/// Makes the folders, and checks that sandboxes can reach them. Returns the data directory's real path.
fn prepare(data_dir: &Path) -> Result<PathBuf, EngineError> {
    let root = rustix::process::geteuid().is_root();
    let failed = |source| setup(&format!("cannot make folders in {}", data_dir.display()), Some(source));
    make_folder(data_dir, if root { PASSABLE } else { 0o700 }).map_err(failed)?;
    let data_dir = data_dir.canonicalize().map_err(failed)?;
    for folder in ["rooms", "agent", "etc"] {
        make_folder(&data_dir.join(folder), PASSABLE).map_err(failed)?;
    }
    if root {
        check_passable(&data_dir)?;
    }
    Ok(data_dir)
}

fn details(record: &SandboxRecord) -> Result<Details, EngineError> {
    if record.engine != "local" {
        return Err(EngineError::OtherEngine(record.engine.clone()));
    }
    serde_json::from_value(record.details.clone())
        .map_err(|_| EngineError::End { reason: "its record can't be read".to_owned() })
}

fn setup(reason: &str, source: Option<io::Error>) -> EngineError {
    EngineError::Start { reason: reason.to_owned(), source }
}

fn start(reason: &str, source: Option<io::Error>) -> EngineError {
    EngineError::Start { reason: reason.to_owned(), source }
}

fn erase(what: &str, source: io::Error) -> EngineError {
    EngineError::Erase { reason: what.to_owned(), source: Some(source) }
}

/// What bubblewrap said when it did not start.
fn complaint(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("sandbox.log")).unwrap_or_default();
    match log.trim() {
        "" => "bubblewrap ended without a word".to_owned(),
        said => said.chars().take(COMPLAINT).collect(),
    }
}

pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0))
}

fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).recursive(false).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path)?;
        }
        other => other?,
    }
    if path.metadata()?.permissions().mode() & 0o777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Where something is made before it takes its place.
fn beside(path: &Path) -> PathBuf {
    path.with_extension(format!("new-{}", std::process::id()))
}

/// Puts the agent where its version says, whole or not at all: what has that name is that version.
fn install(path: &Path, agent: &Agent) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let beside = beside(path);
    let mut file = fs::File::create(&beside)?;
    agent.write_to(&mut file)?;
    file.set_permissions(Permissions::from_mode(0o555))?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Writes a file of which many read, whole or not at all.
fn write_once(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let beside = beside(path);
    fs::write(&beside, bytes)?;
    fs::set_permissions(&beside, Permissions::from_mode(mode))?;
    fs::rename(&beside, path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Sandboxes run under users of their own: every folder above their homes must let those pass.
fn check_passable(data_dir: &Path) -> Result<(), EngineError> {
    for folder in data_dir.ancestors() {
        let mode = folder.metadata().map_err(|source| setup("the data directory can't be seen", Some(source)))?;
        if mode.permissions().mode() & 0o001 == 0 {
            let reason = format!(
                "sandboxes run under users of their own, who can't pass through {}; run `chmod o+x {}`, or choose \
                 another --data-dir",
                folder.display(),
                folder.display(),
            );
            return Err(setup(&reason, None));
        }
    }
    Ok(())
}
