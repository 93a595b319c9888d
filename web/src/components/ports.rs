//! The ports on which something in the sandbox listens.

use embedenv_shared::frame::Listener;
use yew::prelude::*;

use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn ports(workbench: &Workbench, listeners: &[Listener]) -> Html {
    let ports = listeners.iter().map(|listener| {
        let workbench = workbench.clone();
        let port = listener.port;
        let open = Callback::from(move |_: MouseEvent| workbench.open_port(port));
        html! {
            <li key={port} class="port" aria-label={port.to_string()}>
                <button title={say!("ports.listens", program = listener.program.as_deref().unwrap_or(say!("ports.something")), port = port)} onclick={open}>{ port }</button>
            </li>
        }
    });
    html! { <ul class="ports" aria-label={say!("panel.ports")} data-name={say!("panel.ports")}>{ for ports }</ul> }
}
