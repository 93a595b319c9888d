//! One terminal: the place where it is, the bar with which something is looked for, and how its program ended.

use embedenv_shared::frame::{Terminal, TerminalKind};
use embedenv_shared::id::SessionId;
use web_sys::Element;
use yew::prelude::*;

use super::editor_group::place;
use super::terminal_find::TerminalFind;
use crate::state::groups::Area;
use crate::state::terminals::find::Find;
use crate::words::{self, catalogue::say};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct TerminalPaneProps {
    pub(crate) workbench: Workbench,
    pub(crate) terminal: Terminal,
    /// Where it is shown, if it is.
    pub(crate) area: Option<Area>,
    /// Of several that are shown, it is the one in use.
    pub(crate) used: bool,
    /// It is this page's run.
    pub(crate) ran: bool,
    /// Some of its output is not shown.
    pub(crate) skipped: bool,
    pub(crate) find: Option<Find>,
    pub(crate) can_start: bool,
}

#[component]
pub(crate) fn TerminalPane(props: &TerminalPaneProps) -> Html {
    let TerminalPaneProps { workbench, terminal, area, used, skipped, find, .. } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), *area), |(node, area)| {
        if let (Some(node), Some(area)) = (node.cast::<Element>(), area) {
            place(&node, *area);
        }
    });
    let id = terminal.terminal;
    let onfocusin = {
        let workbench = workbench.clone();
        Callback::from(move |_: FocusEvent| workbench.use_terminal(id))
    };
    let oncontextmenu = {
        let workbench = workbench.clone();
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            workbench.show_terminal_menu(id, event.client_x(), event.client_y());
        })
    };
    html! {
        <section class="terminal-pane" ref={node} hidden={area.is_none()} data-used={used.then_some("true")} {onfocusin}>
            <TerminalHost
                workbench={workbench.clone()}
                {id}
                label={terminal.title.clone()}
                shown={area.is_some()}
                above={terminal.exit.is_some() || *skipped}
                {oncontextmenu}
            />
            if let Some(find) = find {
                <TerminalFind workbench={workbench.clone()} find={find.clone()} />
            }
            { told(props) }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct TerminalHostProps {
    workbench: Workbench,
    id: SessionId,
    label: String,
    shown: bool,
    /// It stands above a line.
    above: bool,
    oncontextmenu: Callback<MouseEvent>,
}

/// Where a terminal is put. It is made when it is first shown, and goes with its tab.
#[component]
fn TerminalHost(props: &TerminalHostProps) -> Html {
    let TerminalHostProps { workbench, id, label, shown, above, oncontextmenu } = props;
    let node = use_node_ref();
    let is_mounted = use_mut_ref(|| false);
    use_effect_with((workbench.clone(), *id), |(workbench, id)| {
        let (workbench, id) = (workbench.clone(), *id);
        move || workbench.terminals.unmount(id)
    });
    use_effect_with((node.clone(), *shown), {
        let (workbench, id, label) = (workbench.clone(), *id, label.clone());
        move |(node, shown)| {
            if !*shown {
                return;
            }
            if is_mounted.replace(true) {
                workbench.terminals.fit(id);
            } else if let Some(parent) = node.cast::<Element>() {
                workbench.terminals.mount(&workbench, id, label, parent);
            }
        }
    });
    use_effect_with((workbench.clone(), *id, label.clone()), |(workbench, id, label)| {
        if let Some(terminal) = workbench.terminals.shown(*id) {
            terminal.set_label(label);
        }
    });
    let class = classes!("terminal-host", above.then_some("above"));
    html! { <div {class} role="region" aria-label={label.clone()} ref={node} hidden={!shown} {oncontextmenu}></div> }
}

/// How the program ended, or that some of its output is not shown.
fn told(props: &TerminalPaneProps) -> Html {
    let TerminalPaneProps { workbench, terminal, ran, skipped, can_start, .. } = props;
    let can_start = *can_start && (terminal.kind == TerminalKind::Terminal || *ran);
    let again = {
        let (workbench, id) = (workbench.clone(), terminal.terminal);
        Callback::from(move |_: MouseEvent| workbench.start_again(id))
    };
    match terminal.exit {
        Some(exit) => html! {
            <div class="terminal-ended">
                <span>{ words::ended(exit) }</span>
                if can_start {
                    <button onclick={again}>{ say!("terminal.again") }</button>
                }
            </div>
        },
        None if *skipped => html! {
            <div class="terminal-ended">
                <span>{ say!("terminal.skipped") }</span>
            </div>
        },
        None => html! {},
    }
}
