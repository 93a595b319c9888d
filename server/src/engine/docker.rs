//! The Docker engine: a sandbox is a container of any image, with the agent as its first process. The only module that
//! knows bollard.
//!
//! ```text
//! embedenv-prepared-SERVER:HASH   a space's image with the agent and the sandbox's user
//! embedenv-SERVER-ROOM            a room's container, and by the same name the volume of its home
//! labels embedenv.server, .room   whose it is: what carries another server's label is never touched
//! ```
//!
//! The link of a new container is its standard input and output, attached before it starts; any later one is an `exec`
//! of the agent's connect mode. Both work the same against an engine on another host. The engine's archive endpoints
//! are used on containers alone that never run (`homes`): on others they follow links that a sandbox has made.
//!
//! Task tree: `container link`, one for each link; everything else runs in whoever asks, or in [`Engine::run`].

mod client;
mod container;
mod findings;
pub(crate) mod homes;
mod host;
mod image;
mod stream;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::models::EventMessage;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, EventsOptionsBuilder, InspectContainerOptions,
    ListContainersOptionsBuilder, ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    StartContainerOptions, WaitContainerOptions,
};
use embedenv_shared::id::RoomId;
use embedenv_shared::link::Preamble;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::seccomp::Filters;
use super::{
    EndCause, Engine, EngineError, EngineFuture, EngineHome, LinkStream, Notice, Profile, SandboxRecord, SandboxSpec,
    Standing, Started, Swept,
};
use crate::tasks::Tasks;
use client::{CallError, Client, unless_gone};
use container::Prepared;
pub(crate) use findings::findings;
use homes::{HomeError, Homes};
use host::Host;
use image::{Images, State};

/// Containers that are started at once; one more waits. An engine that is asked for more takes longer for each.
const STARTS: usize = 4;
/// How long one waits for its turn; then it could not be started.
const TURN: Duration = Duration::from_secs(30);
/// How long a server that begins waits for images that the engine has.
const OPEN: Duration = Duration::from_secs(20);
/// How often images are looked at: another may have the name by now.
const LOOK: Duration = Duration::from_secs(60);
/// How soon after the engine did not answer, or an image could not be had; each further time takes twice as long, up to
/// [`LOOK`].
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// After the engine's events broke off, they are asked for again.
const EVENTS_AGAIN: Duration = Duration::from_secs(1);
/// Events may be seldom: so long without one is no reason to ask again.
const EVENTS_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub struct DockerEngine {
    /// This server's own name among those that may share the engine.
    server: String,
    data_dir: PathBuf,
    client: Client,
    images: Images,
    /// What spaces run their containers with, where they name it.
    runtimes: BTreeSet<String>,
    /// An image is gone or another has its name: look at once.
    renamed: watch::Sender<()>,
    starts: Semaphore,
    /// Whether it did not answer when it was asked last.
    silent: AtomicBool,
    /// What its machine has; asked for anew after it was silent.
    host: Mutex<Option<Host>>,
    /// What the agent takes on beyond the engine's own filter of system calls.
    filters: Vec<Vec<u8>>,
    tasks: Tasks,
}

/// The engine's part of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Details {
    container: String,
    /// The prepared image that it was started from.
    image: String,
}

impl DockerEngine {
    /// Finds the engine and prepares those images of `profiles` that it has. An engine that does not answer is waited
    /// for while the server runs. `server` tells this server from others on the same engine.
    pub async fn open(
        home: EngineHome,
        server: String,
        profiles: impl Iterator<Item = &Profile>,
        tasks: Tasks,
    ) -> Result<Self, EngineError> {
        let filters = Filters::new().map_err(|reason| EngineError::Start { reason, source: None })?;
        let filters = filters.programs().map(<[u8]>::to_vec).collect();
        let profiles: Vec<&Profile> = profiles.collect();
        let data_dir = home.data_dir.clone();
        let images = Images::new(profiles.iter().map(|profile| profile.image.clone()), home, server.clone());
        let (client, renamed, starts) = (Client::default(), watch::Sender::new(()), Semaphore::new(STARTS));
        let runtimes = profiles.iter().filter_map(|profile| profile.runtime.clone()).collect();
        let (silent, host) = (AtomicBool::new(false), Mutex::default());
        let engine = Self { server, data_dir, client, images, runtimes, renamed, starts, silent, host, filters, tasks };
        let names = engine.images.names();
        let looked = join_all(names.iter().map(|name| engine.look(name, false)));
        if timeout(OPEN, looked).await.is_err() {
            tracing::warn!("images take long to prepare; rooms can be opened when they are ready");
        }
        Ok(engine)
    }

    /// Whether an engine answers and has this image.
    pub async fn has(image: &str) -> bool {
        let client = Client::default();
        client.ask("look at an image", |api| async move { api.inspect_image(image).await }).await.is_ok()
    }

    /// Looks at an image. Returns whether it is ready as its name says now.
    async fn look(&self, image: &str, fetch: bool) -> Result<bool, CallError> {
        let looked = self.images.look(&self.client, image, fetch).await;
        let was_silent = self.silent.swap(looked.is_err(), Ordering::Relaxed);
        if looked.is_err() {
            *self.host.lock() = None;
        }
        match &looked {
            Err(error) if !was_silent => tracing::warn!(%error, "the sandbox engine does not answer"),
            Ok(_) if was_silent => tracing::info!("the sandbox engine answers again"),
            _ => {}
        }
        looked
    }

    async fn launch(&self, spec: &SandboxSpec) -> Result<Started, EngineError> {
        let image = match self.images.settled(&spec.profile.image).await {
            State::Ready(image) => image,
            State::Silent(reason) => return Err(CallError::Unreachable { reason }.starting()),
            other => return Err(EngineError::Image { reason: other.reason(&spec.profile.image) }),
        };
        let busy = || EngineError::Start { reason: "too many sandboxes are being started".to_owned(), source: None };
        let _turn = timeout(TURN, self.starts.acquire()).await.ok().and_then(Result::ok).ok_or_else(busy)?;
        let host = self.host(spec.profile.runtime.as_deref()).await?;
        self.take_up_home(spec.room).await?;
        let container = self.create(spec, &image, &host).await?;
        let details = Details { container: container.clone(), image: image.id.clone() };
        match self.begin(spec, &container).await {
            Ok(stream) => Ok(Started { record: self.record(spec, details), stream: Some(stream) }),
            Err(error) => {
                // What can't be removed now is removed by a sweep.
                let _ = self.remove(&container).await;
                Err(error)
            }
        }
    }

    /// Gives a room the home that a backup kept of it, if one waits for it.
    async fn take_up_home(&self, room: RoomId) -> Result<(), EngineError> {
        let waiting = homes::waiting(&self.data_dir, room);
        match self.homes().take_up(room, &waiting).await {
            Ok(()) => Ok(()),
            Err(HomeError::Engine(error)) => Err(error.starting()),
            Err(HomeError::File(source)) => {
                let reason = "its home could not be taken out of the backup".to_owned();
                Err(EngineError::Start { reason, source: Some(source) })
            }
        }
    }

    fn homes(&self) -> Homes<'_> {
        Homes::new(&self.client, &self.server)
    }

    /// What the engine's machine has, with this runtime if one is named: it may have been added meanwhile.
    async fn host(&self, runtime: Option<&str>) -> Result<Host, EngineError> {
        let fits = |host: &Host| runtime.is_none_or(|runtime| host.knows(runtime));
        let known = self.host.lock().clone().filter(fits);
        if let Some(host) = known {
            return Ok(host);
        }
        let info = self.client.ask("tell about itself", |api| async move { api.info().await });
        let host = Host::of(&info.await.map_err(CallError::starting)?);
        *self.host.lock() = Some(host.clone());
        let unknown = || EngineError::Start {
            reason: format!("the engine does not know the runtime {}", runtime.unwrap_or_default()),
            source: None,
        };
        Some(host).filter(fits).ok_or_else(unknown)
    }

    fn record(&self, spec: &SandboxSpec, details: Details) -> SandboxRecord {
        let details = serde_json::to_value(details).expect("details always serialise");
        SandboxRecord { room: spec.room, engine: self.name().to_owned(), epoch: spec.epoch, details }
    }

    async fn create(&self, spec: &SandboxSpec, image: &Prepared, host: &Host) -> Result<String, EngineError> {
        let name = container::name(&self.server, spec.room);
        let create = async || {
            let request = container::request(&self.server, spec.room, &spec.profile, image, host);
            let options = CreateContainerOptionsBuilder::default().name(&name).build();
            let call = |api: bollard::Docker| async move { api.create_container(Some(options), request).await };
            self.client.ask("make a container", call).await
        };
        let created = match create().await {
            // One room, one container: what a start that was cut short has left goes first.
            Err(error) if error.status() == Some(409) => {
                self.remove(&name).await.map_err(CallError::starting)?;
                create().await
            }
            other => other,
        };
        match created {
            Ok(created) => Ok(created.id),
            Err(error) => {
                if error.status() == Some(404) {
                    self.renamed.send_replace(());
                }
                Err(error.starting())
            }
        }
    }

    /// Attaches to a container, sends what comes ahead of the link, and starts it.
    async fn begin(&self, spec: &SandboxSpec, container: &str) -> Result<LinkStream, EngineError> {
        let options =
            AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).stderr(true).build();
        let attach = |api: bollard::Docker| async move { api.attach_container(container, Some(options)).await };
        let mut attached = self.client.ask("attach to a container", attach).await.map_err(CallError::starting)?;
        let failed =
            |source| EngineError::Start { reason: "the container takes no input".to_owned(), source: Some(source) };
        let preamble = Preamble { secret: spec.secret.0, filters: self.filters.clone() };
        attached.input.write_all(&preamble.encode()).await.map_err(failed)?;
        attached.input.flush().await.map_err(failed)?;
        let start =
            |api: bollard::Docker| async move { api.start_container(container, None::<StartContainerOptions>).await };
        self.client.ask("start a container", start).await.map_err(CallError::starting)?;
        stream::carry(spec.room, attached.output, attached.input, &self.tasks).map_err(failed)
    }

    async fn reach(&self, record: &SandboxRecord) -> Result<LinkStream, EngineError> {
        let Details { container, .. } = details(record)?;
        let command = [container::AGENT, "connect", container::SOCKET];
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            user: Some(container::RELAY),
            working_dir: Some("/"),
            ..CreateExecOptions::default()
        };
        let create = |api: bollard::Docker| async move { api.create_exec(&container, options).await };
        let exec = self.client.ask("reach into a container", create).await.map_err(CallError::connecting)?;
        let start = |api: bollard::Docker| async move { api.start_exec(&exec.id, None::<StartExecOptions>).await };
        match self.client.ask("reach into a container", start).await.map_err(CallError::connecting)? {
            StartExecResults::Attached { output, input } => {
                stream::carry(record.room, output, input, &self.tasks).map_err(EngineError::Connect)
            }
            StartExecResults::Detached => Err(EngineError::Connect(std::io::ErrorKind::Unsupported.into())),
        }
    }

    /// Ends and removes a container; its home's volume stays.
    async fn remove(&self, container: &str) -> Result<(), CallError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let remove = |api: bollard::Docker| async move { api.remove_container(container, Some(options)).await };
        unless_gone(self.client.ask("remove a container", remove).await)
    }

    async fn remove_volume(&self, name: &str) -> Result<(), CallError> {
        let remove = |api: bollard::Docker| async move { api.remove_volume(name, None::<RemoveVolumeOptions>).await };
        unless_gone(self.client.ask("remove a volume", remove).await)
    }

    /// Returns when the container runs no more, with what the engine knows of it.
    async fn outlive(&self, record: &SandboxRecord) -> Result<EndCause, EngineError> {
        let Details { container, .. } = details(record)?;
        loop {
            let inspect = |api: bollard::Docker| {
                let container = container.clone();
                async move { api.inspect_container(&container, None::<InspectContainerOptions>).await }
            };
            let state = match self.client.ask("look at a container", inspect).await {
                Ok(found) => found.state.unwrap_or_default(),
                // Somebody has removed it.
                Err(error) if error.status() == Some(404) => return Ok(EndCause::Ended),
                Err(error) => return Err(error.ending()),
            };
            if state.running != Some(true) {
                let killed = state.oom_killed == Some(true);
                return Ok(if killed { EndCause::OutOfMemory } else { EndCause::Ended });
            }
            let (what, container, none) = ("wait for a container", &container, None::<WaitContainerOptions>);
            let waited =
                self.client.follow(what, EVENTS_PAUSE, |api| api.wait_container(container, none).boxed(), |_| {});
            // A container that ended with another code than 0 is an error to the engine; how it is is asked next.
            let _ = waited.await;
        }
    }

    /// What finds the containers and volumes of this server's rooms, and not what its builds of images use for a moment.
    fn own(&self) -> HashMap<String, Vec<String>> {
        let labels = vec![format!("{}={}", container::SERVER, self.server), container::ROOM.to_owned()];
        HashMap::from([("label".to_owned(), labels)])
    }

    async fn clean(&self, standing: &(dyn Fn(RoomId) -> Standing + Send + Sync)) -> Result<Swept, CallError> {
        let mut swept = Swept::default();
        let options = ListContainersOptionsBuilder::default().all(true).filters(&self.own()).build();
        let list = |api: bollard::Docker| async move { api.list_containers(Some(options)).await };
        for found in self.client.ask("list containers", list).await? {
            let Some(id) = found.id else { continue };
            let room = room(found.labels.as_ref());
            if room.is_none_or(|room| standing(room) != Standing::Awake) {
                tracing::info!(container = id, ?room, "removing a container that no room owns");
                swept.sandboxes += usize::from(is_removed(&id, self.remove(&id).await)?);
            }
        }
        let options = ListVolumesOptionsBuilder::default().filters(&self.own()).build();
        let list = |api: bollard::Docker| async move { api.list_volumes(Some(options)).await };
        for found in self.client.ask("list volumes", list).await?.volumes.unwrap_or_default() {
            if room(Some(&found.labels)).is_none_or(|room| standing(room) == Standing::Unknown) {
                swept.homes += usize::from(is_removed(&found.name, self.remove_volume(&found.name).await)?);
            }
        }
        Ok(swept)
    }

    /// Keeps one image as it should be, however long another takes.
    async fn keep_image(&self, image: &str) {
        let mut renamed = self.renamed.subscribe();
        let mut again = LOOK_AGAIN;
        loop {
            renamed.mark_unchanged();
            let looked = self.look(image, true).await;
            let ready = matches!(looked, Ok(true));
            let pause = if ready { LOOK } else { again };
            // What was refused will most likely be so again. An engine that is silent may be back at any time.
            again = if matches!(looked, Ok(false)) { longer(again) } else { LOOK_AGAIN };
            let next = Instant::now() + pause;
            while let Ok(Ok(())) = timeout_at(next, renamed.changed()).await {
                // To try what was refused makes names, too: that must not be a reason to try it again.
                if ready || self.images.means_another(&self.client, image).await {
                    again = LOOK_AGAIN;
                    break;
                }
            }
        }
    }

    /// Removes what was prepared and is used no more, after every change of an image.
    async fn keep_tidy(&self) {
        loop {
            let changed = self.images.changed();
            if let Err(error) = self.images.tidy(&self.client).await {
                tracing::debug!(%error, "images of before could not be removed");
            }
            let _ = timeout(LOOK, changed).await;
        }
    }

    /// Says what the engine can't do, once it answers.
    async fn tell(&self) {
        while findings::tell(&self.client, &self.runtimes).await.is_err() {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Hears from the engine what the kernel has killed for want of memory, and when names of images change.
    async fn keep_hearing(&self, tell: &(dyn Fn(Notice) + Send + Sync)) {
        let mut killed = self.own();
        killed.insert("type".to_owned(), vec!["container".to_owned()]);
        killed.insert("event".to_owned(), vec!["oom".to_owned()]);
        let images = [("type", vec!["image"]), ("event", vec!["tag", "untag", "pull", "load", "import", "delete"])];
        let images = images.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        tokio::join!(
            self.hear(killed, |event| {
                let attributes = event.actor.and_then(|actor| actor.attributes);
                if let Some(room) = room(attributes.as_ref()) {
                    tell(Notice::OutOfMemory(room));
                }
            }),
            self.hear(images.into(), |_| self.renamed.send_replace(())),
        );
    }

    /// Follows events of the engine; when they break off, those that come next.
    async fn hear(&self, filters: HashMap<String, Vec<String>>, each: impl Fn(EventMessage)) {
        loop {
            let options = EventsOptionsBuilder::default().filters(&filters).build();
            let heard = self.client.follow("tell events", EVENTS_PAUSE, |api| api.events(Some(options)).boxed(), &each);
            if let Err(error) = heard.await {
                tracing::debug!(%error, "the engine's events broke off");
            }
            sleep(EVENTS_AGAIN).await;
        }
    }
}

impl Engine for DockerEngine {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn start<'a>(&'a self, spec: &'a SandboxSpec) -> EngineFuture<'a, Started> {
        Box::pin(self.launch(spec))
    }

    fn connect<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, LinkStream> {
        Box::pin(self.reach(record))
    }

    fn end<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            details(record)?;
            self.remove(&container::name(&self.server, record.room)).await.map_err(CallError::ending)
        })
    }

    fn ended<'a>(&'a self, record: &'a SandboxRecord) -> EngineFuture<'a, EndCause> {
        Box::pin(self.outlive(record))
    }

    fn erase(&self, room: RoomId) -> EngineFuture<'_, ()> {
        Box::pin(async move {
            let name = container::name(&self.server, room);
            // What a backup kept of it is not to come back.
            let _ = tokio::fs::remove_file(homes::waiting(&self.data_dir, room)).await;
            self.remove(&name).await.map_err(CallError::erasing)?;
            match self.remove_volume(&name).await {
                // A copy that was interrupted holds it.
                Err(error) if error.status() == Some(409) => {
                    let homes = self.homes();
                    homes.put_down(&homes.carrier(room)).await.map_err(CallError::erasing)?;
                    self.remove_volume(&name).await.map_err(CallError::erasing)
                }
                other => other.map_err(CallError::erasing),
            }
        })
    }

    fn sweep<'a>(&'a self, standing: &'a (dyn Fn(RoomId) -> Standing + Send + Sync)) -> EngineFuture<'a, Swept> {
        Box::pin(async move { self.clean(standing).await.map_err(CallError::erasing) })
    }

    fn is_current(&self, profile: &Profile, record: &SandboxRecord) -> bool {
        match (self.images.state(&profile.image), details(record)) {
            (State::Ready(image), Ok(details)) => details.image == image.id,
            _ => true,
        }
    }

    fn run<'a>(&'a self, tell: &'a (dyn Fn(Notice) + Send + Sync)) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let names = self.images.names();
            let images = join_all(names.iter().map(|name| self.keep_image(name)));
            tokio::join!(images, self.keep_tidy(), self.tell(), self.keep_hearing(tell));
        })
    }
}

fn details(record: &SandboxRecord) -> Result<Details, EngineError> {
    if record.engine != "docker" {
        return Err(EngineError::OtherEngine(record.engine.clone()));
    }
    serde_json::from_value(record.details.clone())
        .map_err(|_| EngineError::End { reason: "its record can't be read".to_owned() })
}

/// How long to wait after one more refusal.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LOOK)
}

/// Whether a sweep has removed a thing. One that can't be removed is told of and keeps no other from going; only an engine
/// that does not answer ends the sweep.
fn is_removed(name: &str, outcome: Result<(), CallError>) -> Result<bool, CallError> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error @ CallError::Unreachable { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(name, %error, "what no room owns could not be removed, and is tried again");
            Ok(false)
        }
    }
}

fn room(labels: Option<&HashMap<String, String>>) -> Option<RoomId> {
    labels?.get(container::ROOM)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_tried_ever_less_often() {
        let pauses = std::iter::successors(Some(LOOK_AGAIN), |pause| Some(longer(*pause)));
        let seconds: Vec<u64> = pauses.take(7).map(|pause| pause.as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_refusal_ends_no_sweep_and_a_silent_engine_does() {
        let refused = CallError::Refused { what: "remove a volume", status: 409, message: "in use".to_owned() };
        let silent = CallError::Unreachable { reason: "gone".to_owned() };
        assert!(is_removed("a", Ok(())).unwrap());
        assert!(!is_removed("a", Err(refused)).unwrap());
        assert!(is_removed("a", Err(silent)).is_err());
    }
}
