//! Widgets: by which visitors of listed sites open rooms on this account's credits.

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{MadeWidget, Widget, Widgets};
use super::parts::{
    Copyable, Field, Loaded, Making, Said, Sure, deletion, notice, on_submit, typed, use_loaded, use_making, waiting,
};
use super::reckoning::{list, whole};
use super::words::tell;
use crate::components::icon::{Icon, IconName};
use crate::interop::page;

/// What a widget opens in an hour if nobody says: in all, and for one visitor.
const PER_HOUR: u64 = 100;
const PER_ADDRESS: u64 = 10;

#[component]
pub(super) fn WidgetList() -> Html {
    let (widgets, reload) = use_loaded::<Widgets>("/widgets");
    let Making { is_new, made, open, onmade } = use_making::<String>(&reload);
    let said = use_state_eq(|| None::<Said>);
    let revoke = |widget: &Widget| deletion(format!("/widgets/{}", widget.widget), &said, &reload);
    html! {
        <>
            <div class="section-head">
                <p class="hint">{ tell!("widgets.about") }</p>
                <button type="button" class="primary" onclick={open}><Icon name={IconName::Plus} />{ tell!("widgets.new") }</button>
            </div>
            { notice(&said) }
            if is_new { <NewWidget {onmade} /> }
            if let Some(widget) = &*made {
                <section class="card" aria-label={tell!("widgets.snippet")}>
                    <Copyable label={tell!("widgets.snippet")} text={snippet(widget)} />
                </section>
            }
            { waiting(&widgets, &reload) }
            if let Loaded::Here(widgets) = &widgets {
                if widgets.widgets.is_empty() {
                    <p class="hint">{ tell!("widgets.none") }</p>
                }
                <ul class="rows" aria-label={tell!("nav.widgets")}>
                    { for widgets.widgets.iter().map(|widget| one(widget, revoke(widget))) }
                </ul>
            }
        </>
    }
}

/// What goes into a page to show a widget.
fn snippet(widget: &str) -> String {
    format!(
        "<iframe src=\"{}/embed/{widget}\" title=\"Embedenv\" width=\"100%\" height=\"480\" allow=\"clipboard-read; clipboard-write\"></iframe>",
        page::origin()
    )
}

fn one(widget: &Widget, revoke: Callback<()>) -> Html {
    html! {
        <li key={widget.widget.clone()} class={classes!("row", widget.revoked.map(|_| "over"))} aria-label={widget.name.clone()}>
            <div class="row-what">
                <strong>{ &widget.name }</strong>
                <code>{ &widget.widget }</code>
                <span class="hint">{ widget.origins.join(" · ") }</span>
            </div>
            <div class="row-figures"><span>{ tell!("widgets.opened", opened = widget.opened, most = widget.per_hour) }</span></div>
            <div class="row-actions">
                if widget.revoked.is_some() {
                    <span class="hint">{ tell!("widgets.revoked") }</span>
                } else {
                    <Sure
                        label={tell!("widgets.revoke")} name={tell!("widgets.revoke.name", name = widget.name)}
                        question={tell!("widgets.revoke.sure", name = widget.name)} onsure={revoke}
                    />
                }
            </div>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct NewWidgetProps {
    /// The id of what was made, or nothing.
    onmade: Callback<Option<String>>,
}

#[component]
fn NewWidget(props: &NewWidgetProps) -> Html {
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let (name, origins, per_hour, per_address) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let submit = {
        let (said, busy, onmade) = (said.setter(), busy.setter(), props.onmade.clone());
        let (name, origins) = (name.clone(), origins.clone());
        let (per_hour, per_address) = (per_hour.clone(), per_address.clone());
        on_submit(move || {
            let number = |node: &NodeRef, unsaid: u64| whole(&typed(node)).unwrap_or(unsaid);
            let body = json!({
                "name": typed(&name),
                "origins": list(&typed(&origins)),
                "per_hour": number(&per_hour, PER_HOUR),
                "per_address": number(&per_address, PER_ADDRESS),
            });
            let (said, busy, onmade) = (said.clone(), busy.clone(), onmade.clone());
            busy.set(true);
            spawn_local(async move {
                match api::ask::<MadeWidget>(Method::POST, "/widgets", &body).await {
                    Ok(made) => onmade.emit(Some(made.widget)),
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                busy.set(false);
            });
        })
    };
    let cancel = props.onmade.reform(|_: MouseEvent| None);
    html! {
        <form class="card" aria-label={tell!("widgets.new")} onsubmit={submit}>
            { notice(&said) }
            <Field id="widget-name" label={tell!("widgets.name")} required=true autofocus=true node={name} />
            <Field id="widget-origins" label={tell!("widgets.origins")} hint={tell!("widgets.origins.hint")} required=true node={origins} />
            <div class="columns">
                <Field id="widget-hour" label={tell!("widgets.hour")} kind="number" value={PER_HOUR.to_string()} node={per_hour} />
                <Field id="widget-address" label={tell!("widgets.address")} kind="number" value={PER_ADDRESS.to_string()} node={per_address} />
            </div>
            <div class="actions">
                <button type="button" class="plain" onclick={cancel}>{ tell!("cancel") }</button>
                <button class="primary" disabled={*busy}>{ tell!("widgets.create") }</button>
            </div>
        </form>
    }
}
