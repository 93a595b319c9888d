//! Key pairs: made, narrowed, given a new secret, revoked.

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::api;
use super::bodies::{Key, KeySettings, Keys, MadeKey, Scope};
use super::parts::{
    Copyable, Field, Loaded, Making, Said, Sure, deletion, notice, on_submit, typed, use_loaded, use_making, waiting,
    when,
};
use super::reckoning::{list, whole};
use super::words::tell;
use crate::components::icon::{Icon, IconName};

#[component]
pub(super) fn KeyPairs() -> Html {
    let (keys, reload) = use_loaded::<Keys>("/keys");
    let Making { is_new, made, open, onmade } = use_making::<MadeKey>(&reload);
    let said = use_state_eq(|| None::<Said>);
    let rotate = |key: &Key| {
        let (made, said, reload, path) =
            (made.setter(), said.setter(), reload.clone(), format!("/keys/{}/rotations", key.public_key));
        Callback::from(move |_: MouseEvent| {
            let (made, said, reload, path) = (made.clone(), said.clone(), reload.clone(), path.clone());
            spawn_local(async move {
                match api::ask(Method::POST, &path, &json!({})).await {
                    Ok(key) => made.set(Some(key)),
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                reload.emit(());
            });
        })
    };
    let revoke = |key: &Key| deletion(format!("/keys/{}", key.public_key), &said, &reload);
    html! {
        <>
            <div class="section-head">
                <p class="hint">{ tell!("keys.about") }</p>
                <button type="button" class="primary" onclick={open}><Icon name={IconName::Plus} />{ tell!("keys.new") }</button>
            </div>
            { notice(&said) }
            if is_new { <NewKey {onmade} /> }
            if let Some(key) = &*made { { secret(key) } }
            { waiting(&keys, &reload) }
            if let Loaded::Here(keys) = &keys {
                if keys.keys.is_empty() {
                    <p class="hint">{ tell!("keys.none") }</p>
                }
                <ul class="rows" aria-label={tell!("nav.keys")}>
                    { for keys.keys.iter().map(|key| one(key, rotate(key), revoke(key))) }
                </ul>
            }
        </>
    }
}

/// A secret, this once.
fn secret(key: &MadeKey) -> Html {
    html! {
        <section class="card" aria-label={tell!("keys.secret")}>
            <p role="status">{ tell!("keys.secret.once") }</p>
            <Copyable label={tell!("keys.public")} text={key.public_key.clone()} />
            <Copyable label={tell!("keys.secret")} text={key.secret_key.clone()} />
        </section>
    }
}

fn one(key: &Key, rotate: Callback<MouseEvent>, revoke: Callback<()>) -> Html {
    let spent = match key.budget {
        Some(budget) => tell!("keys.spent-of", spent = key.spent, budget = budget),
        None => tell!("keys.spent", spent = key.spent),
    };
    let minutes = key.minutes_most.map(|most| tell!("keys.minutes-of", minutes = key.minutes, most = most));
    let used = key.last_used.map_or_else(|| tell!("never").to_owned(), when);
    let mut narrowed: Vec<String> = key.scope.spaces.iter().chain(&key.scope.origins).cloned().collect();
    if key.scope.rest_only {
        narrowed.push(tell!("keys.rest-only").to_owned());
    }
    if key.scope.execute_only {
        narrowed.push(tell!("keys.execute-only").to_owned());
    }
    html! {
        <li key={key.public_key.clone()} class={classes!("row", key.revoked.map(|_| "over"))} aria-label={key.name.clone()}>
            <div class="row-what">
                <strong>{ &key.name }</strong>
                <code>{ &key.public_key }</code>
                if !narrowed.is_empty() { <span class="hint">{ narrowed.join(" · ") }</span> }
                if let Some(until) = key.former_until {
                    <span class="hint">{ tell!("keys.former", when = when(until)) }</span>
                }
            </div>
            <div class="row-figures">
                <span>{ spent }</span>
                if let Some(minutes) = minutes { <span>{ minutes }</span> }
                <span class="hint">{ tell!("keys.used", when = used) }</span>
            </div>
            <div class="row-actions">
                if key.revoked.is_some() {
                    <span class="hint">{ tell!("keys.revoked") }</span>
                } else {
                    <button type="button" class="plain" aria-label={tell!("keys.rotate.name", name = key.name)} onclick={rotate}>
                        { tell!("keys.rotate") }
                    </button>
                    <Sure
                        label={tell!("keys.revoke")} name={tell!("keys.revoke.name", name = key.name)}
                        question={tell!("keys.revoke.sure", name = key.name)} onsure={revoke}
                    />
                }
            </div>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct NewKeyProps {
    /// What was made, or nothing.
    onmade: Callback<Option<MadeKey>>,
}

#[component]
fn NewKey(props: &NewKeyProps) -> Html {
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let (name, spaces, origins, rest_only) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let (budget, rooms, minutes) = (use_node_ref(), use_node_ref(), use_node_ref());
    let execute_only = use_node_ref();
    let submit = {
        let (said, busy, onmade) = (said.setter(), busy.setter(), props.onmade.clone());
        let (name, spaces, origins) = (name.clone(), spaces.clone(), origins.clone());
        let (budget, rooms, minutes) = (budget.clone(), rooms.clone(), minutes.clone());
        let (rest_only, execute_only) = (rest_only.clone(), execute_only.clone());
        let is_checked = |node: &NodeRef| node.cast::<HtmlInputElement>().is_some_and(|input| input.checked());
        on_submit(move || {
            let settings = KeySettings {
                name: typed(&name),
                scope: Scope {
                    spaces: list(&typed(&spaces)),
                    origins: list(&typed(&origins)),
                    rest_only: is_checked(&rest_only),
                    execute_only: is_checked(&execute_only),
                },
                budget: whole(&typed(&budget)),
                rooms_most: whole(&typed(&rooms)),
                minutes_most: whole(&typed(&minutes)),
            };
            let (said, busy, onmade) = (said.clone(), busy.clone(), onmade.clone());
            busy.set(true);
            spawn_local(async move {
                match api::ask(Method::POST, "/keys", &settings).await {
                    Ok(made) => onmade.emit(Some(made)),
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                busy.set(false);
            });
        })
    };
    let cancel = props.onmade.reform(|_: MouseEvent| None);
    html! {
        <form class="card" aria-label={tell!("keys.new")} onsubmit={submit}>
            { notice(&said) }
            <Field id="key-name" label={tell!("keys.name")} hint={tell!("keys.name.hint")} required=true autofocus=true node={name} />
            <div class="columns">
                <Field id="key-spaces" label={tell!("keys.spaces")} hint={tell!("keys.spaces.hint")} node={spaces} />
                <Field id="key-origins" label={tell!("keys.origins")} hint={tell!("keys.origins.hint")} node={origins} />
                <Field id="key-budget" label={tell!("keys.budget")} hint={tell!("keys.budget.hint")} kind="number" node={budget} />
                <Field id="key-rooms" label={tell!("keys.rooms")} hint={tell!("keys.budget.hint")} kind="number" node={rooms} />
                <Field id="key-minutes" label={tell!("keys.minutes")} hint={tell!("keys.minutes.hint")} kind="number" node={minutes} />
            </div>
            <label class="check"><input type="checkbox" ref={rest_only} />{ tell!("keys.rest-only") }</label>
            <label class="check"><input type="checkbox" ref={execute_only} />{ tell!("keys.execute-only") }</label>
            <div class="actions">
                <button type="button" class="plain" onclick={cancel}>{ tell!("cancel") }</button>
                <button class="primary" disabled={*busy}>{ tell!("keys.create") }</button>
            </div>
        </form>
    }
}
