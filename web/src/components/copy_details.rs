//! The button on every failure that copies what whoever is asked for help needs to know.

use embedenv_shared::code::Failure;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct CopyDetailsProps {
    pub(crate) workbench: Workbench,
    /// What the failure says to the person.
    pub(crate) text: AttrValue,
    /// What the server said.
    #[prop_or_default]
    pub(crate) failure: Option<Failure>,
    /// When it failed, in milliseconds since 1970; without it, it is as old as this button.
    #[prop_or_default]
    pub(crate) since: Option<f64>,
}

/// What the button has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    NotYet,
    Done,
    /// The browser takes nothing into the clipboard: the text is shown, to be copied by hand.
    Refused,
}

#[component]
pub(crate) fn CopyDetails(props: &CopyDetailsProps) -> Html {
    let CopyDetailsProps { workbench, text, failure, since } = props;
    let copied = use_state_eq(|| Copied::NotYet);
    let made = *use_memo((), |()| page::now());
    let since = since.unwrap_or(made);
    let details = workbench.details(text, failure.as_ref(), since);
    let copy = {
        let (copied, details) = (copied.setter(), details.clone());
        Callback::from(move |_: MouseEvent| {
            let (copied, details) = (copied.clone(), details.clone());
            spawn_local(async move {
                let is_done = page::copy(&details).await;
                copied.set(if is_done { Copied::Done } else { Copied::Refused });
            });
        })
    };
    let is_done = *copied == Copied::Done;
    html! {
        <>
            <button class="plain" onclick={copy}>
                <Icon name={if is_done { IconName::Check } else { IconName::Copy }} />
                { if is_done { say!("details.copied") } else { say!("details.copy") } }
            </button>
            if *copied == Copied::Refused {
                <textarea class="details-text" readonly=true aria-label={say!("details.name")} rows="6" value={details} />
            }
        </>
    }
}
