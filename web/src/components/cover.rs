//! What covers the page: loading, and what went wrong for good.

use std::rc::Rc;

use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::files::Files;
use crate::words::Notice;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct BootProps {
    #[prop_or_default]
    pub(crate) notice: Option<Notice>,
}

/// Until the room is joined: the page's own loading state goes on.
#[component]
pub(crate) fn Boot(props: &BootProps) -> Html {
    let text = match &props.notice {
        None => "Joining the room".to_owned(),
        Some(notice) => format!("{}. {}", notice.title, notice.text),
    };
    html! {
        <main class="boot">
            <img src="/favicon.svg" alt="" width="40" height="40" />
            <h1>{ "Embedenv" }</h1>
            <div class="boot-line"></div>
            <p role="status">{ text }</p>
        </main>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct FailureProps {
    pub(crate) workbench: Workbench,
    pub(crate) notice: Notice,
    pub(crate) files: Rc<Files>,
}

/// What happened, what is safe, what to do.
#[component]
pub(crate) fn Failure(props: &FailureProps) -> Html {
    let again = Callback::from(|_: MouseEvent| page::reload());
    let copies = props.files.open.iter().filter(|file| file.unsaved).map(|file| {
        let (workbench, id) = (props.workbench.clone(), file.id);
        let keep = Callback::from(move |_: MouseEvent| workbench.keep_copy(id));
        html! { <button onclick={keep}>{ format!("Keep a copy of {}", file.name()) }</button> }
    });
    html! {
        <main class="failure" role="alert">
            <Icon name={IconName::AlertTriangle} />
            <h1>{ &props.notice.title }</h1>
            <p>{ &props.notice.text }</p>
            { for copies }
            <button class="primary" onclick={again}>{ props.notice.again }</button>
        </main>
    }
}
