//! What can be done with a terminal: the menu at it, at its tab and behind the button with three dots.

use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::context_menu::place;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::commands::Command;
use crate::state::{Action, State, TerminalMenu as Menu};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct TerminalMenuProps {
    pub(crate) workbench: Workbench,
    pub(crate) menu: Menu,
    pub(crate) works: bool,
    /// It stands beside another one.
    pub(crate) is_split: bool,
}

pub(crate) fn terminal_menu(workbench: &Workbench, state: &State) -> Html {
    let Some(menu) = state.terminal_menu else { return html! {} };
    let is_split = state.terminals.strip.together(menu.id).len() > 1;
    html! { <TerminalMenu workbench={workbench.clone()} {menu} works={state.works()} {is_split} /> }
}

#[component]
pub(crate) fn TerminalMenu(props: &TerminalMenuProps) -> Html {
    let TerminalMenuProps { workbench, menu, works, is_split } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), *menu), |(node, menu)| {
        if let Some(element) = node.cast::<Element>() {
            place(&element, menu.x, menu.y);
            if let Some(first) = element.query_selector("button:enabled").ok().flatten() {
                page::give_focus(&first);
            }
        }
    });
    let close = {
        let workbench = workbench.clone();
        move || workbench.dispatch(Action::TerminalMenu(None))
    };
    let onkeydown = {
        let (close, workbench, node, id) = (close.clone(), workbench.clone(), node.clone(), menu.id);
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let step = |steps| {
                if let Some(menu) = node.cast::<Element>() {
                    page::step_focus(&menu, "button:enabled", steps);
                }
            };
            match event.key().as_str() {
                "Escape" | "Tab" => {
                    close();
                    workbench.terminals.focus(id);
                }
                "ArrowDown" => step(1),
                "ArrowUp" => step(-1),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onfocusout = {
        let node = node.clone();
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|to| wasm_bindgen::JsCast::dyn_into::<web_sys::Node>(to).ok());
            if !node.cast::<Element>().is_some_and(|menu| menu.contains(to.as_ref())) {
                close();
            }
        })
    };
    let keymap = workbench.state().keymap.clone();
    let item = |icon: IconName, text: &'static str, command: Command, enabled: bool| {
        let workbench = workbench.clone();
        let (id, keys) = (menu.id, keymap.shown(command));
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::TerminalMenu(None));
            workbench.terminals.focus(id);
            workbench.perform(command);
        });
        html! {
            <button role="menuitem" aria-keyshortcuts={keys.clone()} tabindex="-1" disabled={!enabled} onclick={act}>
                <Icon name={icon} /><span>{ text }</span>
                if let Some(keys) = keys {
                    <kbd aria-hidden="true">{ keys }</kbd>
                }
            </button>
        }
    };
    html! {
        <div ref={node} class="context-menu" role="menu" aria-label={say!("terminal.menu")} {onkeydown} {onfocusout}>
            { item(IconName::Copy, say!("terminal.menu.copy"), Command::CopyFromTerminal, menu.has_selection) }
            if *works {
                { item(IconName::Clipboard, say!("terminal.menu.paste"), Command::PasteIntoTerminal, true) }
            }
            { item(IconName::TextSelect, say!("terminal.menu.select-all"), Command::SelectAllInTerminal, true) }
            <hr />
            { item(IconName::Search, say!("terminal.menu.find"), Command::FindInTerminal, true) }
            { item(IconName::Eraser, say!("terminal.menu.clear"), Command::ClearTerminal, true) }
            <hr />
            if *works {
                { item(IconName::Pencil, say!("terminal.menu.rename"), Command::RenameTerminal, true) }
                { item(IconName::Columns, say!("terminal.menu.split"), Command::SplitTerminal, true) }
            }
            if *is_split {
                { item(IconName::Square, say!("terminal.menu.by-itself"), Command::TakeOutTerminal, true) }
            }
            { item(IconName::ArrowLeft, say!("terminal.menu.left"), Command::MoveTerminalLeft, true) }
            { item(IconName::ArrowRight, say!("terminal.menu.right"), Command::MoveTerminalRight, true) }
            if *works {
                <hr />
                { item(IconName::Trash, say!("terminal.menu.close"), Command::CloseTerminal, true) }
            }
        </div>
    }
}
