//! What listens in the sandbox, with its program, and buttons to open it; and word of a port that is new.

use embedenv_shared::frame::Listener;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::State;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn ports_pane(workbench: &Workbench, state: &State) -> Html {
    let works = state.works();
    if state.listeners.is_empty() {
        return html! {
            <section class="ports-pane" role="region" aria-label={say!("panel.ports")}>
                <p class="pane-empty">
                    { say!("ports.none") }{ " " }
                    <code>{ say!("ports.example") }</code>
                </p>
            </section>
        };
    }
    let rows: Html = state.listeners.iter().map(|listener| row(workbench, listener, works)).collect();
    html! {
        <section class="ports-pane" role="region" aria-label={say!("panel.ports")}>
            <table>
                <thead><tr><th scope="col">{ say!("ports.port") }</th><th scope="col">{ say!("ports.program") }</th><th scope="col">{ say!("ports.since") }</th><th scope="col"><span class="visually-hidden">{ say!("ports.actions") }</span></th></tr></thead>
                <tbody>{ rows }</tbody>
            </table>
        </section>
    }
}

fn row(workbench: &Workbench, listener: &Listener, works: bool) -> Html {
    let port = listener.port;
    let open = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.open_port(port))
    };
    let copy = Callback::from(move |_: MouseEvent| {
        wasm_bindgen_futures::spawn_local(async move {
            page::copy(&address(port)).await;
        });
    });
    html! {
        <tr key={port}>
            <th scope="row">{ port }</th>
            <td>
                { listener.program.as_deref().unwrap_or(say!("ports.unknown")) }
                if let Some(pid) = listener.pid {
                    <span class="pid">{ say!("ports.pid", pid = pid) }</span>
                }
            </td>
            <td>{ page::time_of(listener.since as f64) }</td>
            <td class="output-do">
                <button disabled={!works} aria-label={say!("ports.open.of", port = port)} title={say!("ports.open.about", port = port)} onclick={open}>{ say!("ports.open") }</button>
                <button aria-label={say!("ports.copy.of", port = port)} title={address(port)} onclick={copy}>{ say!("ports.copy") }</button>
            </td>
        </tr>
    }
}

/// Where programs in the sandbox find it.
fn address(port: u16) -> String {
    format!("http://localhost:{port}/")
}

/// Says that something listens on a port that nobody was told of.
pub(crate) fn port_notice(workbench: &Workbench, state: &State) -> Html {
    let Some(listener) = state.new_port.and_then(|port| state.listeners.iter().find(|known| known.port == port)) else {
        // It is there before it says something, so that screen readers hear it.
        return html! { <div class="port-notice" role="status" aria-label={say!("ports.new")}></div> };
    };
    let port = listener.port;
    let text = match &listener.program {
        Some(program) => say!("ports.listens", program = program, port = port),
        None => say!("ports.listens", program = say!("ports.something"), port = port),
    };
    let open = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.open_port(port))
    };
    let dismiss = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dismiss_port())
    };
    html! {
        <div class="port-notice" role="status" aria-label={say!("ports.new")} data-shown="true">
            <Icon name={IconName::Globe} />
            <span>{ text }</span>
            <button class="plain" onclick={open}>{ say!("ports.open") }</button>
            <button class="icon-button" aria-label={say!("ports.dismiss")} title={say!("ports.dismiss")} onclick={dismiss}><Icon name={IconName::X} /></button>
        </div>
    }
}
