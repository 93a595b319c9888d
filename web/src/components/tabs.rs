//! A row of tabs, for files and for terminals: arrows go from one to the next, Delete and the middle button close, F2
//! names, and dragging puts one elsewhere.

use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, Element, KeyboardEvent, MouseEvent, Node};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tab_name::TabName;
use crate::interop::page;
use crate::interop::size::Resized;
use crate::words::catalogue::say;

/// One tab.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tab {
    pub(crate) key: u32,
    /// What it shows.
    pub(crate) text: String,
    /// What it is called, where that says more.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) class: Classes,
    pub(crate) icon: IconName,
}

#[derive(Properties, PartialEq)]
pub(crate) struct TabsProps {
    pub(crate) label: AttrValue,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) active: Option<u32>,
    pub(crate) activate: Callback<u32>,
    /// Opened for good by a double click, where there is such a thing.
    #[prop_or_default]
    pub(crate) keep: Callback<u32>,
    pub(crate) close: Option<Callback<u32>>,
    /// Its tabs can be dragged; what that does is up to whoever is around.
    #[prop_or_default]
    pub(crate) drags: bool,
    /// The place where a dragged tab would go.
    #[prop_or_default]
    pub(crate) mark: Option<usize>,
    /// Its own tabs are put into another order by dragging: the tab, and the place before which it comes.
    #[prop_or_default]
    pub(crate) reorder: Option<Callback<(u32, usize)>>,
    /// The tab that is being named, and the most characters of a name.
    #[prop_or_default]
    pub(crate) naming: Option<(u32, usize)>,
    /// Begins to name a tab, where they can be named.
    #[prop_or_default]
    pub(crate) name: Option<Callback<u32>>,
    #[prop_or_default]
    pub(crate) named: Callback<(u32, Option<String>)>,
    /// Opens the menu of a tab at a place of the window, where there is one.
    #[prop_or_default]
    pub(crate) menu: Option<Callback<(u32, i32, i32)>>,
    /// Buttons at the end.
    #[prop_or_default]
    pub(crate) children: Html,
}

/// Brings the chosen tab into view, if there is one. Scrolls the row alone: the browser's own way moves what is around it, too,
/// even a page that this one is framed in.
fn show_chosen(list: &NodeRef) -> Option<Element> {
    let list = list.cast::<Element>()?;
    let tab = list.query_selector("[aria-selected=true]").ok()??;
    let (row, own) = (list.get_bounding_client_rect(), tab.get_bounding_client_rect());
    let over = (own.right() - row.right()).max(0.0).min(own.left() - row.left());
    let by = if own.left() < row.left() { own.left() - row.left() } else { over };
    list.set_scroll_left(list.scroll_left() + by.round() as i32);
    Some(tab)
}

#[component]
pub(crate) fn Tabs(props: &TabsProps) -> Html {
    let TabsProps { label, tabs, active, activate, close, children, .. } = props;
    let list = use_node_ref();
    let is_new = use_mut_ref(|| true);
    use_effect_with((list.clone(), *active, tabs.len()), move |(list, ..)| {
        // Who hears of its size is told of the first one, too, when the page is laid out anyway.
        if is_new.replace(false) {
            return;
        }
        let (Some(list), Some(tab)) = (list.cast::<Element>(), show_chosen(list)) else { return };
        if page::focused().is_some_and(|focused| list.contains(Some(&focused))) {
            // The keyboard goes with the choice.
            page::give_focus(&tab);
        }
    });
    // A window that gets narrower hides other tabs, not the chosen one.
    use_effect_with(list.clone(), |list| {
        let again = list.clone();
        let resized = list.cast::<Element>().and_then(|list| Resized::hear(&list, move || drop(show_chosen(&again))));
        move || drop(resized)
    });
    let keys: Vec<u32> = tabs.iter().map(|tab| tab.key).collect();
    let order = use_reorder(&keys, props.reorder.clone());
    let onkeydown = {
        let (keys, active, activate, close) = (keys, *active, activate.clone(), close.clone());
        let (list, name) = (list.clone(), props.name.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(at) = keys.iter().position(|key| Some(*key) == active) else { return };
            let to = match event.key().as_str() {
                "ArrowLeft" => (at + keys.len() - 1) % keys.len(),
                "ArrowRight" => (at + 1) % keys.len(),
                "Home" => 0,
                "End" => keys.len() - 1,
                "Delete" => {
                    if let Some(close) = &close {
                        close.emit(keys[at]);
                        focus_active(list.clone());
                    }
                    return;
                }
                "F2" => {
                    if let Some(name) = &name {
                        event.prevent_default();
                        name.emit(keys[at]);
                    }
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            activate.emit(keys[to]);
        })
    };
    let last = tabs.len().checked_sub(1);
    let mark = props.mark.or(order.mark);
    let marked = |at: usize| match mark {
        Some(mark) if mark == at => Some("drop-before"),
        Some(mark) if mark == at + 1 && Some(at) == last => Some("drop-after"),
        _ => None,
    };
    let tabs = tabs.iter().enumerate().map(|(at, tab)| one(props, tab, marked(at)));
    html! {
        <div class="tabs">
            <div
                class="tab-list"
                ref={list}
                role="tablist"
                aria-label={label}
                {onkeydown}
                ondragstart={order.start}
                ondragover={order.over}
                ondragleave={order.leave}
                ondrop={order.drop}
                ondragend={order.end}
            >
                { for tabs }
            </div>
            <div class="tabs-actions">{ children.clone() }</div>
        </div>
    }
}

/// How the tabs of a row are put into another order.
struct Reorder {
    /// The place where the dragged tab would go.
    mark: Option<usize>,
    start: Option<Callback<DragEvent>>,
    over: Option<Callback<DragEvent>>,
    leave: Option<Callback<DragEvent>>,
    drop: Option<Callback<DragEvent>>,
    end: Option<Callback<DragEvent>>,
}

#[hook]
fn use_reorder(keys: &[u32], reorder: Option<Callback<(u32, usize)>>) -> Reorder {
    let mark = use_state_eq(|| None::<usize>);
    let dragged = use_mut_ref(|| None::<u32>);
    let keys: Rc<[u32]> = keys.into();
    let Some(reorder) = reorder else {
        return Reorder { mark: None, start: None, over: None, leave: None, drop: None, end: None };
    };
    let start = {
        let (dragged, keys) = (dragged.clone(), keys.clone());
        Callback::from(move |event: DragEvent| {
            let at = event.target_dyn_into::<Element>().and_then(|element| place_of_tab(&element));
            if let Some(key) = at.and_then(|at| keys.get(at)) {
                begin_drag(&event);
                *dragged.borrow_mut() = Some(*key);
            }
        })
    };
    let over = {
        let (dragged, mark, count) = (dragged.clone(), mark.clone(), keys.len());
        Callback::from(move |event: DragEvent| {
            if dragged.borrow().is_some() {
                event.prevent_default();
                mark.set(aim_at_tabs(&event, count));
            }
        })
    };
    let leave = {
        let mark = mark.clone();
        Callback::from(move |event: DragEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
            let list = event.current_target().and_then(|list| list.dyn_into::<Node>().ok());
            if !list.is_some_and(|list| list.contains(to.as_ref())) {
                mark.set(None);
            }
        })
    };
    let drop = {
        let (dragged, mark, count) = (dragged.clone(), mark.clone(), keys.len());
        Callback::from(move |event: DragEvent| {
            mark.set(None);
            if let (Some(key), Some(at)) = (dragged.take(), aim_at_tabs(&event, count)) {
                event.prevent_default();
                reorder.emit((key, at));
            }
        })
    };
    let end = {
        let mark = mark.clone();
        Callback::from(move |_: DragEvent| {
            *dragged.borrow_mut() = None;
            mark.set(None);
        })
    };
    let mark = *mark;
    Reorder { mark, start: Some(start), over: Some(over), leave: Some(leave), drop: Some(drop), end: Some(end) }
}

/// Lets the browser drag.
pub(super) fn begin_drag(event: &DragEvent) {
    if let Some(data) = event.data_transfer() {
        data.set_effect_allowed("move");
        // Without data some browsers drag nothing.
        let _ = data.set_data("text/plain", "");
    }
}

/// Which of its list's tabs an element belongs to.
pub(super) fn place_of_tab(element: &Element) -> Option<usize> {
    let tab = element.closest("[role=tab]").ok().flatten()?;
    let list = tab.parent_element()?.query_selector_all("[role=tab]").ok()?;
    (0..list.length()).position(|at| list.get(at).is_some_and(|other| other.is_same_node(Some(&tab))))
}

/// Before which of a row's tabs a drop at the pointer would go; `None` beside the row.
pub(super) fn aim_at_tabs(event: &DragEvent, count: usize) -> Option<usize> {
    let element = event.target_dyn_into::<Element>()?;
    element.closest(".tabs").ok().flatten()?;
    let Some(at) = place_of_tab(&element) else { return Some(count) };
    let rect = element.closest("[role=tab]").ok().flatten()?.get_bounding_client_rect();
    Some(at + usize::from(f64::from(event.client_x()) > rect.left() + rect.width() / 2.0))
}

/// Gives the keyboard to the tab that is shown then: the one that had it has gone.
fn focus_active(list: NodeRef) {
    spawn_local(async move {
        TimeoutFuture::new(0).await;
        let list = list.cast::<Element>();
        if let Some(tab) = list.and_then(|list| list.query_selector("[aria-selected=true]").ok().flatten()) {
            page::give_focus(&tab);
        }
    });
}

fn one(props: &TabsProps, tab: &Tab, mark: Option<&'static str>) -> Html {
    let TabsProps { active, activate, keep, close, drags, reorder, name, .. } = props;
    let active = *active == Some(tab.key);
    let key = tab.key;
    if let Some((_, max)) = props.naming.filter(|(naming, _)| *naming == key) {
        let done = props.named.reform(move |name| (key, name));
        return html! {
            <div {key} class={classes!("tab", "naming", tab.class.clone())}>
                <Icon name={tab.icon} />
                <TabName before={tab.text.clone()} {max} {done} />
            </div>
        };
    }
    let oncontextmenu = props.menu.clone().map(|menu| {
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            menu.emit((key, event.client_x(), event.client_y()));
        })
    });
    // Where tabs can be named, that is what a double click is for.
    let double = name.as_ref().unwrap_or(keep);
    let calling = |callback: &Callback<u32>| {
        let callback = callback.clone();
        Callback::from(move |_: MouseEvent| callback.emit(key))
    };
    let middle = {
        let close = close.clone();
        Callback::from(move |event: MouseEvent| {
            if event.button() == 1
                && let Some(close) = &close
            {
                event.prevent_default();
                close.emit(key);
            }
        })
    };
    html! {
        <div
            {key}
            class={classes!("tab", tab.class.clone(), mark)}
            draggable={((*drags || reorder.is_some()) && !page::is_touched()).then_some("true")}
            role="tab"
            aria-selected={active.to_string()}
            aria-label={tab.name.clone()}
            title={tab.title.clone()}
            tabindex={if active { "0" } else { "-1" }}
            onclick={calling(activate)}
            ondblclick={calling(double)}
            {oncontextmenu}
            onauxclick={middle}
        >
            <Icon name={tab.icon} />
            <span class="tab-name">{ &tab.text }</span>
            if let Some(close) = close {
                // For the pointer alone: the keyboard has Delete, and a tab has no controls inside.
                <span class="tab-close" aria-hidden="true" title={say!("dialog.close")} onclick={{
                    let close = close.clone();
                    Callback::from(move |event: MouseEvent| {
                        event.stop_propagation();
                        close.emit(key);
                    })
                }}><Icon name={IconName::X} /></span>
            }
        </div>
    }
}
