//! What can be done with an entry of the tree.

use std::rc::Rc;

use embedenv_shared::link::files::Item;
use embedenv_shared::path::WorkspacePath;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::commands::Command;
use crate::state::tree::{Tree, TreeAction};
use crate::state::{Action, Menu};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Room between the menu and the window's edge, in CSS pixels.
const EDGE: i32 = 4;

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
    let node = use_node_ref();
    use_effect_with((node.clone(), menu.clone()), |(node, menu)| {
        if let Some(element) = node.cast::<Element>() {
            place(&element, menu.x, menu.y);
            if let Some(first) = element.query_selector("button").ok().flatten() {
                page::give_focus(&first);
            }
        }
    });
    let close = {
        let workbench = workbench.clone();
        move || workbench.dispatch(Action::Menu(None))
    };
    let onkeydown = {
        let (close, workbench, node) = (close.clone(), workbench.clone(), node.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let step = |steps| {
                if let Some(menu) = node.cast::<Element>() {
                    page::step_focus(&menu, "button", steps);
                }
            };
            match event.key().as_str() {
                "Escape" | "Tab" => {
                    close();
                    workbench.focus_tree();
                }
                "ArrowDown" => step(1),
                "ArrowUp" => step(-1),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onfocusout = {
        let (close, node) = (close.clone(), node.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|to| wasm_bindgen::JsCast::dyn_into::<web_sys::Node>(to).ok());
            if !node.cast::<Element>().is_some_and(|menu| menu.contains(to.as_ref())) {
                close();
            }
        })
    };
    let keymap = workbench.state().keymap.clone();
    let item = |icon: IconName, text: &'static str, command: Command| {
        let workbench = workbench.clone();
        let keys = keymap.shown(command);
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Menu(None));
            workbench.perform(command);
        });
        html! {
            <button role="menuitem" tabindex="-1" aria-label={text} onclick={act}>
                <Icon name={icon} /><span class="menu-text">{ text }</span>
                if let Some(keys) = keys {
                    // Drawn by the style sheet: the item is called by its text alone.
                    <span class="menu-keys" data-keys={keys}></span>
                }
            </button>
        }
    };
    let on_file = |icon: IconName, text: &'static str, act: fn(&Workbench, WorkspacePath)| {
        let (workbench, path) = (workbench.clone(), menu.path.clone());
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Menu(None));
            if let Some(path) = path.clone() {
                act(&workbench, path);
            }
        });
        html! { <button role="menuitem" tabindex="-1" onclick={act}><Icon name={icon} /><span class="menu-text">{ text }</span></button> }
    };
    let new = |icon: IconName, text: &'static str, item: Item| {
        let (workbench, at_root) = (workbench.clone(), menu.path.is_none());
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Menu(None));
            if at_root {
                workbench.dispatch(Action::Tree(TreeAction::Select(None)));
            }
            workbench.name_new(item);
        });
        html! { <button role="menuitem" tabindex="-1" onclick={act}><Icon name={icon} /><span class="menu-text">{ text }</span></button> }
    };
    let works = *works;
    let is_entry = menu.path.is_some();
    let is_one = is_entry && tree.chosen().len() < 2;
    let is_file = is_one && menu.path.as_ref().is_some_and(|path| !tree.is_folder(path));
    let line = || html! { <hr role="separator" /> };
    html! {
        <div ref={node} class="context-menu" role="menu" aria-label={say!("menu.name")} {onkeydown} {onfocusout}>
            if is_file {
                { on_file(IconName::FileCode, say!("menu.open"), |workbench, path| workbench.show_file(path, true)) }
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
        </div>
    }
}

/// Puts a menu where it was asked for, and within the window.
pub(super) fn place(menu: &Element, x: i32, y: i32) {
    let size = menu.get_bounding_client_rect();
    let window = page::window();
    let within = |length: Result<wasm_bindgen::JsValue, _>, own: f64, at: i32| {
        let length = length.ok().and_then(|length| length.as_f64()).unwrap_or(f64::MAX);
        at.min((length - own) as i32 - EDGE).max(0)
    };
    page::set_style(menu, "left", &format!("{}px", within(window.inner_width(), size.width(), x)));
    page::set_style(menu, "top", &format!("{}px", within(window.inner_height(), size.height(), y)));
}
