//! A dialog over the page: the browser's own, so that it holds the keyboard and Escape closes it.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::*;

use super::alerts::alerts;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::{Action, Alert};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct DialogProps {
    pub(crate) workbench: Workbench,
    /// What it is called.
    pub(crate) name: AttrValue,
    #[prop_or_default]
    pub(crate) class: Classes,
    /// What its head says; without it there is no head.
    #[prop_or_default]
    pub(crate) title: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) foot: Option<Html>,
    pub(crate) children: Html,
}

#[component]
pub(crate) fn Dialog(props: &DialogProps) -> Html {
    let DialogProps { workbench, name, class, title, foot, children } = props;
    let node = use_node_ref();
    let said = use_context::<Rc<Vec<Alert>>>().unwrap_or_default();
    // What was said before stays where it was, and covers nothing of the dialog.
    let before = *use_memo((), |()| said.iter().map(|alert| alert.number).max());
    let news: Vec<Alert> = said.iter().filter(|alert| Some(alert.number) > before).cloned().collect();
    use_effect_with(node.clone(), |node| {
        let before = page::focused();
        let dialog = node.cast::<Element>();
        if let Some(dialog) = &dialog {
            page::show_modal(dialog);
        }
        move || {
            // While it is open, nothing outside takes the keyboard.
            if let Some(dialog) = &dialog {
                page::close_modal(dialog);
            }
            if let Some(before) = before {
                // What had it may be gone.
                let _ = before.focus();
            }
        }
    });
    let close = {
        let workbench = workbench.clone();
        move || workbench.dispatch(Action::Dialog(None))
    };
    let onclose = {
        let close = close.clone();
        Callback::from(move |_: Event| close())
    };
    // Escape closes by way of the state, like everything else: closed by the browser first, the dialog would be gone from
    // view and still be open in the state, until the event that says so comes.
    let oncancel = {
        let close = close.clone();
        Callback::from(move |event: Event| {
            event.prevent_default();
            close();
        })
    };
    let onclick = {
        let (close, node) = (close.clone(), node.clone());
        Callback::from(move |event: MouseEvent| {
            let on_backdrop = event.target_dyn_into::<Element>().is_some_and(|target| Some(target) == node.cast());
            if on_backdrop {
                close();
            }
        })
    };
    let on_cross = Callback::from(move |_: MouseEvent| close());
    html! {
        <dialog ref={node} class={classes!("dialog", class.clone())} aria-label={name} {oncancel} {onclose} {onclick}>
            if let Some(title) = title {
                <div class="dialog-head">
                    <h2>{ title }</h2>
                    <button class="icon-button" aria-label={say!("dialog.close")} onclick={on_cross}><Icon name={IconName::X} /></button>
                </div>
            }
            <div class="dialog-body">{ children.clone() }</div>
            if let Some(foot) = foot {
                <div class="dialog-foot">{ foot.clone() }</div>
            }
            { alerts(workbench, &news) }
        </dialog>
    }
}
