//! One's own account: name, password, browsers that are logged in, what was done, a copy of it all, its end.

use std::rc::Rc;

use gloo_net::http::Method;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{Account, Audit, AuditEntry, Browser, Browsers};
use super::parts::{Field, Loaded, Said, Sure, clear, notice, on_submit, typed, use_loaded, waiting, when};
use super::reckoning::whole;
use super::words::tell;
use crate::interop::page;

#[derive(Properties, PartialEq)]
pub(super) struct AccountProps {
    pub(super) account: Rc<Account>,
    /// The account is another one now.
    pub(super) onchange: Callback<()>,
    /// It is gone.
    pub(super) onleave: Callback<()>,
}

#[component]
pub(super) fn AccountPage(props: &AccountProps) -> Html {
    let AccountProps { account, onchange, onleave } = props;
    html! {
        <>
            <Profile account={account.clone()} onchange={onchange.clone()} />
            <Password email={account.email.clone().unwrap_or_default()} />
            <LoggedIn />
            <History />
            <Leave onleave={onleave.clone()} />
        </>
    }
}

#[derive(Properties, PartialEq)]
struct ProfileProps {
    account: Rc<Account>,
    onchange: Callback<()>,
}

#[component]
fn Profile(props: &ProfileProps) -> Html {
    let (said, name, low) = (use_state_eq(|| None::<Said>), use_node_ref(), use_node_ref());
    let submit = {
        let (said, name, low, onchange) = (said.setter(), name.clone(), low.clone(), props.onchange.clone());
        on_submit(move || {
            let body = json!({"name": typed(&name), "low_credits": whole(&typed(&low)).unwrap_or(0)});
            let (said, onchange) = (said.clone(), onchange.clone());
            spawn_local(async move {
                said.set(Some(match api::have(Method::PATCH, "/account", &body).await {
                    Ok(()) => Said::Done(tell!("saved").to_owned()),
                    Err(refused) => Said::Failed(refused.text),
                }));
                onchange.emit(());
            });
        })
    };
    html! {
        <section aria-label={tell!("account.profile")}>
            <h2>{ tell!("account.profile") }</h2>
            <p class="hint">{ props.account.email.clone().unwrap_or_default() }</p>
            { notice(&said) }
            <form class="line" onsubmit={submit}>
                <Field id="account-name" label={tell!("door.name")} value={props.account.name.clone()} autocomplete="name" required=true node={name} />
                <Field id="account-low" label={tell!("account.low")} kind="number" value={props.account.low_credits.to_string()} hint={tell!("account.low.hint")} node={low} />
                <button class="plain">{ tell!("save") }</button>
            </form>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct PasswordProps {
    email: String,
}

#[component]
fn Password(props: &PasswordProps) -> Html {
    let (said, current, password) = (use_state_eq(|| None::<Said>), use_node_ref(), use_node_ref());
    let submit = {
        let (said, current, password) = (said.setter(), current.clone(), password.clone());
        on_submit(move || {
            let (said, body) = (said.clone(), json!({"current": typed(&current), "password": typed(&password)}));
            let fields = [current.clone(), password.clone()];
            spawn_local(async move {
                said.set(Some(match api::have(Method::PUT, "/password", &body).await {
                    Ok(()) => {
                        clear(&fields);
                        Said::Done(tell!("account.password.changed").to_owned())
                    }
                    Err(refused) if refused.status == 403 => Said::Failed(tell!("account.password.wrong").to_owned()),
                    Err(refused) => Said::Failed(refused.text),
                }));
            });
        })
    };
    html! {
        <section aria-label={tell!("account.password")}>
            <h2>{ tell!("account.password") }</h2>
            { notice(&said) }
            <form class="line" onsubmit={submit}>
                // For the browser's memory of passwords: whose this is.
                <input type="hidden" autocomplete="username" value={props.email.clone()} />
                <Field id="password-current" label={tell!("account.password.current")} kind="password" autocomplete="current-password" required=true node={current} />
                <Field id="password-new" label={tell!("account.password.new")} kind="password" autocomplete="new-password" required=true node={password} />
                <button class="plain">{ tell!("account.password.change") }</button>
            </form>
        </section>
    }
}

#[component]
fn LoggedIn() -> Html {
    let (sessions, reload) = use_loaded::<Browsers>("/sessions");
    let end = |browser: &Browser| {
        let (reload, path) = (reload.clone(), format!("/sessions/{}", browser.session));
        Callback::from(move |_: MouseEvent| {
            let (reload, path) = (reload.clone(), path.clone());
            spawn_local(async move {
                // One that is gone already is what was wanted.
                let _ = api::delete(&path).await;
                reload.emit(());
            });
        })
    };
    html! {
        <section aria-label={tell!("account.sessions")}>
            <h2>{ tell!("account.sessions") }</h2>
            { waiting(&sessions, &reload) }
            if let Loaded::Here(sessions) = &sessions {
                <ul class="rows" aria-label={tell!("account.sessions")}>
                    { for sessions.sessions.iter().map(|browser| html! {
                        <li key={browser.session.clone()} class="row">
                            <div class="row-what">
                                <span>{ &browser.browser }</span>
                                <span class="hint">{ tell!("account.session.used", when = when(browser.last_used)) }</span>
                            </div>
                            <div class="row-actions">
                                if browser.is_this {
                                    <span class="hint">{ tell!("account.session.this") }</span>
                                } else {
                                    <button type="button" class="plain" aria-label={tell!("account.session.end.name", browser = browser.browser)} onclick={end(browser)}>
                                        { tell!("account.session.end") }
                                    </button>
                                }
                            </div>
                        </li>
                    }) }
                </ul>
            }
        </section>
    }
}

#[component]
fn History() -> Html {
    let (audit, reload) = use_loaded::<Audit>("/audit");
    let further = use_state_eq(|| None::<Rc<Audit>>);
    let first = match &audit {
        Loaded::Here(audit) => Some(audit.clone()),
        _ => None,
    };
    let shown: Vec<AuditEntry> =
        first.iter().chain(further.as_ref()).flat_map(|page| page.entries.iter().cloned()).collect();
    let next = further.as_ref().or(first.as_ref()).and_then(|page| page.next.clone());
    let more = {
        let (further, so_far) = (further.clone(), (*further).clone());
        let next = next.clone().unwrap_or_default();
        Callback::from(move |_: MouseEvent| {
            let (further, so_far, path) = (further.setter(), so_far.clone(), format!("/audit?after={next}"));
            spawn_local(async move {
                if let Ok(page) = api::get::<Audit>(&path).await {
                    let before = so_far.iter().flat_map(|page| page.entries.clone());
                    let entries = before.chain(page.entries).collect();
                    further.set(Some(Rc::new(Audit { entries, next: page.next })));
                }
            });
        })
    };
    html! {
        <section aria-label={tell!("account.audit")}>
            <h2>{ tell!("account.audit") }</h2>
            { waiting(&audit, &reload) }
            <ul class="rows" aria-label={tell!("account.audit")}>
                { for shown.iter().map(|entry| html! {
                    <li class="row audit">
                        <code>{ &entry.action }</code>
                        <span class="hint">{ &entry.subject }</span>
                        <span class="hint">{ tell!("account.audit.by", actor = entry.actor) }</span>
                        <span class="hint">{ when(entry.created) }</span>
                    </li>
                }) }
            </ul>
            if next.is_some() {
                <button type="button" class="link" onclick={more}>{ tell!("more") }</button>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LeaveProps {
    onleave: Callback<()>,
}

#[component]
fn Leave(props: &LeaveProps) -> Html {
    let (said, password) = (use_state_eq(|| None::<Said>), use_node_ref());
    let export = {
        let said = said.setter();
        Callback::from(move |_: MouseEvent| {
            let said = said.clone();
            spawn_local(async move {
                match api::get::<Value>("/account/export").await {
                    Ok(all) => {
                        // A browser that keeps no files has said so itself.
                        let _ = page::download("embedenv-account.json", format!("{all:#}").as_bytes());
                    }
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
            });
        })
    };
    let leave = {
        let (said, password, onleave) = (said.setter(), password.clone(), props.onleave.clone());
        Callback::from(move |()| {
            let (said, password, onleave) = (said.clone(), typed(&password), onleave.clone());
            spawn_local(async move {
                match api::have(Method::DELETE, "/account", &json!({"password": password})).await {
                    Ok(()) => onleave.emit(()),
                    Err(refused) if refused.status == 403 => {
                        said.set(Some(Said::Failed(tell!("account.password.wrong").to_owned())))
                    }
                    Err(refused) => said.set(Some(Said::Failed(refused.text))),
                }
            });
        })
    };
    html! {
        <section aria-label={tell!("account.leave")}>
            <h2>{ tell!("account.leave") }</h2>
            <p class="hint">{ tell!("account.export.about") }</p>
            <button type="button" class="plain" onclick={export}>{ tell!("account.export") }</button>
            <p class="hint">{ tell!("account.leave.about") }</p>
            { notice(&said) }
            <div class="line">
                <Field id="leave-password" label={tell!("door.password")} kind="password" autocomplete="current-password" node={password} />
                <Sure
                    label={tell!("account.leave.close")} name={tell!("account.leave.close")}
                    question={tell!("account.leave.about")} onsure={leave}
                />
            </div>
        </section>
    }
}
