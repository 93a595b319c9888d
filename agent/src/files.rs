//! File requests: each becomes a job for a worker, so that nothing prompt ever waits for a disk.

pub mod archive;
pub mod beneath;
mod delete;
mod failure;
pub mod list;
mod plant;
mod relocate;
pub mod search;
mod upload;
pub mod watch;
mod write;

use std::sync::Arc;

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::{Created, Deleted, List, Listing, Planted, Renamed, Unwatched};
use embedenv_shared::link::transfer::{Copied, Moved, UploadAborted, UploadFinished, UploadGrew, UploadStands};
use embedenv_shared::link::{Reply, Request};

use crate::limits::disk::Disk;
use beneath::Home;
use search::Searches;
use watch::Watches;

/// What file jobs work on.
#[derive(Debug, Clone)]
pub struct Files {
    pub home: Arc<Home>,
    pub watches: Arc<Watches>,
    pub disk: Arc<Disk>,
    pub searches: Arc<Searches>,
}

impl Files {
    /// Bytes that a request keeps in memory while it waits.
    pub fn weight(request: &Request) -> usize {
        match request {
            Request::Write(write) => write.content.len(),
            Request::UploadPiece(piece) => piece.bytes.len(),
            Request::Plant(plant) => plant.plan.files.iter().map(|file| file.content.len() + 64).sum(),
            _ => 0,
        }
    }

    /// Does what is asked. Blocks. Requests that are not about files are the loop's, and are answered `None`.
    pub fn answer(&self, request: Request) -> Option<Result<Reply, Failure>> {
        let home = &self.home;
        Some(match request {
            Request::Projects(_) => list::projects(home).map(Reply::ProjectList),
            Request::List(request) => self.list(request).map(Reply::Listing),
            Request::Unwatch(request) => {
                self.watches.remove(request.project, request.path);
                Ok(Reply::Unwatched(Unwatched))
            }
            Request::Stat(request) => list::stat(home, &request).map(Reply::Stated),
            Request::Read(request) => list::read(home, &request).map(Reply::Content),
            Request::Write(request) => self
                .disk
                .fits(request.content.len() as u64, 1)
                .and_then(|()| write::write(home, &request))
                .map(Reply::Written),
            Request::Create(request) => {
                self.disk.fits(0, 1).and_then(|()| write::create(home, &request)).map(|()| Reply::Created(Created))
            }
            Request::Rename(request) => write::rename(home, &request).map(|()| Reply::Renamed(Renamed)),
            Request::Delete(request) => delete::delete(home, &request).map(|()| Reply::Deleted(Deleted)),
            Request::Plant(request) => {
                let bytes = request.plan.files.iter().map(|file| file.content.len() as u64).sum();
                let entries = request.plan.files.len() + request.plan.folders.len();
                self.disk
                    .fits(bytes, entries as u64)
                    .and_then(|()| plant::plant(home, request))
                    .map(|()| Reply::Planted(Planted))
            }
            Request::Seek(request) => self.searches.seek(home, request).map(Reply::Begun),
            Request::Pull(request) => self.searches.pull(&request).map(Reply::Pulled),
            Request::Replace(request) => search::replace(home, &self.disk, &request).map(Reply::Replaced),
            Request::Move(request) => relocate::relocate(home, &request).map(|()| Reply::Moved(Moved)),
            Request::Copy(request) => relocate::copy(home, &self.disk, &request).map(|()| Reply::Copied(Copied)),
            Request::BeginUpload(request) => {
                upload::begin(home, &self.disk, &request.0).map(|offset| Reply::UploadStands(UploadStands { offset }))
            }
            Request::UploadPiece(request) => {
                upload::piece(home, &self.disk, &request).map(|offset| Reply::UploadGrew(UploadGrew { offset }))
            }
            Request::FinishUpload(request) => {
                upload::finish(home, &request.0).map(|version| Reply::UploadFinished(UploadFinished { version }))
            }
            Request::AbortUpload(request) => {
                upload::abort(home, &request.key).map(|()| Reply::UploadAborted(UploadAborted))
            }
            Request::Usage(_) => Ok(Reply::Used(self.disk.used_now(home))),
            _ => return None,
        })
    }

    fn list(&self, request: List) -> Result<Listing, Failure> {
        let List { project, path, after, watch } = request;
        let folder = beneath::folder(&self.home.project(&project)?, &path)?;
        if watch {
            self.watches.add(project, path.clone(), &folder).map_err(|errno| failure::on(&path, errno))?;
        }
        list::page(&folder, &path, after)
    }
}
