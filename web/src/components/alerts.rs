//! Messages, each until it is closed or what it says is over: with a way out, where there is one, and their details.

use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use crate::state::{Action, Alert};
use crate::words::catalogue::say;
use crate::workbench::{Way, Workbench};

pub(crate) fn alerts(workbench: &Workbench, alerts: &[Alert]) -> Html {
    let alerts = alerts.iter().map(|alert| one(workbench, alert));
    html! { <div class="alerts">{ for alerts }</div> }
}

fn one(workbench: &Workbench, alert: &Alert) -> Html {
    let number = alert.number;
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::CloseAlert(number)))
    };
    let way = workbench.way_out(alert.failure.as_ref()).map(|way| {
        let workbench = workbench.clone();
        let take = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::CloseAlert(number));
            workbench.take_way(way);
        });
        let text = match way {
            Way::StartSandbox => say!("alert.start-sandbox"),
            Way::ConnectNow => say!("alert.connect-now"),
        };
        html! { <button class="plain" onclick={take}>{ text }</button> }
    });
    html! {
        <div key={number} class="alert" role="alert">
            <Icon name={IconName::AlertTriangle} />
            <div class="alert-text">
                <p>{ &alert.text }</p>
                <div class="alert-actions">
                    { way }
                    <CopyDetails workbench={workbench.clone()} text={alert.text.clone()} failure={alert.failure.clone()} />
                </div>
            </div>
            <button class="icon-button" aria-label={say!("alert.dismiss")} onclick={close}><Icon name={IconName::X} /></button>
        </div>
    }
}
