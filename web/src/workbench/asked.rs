//! Carries out what the page around a frame asks for (`state::asked`), and answers each once. Roles hold as for everybody:
//! what they forbid is refused by the server.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{FullRequest, TerminalSignal};
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::{FolderFiles, Scope};
use futures_channel::oneshot;
use serde_json::{Map, Value, json};
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::connection::More;
use crate::interop::page;
use crate::state::Action;
use crate::state::asked::{
    Ask, Asked, Destination, Diff, MAX_SNAPSHOT, MAX_SNAPSHOT_FILES, MAX_UNDER_WAY, Refusal, answer, read,
};
use crate::state::embed::Place;
use crate::state::files::FilesAction;
use crate::state::preview::Address;
use crate::state::settings::{Aside, Layout};
use crate::state::terminals::{Run, Runnable, TerminalsAction};

type Outcome = Result<Value, Failure>;

impl Workbench {
    /// The page around asks for something.
    pub(super) fn asked(&self, text: &str) {
        let Some(Asked { id, what }) = read(text) else { return };
        let under_way = self.framed.under_way.get();
        let what = if under_way < MAX_UNDER_WAY { what } else { Err(Refusal::Busy.into()) };
        self.framed.under_way.set(under_way + 1);
        let workbench = self.clone();
        spawn_local(async move {
            let outcome = match what {
                Ok(ask) => workbench.carry_out(ask).await,
                Err(failure) => Err(failure),
            };
            workbench.framed.under_way.set(workbench.framed.under_way.get() - 1);
            workbench.answer_host(&answer(id, outcome));
        });
    }

    async fn carry_out(&self, ask: Ask) -> Outcome {
        if self.state().me.is_none() && !matches!(ask, Ask::Room(_) | Ask::Watch) {
            return Err(Refusal::NotJoined.into());
        }
        match ask {
            Ask::Room(join) => {
                self.given_room(join);
                Ok(Value::Null)
            }
            Ask::Apply(diff) => self.apply_diff(diff).await.map(|()| Value::Null),
            Ask::Snapshot => self.snapshot().await,
            Ask::Watch => {
                self.want_changes();
                Ok(Value::Null)
            }
            Ask::Open(places) => {
                for Place { path, lines } in places {
                    self.dispatch(Action::Files(FilesAction::Show { path: path.clone(), keep: true }));
                    let id = self.state().files.find(&path).map(|file| file.id);
                    if let (Some(id), Some((line, _))) = (id, lines) {
                        self.documents.go_to(id, line, 1);
                    }
                }
                self.other_file();
                Ok(Value::Null)
            }
            Ask::Current(path) => {
                let id = self.state().files.find(&path).map(|file| file.id);
                let id = id.ok_or(Refusal::NotOpen)?;
                self.activate(id);
                Ok(Value::Null)
            }
            Ask::Theme(theme) => {
                let (_, own, mut here) = self.parts();
                here.insert("theme".to_owned(), theme.attribute().into());
                self.apply_settings(own, here);
                Ok(Value::Null)
            }
            Ask::View(view) => {
                self.dispatch(Action::View(view));
                let embed = self.state().embed.clone().unwrap_or_default();
                // The port that is shown stays, or is the one that was shown last.
                self.change_layout(|layout| Layout { port: layout.port, ..embed.layout(layout, page::size()) });
                self.follow_ports();
                Ok(Value::Null)
            }
            Ask::PreviewUrl => {
                let is_shown = self.state().layout.aside == Some(Aside::Preview);
                let at = self.previewed.borrow().clone().filter(|_| is_shown);
                Ok(at.map(|at| format!("http://{}", at.shown()).into()).unwrap_or_default())
            }
            Ask::Preview(Destination { port, path }) => {
                let port = port.unwrap_or(self.state().layout.port);
                self.dispatch(Action::Preview(Address { port, path }));
                Ok(Value::Null)
            }
            Ask::Write { text, terminal } => self.type_for_host(&text, terminal),
            Ask::OpenTerminal => Ok(json!({"terminal": self.open_for_host(None).await?.0})),
            Ask::Stop { terminal } => {
                let terminal = self.terminal_of(terminal)?;
                let signal = TerminalSignal::Interrupt;
                let stopped = self.connection.request(&FullRequest::TerminalSignal { terminal, signal }).await;
                stopped.map(|_| Value::Null)
            }
            Ask::Ports => {
                let listeners = self.state().listeners.clone();
                Ok(listeners.iter().map(|it| json!({"port": it.port, "program": it.program})).collect())
            }
            Ask::Run(command) => {
                let terminal = self.open_for_host(Some((Runnable::Line(command.clone()), command))).await?;
                Ok(json!({"terminal": terminal.0}))
            }
        }
    }

    /// Opens a shell, or runs something in a terminal of its own; one in which the same has ended makes room. Its number is
    /// known before anything that it prints.
    pub(super) async fn open_for_host(&self, run: Option<(Runnable, String)>) -> Result<SessionId, Failure> {
        let Some(project) = self.project() else { return Err(Refusal::NotJoined.into()) };
        let spent = run.as_ref().and_then(|(what, _)| {
            let state = self.state();
            state.terminals.earlier(what).filter(|terminal| terminal.exit.is_some()).map(|terminal| terminal.terminal)
        });
        let (cols, rows) = self.terminals.size();
        let command = run.as_ref().map(|(_, command)| command.clone());
        let request = FullRequest::terminal(project, (cols, rows), command);
        let (sender, opened) = oneshot::channel();
        let workbench = self.clone();
        self.connection.order(&request, move |reply| {
            let outcome = match reply {
                Ok(ServerFrame::TerminalOpened { terminal, .. }) => {
                    workbench.terminals.opened(terminal);
                    workbench.dispatch(Action::Terminals(TerminalsAction::Activate(terminal)));
                    if let Some((what, command)) = run {
                        let run = Run { terminal, what, command, began: page::now() as u64 };
                        workbench.dispatch(Action::Terminals(TerminalsAction::Ran(run)));
                    }
                    if let Some(spent) = spent {
                        workbench.close_terminal(spent);
                    }
                    Ok(terminal)
                }
                Ok(_) => Err(Refusal::NotJoined.into()),
                Err(failure) => Err(failure),
            };
            // Who asked may have gone.
            let _ = sender.send(outcome);
        });
        opened.await.unwrap_or_else(|_| Err(Refusal::NotJoined.into()))
    }

    /// Removes and writes files, one after the other, and stops at the first that fails.
    pub(super) async fn apply_diff(&self, Diff { create, destroy }: Diff) -> Result<(), Failure> {
        let Some(project) = self.project() else { return Err(Refusal::NotJoined.into()) };
        for path in destroy {
            match self.connection.command(&project, json!({"type": "delete"}), json!({"path": path})).await {
                Err(failure) if failure.code != ErrorCode::NotFound => return Err(failure),
                _ => self.close_within(&path),
            }
        }
        for (path, content) in create {
            let members = json!({"path": path, "content": content});
            self.connection.command(&project, json!({"type": "write"}), members).await?;
        }
        Ok(())
    }

    /// Writes files where there are none of their names.
    pub(super) async fn sow(&self, seeds: Diff) -> Result<(), Failure> {
        let Some(project) = self.project() else { return Err(Refusal::NotJoined.into()) };
        for (path, content) in seeds.create {
            let read = FullRequest::Read { project: project.clone(), path: path.clone() };
            if self.connection.request(&read).await.is_err_and(|failure| failure.code == ErrorCode::NotFound) {
                self.apply_diff(Diff { create: vec![(path, content)], destroy: Vec::new() }).await?;
            }
        }
        Ok(())
    }

    /// Every text of the project.
    async fn snapshot(&self) -> Outcome {
        let Some(project) = self.project() else { return Err(Refusal::NotJoined.into()) };
        let mut texts = Map::new();
        let mut size = 0;
        for path in self.every_file().await? {
            let read = FullRequest::Read { project: project.clone(), path: path.clone() };
            match self.connection.request(&read).await {
                Ok(ServerFrame::File { content, encoding: None, .. }) => {
                    size += content.len();
                    if size > MAX_SNAPSHOT || texts.len() == MAX_SNAPSHOT_FILES {
                        return Err(Refusal::SnapshotTooLarge.into());
                    }
                    texts.insert(path.to_string(), content.into());
                }
                // Not a text, or gone meanwhile.
                Ok(_) => {}
                Err(failure) if matches!(failure.code, ErrorCode::NotFound | ErrorCode::NotRegular) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Value::Object(texts))
    }

    async fn every_file(&self) -> Result<Vec<WorkspacePath>, Failure> {
        let Some(project) = self.project() else { return Err(Refusal::NotJoined.into()) };
        let (sender, whole) = oneshot::channel();
        let (mut sender, mut paths) = (Some(sender), Vec::new());
        self.connection.each_of(&FullRequest::Files { project, scope: Scope::default() }, move |reply| {
            let outcome = match reply {
                Ok(ServerFrame::Files { folders, .. }) => {
                    paths.extend(folders.iter().flat_map(paths_of));
                    return More::Comes;
                }
                Ok(_) => Ok(std::mem::take(&mut paths)),
                Err(failure) => Err(failure),
            };
            if let Some(sender) = sender.take() {
                // Who asked may have gone.
                let _ = sender.send(outcome);
            }
            More::IsOver
        });
        whole.await.unwrap_or_else(|_| Err(Refusal::NotJoined.into()))
    }

    fn terminal_of(&self, terminal: Option<u32>) -> Result<SessionId, Failure> {
        let state = self.state();
        let terminal = terminal.map(SessionId).or_else(|| state.terminals.active().map(|terminal| terminal.terminal));
        let known = terminal.filter(|id| state.terminals.get(*id).is_some());
        known.ok_or_else(|| Refusal::NoTerminal.into())
    }

    fn type_for_host(&self, text: &str, terminal: Option<u32>) -> Outcome {
        let terminal = self.terminal_of(terminal)?;
        if !self.may_touch(terminal) {
            return Err(Refusal::Locked.into());
        }
        if !self.connection.type_in(terminal, text.as_bytes()) {
            return Err(Refusal::Full.into());
        }
        Ok(Value::Null)
    }
}

fn paths_of(folder: &FolderFiles) -> impl Iterator<Item = WorkspacePath> {
    let names = folder.names.iter();
    names.filter_map(|name| {
        let path = if folder.path.is_root() { name.clone() } else { format!("{}/{name}", folder.path) };
        WorkspacePath::parse(&path).ok()
    })
}
