//! Asks servers that run in the sandbox: the form for a request, and those of before. What they answer is `response`'s.

use std::cell::Cell;
use std::rc::Rc;

use embedenv_shared::frame::Listener;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, KeyboardEvent, SubmitEvent};
use yew::prelude::*;

use super::draft::{Draft, use_draft};
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
    let draft = use_draft(|| {
        let before = history.first().filter(|before| before.port == port.to_string()).cloned();
        before.unwrap_or_else(|| Request { port: port.to_string(), ..Request::default() })
    });
    let request = draft.newest();
    let outcome = use_draft(|| Outcome::Nothing);
    // Set when the request that is under way is not waited for any more.
    let cancelled = use_mut_ref(|| Rc::new(Cell::new(false)));
    use_effect_with(*port, {
        let draft = draft.clone();
        move |port| {
            if draft.newest().port != port.to_string() {
                draft.change(|request| request.port = port.to_string());
            }
        }
    });
    let change = |change: ChangeOf<Request>| {
        let draft = draft.clone();
        Callback::from(move |text: String| draft.change(|request| change(request, text)))
    };
    let problem = request.problem();
    let shown = outcome.newest();
    let is_under_way = shown == Outcome::UnderWay;
    let send = {
        let (workbench, draft, outcome) = (workbench.clone(), draft.clone(), outcome.clone());
        let (history, cancelled) = (history.clone(), cancelled.clone());
        Callback::from(move |()| {
            let request = draft.newest();
            if request.problem().is_some() || outcome.newest() == Outcome::UnderWay {
                return;
            }
            let mut before = (*history).clone();
            remember(&mut before, &request);
            memory::keep_requests(&before);
            history.set(before);
            let mine = Rc::new(Cell::new(false));
            *cancelled.borrow_mut() = mine.clone();
            outcome.change(|outcome| *outcome = Outcome::UnderWay);
            let (workbench, outcome) = (workbench.clone(), outcome.clone());
            spawn_local(async move {
                let answer = workbench.fetch(&request, mine.clone()).await;
                if !mine.get() {
                    let answer = match answer {
                        Ok(response) => Outcome::Answered(Rc::new(response)),
                        Err(failure) => {
                            Outcome::Failed(words::failed(&say!("request.failed", url = request.url()), &failure))
                        }
                    };
                    outcome.change(|outcome| *outcome = answer);
                }
            });
        })
    };
    let cancel = {
        let (cancelled, outcome) = (cancelled.clone(), outcome.clone());
        Callback::from(move |_: MouseEvent| {
            cancelled.borrow().set(true);
            outcome.change(|outcome| *outcome = Outcome::Nothing);
        })
    };
    let onsubmit = {
        let send = send.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            send.emit(());
        })
    };
    // The page's own Ctrl+Enter runs a file; in the form it sends. Enter alone does in a field of one line, whether or not the
    // button was drawn yet as one that may be pressed; one with proposals takes them by it.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let is_in_line = event.target_dyn_into::<HtmlInputElement>().is_some_and(|input| !input.has_attribute("list"));
        if event.key() == "Enter" && !event.is_composing() && (event.ctrl_key() || event.meta_key() || is_in_line) {
            event.prevent_default();
            event.stop_propagation();
            send.emit(());
        }
    });
    let copy = {
        let draft = draft.clone();
        Callback::from(move |_: MouseEvent| {
            let line = draft.newest().curl();
            spawn_local(async move {
                page::copy(&line).await;
            });
        })
    };
    html! {
        <>
            <form class="preview-form" aria-label={say!("request.name")} data-sends="true" {onsubmit} {onkeydown}>
                { port_choices(workbench, listeners, &draft) }
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
                    let draft = draft.clone();
                    Callback::from(move |change: Change| draft.change(|request| change(&mut request.headers)))
                }} />
                <div class="request-body">
                    { select(say!("request.body"), request.kind.name(), BodyKind::ALL.iter().map(|kind| kind.name().to_owned()).collect(), change(Box::new(|request, text| {
                        request.kind = BodyKind::ALL.into_iter().find(|kind| kind.name() == text).unwrap_or_default();
                        if request.kind != BodyKind::Nothing && request.method == "GET" {
                            request.method = "POST".to_owned();
                        }
                    }))) }
                    <span class="spacer"></span>
                    { history_choice(&history, &draft) }
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
            <ResponseView outcome={shown} path={request.path.clone()} />
        </>
    }
}

fn port_choices(workbench: &Workbench, listeners: &[Listener], draft: &Draft<Request>) -> Html {
    if listeners.is_empty() {
        return html! {
            <p class="hint">{ say!("request.no-ports") }{ " " }<code>{ say!("ports.example") }</code></p>
        };
    }
    let choices = listeners.iter().map(|listener| {
        let (workbench, port) = (workbench.clone(), listener.port);
        let is_chosen = draft.newest().port.trim() == port.to_string();
        let draft = draft.clone();
        let choose = Callback::from(move |_: MouseEvent| {
            draft.change(|request| request.port = port.to_string());
            workbench.open_port(port);
        });
        html! { <button type="button" aria-pressed={is_chosen.to_string()} title={listener.program.clone()} onclick={choose}>{ port }</button> }
    });
    html! { <div class="preview-ports"><span class="hint">{ say!("request.ports") }</span>{ for choices }</div> }
}

/// Chooses one of the requests of before.
fn history_choice(history: &UseStateHandle<Vec<Request>>, draft: &Draft<Request>) -> Html {
    let choose = {
        let (history, draft) = (history.clone(), draft.clone());
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            if let Some(before) = select.value().parse::<usize>().ok().and_then(|at| history.get(at)) {
                draft.change(|request| request.clone_from(before));
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

/// Headers by their names.
type Rows = Vec<(String, String)>;

#[derive(Properties, PartialEq)]
struct HeadersProps {
    headers: Rows,
    /// Told how the rows change.
    change: Callback<Change>,
}

/// A change of the rows as they are by then.
type Change = Box<dyn FnOnce(&mut Rows)>;

/// The headers, a row each.
#[component]
fn Headers(props: &HeadersProps) -> Html {
    let HeadersProps { headers, change } = props;
    let field = |at: usize, of: fn(&mut (String, String)) -> &mut String| {
        let change = change.clone();
        typed(Callback::from(move |text: String| {
            change.emit(Box::new(move |rows| {
                if let Some(row) = rows.get_mut(at) {
                    *of(row) = text;
                }
            }));
        }))
    };
    let rows = headers.iter().enumerate().map(|(at, (name, value))| {
        let change = change.clone();
        let remove = Callback::from(move |_: MouseEvent| {
            change.emit(Box::new(move |rows| drop((at < rows.len()).then(|| rows.remove(at)))));
        });
        let number = at + 1;
        html! {
            <div key={at} class="request-header">
                <input class="code" list="header-names" aria-label={say!("request.header", number = number)} placeholder={say!("request.header.name")} autocomplete="off" spellcheck="false" value={name.clone()} oninput={field(at, |row| &mut row.0)} />
                <input class="code" aria-label={say!("request.header.value.of", number = number)} placeholder={say!("request.header.value")} autocomplete="off" spellcheck="false" value={value.clone()} oninput={field(at, |row| &mut row.1)} />
                <button type="button" class="icon-button" aria-label={say!("request.header.remove.of", number = number)} title={say!("request.header.remove")} onclick={remove}><Icon name={IconName::X} /></button>
            </div>
        }
    });
    let add = {
        let change = change.clone();
        Callback::from(move |_: MouseEvent| change.emit(Box::new(|rows| rows.push(Default::default()))))
    };
    let names = HEADERS.into_iter().map(|name| html! { <option value={name} /> });
    html! {
        <div class="request-headers">
            <datalist id="header-names">{ for names }</datalist>
            { for rows }
            <button type="button" class="add-header" onclick={add}><Icon name={IconName::Plus} />{ say!("request.header.add") }</button>
        </div>
    }
}
