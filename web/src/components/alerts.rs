//! Messages, each until it is closed or what it says is over.

use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::state::{Action, Alert};
use crate::workbench::Workbench;

pub(crate) fn alerts(workbench: &Workbench, alerts: &[Alert]) -> Html {
    let alerts = alerts.iter().map(|alert| {
        let (workbench, number) = (workbench.clone(), alert.number);
        let close = Callback::from(move |_: MouseEvent| workbench.dispatch(Action::CloseAlert(number)));
        html! {
            <div key={number} class="alert" role="alert">
                <Icon name={IconName::AlertTriangle} />
                <span class="alert-text">{ &alert.text }</span>
                <button class="icon-button" aria-label="Dismiss" onclick={close}><Icon name={IconName::X} /></button>
            </div>
        }
    });
    html! { <div class="alerts">{ for alerts }</div> }
}
