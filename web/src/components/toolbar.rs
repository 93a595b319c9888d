//! The bar above: what this is, Run and Stop, tools, people.

use embedenv_shared::command::TerminalSignal;
use yew::prelude::*;

use super::elapsed::Elapsed;
use super::icon::{Icon, IconName};
use super::people::People;
use super::run_button::RunButton;
use crate::state::commands::Command;
use crate::state::settings::Aside;
use crate::state::{Action, Dialog, Me, State};
use crate::words::catalogue::{count, say};
use crate::workbench::{PATIENCE, Workbench};

pub(crate) fn toolbar(workbench: &Workbench, state: &State, me: &Me) -> Html {
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let works = state.works();
    let running = state.terminals.running();
    let can_stop = works && running.is_some();
    let began = running.and_then(|it| state.terminals.run_in(it.terminal)).map(|run| run.began);
    let (stop, stop_title) = stop_words(running.and_then(|it| state.terminals.sent(it.terminal)));
    let chat_label = match state.chat.unread {
        0 => say!("chat.title").to_owned(),
        unread => count!("toolbar.chat-unread", unread),
    };
    html! {
        <header class="toolbar">
            <span class="brand"><img src="/favicon.svg" alt="" width="20" height="20" /><h1>{ "Embedenv" }</h1></span>
            <span class="project">{ me.project.as_str() }</span>
            <span class="spacer"></span>
            <RunButton
                workbench={workbench.clone()}
                runs={state.runs.clone()}
                has_file={state.files.active.is_some()}
                {works}
            />
            // Its room is kept, so that nothing beside it moves when something starts or is being stopped.
            <span class="stop-place">
                <button class="stop" aria-label={stop} disabled={!can_stop} title={stop_title} onclick={calling(Workbench::stop)}>
                    <Icon name={IconName::Square} /><span>{ stop }</span>
                </button>
                <span class="run-time">
                    if let Some(began) = began {
                        <Elapsed key={began.to_string()} {began} />
                    }
                </span>
            </span>
            <span class="spacer"></span>
            <button class="tool" data-tool="share" disabled={!works} aria-label={say!("share.title")} title={say!("toolbar.share.about")} onclick={calling(|w| w.dispatch(Action::Dialog(Some(Dialog::Share))))}>
                <Icon name={IconName::Share} /><span>{ say!("share.title") }</span>
            </button>
            <button
                class="tool"
                disabled={!works}
                aria-label={say!("preview.title")}
                aria-pressed={(state.layout.aside == Some(Aside::Preview)).to_string()}
                title={say!("toolbar.preview.about")}
                onclick={calling(Workbench::toggle_preview)}
            >
                <Icon name={IconName::Eye} /><span>{ say!("preview.title") }</span>
            </button>
            <button
                class="tool"
                aria-label={chat_label}
                aria-pressed={(state.layout.aside == Some(Aside::Chat)).to_string()}
                title={say!("toolbar.chat.about")}
                onclick={calling(Workbench::toggle_chat)}
            >
                <Icon name={IconName::MessageSquare} /><span>{ say!("chat.title") }</span>
                if state.chat.unread > 0 {
                    <b class="unread">{ state.chat.unread }</b>
                }
            </button>
            <button class="tool icon-button" data-tool="palette" aria-label={say!("palette.title")} title={say!("palette.title")} onclick={calling(|w| w.toggle_palette(false, ""))}>
                <Icon name={IconName::Command} />
            </button>
            <button class="tool icon-button help-button" aria-label={say!("help.title")} title={say!("help.title")} onclick={calling(|w| w.perform(Command::Help))}>
                <Icon name={IconName::CircleHelp} />
            </button>
            <button class="tool icon-button" aria-label={say!("settings.title")} title={say!("settings.title")} onclick={calling(|w| w.dispatch(Action::Dialog(Some(Dialog::Settings))))}>
                <Icon name={IconName::Settings} />
            </button>
            <People
                workbench={workbench.clone()}
                people={state.people.clone()}
                me={me.member}
                following={state.following}
            />
        </header>
    }
}

/// What Stop is called and what it says of itself, after the program was sent a signal.
fn stop_words(sent: Option<TerminalSignal>) -> (&'static str, String) {
    let seconds = PATIENCE / 1000;
    match sent {
        None => (say!("stop.name"), say!("stop.about", seconds = seconds)),
        Some(TerminalSignal::Interrupt) => (say!("stop.harder"), say!("stop.about.interrupted", seconds = seconds)),
        Some(TerminalSignal::Terminate) => (say!("stop.harder"), say!("stop.about.terminated", seconds = seconds)),
        Some(_) => (say!("stop.harder"), say!("stop.about.killed").to_owned()),
    }
}
