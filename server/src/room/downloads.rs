//! What members save with their browsers: tickets for one request each, and the bytes behind them, read from the sandbox
//! no faster than they are taken.
//!
//! A ticket is a secret: it opens what it was made for once, for [`LIFE`], while the member that asked for it is still in
//! the room. This module must never log one, and knows nothing of HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::MemberId;
use embedenv_shared::link::files::{EntryKind, MAX_READ, Read, StatFile};
use embedenv_shared::link::transfer::{ARCHIVE_END, ARCHIVE_END_SIGNATURE, MAX_CHOSEN, MAX_CHOSEN_BYTES};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use parking_lot::Mutex;
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use super::Room;
use super::members::Member;
use crate::link::Link;
use crate::link::stream::AgentStream;

/// How long a ticket is good.
const LIFE: Duration = Duration::from_secs(60);
/// Tickets of one room that are not used yet; with one more the oldest is good no longer.
const MAX_TICKETS: usize = 64;
/// Bytes of randomness in a ticket.
const SECRET: usize = 24;
/// Bytes of an archive handed on at once.
const CHUNK: usize = 64 * 1024;

/// The tickets of a room.
#[derive(Debug, Default)]
pub struct Downloads(Mutex<HashMap<String, Ticket>>);

struct Ticket {
    who: MemberId,
    project: ProjectName,
    path: WorkspacePath,
    only: Vec<WorkspacePath>,
    expires: Instant,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("who", &self.who).finish_non_exhaustive()
    }
}

/// What a ticket opened.
pub struct Download {
    /// What it is to be saved as.
    pub name: String,
    /// Bytes, if that is known ahead.
    pub length: Option<u64>,
    pub is_archive: bool,
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Room {
    /// A ticket for a file, or for a folder as an archive, with some entries of it alone if any are named, and what it will
    /// be called.
    pub async fn ticket(
        self: &Arc<Self>,
        member: &Member,
        project: ProjectName,
        path: WorkspacePath,
        only: Vec<WorkspacePath>,
    ) -> Result<(String, String), Failure> {
        check_chosen(&path, &only)?;
        let link = self.link().await?;
        self.documents.flush(self).await;
        let kind = kind(&link, &project, &path).await?;
        if !only.is_empty() && kind != EntryKind::Folder {
            return Err(Failure::new(ErrorCode::NotAFolder, format!("{path} is not a folder")));
        }
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret)
            .map_err(|error| Failure::new(ErrorCode::Internal, format!("there is no randomness to be had: {error}")))?;
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let name = name(&project, &path, kind);
        let ticket = Ticket { who: member.who, project, path, only, expires: Instant::now() + LIFE };
        let mut tickets = self.downloads.0.lock();
        tickets.retain(|_, ticket| ticket.expires > Instant::now());
        if tickets.len() >= MAX_TICKETS
            && let Some(oldest) = tickets.iter().min_by_key(|(_, ticket)| ticket.expires).map(|(key, _)| key.clone())
        {
            tickets.remove(&oldest);
        }
        tickets.insert(secret.clone(), ticket);
        Ok((secret, name))
    }

    /// Takes a ticket and opens what it is for. Forged, expired, used and orphaned ones all look the same.
    pub async fn download(self: &Arc<Self>, ticket: &str) -> Result<Download, Failure> {
        let ticket = self.downloads.0.lock().remove(ticket);
        let good = ticket.filter(|ticket| {
            let is_here = self.members.all().iter().any(|member| member.who == ticket.who);
            is_here && ticket.expires > Instant::now()
        });
        let Ticket { project, path, only, .. } = good.ok_or_else(unknown)?;
        let link = self.link().await?;
        let kind = kind(&link, &project, &path).await?;
        let name = name(&project, &path, kind);
        if kind == EntryKind::Folder {
            let bytes = archive(link.archive(project, path, only).await?);
            return Ok(Download { name, length: None, is_archive: true, bytes });
        }
        let (length, bytes) = file(link, project, path).await?;
        Ok(Download { name, length: Some(length), is_archive: false, bytes })
    }
}

/// The failure of a ticket that opens nothing.
pub fn unknown() -> Failure {
    Failure::new(ErrorCode::NotFound, "this download was fetched already, or has expired; ask for it again")
}

/// What is chosen of a folder is in it, and no more than an agent is told at once.
fn check_chosen(folder: &WorkspacePath, only: &[WorkspacePath]) -> Result<(), Failure> {
    let bytes: usize = only.iter().map(|path| path.as_str().len()).sum();
    if only.len() > MAX_CHOSEN || bytes > MAX_CHOSEN_BYTES {
        let message = format!("up to {MAX_CHOSEN} entries are put into an archive one by one; take their folder");
        return Err(Failure::new(ErrorCode::TooLarge, message));
    }
    match only.iter().find(|path| !path.is_within(folder) || *path == folder) {
        Some(path) => Err(Failure::new(ErrorCode::BadPath, format!("{path} is not in {folder}"))),
        None => Ok(()),
    }
}

async fn kind(link: &Link, project: &ProjectName, path: &WorkspacePath) -> Result<EntryKind, Failure> {
    let kind = link.call(StatFile { project: project.clone(), path: path.clone() }).await?.kind;
    match kind {
        EntryKind::Folder | EntryKind::File => Ok(kind),
        EntryKind::Link | EntryKind::Other => {
            Err(Failure::new(ErrorCode::NotRegular, format!("{path} is neither a file nor a folder")))
        }
    }
}

fn name(project: &ProjectName, path: &WorkspacePath, kind: EntryKind) -> String {
    let name = path.name().unwrap_or(project.as_str());
    if kind == EntryKind::Folder { format!("{name}.zip") } else { name.to_owned() }
}

/// A file's bytes, as many as it had when it was opened. It ends with an error if it becomes another file meanwhile, or a
/// shorter one.
async fn file(
    link: Arc<Link>,
    project: ProjectName,
    path: WorkspacePath,
) -> Result<(u64, BoxStream<'static, std::io::Result<Bytes>>), Failure> {
    let read = move |offset| Read { project: project.clone(), path: path.clone(), offset, length: MAX_READ };
    let first = link.call(read(0)).await?;
    let (inode, length) = (first.version.inode, first.version.size);
    let mut begun = first.bytes;
    begun.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    let rest = stream::try_unfold(begun.len() as u64, move |offset| {
        let (link, read) = (link.clone(), read.clone());
        async move {
            if offset >= length {
                return Ok(None);
            }
            let content = link.call(read(offset)).await.map_err(std::io::Error::other)?;
            if content.version.inode != inode || content.bytes.is_empty() {
                return Err(std::io::Error::other("the file was replaced or cut while it was read"));
            }
            let mut bytes = content.bytes;
            bytes.truncate(usize::try_from(length - offset).unwrap_or(usize::MAX));
            let next = offset + bytes.len() as u64;
            Ok(Some((Bytes::from(bytes), next)))
        }
    });
    Ok((length, stream::once(async { Ok(Bytes::from(begun)) }).chain(rest).boxed()))
}

/// An archive's bytes. One without its end ends with an error, so that nobody takes a part for the whole.
fn archive(stream: AgentStream) -> BoxStream<'static, std::io::Result<Bytes>> {
    let state = (stream, Vec::new());
    stream::try_unfold(state, |(mut stream, mut tail): (AgentStream, Vec<u8>)| async move {
        let mut bytes = Vec::with_capacity(CHUNK);
        if stream.read_buf(&mut bytes).await? == 0 {
            let is_whole = tail.len() == ARCHIVE_END && tail.starts_with(&ARCHIVE_END_SIGNATURE);
            return if is_whole { Ok(None) } else { Err(std::io::Error::other("the archive was cut short")) };
        }
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(ARCHIVE_END)..]);
        tail.drain(..tail.len().saturating_sub(ARCHIVE_END));
        Ok(Some((Bytes::from(bytes), (stream, tail))))
    })
    .boxed()
}
