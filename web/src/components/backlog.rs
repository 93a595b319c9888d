//! What waits while there is no connection, and since when.

use yew::prelude::*;

use crate::words;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct BacklogProps {
    pub(crate) workbench: Workbench,
    pub(crate) since: String,
    /// Files with edits that wait.
    pub(crate) files: usize,
}

#[component]
pub(crate) fn Backlog(props: &BacklogProps) -> Html {
    let BacklogProps { workbench, since, files } = props;
    let commands = use_state(|| workbench.connection.backlog().get());
    use_effect_with(workbench.clone(), {
        let commands = commands.clone();
        move |workbench| {
            commands.set(workbench.connection.backlog().get());
            workbench.connection.backlog().listen(Some(Callback::from(move |count| commands.set(count))));
            let workbench = workbench.clone();
            move || workbench.connection.backlog().listen(None)
        }
    });
    html! { <span class="backlog">{ words::away(since, *files, *commands) }</span> }
}
