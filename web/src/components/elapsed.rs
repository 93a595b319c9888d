//! How long something has been running. It alone is drawn again each second.

use gloo_timers::callback::Interval;
use yew::prelude::*;

use crate::interop::page;
use crate::words;

/// How often it is drawn, in milliseconds.
const TICK: u32 = 1_000;

#[derive(Properties, PartialEq)]
pub(crate) struct ElapsedProps {
    /// In milliseconds since 1970.
    pub(crate) began: u64,
}

#[component]
pub(crate) fn Elapsed(props: &ElapsedProps) -> Html {
    let update = use_force_update();
    use_effect_with((), move |()| {
        let ticking = Interval::new(TICK, move || update.force_update());
        move || drop(ticking)
    });
    let seconds = (page::now() as u64).saturating_sub(props.began) / 1000;
    // A screen reader is told of the end, not of each second.
    html! { <span aria-hidden="true">{ if seconds < 60 { format!("{seconds} s") } else { words::duration(seconds * 1000) } }</span> }
}
