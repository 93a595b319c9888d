//! The ports on which something in the sandbox listens.

use yew::prelude::*;

use crate::workbench::Workbench;

pub(crate) fn ports(workbench: &Workbench, ports: &[u16]) -> Html {
    let ports = ports.iter().map(|port| {
        let workbench = workbench.clone();
        let port = *port;
        let open = Callback::from(move |_: MouseEvent| workbench.preview_port(port));
        html! {
            <li key={port} class="port" aria-label={port.to_string()}>
                <button title={format!("Something listens on port {port}")} onclick={open}>{ port }</button>
            </li>
        }
    });
    html! { <ul class="ports" aria-label="Ports">{ for ports }</ul> }
}
