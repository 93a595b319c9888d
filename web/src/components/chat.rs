//! What is said in the room, and who did what: a log with a box to write in, and a list.

use std::rc::Rc;

use embedenv_shared::event::{Author, MAX_CHAT, RoomEvent, What};
use embedenv_shared::link::files::Item;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use web_sys::{Element, HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use super::people::initials;
use crate::interop::page;
use crate::places::{Piece, pieces};
use crate::state::Me;
use crate::state::chat::{Chat as Events, OnWay};
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

/// Events that are drawn at first, and how many more each time.
const DRAWN: usize = 200;
/// Messages of one person within this many milliseconds stand under one name.
const TOGETHER: u64 = 5 * 60_000;
/// Pixels from the end of the log at which what comes is kept in sight.
const NEAR_END: i32 = 40;

#[derive(Properties, PartialEq)]
pub(crate) struct ChatProps {
    pub(crate) workbench: Workbench,
    pub(crate) chat: Rc<Events>,
    pub(crate) me: Rc<Me>,
    pub(crate) connected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Chat,
    Activity,
}

#[component]
pub(crate) fn Chat(props: &ChatProps) -> Html {
    let ChatProps { workbench, chat, me, .. } = props;
    let view = use_state_eq(|| View::Chat);
    let drawn = use_state_eq(|| DRAWN);
    let (log, text) = (use_node_ref(), use_node_ref());
    let at_end = use_mut_ref(|| true);
    let newest = (chat.last(), chat.on_way.len(), *view, *drawn);
    use_effect_with((log.clone(), newest, at_end.clone()), |(log, _, at_end)| {
        if let Some(log) = log.cast::<Element>() {
            if *at_end.borrow() {
                log.set_scroll_top(log.scroll_height());
            }
            color(&log);
        }
    });
    let onscroll = {
        let (log, at_end) = (log.clone(), at_end.clone());
        Callback::from(move |_: Event| {
            if let Some(log) = log.cast::<Element>() {
                *at_end.borrow_mut() = log.scroll_height() - log.scroll_top() - log.client_height() < NEAR_END;
            }
        })
    };
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.toggle_chat())
    };
    let tab = |what: View, name: &'static str| {
        let (view, drawn, at_end) = (view.clone(), drawn.clone(), at_end.clone());
        let is_shown = *view == what;
        let show = Callback::from(move |_: MouseEvent| {
            *at_end.borrow_mut() = true;
            drawn.set(DRAWN);
            view.set(what);
        });
        html! { <button role="tab" aria-selected={is_shown.to_string()} onclick={show}>{ name }</button> }
    };
    let shown: Vec<&Rc<RoomEvent>> =
        chat.events.iter().filter(|event| event.what.is_chat() == (*view == View::Chat)).collect();
    let hidden = shown.len().saturating_sub(*drawn);
    let earlier = {
        let drawn = drawn.clone();
        Callback::from(move |_: MouseEvent| drawn.set(*drawn + DRAWN))
    };
    let before = html! {
        if hidden > 0 {
            <button class="plain chat-earlier" onclick={earlier}>{ say!("chat.earlier") }</button>
        } else if chat.has_gap {
            <p class="hint">{ say!("chat.gap") }</p>
        }
    };
    let shown = &shown[hidden..];
    html! {
        <section class="aside chat-pane" role="region" aria-label={say!("chat.name")}>
            <div class="side-head">
                <div class="chat-tabs" role="tablist" aria-label={say!("chat.name")}>
                    { tab(View::Chat, say!("chat.title")) }
                    { tab(View::Activity, say!("activity.title")) }
                </div>
                <button class="icon-button" aria-label={say!("chat.close")} title={say!("chat.close")} onclick={close}><Icon name={IconName::X} /></button>
            </div>
            if *view == View::Chat {
                <div class="chat-log" role="log" aria-label={say!("chat.title")} tabindex="0" ref={log} {onscroll}>
                    { before }
                    if shown.is_empty() && chat.on_way.is_empty() {
                        <p class="hint">{ say!("chat.empty") }</p>
                    }
                    { for messages(workbench, shown) }
                    { for chat.on_way.iter().map(|message| on_way(props, message)) }
                </div>
                if me.works() {
                    { compose(workbench, &text, &at_end) }
                } else {
                    <p class="hint chat-readonly">{ say!("chat.read-only") }</p>
                }
            } else {
                <div class="chat-log" ref={log} {onscroll}>
                    { before }
                    if shown.is_empty() {
                        <p class="hint">{ say!("activity.empty") }</p>
                    }
                    <ul class="activity" aria-label={say!("activity.title")}>{ for shown.iter().map(|event| activity(workbench, event)) }</ul>
                </div>
            }
        </section>
    }
}

/// Gives each name the colour of its person, which no style sheet knows.
fn color(log: &Element) {
    let Ok(named) = log.query_selector_all("[data-color]") else { return };
    for index in 0..named.length() {
        if let Some(element) = named.item(index).and_then(|node| wasm_bindgen::JsCast::dyn_into::<Element>(node).ok())
            && let Some(color) = element.get_attribute("data-color")
        {
            page::set_style(&element, "--person", &color);
        }
    }
}

/// Messages, those of one person in a row under one name.
fn messages(workbench: &Workbench, events: &[&Rc<RoomEvent>]) -> Vec<Html> {
    let mut before: Option<&Rc<RoomEvent>> = None;
    let mut all = Vec::new();
    for event in events {
        let What::Chat { text } = &event.what else { continue };
        let goes_on =
            before.is_some_and(|before| before.by == event.by && event.at.saturating_sub(before.at) < TOGETHER);
        before = Some(event);
        all.push(html! {
            <div key={event.number} class={classes!("message", (!goes_on).then_some("first"))}>
                if !goes_on {
                    { author(&event.by, event.at) }
                }
                <p class="message-text">{ for linked(workbench, text) }</p>
            </div>
        });
    }
    all
}

fn author(by: &Author, at: u64) -> Html {
    html! {
        <div class="message-author">
            <span class="person" aria-hidden="true" data-color={by.color.clone()}>{ initials(&by.user) }</span>
            <b>{ by.user.clone() }</b>
            <time>{ page::time_of(at as f64) }</time>
        </div>
    }
}

fn linked(workbench: &Workbench, text: &str) -> Vec<Html> {
    let state = workbench.state();
    let Some(me) = &state.me else { return vec![html! { { text } }] };
    let pieces = pieces(text, &me.project, |path| state.tree.is_file(path));
    let html = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => html! { { text } },
        Piece::Place { text, path, at } => place(workbench, text, path, at),
        Piece::Address(address) => {
            html! { <a href={address.to_owned()} target="_blank" rel="noopener noreferrer">{ address }</a> }
        }
    });
    html.collect()
}

/// Something to press that shows a file.
fn place(workbench: &Workbench, text: &str, path: WorkspacePath, at: Option<(u32, u32)>) -> Html {
    let workbench = workbench.clone();
    let go = Callback::from(move |_: MouseEvent| workbench.go_to_place(path.clone(), at));
    html! { <button class="place" onclick={go}>{ text }</button> }
}

/// A message of one's own that is not an event yet.
fn on_way(props: &ChatProps, message: &OnWay) -> Html {
    let OnWay { key, text, failed } = message;
    let with = |act: fn(&Workbench, u32, String)| {
        let (workbench, key, text) = (props.workbench.clone(), *key, text.clone());
        Callback::from(move |_: MouseEvent| act(&workbench, key, text.clone()))
    };
    html! {
        <div key={format!("on-way-{key}")} class="message first on-way">
            <p class="message-text">{ text }</p>
            if let Some(why) = failed {
                <p class="message-failed" role="alert">{ why }</p>
                <button class="plain" onclick={with(Workbench::say_again)}>{ say!("chat.again") }</button>
                <button class="plain" onclick={with(|workbench, key, _| workbench.unsay(key))}>{ say!("chat.discard") }</button>
                <CopyDetails workbench={props.workbench.clone()} text={why.clone()} />
            } else if !props.connected {
                <p class="hint">{ say!("chat.waits") }</p>
            }
        </div>
    }
}

fn compose(workbench: &Workbench, text: &NodeRef, at_end: &Rc<std::cell::RefCell<bool>>) -> Html {
    let say = {
        let (workbench, text, at_end) = (workbench.clone(), text.clone(), at_end.clone());
        move || {
            let Some(area) = text.cast::<HtmlTextAreaElement>() else { return };
            let said = area.value().trim().to_owned();
            if said.is_empty() {
                return;
            }
            if said.len() > MAX_CHAT {
                return workbench.alert(say!("chat.too-long", most = MAX_CHAT, has = said.len()));
            }
            area.set_value("");
            workbench.draft.borrow_mut().clear();
            *at_end.borrow_mut() = true;
            workbench.say(said);
        }
    };
    let onkeydown = {
        let say = say.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && !event.shift_key() && !event.is_composing() {
                event.prevent_default();
                event.stop_propagation();
                say();
            }
        })
    };
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        say();
    });
    let insert = {
        let (workbench, text) = (workbench.clone(), text.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(area) = text.cast::<HtmlTextAreaElement>() else { return };
            match workbench.place_here() {
                Some(place) => {
                    let before = area.value();
                    let space = if before.is_empty() || before.ends_with(char::is_whitespace) { "" } else { " " };
                    let draft = format!("{before}{space}{place} ");
                    area.set_value(&draft);
                    workbench.draft.replace(draft);
                }
                None => workbench.alert(say!("chat.no-place")),
            }
            page::give_focus(&area);
        })
    };
    let oninput = {
        let (workbench, text) = (workbench.clone(), text.clone());
        Callback::from(move |_: InputEvent| {
            if let Some(area) = text.cast::<HtmlTextAreaElement>() {
                workbench.draft.replace(area.value());
            }
        })
    };
    let draft = workbench.draft.borrow().clone();
    html! {
        <form class="chat-form" {onsubmit}>
            <textarea aria-label={say!("chat.message")} placeholder={say!("chat.message")} rows="2" defaultvalue={draft} ref={text} {oninput} {onkeydown} />
            <div class="chat-actions">
                <button type="button" class="plain" title={say!("chat.link-line.about")} onclick={insert}>
                    <Icon name={IconName::Link} /><span>{ say!("chat.link-line") }</span>
                </button>
                <button class="primary">{ say!("chat.send") }</button>
            </div>
        </form>
    }
}

fn activity(workbench: &Workbench, event: &RoomEvent) -> Html {
    let here = workbench.project();
    let elsewhere = |project: &ProjectName| {
        if here.as_ref() == Some(project) { String::new() } else { say!("activity.elsewhere", project = project) }
    };
    let file = |project: &ProjectName, path: &WorkspacePath| {
        if here.as_ref() == Some(project) {
            place(workbench, path.as_str(), path.clone(), None)
        } else {
            html! { <code>{ path.as_str() }</code> }
        }
    };
    let what = match &event.what {
        What::Chat { .. } => return html! {},
        What::Ran { project, command: Some(command), .. } => {
            html! { <>{ say!("activity.ran") }{ " " }<code>{ command }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Ran { project, command: None, .. } => {
            html! { <>{ say!("activity.terminal") }{ " " }{ elsewhere(project) }</> }
        }
        What::Planted { project, files } => {
            html! { <>{ count!("activity.planted", *files, project = project) }</> }
        }
        What::Created { project, path, item: Item::Folder } => {
            html! { <>{ say!("activity.folder") }{ " " }<code>{ path.as_str() }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Created { project, path, item: Item::File } => {
            html! { <>{ say!("activity.made") }{ " " }{ file(project, path) }{ " " }{ elsewhere(project) }</> }
        }
        What::Wrote { project, path } => {
            html! { <>{ say!("activity.wrote") }{ " " }{ file(project, path) }{ " " }{ elsewhere(project) }</> }
        }
        What::Replaced { project, files, hits } => {
            let what = count!("activity.replaced", *hits, files = count!("activity.replaced.files", *files));
            html! { <>{ what }{ " " }{ elsewhere(project) }</> }
        }
        What::Renamed { project, path, name } => {
            html! { <>{ say!("activity.renamed") }{ " " }<code>{ path.as_str() }</code>{ " " }{ say!("activity.to") }{ " " }<code>{ name.as_str() }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Moved { project, path, to } => {
            html! { <>{ say!("activity.moved") }{ " " }<code>{ path.as_str() }</code>{ " " }{ say!("activity.to-path") }{ " " }<code>{ to.as_str() }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Copied { project, path, to } => {
            html! { <>{ say!("activity.copied") }{ " " }<code>{ path.as_str() }</code>{ " " }{ say!("activity.to-path") }{ " " }<code>{ to.as_str() }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Uploaded { project, path } => {
            let folder = if path.is_root() { project.as_str() } else { path.as_str() };
            html! { <>{ say!("activity.uploaded") }{ " " }<code>{ folder.to_owned() }</code>{ " " }{ elsewhere(project) }</> }
        }
        What::Deleted { project, path } => {
            html! { <>{ say!("activity.deleted") }{ " " }<code>{ path.as_str() }</code>{ " " }{ elsewhere(project) }</> }
        }
    };
    html! {
        <li key={event.number}>
            <span class="person" aria-hidden="true" data-color={event.by.color.clone()}>{ initials(&event.by.user) }</span>
            <span class="activity-what"><b>{ event.by.user.clone() }</b>{ " " }{ what }</span>
            <time>{ page::time_of(event.at as f64) }</time>
        </li>
    }
}
