//! What can be done with a terminal: the menu at it, at its tab and behind the button with three dots.

use embedenv_shared::id::SessionId;
use yew::prelude::*;

use super::icon::IconName;
use super::menu::{Items, PopupMenu, line};
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
    let id = menu.id;
    let calling = |act: fn(&Workbench, SessionId)| {
        let workbench = workbench.clone();
        Callback::from(move |()| act(&workbench, id))
    };
    let close = calling(|workbench, _| workbench.dispatch(Action::TerminalMenu(None)));
    let leave = calling(|workbench, id| workbench.terminals.focus(id));
    let chosen = calling(|workbench, id| {
        workbench.dispatch(Action::TerminalMenu(None));
        workbench.terminals.focus(id);
    });
    let items = Items::new(workbench, chosen);
    let item = |icon, text, command, enabled| items.command_if(enabled, icon, text, command);
    html! {
        <PopupMenu label={say!("terminal.menu")} at={(menu.x, menu.y)} {close} {leave}>
            { item(IconName::Copy, say!("terminal.menu.copy"), Command::CopyFromTerminal, menu.has_selection) }
            if *works {
                { item(IconName::Clipboard, say!("terminal.menu.paste"), Command::PasteIntoTerminal, true) }
            }
            { item(IconName::TextSelect, say!("terminal.menu.select-all"), Command::SelectAllInTerminal, true) }
            { line() }
            { item(IconName::Search, say!("terminal.menu.find"), Command::FindInTerminal, true) }
            { item(IconName::Eraser, say!("terminal.menu.clear"), Command::ClearTerminal, true) }
            { line() }
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
                { line() }
                { item(IconName::Trash, say!("terminal.menu.close"), Command::CloseTerminal, true) }
            }
        </PopupMenu>
    }
}
