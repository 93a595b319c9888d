//! The pane at the right for what programs serve: the page itself, or a request and its answer. Each is a component of its
//! own; this one chooses.

use std::rc::Rc;

use embedenv_shared::frame::Listener;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::preview_page::PreviewPage;
use super::request_form::RequestForm;
use crate::state::preview::Wish;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct PreviewProps {
    pub(crate) workbench: Workbench,
    pub(crate) listeners: Rc<Vec<Listener>>,
    /// The port that was opened last.
    pub(crate) port: u16,
    /// Where it was told to go.
    pub(crate) wish: Option<Rc<Wish>>,
    /// Who only watches sends no requests.
    pub(crate) works: bool,
}

#[component]
pub(crate) fn Preview(props: &PreviewProps) -> Html {
    let PreviewProps { workbench, listeners, port, wish, works } = props;
    let asks = use_state_eq(|| false);
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.toggle_preview())
    };
    let view = |is: bool, text: &'static str| {
        let setter = asks.setter();
        let choose = Callback::from(move |_: MouseEvent| setter.set(is));
        html! { <button class="view-choice" aria-pressed={(*asks == is).to_string()} onclick={choose}>{ text }</button> }
    };
    html! {
        <section class="aside preview-pane" role="region" aria-label={say!("preview.title")}>
            <div class="side-head">
                <h2>{ say!("preview.title") }</h2>
                if *works {
                    <div class="view-choices" role="group" aria-label={say!("preview.views")}>
                        { view(false, say!("preview.page")) }
                        { view(true, say!("preview.request")) }
                    </div>
                }
                <button class="icon-button" aria-label={say!("preview.close")} title={say!("preview.close")} onclick={close}><Icon name={IconName::X} /></button>
            </div>
            if *asks && *works {
                <RequestForm workbench={workbench.clone()} listeners={listeners.clone()} port={*port} />
            } else {
                <PreviewPage workbench={workbench.clone()} listeners={listeners.clone()} port={*port} wish={wish.clone()} works={*works} />
            }
        </section>
    }
}
