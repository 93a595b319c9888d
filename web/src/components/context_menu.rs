//! What can be done with an entry of the tree.

use std::rc::Rc;

use embedenv_shared::link::files::Item;
use embedenv_shared::path::WorkspacePath;
use yew::prelude::*;

use super::icon::IconName;
use super::menu::{Items, PopupMenu, line};
use crate::state::commands::Command;
use crate::state::tree::{Tree, TreeAction};
use crate::state::{Action, Menu};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct ContextMenuProps {
    pub(crate) workbench: Workbench,
    pub(crate) menu: Menu,
    pub(crate) tree: Rc<Tree>,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn ContextMenu(props: &ContextMenuProps) -> Html {
    let ContextMenuProps { workbench, menu, tree, works } = props;
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |()| act(&workbench))
    };
    let close = calling(|workbench| workbench.dispatch(Action::Menu(None)));
    let leave = calling(Workbench::focus_tree);
    let items = Items::new(workbench, close.clone());
    let item = |icon, text, command| items.command(icon, text, command);
    let on_file = |icon, text, act: fn(&Workbench, WorkspacePath)| {
        let path = menu.path.clone();
        items.act(icon, text, move |workbench| {
            if let Some(path) = path.clone() {
                act(workbench, path);
            }
        })
    };
    let new = |icon, text, item: Item| {
        let at_root = menu.path.is_none();
        items.act(icon, text, move |workbench| {
            if at_root {
                workbench.dispatch(Action::Tree(TreeAction::Select(None)));
            }
            workbench.name_new(item);
        })
    };
    let works = *works;
    let is_entry = menu.path.is_some();
    let is_one = is_entry && tree.chosen().len() < 2;
    let is_file = is_one && menu.path.as_ref().is_some_and(|path| !tree.is_folder(path));
    html! {
        <PopupMenu label={say!("menu.name")} at={(menu.x, menu.y)} {close} {leave}>
            if is_file {
                { on_file(IconName::FileCode, say!("menu.open"), |workbench, path| workbench.show_file(path, true)) }
            }
            if is_file {
                { on_file(IconName::Columns, say!("menu.open-aside"), Workbench::open_aside) }
            }
            if is_one && !is_file {
                { on_file(IconName::Search, say!("menu.find-in"), Workbench::find_in_folder) }
            }
            if is_file && works {
                { on_file(IconName::Play, say!("menu.run"), |workbench, path| workbench.run_path(path)) }
            }
            if works {
                { new(IconName::FilePlus, say!("tree.new-file"), Item::File) }
                { new(IconName::FolderPlus, say!("tree.new-folder"), Item::Folder) }
                { item(IconName::Upload, say!("menu.upload"), Command::Upload) }
                { item(IconName::FolderUp, say!("menu.upload-folder"), Command::UploadFolder) }
            }
            { item(IconName::Download, say!("tree.download"), Command::Download) }
            if is_entry {
                { line() }
                if works {
                    { item(IconName::Scissors, say!("menu.cut"), Command::CutEntries) }
                    { item(IconName::Copy, say!("menu.copy"), Command::CopyEntries) }
                }
            }
            if works && tree.clipboard.is_some() {
                { item(IconName::Clipboard, say!("menu.paste"), Command::PasteEntries) }
            }
            if is_entry {
                if works {
                    { item(IconName::CopyPlus, say!("menu.duplicate"), Command::DuplicateEntries) }
                }
                { item(IconName::Link, say!("menu.copy-path"), Command::CopyPath) }
            }
            if is_entry && works {
                { line() }
                if is_one {
                    { item(IconName::Pencil, say!("menu.rename"), Command::Rename) }
                }
                { item(IconName::Trash, say!("delete"), Command::Delete) }
            }
            if !is_entry {
                { line() }
                { item(IconName::ListFilter, say!("tree.filter"), Command::FilterFiles) }
                { item(IconName::ChevronsDownUp, say!("menu.fold"), Command::FoldFolders) }
                { item(IconName::RefreshCw, say!("menu.refresh"), Command::RefreshFiles) }
                { item(IconName::Eye, if tree.hides { say!("menu.show-hidden") } else { say!("menu.hide-hidden") }, Command::ToggleHidden) }
            }
        </PopupMenu>
    }
}
