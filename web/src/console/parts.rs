//! What several sections are made of: fields, a notice, something to copy, a question before what can't be taken back.

use std::rc::Rc;

use serde::de::DeserializeOwned;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement, SubmitEvent};
use yew::prelude::*;

use super::api;
use super::words::tell;
use crate::components::icon::{Icon, IconName};
use crate::interop::page;

/// What came of something.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Done(String),
    Failed(String),
}

/// Tells it, to who listens too.
pub(super) fn notice(said: &Option<Said>) -> Html {
    match said {
        Some(Said::Done(text)) => html! { <p class="notice done" role="status">{ text }</p> },
        Some(Said::Failed(text)) => html! { <p class="notice failed" role="alert">{ text }</p> },
        None => html! {},
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct FieldProps {
    /// Names the input within its form.
    pub(super) id: AttrValue,
    pub(super) label: AttrValue,
    #[prop_or(AttrValue::Static("text"))]
    pub(super) kind: AttrValue,
    #[prop_or_default]
    pub(super) hint: Option<AttrValue>,
    #[prop_or_default]
    pub(super) autocomplete: AttrValue,
    #[prop_or_default]
    pub(super) value: AttrValue,
    #[prop_or_default]
    pub(super) required: bool,
    #[prop_or_default]
    pub(super) autofocus: bool,
    pub(super) node: NodeRef,
}

/// A field of a form, with its label and a hint.
#[component]
pub(super) fn Field(props: &FieldProps) -> Html {
    let FieldProps { id, label, kind, hint, autocomplete, value, required, autofocus, node } = props;
    let hint_id = hint.as_ref().map(|_| format!("{id}-hint"));
    let (first, autofocus) = (node.clone(), *autofocus);
    use_effect_with((), move |()| {
        if autofocus && let Some(input) = first.cast::<HtmlInputElement>() {
            // A browser that gives no keyboard shows the field all the same.
            let _ = input.focus();
        }
    });
    let autocomplete = if autocomplete.is_empty() { AttrValue::Static("off") } else { autocomplete.clone() };
    html! {
        <div class="field">
            <label for={id.clone()}>{ label }</label>
            <input
                id={id.clone()} ref={node.clone()} type={kind.clone()} required={*required} {autocomplete}
                value={value.clone()} aria-describedby={hint_id.clone()} spellcheck="false"
            />
            if let (Some(hint), Some(id)) = (hint, hint_id) {
                <p class="hint" {id}>{ hint }</p>
            }
        </div>
    }
}

/// A figure and what it is of.
pub(super) fn figure(value: String, label: impl Into<AttrValue>) -> Html {
    html! { <div class="figure"><dd>{ value }</dd><dt>{ label.into() }</dt></div> }
}

/// What is chosen of a list.
pub(super) fn picked(node: &NodeRef) -> String {
    node.cast::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default()
}

/// What stands in a field.
pub(super) fn typed(node: &NodeRef) -> String {
    node.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default()
}

/// Empties fields of what was done with.
pub(super) fn clear(nodes: &[NodeRef]) {
    for input in nodes.iter().filter_map(|node| node.cast::<HtmlInputElement>()) {
        input.set_value("");
    }
}

/// A form that is not sent by the browser.
pub(super) fn on_submit(work: impl Fn() + 'static) -> Callback<SubmitEvent> {
    Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        work();
    })
}

#[derive(Properties, PartialEq)]
pub(super) struct CopyProps {
    pub(super) label: AttrValue,
    pub(super) text: AttrValue,
}

/// A text to be copied, with a button for it.
#[component]
pub(super) fn Copyable(props: &CopyProps) -> Html {
    let copied = use_state_eq(|| false);
    let node = use_node_ref();
    let onclick = {
        let (text, copied, node) = (props.text.clone(), copied.setter(), node.clone());
        Callback::from(move |_: MouseEvent| {
            let (text, copied, node) = (text.clone(), copied.clone(), node.clone());
            spawn_local(async move {
                if page::copy(&text).await {
                    copied.set(true);
                } else if let Some(input) = node.cast::<HtmlInputElement>() {
                    page::focus_and_select(&input, u32::MAX);
                }
            });
        })
    };
    html! {
        <div class="field">
            <span class="field-label">{ &props.label }</span>
            <div class="field-row">
                <input ref={node} readonly=true aria-label={props.label.clone()} value={props.text.clone()} />
                <button type="button" class="plain" aria-label={format!("{}: {}", tell!("copy"), props.label)} {onclick}>
                    <Icon name={if *copied { IconName::Check } else { IconName::Copy }} />
                    { if *copied { tell!("copied") } else { tell!("copy") } }
                </button>
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct SureProps {
    /// What the button says.
    pub(super) label: AttrValue,
    /// What it is called.
    pub(super) name: AttrValue,
    /// What is asked before it is done.
    pub(super) question: AttrValue,
    pub(super) onsure: Callback<()>,
}

/// A button that asks before it does something.
#[component]
pub(super) fn Sure(props: &SureProps) -> Html {
    let SureProps { label, name, question, onsure } = props;
    let asks = use_state_eq(|| false);
    let to = |value: bool| {
        let asks = asks.setter();
        Callback::from(move |_: MouseEvent| asks.set(value))
    };
    let sure = {
        let (onsure, asks) = (onsure.clone(), asks.setter());
        Callback::from(move |_: MouseEvent| {
            asks.set(false);
            onsure.emit(());
        })
    };
    html! {
        if *asks {
            <span class="sure" role="group" aria-label={question.clone()}>
                <span>{ question }</span>
                <button type="button" class="danger" onclick={sure}>{ label }</button>
                <button type="button" class="plain" onclick={to(false)}>{ tell!("cancel") }</button>
            </span>
        } else {
            <button type="button" class="plain" aria-label={name.clone()} onclick={to(true)}>{ label }</button>
        }
    }
}

/// A time as people of the page's language write it; milliseconds since 1970.
pub(super) fn when(at: u64) -> String {
    let date = js_sys::Date::new(&(at as f64).into());
    date.to_locale_string(&page::locale(), &js_sys::Object::new()).into()
}

/// A day, likewise.
pub(super) fn day(at: u64) -> String {
    let date = js_sys::Date::new(&(at as f64).into());
    let options = js_sys::Object::new();
    page::set(&options, "timeZone", &"UTC".into());
    page::set(&options, "month", &"short".into());
    page::set(&options, "day", &"numeric".into());
    date.to_locale_date_string(&page::locale(), &options).into()
}

/// What a section shows.
#[derive(Debug, PartialEq)]
pub(super) enum Loaded<T> {
    NotYet,
    Failed(String),
    Here(Rc<T>),
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        match self {
            Self::NotYet => Self::NotYet,
            Self::Failed(why) => Self::Failed(why.clone()),
            Self::Here(body) => Self::Here(body.clone()),
        }
    }
}

/// Asks for what is at an address, when it is first drawn and whenever the callback is called.
#[hook]
pub(super) fn use_loaded<T: DeserializeOwned + PartialEq + 'static>(path: &str) -> (Loaded<T>, Callback<()>) {
    let loaded = use_state_eq(|| Loaded::NotYet);
    let reload = {
        let (loaded, path) = (loaded.setter(), Rc::<str>::from(path));
        Callback::from(move |()| {
            let (loaded, path) = (loaded.clone(), path.clone());
            spawn_local(async move {
                loaded.set(match api::get(&path).await {
                    Ok(body) => Loaded::Here(Rc::new(body)),
                    Err(refused) => Loaded::Failed(refused.text),
                });
            });
        })
    };
    use_effect_with((), {
        let reload = reload.clone();
        move |()| reload.emit(())
    });
    ((*loaded).clone(), reload)
}

/// The making of something new above a list.
pub(super) struct Making<T: 'static> {
    /// Its form is open.
    pub(super) is_new: bool,
    /// What was made last, with what is shown of it this once.
    pub(super) made: UseStateHandle<Option<T>>,
    pub(super) open: Callback<MouseEvent>,
    /// What was made, or nothing.
    pub(super) onmade: Callback<Option<T>>,
}

/// Opens the form of something new, and shows what was made by it in the list, too.
#[hook]
pub(super) fn use_making<T: PartialEq + 'static>(reload: &Callback<()>) -> Making<T> {
    let (is_new, made) = (use_state_eq(|| false), use_state_eq(|| None::<T>));
    let open = {
        let (is_new, made) = (is_new.setter(), made.setter());
        Callback::from(move |_: MouseEvent| {
            made.set(None);
            is_new.set(true);
        })
    };
    let onmade = {
        let (is_new, made, reload) = (is_new.setter(), made.setter(), reload.clone());
        Callback::from(move |thing: Option<T>| {
            is_new.set(false);
            if thing.is_some() {
                made.set(thing);
                reload.emit(());
            }
        })
    };
    Making { is_new: *is_new, made, open, onmade }
}

/// Deletes what is at an address, and looks at the list again.
pub(super) fn deletion(path: String, said: &UseStateHandle<Option<Said>>, reload: &Callback<()>) -> Callback<()> {
    let (said, reload) = (said.setter(), reload.clone());
    Callback::from(move |()| {
        let (said, reload, path) = (said.clone(), reload.clone(), path.clone());
        spawn_local(async move {
            said.set(api::delete(&path).await.err().map(|refused| Said::Failed(refused.text)));
            reload.emit(());
        });
    })
}

/// What stands where something is not here yet, or could not be had.
pub(super) fn waiting<T>(loaded: &Loaded<T>, reload: &Callback<()>) -> Html {
    match loaded {
        Loaded::NotYet => html! { <p class="hint" role="status">{ tell!("loading") }</p> },
        Loaded::Failed(why) => {
            let again = reload.reform(|_: MouseEvent| ());
            html! {
                <p class="notice failed" role="alert">
                    { why }{ " " }<button type="button" class="link" onclick={again}>{ tell!("retry") }</button>
                </p>
            }
        }
        Loaded::Here(_) => html! {},
    }
}
