//! Makes links of a role for others.

use embedenv_shared::id::Role;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::dialog::Dialog;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct ShareProps {
    pub(crate) workbench: Workbench,
    /// One's own.
    pub(crate) role: Role,
}

#[component]
pub(crate) fn Share(props: &ShareProps) -> Html {
    let role = use_node_ref();
    let link_box = use_node_ref();
    let link = use_state_eq(|| None::<String>);
    let copied = use_state_eq(|| false);
    let create = {
        let (workbench, role, link, copied) = (props.workbench.clone(), role.clone(), link.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            let chosen = match role.cast::<HtmlSelectElement>().map(|select| select.value()).as_deref() {
                Some("owner") => Role::Owner,
                Some("viewer") => Role::Viewer,
                _ => Role::Editor,
            };
            let (workbench, link, copied) = (workbench.clone(), link.setter(), copied.setter());
            spawn_local(async move {
                match workbench.mint(chosen).await {
                    Ok(made) => link.set(Some(made)),
                    Err(why) => workbench.alert(why),
                }
                copied.set(false);
            });
        })
    };
    let changed = {
        let link = link.clone();
        // A link of another role than the one that is chosen would be handed out by mistake.
        Callback::from(move |_: Event| link.set(None))
    };
    let copy = {
        let (link, copied, link_box) = (link.clone(), copied.clone(), link_box.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(text) = (*link).clone() else { return };
            let (copied, link_box) = (copied.setter(), link_box.clone());
            spawn_local(async move {
                if page::copy(&text).await {
                    copied.set(true);
                } else if let Some(input) = link_box.cast::<HtmlInputElement>() {
                    // The browser refuses: it is selected, so that the copy key does it.
                    page::focus_and_select(&input, u32::MAX);
                }
            });
        })
    };
    html! {
        <Dialog workbench={props.workbench.clone()} name="Share" title="Share">
            <div class="field">
                <label for="share-role">{ "Role" }</label>
                <div class="field-row">
                    <select id="share-role" ref={role} autofocus=true onchange={changed}>
                        <option value="editor" selected=true>{ "Editor: changes files and runs programs" }</option>
                        <option value="viewer">{ "Viewer: looks on" }</option>
                        if props.role == Role::Owner {
                            <option value="owner">{ "Owner: everything, and links for owners" }</option>
                        }
                    </select>
                    <button class="primary" onclick={create}>{ "Create link" }</button>
                </div>
            </div>
            if let Some(text) = &*link {
                <div class="field">
                    <label for="share-link">{ "Link" }</label>
                    <div class="field-row">
                        <input id="share-link" ref={link_box} readonly=true value={text.clone()} />
                        <button onclick={copy}>
                            <Icon name={if *copied { IconName::Check } else { IconName::Copy }} />
                            { if *copied { "Copied" } else { "Copy" } }
                        </button>
                    </div>
                    <p class="hint">{ "Whoever has this link comes in with that role, until the room ends." }</p>
                </div>
            }
        </Dialog>
    }
}
