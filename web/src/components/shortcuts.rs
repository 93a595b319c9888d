//! Which keys do what: every command with its keys, found by words or by pressing keys, and changed by pressing others.

use std::rc::Rc;

use web_sys::{HtmlInputElement, InputEvent};
use yew::prelude::*;

use super::dialog::Dialog;
use super::icon::{Icon, IconName};
use crate::state::commands::Entry;
use crate::state::keys::{Choices, Chord, Keymap, Stroke};
use crate::state::settings::Settings;
use crate::state::shortcuts::{self, Line, Sought, lines, place_name};
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct ShortcutsProps {
    pub(crate) workbench: Workbench,
    pub(crate) settings: Rc<Settings>,
}

/// What the keys that are pressed are for.
#[derive(Debug, Clone, PartialEq)]
enum Listening {
    No,
    /// Commands with these keys are looked for.
    Search,
    /// They are to be a command's, in place of one of its own.
    Change(Change),
}

#[derive(Debug, Clone, PartialEq)]
struct Change {
    entry: &'static Entry,
    instead: Option<Chord>,
    strokes: Vec<Stroke>,
    /// All is pressed, and others have these keys.
    is_asking: bool,
}

#[component]
pub(crate) fn Shortcuts(props: &ShortcutsProps) -> Html {
    let ShortcutsProps { workbench, settings } = props;
    let sought = use_state_eq(|| Sought::Typed(String::new()));
    let listening = use_state_eq(|| Listening::No);
    let keymap = workbench.state().keymap.clone();
    let choose = {
        let workbench = workbench.clone();
        move |keys: Choices| {
            let settings = (*workbench.state().settings).clone();
            workbench.set(Settings { keys, ..settings });
        }
    };
    // Every key goes to whoever listens, and nowhere else, until Enter or Escape.
    use_effect_with((*listening).clone(), {
        let (workbench, setter, sought) = (workbench.clone(), listening.clone(), sought.clone());
        let (choose, choices) = (choose.clone(), settings.keys.clone());
        move |listening| {
            let hear: Option<Callback<Stroke>> = match listening.clone() {
                Listening::Change(change) if !change.is_asking => Some(Callback::from(move |stroke: Stroke| {
                    setter.set(pressed(&change, stroke, &choices, &choose));
                })),
                Listening::Search => Some(Callback::from(move |stroke: Stroke| {
                    if is_plain(&stroke, "Escape") || is_plain(&stroke, "Enter") {
                        return setter.set(Listening::No);
                    }
                    let before = match &*sought {
                        Sought::Pressed(strokes) => strokes.clone(),
                        Sought::Typed(_) => Vec::new(),
                    };
                    sought.set(Sought::Pressed(one_more(before, stroke)));
                })),
                _ => None,
            };
            workbench.hear_keys(hear);
            let workbench = workbench.clone();
            move || workbench.hear_keys(None)
        }
    });
    let oninput = {
        let (sought, listening) = (sought.clone(), listening.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                sought.set(Sought::Typed(input.value()));
                listening.set(Listening::No);
            }
        })
    };
    let press = {
        let (sought, listening) = (sought.clone(), listening.clone());
        let is_on = *listening == Listening::Search;
        Callback::from(move |_: MouseEvent| {
            sought.set(if is_on { Sought::Typed(String::new()) } else { Sought::Pressed(Vec::new()) });
            listening.set(if is_on { Listening::No } else { Listening::Search });
        })
    };
    let reset_all = {
        let choose = choose.clone();
        Callback::from(move |_: MouseEvent| choose(Choices::new()))
    };
    let fitting = lines(&settings.keys, &keymap, &sought);
    let found = match &*sought {
        Sought::Typed(typed) if typed.trim().is_empty() => String::new(),
        _ => count!("shortcuts.found", fitting.len()),
    };
    let rows = fitting.iter().map(|line| row(line, settings, &keymap, &listening, &choose));
    let shown = match &*sought {
        Sought::Typed(typed) => typed.clone(),
        Sought::Pressed(strokes) => strokes.iter().map(Stroke::shown).collect::<Vec<_>>().join(" "),
    };
    let foot = html! {
        <button class="plain" disabled={settings.keys.is_empty()} onclick={reset_all}>{ say!("shortcuts.reset-all") }</button>
    };
    html! {
        <Dialog workbench={workbench.clone()} name={say!("shortcuts.title")} title={say!("shortcuts.title")} class="shortcuts" {foot}>
            <div class="shortcut-search">
                <input
                    type="search"
                    aria-label={say!("shortcuts.search")}
                    placeholder={say!("shortcuts.search")}
                    data-first="true"
                    autocomplete="off"
                    spellcheck="false"
                    value={shown}
                    {oninput}
                />
                <button class="plain" aria-pressed={(*listening == Listening::Search).to_string()} onclick={press}>
                    { if *listening == Listening::Search { say!("shortcuts.pressing") } else { say!("shortcuts.press") } }
                </button>
            </div>
            <p class="visually-hidden" role="status">{ found }</p>
            <ul class="shortcut-rows" aria-label={say!("shortcuts.commands")}>{ for rows }</ul>
            if fitting.is_empty() {
                <p class="hint">{ say!("shortcuts.none") }</p>
            }
        </Dialog>
    }
}

/// What follows from one more stroke for a command.
fn pressed(change: &Change, stroke: Stroke, choices: &Choices, choose: &impl Fn(Choices)) -> Listening {
    if is_plain(&stroke, "Escape") {
        return Listening::No;
    }
    if !is_plain(&stroke, "Enter") {
        return Listening::Change(Change { strokes: one_more(change.strokes.clone(), stroke), ..change.clone() });
    }
    let Some(chord) = Chord::new(change.strokes.clone()) else { return Listening::Change(change.clone()) };
    if !Keymap::new(choices).conflicts(&chord, change.entry).is_empty() {
        return Listening::Change(Change { is_asking: true, ..change.clone() });
    }
    choose(shortcuts::with_key(choices, change.entry, &chord, change.instead.as_ref()));
    Listening::No
}

fn is_plain(stroke: &Stroke, key: &str) -> bool {
    stroke.key == key && !stroke.control && !stroke.alt && !stroke.shift
}

/// Behind the last of a chord's strokes, another chord begins.
fn one_more(mut strokes: Vec<Stroke>, stroke: Stroke) -> Vec<Stroke> {
    if strokes.len() == Chord::MAX {
        strokes.clear();
    }
    strokes.push(stroke);
    strokes
}

fn row(
    line: &Line,
    settings: &Settings,
    keymap: &Keymap,
    listening: &UseStateHandle<Listening>,
    choose: &(impl Fn(Choices) + Clone + 'static),
) -> Html {
    let entry = line.entry;
    let name = entry.name();
    let change = match &**listening {
        Listening::Change(change) if change.entry.id == entry.id => Some(change),
        _ => None,
    };
    let record = |instead: Option<Chord>| {
        let (listening, is_on) = (listening.clone(), change.is_some());
        Callback::from(move |_: MouseEvent| {
            let change = Change { entry, instead: instead.clone(), strokes: Vec::new(), is_asking: false };
            listening.set(if is_on { Listening::No } else { Listening::Change(change) });
        })
    };
    let keys = line.keys.iter().map(|chord| {
        let remove = {
            let (choose, choices, chord) = (choose.clone(), settings.keys.clone(), chord.clone());
            Callback::from(move |_: MouseEvent| choose(shortcuts::without_key(&choices, entry, &chord)))
        };
        let kept = shortcuts::is_the_browsers(chord);
        let label = say!("shortcuts.remove", keys = chord.shown(), name = name);
        html! {
            <li key={chord.to_string()} class="shortcut-key">
                <kbd>{ chord.shown() }</kbd>
                if kept {
                    <span class="shortcut-kept" title={say!("shortcuts.browser")}><Icon name={IconName::AlertTriangle} />
                        <span class="visually-hidden">{ say!("shortcuts.browser") }</span>
                    </span>
                }
                <button class="icon-button" aria-label={label.clone()} title={label} onclick={remove}><Icon name={IconName::X} /></button>
            </li>
        }
    });
    let reset = {
        let (choose, choices) = (choose.clone(), settings.keys.clone());
        Callback::from(move |_: MouseEvent| choose(shortcuts::reset(&choices, entry)))
    };
    let instead = line.keys.first().cloned();
    let (text, label) = match instead {
        None => (say!("shortcuts.set"), say!("shortcuts.set-of", name = name)),
        Some(_) => (say!("shortcuts.change"), say!("shortcuts.change-of", name = name)),
    };
    html! {
        <li key={entry.id} class="shortcut" data-changed={line.is_changed.then_some("true")} aria-label={name}>
            <span class="shortcut-name">
                { name }
                <span class="hint">{ place_name(entry.place) }</span>
            </span>
            if !line.keys.is_empty() {
                <ul class="shortcut-keys" aria-label={say!("shortcuts.keys-of", name = name)}>{ for keys }</ul>
            }
            <span class="shortcut-actions">
                <button
                    class="plain"
                    aria-label={label}
                    aria-pressed={change.is_some().to_string()}
                    onclick={record(instead)}
                >
                    { text }
                </button>
                <button class="icon-button" aria-label={say!("shortcuts.add-to", name = name)} title={say!("shortcuts.add-to", name = name)} onclick={record(None)}>
                    <Icon name={IconName::Plus} />
                </button>
                <button
                    class="icon-button"
                    aria-label={say!("settings.reset", name = name)}
                    title={say!("settings.reset", name = name)}
                    disabled={!line.is_changed}
                    onclick={reset}
                >
                    <Icon name={IconName::RefreshCw} />
                </button>
            </span>
            if let Some(change) = change {
                { recorder(change, settings, keymap, listening, choose) }
            }
        </li>
    }
}

/// What has been pressed for a command, and who has it already.
fn recorder(
    change: &Change,
    settings: &Settings,
    keymap: &Keymap,
    listening: &UseStateHandle<Listening>,
    choose: &(impl Fn(Choices) + Clone + 'static),
) -> Html {
    let chord = Chord::new(change.strokes.clone());
    let others = chord.as_ref().map(|chord| keymap.conflicts(chord, change.entry)).unwrap_or_default();
    let names = others.iter().map(|(entry, _)| entry.name()).collect::<Vec<_>>().join(", ");
    let is_kept = chord.as_ref().is_some_and(shortcuts::is_the_browsers);
    let cancel = {
        let listening = listening.clone();
        Callback::from(move |_: MouseEvent| listening.set(Listening::No))
    };
    let take = {
        let (listening, choose, choices) = (listening.clone(), choose.clone(), settings.keys.clone());
        let (chord, change) = (chord.clone(), change.clone());
        Callback::from(move |_: MouseEvent| {
            if let Some(chord) = &chord {
                choose(shortcuts::with_key(&choices, change.entry, chord, change.instead.as_ref()));
            }
            listening.set(Listening::No);
        })
    };
    html! {
        <div class="shortcut-recorder">
            <p role="status">
                if let Some(chord) = &chord {
                    <kbd>{ chord.shown() }</kbd>
                }
                { " " }
                if !others.is_empty() {
                    { say!("shortcuts.taken", names = names) }
                } else if is_kept {
                    { say!("shortcuts.browser") }
                } else {
                    { say!("shortcuts.recording") }
                }
            </p>
            if !others.is_empty() {
                <button class="plain" onclick={take}>{ say!("shortcuts.take") }</button>
            }
            <button class="plain" onclick={cancel}>{ say!("dialog.cancel") }</button>
        </div>
    }
}
