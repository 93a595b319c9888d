//! Asks servers that run in the sandbox, and shows what they answer as text.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, SubmitEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::words;
use crate::workbench::{Response, Workbench};

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

#[derive(Properties, PartialEq)]
pub(crate) struct PreviewProps {
    pub(crate) workbench: Workbench,
    pub(crate) ports: Rc<Vec<u16>>,
}

/// What came of the last request.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Nothing,
    UnderWay,
    Answered(Rc<Response>),
    Failed(String),
}

#[component]
pub(crate) fn Preview(props: &PreviewProps) -> Html {
    let PreviewProps { workbench, ports } = props;
    let (method, port, path) = (use_node_ref(), use_node_ref(), use_node_ref());
    let outcome = use_state_eq(|| Outcome::Nothing);
    let shown_port = workbench.state().layout.port;
    let ask = {
        let (workbench, method, port, path, outcome) =
            (workbench.clone(), method.clone(), port.clone(), path.clone(), outcome.clone());
        move || {
            let method = method.cast::<HtmlSelectElement>().map_or_else(|| "GET".to_owned(), |select| select.value());
            let port = port.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default();
            let path = path.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default();
            let url = format!("http://localhost:{}/{}", port.trim(), path.trim().trim_start_matches('/'));
            outcome.set(Outcome::UnderWay);
            let (workbench, outcome) = (workbench.clone(), outcome.setter());
            spawn_local(async move {
                outcome.set(match workbench.fetch(&method, &url).await {
                    Ok(response) => Outcome::Answered(Rc::new(response)),
                    Err(failure) => Outcome::Failed(words::failed(&format!("{url} did not answer"), &failure)),
                });
            });
        }
    };
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        ask();
    });
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.toggle_preview())
    };
    let choices = ports.iter().map(|port| {
        let (workbench, port) = (workbench.clone(), *port);
        let choose = Callback::from(move |_: MouseEvent| workbench.preview_port(port));
        html! { <button type="button" aria-pressed={(port == shown_port).to_string()} onclick={choose}>{ port }</button> }
    });
    let methods = METHODS.into_iter().map(|method| html! { <option selected={method == "GET"}>{ method }</option> });
    html! {
        <section class="aside preview-pane" role="region" aria-label="Preview">
            <div class="side-head">
                <h2>{ "Preview" }</h2>
                <button class="icon-button" aria-label="Close preview" title="Close preview" onclick={close}><Icon name={IconName::X} /></button>
            </div>
            <form class="preview-form" {onsubmit}>
                if ports.is_empty() {
                    <p class="hint">{ "Nothing listens in the sandbox yet. Start a server, for example with python -m http.server 8000." }</p>
                } else {
                    <div class="preview-ports"><span class="hint">{ "Listening on" }</span>{ for choices }</div>
                }
                <div class="field-row">
                    <select aria-label="Method" ref={method}>{ for methods }</select>
                    <input class="preview-port" aria-label="Port" inputmode="numeric" ref={port} value={shown_port.to_string()} />
                    <input aria-label="Path" placeholder="/" autocomplete="off" spellcheck="false" ref={path} />
                    <button class="primary" disabled={*outcome == Outcome::UnderWay}>{ "Ask" }</button>
                </div>
            </form>
            { answer(&outcome) }
        </section>
    }
}

fn answer(outcome: &Outcome) -> Html {
    let response = match outcome {
        Outcome::Nothing => return html! {},
        Outcome::UnderWay => return html! { <p class="preview-status hint">{ "Waiting for an answer" }</p> },
        Outcome::Failed(why) => return html! { <p class="preview-status" role="alert">{ why }</p> },
        Outcome::Answered(response) => response,
    };
    let headers = response.headers.iter().map(|(name, value)| html! { <><dt>{ name }</dt><dd>{ value }</dd></> });
    let text = String::from_utf8_lossy(&response.body).into_owned();
    let size = words::size(response.body.len() as u64);
    html! {
        <div class="preview-answer">
            <p class="preview-status">{ format!("Status {}, {size}{}", response.status, if response.cut { ", the beginning of more" } else { "" }) }</p>
            <details>
                <summary>{ format!("{} headers", response.headers.len()) }</summary>
                <dl>{ for headers }</dl>
            </details>
            <pre tabindex="0" aria-label="Body">{ text }</pre>
        </div>
    }
}
