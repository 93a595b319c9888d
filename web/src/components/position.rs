//! Line and column of the cursor. Draws itself alone, since it changes with every key.

use yew::prelude::*;

use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct PositionProps {
    pub(crate) workbench: Workbench,
}

#[component]
pub(crate) fn Position(props: &PositionProps) -> Html {
    let position = use_state_eq(|| props.workbench.cursor.get());
    use_effect_with(props.workbench.clone(), {
        let set = position.setter();
        move |workbench| {
            workbench.cursor.listen(Some(Callback::from(move |at| set.set(at))));
            let workbench = workbench.clone();
            move || workbench.cursor.listen(None)
        }
    });
    let (line, column) = *position;
    html! { <span class="position">{ say!("status.position", line = line, column = column) }</span> }
}
