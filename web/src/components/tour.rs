//! The tour's card: in a corner, over nothing that it takes from the mouse or the keyboard. What it points at is marked by
//! the style sheet, from `data-tour` of the page.

use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::state::tour::{CARDS, Tour};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn tour_card(workbench: &Workbench, tour: Tour) -> Html {
    let stepping = |forwards: bool| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.step_tour(forwards))
    };
    let end = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.end_tour())
    };
    let onkeydown = {
        let workbench = workbench.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.stop_propagation();
                workbench.end_tour();
            }
        })
    };
    let (card, is_first) = (tour.card(), tour.at == 0);
    let next = match (is_first, tour.is_last()) {
        (true, _) => say!("tour.start"),
        (false, true) => say!("tour.done"),
        (false, false) => say!("tour.next"),
    };
    html! {
        <section class="tour" aria-label={say!("tour.name")} {onkeydown}>
            <div class="tour-text" aria-live="polite">
                <h2>{ card.title() }</h2>
                <p>{ card.text() }</p>
            </div>
            <div class="tour-actions">
                if !is_first {
                    <span class="hint">{ say!("tour.step", at = tour.at, of = CARDS.len() - 1) }</span>
                }
                <span class="spacer"></span>
                if !tour.is_last() {
                    <button onclick={end.clone()}>{ say!("tour.skip") }</button>
                }
                if tour.at > 1 {
                    <button class="icon-button" aria-label={say!("tour.back")} title={say!("tour.back")} onclick={stepping(false)}>
                        <Icon name={IconName::ChevronLeft} />
                    </button>
                }
                <button class="primary" onclick={stepping(true)}>{ next }</button>
            </div>
        </section>
    }
}
