//! Images for sandboxes: fetched if the engine lacks them, and prepared once by a build of the engine's own, which adds
//! the agent and what the sandbox's user needs. Any image works, also one without a shell.
//!
//! An `init` never waits for an image to be fetched: it takes what is ready, or is told why nothing is. Only what takes a
//! moment, looking and preparing, is waited for, and no longer than [`MOMENT`].
//!
//! What engines and registries say may name paths and hosts of theirs: that is for the log and for `doctor`, and never
//! for clients ([`Fault`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ImageInspect;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, RwLock};
use tokio::time::{Instant, timeout};

use super::client::{CallError, Client, FULL, is_full};
use super::container::{AGENT, Prepared, SERVER};
use crate::engine::{Agent, EngineHome, WORKSPACE};

/// How long a fetch or a build may say nothing.
const SILENCE: Duration = Duration::from_secs(120);
/// Times that an image is built before it is given up.
const BUILDS: usize = 5;
/// What an engine says when the image that a step goes on from is taken away: before the step, while it is written, or after.
const LOST: [&str; 3] = ["No such image", "unknown parent image", "failed to get digest"];
/// How long an `init` waits for an image that the engine has.
const MOMENT: Duration = Duration::from_secs(5);
/// How often a fetch's progress is logged and written down.
const PROGRESS: Duration = Duration::from_secs(5);
/// What an image without a `PATH` of its own is searched for.
const SEARCH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Programs of the user's own come first, those of ours last.
const OWN_FIRST: &str = "/home/user/.local/bin";
const OURS_LAST: &str = "/.embedenv/bin";

/// The file of the data directory that says how images stand.
const FILE: &str = "images.json";

/// How an image stood when a server wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) ready: bool,
    pub(super) text: String,
}

/// How images stood when a server of this data directory wrote it down last.
pub(super) fn told(data_dir: &Path) -> BTreeMap<String, Told> {
    let text = std::fs::read_to_string(data_dir.join(FILE)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Why an image can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// As everybody may be told.
    why: String,
    /// In the words of the engine or the registry, if they are others.
    said: Option<String>,
}

impl Fault {
    fn plain(why: impl Into<String>) -> Self {
        Self { why: why.into(), said: None }
    }

    /// The image could not be fetched.
    fn fetching(said: &str) -> Self {
        let lower = said.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let why = match () {
            () if is_full(said) => FULL,
            () if says(&["manifest unknown", "not found", "does not exist"]) => "its registry does not have it",
            () if says(&["denied", "unauthorized", "authentication", "credentials"]) => {
                "its registry does not let this engine have it"
            }
            () if says(&["too many requests", "toomanyrequests"]) => {
                "its registry lets this engine have no more for now"
            }
            () if says(&["dial ", "lookup ", "timeout", "connection", "tls", "eof"]) => "its registry can't be reached",
            () => "it can't be fetched",
        };
        Self { why: why.to_owned(), said: Some(said.to_owned()) }
    }

    /// It could not be prepared; `agent` is what our own program said of that inside.
    fn preparing(said: String, agent: Option<&str>) -> Self {
        let why = match agent {
            _ if is_full(&said) => FULL.to_owned(),
            Some(agent) => format!("it can't be prepared: {agent}"),
            None => "it can't be prepared".to_owned(),
        };
        Self { why, said: Some(said) }
    }
}

/// For the log and for `doctor`.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.said {
            Some(said) => write!(f, "{}: {said}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ImageError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{0}")]
    Unusable(Fault),
}

impl ImageError {
    fn of(why: &str) -> Self {
        Self::Unusable(Fault::plain(why))
    }
}

/// Where an image stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Not looked at yet.
    Unknown,
    /// The engine did not answer.
    Silent(String),
    Fetching(String),
    Preparing,
    Ready(Arc<Prepared>),
    Failed(Fault),
}

impl State {
    /// Why no sandbox can be started from it, as clients are told.
    pub(super) fn reason(&self, image: &str) -> String {
        match self {
            Self::Unknown => format!("the image {image} is being looked for"),
            Self::Silent(_) => "the engine does not answer".to_owned(),
            Self::Fetching(progress) => format!("the image {image} is being fetched: {progress}"),
            Self::Preparing => format!("the image {image} is being prepared"),
            Self::Ready(_) => format!("the image {image} is ready"),
            Self::Failed(fault) => format!("the image {image} can't be used: {}", fault.why),
        }
    }

    /// The whole of it, for whoever runs the server.
    fn told(&self, image: &str) -> Told {
        let text = match self {
            Self::Silent(why) => format!("the engine does not answer: {why}"),
            Self::Failed(fault) => format!("the image {image} can't be used: {fault}"),
            other => other.reason(image),
        };
        Told { ready: matches!(self, Self::Ready(_)), text }
    }

    /// Whether it stays so until something happens.
    fn is_settled(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::Failed(_))
    }
}

/// What is known of one image.
#[derive(Debug)]
struct Known {
    state: State,
    /// What its name meant when it was looked at last.
    base: Option<String>,
    /// What the log says of it: that is not said again.
    logged: Option<String>,
}

/// The images of all spaces.
#[derive(Debug)]
pub(super) struct Images {
    known: Mutex<BTreeMap<String, Known>>,
    changed: Notify,
    /// Shared by those that prepare an image and have not yet said so; whoever removes images takes it alone. Puts steps
    /// in order: held across them.
    preparing: RwLock<()>,
    /// Where it is written down how they stand.
    file: PathBuf,
    agent: Agent,
    server: String,
}

impl Images {
    pub(super) fn new(names: impl Iterator<Item = String>, home: EngineHome, server: String) -> Self {
        let unknown = || Known { state: State::Unknown, base: None, logged: None };
        let known = Mutex::new(names.map(|name| (name, unknown())).collect());
        let file = home.data_dir.join(FILE);
        Self { known, changed: Notify::new(), preparing: RwLock::default(), file, agent: home.agent, server }
    }

    pub(super) fn state(&self, image: &str) -> State {
        self.known.lock().get(image).map_or(State::Unknown, |known| known.state.clone())
    }

    /// Returns when one stands otherwise than now.
    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Where an image stands, once it is known whether it can be used soon.
    pub(super) async fn settled(&self, image: &str) -> State {
        let settled = async {
            loop {
                let changed = self.changed.notified();
                match self.state(image) {
                    State::Unknown | State::Preparing => changed.await,
                    state => return state,
                }
            }
        };
        timeout(MOMENT, settled).await.unwrap_or_else(|_| self.state(image))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.known.lock().keys().cloned().collect()
    }

    /// Looks whether the image is as it was and prepared; if not, and if `fetch` says so also from its registry, gets it
    /// there. What was ready stays so until something newer is. Returns whether it is ready as its name says now.
    pub(super) async fn look(&self, client: &Client, image: &str, fetch: bool) -> Result<bool, CallError> {
        let error = match self.make_ready(client, image, fetch).await {
            Ok(ready) => return Ok(ready),
            Err(error) => error,
        };
        let fault = match error {
            ImageError::Call(error @ CallError::Unreachable { .. }) => {
                self.announce(image, State::Silent(error.to_string()));
                return Err(error);
            }
            ImageError::Call(CallError::Refused { what, message, .. }) => {
                Fault { why: format!("the engine refused to {what}"), said: Some(message) }
            }
            ImageError::Unusable(fault) => fault,
        };
        if let State::Ready(prepared) = self.state(image)
            && !matches!(inspect(client, &prepared.id).await, Ok(None))
        {
            if self.is_news(image, &fault.to_string()) {
                tracing::warn!(image, %fault, "an image can't be had anew; what was prepared before is used on");
            }
            return Ok(false);
        }
        if self.is_news(image, &fault.to_string()) {
            tracing::error!(image, %fault, "an image can't be used");
        }
        self.settle(image, State::Failed(fault));
        Ok(false)
    }

    /// Whether the name means another image than when it was looked at last.
    pub(super) async fn means_another(&self, client: &Client, image: &str) -> bool {
        let Ok(found) = inspect(client, image).await else { return false };
        let base = self.known.lock().get(image).and_then(|known| known.base.clone());
        found.and_then(|found| found.id) != base
    }

    /// Gets an image ready. Returns whether it is: it is not where it is not there and is not to be fetched.
    async fn make_ready(&self, client: &Client, image: &str, fetch: bool) -> Result<bool, ImageError> {
        let mut found = inspect(client, image).await?;
        self.remember(image, &found);
        if found.is_none() {
            // Nobody has published it, so whoever takes the name in a registry is a stranger.
            if image == WORKSPACE {
                let how = "it is made, and never fetched by itself; docs/deployment.md tells how";
                return Err(ImageError::of(&format!("the engine does not have it: {how}")));
            }
            if !fetch {
                return Ok(false);
            }
            self.fetch(client, image).await?;
            found = inspect(client, image).await?;
            self.remember(image, &found);
        }
        let found = found.ok_or_else(|| ImageError::of("the engine has fetched it and does not have it"))?;
        let recipe = Recipe::new(&found).map_err(ImageError::Unusable)?;
        let tag = self.tag(&recipe);
        let _preparing = self.preparing.read().await;
        let prepared = match inspect(client, &tag).await? {
            Some(prepared) => prepared,
            None => {
                self.announce(image, State::Preparing);
                tracing::info!(image, "preparing an image");
                self.build(client, &recipe, &tag).await?;
                let gone = || ImageError::of("the engine has built it and does not have it");
                inspect(client, &tag).await?.ok_or_else(gone)?
            }
        };
        let id = prepared.id.unwrap_or(tag);
        if self.is_news(image, &id) {
            tracing::info!(image, "an image is ready");
        }
        let prepared = Prepared { id, search: recipe.search, volumes: recipe.volumes };
        self.settle(image, State::Ready(Arc::new(prepared)));
        Ok(true)
    }

    fn remember(&self, image: &str, found: &Option<ImageInspect>) {
        if let Some(known) = self.known.lock().get_mut(image) {
            known.base = found.as_ref().and_then(|found| found.id.clone());
        }
    }

    /// Whether the log does not say so of this image already.
    fn is_news(&self, image: &str, text: &str) -> bool {
        let mut all = self.known.lock();
        let Some(known) = all.get_mut(image) else { return false };
        let news = known.logged.as_deref() != Some(text);
        if news {
            known.logged = Some(text.to_owned());
        }
        news
    }

    /// Tells where an image stands that has not been ready before.
    fn announce(&self, image: &str, state: State) {
        if !matches!(self.state(image), State::Ready(_)) {
            self.settle(image, state);
        }
    }

    /// Wakes who waits, and writes down how all images stand, for `doctor`, which is another process.
    fn settle(&self, image: &str, state: State) {
        let states: BTreeMap<String, Told> = {
            let mut all = self.known.lock();
            match all.get_mut(image) {
                Some(known) if known.state != state => known.state = state,
                _ => return,
            }
            all.iter().map(|(name, known)| (name.clone(), known.state.told(name))).collect()
        };
        self.changed.notify_waiters();
        let text = serde_json::to_string_pretty(&states).expect("texts always serialise");
        // For people to look at: nothing else depends on it.
        if let Err(error) = std::fs::write(&self.file, text) {
            tracing::debug!(%error, "how images stand could not be written down");
        }
    }

    async fn fetch(&self, client: &Client, image: &str) -> Result<(), ImageError> {
        tracing::info!(image, "fetching an image");
        self.announce(image, State::Fetching("begun".to_owned()));
        let (name, tag) = split(image);
        let options = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
        let mut logged = Instant::now();
        let mut layers: HashMap<String, (i64, i64)> = HashMap::new();
        let mut failed = None;
        let each = |info: bollard::models::CreateImageInfo| {
            if let Some(error) = info.error_detail {
                failed = error.message;
            }
            let progress = info.progress_detail.and_then(|detail| Some((detail.current?, detail.total?)));
            if let (Some(layer), Some(progress)) = (info.id, progress) {
                layers.insert(layer, progress);
            }
            let (done, all) = layers.values().fold((0, 0), |(a, b), (current, total)| (a + current, b + total));
            let text = format!("{} of {} MB", done / 1_000_000, all / 1_000_000);
            if logged.elapsed() >= PROGRESS {
                logged = Instant::now();
                tracing::info!(image, progress = text, "fetching an image");
                self.announce(image, State::Fetching(text));
            }
        };
        let what = "fetch an image";
        let asked = client.follow(what, SILENCE, |api| api.create_image(Some(options), None, None).boxed(), each).await;
        match (asked, failed) {
            (Err(CallError::Refused { message, .. }), _) | (Ok(()), Some(message)) => {
                Err(ImageError::Unusable(Fault::fetching(&message)))
            }
            (asked, _) => Ok(asked?),
        }
    }

    async fn build(&self, client: &Client, recipe: &Recipe, tag: &str) -> Result<(), ImageError> {
        for _ in 1..BUILDS {
            match self.build_once(client, recipe, tag).await {
                // The engine gives builds the steps of others to go on from, and takes them away with the others' images.
                Err(ImageError::Unusable(fault)) if LOST.iter().any(|lost| fault.to_string().contains(lost)) => {
                    tracing::debug!(tag, %fault, "a build lost what it stood on, and begins anew");
                }
                outcome => return outcome,
            }
        }
        self.build_once(client, recipe, tag).await
    }

    async fn build_once(&self, client: &Client, recipe: &Recipe, tag: &str) -> Result<(), ImageError> {
        let context = self
            .agent
            .unpacked()
            .and_then(|agent| recipe.context(&agent))
            .map_err(|error| ImageError::of(&error.to_string()))?;
        let labels = HashMap::from([(SERVER.to_owned(), self.server.clone())]);
        let options = BuildImageOptionsBuilder::default()
            .t(tag)
            .rm(true)
            .forcerm(true)
            .networkmode("none")
            .labels(&labels)
            .build();
        let body = bollard::body_full(context.into());
        let (mut last, mut agent) = (String::new(), None);
        let mut failed = None;
        let each = |info: bollard::models::BuildInfo| {
            if let Some(text) = info.stream.filter(|text| !text.trim().is_empty()) {
                agent = said_by_agent(&text).map(str::to_owned).or(agent.take());
                last = text.trim().to_owned();
            }
            if let Some(error) = info.error_detail {
                failed = error.message;
            }
        };
        let what = "prepare an image";
        let built = client.follow(what, SILENCE, |api| api.build_image(options, None, Some(body)).boxed(), each).await;
        let why = match built {
            Ok(()) => match failed {
                None => return Ok(()),
                Some(why) => why,
            },
            Err(CallError::Refused { message, .. }) => message,
            Err(error) => return Err(error.into()),
        };
        Err(ImageError::Unusable(Fault::preparing(format!("{why} ({last})"), agent.as_deref())))
    }

    /// The name under which a recipe's image is kept: another base, agent or recipe has another. Each server has its own.
    fn tag(&self, recipe: &Recipe) -> String {
        let mut hash = Sha256::new();
        hash.update(recipe.dockerfile());
        hash.update(self.agent.version());
        let hash: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("embedenv-prepared-{}:{hash}", self.server)
    }

    /// Removes what was prepared for images and agents of before. What a container still uses stays for the next time.
    pub(super) async fn tidy(&self, client: &Client) -> Result<(), CallError> {
        // What is just being prepared is of now, and not yet known as that. Another time will do.
        let Ok(_alone) = self.preparing.try_write() else { return Ok(()) };
        let ready: BTreeSet<String> = {
            let all = self.known.lock();
            // One that is not settled may be ready in a moment, and is not to be made anew.
            if !all.values().all(|known| known.state.is_settled()) {
                return Ok(());
            }
            let ids = all.values().filter_map(|known| match &known.state {
                State::Ready(prepared) => Some(prepared.id.clone()),
                _ => None,
            });
            ids.collect()
        };
        let filters = HashMap::from([("label".to_owned(), vec![format!("{SERVER}={}", self.server)])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = client.ask("list images", |api| async move { api.list_images(Some(options)).await }).await?;
        for image in images.into_iter().filter(|image| !ready.contains(&image.id)) {
            let none = None::<RemoveImageOptions>;
            let removed =
                client.ask("remove an image", |api| async move { api.remove_image(&image.id, none, None).await });
            if let Err(error) = removed.await {
                tracing::debug!(%error, "an image of before is still used");
            }
        }
        Ok(())
    }
}

async fn inspect(client: &Client, image: &str) -> Result<Option<ImageInspect>, CallError> {
    match client.ask("look at an image", |api| async move { api.inspect_image(image).await }).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What our own program says in a build: the engine may have coloured it.
fn said_by_agent(text: &str) -> Option<&str> {
    let (_, said) = text.split_once("embedenv-agent: ")?;
    said.split(|character: char| character.is_control()).next().filter(|said| !said.is_empty())
}

/// A name and its tag; a digest is a part of the name.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !name.contains('@') => (name, tag),
        _ if image.contains('@') => (image, ""),
        _ => (image, "latest"),
    }
}

/// How an image is prepared.
#[derive(Debug)]
struct Recipe {
    base: String,
    search: String,
    volumes: Vec<String>,
}

impl Recipe {
    fn new(image: &ImageInspect) -> Result<Self, Fault> {
        let wrong = |what: String| Err(Fault::plain(what));
        let os = image.os.as_deref().unwrap_or("linux");
        if os != "linux" {
            return wrong(format!("it is for {os}, and sandboxes run Linux"));
        }
        let ours = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let architecture = image.architecture.as_deref().unwrap_or(ours);
        if architecture != ours {
            return wrong(format!("it is for {architecture}, and this server's agent for {ours}"));
        }
        let config = image.config.clone().unwrap_or_default();
        let environment = config.env.unwrap_or_default();
        let search = environment.iter().find_map(|line| line.strip_prefix("PATH=")).filter(|search| !search.is_empty());
        let search = format!("{OWN_FIRST}:{}:{OURS_LAST}", search.unwrap_or(SEARCH));
        if search.contains(|character: char| character.is_control()) {
            return wrong("its PATH holds control characters".to_owned());
        }
        let Some(base) = image.id.clone() else { return wrong("the engine gives it no id".to_owned()) };
        Ok(Self { base, search, volumes: config.volumes.unwrap_or_default() })
    }

    fn dockerfile(&self) -> String {
        let search: String =
            self.search.chars().flat_map(|c| "\"\\$".contains(c).then_some('\\').into_iter().chain([c])).collect();
        format!(
            "FROM {}\nUSER 0:0\nCOPY agent {AGENT}\nENV PATH=\"{search}\"\nRUN [\"{AGENT}\", \"prepare\"]\n",
            self.base
        )
    }

    /// What the engine builds from, as a tar archive.
    fn context(&self, agent: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, mode, bytes) in [("Dockerfile", 0o444, self.dockerfile().as_bytes()), ("agent", 0o555, agent)] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes)?;
        }
        archive.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tags_and_digests_are_told_apart() {
        assert_eq!(split("python"), ("python", "latest"));
        assert_eq!(split("python:3.12"), ("python", "3.12"));
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b", "latest"));
        assert_eq!(split("localhost:5000/a/b:c"), ("localhost:5000/a/b", "c"));
        assert_eq!(split("a@sha256:00"), ("a@sha256:00", ""));
    }

    #[test]
    fn a_path_can_write_no_line_of_its_own_into_the_recipe() {
        let image = |path: &str| ImageInspect {
            id: Some("sha256:0".to_owned()),
            config: Some(bollard::models::ImageConfig {
                env: Some(vec![format!("PATH={path}")]),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert!(Recipe::new(&image("/bin\nRUN x")).is_err());
        let recipe = Recipe::new(&image("/a\"b$c\\")).unwrap();
        assert!(recipe.dockerfile().contains(r#"ENV PATH="/home/user/.local/bin:/a\"b\$c\\:/.embedenv/bin""#));
    }

    #[test]
    fn images_that_can_not_work_say_why() {
        let image = |os: &str, architecture: &str| ImageInspect {
            id: Some("sha256:0".to_owned()),
            os: Some(os.to_owned()),
            architecture: Some(architecture.to_owned()),
            ..Default::default()
        };
        let why = |image| Recipe::new(&image).unwrap_err().to_string();
        assert!(why(image("windows", "amd64")).contains("windows"));
        assert!(why(image("linux", "s390x")).contains("s390x"));
    }

    #[test]
    fn what_engines_and_registries_say_is_for_the_log_and_clients_get_a_reason() {
        for (said, why) in [
            ("manifest for a:b not found: manifest unknown", "does not have it"),
            ("pull access denied for x, repository does not exist or may require 'docker login'", "does not have it"),
            ("Get \"https://10.1.2.3/v2/\": unauthorized: basic auth", "does not let this engine"),
            ("Get \"https://10.1.2.3/v2/\": dial tcp 10.1.2.3:443: connect: connection refused", "can't be reached"),
            ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "disk is full"),
            ("open /var/lib/docker/x: operation not permitted", "it can't be fetched"),
        ] {
            let state = State::Failed(Fault::fetching(said));
            let reason = state.reason("a:b");
            assert!(reason.contains(why) && !reason.contains("10.1.2.3") && !reason.contains("/var"), "{reason}");
            assert!(state.told("a:b").text.contains(said));
        }
        let silent = State::Silent("cannot connect to /run/user/0/docker.sock".to_owned());
        assert!(!silent.reason("a").contains("docker.sock") && silent.told("a").text.contains("docker.sock"));
    }

    #[test]
    fn what_the_agent_says_of_an_image_is_a_reason() {
        let said = said_by_agent("\u{1b}[91membedenv-agent: cannot make /home/user: Not a directory\u{1b}[0m\n");
        let fault = Fault::preparing("/var/lib/docker returned 1".to_owned(), said);
        assert_eq!(fault.why, "it can't be prepared: cannot make /home/user: Not a directory");
        assert_eq!(Fault::preparing("/var/lib/docker".to_owned(), None).why, "it can't be prepared");
    }

    #[test]
    fn the_log_says_a_thing_once_whatever_was_announced_between() {
        let data = tempfile::tempdir().unwrap();
        let home = EngineHome { data_dir: data.path().to_owned(), agent: Agent::new([0; 32], b"".into()) };
        let images = Images::new(["a".to_owned()].into_iter(), home, "s".to_owned());
        assert!(images.is_news("a", "no"));
        images.announce("a", State::Fetching("begun".to_owned()));
        assert!(!images.is_news("a", "no"));
        assert!(images.is_news("a", "other") && images.is_news("a", "no"));
    }
}
