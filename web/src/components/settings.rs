//! What a person sets, row by row from the table of settings. Everything takes effect at once.

use std::rc::Rc;

use serde_json::Value;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, InputEvent};
use yew::prelude::*;

use super::dialog::Dialog as Frame;
use super::icon::{Icon, IconName};
use crate::interop::{language, page};
use crate::state::settings::Settings as Values;
use crate::state::settings::stored;
use crate::state::settings::table::{Kind, ROWS, Row, Section};
use crate::state::{Action, Dialog};
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct SettingsProps {
    pub(crate) workbench: Workbench,
    pub(crate) settings: Rc<Values>,
    /// What this room has of its own.
    pub(crate) here: Rc<stored::Values>,
}

#[component]
pub(crate) fn Settings(props: &SettingsProps) -> Html {
    let SettingsProps { workbench, here, .. } = props;
    let typed = use_state_eq(String::new);
    // A row whose value was refused, and why.
    let refused = use_state_eq(|| None::<(&'static str, String)>);
    let wrong = use_state_eq(Vec::<String>::new);
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(input.value());
            }
        })
    };
    let import = {
        let (workbench, wrong) = (workbench.clone(), wrong.setter());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
            // The same file may be chosen again once it is mended.
            input.set_value("");
            let (workbench, wrong) = (workbench.clone(), wrong.clone());
            spawn_local(async move { wrong.set(workbench.import_settings(&file).await.err().unwrap_or_default()) });
        })
    };
    let export = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.export_settings())
    };
    let fitting: Vec<&'static Row> = ROWS.iter().filter(|row| row.fits(&typed)).collect();
    let sections = Section::ALL.into_iter().map(|section| {
        let rows: Vec<_> = fitting.iter().filter(|row| row.section == section).collect();
        let more = match section {
            Section::Keyboard if is_named(section, &typed) => Some(shortcuts(workbench)),
            Section::Room if is_named(section, &typed) => Some(room(workbench, here)),
            _ => None,
        };
        if rows.is_empty() && more.is_none() {
            return None;
        }
        let rows = rows.into_iter().map(|row| setting(props, row, &refused));
        let id = format!("settings-{}", section.id());
        Some(html! {
            <section key={section.id()} class="settings-section" aria-labelledby={id.clone()}>
                <h3 {id}>{ section.name() }</h3>
                { for rows }
                { more }
            </section>
        })
    });
    let sections: Vec<Html> = sections.flatten().collect();
    let none = sections.is_empty();
    // A list of its own: what stands beside it keeps its place, and so what is typed.
    let sections: Html = sections.into_iter().collect();
    let foot = html! {
        <>
            <input type="file" id="settings-import" accept=".json,application/json" hidden=true onchange={import} />
            <button class="plain" onclick={Callback::from(|_: MouseEvent| page::click("#settings-import"))}>
                <Icon name={IconName::Upload} />{ say!("settings.import") }
            </button>
            <button class="plain" onclick={export}><Icon name={IconName::Download} />{ say!("settings.export") }</button>
        </>
    };
    html! {
        <Frame workbench={workbench.clone()} name={say!("settings.title")} title={say!("settings.title")} class="settings" {foot}>
            <input
                type="search"
                class="settings-search"
                aria-label={say!("settings.search")}
                placeholder={say!("settings.search")}
                data-first="true"
                autocomplete="off"
                spellcheck="false"
                {oninput}
            />
            if !wrong.is_empty() {
                <div class="settings-wrong" role="alert">
                    <p>{ say!("settings.import.nothing-changed") }</p>
                    <ul>{ for wrong.iter().map(|why| html! { <li>{ why }</li> }) }</ul>
                </div>
            }
            { sections }
            if none {
                <p class="hint">{ say!("settings.none") }</p>
            }
        </Frame>
    }
}

fn is_named(section: Section, typed: &str) -> bool {
    section.name().to_lowercase().contains(&typed.trim().to_lowercase())
}

type Refused = UseStateHandle<Option<(&'static str, String)>>;

/// One row: name and explanation, the control, and the ways back.
fn setting(props: &SettingsProps, row: &'static Row, refused: &Refused) -> Html {
    let SettingsProps { workbench, settings, here } = props;
    let value = settings.value(row.id);
    let is_here = here.contains_key(row.id);
    let is_changed = !settings.is_default(row.id);
    let change = {
        let (workbench, refused) = (workbench.clone(), refused.clone());
        Callback::from(move |value: Value| {
            refused.set(workbench.change_setting(row.id, value).err().map(|why| (row.id, why)));
        })
    };
    let reset = {
        let (workbench, refused) = (workbench.clone(), refused.clone());
        Callback::from(move |_: MouseEvent| {
            refused.set(None);
            workbench.reset_setting(row.id);
        })
    };
    let keep_here = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.keep_setting_here(row.id, !is_here))
    };
    let (id, about) = (format!("setting-{}", row.id), format!("setting-{}-about", row.id));
    html! {
        <div key={row.id} class="setting" data-changed={is_changed.then_some("true")}>
            <div class="setting-text">
                <label for={id.clone()}>{ row.name() }</label>
                if is_changed {
                    <span class="setting-mark">{ if is_here { say!("settings.set-here") } else { say!("settings.changed") } }</span>
                }
                <p class="hint" id={about.clone()}>{ row.about() }</p>
            </div>
            <div class="setting-control">
                { control(row, &value, &id, &about, change) }
                <button
                    class="icon-button"
                    aria-label={say!("settings.reset", name = row.name())}
                    title={say!("settings.reset", name = row.name())}
                    disabled={!is_changed && !is_here}
                    onclick={reset}
                >
                    <Icon name={IconName::RefreshCw} />
                </button>
            </div>
            if row.in_room {
                <button
                    class="setting-here"
                    aria-label={say!("settings.here.of", name = row.name())}
                    aria-pressed={is_here.to_string()}
                    onclick={keep_here}
                >
                    if is_here {
                        <Icon name={IconName::Check} />
                    }
                    { say!("settings.here") }
                </button>
            }
            if let Some((_, why)) = refused.as_ref().filter(|(id, _)| *id == row.id) {
                <p class="setting-refused" role="alert">{ why }</p>
            }
        </div>
    }
}

fn control(row: &'static Row, value: &Value, id: &str, about: &str, change: Callback<Value>) -> Html {
    let (id, about) = (id.to_owned(), about.to_owned());
    match row.kind {
        Kind::Switch => {
            let onchange = Callback::from(move |event: Event| {
                if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                    change.emit(input.checked().into());
                }
            });
            let checked = value.as_bool() == Some(true);
            html! { <input type="checkbox" role="switch" {id} aria-describedby={about} {checked} {onchange} /> }
        }
        Kind::Choice(choices) => {
            let all = choices.iter().map(|choice| ((*choice).to_owned(), row.choice(choice).to_owned())).collect();
            let theme = (row.id == "theme").then(|| value.as_str().unwrap_or_default().to_owned());
            html! {
                <>
                    if let Some(theme) = theme {
                        { swatch(theme) }
                    }
                    { select(all, value, id, about, change) }
                </>
            }
        }
        Kind::Language => {
            let mut all = vec![
                (String::new(), say!("setting.language.browser").to_owned()),
                ("en".to_owned(), say!("language.english").to_owned()),
            ];
            all.extend(language::offered().into_iter().map(|language| (language.code, language.name)));
            select(all, value, id, about, change)
        }
        Kind::Number { least, most, step } => {
            let onchange = Callback::from(move |event: Event| {
                let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
                change.emit(input.value().trim().parse::<i64>().map_or(Value::Null, Value::from));
            });
            html! {
                <input
                    type="number"
                    inputmode="numeric"
                    {id}
                    aria-describedby={about}
                    min={least.to_string()}
                    max={most.to_string()}
                    step={step.to_string()}
                    value={value.to_string()}
                    {onchange}
                />
            }
        }
        Kind::Text { longest } => {
            let onchange = Callback::from(move |event: Event| {
                if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                    change.emit(input.value().trim().into());
                }
            });
            let text = value.as_str().unwrap_or_default().to_owned();
            html! {
                <input
                    {id}
                    aria-describedby={about}
                    maxlength={longest.to_string()}
                    autocomplete="off"
                    value={text}
                    {onchange}
                />
            }
        }
    }
}

/// A piece of a theme in its own colours, by the attribute that the page has, too.
fn swatch(theme: String) -> Html {
    html! {
        <span class="swatch" data-theme={theme} aria-hidden="true">
            <i class="swatch-keyword"></i><i class="swatch-text"></i><i class="swatch-string"></i><i class="swatch-accent"></i>
        </span>
    }
}

/// `all`: values and what they are called.
fn select(all: Vec<(String, String)>, value: &Value, id: String, about: String, change: Callback<Value>) -> Html {
    let onchange = Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            change.emit(select.value().into());
        }
    });
    let chosen = value.as_str().unwrap_or_default();
    let options = all.into_iter().map(|(value, name)| {
        let selected = value == chosen;
        html! { <option {value} {selected}>{ name }</option> }
    });
    html! { <select {id} aria-describedby={about} {onchange}>{ for options }</select> }
}

/// The way to the keys of commands.
fn shortcuts(workbench: &Workbench) -> Html {
    let workbench = workbench.clone();
    let open = Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(Some(Dialog::Shortcuts))));
    html! {
        <div class="setting">
            <div class="setting-text"><p class="hint">{ say!("settings.keyboard.about") }</p></div>
            <div class="setting-control"><button class="plain" onclick={open}>{ say!("shortcuts.title") }</button></div>
        </div>
    }
}

/// What the room has of its own.
fn room(workbench: &Workbench, here: &stored::Values) -> Html {
    let workbench = workbench.clone();
    let forget = Callback::from(move |_: MouseEvent| workbench.forget_room_settings());
    html! {
        <div class="setting">
            <div class="setting-text">
                <p class="hint">
                    { if here.is_empty() { say!("settings.room.none").to_owned() } else { count!("settings.room.some", here.len()) } }
                </p>
            </div>
            <div class="setting-control">
                <button class="plain" disabled={here.is_empty()} onclick={forget}>{ say!("settings.room.forget") }</button>
            </div>
        </div>
    }
}
