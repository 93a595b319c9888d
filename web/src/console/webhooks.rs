//! Webhooks: where this account's own systems hear of what happens, and what became of each message.

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{Deliveries, Delivery, MadeWebhook, Webhook, Webhooks};
use super::parts::{
    Copyable, Field, Loaded, Making, Said, Sure, deletion, notice, on_submit, typed, use_loaded, use_making, waiting,
    when,
};
use super::words::tell;
use crate::components::icon::{Icon, IconName};

#[component]
pub(super) fn WebhookList() -> Html {
    let (webhooks, reload) = use_loaded::<Webhooks>("/webhooks");
    let Making { is_new, made, open, onmade } = use_making::<MadeWebhook>(&reload);
    html! {
        <>
            <div class="section-head">
                <p class="hint">{ tell!("webhooks.about") }</p>
                <button type="button" class="primary" onclick={open}><Icon name={IconName::Plus} />{ tell!("webhooks.new") }</button>
            </div>
            if is_new { <NewWebhook {onmade} /> }
            if let Some(made) = &*made {
                <section class="card" aria-label={tell!("webhooks.secret")}>
                    <p>{ tell!("webhooks.secret.once") }</p>
                    <Copyable label={tell!("webhooks.secret")} text={made.secret.clone()} />
                </section>
            }
            { waiting(&webhooks, &reload) }
            if let Loaded::Here(webhooks) = &webhooks {
                if webhooks.webhooks.is_empty() {
                    <p class="hint">{ tell!("webhooks.none") }</p>
                }
                <ul class="rows" aria-label={tell!("nav.webhooks")}>
                    { for webhooks.webhooks.iter().map(|webhook| html! {
                        <Row key={webhook.webhook.clone()} webhook={webhook.clone()} onrevoked={reload.clone()} />
                    }) }
                </ul>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    webhook: Webhook,
    onrevoked: Callback<()>,
}

/// A webhook, and what it was to hear if somebody wants to see that.
#[component]
fn Row(props: &RowProps) -> Html {
    let RowProps { webhook, onrevoked } = props;
    let (is_open, said, number) = (use_state_eq(|| false), use_state_eq(|| None::<Said>), use_state_eq(|| 0_u32));
    let revoke = deletion(format!("/webhooks/{}", webhook.webhook), &said, onrevoked);
    let test = {
        let (said, is_open, number) = (said.setter(), is_open.setter(), number.clone());
        let path = format!("/webhooks/{}/tests", webhook.webhook);
        Callback::from(move |_: MouseEvent| {
            let (said, is_open, number, path) = (said.clone(), is_open.clone(), number.clone(), path.clone());
            spawn_local(async move {
                said.set(Some(match api::have(Method::POST, &path, &json!({})).await {
                    Ok(()) => Said::Done(tell!("webhooks.sent").to_owned()),
                    Err(refused) => Said::Failed(refused.text),
                }));
                is_open.set(true);
                number.set(*number + 1);
            });
        })
    };
    let toggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: MouseEvent| is_open.set(!*is_open))
    };
    html! {
        <li class="row" aria-label={webhook.url.clone()}>
            <div class="row-what">
                <strong class="row-address">{ &webhook.url }</strong>
                <span class="hint">{ webhook.events.join(" · ") }</span>
            </div>
            <div class="row-actions">
                <button type="button" class="plain" aria-expanded={is_open.to_string()} onclick={toggle}>{ tell!("webhooks.deliveries") }</button>
                <button type="button" class="plain" onclick={test}>{ tell!("webhooks.test") }</button>
                <Sure
                    label={tell!("webhooks.revoke")} name={tell!("webhooks.revoke.name", url = webhook.url)}
                    question={tell!("webhooks.revoke.sure", url = webhook.url)} onsure={revoke}
                />
            </div>
            { notice(&said) }
            if *is_open { <Heard key={*number} webhook={webhook.webhook.clone()} /> }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct HeardProps {
    webhook: String,
}

/// The newest messages of a webhook.
#[component]
fn Heard(props: &HeardProps) -> Html {
    let path = format!("/webhooks/{}/deliveries", props.webhook);
    let (deliveries, reload) = use_loaded::<Deliveries>(&format!("{path}?limit=20"));
    let again = |delivery: &Delivery| {
        let (path, reload) = (format!("{path}/{}/retries", delivery.delivery), reload.clone());
        Callback::from(move |_: MouseEvent| {
            let (path, reload) = (path.clone(), reload.clone());
            spawn_local(async move {
                // What fails is seen in the list.
                let _ = api::have(Method::POST, &path, &json!({})).await;
                reload.emit(());
            });
        })
    };
    let look = reload.reform(|_: MouseEvent| ());
    html! {
        <div class="heard">
            { waiting(&deliveries, &reload) }
            if let Loaded::Here(deliveries) = &deliveries {
                <button type="button" class="plain" onclick={look}>{ tell!("webhooks.look") }</button>
                if deliveries.deliveries.is_empty() {
                    <p class="hint">{ tell!("webhooks.nothing") }</p>
                }
                <ul aria-label={tell!("webhooks.deliveries")}>
                    { for deliveries.deliveries.iter().map(|delivery| html! {
                        <li key={delivery.delivery.clone()} class="heard-one">
                            <code>{ &delivery.event }</code>
                            <span class="hint">{ when(delivery.created) }</span>
                            <span>{ outcome(delivery) }</span>
                            <button type="button" class="plain" aria-label={tell!("webhooks.again.name", event = delivery.event)} onclick={again(delivery)}>
                                { tell!("webhooks.again") }
                            </button>
                        </li>
                    }) }
                </ul>
            }
        </div>
    }
}

/// What became of a message.
fn outcome(delivery: &Delivery) -> String {
    let problem = delivery.problem.clone().unwrap_or_default();
    match (delivery.delivered, delivery.next_try) {
        (Some(at), None) => tell!("webhooks.delivered", when = when(at)),
        (_, Some(at)) if delivery.tries > 0 => tell!("webhooks.waits", problem = problem, when = when(at)),
        (_, Some(_)) => tell!("webhooks.on-its-way").to_owned(),
        (None, None) => tell!("webhooks.given-up", problem = problem),
    }
}

#[derive(Properties, PartialEq)]
struct NewWebhookProps {
    /// What was made, or nothing.
    onmade: Callback<Option<MadeWebhook>>,
}

#[component]
fn NewWebhook(props: &NewWebhookProps) -> Html {
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let (url, events) = (use_node_ref(), use_node_ref());
    let submit = {
        let (said, busy, onmade) = (said.setter(), busy.setter(), props.onmade.clone());
        let (url, events) = (url.clone(), events.clone());
        on_submit(move || {
            let body = json!({"url": typed(&url), "events": super::reckoning::list(&typed(&events))});
            let (said, busy, onmade) = (said.clone(), busy.clone(), onmade.clone());
            busy.set(true);
            spawn_local(async move {
                match api::ask::<MadeWebhook>(Method::POST, "/webhooks", &body).await {
                    Ok(made) => onmade.emit(Some(made)),
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                busy.set(false);
            });
        })
    };
    let cancel = props.onmade.reform(|_: MouseEvent| None);
    html! {
        <form class="card" aria-label={tell!("webhooks.new")} onsubmit={submit}>
            { notice(&said) }
            <Field id="webhook-url" label={tell!("webhooks.url")} kind="url" hint={tell!("webhooks.url.hint")} required=true autofocus=true node={url} />
            <Field id="webhook-events" label={tell!("webhooks.events")} hint={tell!("webhooks.events.hint")} node={events} />
            <div class="actions">
                <button type="button" class="plain" onclick={cancel}>{ tell!("cancel") }</button>
                <button class="primary" disabled={*busy}>{ tell!("webhooks.create") }</button>
            </div>
        </form>
    }
}
