//! What a server answered: its status, its headers, its body in the form that fits it.

use std::rc::Rc;

use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::answer::{Piece, PieceKind, Shown, shown, status_words};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Response;

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Nothing,
    UnderWay,
    Answered(Rc<Response>),
    Failed(String),
}

#[derive(Properties, PartialEq)]
pub(crate) struct ResponseProps {
    pub(crate) outcome: Outcome,
    /// What was asked for, from which a saved body has its name.
    pub(crate) path: String,
}

#[component]
pub(crate) fn ResponseView(props: &ResponseProps) -> Html {
    match &props.outcome {
        Outcome::Nothing => html! {},
        Outcome::UnderWay => html! { <p class="preview-status hint" role="status">{ say!("response.waiting") }</p> },
        Outcome::Failed(why) => html! { <p class="preview-status" role="alert">{ why }</p> },
        Outcome::Answered(response) => html! { <Answered response={response.clone()} path={props.path.clone()} /> },
    }
}

#[derive(Properties, PartialEq)]
struct AnsweredProps {
    response: Rc<Response>,
    path: String,
}

#[component]
fn Answered(props: &AnsweredProps) -> Html {
    let AnsweredProps { response, path } = props;
    // Laid out once for each answer, not each time that something is typed above.
    let body = use_memo(response.clone(), |response| shown(&response.body, response.header("content-type")));
    let image = use_memo((response.clone(), body.clone()), |(response, body)| match &body.0 {
        Shown::Image(kind) => page::ObjectUrl::new(&response.body, kind),
        _ => None,
    });
    let (shown, is_partly) = &*body;
    let save = {
        let (response, name) = (response.clone(), file_name(path));
        Callback::from(move |_: MouseEvent| {
            // A browser that keeps no files says so itself.
            let _ = page::download(&name, &response.body);
        })
    };
    let copy = {
        let response = response.clone();
        Callback::from(move |_: MouseEvent| {
            let text = String::from_utf8_lossy(&response.body).into_owned();
            wasm_bindgen_futures::spawn_local(async move {
                page::copy(&text).await;
            });
        })
    };
    let headers =
        response.headers.iter().map(|(name, value)| html! { <tr><th scope="row">{ name }</th><td>{ value }</td></tr> });
    let good = match response.status {
        200..400 => "well",
        _ => "badly",
    };
    let is_text = matches!(shown, Shown::Json(_) | Shown::Text(_));
    html! {
        <div class="preview-answer">
            <div class="preview-status">
                <span role="status" class="status-words" data-state={good}>
                    <b>{ format!("{} {}", response.status, status_words(response.status)) }</b>
                    { format!(" {}, {}", words::duration(response.took), words::size(response.size as u64)) }
                </span>
                <span class="spacer"></span>
                <button class="icon-button" aria-label={say!("response.copy")} title={say!("response.copy")} disabled={!is_text} onclick={copy}><Icon name={IconName::Copy} /></button>
                <button class="icon-button" aria-label={say!("response.download")} title={say!("response.download.about")} disabled={response.body.is_empty()} onclick={save}><Icon name={IconName::Download} /></button>
            </div>
            if response.is_cut() {
                <p class="preview-note">{ say!("response.cut", size = words::size(response.body.len() as u64)) }</p>
            } else if *is_partly {
                <p class="preview-note">{ say!("response.partly") }</p>
            }
            <details>
                <summary>{ say!("response.headers", count = response.headers.len()) }</summary>
                <table>{ for headers }</table>
            </details>
            { match shown {
                Shown::Nothing => html! { <p class="pane-empty">{ say!("response.no-body") }</p> },
                Shown::Json(pieces) => html! { <pre tabindex="0" role="region" aria-label={say!("request.body")} class="json">{ for pieces.iter().map(piece) }</pre> },
                Shown::Text(text) | Shown::Hex(text) => html! { <pre tabindex="0" role="region" aria-label={say!("request.body")}>{ text }</pre> },
                Shown::Image(_) => match &*image {
                    Some(url) => html! { <div class="preview-image" role="region" aria-label={say!("request.body")}><img src={url.address().to_owned()} alt={say!("response.image")} /></div> },
                    None => html! { <p class="pane-empty">{ say!("response.no-image") }</p> },
                },
            } }
        </div>
    }
}

fn piece(piece: &Piece) -> Html {
    let class = match piece.kind {
        PieceKind::Plain => return html! { { &piece.text } },
        PieceKind::Name => "json-name",
        PieceKind::String => "json-string",
        PieceKind::Number => "json-number",
        PieceKind::Word => "json-word",
    };
    html! { <span {class}>{ &piece.text }</span> }
}

/// The last part of the path, without a query.
fn file_name(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "response".to_owned() } else { name.to_owned() }
}
