//! The ports on which something in the sandbox listens.

use std::rc::Rc;

use yew::prelude::*;

use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct PortsProps {
    pub(crate) workbench: Workbench,
    pub(crate) ports: Rc<Vec<u16>>,
}

#[component]
pub(crate) fn Ports(props: &PortsProps) -> Html {
    let ports = props.ports.iter().map(|port| {
        let workbench = props.workbench.clone();
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
