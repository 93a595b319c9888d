//! What can be done with the tab of an open file.

use yew::prelude::*;

use super::icon::IconName;
use super::menu::{Items, PopupMenu, line};
use crate::state::commands::Command;
use crate::state::views::{self, View};
use crate::state::{Action, State, TabMenu as Menu};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn tab_menu(workbench: &Workbench, state: &State) -> Html {
    let shown = state.tab_menu.and_then(|menu| Some((menu, state.files.get(menu.file)?)));
    let Some((menu, file)) = shown else { return html! {} };
    let has_preview = file.view == View::File && views::has_preview(&file.path);
    html! { <TabMenu workbench={workbench.clone()} {menu} {has_preview} /> }
}

#[derive(Properties, PartialEq)]
pub(crate) struct TabMenuProps {
    pub(crate) workbench: Workbench,
    pub(crate) menu: Menu,
    pub(crate) has_preview: bool,
}

#[component]
pub(crate) fn TabMenu(props: &TabMenuProps) -> Html {
    let TabMenuProps { workbench, menu, has_preview } = props;
    let Menu { group, file, x, y } = *menu;
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |()| workbench.dispatch(Action::TabMenu(None)))
    };
    let leave = {
        let workbench = workbench.clone();
        Callback::from(move |()| workbench.focus_editor())
    };
    // Everything is done with the file that the menu is at: it is shown first.
    let chosen = {
        let workbench = workbench.clone();
        Callback::from(move |()| {
            workbench.dispatch(Action::TabMenu(None));
            workbench.activate_in(group, file);
            workbench.focus_editor();
        })
    };
    let items = Items::new(workbench, chosen);
    html! {
        <PopupMenu label={say!("tab.menu")} at={(x, y)} {close} {leave}>
            { items.command(IconName::X, say!("tab.menu.close"), Command::CloseFile) }
            { items.command(IconName::X, say!("tab.menu.close-others"), Command::CloseOthers) }
            { items.command(IconName::X, say!("tab.menu.close-after"), Command::CloseAfter) }
            { items.command(IconName::X, say!("tab.menu.close-saved"), Command::CloseSaved) }
            { items.command(IconName::X, say!("tab.menu.close-all"), Command::CloseAll) }
            { line() }
            { items.act(IconName::Link, say!("menu.copy-path"), move |workbench| workbench.copy_path_of(file)) }
            { items.command(IconName::Folder, say!("tab.menu.reveal"), Command::Reveal) }
            { items.act(IconName::Check, say!("tab.menu.keep"), move |workbench| workbench.keep_in(group, file)) }
            { line() }
            if *has_preview {
                { items.command(IconName::Eye, say!("tab.menu.preview"), Command::PreviewBeside) }
            }
            { items.command(IconName::Columns, say!("tab.menu.split-right"), Command::SplitRight) }
            { items.command(IconName::PanelBottom, say!("tab.menu.split-down"), Command::SplitDown) }
        </PopupMenu>
    }
}
