//! Makes links for others, and shows those there are: how long and how often each is good, who is here by it.

use std::rc::Rc;

use embedenv_shared::frame::{JoinKey, Person};
use embedenv_shared::id::Role;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::dialog::Dialog;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::Me;
use crate::words;
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

const HOUR: u64 = 3600;
/// For how many seconds a link may be good, as the dialog offers it.
const TIMES: [u64; 3] = [HOUR, 24 * HOUR, 7 * 24 * HOUR];
/// How many may come by one, as the dialog offers it.
const USES: [u32; 3] = [1, 5, 25];

#[derive(Properties, PartialEq)]
pub(crate) struct ShareProps {
    pub(crate) workbench: Workbench,
    pub(crate) me: Rc<Me>,
    pub(crate) people: Rc<Vec<Person>>,
}

#[component]
pub(crate) fn Share(props: &ShareProps) -> Html {
    let ShareProps { workbench, me, people } = props;
    let (role, ttl, uses, link_box) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let link = use_state_eq(|| None::<String>);
    let copied = use_state_eq(|| false);
    let keys = use_state_eq(Vec::<JoinKey>::new);
    let asked = use_state_eq(|| None::<u32>);
    let refresh = {
        let (workbench, keys) = (workbench.clone(), keys.setter());
        move || {
            let (workbench, keys) = (workbench.clone(), keys.clone());
            spawn_local(async move {
                match workbench.keys().await {
                    Ok(all) => keys.set(all),
                    Err(why) => workbench.alert(why),
                }
            });
        }
    };
    use_effect_with(people.clone(), {
        let refresh = refresh.clone();
        move |_| refresh()
    });
    let create = {
        let (workbench, link, copied, refresh) = (workbench.clone(), link.setter(), copied.setter(), refresh.clone());
        let (role, ttl, uses) = (role.clone(), ttl.clone(), uses.clone());
        Callback::from(move |_: MouseEvent| {
            let role = match chosen(&role).as_str() {
                "owner" => Role::Owner,
                "viewer" => Role::Viewer,
                _ => Role::Editor,
            };
            let (ttl, uses) = (chosen(&ttl).parse().ok(), chosen(&uses).parse().ok());
            let (workbench, link, copied, refresh) = (workbench.clone(), link.clone(), copied.clone(), refresh.clone());
            spawn_local(async move {
                match workbench.mint(role, ttl, uses).await {
                    Ok(made) => link.set(Some(made)),
                    Err(why) => workbench.alert(why),
                }
                copied.set(false);
                refresh();
            });
        })
    };
    let changed = {
        let link = link.setter();
        // A link of another kind than the one that is chosen would be handed out by mistake.
        Callback::from(move |_: Event| link.set(None))
    };
    let copy = {
        let (link, copied, link_box) = (link.clone(), copied.setter(), link_box.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(text) = (*link).clone() else { return };
            let (copied, link_box) = (copied.clone(), link_box.clone());
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
    let revoke = {
        let (workbench, asked, me) = (workbench.clone(), asked.clone(), me.clone());
        move |key: &JoinKey| {
            let (workbench, asked, refresh) = (workbench.clone(), asked.clone(), refresh.clone());
            let (number, is_own) = (key.number, key.people.contains(&me.member));
            Callback::from(move |_: MouseEvent| {
                if is_own && *asked != Some(number) {
                    return asked.set(Some(number));
                }
                let (workbench, refresh) = (workbench.clone(), refresh.clone());
                spawn_local(async move {
                    if let Err(why) = workbench.revoke_key(number).await {
                        workbench.alert(why);
                    }
                    refresh();
                });
            })
        }
    };
    let links = keys.iter().map(|key| one(key, people, *asked == Some(key.number), revoke(key)));
    html! {
        <Dialog workbench={workbench.clone()} name={say!("share.title")} title={say!("share.title")}>
            <div class="field">
                <label for="share-role">{ say!("share.role") }</label>
                <select id="share-role" ref={role} data-first="true" onchange={changed.clone()}>
                    <option value="editor" selected=true>{ say!("share.editor") }</option>
                    <option value="viewer">{ say!("share.viewer") }</option>
                    if me.role == Role::Owner {
                        <option value="owner">{ say!("share.owner") }</option>
                    }
                </select>
            </div>
            <div class="field-row">
                <div class="field">
                    <label for="share-expires">{ say!("share.expires") }</label>
                    <select id="share-expires" ref={ttl} onchange={changed.clone()}>
                        <option selected=true value="">{ say!("share.never") }</option>
                        { for TIMES.map(|seconds| html! { <option value={seconds.to_string()}>{ after(seconds) }</option> }) }
                    </select>
                </div>
                <div class="field">
                    <label for="share-uses">{ say!("share.uses") }</label>
                    <select id="share-uses" ref={uses} onchange={changed}>
                        <option selected=true value="">{ say!("share.any") }</option>
                        { for USES.map(|uses| html! { <option value={uses.to_string()}>{ uses }</option> }) }
                    </select>
                </div>
                <button class="primary share-create" onclick={create}>{ say!("share.create") }</button>
            </div>
            if let Some(text) = &*link {
                <div class="field">
                    <label for="share-link">{ say!("share.link") }</label>
                    <div class="field-row">
                        <input id="share-link" ref={link_box} readonly=true value={text.clone()} />
                        <button onclick={copy}>
                            <Icon name={if *copied { IconName::Check } else { IconName::Copy }} />
                            { if *copied { say!("details.copied") } else { say!("share.copy") } }
                        </button>
                    </div>
                    <p class="hint">{ say!("share.about") }</p>
                </div>
            }
            if !keys.is_empty() {
                <ul class="links" aria-label={say!("share.links")}>{ for links }</ul>
            }
        </Dialog>
    }
}

/// When a link ends that is good for so many seconds.
pub(super) fn after(seconds: u64) -> String {
    match seconds / HOUR {
        hours @ 0..24 => count!("share.after-hours", hours as usize),
        hours => count!("share.after-days", (hours / 24) as usize),
    }
}

fn chosen(select: &NodeRef) -> String {
    select.cast::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
}

/// One link: what it is good for, who is here by it and who was, and the button that ends it.
fn one(key: &JoinKey, people: &[Person], is_asked: bool, revoke: Callback<MouseEvent>) -> Html {
    let here: Vec<&str> =
        people.iter().filter(|person| key.people.contains(&person.member)).map(|person| &*person.user).collect();
    let role = match key.role {
        Role::Viewer => say!("role.viewer"),
        Role::Editor => say!("role.editor"),
        Role::Owner => say!("role.owner"),
    };
    let who =
        if here.is_empty() { say!("share.nobody").to_owned() } else { say!("share.here", people = here.join(", ")) };
    html! {
        <li key={key.number} class="link-row" aria-label={say!("share.link-number", number = key.number)}>
            <span class="link-what">
                <strong>{ role }</strong>
                { format!(" {}", words::link_is_good(key, page::now() as u64)) }
            </span>
            <span class="link-who">{ who }</span>
            if !key.before.is_empty() {
                <span class="link-who">{ say!("share.before", people = key.before.join(", ")) }</span>
            }
            if is_asked {
                <span class="link-who">{ say!("share.own") }</span>
            }
            <button aria-label={say!("share.revoke-number", number = key.number)} onclick={revoke}>
                { if is_asked { say!("share.revoke-anyway") } else { say!("share.revoke") } }
            </button>
        </li>
    }
}
