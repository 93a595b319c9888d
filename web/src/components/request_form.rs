//! Asks servers that run in the sandbox: the form for a request, and those of before. What they answer is `response`'s.

use std::cell::Cell;
use std::rc::Rc;

use embedenv_shared::frame::Listener;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, KeyboardEvent, SubmitEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::response::{Outcome, ResponseView};
use crate::interop::page;
use crate::memory;
use crate::state::request::{BodyKind, HEADERS, METHODS, Request, remember};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// What a text that was typed changes.
type ChangeOf<T> = Box<dyn Fn(&mut T, String)>;

#[derive(Properties, PartialEq)]
pub(crate) struct RequestFormProps {
    pub(crate) workbench: Workbench,
    pub(crate) listeners: Rc<Vec<Listener>>,
    /// The port that was opened last.
    pub(crate) port: u16,
}

#[component]
pub(crate) fn RequestForm(props: &RequestFormProps) -> Html {
    let RequestFormProps { workbench, listeners, port } = props;
    let history = use_state_eq(memory::requests);
    let request = use_state_eq(|| {
        let before = history.first().filter(|before| before.port == port.to_string()).cloned();
        before.unwrap_or_else(|| Request { port: port.to_string(), ..Request::default() })
    });
    let outcome = use_state_eq(|| Outcome::Nothing);
    // Set when the request that is under way is not waited for any more.
    let cancelled = use_mut_ref(|| Rc::new(Cell::new(false)));
    use_effect_with(*port, {
        let request = request.clone();
        move |port| {
            if request.port != port.to_string() {
                request.set(Request { port: port.to_string(), ..(*request).clone() });
            }
        }
    });
    let change = {
        let request = request.clone();
        move |change: ChangeOf<Request>| {
            let request = request.clone();
            Callback::from(move |text: String| {
                let mut changed = (*request).clone();
                change(&mut changed, text);
                request.set(changed);
            })
        }
    };
    let problem = request.problem();
    let is_under_way = *outcome == Outcome::UnderWay;
    let send = {
        let (workbench, request, outcome) = (workbench.clone(), request.clone(), outcome.clone());
        let (history, cancelled) = (history.clone(), cancelled.clone());
        let is_fine = problem.is_none() && !is_under_way;
        Callback::from(move |()| {
            if !is_fine {
                return;
            }
            let mut before = (*history).clone();
            remember(&mut before, &request);
            memory::keep_requests(&before);
            history.set(before);
            let mine = Rc::new(Cell::new(false));
            *cancelled.borrow_mut() = mine.clone();
            outcome.set(Outcome::UnderWay);
            let (workbench, request, outcome) = (workbench.clone(), (*request).clone(), outcome.setter());
            spawn_local(async move {
                let answer = workbench.fetch(&request, mine.clone()).await;
                if !mine.get() {
                    outcome.set(match answer {
                        Ok(response) => Outcome::Answered(Rc::new(response)),
                        Err(failure) => {
                            Outcome::Failed(words::failed(&say!("request.failed", url = request.url()), &failure))
                        }
                    });
                }
            });
        })
    };
    let cancel = {
        let (cancelled, outcome) = (cancelled.clone(), outcome.clone());
        Callback::from(move |_: MouseEvent| {
            cancelled.borrow().set(true);
            outcome.set(Outcome::Nothing);
        })
    };
    let onsubmit = {
        let send = send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.emit(());
        })
    };
    // The page's own Ctrl+Enter runs a file; in the form it sends.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            event.stop_propagation();
            send.emit(());
        }
    });
    let copy = {
        let request = request.clone();
        Callback::from(move |_: MouseEvent| {
            let line = request.curl();
            spawn_local(async move {
                page::copy(&line).await;
            });
        })
    };
    html! {
        <>
            <form class="preview-form" aria-label={say!("request.name")} data-sends="true" {onsubmit} {onkeydown}>
                { port_choices(workbench, listeners, &request) }
                <div class="request-line">
                    { select(say!("request.method"), &request.method, METHODS.iter().map(|it| (*it).to_owned()).collect(), change(Box::new(|request, text| request.method = text))) }
                    <input class="preview-port" aria-label={say!("request.port")} inputmode="numeric" autocomplete="off" value={request.port.clone()} oninput={typed(change(Box::new(|request, text| request.port = text)))} />
                    <input class="code" data-field="path" aria-label={say!("request.path")} placeholder="/" autocomplete="off" spellcheck="false" value={request.path.clone()} oninput={typed(change(Box::new(|request, text| request.path = text)))} />
                    // Each is a button of its own: one that turned into the other while it is pressed would send.
                    if is_under_way {
                        <button key="cancel" type="button" class="plain" onclick={cancel}>{ say!("dialog.cancel") }</button>
                    } else {
                        <button key="send" class="primary" disabled={problem.is_some()} title={say!("request.send.about")}>{ say!("request.send") }</button>
                    }
                </div>
                <Headers headers={request.headers.clone()} change={{
                    let request = request.clone();
                    Callback::from(move |headers| request.set(Request { headers, ..(*request).clone() }))
                }} />
                <div class="request-body">
                    { select(say!("request.body"), request.kind.name(), BodyKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(), change(Box::new(|request, text| {
                        request.kind = BodyKind::ALL.into_iter().find(|kind| kind.name() == text).unwrap_or_default();
                        if request.kind != BodyKind::Nothing && request.method == "GET" {
                            request.method = "POST".to_owned();
                        }
                    }))) }
                    <span class="spacer"></span>
                    { history_choice(&history, &request) }
                    <button type="button" class="icon-button" aria-label={say!("request.curl")} title={say!("request.curl.about")} onclick={copy}><Icon name={IconName::Copy} /></button>
                </div>
                if request.kind != BodyKind::Nothing {
                    <textarea
                        class="code"
                        aria-label={say!("request.body.text")}
                        rows="4"
                        spellcheck="false"
                        placeholder={if request.kind == BodyKind::Form { "name=value&other=2" } else { "" }}
                        value={request.body.clone()}
                        oninput={written(change(Box::new(|request, text| request.body = text)))}
                    />
                }
                if let Some(problem) = problem.or_else(|| request.body_problem()) {
                    <p class="form-problem" role="status">{ problem }</p>
                }
            </form>
            <ResponseView outcome={(*outcome).clone()} path={request.path.clone()} />
        </>
    }
}

fn port_choices(workbench: &Workbench, listeners: &[Listener], request: &UseStateHandle<Request>) -> Html {
    if listeners.is_empty() {
        return html! {
            <p class="hint">{ say!("request.no-ports") }{ " " }<code>{ say!("ports.example") }</code></p>
        };
    }
    let choices = listeners.iter().map(|listener| {
        let (workbench, port) = (workbench.clone(), listener.port);
        let is_chosen = request.port.trim() == port.to_string();
        let request = request.clone();
        let choose = Callback::from(move |_: MouseEvent| {
            request.set(Request { port: port.to_string(), ..(*request).clone() });
            workbench.open_port(port);
        });
        html! { <button type="button" aria-pressed={is_chosen.to_string()} title={listener.program.clone()} onclick={choose}>{ port }</button> }
    });
    html! { <div class="preview-ports"><span class="hint">{ say!("request.ports") }</span>{ for choices }</div> }
}

/// Chooses one of the requests of before.
fn history_choice(history: &UseStateHandle<Vec<Request>>, request: &UseStateHandle<Request>) -> Html {
    let choose = {
        let (history, request) = (history.clone(), request.clone());
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            if let Some(before) = select.value().parse::<usize>().ok().and_then(|at| history.get(at)) {
                request.set(before.clone());
            }
            select.set_selected_index(0);
        })
    };
    let options = history
        .iter()
        .enumerate()
        .map(|(at, before)| html! { <option value={at.to_string()}>{ before.title() }</option> });
    html! {
        <select class="request-history" aria-label={say!("request.earlier")} disabled={history.is_empty()} onchange={choose}>
            <option value="" selected=true>{ say!("request.earlier.short") }</option>
            { for options }
        </select>
    }
}

fn select(label: &'static str, value: &str, values: Vec<String>, change: Callback<String>) -> Html {
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            change.emit(select.value());
        }
    });
    let options = values
        .into_iter()
        .map(|it| html! { <option selected={it == value} value={it.clone()}>{ it.clone() }</option> });
    html! { <select aria-label={label} {onchange}>{ for options }</select> }
}

fn typed(change: Callback<String>) -> Callback<InputEvent> {
    Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            change.emit(input.value());
        }
    })
}

fn written(change: Callback<String>) -> Callback<InputEvent> {
    Callback::from(move |event: InputEvent| {
        if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
            change.emit(area.value());
        }
    })
}

#[derive(Properties, PartialEq)]
struct HeadersProps {
    headers: Vec<(String, String)>,
    change: Callback<Vec<(String, String)>>,
}

/// Headers by their names.
type Rows = Vec<(String, String)>;

/// What a text that was typed changes of them; the row is its own to know.
type ChangeOfRow = Rc<dyn Fn(&mut Rows, String)>;

/// The headers, a row each.
#[component]
fn Headers(props: &HeadersProps) -> Html {
    let HeadersProps { headers, change } = props;
    let with = |act: ChangeOfRow| {
        let (headers, change) = (headers.clone(), change.clone());
        Callback::from(move |text: String| {
            let mut changed = headers.clone();
            act(&mut changed, text);
            change.emit(changed);
        })
    };
    let rows = (0..headers.len()).map(|at| {
        let (name, value) = &headers[at];
        let remove = with(Rc::new(move |headers, _| drop(headers.remove(at))));
        let number = at + 1;
        html! {
            <div key={at} class="request-header">
                <input class="code" list="header-names" aria-label={say!("request.header", number = number)} placeholder={say!("request.header.name")} autocomplete="off" spellcheck="false" value={name.clone()} oninput={typed(with(Rc::new(move |headers, text| headers[at].0 = text)))} />
                <input class="code" aria-label={say!("request.header.value.of", number = number)} placeholder={say!("request.header.value")} autocomplete="off" spellcheck="false" value={value.clone()} oninput={typed(with(Rc::new(move |headers, text| headers[at].1 = text)))} />
                <button type="button" class="icon-button" aria-label={say!("request.header.remove.of", number = number)} title={say!("request.header.remove")} onclick={move |_: MouseEvent| remove.emit(String::new())}><Icon name={IconName::X} /></button>
            </div>
        }
    });
    let add = with(Rc::new(|headers, _| headers.push(Default::default())));
    let names = HEADERS.into_iter().map(|name| html! { <option value={name} /> });
    html! {
        <div class="request-headers">
            <datalist id="header-names">{ for names }</datalist>
            { for rows }
            <button type="button" class="add-header" onclick={move |_: MouseEvent| add.emit(String::new())}><Icon name={IconName::Plus} />{ say!("request.header.add") }</button>
        </div>
    }
}
