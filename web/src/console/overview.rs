//! How the account stands: what is left, what was spent by day and by pair, what to do first.

use std::rc::Rc;

use yew::prelude::*;

use super::bodies::{Account, Keys, Rooms, Usage};
use super::parts::{Loaded, day, figure, use_loaded, waiting};
use super::reckoning::{Section, by_day, by_key};
use super::words::tell;
use crate::interop::page;

const DAYS: usize = 30;

#[derive(Properties, PartialEq)]
pub(super) struct OverviewProps {
    pub(super) account: Rc<Account>,
    pub(super) go: Callback<Section>,
}

#[component]
pub(super) fn Overview(props: &OverviewProps) -> Html {
    let (usage, reload) = use_loaded::<Usage>("/usage?days=30");
    let (keys, _) = use_loaded::<Keys>("/keys");
    let (rooms, _) = use_loaded::<Rooms>("/rooms?limit=100");
    let Loaded::Here(usage) = &usage else { return waiting(&usage, &reload) };
    let days = by_day(usage, DAYS, page::now() as u64);
    let today = days.last().map_or(0, |(_, spent)| *spent);
    let month: i64 = days.iter().map(|(_, spent)| spent).sum();
    let live = match &rooms {
        Loaded::Here(rooms) if rooms.next.is_some() => format!("{}+", rooms.rooms.len()),
        Loaded::Here(rooms) => rooms.rooms.len().to_string(),
        _ => "…".to_owned(),
    };
    let is_new = matches!(&keys, Loaded::Here(keys) if keys.keys.is_empty());
    let name = |public_key: &str| match &keys {
        Loaded::Here(keys) => {
            let known = keys.keys.iter().find(|key| key.public_key == public_key);
            known.map_or_else(|| tell!("overview.console").to_owned(), |key| key.name.clone())
        }
        _ => public_key.to_owned(),
    };
    let go = |section: Section| props.go.reform(move |_: MouseEvent| section);
    html! {
        <>
            <dl class="figures">
                { figure(props.account.credits.to_string(), tell!("overview.left")) }
                { figure(today.to_string(), tell!("overview.today")) }
                { figure(month.to_string(), tell!("overview.month")) }
                { figure(live, tell!("overview.rooms")) }
            </dl>
            if is_new {
                <section>
                    <h2>{ tell!("overview.start") }</h2>
                    <ol class="steps">
                        <li>
                            <button type="button" class="link" onclick={go(Section::Keys)}>{ tell!("overview.start.key") }</button>
                            <p class="hint">{ tell!("overview.start.key.about") }</p>
                        </li>
                        <li>
                            <button type="button" class="link" onclick={go(Section::Rooms)}>{ tell!("overview.start.room") }</button>
                            <p class="hint">{ tell!("overview.start.room.about") }</p>
                        </li>
                        <li>
                            <button type="button" class="link" onclick={go(Section::Widgets)}>{ tell!("overview.start.widget") }</button>
                            <p class="hint">{ tell!("overview.start.widget.about") }</p>
                        </li>
                    </ol>
                </section>
            }
            <section>
                <h2>{ tell!("overview.usage") }</h2>
                if month == 0 {
                    <p class="hint">{ tell!("overview.usage.none") }</p>
                } else {
                    { chart(&days) }
                }
            </section>
            if month != 0 {
                <section>
                    <h2>{ tell!("overview.by-key") }</h2>
                    <ul class="shares">
                        { for by_key(&usage.days).iter().map(|(key, spent)| html! {
                            <li key={key.clone()}>
                                <span>{ name(key) }</span>
                                <meter min="0" max={month.to_string()} value={spent.to_string()} aria-label={name(key)} />
                                <span>{ spent }</span>
                            </li>
                        }) }
                    </ul>
                </section>
            }
        </>
    }
}

/// A bar for each day; the highest fills the height.
fn chart(days: &[(u64, i64)]) -> Html {
    const WIDTH: usize = 20;
    const HEIGHT: i64 = 120;
    let most = days.iter().map(|(_, spent)| *spent).max().unwrap_or(0).max(1);
    let bars = days.iter().enumerate().map(|(at, (began, spent))| {
        let height = (spent.max(&0) * HEIGHT / most).max(i64::from(*spent > 0));
        html! {
            <rect class="bar" x={(at * WIDTH + 2).to_string()} y={(HEIGHT - height).to_string()} width={(WIDTH - 4).to_string()} height={height.to_string()} rx="2">
                <title>{ tell!("overview.usage.day", day = day(*began), spent = spent) }</title>
            </rect>
        }
    });
    let ends = [days.first(), days.last()].map(|end| end.map(|(began, _)| day(*began)).unwrap_or_default());
    html! {
        <figure class="chart">
            <span class="chart-most">{ most }</span>
            <svg viewBox={format!("0 0 {} {HEIGHT}", days.len() * WIDTH)} role="img" aria-label={tell!("overview.usage")} preserveAspectRatio="none">
                { for bars }
            </svg>
            <figcaption><span>{ &ends[0] }</span><span>{ &ends[1] }</span></figcaption>
        </figure>
    }
}
