//! The room's terminals: their tabs, the places where they are, and how their programs ended.

use embedenv_shared::frame::{SandboxState, Terminal, TerminalKind};
use embedenv_shared::id::{MemberId, Role, SessionId};
use web_sys::Element;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tabs::{Tab, Tabs};
use crate::state::State;
use crate::state::terminals::Terminals;
use crate::words;
use crate::workbench::Workbench;

pub(crate) fn terminal_panel(workbench: &Workbench, state: &State) -> Html {
    let terminals = &*state.terminals;
    let works = state.works();
    let can_start = works && state.sandbox.state == SandboxState::Ready;
    let calling = |act: fn(&Workbench, SessionId)| {
        let workbench = workbench.clone();
        Callback::from(move |id: u32| act(&workbench, SessionId(id)))
    };
    let tabs: Vec<Tab> = terminals.list.iter().map(|terminal| tab(terminal, terminals)).collect();
    // A list of its own, so that each host is known by its key and not by its place.
    let hosts: Html = terminals
        .list
        .iter()
        .map(|terminal| {
            let id = terminal.terminal;
            html! {
                <TerminalHost
                    key={id.0}
                    workbench={workbench.clone()}
                    {id}
                    label={terminal.title.clone()}
                    active={terminals.active == Some(id)}
                    above={is_told(terminal, terminals)}
                />
            }
        })
        .collect();
    let new = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.open_terminal(true))
    };
    let close = {
        let (workbench, active) = (workbench.clone(), terminals.active().map(|terminal| terminal.terminal));
        Callback::from(move |_: MouseEvent| {
            if let Some(id) = active {
                workbench.close_terminal(id);
            }
        })
    };
    html! {
        <>
            <Tabs
                label="Terminals"
                {tabs}
                active={terminals.active.map(|id| id.0)}
                activate={calling(Workbench::show_terminal)}
                close={works.then(|| calling(Workbench::close_terminal))}
            >
                if let Some(terminal) = terminals.active() {
                    { standing(workbench, state, terminal) }
                }
                <button class="icon-button" aria-label="New terminal" title="New terminal" disabled={!works} onclick={new}>
                    <Icon name={IconName::Plus} />
                </button>
                <button
                    class="icon-button"
                    aria-label="Close terminal"
                    title="Close terminal and end what runs in it"
                    disabled={!works || terminals.active().is_none()}
                    onclick={close}
                >
                    <Icon name={IconName::Trash} />
                </button>
            </Tabs>
            <div class="terminal-area">
                { hosts }
                if let Some(terminal) = terminals.active() {
                    { told(workbench, terminal, terminals, can_start) }
                } else {
                    <p class="panel-empty">
                        { if works { "No terminal is open. The plus above opens one." } else { "No terminal is open." } }
                    </p>
                }
            </div>
        </>
    }
}

fn tab(terminal: &Terminal, terminals: &Terminals) -> Tab {
    let ran = terminals.run_in(terminal.terminal);
    let ended = terminal.exit.map(words::ended);
    let what = ran.map_or_else(|| format!("in {}", terminal.project), |run| run.command.clone());
    Tab {
        key: terminal.terminal.0,
        text: terminal.title.clone(),
        name: terminal.title.clone(),
        title: ended.map_or_else(|| what.clone(), |ended| format!("{what}. {ended}")),
        class: if terminal.exit.is_some() { "ended" } else { "" },
        icon: match terminal.kind {
            TerminalKind::Run => IconName::Play,
            TerminalKind::Terminal | TerminalKind::Shell => IconName::Terminal,
        },
    }
}

/// Whose the shown terminal is, and the button with which its opener keeps it to themselves.
fn standing(workbench: &Workbench, state: &State, terminal: &Terminal) -> Html {
    let Some(me) = &state.me else { return html! {} };
    let user = |member: Option<MemberId>| {
        let person = state.people.iter().find(|person| Some(person.member) == member && person.member != me.member)?;
        Some(person.user.clone())
    };
    let note = match (terminal.locked, user(terminal.opener), user(terminal.driver)) {
        (true, Some(opener), _) => format!("Locked by {opener}"),
        (true, None, _) => "Locked".to_owned(),
        (false, _, Some(driver)) => format!("{driver}’s size"),
        (false, _, None) => String::new(),
    };
    let is_running = terminal.exit.is_none() && terminal.kind != TerminalKind::Shell;
    let may_lock = is_running && me.works() && (terminal.opener == Some(me.member) || me.role == Role::Owner);
    let (id, locked) = (terminal.terminal, terminal.locked);
    let toggle = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.lock_terminal(id, !locked))
    };
    let (name, icon, title) = if locked {
        ("Unlock terminal", IconName::Lock, "Let the others type here again")
    } else {
        ("Lock terminal", IconName::LockOpen, "Let the others look on, and not type")
    };
    html! {
        <>
            <span class="terminal-note">{ note }</span>
            if may_lock {
                <button class="icon-button" aria-label={name} {title} onclick={toggle}><Icon name={icon} /></button>
            }
        </>
    }
}

/// Whether a line beneath the terminal says something of it.
fn is_told(terminal: &Terminal, terminals: &Terminals) -> bool {
    terminal.exit.is_some() || terminals.skipped.contains(&terminal.terminal)
}

#[derive(Properties, PartialEq)]
struct TerminalHostProps {
    workbench: Workbench,
    id: SessionId,
    label: String,
    active: bool,
    /// It stands above a line.
    above: bool,
}

/// Where a terminal is put. It is made when its tab is first shown, and goes with its tab.
#[component]
fn TerminalHost(props: &TerminalHostProps) -> Html {
    let TerminalHostProps { workbench, id, label, active, above } = props;
    let node = use_node_ref();
    let is_mounted = use_mut_ref(|| false);
    use_effect_with((workbench.clone(), *id), |(workbench, id)| {
        let (workbench, id) = (workbench.clone(), *id);
        move || workbench.terminals.unmount(id)
    });
    use_effect_with((node.clone(), *active), {
        let (workbench, id, label) = (workbench.clone(), *id, label.clone());
        move |(node, active)| {
            if !*active {
                return;
            }
            if is_mounted.replace(true) {
                workbench.terminals.fit(id);
            } else if let Some(parent) = node.cast::<Element>() {
                workbench.terminals.mount(&workbench, id, label, parent);
            }
        }
    });
    let class = classes!("terminal-host", above.then_some("above"));
    html! { <div {class} role="region" aria-label={label.clone()} ref={node} hidden={!active}></div> }
}

/// How the program of the shown terminal ended, or that some of its output is not shown.
fn told(workbench: &Workbench, terminal: &Terminal, terminals: &Terminals, can_start: bool) -> Html {
    let id = terminal.terminal;
    let can_start = can_start && (terminal.kind == TerminalKind::Terminal || terminals.run_in(id).is_some());
    let again = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.start_again(id))
    };
    match terminal.exit {
        Some(exit) => html! {
            <div class="terminal-ended">
                <span>{ words::ended(exit) }</span>
                if can_start {
                    <button onclick={again}>{ "Start again" }</button>
                }
            </div>
        },
        None if terminals.skipped.contains(&id) => html! {
            <div class="terminal-ended">
                <span>{ "Output came faster than it could be shown; some of what is above is left out." }</span>
            </div>
        },
        None => html! {},
    }
}
