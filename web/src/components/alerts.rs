//! Messages, each until it is closed.

use std::rc::Rc;

use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::state::{Action, Alert};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct AlertsProps {
    pub(crate) workbench: Workbench,
    pub(crate) alerts: Rc<Vec<Alert>>,
}

#[component]
pub(crate) fn Alerts(props: &AlertsProps) -> Html {
    let alerts = props.alerts.iter().map(|alert| {
        let (workbench, number) = (props.workbench.clone(), alert.number);
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
