//! What covers the page: loading, and what went wrong for good.

use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::files::Files;
use crate::words::Notice;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Until the room is joined: the page's own loading state goes on.
pub(crate) fn boot(notice: Option<&Notice>) -> Html {
    let text = match notice {
        None => say!("boot.joining").to_owned(),
        Some(notice) => say!("boot.notice", title = notice.title, text = notice.text),
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

/// What happened, what is safe, what to do.
pub(crate) fn failure(workbench: &Workbench, notice: &Notice, files: &Files) -> Html {
    let again = Callback::from(|_: MouseEvent| page::reload());
    let copies = files.open.iter().filter(|file| file.unsaved).map(|file| {
        let (workbench, id) = (workbench.clone(), file.id);
        let keep = Callback::from(move |_: MouseEvent| workbench.keep_copy(id));
        html! { <button onclick={keep}>{ say!("failure.keep", name = file.name()) }</button> }
    });
    html! {
        <main class="failure" role="alert">
            <Icon name={IconName::AlertTriangle} />
            <h1>{ &notice.title }</h1>
            <p>{ &notice.text }</p>
            { for copies }
            <div class="failure-actions">
                <button class="primary" onclick={again}>{ notice.again }</button>
                <CopyDetails workbench={workbench.clone()} text={say!("boot.notice", title = notice.title, text = notice.text)} />
            </div>
        </main>
    }
}
