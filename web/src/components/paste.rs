//! Asks before several lines are pasted into a terminal, and shows them.

use embedenv_shared::id::SessionId;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::Dialog;
use crate::state::Action;
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

/// Characters of what is to be pasted that are shown; what is pasted is all of it.
const SHOWN: usize = 4000;

#[derive(Properties, PartialEq)]
pub(crate) struct PasteProps {
    pub(crate) workbench: Workbench,
    pub(crate) terminal: SessionId,
    pub(crate) text: String,
}

#[component]
pub(crate) fn Paste(props: &PasteProps) -> Html {
    let PasteProps { workbench, terminal, text } = props;
    let always = use_node_ref();
    let cancel = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(None)))
    };
    let paste = {
        let (workbench, terminal, text, always) = (workbench.clone(), *terminal, text.clone(), always.clone());
        Callback::from(move |_: MouseEvent| {
            let always = always.cast::<HtmlInputElement>().is_some_and(|always| always.checked());
            workbench.paste_anyway(terminal, &text, always);
        })
    };
    let lines = text.trim_end().lines().count();
    let shown: String = text.chars().take(SHOWN).collect();
    let is_cut = shown.len() < text.len();
    let foot = html! {
        <>
            <button class="plain" onclick={cancel}>{ say!("dialog.cancel") }</button>
            <button class="primary" data-first="true" onclick={paste}>{ say!("paste") }</button>
        </>
    };
    html! {
        <Dialog
            workbench={workbench.clone()}
            name={say!("paste")}
            title={AttrValue::from(count!("paste.title", lines))}
            {foot}
        >
            <p>{ say!("paste.about") }</p>
            <pre class="paste-text" tabindex="0" aria-label={say!("paste.lines")}>{ shown }{ if is_cut { "\n…" } else { "" } }</pre>
            <label class="check"><input type="checkbox" ref={always} />{ " " }{ say!("paste.always") }</label>
        </Dialog>
    }
}
