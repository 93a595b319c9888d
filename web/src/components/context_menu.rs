//! What can be done with an entry of the tree.

use std::rc::Rc;

use embedenv_shared::link::files::Item;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::tree::{Tree, TreeAction};
use crate::state::{Action, Menu};
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
    let item = |icon: IconName, text: &'static str, act: fn(&Workbench)| {
        let workbench = workbench.clone();
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Menu(None));
            act(&workbench);
        });
        html! { <button role="menuitem" tabindex="-1" onclick={act}><Icon name={icon} />{ text }</button> }
    };
    let path = menu.path.as_ref();
    let is_file = path.is_some_and(|path| !tree.is_folder(path));
    let new = |item: Item| -> fn(&Workbench) {
        match item {
            Item::File => |workbench| workbench.name_new(Item::File),
            Item::Folder => |workbench| workbench.name_new(Item::Folder),
        }
    };
    let at_root = |act: fn(&Workbench)| act;
    html! {
        <div ref={node} class="context-menu" role="menu" aria-label="Entry" {onkeydown} {onfocusout}>
            if is_file {
                { item(IconName::FileCode, "Open", |workbench| {
                    let path = workbench.state().tree.selected.clone();
                    if let Some(path) = path { workbench.show_file(path, true); }
                }) }
            }
            if is_file && *works {
                { item(IconName::Play, "Run", |workbench| {
                    let path = workbench.state().tree.selected.clone();
                    if let Some(path) = path { workbench.run_path(path); }
                }) }
            }
            if *works {
                { item(IconName::FilePlus, "New file", if path.is_some() { new(Item::File) } else { at_root(|workbench| {
                    workbench.dispatch(Action::Tree(TreeAction::Select(None)));
                    workbench.name_new(Item::File);
                }) }) }
                { item(IconName::FolderPlus, "New folder", if path.is_some() { new(Item::Folder) } else { at_root(|workbench| {
                    workbench.dispatch(Action::Tree(TreeAction::Select(None)));
                    workbench.name_new(Item::Folder);
                }) }) }
            }
            if is_file {
                { item(IconName::Download, "Download", Workbench::download_selected) }
            }
            if path.is_some() {
                { item(IconName::Copy, "Copy path", |workbench| {
                    let path = workbench.state().tree.selected.clone();
                    wasm_bindgen_futures::spawn_local(async move {
                        if let Some(path) = path { page::copy(path.as_str()).await; }
                    });
                }) }
            }
            if path.is_some() && *works {
                { item(IconName::Pencil, "Rename", Workbench::rename_selected) }
                { item(IconName::Trash, "Delete", Workbench::ask_to_delete_selected) }
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
