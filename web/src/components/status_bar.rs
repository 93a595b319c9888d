//! The line below: the connection, the sandbox, ports, where the cursor is and in what.

use std::rc::Rc;

use embedenv_shared::frame::SandboxState;
use gloo_timers::callback::Timeout;
use yew::prelude::*;

use super::backlog::Backlog;
use super::icon::{Icon, IconName};
use super::manner::MannerChoices;
use super::ports::ports;
use super::position::Position;
use crate::state::commands::{self, Command};
use crate::state::files::OpenFile;
use crate::state::people::News;
use crate::state::settings::Layout;
use crate::state::views;
use crate::state::{Action, Connection, State};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// How long news stay, in milliseconds.
const NEWS: u32 = 8_000;

pub(crate) fn status_bar(workbench: &Workbench, state: &State) -> Html {
    let (connection, text) = match state.connection {
        Connection::Connected => ("connected", say!("status.connected")),
        Connection::Offline(_) | Connection::Failed(_) => ("offline", say!("status.offline")),
        Connection::Joining | Connection::JoiningAgain(_) | Connection::Reconnecting(_) => {
            ("reconnecting", say!("status.reconnecting"))
        }
    };
    let sandbox = match state.sandbox.state {
        SandboxState::Ready => "",
        SandboxState::Starting if state.sandbox.message.is_some() => say!("status.sandbox-silent"),
        SandboxState::Starting => say!("status.sandbox-starts"),
        SandboxState::Gone => say!("status.sandbox-ended"),
    };
    html! {
        <footer class="statusbar">
            <span class="connection" role="status" data-state={connection}>{ text }</span>
            if let Connection::Reconnecting(since) | Connection::Offline(since) = &state.connection {
                <Backlog
                    workbench={workbench.clone()}
                    since={since.clone()}
                    files={state.files.open.iter().filter(|file| file.unsaved).count()}
                />
            }
            if !state.works() {
                <span>{ say!("status.read-only") }</span>
            }
            if !sandbox.is_empty() {
                <span class="sandbox-state">{ sandbox }</span>
            }
            if let Some(user) = state.following.and_then(|member| state.people.iter().find(|person| person.member == member)) {
                <span class="following">{ say!("status.following", user = user.user) }</span>
            }
            <NewsLine workbench={workbench.clone()} news={state.news.clone()} />
            { ports(workbench, &state.listeners) }
            <span class="spacer"></span>
            if let Some(name) = state.files.active().filter(|file| views::has_text(file)).map(OpenFile::name) {
                <Position workbench={workbench.clone()} />
                if state.is_whole {
                    <MannerChoices workbench={workbench.clone()} works={state.works()} name={name.to_owned()} />
                } else {
                    <span class="language">{ words::language(name) }</span>
                }
            }
            { layout_buttons(workbench, &state.layout) }
        </footer>
    }
}

#[derive(Properties, PartialEq)]
struct NewsLineProps {
    workbench: Workbench,
    news: Option<Rc<News>>,
}

/// Comings and goings: said once, and out of the way after that.
#[component]
fn NewsLine(NewsLineProps { workbench, news }: &NewsLineProps) -> Html {
    use_effect_with((workbench.clone(), news.as_ref().map(|news| news.number)), |(workbench, number)| {
        let workbench = workbench.clone();
        let over = number.map(|number| Timeout::new(NEWS, move || workbench.dispatch(Action::NewsOver(number))));
        move || drop(over)
    });
    html! {
        <span class="news" aria-live="polite">
            if let Some(news) = news {
                <span key={news.number}>{ news.text.clone() }</span>
            }
        </span>
    }
}

/// Folds panes away and brings them back.
fn layout_buttons(workbench: &Workbench, layout: &Layout) -> Html {
    let button = |name: &'static str, command: Command, icon: IconName, is_shown: bool| {
        let workbench = workbench.clone();
        let toggle = Callback::from(move |_: MouseEvent| workbench.perform(command));
        let pressed = (is_shown && !layout.zen).to_string();
        html! {
            <button class="icon-button" aria-label={name} title={commands::of(command).name()} aria-pressed={pressed} onclick={toggle}>
                <Icon name={icon} />
            </button>
        }
    };
    html! {
        <span class="layout-buttons" role="group" aria-label={say!("status.panes")}>
            { button(say!("status.files-pane"), Command::ToggleSide, IconName::PanelLeft, !layout.side_folded) }
            { button(say!("status.terminals-pane"), Command::TogglePanel, IconName::PanelBottom, !layout.panel_folded) }
            { button(say!("status.right-pane"), Command::ToggleAside, IconName::PanelRight, layout.aside.is_some()) }
        </span>
    }
}
