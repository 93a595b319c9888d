//! A row of tabs, for files and for terminals: arrows go from one to the next, Delete and the middle button close.

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, KeyboardEvent, MouseEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;

/// One tab.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tab {
    pub(crate) key: u32,
    /// What it shows.
    pub(crate) text: String,
    /// What it is called, where that says more.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) class: &'static str,
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
    /// Buttons at the end.
    #[prop_or_default]
    pub(crate) children: Html,
}

#[component]
pub(crate) fn Tabs(props: &TabsProps) -> Html {
    let TabsProps { label, tabs, active, activate, close, children, .. } = props;
    let list = use_node_ref();
    use_effect_with((list.clone(), *active, tabs.len()), |(list, ..)| {
        let Some(list) = list.cast::<Element>() else { return };
        let Ok(Some(tab)) = list.query_selector("[aria-selected=true]") else { return };
        tab.scroll_into_view_with_bool(false);
        if page::focused().is_some_and(|focused| list.contains(Some(&focused))) {
            // The keyboard goes with the choice.
            page::give_focus(&tab);
        }
    });
    let keys: Vec<u32> = tabs.iter().map(|tab| tab.key).collect();
    let onkeydown = {
        let (keys, active, activate, close) = (keys, *active, activate.clone(), close.clone());
        let list = list.clone();
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
                _ => return,
            };
            event.prevent_default();
            activate.emit(keys[to]);
        })
    };
    let last = tabs.len().checked_sub(1);
    let marked = |at: usize| match props.mark {
        Some(mark) if mark == at => Some("drop-before"),
        Some(mark) if mark == at + 1 && Some(at) == last => Some("drop-after"),
        _ => None,
    };
    let tabs = tabs.iter().enumerate().map(|(at, tab)| one(props, tab, marked(at)));
    html! {
        <div class="tabs">
            <div class="tab-list" ref={list} role="tablist" aria-label={label} {onkeydown}>{ for tabs }</div>
            <div class="tabs-actions">{ children.clone() }</div>
        </div>
    }
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
    let TabsProps { active, activate, keep, close, drags, .. } = props;
    let active = *active == Some(tab.key);
    let key = tab.key;
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
            class={classes!("tab", tab.class, mark)}
            draggable={drags.then_some("true")}
            role="tab"
            aria-selected={active.to_string()}
            aria-label={tab.name.clone()}
            title={tab.title.clone()}
            tabindex={if active { "0" } else { "-1" }}
            onclick={calling(activate)}
            ondblclick={calling(keep)}
            onauxclick={middle}
        >
            <Icon name={tab.icon} />
            <span class="tab-name">{ &tab.text }</span>
            if let Some(close) = close {
                // For the pointer alone: the keyboard has Delete, and a tab has no controls inside.
                <span class="tab-close" aria-hidden="true" title="Close" onclick={{
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
