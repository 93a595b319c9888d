//! A menu at a place of the window: where it stands, its keys, when it closes, and how its items look. What is in it is up
//! to whoever opens it.

use std::rc::Rc;

use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::commands::Command;
use crate::state::keys::Keymap;
use crate::workbench::Workbench;

/// Room between the menu and the window's edge, in CSS pixels.
const EDGE: i32 = 4;
/// What can be chosen.
const ITEMS: &str = "button:enabled";

#[derive(Properties, PartialEq)]
pub(super) struct PopupMenuProps {
    pub(super) label: AttrValue,
    /// Where it was asked for, in CSS pixels of the window.
    pub(super) at: (i32, i32),
    pub(super) close: Callback<()>,
    /// Gives the keyboard back after it was closed by a key.
    pub(super) leave: Callback<()>,
    pub(super) children: Html,
}

#[component]
pub(super) fn PopupMenu(props: &PopupMenuProps) -> Html {
    let PopupMenuProps { label, at, close, leave, children } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), *at), |(node, (x, y))| {
        if let Some(element) = node.cast::<Element>() {
            place(&element, *x, *y);
            if let Some(first) = element.query_selector(ITEMS).ok().flatten() {
                page::give_focus(&first);
            }
        }
    });
    let onkeydown = {
        let (close, leave, node) = (close.clone(), leave.clone(), node.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let step = |steps| {
                if let Some(menu) = node.cast::<Element>() {
                    page::step_focus(&menu, ITEMS, steps);
                }
            };
            match event.key().as_str() {
                "Escape" | "Tab" => {
                    close.emit(());
                    leave.emit(());
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
                close.emit(());
            }
        })
    };
    html! {
        <div ref={node} class="context-menu" role="menu" aria-label={label} {onkeydown} {onfocusout}>
            { children.clone() }
        </div>
    }
}

/// How the items of one menu are made.
pub(super) struct Items {
    workbench: Workbench,
    keymap: Rc<Keymap>,
    /// Closes the menu, and does what has to be done before an item's own.
    chosen: Callback<()>,
}

impl Items {
    pub(super) fn new(workbench: &Workbench, chosen: Callback<()>) -> Self {
        let keymap = workbench.state().keymap.clone();
        Self { workbench: workbench.clone(), keymap, chosen }
    }

    pub(super) fn command(&self, icon: IconName, text: &'static str, command: Command) -> Html {
        self.command_if(true, icon, text, command)
    }

    /// One that can be chosen only if `enabled`.
    pub(super) fn command_if(&self, enabled: bool, icon: IconName, text: &'static str, command: Command) -> Html {
        let workbench = self.workbench.clone();
        let perform = Callback::from(move |()| workbench.perform(command));
        self.item(enabled, icon, text, self.keymap.shown(command), perform)
    }

    pub(super) fn act(&self, icon: IconName, text: &'static str, act: impl Fn(&Workbench) + 'static) -> Html {
        let workbench = self.workbench.clone();
        self.item(true, icon, text, None, Callback::from(move |()| act(&workbench)))
    }

    fn item(&self, enabled: bool, icon: IconName, text: &'static str, keys: Option<String>, act: Callback<()>) -> Html {
        let chosen = self.chosen.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            chosen.emit(());
            act.emit(());
        });
        html! {
            <button role="menuitem" tabindex="-1" aria-label={text} aria-keyshortcuts={keys.clone()} disabled={!enabled} {onclick}>
                <Icon name={icon} /><span class="menu-text">{ text }</span>
                if let Some(keys) = keys {
                    // Drawn by the style sheet: the item is called by its text alone.
                    <span class="menu-keys" data-keys={keys}></span>
                }
            </button>
        }
    }
}

pub(super) fn line() -> Html {
    html! { <hr role="separator" /> }
}

/// Puts a menu where it was asked for, and within the window.
fn place(menu: &Element, x: i32, y: i32) {
    let size = menu.get_bounding_client_rect();
    let window = page::window();
    let within = |length: Result<wasm_bindgen::JsValue, _>, own: f64, at: i32| {
        let length = length.ok().and_then(|length| length.as_f64()).unwrap_or(f64::MAX);
        at.min((length - own) as i32 - EDGE).max(0)
    };
    page::set_style(menu, "left", &format!("{}px", within(window.inner_width(), size.width(), x)));
    page::set_style(menu, "top", &format!("{}px", within(window.inner_height(), size.height(), y)));
}
