//! The room's terminals: their tabs, those that are shown side by side, and what can be done with them.

use embedenv_shared::frame::{SandboxState, Terminal, TerminalKind};
use embedenv_shared::id::{MemberId, Role, SessionId};
use embedenv_shared::link::sessions::MAX_TITLE;
use web_sys::Element;
use yew::prelude::*;

use super::editor_group::place;
use super::icon::{Icon, IconName};
use super::splitter::{Axis, Sized, Splitter, Unit};
use super::tabs::{Tab, Tabs};
use super::terminal_pane::TerminalPane;
use crate::interop::page;
use crate::state::commands::Command;
use crate::state::groups::WHOLE;
use crate::state::keys::Keymap;
use crate::state::terminals::strip::Edge;
use crate::state::terminals::{Terminals, TerminalsAction};
use crate::state::{Action, State};
use crate::words::{self, catalogue::say};
use crate::workbench::Workbench;

pub(crate) fn terminal_panel(workbench: &Workbench, state: &State) -> Html {
    let terminals = &*state.terminals;
    let works = state.works();
    let can_start = works && state.sandbox.state == SandboxState::Ready;
    let calling = |act: fn(&Workbench, SessionId)| {
        let workbench = workbench.clone();
        Callback::from(move |id: u32| act(&workbench, SessionId(id)))
    };
    let (areas, edges) = terminals.active.map(|id| terminals.strip.areas(id)).unwrap_or_default();
    let tabs: Vec<Tab> = terminals.in_order().map(|terminal| tab(terminal, terminals)).collect();
    // A list of its own, so that each pane is known by its key and not by its place.
    let panes: Html = terminals
        .list
        .iter()
        .map(|terminal| {
            let id = terminal.terminal;
            html! {
                <TerminalPane
                    key={id.0}
                    workbench={workbench.clone()}
                    terminal={terminal.clone()}
                    area={areas.iter().find(|(other, _)| *other == id).map(|(_, area)| *area)}
                    used={areas.len() > 1 && terminals.active == Some(id)}
                    ran={terminals.run_in(id).is_some()}
                    skipped={terminals.skipped.contains(&id)}
                    find={terminals.find.clone().filter(|find| find.terminal == id)}
                    {can_start}
                />
            }
        })
        .collect();
    let edges: Html = edges
        .into_iter()
        .map(|edge| html! { <PaneEdge key={edge.before.0} workbench={workbench.clone()} {edge} /> })
        .collect();
    let reorder = {
        let workbench = workbench.clone();
        Callback::from(move |(id, at)| workbench.move_terminal(SessionId(id), at))
    };
    let named = {
        let workbench = workbench.clone();
        Callback::from(move |(id, title)| {
            workbench.terminal_named(SessionId(id), title);
            page::focus(".panel [role=tab][aria-selected=true]");
        })
    };
    let menu = {
        let workbench = workbench.clone();
        Callback::from(move |(id, x, y)| {
            workbench.show_terminal(SessionId(id));
            workbench.show_terminal_menu(SessionId(id), x, y);
        })
    };
    html! {
        <>
            <Tabs
                label={say!("terminals.name")}
                {tabs}
                active={terminals.active.map(|id| id.0)}
                activate={calling(Workbench::show_terminal)}
                close={works.then(|| calling(Workbench::close_terminal))}
                {reorder}
                naming={terminals.naming.map(|id| (id.0, MAX_TITLE))}
                name={works.then(|| calling(Workbench::name_terminal))}
                {named}
                {menu}
            >
                if let Some(terminal) = terminals.active() {
                    { standing(workbench, state, terminal) }
                }
                { buttons(workbench, &state.keymap, terminals.active(), works) }
            </Tabs>
            <div class="terminal-area">
                { panes }
                { edges }
                if terminals.active().is_none() {
                    <p class="panel-empty">
                        { if works { say!("terminal.none.works") } else { say!("terminal.none") } }
                    </p>
                }
            </div>
        </>
    }
}

fn buttons(workbench: &Workbench, keymap: &Keymap, active: Option<&Terminal>, works: bool) -> Html {
    let id = active.map(|terminal| terminal.terminal);
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(id) = id {
                workbench.close_terminal(id);
            }
        })
    };
    let more = {
        let workbench = workbench.clone();
        Callback::from(move |event: MouseEvent| {
            if let (Some(id), Some(button)) = (id, event.target_dyn_into::<Element>()) {
                let rect = button.get_bounding_client_rect();
                workbench.show_terminal_menu(id, rect.left() as i32, rect.bottom() as i32);
            }
        })
    };
    let button = |name: &'static str, title: String, icon: IconName, disabled: bool, class: &'static str, act| {
        html! {
            <button class={classes!("icon-button", class)} aria-label={name} {title} {disabled} onclick={act}>
                <Icon name={icon} />
            </button>
        }
    };
    let does = |name: &'static str, command: Command, icon: IconName, disabled: bool, class: &'static str| {
        let keys = keymap.shown(command);
        let title = keys.map_or_else(|| name.to_owned(), |keys| say!("terminal.with-keys", name = name, keys = keys));
        let workbench = workbench.clone();
        button(name, title, icon, disabled, class, Callback::from(move |_: MouseEvent| workbench.perform(command)))
    };
    let none = id.is_none();
    let (more_name, close_name) = (say!("terminal.more"), say!("terminal.close"));
    html! {
        <>
            { does(say!("terminal.new"), Command::NewTerminal, IconName::Plus, !works, "") }
            { does(say!("terminal.split"), Command::SplitTerminal, IconName::Columns, !works || none, "if-wide") }
            { does(say!("terminal.clear"), Command::ClearTerminal, IconName::Eraser, none, "if-wide") }
            { button(more_name, more_name.to_owned(), IconName::MoreHorizontal, none, "", more) }
            { button(close_name, say!("terminal.close.about").to_owned(), IconName::Trash, !works || none, "", close) }
        </>
    }
}

fn tab(terminal: &Terminal, terminals: &Terminals) -> Tab {
    let id = terminal.terminal;
    let ran = terminals.run_in(id);
    let ended = terminal.exit.map(words::ended);
    let what = ran.map_or_else(|| say!("terminal.in", project = terminal.project), |run| run.command.clone());
    let rung = terminals.rung.contains(&id);
    let together = terminals.strip.together(id);
    let is_split = together.len() > 1;
    let class = classes!(
        terminal.exit.is_some().then_some("ended"),
        rung.then_some("rung"),
        is_split.then_some("together"),
        (is_split && together.first() == Some(&id)).then_some("first"),
        (is_split && together.last() == Some(&id)).then_some("last"),
        (terminals.active != Some(id) && terminals.shown().contains(&id)).then_some("beside"),
    );
    Tab {
        key: id.0,
        text: terminal.title.clone(),
        name: if rung { say!("terminal.rang", title = terminal.title) } else { terminal.title.clone() },
        title: ended.map_or_else(|| what.clone(), |ended| say!("terminal.ended", what = what, how = ended)),
        class,
        icon: match terminal.kind {
            _ if rung => IconName::Bell,
            TerminalKind::Run => IconName::Play,
            _ => IconName::Terminal,
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
        // Nobody types into what has ended, nor changes its size.
        _ if terminal.exit.is_some() => String::new(),
        (true, Some(opener), _) => say!("terminal.locked-by", user = opener),
        (true, None, _) => say!("terminal.locked").to_owned(),
        (false, _, Some(driver)) => say!("terminal.size-of", user = driver),
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
        (say!("terminal.unlock"), IconName::Lock, say!("terminal.unlock.about"))
    } else {
        (say!("terminal.lock"), IconName::LockOpen, say!("terminal.lock.about"))
    };
    html! {
        <>
            <span class="terminal-note" title={note.clone()}>{ note }</span>
            if may_lock {
                <button class="icon-button" aria-label={name} {title} onclick={toggle}><Icon name={icon} /></button>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct PaneEdgeProps {
    workbench: Workbench,
    edge: Edge,
}

/// Shares out the room of two terminals, in thousandths of what both have.
#[component]
fn PaneEdge(props: &PaneEdgeProps) -> Html {
    let PaneEdgeProps { workbench, edge } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), edge.area, edge.share), |(node, area, share)| {
        if let Some(node) = node.cast::<Element>() {
            place(&node, *area);
            page::set_style(&node, "--share", &format!("{}%", f64::from(*share * 100) / f64::from(WHOLE)));
        }
    });
    let resize = {
        let (workbench, before) = (workbench.clone(), edge.before);
        Callback::from(move |share: i32| {
            let share = u32::try_from(share).unwrap_or_default();
            workbench.dispatch(Action::Terminals(TerminalsAction::Share { before, share }));
        })
    };
    let whole = WHOLE as i32;
    html! {
        <div class="edge row" ref={node}>
            <Splitter
                axis={Axis::Vertical}
                label={say!("terminal.width")}
                value={edge.share as i32}
                range={(whole / 10, whole / 2, whole - whole / 10)}
                {resize}
                sized={Sized::Before}
                unit={Unit::Shares}
            />
        </div>
    }
}
