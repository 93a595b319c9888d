//! The whole page: a cover until the room is joined, or when it can't be; the IDE from then on.

use std::rc::Rc;

use yew::prelude::*;

use super::alerts::alerts;
use super::cover::{boot, failure};
use super::ide::Ide;
use super::poster::Poster;
use crate::state::{Alert, Connection};
use crate::words::catalogue;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct AppProps {
    pub(crate) workbench: Workbench,
}

#[component]
pub(crate) fn App(props: &AppProps) -> Html {
    let workbench = &props.workbench;
    let update = use_force_update();
    use_effect_with(workbench.clone(), move |workbench| {
        workbench.draw_with(Callback::from(move |()| update.force_update()));
        // What happened before there was anything to draw.
        workbench.redraw_now();
    });
    let state = workbench.state();
    let joined = state.me.is_some();
    let cover = match &state.connection {
        // What was typed and not sent yet stays behind it, to be kept.
        Connection::Failed(notice) => failure(workbench, notice, &state.files),
        Connection::JoiningAgain(notice) if !joined => boot(Some(notice)),
        _ if state.is_asleep => {
            html! { <Poster workbench={workbench.clone()} embed={state.embed.clone().unwrap_or_default()} /> }
        }
        _ if !joined => boot(None),
        _ => html! {},
    };
    let failed = matches!(state.connection, Connection::Failed(_));
    html! {
        <ContextProvider<Rc<Vec<Alert>>> context={state.alerts.clone()}>
            { cover }
            if joined {
                <Ide key={catalogue::spoken().0} workbench={workbench.clone()} state={Rc::new(state.clone())} hidden={failed} />
            }
            // An open dialog has them within it: it takes the keyboard and the pointer from what is outside.
            if state.dialog.is_none() {
                { alerts(workbench, &state.alerts) }
            }
        </ContextProvider<Rc<Vec<Alert>>>>
    }
}
