//! Files that come in from a person's own machine and go out to it.
//!
//! A few uploads are carried at once, each by a task of its own: it asks where the upload stands, sends pieces a few ahead
//! of what the server has, and orders the file into its place. When the connection breaks it asks again on the next one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::{BinaryFrame, ServerFrame};
use embedenv_shared::id::{UploadId, UploadKey};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, Element, File};

use super::Workbench;
use crate::interop::dropped::{Dropped, Entries, Found};
use crate::interop::page;
use crate::state::transfers::{Policy, Stage, Transfer, TransfersAction};
use crate::state::tree::{common_folder, copy_name};
use crate::state::{Action, Dialog};
use crate::words;
use crate::words::catalogue::say;

/// Uploads carried at once; the others wait for their turn.
const AT_ONCE: usize = 3;
/// Bytes of one piece.
const PIECE: u64 = 128 * 1024;
/// Bytes that may be on their way before the server has said that it has them; what is typed meanwhile waits behind them.
const AHEAD: u64 = 4 * PIECE;
/// How often it is looked whether there is a connection again, in milliseconds.
const LOOK: u32 = 300;
/// How often progress is shown, in milliseconds.
const SHOW: f64 = 80.0;
/// Times that an upload begins anew because the sandbox has lost it or counts otherwise.
const MAX_AGAIN: u32 = 3;
/// Names that are tried for a second file of one name.
const MAX_NAMES: usize = 100;

#[derive(Default)]
pub(crate) struct Uploads {
    last: Cell<u32>,
    running: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Job>>>,
    /// Everything that is neither done nor given up.
    jobs: RefCell<Vec<Rc<Job>>>,
}

impl Uploads {
    fn get(&self, id: u32) -> Option<Rc<Job>> {
        self.jobs.borrow().iter().find(|job| job.id == id).cloned()
    }

    fn take(&self, id: u32) -> Option<Rc<Job>> {
        let mut jobs = self.jobs.borrow_mut();
        let at = jobs.iter().position(|job| job.id == id)?;
        Some(jobs.swap_remove(at))
    }
}

/// One file.
struct Job {
    id: u32,
    project: ProjectName,
    path: RefCell<WorkspacePath>,
    file: File,
    key: UploadKey,
    batch: Rc<Batch>,
    overwrite: Cell<bool>,
    /// Names that were tried for it.
    names: Cell<usize>,
    cancelled: Cell<bool>,
    flow: RefCell<Flow>,
}

/// Files that came together: what is wished where names are taken is asked once.
#[derive(Default)]
struct Batch {
    policy: Cell<Option<Policy>>,
}

/// What the server has said of the pieces.
#[derive(Default)]
struct Flow {
    stands: u64,
    failed: Option<Failure>,
    is_lost: bool,
    waker: Option<Waker>,
}

/// How a turn of an upload ended.
enum Outcome {
    Done,
    Taken,
    Cancelled,
    Failed(String),
}

/// How the sending of pieces ended.
enum Sent {
    All,
    /// The connection broke, or the sandbox counts otherwise: begin again.
    Again,
    Failed(String),
}

impl Job {
    fn size(&self) -> u64 {
        self.file.size() as u64
    }

    fn wake(&self, change: impl FnOnce(&mut Flow)) {
        let waker = {
            let mut flow = self.flow.borrow_mut();
            change(&mut flow);
            flow.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until the server has said more than that it has `before`.
    async fn hears(&self, before: u64) {
        poll_fn(|context| {
            let mut flow = self.flow.borrow_mut();
            if flow.stands != before || flow.failed.is_some() || flow.is_lost || self.cancelled.get() {
                return Poll::Ready(());
            }
            flow.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Workbench {
    /// Files of the person's own are dragged over the page: those that the tree does not take are sent into the project, and
    /// none is put into a text or opened by the browser in place of the page.
    pub(super) fn dragged_over(&self, event: &DragEvent) {
        let Some(data) = event.data_transfer().filter(|data| data.types().includes(&"Files".into(), 0)) else { return };
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.is_some_and(|target| target.closest(".side").ok().flatten().is_some()) {
            return;
        }
        event.prevent_default();
        event.stop_propagation();
        data.set_drop_effect(if self.works() { "copy" } else { "none" });
        if event.type_() == "drop" && self.works() {
            self.upload_entries(Entries::of(&data), WorkspacePath::root());
        }
    }

    /// Sends what was dropped into a folder.
    pub(crate) fn upload_entries(&self, entries: Entries, folder: WorkspacePath) {
        let workbench = self.clone();
        spawn_local(async move {
            let Found { files, folders, has_more } = entries.all().await;
            if has_more {
                let most = crate::interop::dropped::MAX_FILES;
                workbench.alert(say!("uploads.too-many", most = most));
            }
            workbench.upload(files, folder.clone());
            workbench.make_folders(folders, folder).await;
        });
    }

    /// Sends files of the person's own into a folder.
    pub(crate) fn upload(&self, files: Vec<Dropped>, folder: WorkspacePath) {
        let Some(project) = self.project().filter(|_| self.works()) else { return };
        let batch = Rc::new(Batch::default());
        let mut added = Vec::new();
        for Dropped { file, path } in files {
            let place = WorkspacePath::parse(format!("{folder}/{path}").trim_start_matches('/'));
            let path = match place {
                Ok(place) => place,
                Err(error) => {
                    self.alert(say!("uploads.bad-name", path = path, why = error));
                    continue;
                }
            };
            let Ok(key) = UploadKey::try_from(page::unique()) else { continue };
            let id = self.uploads.last.get() + 1;
            self.uploads.last.set(id);
            let size = file.size() as u64;
            added.push(Transfer { id, path: path.clone(), size, sent: 0, stage: Stage::Waiting });
            let job = Rc::new(Job {
                id,
                project: project.clone(),
                path: RefCell::new(path),
                file,
                key,
                batch: batch.clone(),
                overwrite: Cell::new(false),
                names: Cell::new(0),
                cancelled: Cell::new(false),
                flow: RefCell::default(),
            });
            self.uploads.jobs.borrow_mut().push(job.clone());
            self.uploads.waiting.borrow_mut().push_back(job);
        }
        if !added.is_empty() {
            self.dispatch(Action::Transfers(TransfersAction::Added(added)));
            self.upload_more();
        }
    }

    /// Begins what waits, as far as there may be more at once.
    fn upload_more(&self) {
        while self.uploads.running.get() < AT_ONCE {
            let Some(job) = self.uploads.waiting.borrow_mut().pop_front() else { return };
            if job.cancelled.get() {
                continue;
            }
            self.uploads.running.set(self.uploads.running.get() + 1);
            let workbench = self.clone();
            spawn_local(async move {
                let stage = Stage::Sending;
                workbench.dispatch(Action::Transfers(TransfersAction::Stage { id: job.id, stage }));
                let outcome = workbench.carry(&job).await;
                workbench.uploads.running.set(workbench.uploads.running.get() - 1);
                workbench.settle_upload(job, outcome);
                workbench.upload_more();
            });
        }
    }

    fn settle_upload(&self, job: Rc<Job>, outcome: Outcome) {
        let id = job.id;
        match outcome {
            Outcome::Done => {
                self.uploads.take(id);
                self.dispatch(Action::Transfers(TransfersAction::Done(id)));
            }
            Outcome::Cancelled => {}
            Outcome::Failed(why) => {
                self.uploads.take(id);
                self.dispatch(Action::Transfers(TransfersAction::Stage { id, stage: Stage::Failed(why) }));
            }
            Outcome::Taken => match job.batch.policy.get() {
                Some(policy) => self.go_on_with(&job, policy),
                None => {
                    self.dispatch(Action::Transfers(TransfersAction::Stage { id, stage: Stage::Taken }));
                    self.ask_about_names();
                }
            },
        }
    }

    /// Asks what is wished where names are taken, unless that is being asked.
    pub(crate) fn ask_about_names(&self) {
        let is_free = self.state().dialog.is_none();
        if is_free && self.state().transfers.taken() > 0 {
            self.dispatch(Action::Dialog(Some(Dialog::Taken)));
        }
    }

    /// What is wished for every file whose name is taken, and for those of the same lists that come after.
    pub(crate) fn decide_about_names(&self, policy: Policy) {
        let taken: Vec<u32> = {
            let state = self.state();
            let taken = state.transfers.list.iter().filter(|transfer| transfer.stage == Stage::Taken);
            taken.map(|transfer| transfer.id).collect()
        };
        for id in taken {
            let job = self.uploads.get(id);
            if let Some(job) = job {
                job.batch.policy.set(Some(policy));
                self.go_on_with(&job, policy);
            }
        }
        self.upload_more();
    }

    fn go_on_with(&self, job: &Rc<Job>, policy: Policy) {
        match policy {
            Policy::Skip => return self.cancel_upload(job.id),
            Policy::Replace => job.overwrite.set(true),
            Policy::KeepBoth => {
                let number = job.names.get() + 1;
                job.names.set(number);
                let path = job.path.borrow().clone();
                let name = path.name().unwrap_or_default();
                let other = embedenv_shared::path::EntryName::parse(&copy_name(name, false, number));
                let other = other.and_then(|name| path.with_name(&name));
                match other {
                    Ok(other) if number <= MAX_NAMES => {
                        self.dispatch(Action::Transfers(TransfersAction::Renamed { id: job.id, path: other.clone() }));
                        *job.path.borrow_mut() = other;
                    }
                    _ => return self.cancel_upload(job.id),
                }
            }
        }
        self.dispatch(Action::Transfers(TransfersAction::Stage { id: job.id, stage: Stage::Waiting }));
        self.uploads.waiting.borrow_mut().push_front(job.clone());
    }

    /// Gives an upload up, or takes one that failed off the list.
    pub(crate) fn cancel_upload(&self, id: u32) {
        let job = self.uploads.take(id);
        if let Some(job) = job {
            job.cancelled.set(true);
            job.wake(|_| ());
            self.connection.tell(&FullRequest::UploadAbort { key: job.key.clone() });
        }
        self.dispatch(Action::Transfers(TransfersAction::Removed(id)));
    }

    pub(crate) fn cancel_uploads(&self) {
        let all: Vec<u32> = self.state().transfers.list.iter().map(|transfer| transfer.id).collect();
        for id in all {
            self.cancel_upload(id);
        }
    }

    /// One upload, over as many connections as it takes.
    async fn carry(&self, job: &Rc<Job>) -> Outcome {
        let mut again = 0;
        let mut is_ordered = false;
        loop {
            while !self.connection.is_up() && !job.cancelled.get() {
                TimeoutFuture::new(LOOK).await;
            }
            if job.cancelled.get() {
                return Outcome::Cancelled;
            }
            let path = job.path.borrow().clone();
            let failed = |failure: &Failure| words::failed(&say!("uploads.not", path = path), failure);
            let (project, key, size, overwrite) =
                (job.project.clone(), job.key.clone(), job.size(), job.overwrite.get());
            let upload = UploadId(job.id);
            let begin = FullRequest::Upload {
                upload,
                project: project.clone(),
                path: path.clone(),
                key: key.clone(),
                size,
                overwrite,
            };
            let offset = match self.connection.request(&begin).await {
                Ok(ServerFrame::UploadStands { offset, .. }) => offset,
                // Its order may have been carried out, and its answer lost.
                Err(failure) if failure.code == ErrorCode::AlreadyExists && is_ordered => return Outcome::Done,
                Err(failure) if failure.code == ErrorCode::AlreadyExists => return Outcome::Taken,
                Err(_) if !self.connection.is_up() => continue,
                Err(failure) => return Outcome::Failed(failed(&failure)),
                Ok(_) => return Outcome::Failed(say!("uploads.not-understood", path = path)),
            };
            match self.send_pieces(job, offset).await {
                Sent::All => {}
                Sent::Again if again < MAX_AGAIN || !self.connection.is_up() => {
                    again += u32::from(self.connection.is_up());
                    continue;
                }
                Sent::Again => return Outcome::Failed(say!("uploads.lost", path = path)),
                Sent::Failed(why) => return Outcome::Failed(why),
            }
            if job.cancelled.get() {
                return Outcome::Cancelled;
            }
            is_ordered = true;
            let finish = FullRequest::UploadFinish { project, path: path.clone(), key, size, overwrite };
            match self.connection.ordered(&finish).await {
                Ok(()) => return Outcome::Done,
                Err(failure) if failure.code == ErrorCode::AlreadyExists => return Outcome::Taken,
                Err(_) if !self.connection.is_up() => {}
                Err(failure) if failure.code == ErrorCode::NotFound && again < MAX_AGAIN => again += 1,
                Err(failure) => return Outcome::Failed(failed(&failure)),
            }
        }
    }

    async fn send_pieces(&self, job: &Rc<Job>, offset: u64) -> Sent {
        let (size, mut sent) = (job.size(), offset);
        *job.flow.borrow_mut() = Flow { stands: offset, ..Flow::default() };
        let mut shown = 0.0;
        loop {
            let stands = {
                let flow = job.flow.borrow();
                if let Some(failure) = &flow.failed {
                    let is_lost = matches!(failure.code, ErrorCode::Conflict | ErrorCode::NotFound);
                    let what = say!("uploads.not", path = job.path.borrow());
                    return if is_lost { Sent::Again } else { Sent::Failed(words::failed(&what, failure)) };
                }
                if flow.is_lost {
                    return Sent::Again;
                }
                flow.stands
            };
            if stands >= size || job.cancelled.get() {
                return Sent::All;
            }
            if page::now() - shown > SHOW {
                shown = page::now();
                self.dispatch(Action::Transfers(TransfersAction::Sent { id: job.id, sent: stands }));
            }
            if sent >= size || sent - stands >= AHEAD {
                job.hears(stands).await;
                continue;
            }
            let end = (sent + PIECE).min(size);
            let Ok(bytes) = page::bytes_between(&job.file, sent, end).await else {
                let path = job.path.borrow();
                return Sent::Failed(say!("uploads.unreadable", path = path));
            };
            let piece = BinaryFrame::Piece { upload: UploadId(job.id), offset: sent, bytes: &bytes };
            if !self.connection.send_binary(piece) {
                return Sent::Again;
            }
            sent = end;
        }
    }

    pub(super) fn upload_stands(&self, upload: UploadId, offset: u64) {
        let job = self.uploads.get(upload.0);
        if let Some(job) = job {
            job.wake(|flow| flow.stands = offset);
        }
    }

    pub(super) fn upload_failed(&self, upload: UploadId, failure: Failure) {
        let job = self.uploads.get(upload.0);
        if let Some(job) = job {
            job.wake(|flow| flow.failed = Some(failure));
        }
    }

    /// The connection is gone, and with it what was on its way.
    pub(super) fn uploads_are_lost(&self) {
        let jobs: Vec<Rc<Job>> = self.uploads.jobs.borrow().clone();
        for job in jobs {
            job.wake(|flow| flow.is_lost = true);
        }
    }

    /// Has the browser save a file of the room, or a folder as an archive.
    pub(crate) fn download(&self, path: WorkspacePath) {
        self.download_of(path, Vec::new());
    }

    /// The same; of a folder, some entries alone if any are named.
    fn download_of(&self, path: WorkspacePath, only: Vec<WorkspacePath>) {
        let Some(project) = self.project() else { return };
        let workbench = self.clone();
        spawn_local(async move {
            let name = path.name().unwrap_or(project.as_str()).to_owned();
            match workbench.connection.request(&FullRequest::Download { project, path, only }).await {
                Ok(ServerFrame::Download { address, name, .. }) => page::save(&address, &name),
                Ok(_) => workbench.alert(say!("failed.download.answer", name = name)),
                Err(failure) => {
                    workbench.fail(&say!("failed.download", name = name), &failure);
                }
            }
        });
    }

    /// Downloads what is selected; with nothing selected, the file that is shown, or else the whole project.
    pub(crate) fn download_selected(&self) {
        let (chosen, shown) = {
            let state = self.state();
            (state.tree.chosen(), state.files.active().map(|file| file.path.clone()))
        };
        if chosen.is_empty() {
            return self.download(shown.unwrap_or_else(WorkspacePath::root));
        }
        match <[WorkspacePath; 1]>::try_from(chosen) {
            Ok([path]) => self.download(path),
            // Several are one archive, of the folder that they all are in.
            Err(chosen) => self.download_of(common_folder(&chosen), chosen),
        }
    }
}
