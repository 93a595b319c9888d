//! What an operator does: sees every account, grants credits, invites.

use std::rc::Rc;

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api;
use super::bodies::{Account, Accounts, Granted};
use super::parts::{Field, Loaded, Said, clear, notice, on_submit, typed, use_loaded, waiting};
use super::reckoning::whole;
use super::words::tell;

#[derive(Properties, PartialEq)]
pub(super) struct OperatorProps {
    /// Credits were granted, perhaps to oneself.
    pub(super) onchange: Callback<()>,
}

#[component]
pub(super) fn OperatorPage(props: &OperatorProps) -> Html {
    let (accounts, reload) = use_loaded::<Accounts>("/accounts?limit=100");
    let further = use_state_eq(|| None::<Rc<Accounts>>);
    let said = use_state_eq(|| None::<Said>);
    let email = use_node_ref();
    let invite = {
        let (said, email) = (said.setter(), email.clone());
        on_submit(move || {
            let (said, field, email) = (said.clone(), email.clone(), typed(&email));
            spawn_local(async move {
                said.set(Some(match api::have(Method::POST, "/invitations", &json!({"email": email})).await {
                    Ok(()) => {
                        clear(&[field]);
                        Said::Done(tell!("operator.invited", email = email))
                    }
                    Err(refused) => Said::Failed(refused.text),
                }));
            });
        })
    };
    let ongranted = {
        let (said, reload, onchange) = (said.setter(), reload.clone(), props.onchange.clone());
        Callback::from(move |outcome: Said| {
            said.set(Some(outcome));
            reload.emit(());
            onchange.emit(());
        })
    };
    let first = match &accounts {
        Loaded::Here(accounts) => Some(accounts.clone()),
        _ => None,
    };
    let shown: Vec<Account> =
        first.iter().chain(further.as_ref()).flat_map(|page| page.accounts.iter().cloned()).collect();
    let next = further.as_ref().or(first.as_ref()).and_then(|page| page.next.clone());
    let more = {
        let (further, so_far, next) = (further.clone(), (*further).clone(), next.clone().unwrap_or_default());
        Callback::from(move |_: MouseEvent| {
            let (further, so_far) = (further.setter(), so_far.clone());
            let path = format!("/accounts?limit=100&after={next}");
            spawn_local(async move {
                if let Ok(page) = api::get::<Accounts>(&path).await {
                    let before = so_far.iter().flat_map(|page| page.accounts.clone());
                    let accounts = before.chain(page.accounts).collect();
                    further.set(Some(Rc::new(Accounts { accounts, next: page.next })));
                }
            });
        })
    };
    html! {
        <>
            <section aria-label={tell!("operator.invite")}>
                <p class="hint">{ tell!("operator.invite.about") }</p>
                <form class="line" onsubmit={invite}>
                    <Field id="invite-email" label={tell!("door.email")} kind="email" required=true node={email} />
                    <button class="plain">{ tell!("operator.invite") }</button>
                </form>
            </section>
            { notice(&said) }
            <section aria-label={tell!("operator.accounts")}>
                <h2>{ tell!("operator.accounts") }</h2>
                { waiting(&accounts, &reload) }
                <ul class="rows" aria-label={tell!("operator.accounts")}>
                    { for shown.iter().map(|account| html! {
                        <One key={account.account.clone()} account={Rc::new(account.clone())} ongranted={ongranted.clone()} />
                    }) }
                </ul>
                if next.is_some() {
                    <button type="button" class="link" onclick={more}>{ tell!("more") }</button>
                }
            </section>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    account: Rc<Account>,
    ongranted: Callback<Said>,
}

#[component]
fn One(props: &OneProps) -> Html {
    let OneProps { account, ongranted } = props;
    let amount = use_node_ref();
    let grant = {
        let (account, amount, ongranted) = (account.clone(), amount.clone(), ongranted.clone());
        on_submit(move || {
            let (name, ongranted) = (account.name.clone(), ongranted.clone());
            let path = format!("/accounts/{}/grants", account.account);
            let (credits, field) = (whole(&typed(&amount)).unwrap_or(0), amount.clone());
            spawn_local(async move {
                ongranted.emit(match api::ask::<Granted>(Method::POST, &path, &json!({"credits": credits})).await {
                    Ok(granted) => {
                        // Sent once more it would be granted once more.
                        clear(&[field]);
                        Said::Done(tell!("operator.granted", name = name, credits = granted.credits))
                    }
                    Err(refused) => Said::Failed(refused.text),
                });
            });
        })
    };
    html! {
        <li class="row" aria-label={account.name.clone()}>
            <div class="row-what">
                <strong>{ &account.name }</strong>
                <span class="hint">{ account.email.clone().unwrap_or_else(|| account.account.clone()) }</span>
                if account.is_operator() { <span class="hint">{ tell!("nav.operator") }</span> }
            </div>
            <div class="row-figures"><span>{ account.credits }{ " " }{ tell!("credits") }</span></div>
            <form class="row-actions" onsubmit={grant}>
                <input type="number" min="1" max="1000000000" required=true ref={amount} aria-label={tell!("operator.amount", name = account.name)} />
                <button class="plain" aria-label={tell!("operator.grant.name", name = account.name)}>{ tell!("operator.grant") }</button>
            </form>
        </li>
    }
}
