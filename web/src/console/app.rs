//! The whole console: the door for who is outside; inside, the sections, one at a time, named in the address.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::account::AccountPage;
use super::api;
use super::bodies::{Door, Session};
use super::door::DoorPage;
use super::keys::KeyPairs;
use super::operator::OperatorPage;
use super::overview::Overview;
use super::parts::{Said, notice};
use super::reckoning::{Errand, Section};
use super::rooms::LiveRooms;
use super::server::ServerPage;
use super::webhooks::WebhookList;
use super::widgets::WidgetList;
use super::words::tell;
use crate::interop::page;

#[derive(Debug, Clone, PartialEq)]
enum Standing {
    Unknown,
    Unreachable(String),
    Outside(Rc<Door>),
    Inside(Rc<Session>),
}

#[derive(Properties, PartialEq)]
pub(super) struct AppProps {
    pub(super) errand: Option<Errand>,
}

#[component]
pub(super) fn App(props: &AppProps) -> Html {
    let standing = use_state_eq(|| Standing::Unknown);
    let errand = use_state_eq({
        let errand = props.errand.clone();
        move || errand
    });
    let look = {
        let (standing, has_errand) = (standing.setter(), errand.is_some());
        Callback::from(move |()| {
            let standing = standing.clone();
            spawn_local(async move {
                let session = if has_errand { None } else { api::get::<Session>("/session").await.ok() };
                standing.set(match session {
                    Some(session) => inside(session),
                    None => match api::get("/door").await {
                        Ok(door) => Standing::Outside(Rc::new(door)),
                        Err(refused) => Standing::Unreachable(refused.text),
                    },
                });
            });
        })
    };
    use_effect_with((), {
        let look = look.clone();
        move |()| look.emit(())
    });
    let onenter = {
        let (standing, errand) = (standing.setter(), errand.setter());
        Callback::from(move |session: Session| {
            errand.set(None);
            standing.set(inside(session));
        })
    };
    match &*standing {
        Standing::Unknown => html! { <p class="hint" role="status">{ tell!("loading") }</p> },
        Standing::Unreachable(why) => html! {
            <main class="door">
                { notice(&Some(Said::Failed(why.clone()))) }
                <button type="button" class="plain" onclick={look.reform(|_: MouseEvent| ())}>{ tell!("retry") }</button>
            </main>
        },
        Standing::Outside(door) => html! { <DoorPage door={door.clone()} errand={(*errand).clone()} {onenter} /> },
        Standing::Inside(session) => html! { <Inside session={session.clone()} {look} /> },
    }
}

fn inside(session: Session) -> Standing {
    api::speak_for(&session.page_token);
    Standing::Inside(Rc::new(session))
}

#[derive(Properties, PartialEq)]
struct InsideProps {
    session: Rc<Session>,
    /// Asks anew who is logged in, and what they have.
    look: Callback<()>,
}

#[component]
fn Inside(props: &InsideProps) -> Html {
    let InsideProps { session, look } = props;
    let section = use_state_eq(|| Section::read(&page::fragment()));
    use_effect_with((), {
        let section = section.setter();
        move |()| {
            let listener = EventListener::new(&page::window(), "hashchange", move |_| {
                section.set(Section::read(&page::fragment()))
            });
            move || drop(listener)
        }
    });
    // What others spend meanwhile is seen at the next section.
    use_effect_with(*section, {
        let look = look.clone();
        move |_| look.emit(())
    });
    let account = Rc::new(session.account.clone());
    let go = Callback::from(|section: Section| page::set_fragment(&format!("/{}", section.name())));
    let log_out = {
        let look = look.clone();
        Callback::from(move |_: MouseEvent| {
            let look = look.clone();
            spawn_local(async move {
                // A session that is over already is what was wanted.
                let _ = api::delete("/session").await;
                look.emit(());
            });
        })
    };
    let sections = Section::ALL.into_iter().filter(|section| !section.is_operators() || account.is_operator());
    let body = match *section {
        Section::Overview => html! { <Overview account={account.clone()} {go} /> },
        Section::Keys => html! { <KeyPairs /> },
        Section::Rooms => html! { <LiveRooms onspent={look.clone()} /> },
        Section::Widgets => html! { <WidgetList /> },
        Section::Webhooks => html! { <WebhookList /> },
        Section::Account => {
            html! { <AccountPage account={account.clone()} onchange={look.clone()} onleave={look.clone()} /> }
        }
        Section::Operator => html! { <OperatorPage onchange={look.clone()} /> },
        Section::Server => html! { <ServerPage /> },
    };
    html! {
        <div class="inside">
            <header class="top">
                <img src="/favicon.svg" alt="" width="24" height="24" />
                <strong>{ "Embedenv" }</strong>
                <span class="top-who">{ &account.name }</span>
                <span class="top-credits">{ account.credits }{ " " }{ tell!("credits") }</span>
                <button type="button" class="plain" onclick={log_out}>{ tell!("nav.log-out") }</button>
            </header>
            <nav class="sections" aria-label={tell!("nav")}>
                { for sections.map(|to| html! {
                    <a key={to.name()} href={format!("#/{}", to.name())} aria-current={(to == *section).then_some("page")}>{ title(to) }</a>
                }) }
            </nav>
            <main class="section">
                <h1>{ title(*section) }</h1>
                { body }
            </main>
        </div>
    }
}

fn title(section: Section) -> &'static str {
    match section {
        Section::Overview => tell!("nav.overview"),
        Section::Keys => tell!("nav.keys"),
        Section::Rooms => tell!("nav.rooms"),
        Section::Widgets => tell!("nav.widgets"),
        Section::Webhooks => tell!("nav.webhooks"),
        Section::Account => tell!("nav.account"),
        Section::Operator => tell!("nav.operator"),
        Section::Server => tell!("nav.server"),
    }
}
