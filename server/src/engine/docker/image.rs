//! Images for sandboxes: fetched if the engine lacks them, and prepared once by a build of the engine's own, which adds
//! the agent and what the sandbox's user needs. Any image works, also one without a shell.
//!
//! An `init` never waits for an image to be fetched: it takes what is ready, or is told why nothing is. Only what takes a
//! moment, looking and preparing, is waited for, and no longer than [`MOMENT`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ImageInspect;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::client::{CallError, Client};
use super::container::{AGENT, Prepared, SERVER};
use crate::engine::EngineHome;

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

/// How images stood when a server of this data directory wrote it down last.
pub(super) fn told(data_dir: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(data_dir.join(FILE)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
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
    Failed(String),
}

impl State {
    /// Why no sandbox can be started from it.
    pub(super) fn reason(&self, image: &str) -> String {
        match self {
            Self::Unknown => format!("the image {image} is being looked for"),
            Self::Silent(why) => format!("the engine does not answer: {why}"),
            Self::Fetching(progress) => format!("the image {image} is being fetched: {progress}"),
            Self::Preparing => format!("the image {image} is being prepared"),
            Self::Ready(_) => format!("the image {image} is ready"),
            Self::Failed(why) => format!("the image {image} can't be used: {why}"),
        }
    }
}

/// The images of all spaces.
#[derive(Debug)]
pub(super) struct Images {
    states: Mutex<HashMap<String, State>>,
    changed: Notify,
    /// Where it is written down how they stand.
    file: PathBuf,
    agent: Cow<'static, [u8]>,
    server: String,
}

impl Images {
    pub(super) fn new(names: impl Iterator<Item = String>, home: EngineHome, server: String) -> Self {
        let states = Mutex::new(names.map(|name| (name, State::Unknown)).collect());
        let file = home.data_dir.join(FILE);
        Self { states, changed: Notify::new(), file, agent: home.agent, server }
    }

    pub(super) fn state(&self, image: &str) -> State {
        self.states.lock().get(image).cloned().unwrap_or(State::Unknown)
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
        self.states.lock().keys().cloned().collect()
    }

    /// Looks whether the image is as it was and prepared; if not, and if `fetch` says so also from its registry, gets it
    /// there. What was ready stays so until something newer is.
    pub(super) async fn look(&self, client: &Client, image: &str, fetch: bool) -> Result<(), CallError> {
        let result = self.prepared(client, image, fetch).await;
        let (state, result) = match result {
            Ok(Some(prepared)) => (State::Ready(Arc::new(prepared)), Ok(())),
            Ok(None) => return Ok(()),
            Err(error @ CallError::Unreachable { .. }) => {
                self.announce(image, State::Silent(error.to_string()));
                return Err(error);
            }
            Err(CallError::Refused { message, .. }) => (State::Failed(message), Ok(())),
        };
        let before = self.states.lock().insert(image.to_owned(), state.clone());
        self.tell();
        if before.as_ref() != Some(&state) {
            match &state {
                State::Failed(why) => tracing::error!(image, why, "an image can't be used"),
                _ => tracing::info!(image, "an image is ready"),
            }
        }
        result
    }

    async fn prepared(&self, client: &Client, image: &str, fetch: bool) -> Result<Option<Prepared>, CallError> {
        let found = match inspect(client, image).await? {
            Some(found) => found,
            None if !fetch => return Ok(None),
            None => {
                self.fetch(client, image).await?;
                let gone = || refusal("the engine has fetched it and does not have it");
                inspect(client, image).await?.ok_or_else(gone)?
            }
        };
        let recipe = Recipe::new(&found)?;
        let (id, tag) = (found.id.unwrap_or_default(), self.tag(&recipe));
        let prepared = match inspect(client, &tag).await? {
            Some(prepared) => prepared,
            None => {
                self.announce(image, State::Preparing);
                tracing::info!(image, "preparing an image");
                self.build(client, &recipe, &tag).await?;
                inspect(client, &tag).await?.ok_or_else(|| refusal("the engine has built it and does not have it"))?
            }
        };
        tracing::debug!(image, id, tag, "an image is prepared");
        Ok(Some(Prepared { id: prepared.id.unwrap_or(tag), search: recipe.search, volumes: recipe.volumes }))
    }

    /// Tells where an image stands that has not been ready before.
    fn announce(&self, image: &str, state: State) {
        if let Some(known) = self.states.lock().get_mut(image)
            && !matches!(known, State::Ready(_))
        {
            *known = state;
        }
        self.tell();
    }

    /// Wakes who waits, and writes down how all images stand, for `doctor`, which is another process.
    fn tell(&self) {
        self.changed.notify_waiters();
        let states: BTreeMap<String, String> =
            self.states.lock().iter().map(|(name, state)| (name.clone(), state.reason(name))).collect();
        let text = serde_json::to_string_pretty(&states).expect("texts always serialise");
        // For people to look at: nothing else depends on it.
        if let Err(error) = std::fs::write(&self.file, text) {
            tracing::debug!(%error, "how images stand could not be written down");
        }
    }

    async fn fetch(&self, client: &Client, image: &str) -> Result<(), CallError> {
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
        client.follow(what, SILENCE, |api| api.create_image(Some(options), None, None).boxed(), each).await?;
        failed.map_or(Ok(()), |why| Err(refusal(&why)))
    }

    async fn build(&self, client: &Client, recipe: &Recipe, tag: &str) -> Result<(), CallError> {
        for _ in 1..BUILDS {
            match self.build_once(client, recipe, tag).await {
                // The engine gives builds the steps of others to go on from, and takes them away with the others' images.
                Err(CallError::Refused { message, .. }) if LOST.iter().any(|lost| message.contains(lost)) => {
                    tracing::debug!(tag, message, "a build lost what it stood on, and begins anew");
                }
                outcome => return outcome,
            }
        }
        self.build_once(client, recipe, tag).await
    }

    async fn build_once(&self, client: &Client, recipe: &Recipe, tag: &str) -> Result<(), CallError> {
        let context = recipe.context(&self.agent).map_err(|error| refusal(&error.to_string()))?;
        let labels = HashMap::from([(SERVER.to_owned(), self.server.clone())]);
        let options = BuildImageOptionsBuilder::default()
            .t(tag)
            .rm(true)
            .forcerm(true)
            .networkmode("none")
            .labels(&labels)
            .build();
        let body = bollard::body_full(context.into());
        let mut last = String::new();
        let mut failed = None;
        let each = |info: bollard::models::BuildInfo| {
            if let Some(text) = info.stream.filter(|text| !text.trim().is_empty()) {
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
            Err(error) => return Err(error),
        };
        Err(refusal(&format!("it can't be prepared: {why} ({last})")))
    }

    /// The name under which a recipe's image is kept: another base, agent or recipe has another. Each server has its own.
    fn tag(&self, recipe: &Recipe) -> String {
        let mut hash = Sha256::new();
        hash.update(recipe.dockerfile());
        hash.update(&self.agent);
        let hash: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("embedenv-prepared-{}:{hash}", self.server)
    }

    /// Removes what was prepared for images and agents of before. What a container still uses stays for the next time.
    pub(super) async fn tidy(&self, client: &Client) -> Result<(), CallError> {
        let ready: Vec<String> = {
            let states = self.states.lock();
            let ids = states.values().map(|state| match state {
                State::Ready(prepared) => Some(prepared.id.clone()),
                _ => None,
            });
            match ids.collect() {
                Some(ready) => ready,
                // One that is not ready may be so in a moment, and is not to be made anew.
                None => return Ok(()),
            }
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

fn refusal(message: &str) -> CallError {
    CallError::Refused { what: "use an image", status: 500, message: message.to_owned() }
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
    fn new(image: &ImageInspect) -> Result<Self, CallError> {
        let wrong = |what: String| Err(refusal(&what));
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
}
