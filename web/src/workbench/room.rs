//! What the server says: joining, losing, and every frame that nobody asked for.

use embedenv_shared::code::Failure;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::{BinaryFrame, JoinKey, Joined, SandboxState, ServerFrame};
use embedenv_shared::id::{Role, SessionId};
use embedenv_shared::path::{ProjectName, WorkspacePath};

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::connection::Event;
use crate::documents::Heard;
use crate::interop::page;
use crate::link::CHOSEN;
use crate::memory::{self, Page};
use crate::state::chat::ChatAction;
use crate::state::files::FilesAction;
use crate::state::settings::Layout;
use crate::state::terminals::TerminalsAction;
use crate::state::tree::TreeAction;
use crate::state::{Action, Connection as Shown, Occasion, Sandbox};
use crate::words::catalogue::say;
use crate::words::{self, Told};

/// The project of a room that has none yet.
const FIRST_PROJECT: &str = "project";
/// Commands wait this long for the edits that were made before them, in milliseconds: longer than a slow link takes for
/// what is open, and shorter than a dead one takes to be noticed.
const SYNC: u32 = 30_000;
/// The file shown to who comes for the first time.
const WELCOME: &str = "README.md";

impl Workbench {
    pub(super) fn connection_said(&self, event: Event) {
        match event {
            Event::Visited(join) => self.visited(join),
            Event::Joined(joined) => self.joined(joined),
            Event::Frame(frame) => self.frame(frame),
            Event::Binary(bytes) => self.binary(&bytes),
            Event::Lost(told) => self.lost(told),
            Event::Uncertain(count) => self.alert(words::uncertain(count)),
            Event::Stopped(notice) => {
                self.forget_connection();
                if self.state().is_framed {
                    self.tell_error("failed", &notice.text, true);
                }
                self.dispatch(Action::Connection(Shown::Failed(notice)));
            }
        }
    }

    fn joined(&self, joined: Box<Joined>) {
        let Some(full) = &joined.full else { return };
        if let Some(token) = &full.resume {
            memory::keep_resume(token);
        }
        let terminals: Vec<SessionId> = full.terminals.iter().map(|terminal| terminal.terminal).collect();
        self.connection.forget_input_but_for(&terminals);
        let first = self.state().me.is_none();
        let remembered = self.remembered.borrow_mut().take();
        let project = self.choose_project(remembered.as_ref(), &full.projects);
        let epoch = full.sandbox_epoch;
        let has_terminals = !full.terminals.is_empty();
        if self.sandbox_epoch.replace(Some(epoch)).is_some_and(|before| before != epoch) {
            // The terminals of before go from the page first, so that a number used again is another terminal.
            self.dispatch(Action::Terminals(TerminalsAction::Listed(Vec::new())));
            self.terminals.forget_all();
        }
        page::set_title(&format!("{project} – Embedenv"));
        let restored = remembered.filter(|page| page.project == project);
        self.dispatch(Action::Joined { joined, project });
        if first {
            self.room_is_known();
            self.offer_tour();
            if self.state().is_framed {
                self.begin_framed();
            } else {
                self.restore(restored);
            }
            self.restore_choice();
            self.know_ports();
            let workbench = self.clone();
            spawn_local(async move {
                workbench.at_leisure().await;
                workbench.recall_changes();
            });
        }
        self.look_for_all_runs();
        self.list_all();
        self.rule_files.forget();
        self.documents.joined(self);
        self.open_when_synced();
        self.terminals.joined(self);
        self.tell_place();
        self.catch_up_on_events();
        if first && !has_terminals && self.works() && !self.state().is_framed {
            self.open_terminal(false);
        }
    }

    /// Commands go out behind the edits that were made before them; but for ever they do not wait.
    fn open_when_synced(&self) {
        let workbench = self.clone();
        *self.opening.borrow_mut() = Some(Timeout::new(SYNC, move || workbench.connection.open()));
        self.open_if_synced();
    }

    /// The edits of before are on their way: what was ordered after them may go.
    pub(crate) fn open_if_synced(&self) {
        if self.opening.borrow().is_some() && !self.documents.has_backlog() {
            *self.opening.borrow_mut() = None;
            self.connection.open();
        }
    }

    /// The link's project, the one of before a reload, or the first there is.
    fn choose_project(&self, remembered: Option<&Page>, projects: &[ProjectName]) -> ProjectName {
        let shown = self.project();
        let named = self.link.borrow().as_ref().and_then(|link| link.project.clone());
        let named = self.framed.chosen.borrow().clone().or(named);
        let remembered = remembered.map(|page| page.project.clone());
        let first = || projects.first().cloned();
        let made = || ProjectName::parse(FIRST_PROJECT).expect("the name is one path part");
        shown.or(named).or(remembered).or_else(first).unwrap_or_else(made)
    }

    /// Opens what was open before a reload, or the welcome file when the root is listed.
    fn restore(&self, page: Option<Page>) {
        let Some(page) = page else {
            self.listings.welcome.set(true);
            if let Some(layout) = memory::layout() {
                self.dispatch(Action::Layout(layout.for_new_room()));
            }
            return;
        };
        self.dispatch(Action::Tree(TreeAction::Hide(page.hides)));
        for folder in page.folders {
            self.dispatch(Action::Tree(TreeAction::Open(folder)));
        }
        let layout = page.layout;
        self.dispatch(Action::Files(FilesAction::Restore(page.groups)));
        if page.active.is_none() {
            self.first_file.open();
        }
        if let Some(path) = page.active {
            self.dispatch(Action::Tree(TreeAction::Select(Some(path))));
        }
        self.dispatch(Action::Terminals(TerminalsAction::Arrange(page.terminals)));
        if let Some(id) = page.terminal.map(SessionId)
            && self.state().terminals.get(id).is_some()
        {
            self.dispatch(Action::Terminals(TerminalsAction::Activate(id)));
        }
        self.dispatch(Action::Layout(layout));
    }

    /// The root was listed for the first time, and nothing is open.
    pub(super) fn welcome(&self) {
        if !self.listings.welcome.replace(false) {
            return;
        }
        // A file that the link names may be in a folder that is not listed yet.
        let named = self.link.borrow().as_ref().and_then(|link| link.file.clone());
        let is_named = named.is_some();
        let Some(path) = named.or_else(|| WorkspacePath::parse(WELCOME).ok()) else { return };
        let is_there = is_named || self.state().tree.entry(&path).is_some();
        if !is_there || !self.state().files.open.is_empty() {
            self.first_file.open();
        } else {
            self.dispatch(Action::Tree(TreeAction::Select(Some(path.clone()))));
            let pane = self.state().layout.pane;
            self.show_file(path, false);
            // Whoever has gone elsewhere meanwhile stays there.
            self.change_layout(|layout| Layout { pane, ..layout });
        }
    }

    fn lost(&self, told: Told) {
        self.forget_connection();
        let joined = self.state().me.is_some();
        let since = match &self.state().connection {
            Shown::Reconnecting(since) | Shown::Offline(since) => since.clone(),
            _ => page::time_of_day(),
        };
        let shown = match (page::is_online(), joined) {
            (false, true) => Shown::Offline(since),
            (true, true) => Shown::Reconnecting(since),
            (_, false) => Shown::JoiningAgain(words::no_answer()),
        };
        self.dispatch(Action::Connection(shown));
        match told {
            Told::Message(text) if joined => self.alert(text),
            Told::WhileAway(text) if joined => self.dispatch(Action::AlertUntil(Occasion::Connected, text)),
            _ => {}
        }
    }

    fn forget_connection(&self) {
        *self.opening.borrow_mut() = None;
        self.listings.lost();
        self.uploads_are_lost();
        self.documents.lost(self);
        self.terminals.lost();
    }

    fn frame(&self, frame: ServerFrame) {
        match frame {
            ServerFrame::Changed { project, path, names } => {
                self.runs_may_change(&project, &path);
                self.files_changed(&project, &path, &names);
                if self.state().is_framed {
                    self.tell_change(&path, &names);
                }
                self.folder_changed(&project, path);
            }
            ServerFrame::Document { document, received, saved, eol, problem } => {
                self.documents.stands(self, document, Heard { received, saved, eol, problem });
            }
            ServerFrame::DocumentMoved { document, path } => {
                if let Some(id) = self.documents.moved(document) {
                    self.documents.set_path(id, path.as_str());
                    let before = self.state().files.get(id).map(|file| file.path.clone());
                    if let Some(before) = before {
                        self.trail.borrow_mut().moved(&before, &path);
                    }
                    self.dispatch(Action::Files(FilesAction::Moved { id, path }));
                }
            }
            ServerFrame::DocumentClosed { document, reason } => self.documents.closed(self, document, &reason),
            ServerFrame::Terminal(terminal) => {
                let id = terminal.terminal;
                let has_ended = terminal.exit.is_some();
                if has_ended && self.state().is_framed {
                    self.tell_exit(&terminal);
                }
                self.dispatch(Action::Terminals(TerminalsAction::Changed(terminal)));
                self.terminals.stands(self, id);
                if has_ended {
                    self.run_ended(id);
                }
            }
            ServerFrame::TerminalClosed { terminal } => {
                self.dispatch(Action::Terminals(TerminalsAction::Closed(terminal)));
            }
            ServerFrame::UploadStands { upload, offset, .. } => self.upload_stands(upload, offset),
            ServerFrame::UploadFailed { upload, code, message } => {
                self.upload_failed(upload, Failure { code, message });
            }
            ServerFrame::Ports { listeners, .. } => self.listeners_are(listeners),
            ServerFrame::Sandbox { state, message } => self.sandbox_is(Sandbox { state, message }),
            ServerFrame::Event(event) => self.dispatch(Action::Chat(ChatAction::Happened(event))),
            ServerFrame::People { people } => self.people_are(people),
            ServerFrame::Error { code, message, .. } => {
                self.fail(say!("failed.something"), &Failure { code, message });
            }
            // Replies whose asker has gone, and frames of plain clients.
            _ => {}
        }
    }

    fn binary(&self, bytes: &[u8]) {
        match BinaryFrame::decode(bytes) {
            Ok(BinaryFrame::Output { terminal, offset, bytes }) => self.terminals.output(self, terminal, offset, bytes),
            Ok(BinaryFrame::Snapshot { terminal, offset, bytes }) => {
                self.terminals.snapshot(self, terminal, offset, bytes);
            }
            Ok(BinaryFrame::Document { document, message }) => self.documents.receive(self, document, message),
            Ok(BinaryFrame::Input { .. } | BinaryFrame::NumberedInput { .. } | BinaryFrame::Piece { .. }) | Err(_) => {
                page::warn("a binary frame of the server's was not understood")
            }
        }
    }

    fn sandbox_is(&self, sandbox: Sandbox) {
        let was_ready = self.state().sandbox.state == SandboxState::Ready;
        let is_ready = sandbox.state == SandboxState::Ready;
        self.dispatch(Action::Sandbox(sandbox));
        if is_ready && !was_ready {
            // Another sandbox watches nothing yet.
            self.list_all();
            // The first one may have been ordered while the sandbox started.
            if self.state().terminals.list.is_empty()
                && !self.terminals.is_awaited()
                && self.works()
                && !self.state().is_framed
            {
                self.open_terminal(false);
            }
        }
    }

    /// Starts a sandbox that has ended.
    pub(crate) fn start_sandbox(&self) {
        self.dispatch(Action::Sandbox(Sandbox { state: SandboxState::Starting, message: None }));
        let workbench = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(failure) = workbench.connection.request(&FullRequest::SandboxStart).await {
                let message = Some(failure.message.clone());
                workbench.dispatch(Action::Sandbox(Sandbox { state: SandboxState::Gone, message }));
                workbench.fail(say!("failed.sandbox"), &failure);
            }
        });
    }

    /// A new link of a role, good for so many seconds and so many people.
    pub(crate) async fn mint(&self, role: Role, ttl: Option<u64>, uses: Option<u32>) -> Result<String, String> {
        match self.connection.request(&FullRequest::KeyMint { role, ttl, uses, minutes: None }).await {
            Ok(ServerFrame::Key { key, .. }) => Ok(format!("{}/w#join={}", page::origin(), key.join)),
            Ok(_) => Err(say!("failed.no-key").to_owned()),
            Err(failure) => Err(words::failed(say!("failed.link"), &failure)),
        }
    }

    /// The links that were made.
    pub(crate) async fn keys(&self) -> Result<Vec<JoinKey>, String> {
        match self.connection.request(&FullRequest::Keys).await {
            Ok(ServerFrame::Keys { keys, .. }) => Ok(keys),
            Ok(_) => Err(say!("failed.no-keys").to_owned()),
            Err(failure) => Err(words::failed(say!("failed.links"), &failure)),
        }
    }

    /// Ends a link, and sends away who came by it.
    pub(crate) async fn revoke_key(&self, number: u32) -> Result<(), String> {
        let revoke = FullRequest::KeyRevoke { join: None, number: Some(number) };
        let revoked = self.connection.request(&revoke).await;
        revoked.map(drop).map_err(|failure| words::failed(say!("failed.revoke"), &failure))
    }

    /// Shows another project of the room, by loading the page anew.
    pub(crate) fn switch_project(&self, project: ProjectName) {
        if self.state().is_framed {
            page::keep_in_fragment(CHOSEN, project.as_str());
            // A room that was opened for this frame is the one that it comes back to.
            if let Some(link) = &*self.link.borrow() {
                page::keep_in_fragment("join", &link.join);
            }
            return page::reload();
        }
        memory::forget_page();
        if let Some(mut link) = memory::link() {
            link.project = Some(project);
            memory::keep_link(&link);
        }
        // The page that goes away must not write down what it showed.
        *self.remembered.borrow_mut() = memory::page().or_else(|| Page::of(&self.state()));
        page::reload();
    }
}
