//! How the shown file is indented, how its lines end and what it is written in, in the line below, and the choice of other
//! ways.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::state::editing::{Choice, Indentation, LINE_ENDINGS, Manner, TAB_SIZES, short};
use crate::state::languages::{LANGUAGES, Language};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct MannerProps {
    pub(crate) workbench: Workbench,
    pub(crate) works: bool,
    /// The file's name.
    pub(crate) name: AttrValue,
}

#[component]
pub(crate) fn MannerChoices(props: &MannerProps) -> Html {
    let MannerProps { workbench, works, name } = props;
    let shown = use_state_eq(|| workbench.manner.get());
    use_effect_with(workbench.clone(), {
        let set = shown.setter();
        move |workbench| {
            set.set(workbench.manner.get());
            workbench.manner.listen(Some(Callback::from(move |shown| set.set(shown))));
            let workbench = workbench.clone();
            move || workbench.manner.listen(None)
        }
    });
    let Some(now) = *shown else { return html! {} };
    html! {
        <>
            { for now.indentation.map(|indentation| indentations(workbench, indentation, *works)) }
            { line_endings(workbench, &now, *works) }
            { languages(workbench, now.language, name) }
        </>
    }
}

fn indentations(workbench: &Workbench, now: Indentation, works: bool) -> Html {
    let choices = || [false, true].into_iter().flat_map(|tabs| TAB_SIZES.map(|size| Indentation { tabs, size }));
    let onchange = {
        let workbench = workbench.clone();
        chosen(move |value| {
            let choice = choices().find(|choice| choice.words() == value);
            workbench.indent_shown(choice.map(|Indentation { tabs, size }| (tabs, size)));
        })
    };
    let is_odd = !choices().any(|choice| choice == now);
    let offered =
        choices().chain(is_odd.then_some(now)).map(|choice| option(choice.words(), choice.words(), choice == now));
    html! {
        <select
            key={now.words()}
            class="manner indentation"
            aria-label={say!("indentation.name")}
            title={say!("indentation.about")}
            disabled={!works}
            {onchange}
        >
            { for offered }
            <option value="">{ say!("indentation.by-text") }</option>
        </select>
    }
}

fn line_endings(workbench: &Workbench, now: &Manner, works: bool) -> Html {
    let onchange = {
        let workbench = workbench.clone();
        chosen(move |value| {
            if let Some(eol) = LINE_ENDINGS.into_iter().find(|eol| short(*eol) == value) {
                workbench.end_lines_of_shown(eol);
            }
        })
    };
    html! {
        <select
            key={short(now.line_ending)}
            class="manner"
            aria-label={say!("line-ending.name")}
            title={say!("line-ending.about")}
            disabled={!works}
            {onchange}
        >
            { for LINE_ENDINGS.map(|eol| option(short(eol).to_owned(), short(eol).to_owned(), eol == now.line_ending)) }
        </select>
    }
}

/// A viewer may choose how a file is read, too.
fn languages(workbench: &Workbench, now: Choice, name: &AttrValue) -> Html {
    const PLAIN: &str = "plain";
    let onchange = {
        let workbench = workbench.clone();
        chosen(move |value| {
            let known = LANGUAGES.iter().find(|language| language.name == value);
            workbench.read_shown_as(match known {
                Some(language) => Choice::Language(language),
                None if value == PLAIN => Choice::Plain,
                None => Choice::ByName,
            });
        })
    };
    let is = |language: &Language| matches!(now, Choice::Language(chosen) if chosen == language);
    let named = |language: &'static Language| option(language.name.to_owned(), language.name.to_owned(), is(language));
    html! {
        <select
            key={format!("{now:?}{name}")}
            class="manner language"
            aria-label={say!("language-choice.name")}
            title={say!("language-choice.about")}
            {onchange}
        >
            // What is shown is the language; that it is the file's own choice is said by where it stands.
            { option(String::new(), words::language(name).to_owned(), now == Choice::ByName) }
            <hr />
            { for LANGUAGES.iter().map(named) }
            { option(PLAIN.to_owned(), say!("language.plain-text").to_owned(), now == Choice::Plain) }
        </select>
    }
}

fn option(value: String, text: String, selected: bool) -> Html {
    html! { <option {value} {selected}>{ text }</option> }
}

fn chosen(act: impl Fn(String) + 'static) -> Callback<Event> {
    Callback::from(move |event: Event| {
        if let Some(select) = event.target_dyn_into::<HtmlSelectElement>() {
            act(select.value());
        }
    })
}
