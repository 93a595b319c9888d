//! What there is for who is not logged in: log in, sign up, a forgotten password, and what links from mails bring.

use std::rc::Rc;

use gloo_net::http::Method;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::api::{self, Refused};
use super::bodies::{Door, Session};
use super::parts::{Field, Said, notice, on_submit, typed};
use super::reckoning::Errand;
use super::words::tell;

#[derive(Properties, PartialEq)]
pub(super) struct DoorProps {
    pub(super) door: Rc<Door>,
    #[prop_or_default]
    pub(super) errand: Option<Errand>,
    pub(super) onenter: Callback<Session>,
}

#[derive(Debug, Clone, PartialEq)]
enum Way {
    LogIn,
    SignUp(Option<String>),
    Forgot,
    Reset(String),
    Operator(String),
    Confirm(String),
}

#[component]
pub(super) fn DoorPage(props: &DoorProps) -> Html {
    let DoorProps { door, errand, onenter } = props;
    let way = use_state_eq({
        let errand = errand.clone();
        move || match errand {
            Some(Errand::Confirm(token)) => Way::Confirm(token),
            Some(Errand::Reset(token)) => Way::Reset(token),
            Some(Errand::Invitation(token)) => Way::SignUp(Some(token)),
            Some(Errand::Operator(code)) => Way::Operator(code),
            None => Way::LogIn,
        }
    });
    let (said, busy) = (use_state_eq(|| None::<Said>), use_state_eq(|| false));
    let (name, email, password) = (use_node_ref(), use_node_ref(), use_node_ref());
    let go = |to: Way| {
        let (way, said) = (way.setter(), said.setter());
        Callback::from(move |_: MouseEvent| {
            said.set(None);
            way.set(to.clone());
        })
    };
    use_effect_with((*way).clone(), {
        let (said, onenter) = (said.setter(), onenter.clone());
        move |way| {
            if let Way::Confirm(token) = way.clone() {
                spawn_local(async move {
                    let outcome = api::ask(Method::POST, "/sign-ups/confirmations", &json!({"token": token})).await;
                    enter(outcome, tell!("door.token"), &onenter, &said);
                });
            }
        }
    });
    let submit = {
        let (way, said, busy, onenter) = (way.clone(), said.setter(), busy.setter(), onenter.clone());
        let (name, email, password) = (name.clone(), email.clone(), password.clone());
        on_submit(move || {
            let (way, said, busy, onenter) = ((*way).clone(), said.clone(), busy.clone(), onenter.clone());
            let (name, email, password) = (typed(&name), typed(&email), typed(&password));
            busy.set(true);
            spawn_local(async move {
                attempt(way, &name, &email, &password, &onenter, &said).await;
                busy.set(false);
            });
        })
    };
    let title = match &*way {
        Way::LogIn => tell!("door.log-in"),
        Way::SignUp(_) | Way::Confirm(_) => tell!("door.sign-up"),
        Way::Forgot | Way::Reset(_) => tell!("door.reset"),
        Way::Operator(_) => tell!("door.operator"),
    };
    let action = match &*way {
        Way::LogIn => tell!("door.log-in"),
        Way::SignUp(_) => tell!("door.sign-up"),
        Way::Forgot => tell!("door.forgot.send"),
        Way::Reset(_) => tell!("door.reset.set"),
        Way::Operator(_) => tell!("door.operator.create"),
        Way::Confirm(_) => "",
    };
    let asks_name = matches!(&*way, Way::SignUp(_) | Way::Operator(_));
    let asks_email = !matches!(&*way, Way::Reset(_) | Way::Confirm(_));
    let asks_password = !matches!(&*way, Way::Forgot | Way::Confirm(_));
    let is_new = !matches!(&*way, Way::LogIn);
    html! {
        <main class="door">
            <div class="card">
                <img src="/favicon.svg" alt="" width="32" height="32" />
                <h1>{ title }</h1>
                if matches!(&*way, Way::Operator(_)) { <p class="hint">{ tell!("door.operator.about") }</p> }
                if matches!(&*way, Way::SignUp(Some(_))) { <p class="hint">{ tell!("door.invited") }</p> }
                if matches!(&*way, Way::Forgot) { <p class="hint">{ tell!("door.forgot.about") }</p> }
                if matches!(&*way, Way::Confirm(_)) && said.is_none() { <p role="status">{ tell!("door.confirming") }</p> }
                { notice(&said) }
                if !action.is_empty() {
                    // Another form is another one to the browser's memory of passwords, too.
                    <form key={action} onsubmit={submit}>
                        if asks_name {
                            <Field id="door-name" label={tell!("door.name")} autocomplete="name" required=true autofocus=true node={name} />
                        }
                        if asks_email {
                            <Field id="door-email" label={tell!("door.email")} kind="email" autocomplete="username" required=true autofocus={!asks_name} node={email} />
                        }
                        if asks_password {
                            <Field
                                id="door-password" label={tell!("door.password")} kind="password" required=true node={password}
                                autocomplete={if is_new { "new-password" } else { "current-password" }}
                                hint={is_new.then(|| AttrValue::from(tell!("door.password.hint")))}
                            />
                        }
                        <button class="primary" disabled={*busy}>{ action }</button>
                    </form>
                }
                <p class="door-ways">
                    if *way == Way::LogIn {
                        if door.sign_up == "open" {
                            <button type="button" class="link" onclick={go(Way::SignUp(None))}>{ tell!("door.sign-up") }</button>
                        } else if door.sign_up == "invitation" {
                            <span class="hint">{ tell!("door.closed") }</span>
                        }
                        <button type="button" class="link" onclick={go(Way::Forgot)}>{ tell!("door.forgot") }</button>
                    } else {
                        <button type="button" class="link" onclick={go(Way::LogIn)}>{ tell!("door.back") }</button>
                    }
                </p>
            </div>
        </main>
    }
}

async fn attempt(
    way: Way,
    name: &str,
    email: &str,
    password: &str,
    onenter: &Callback<Session>,
    said: &UseStateSetter<Option<Said>>,
) {
    let wrong = if way == Way::LogIn { tell!("door.wrong") } else { tell!("door.token") };
    let entered = match way {
        Way::LogIn => api::ask(Method::POST, "/sessions", &json!({"email": email, "password": password})).await,
        Way::Reset(token) => {
            let body = json!({"token": token, "password": password});
            api::ask(Method::POST, "/password-resets/confirmations", &body).await
        }
        Way::Operator(code) => {
            let body = json!({"code": code, "name": name, "email": email, "password": password});
            api::ask(Method::POST, "/operators", &body).await
        }
        Way::SignUp(invitation) => {
            let mut body = json!({"name": name, "email": email, "password": password});
            if let Some(invitation) = invitation {
                body["invitation"] = invitation.into();
            }
            return mailed(api::have(Method::POST, "/sign-ups", &body).await, email, said);
        }
        Way::Forgot => {
            return mailed(api::have(Method::POST, "/password-resets", &json!({"email": email})).await, email, said);
        }
        Way::Confirm(_) => return,
    };
    enter(entered, wrong, onenter, said);
}

/// Lets somebody in, or says why not: `wrong`, if what they had to show was not right.
fn enter(
    outcome: Result<Session, Refused>,
    wrong: &str,
    onenter: &Callback<Session>,
    said: &UseStateSetter<Option<Said>>,
) {
    match outcome {
        Ok(session) => onenter.emit(session),
        Err(Refused { status: 401, .. }) => said.set(Some(Said::Failed(wrong.to_owned()))),
        Err(refused) => said.set(Some(Said::Failed(refused.text))),
    }
}

fn mailed(outcome: Result<(), Refused>, email: &str, said: &UseStateSetter<Option<Said>>) {
    said.set(Some(match outcome {
        Ok(()) => Said::Done(tell!("door.mailed", email = email)),
        Err(refused) => Said::Failed(refused.text),
    }));
}
