//! The server as its operator sees it: how full it is, its spaces, what its engine can do, and maintenance.

use std::rc::Rc;

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{Examination, Finding, Maintenance, Server, Space};
use super::parts::{Field, Loaded, Said, figure, notice, on_submit, typed, use_loaded, waiting, when};
use super::reckoning::bytes;
use super::words::tell;

#[component]
pub(super) fn ServerPage() -> Html {
    let (server, reload) = use_loaded::<Server>("/server");
    let Loaded::Here(server) = &server else { return waiting(&server, &reload) };
    let rooms = &server.rooms;
    html! {
        <>
            <dl class="figures">
                { figure(rooms.living.to_string(), tell!("server.rooms", most = rooms.most)) }
                { figure(rooms.running.to_string(), tell!("server.running")) }
                { figure(rooms.spare.to_string(), tell!("server.spare")) }
                { figure(rooms.connections.to_string(), tell!("server.connections")) }
                if let Some(memory) = server.memory { { figure(bytes(memory), tell!("server.memory")) } }
            </dl>
            <p class="hint">
                { tell!("server.about", version = server.version, engine = server.engine, database = server.database, when = when(server.started)) }
            </p>
            <MaintenanceForm maintenance={server.maintenance.clone()} onchange={reload.clone()} />
            <section aria-label={tell!("server.spaces")}>
                <h2>{ tell!("server.spaces") }</h2>
                <ul class="rows" aria-label={tell!("server.spaces")}>
                    { for server.spaces.iter().map(space) }
                </ul>
            </section>
            <Engine />
        </>
    }
}

fn space(space: &Space) -> Html {
    let limits = tell!(
        "server.limits",
        memory = bytes(space.memory),
        cpus = space.cpus,
        processes = space.processes,
        disk = bytes(space.disk)
    );
    let pool = tell!("server.pool", spare = space.spare, least = space.spare_least, most = space.spare_most);
    html! {
        <li key={space.name.clone()} class="row" aria-label={space.name.clone()}>
            <div class="row-what">
                <strong>{ &space.name }</strong>
                if let Some(image) = &space.image { <code>{ image }</code> }
                <span class="hint">{ limits }</span>
                if !space.egress.is_empty() {
                    <span class="hint">{ tell!("server.egress", hosts = space.egress.join(", ")) }</span>
                }
            </div>
            <div class="row-figures">
                <span>{ tell!("server.space.rooms", living = space.living, running = space.running) }</span>
                <span class="hint">{ pool }</span>
                if space.minute_price > 0 {
                    <span class="hint">{ tell!("server.price", price = f64::from(space.minute_price) / 1000.0) }</span>
                }
            </div>
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct MaintenanceProps {
    maintenance: Option<Maintenance>,
    onchange: Callback<()>,
}

#[component]
fn MaintenanceForm(props: &MaintenanceProps) -> Html {
    let MaintenanceProps { maintenance, onchange } = props;
    let said = use_state_eq(|| None::<Said>);
    let message = use_node_ref();
    let begin = {
        let (said, message, onchange) = (said.setter(), message.clone(), onchange.clone());
        on_submit(move || {
            let (said, onchange, text) = (said.clone(), onchange.clone(), typed(&message));
            let wanted = if text.trim().is_empty() { json!({}) } else { json!({"message": text}) };
            spawn_local(async move {
                let begun = api::have(Method::PUT, "/maintenance", &wanted).await;
                said.set(begun.err().map(|refused| Said::Failed(refused.text)));
                onchange.emit(());
            });
        })
    };
    let end = {
        let (said, onchange) = (said.setter(), onchange.clone());
        Callback::from(move |_: MouseEvent| {
            let (said, onchange) = (said.clone(), onchange.clone());
            spawn_local(async move {
                let ended = api::delete("/maintenance").await;
                said.set(ended.err().map(|refused| Said::Failed(refused.text)));
                onchange.emit(());
            });
        })
    };
    html! {
        <section aria-label={tell!("server.maintenance")}>
            <h2>{ tell!("server.maintenance") }</h2>
            <p class="hint">{ tell!("server.maintenance.about") }</p>
            { notice(&said) }
            if let Some(Maintenance { message, since }) = maintenance {
                <p class="notice" role="status">
                    { tell!("server.maintenance.since", when = when(*since)) }{ " " }<q>{ message }</q>
                </p>
                <button type="button" class="primary" onclick={end}>{ tell!("server.maintenance.end") }</button>
            } else {
                <form class="line" onsubmit={begin}>
                    <Field id="maintenance-message" label={tell!("server.maintenance.message")} hint={tell!("server.maintenance.hint")} node={message} />
                    <button class="plain">{ tell!("server.maintenance.begin") }</button>
                </form>
            }
        </section>
    }
}

/// What the engine can do here, looked at when somebody asks.
#[component]
fn Engine() -> Html {
    let examination = use_state_eq(|| None::<Rc<Examination>>);
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let examine = {
        let (examination, said, busy) = (examination.setter(), said.setter(), busy.setter());
        Callback::from(move |_: MouseEvent| {
            let (examination, said, busy) = (examination.clone(), said.clone(), busy.clone());
            busy.set(true);
            spawn_local(async move {
                match api::get::<Examination>("/server/examination").await {
                    Ok(found) => {
                        examination.set(Some(Rc::new(found)));
                        said.set(None);
                    }
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
                busy.set(false);
            });
        })
    };
    html! {
        <section aria-label={tell!("server.engine")}>
            <h2>{ tell!("server.engine") }</h2>
            <p class="hint">{ tell!("server.engine.about") }</p>
            { notice(&said) }
            if let Some(found) = &*examination {
                <p role="status">{ if found.works { tell!("server.engine.works") } else { tell!("server.engine.fails") } }</p>
                <ul class="rows" aria-label={tell!("server.engine")}>{ for found.findings.iter().map(finding) }</ul>
            }
            <button type="button" class="plain" disabled={*busy} onclick={examine}>
                { if *busy { tell!("loading") } else { tell!("server.engine.examine") } }
            </button>
        </section>
    }
}

fn finding(finding: &Finding) -> Html {
    let state = match finding.state.as_str() {
        "good" => tell!("server.engine.good"),
        "weaker" => tell!("server.engine.weaker"),
        _ => tell!("server.engine.missing"),
    };
    html! {
        <li key={finding.what.clone()} class="row" aria-label={finding.what.clone()}>
            <div class="row-what">
                <strong>{ &finding.what }</strong>
                <span>{ &finding.detail }</span>
                if let Some(remedy) = &finding.remedy { <span class="hint">{ remedy }</span> }
            </div>
            <div class="row-figures"><span class={classes!("state", finding.state.clone())}>{ state }</span></div>
        </li>
    }
}
