//! What is said and done in the room: asking for what is kept, saying something, going to a place that somebody named.

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::WorkspacePath;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::state::Action;
use crate::state::chat::ChatAction;
use crate::state::settings::Aside;
use crate::state::tree::TreeAction;
use crate::words;
use crate::words::catalogue::say;

impl Workbench {
    /// Shows or hides the chat. Whoever shows it may type at once; on a phone that would bring its keyboard over it.
    pub(crate) fn toggle_chat(&self) {
        self.toggle_aside(Aside::Chat);
        self.look_at_chat();
        if self.state().layout.aside == Some(Aside::Chat) && !page::is_narrow() {
            spawn_local(async {
                // When it is drawn.
                TimeoutFuture::new(0).await;
                page::focus(".chat-form textarea");
            });
        }
    }

    /// The chat may be in sight now.
    pub(super) fn look_at_chat(&self) {
        if self.state().layout.aside != Some(Aside::Chat) {
            return;
        }
        self.dispatch(Action::Chat(ChatAction::Seen));
        self.look_at_events();
    }

    /// What happened before this page came may be in sight now.
    pub(crate) fn look_at_events(&self) {
        if !self.state().chat.is_loaded && self.connection.is_up() {
            self.dispatch(Action::Chat(ChatAction::Load));
            self.ask_for_events(0);
        }
    }

    /// The room was joined: what happened since is asked for, if anybody here knows what was before.
    pub(super) fn catch_up_on_events(&self) {
        let (is_loaded, last) = {
            let state = self.state();
            (state.chat.is_loaded, state.chat.last())
        };
        if is_loaded || last > 0 {
            self.ask_for_events(last);
        }
        self.look_at_chat();
    }

    fn ask_for_events(&self, after: u64) {
        let workbench = self.clone();
        self.connection.ask(&FullRequest::Events { after, limit: None }, move |reply| match reply {
            Ok(ServerFrame::Events { events, first, last, .. }) => {
                if last < after {
                    workbench.dispatch(Action::Chat(ChatAction::Forget));
                    return workbench.ask_for_events(0);
                }
                let end = events.last().map(|event| event.number);
                workbench.dispatch(Action::Chat(ChatAction::Page { after, events, first }));
                if let Some(end) = end.filter(|end| *end < last) {
                    workbench.ask_for_events(end);
                }
            }
            // The next connection asks again.
            Err(failure) if failure.code == ErrorCode::Unavailable => {}
            Err(failure) => workbench.fail(say!("failed.chat"), &failure),
            Ok(_) => {}
        });
    }

    /// Says something to everybody. Without a connection it waits for the next one.
    pub(crate) fn say(&self, text: String) {
        let key = self.last_message.get() + 1;
        self.last_message.set(key);
        self.say_again(key, text);
    }

    /// Tries once more what could not be said.
    pub(crate) fn say_again(&self, key: u32, text: String) {
        self.dispatch(Action::Chat(ChatAction::Say { key, text: text.clone() }));
        let workbench = self.clone();
        self.connection.order(&FullRequest::Chat { text }, move |reply| {
            let outcome = match reply {
                // It is among the events that are asked for.
                Ok(_) => Ok(()),
                Err(failure) if failure.code == ErrorCode::AlreadyDone => Ok(()),
                Err(failure) => Err(words::failed(say!("failed.message"), &failure)),
            };
            workbench.dispatch(Action::Chat(ChatAction::Said { key, outcome }));
        });
    }

    /// Takes back what could not be said.
    pub(crate) fn unsay(&self, key: u32) {
        self.dispatch(Action::Chat(ChatAction::Said { key, outcome: Ok(()) }));
    }

    /// The shown file and the line of its cursor, as a message names them.
    pub(crate) fn place_here(&self) -> Option<String> {
        let path = self.state().files.active().map(|file| file.path.clone())?;
        Some(format!("{path}:{}", self.cursor.get().0))
    }

    /// Shows a file, at a line and column if they are named.
    pub(crate) fn go_to_place(&self, path: WorkspacePath, at: Option<(u32, u32)>) {
        self.wander();
        self.dispatch(Action::Tree(TreeAction::Select(Some(path.clone()))));
        self.show_file(path, true);
        let active = self.state().files.active;
        if let (Some(id), Some((line, column))) = (active, at) {
            self.documents.go_to(id, line, column);
        }
        if page::is_narrow() {
            // The chat covers the editor there.
            self.change_layout(|layout| layout.with_aside(None));
        }
    }
}
