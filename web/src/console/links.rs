//! The links to a room: who comes by them, made and revoked from outside of it.

use gloo_net::http::Method;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{JoinKey, JoinKeys, NewJoinKey};
use super::parts::{
    Copyable, Field, Loaded, Making, Said, Sure, deletion, notice, on_submit, picked, typed, use_loaded, use_making,
    waiting, when,
};
use super::reckoning::whole;
use super::words::tell;
use crate::interop::page;

const ROLES: [&str; 3] = ["viewer", "editor", "owner"];
const HOUR: u64 = 3600;

#[derive(Properties, PartialEq)]
pub(super) struct LinksProps {
    pub(super) room: String,
}

#[component]
pub(super) fn Links(props: &LinksProps) -> Html {
    let path = format!("/rooms/{}/keys", props.room);
    let (keys, reload) = use_loaded::<JoinKeys>(&path);
    let Making { is_new, made, open, onmade } = use_making::<JoinKey>(&reload);
    let said = use_state_eq(|| None::<Said>);
    let revoke = |key: &JoinKey| deletion(format!("{path}/{}", key.number), &said, &reload);
    html! {
        <section class="card within" aria-label={tell!("links.of", room = props.room)}>
            <div class="section-head">
                <p class="hint">{ tell!("links.about") }</p>
                <button type="button" class="plain" onclick={open}>{ tell!("links.new") }</button>
            </div>
            { notice(&said) }
            if is_new { <NewLink room={props.room.clone()} {onmade} /> }
            if let Some(key) = &*made { <Copyable label={tell!("links.link")} text={link(&key.join)} /> }
            { waiting(&keys, &reload) }
            if let Loaded::Here(keys) = &keys {
                if keys.keys.is_empty() { <p class="hint">{ tell!("links.none") }</p> }
                <ul class="rows" aria-label={tell!("links.of", room = props.room)}>
                    { for keys.keys.iter().map(|key| one(key, revoke(key))) }
                </ul>
            }
        </section>
    }
}

/// Where a join key leads.
pub(super) fn link(join: &str) -> String {
    format!("{}/w#join={join}", page::origin())
}

fn role(name: &str) -> &'static str {
    match name {
        "viewer" => tell!("links.viewer"),
        "editor" => tell!("links.editor"),
        _ => tell!("links.owner"),
    }
}

fn one(key: &JoinKey, revoke: Callback<()>) -> Html {
    let used = match key.uses {
        Some(uses) => tell!("links.used-of", used = key.used, uses = uses),
        None => tell!("links.used", used = key.used),
    };
    let minutes = key.minutes.map(|minutes| tell!("links.spent-of", spent = key.spent, minutes = minutes));
    let people: Vec<&str> = key.people.iter().map(String::as_str).collect();
    html! {
        <li key={key.number} class={classes!("row", key.over.then_some("over"))} aria-label={tell!("links.name", number = key.number)}>
            <div class="row-what">
                <span>{ role(&key.role) }</span>
                if !people.is_empty() { <span class="hint">{ tell!("links.people", names = people.join(", ")) }</span> }
                if !key.before.is_empty() { <span class="hint">{ tell!("links.before", names = key.before.join(", ")) }</span> }
            </div>
            <div class="row-figures">
                <span>{ used }</span>
                if let Some(minutes) = minutes { <span>{ minutes }</span> }
                if let Some(expires) = key.expires { <span class="hint">{ tell!("links.expires", when = when(expires)) }</span> }
            </div>
            <div class="row-actions">
                <Sure
                    label={tell!("keys.revoke")} name={tell!("links.revoke.name", number = key.number)}
                    question={tell!("links.revoke.sure", number = key.number)} onsure={revoke}
                />
            </div>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct NewLinkProps {
    room: String,
    /// What was made, or nothing.
    onmade: Callback<Option<JoinKey>>,
}

#[component]
fn NewLink(props: &NewLinkProps) -> Html {
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let (role_field, hours, uses, minutes) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let submit = {
        let (said, busy, onmade) = (said.setter(), busy.setter(), props.onmade.clone());
        let path = format!("/rooms/{}/keys", props.room);
        let (role_field, hours, uses, minutes) = (role_field.clone(), hours.clone(), uses.clone(), minutes.clone());
        on_submit(move || {
            let wanted = NewJoinKey {
                role: picked(&role_field),
                ttl: whole(&typed(&hours)).map(|hours| hours.saturating_mul(HOUR)),
                uses: whole(&typed(&uses)),
                minutes: whole(&typed(&minutes)),
            };
            let (said, busy, onmade, path) = (said.clone(), busy.clone(), onmade.clone(), path.clone());
            busy.set(true);
            spawn_local(async move {
                match api::ask(Method::POST, &path, &wanted).await {
                    Ok(made) => onmade.emit(Some(made)),
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                busy.set(false);
            });
        })
    };
    let cancel = props.onmade.reform(|_: MouseEvent| None);
    let id = |field: &str| format!("link-{field}-{}", props.room);
    html! {
        <form class="card" aria-label={tell!("links.new")} onsubmit={submit}>
            { notice(&said) }
            <div class="columns">
                <div class="field">
                    <label for={id("role")}>{ tell!("links.role") }</label>
                    <select id={id("role")} ref={role_field}>
                        { for ROLES.into_iter().map(|name| html! {
                            <option value={name} selected={name == "editor"}>{ role(name) }</option>
                        }) }
                    </select>
                </div>
                <Field id={id("hours")} label={tell!("links.hours")} hint={tell!("links.hours.hint")} kind="number" node={hours} />
                <Field id={id("uses")} label={tell!("links.uses")} hint={tell!("keys.budget.hint")} kind="number" node={uses} />
                <Field id={id("minutes")} label={tell!("links.minutes")} hint={tell!("links.minutes.hint")} kind="number" node={minutes} />
            </div>
            <div class="actions">
                <button type="button" class="plain" onclick={cancel}>{ tell!("cancel") }</button>
                <button class="primary" disabled={*busy}>{ tell!("links.create") }</button>
            </div>
        </form>
    }
}
