//! How the shown file is indented, in the line below, and the choice of another way.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::state::editing::{Indentation, TAB_SIZES};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct IndentationProps {
    pub(crate) workbench: Workbench,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn IndentationChoice(props: &IndentationProps) -> Html {
    let IndentationProps { workbench, works } = props;
    let shown = use_state_eq(|| workbench.indentation.get());
    use_effect_with(workbench.clone(), {
        let set = shown.setter();
        move |workbench| {
            set.set(workbench.indentation.get());
            workbench.indentation.listen(Some(Callback::from(move |shown| set.set(shown))));
            let workbench = workbench.clone();
            move || workbench.indentation.listen(None)
        }
    });
    let Some(now) = *shown else { return html! {} };
    let choices = || [false, true].into_iter().flat_map(|tabs| TAB_SIZES.map(|size| Indentation { tabs, size }));
    let onchange = {
        let workbench = workbench.clone();
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            let chosen = choices().find(|choice| choice.words() == select.value());
            workbench.indent_shown(chosen.map(|Indentation { tabs, size }| (tabs, size)));
        })
    };
    let is_odd = !choices().any(|choice| choice == now);
    let option = |choice: Indentation| {
        html! { <option value={choice.words()} selected={choice == now}>{ choice.words() }</option> }
    };
    html! {
        <select
            key={now.words()}
            class="indentation"
            aria-label={say!("indentation.name")}
            title={say!("indentation.about")}
            disabled={!works}
            {onchange}
        >
            if is_odd {
                { option(now) }
            }
            { for choices().map(option) }
            <option value="">{ say!("indentation.by-text") }</option>
        </select>
    }
}
