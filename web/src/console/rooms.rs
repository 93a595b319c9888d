//! Rooms that live: opened in another tab, ended.

use std::rc::Rc;

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{JoinKey, OpenedRoom, Room, Rooms};
use super::links::{Links, link};
use super::parts::{Loaded, Said, Sure, notice, use_loaded, waiting, when};
use super::words::tell;
use crate::components::icon::{Icon, IconName};
use crate::interop::tabs::Tab;

#[derive(Properties, PartialEq)]
pub(super) struct RoomsProps {
    /// The balance is another one now.
    pub(super) onspent: Callback<()>,
}

#[component]
pub(super) fn LiveRooms(props: &RoomsProps) -> Html {
    let (rooms, reload) = use_loaded::<Rooms>("/rooms?limit=100");
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let start = {
        let (said, busy, reload, onspent) = (said.setter(), busy.setter(), reload.clone(), props.onspent.clone());
        Callback::from(move |_: MouseEvent| {
            let (said, busy, reload, onspent) = (said.clone(), busy.clone(), reload.clone(), onspent.clone());
            // Opened while the click lasts, or the browser takes it for one that nobody asked for.
            let tab = Tab::open();
            busy.set(true);
            spawn_local(async move {
                match api::ask::<OpenedRoom>(Method::POST, "/rooms", &json!({})).await {
                    Ok(opened) => {
                        tab.lead(&link(&opened.owner));
                        said.set(None);
                    }
                    Err(refused) => {
                        tab.close();
                        said.set(Some(Said::Failed(refused.text)));
                    }
                }
                busy.set(false);
                reload.emit(());
                onspent.emit(());
            });
        })
    };
    let enter = |room: &Room, role: &'static str| {
        let (said, path) = (said.setter(), format!("/rooms/{}/keys", room.room));
        Callback::from(move |_: MouseEvent| {
            let (said, path) = (said.clone(), path.clone());
            let tab = Tab::open();
            spawn_local(async move {
                // Good for this once: whoever is in stays in.
                let wanted = json!({"role": role, "uses": 1, "ttl": 300});
                match api::ask::<JoinKey>(Method::POST, &path, &wanted).await {
                    Ok(key) => tab.lead(&link(&key.join)),
                    Err(refused) => {
                        tab.close();
                        said.set(Some(Said::Failed(refused.text)));
                    }
                }
            });
        })
    };
    let end = |room: &Room| {
        let (said, reload, path) = (said.setter(), reload.clone(), format!("/rooms/{}", room.room));
        Callback::from(move |()| {
            let (said, reload, path) = (said.clone(), reload.clone(), path.clone());
            spawn_local(async move {
                said.set(api::delete(&path).await.err().map(|refused| Said::Failed(refused.text)));
                reload.emit(());
            });
        })
    };
    html! {
        <>
            <div class="section-head">
                <p class="hint">{ tell!("rooms.about") }</p>
                <button type="button" class="primary" disabled={*busy} onclick={start}><Icon name={IconName::Plus} />{ tell!("rooms.new") }</button>
            </div>
            { notice(&said) }
            { waiting(&rooms, &reload) }
            if let Loaded::Here(rooms) = &rooms {
                if rooms.rooms.is_empty() {
                    <p class="hint">{ tell!("rooms.none") }</p>
                }
                <ul class="rows" aria-label={tell!("nav.rooms")}>
                    { for rooms.rooms.iter().map(|room| html! {
                        <One key={room.room.clone()} room={Rc::new(room.clone())} enter={enter(room, "owner")} watch={enter(room, "viewer")} end={end(room)} />
                    }) }
                </ul>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    room: Rc<Room>,
    enter: Callback<MouseEvent>,
    /// The same, where one changes nothing.
    watch: Callback<MouseEvent>,
    end: Callback<()>,
}

#[component]
fn One(props: &OneProps) -> Html {
    let OneProps { room, enter, watch, end } = props;
    let has_links = use_state_eq(|| false);
    let toggle = {
        let has_links = has_links.clone();
        Callback::from(move |_: MouseEvent| has_links.set(!*has_links))
    };
    let sandbox = match room.sandbox.as_str() {
        "ready" => tell!("rooms.ready"),
        "starting" => tell!("rooms.starting"),
        _ => tell!("rooms.gone"),
    };
    html! {
        <li class="row" aria-label={room.room.clone()}>
            <div class="row-what">
                <code>{ &room.room }</code>
                <span class="hint">{ &room.space }</span>
            </div>
            <div class="row-figures">
                <span>{ format!("{sandbox} · ") }{ tell!("rooms.here", count = room.connections) }</span>
                <span class="hint">{ tell!("rooms.used", when = when(room.last_used)) }</span>
                <span class="hint">{ tell!("rooms.minutes", minutes = room.minutes) }</span>
            </div>
            <div class="row-actions">
                <button
                    type="button" class="plain" aria-expanded={has_links.to_string()}
                    aria-label={tell!("rooms.links.name", room = room.room)} onclick={toggle}
                >
                    { tell!("rooms.links") }
                </button>
                <button type="button" class="plain" aria-label={tell!("rooms.watch.name", room = room.room)} onclick={watch}>
                    { tell!("rooms.watch") }
                </button>
                <button type="button" class="plain" aria-label={tell!("rooms.open.name", room = room.room)} onclick={enter}>
                    <Icon name={IconName::ExternalLink} />{ tell!("rooms.open") }
                </button>
                <Sure
                    label={tell!("rooms.end")} name={tell!("rooms.end.name", room = room.room)}
                    question={tell!("rooms.end.sure", room = room.room)} onsure={end}
                />
            </div>
            if *has_links { <Links room={room.room.clone()} /> }
        </li>
    }
}
