//! Lets others see a port: links that are good for a while, as text and as a QR code, and for who owns the room, anybody.

use std::rc::Rc;

use embedenv_shared::frame::PreviewLink;
use embedenv_shared::id::Role;
use qrcodegen::{QrCode, QrCodeEcc};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::dialog::Dialog;
use super::icon::{Icon, IconName};
use super::share::after;
use crate::interop::page;
use crate::state::Me;
use crate::words::catalogue::say;
use crate::workbench::Workbench;
use crate::workbench::preview::Shared;

const HOUR: u64 = 3600;
/// For how many seconds a link may be good, as the dialog offers it.
const TIMES: [u64; 3] = [HOUR, 24 * HOUR, 7 * 24 * HOUR];
/// Light modules around a QR code, which cameras need.
const QUIET: i32 = 4;

#[derive(Properties, PartialEq)]
pub(crate) struct SharePortProps {
    pub(crate) workbench: Workbench,
    pub(crate) me: Rc<Me>,
    pub(crate) port: u16,
}

#[component]
pub(crate) fn SharePort(props: &SharePortProps) -> Html {
    let SharePortProps { workbench, me, port } = props;
    let port = *port;
    let (ttl, link_box) = (use_node_ref(), use_node_ref());
    let link = use_state_eq(|| None::<String>);
    let copied = use_state_eq(|| false);
    let shared = use_state_eq(Shared::default);
    let refresh = {
        let (workbench, shared) = (workbench.clone(), shared.setter());
        Callback::from(move |()| {
            let (workbench, shared) = (workbench.clone(), shared.clone());
            spawn_local(async move {
                match workbench.shared_ports().await {
                    Ok(all) => shared.set(all),
                    Err(why) => workbench.alert(why),
                }
            });
        })
    };
    use_effect_with((), {
        let refresh = refresh.clone();
        move |()| refresh.emit(())
    });
    let chosen = |node: &NodeRef| {
        let select = node.cast::<HtmlSelectElement>();
        select.and_then(|select| select.value().parse().ok()).unwrap_or(HOUR)
    };
    let create = {
        let (workbench, link, copied, refresh, ttl) =
            (workbench.clone(), link.setter(), copied.setter(), refresh.clone(), ttl.clone());
        Callback::from(move |_: MouseEvent| {
            let (workbench, link, refresh, ttl) = (workbench.clone(), link.clone(), refresh.clone(), chosen(&ttl));
            copied.set(false);
            spawn_local(async move {
                match workbench.share_port(port, ttl).await {
                    Ok(made) => link.set(Some(made)),
                    Err(why) => workbench.alert(why),
                }
                refresh.emit(());
            });
        })
    };
    let copy = {
        let (link, copied, link_box) = (link.clone(), copied.setter(), link_box.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(text) = (*link).clone() else { return };
            let (copied, link_box) = (copied.clone(), link_box.clone());
            spawn_local(async move {
                if page::copy(&text).await {
                    copied.set(true);
                } else if let Some(input) = link_box.cast::<HtmlInputElement>() {
                    page::focus_and_select(&input, u32::MAX);
                }
            });
        })
    };
    let opened = shared.open.iter().find(|open| open.port == port).copied();
    let open = {
        let (workbench, refresh, ttl, is_open) = (workbench.clone(), refresh.clone(), ttl.clone(), opened.is_some());
        Callback::from(move |_: MouseEvent| {
            let (workbench, refresh) = (workbench.clone(), refresh.clone());
            let ttl = (!is_open).then(|| chosen(&ttl));
            spawn_local(async move {
                if let Err(why) = workbench.open_to_all(port, ttl).await {
                    workbench.alert(why);
                }
                refresh.emit(());
            });
        })
    };
    let links = shared.links.iter().filter(|link| link.port == port).map(|link| row(workbench, link, &refresh));
    let title = say!("share-port.title", port = port);
    html! {
        <Dialog workbench={workbench.clone()} name={say!("share-port.name")} {title}>
            <div class="field-row">
                <div class="field">
                    <label for="share-port-expires">{ say!("share.expires") }</label>
                    <select id="share-port-expires" ref={ttl} data-first="true">
                        { for TIMES.map(|seconds| html! { <option selected={seconds == HOUR} value={seconds.to_string()}>{ after(seconds) }</option> }) }
                    </select>
                </div>
                <button class="primary share-create" onclick={create}>{ say!("share.create") }</button>
            </div>
            if let Some(text) = &*link {
                <div class="field">
                    <label for="share-port-link">{ say!("share.link") }</label>
                    <div class="field-row">
                        <input id="share-port-link" ref={link_box} readonly=true value={text.clone()} />
                        <button onclick={copy}>
                            <Icon name={if *copied { IconName::Check } else { IconName::Copy }} />
                            { if *copied { say!("details.copied") } else { say!("share.copy") } }
                        </button>
                    </div>
                    { qr(text) }
                    <p class="hint">{ if page::is_at_home() { say!("share-port.home") } else { say!("share-port.whoever") } }</p>
                </div>
            }
            if me.role == Role::Owner {
                <div class="share-port-open">
                    <p>{ match opened {
                        Some(open) => say!("share-port.open-until", time = page::time_of(open.until as f64)),
                        None => say!("share-port.closed").to_owned(),
                    } }</p>
                    <button class="plain" onclick={open}>{ if opened.is_some() { say!("share-port.close") } else { say!("share-port.open") } }</button>
                </div>
            }
            <ul class="links" aria-label={say!("share-port.links")}>{ for links }</ul>
        </Dialog>
    }
}

fn row(workbench: &Workbench, link: &PreviewLink, refresh: &Callback<()>) -> Html {
    let (workbench, refresh, number) = (workbench.clone(), refresh.clone(), link.number);
    let revoke = Callback::from(move |_: MouseEvent| {
        let (workbench, refresh) = (workbench.clone(), refresh.clone());
        spawn_local(async move {
            if let Err(why) = workbench.revoke_port_link(number).await {
                workbench.alert(why);
            }
            refresh.emit(());
        });
    });
    html! {
        <li key={number} class="link-row">
            <span>{ say!("share-port.link", number = number, user = link.created_by, time = page::time_of(link.expires as f64)) }</span>
            <button class="icon-button" aria-label={say!("share-port.revoke", number = number)} title={say!("share-port.revoke", number = number)} onclick={revoke}><Icon name={IconName::X} /></button>
        </li>
    }
}

/// A text for cameras; nothing if it is too long for one.
fn qr(text: &str) -> Html {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Low) else { return html! {} };
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    let around = size + 2 * QUIET;
    html! {
        <svg class="qr" role="img" aria-label={say!("share-port.qr")} viewBox={format!("{} {} {around} {around}", -QUIET, -QUIET)} shape-rendering="crispEdges">
            <path class="qr-ground" d={format!("M{} {}h{around}v{around}h-{around}z", -QUIET, -QUIET)} />
            <path d={path} />
        </svg>
    }
}
