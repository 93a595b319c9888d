//! The line below: the connection, the sandbox, ports, where the cursor is and in what.

use std::rc::Rc;

use embedenv_shared::frame::SandboxState;
use embedenv_shared::path::WorkspacePath;
use yew::prelude::*;

use super::ports::Ports;
use super::position::Position;
use crate::state::{Connection, Sandbox};
use crate::words;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct StatusBarProps {
    pub(crate) workbench: Workbench,
    pub(crate) connection: Connection,
    pub(crate) sandbox: Sandbox,
    pub(crate) file: Option<WorkspacePath>,
    pub(crate) ports: Rc<Vec<u16>>,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn StatusBar(props: &StatusBarProps) -> Html {
    let (state, text) = match props.connection {
        Connection::Connected => ("connected", "Connected"),
        Connection::Offline | Connection::Failed(_) => ("offline", "Offline"),
        Connection::Joining | Connection::JoiningAgain(_) | Connection::Reconnecting => {
            ("reconnecting", "Reconnecting")
        }
    };
    let sandbox = match props.sandbox.state {
        SandboxState::Ready => "",
        SandboxState::Starting => "Sandbox starts",
        SandboxState::Gone => "Sandbox has ended",
    };
    html! {
        <footer class="statusbar">
            <span class="connection" role="status" data-state={state}>{ text }</span>
            if !props.works {
                <span>{ "Read-only" }</span>
            }
            if !sandbox.is_empty() {
                <span class="sandbox-state">{ sandbox }</span>
            }
            <Ports workbench={props.workbench.clone()} ports={props.ports.clone()} />
            <span class="spacer"></span>
            if let Some(name) = props.file.as_ref().and_then(WorkspacePath::name) {
                <Position workbench={props.workbench.clone()} />
                <span class="language">{ words::language(name) }</span>
            }
        </footer>
    }
}
