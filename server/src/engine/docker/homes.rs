//! Homes in and out of the engine: what a backup copies, and what a server takes up again of one.
//!
//! A volume has no door of its own: a container that is never started, of an image without a program, is made with it, and
//! the engine's archive of that container's folder is the home. Nothing of a home is looked at here.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, DownloadFromContainerOptionsBuilder,
    RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use embedenv_shared::id::RoomId;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{CallError, Client, unless_gone};
use super::container::{self, HOME};

/// The folder of a data directory in which homes of a backup wait for their rooms to wake.
pub(crate) const WAITING: &str = "homes";
/// The image without a program.
const CARRIER: &str = "embedenv/carrier";
/// The longest pause of an engine that hands over or takes a home.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest that it may take with a whole one.
const TAKING: Duration = Duration::from_secs(30 * 60);
/// Bytes of a home that are handed over at once.
const PIECE: usize = 256 * 1024;

/// Where a home of a backup lies until its room wakes.
pub(crate) fn waiting(data_dir: &Path, room: RoomId) -> PathBuf {
    data_dir.join(WAITING).join(format!("{room}.tar"))
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error(transparent)]
    Engine(#[from] CallError),
    #[error("a home's copy cannot be read or written")]
    File(#[from] io::Error),
}

/// The homes of a server's rooms for whoever copies them beside it.
#[derive(Debug, Default)]
pub(crate) struct Copies(Client);

impl Copies {
    /// As [`Homes::save`].
    pub(crate) async fn save(&self, server: &str, room: RoomId, to: &Path) -> Result<bool, HomeError> {
        Homes::new(&self.0, server).save(room, to).await
    }
}

/// The homes of one server's rooms.
#[derive(Debug)]
pub(crate) struct Homes<'a> {
    client: &'a Client,
    server: &'a str,
}

impl<'a> Homes<'a> {
    pub(super) fn new(client: &'a Client, server: &'a str) -> Self {
        Self { client, server }
    }

    /// Writes a room's home into a file, as a tar archive. `false` if it has none.
    pub(crate) async fn save(&self, room: RoomId, to: &Path) -> Result<bool, HomeError> {
        let volume = container::name(self.server, room);
        let inspect = |api: bollard::Docker| async move { api.inspect_volume(&volume).await };
        match self.client.ask("look at a volume", inspect).await {
            Err(error) if error.status() == Some(404) => return Ok(false),
            other => drop(other?),
        }
        let carrier = self.carry(room).await?;
        let saved = self.download(&carrier, to).await;
        self.put_down(&carrier).await?;
        saved.map(|()| true)
    }

    /// Gives a room the home of a file, if there is one, and removes the file then. Interrupted, it does the same again.
    pub(crate) async fn take_up(&self, room: RoomId, from: &Path) -> Result<(), HomeError> {
        if !fs::try_exists(from).await? {
            return Ok(());
        }
        let carrier = self.carry(room).await?;
        let taken = self.upload(&carrier, from).await;
        self.put_down(&carrier).await?;
        taken?;
        Ok(fs::remove_file(from).await?)
    }

    /// Removes what a copy that was interrupted has left, which would hold the room's volume.
    pub(crate) async fn put_down(&self, carrier: &str) -> Result<(), CallError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        let remove = |api: bollard::Docker| async move { api.remove_container(carrier, Some(options)).await };
        unless_gone(self.client.ask("remove a container", remove).await)
    }

    /// What carries a room's home is called.
    pub(crate) fn carrier(&self, room: RoomId) -> String {
        format!("{}-copy", container::name(self.server, room))
    }

    /// A container that has the room's home and never runs.
    async fn carry(&self, room: RoomId) -> Result<String, CallError> {
        let name = self.carrier(room);
        self.put_down(&name).await?;
        match self.make(room, &name).await {
            Err(error) if error.status() == Some(404) => {
                self.import().await?;
                self.make(room, &name).await?;
            }
            other => other?,
        }
        Ok(name)
    }

    async fn make(&self, room: RoomId, name: &str) -> Result<(), CallError> {
        let home = Mount {
            typ: Some(MountType::VOLUME),
            source: Some(container::name(self.server, room)),
            target: Some(HOME.to_owned()),
            volume_options: Some(MountVolumeOptions {
                labels: Some(container::labels(self.server, room)),
                ..MountVolumeOptions::default()
            }),
            ..Mount::default()
        };
        let request = ContainerCreateBody {
            image: Some(CARRIER.to_owned()),
            cmd: Some(vec!["/none".to_owned()]),
            network_disabled: Some(true),
            host_config: Some(HostConfig { mounts: Some(vec![home]), ..HostConfig::default() }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let create = |api: bollard::Docker| async move { api.create_container(Some(options), request).await };
        self.client.ask("make a container", create).await.map(drop)
    }

    /// Gives the engine the image, whose only content is the folder that homes are mounted on.
    async fn import(&self) -> Result<(), CallError> {
        let options = CreateImageOptionsBuilder::default().from_src("-").repo(CARRIER).tag("latest").build();
        let body = bollard::body_full(folders().into());
        let what = "import an image";
        self.client.follow(what, PAUSE, |api| api.create_image(Some(options), Some(body), None).boxed(), |_| {}).await
    }

    #[expect(clippy::disallowed_methods, reason = "the container never runs, and its home is a mount, no link")]
    async fn download(&self, carrier: &str, to: &Path) -> Result<(), HomeError> {
        let api = self.client.ask("hand over a home", |api| async { Ok(api) }).await?;
        let options = DownloadFromContainerOptionsBuilder::default().path(&format!("{HOME}/.")).build();
        let mut file = File::create(to).await?;
        let mut pieces = Box::pin(api.download_from_container(carrier, Some(options)));
        loop {
            let piece = tokio::time::timeout(PAUSE, pieces.next()).await;
            match piece {
                Ok(Some(Ok(bytes))) => file.write_all(&bytes).await?,
                Ok(Some(Err(error))) => return Err(CallError::of("hand over a home", error).into()),
                Ok(None) => return Ok(file.sync_all().await?),
                Err(_) => {
                    let reason = format!("it handed over nothing for {} s", PAUSE.as_secs());
                    return Err(CallError::Unreachable { reason }.into());
                }
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the container never runs, and its home is a mount, no link")]
    async fn upload(&self, carrier: &str, from: &Path) -> Result<(), HomeError> {
        let body = bollard::body_try_stream(pieces(File::open(from).await?));
        let options = UploadToContainerOptionsBuilder::default().path(HOME).build();
        let upload = |api: bollard::Docker| async move { api.upload_to_container(carrier, Some(options), body).await };
        Ok(self.client.ask_within(TAKING, "take a home", upload).await?)
    }
}

/// A file bit by bit.
fn pieces(file: File) -> impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static {
    stream::try_unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    })
}

/// A tar archive of the folders on the way to a home.
fn folders() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for folder in ["home/", "home/user/"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        // Writing into memory does not fail.
        let _ = builder.append_data(&mut header, folder, io::empty());
    }
    builder.into_inner().unwrap_or_default()
}
