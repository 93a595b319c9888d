//! Languages that the page has besides English: which they are stands in the page's `<meta name="embedenv-words">`, and each
//! is a file that is loaded when it is spoken.

use js_sys::{Array, Object, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::page;
use crate::words::catalogue::{Language, PSEUDO};

/// A language that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    /// As in `lang`.
    pub(crate) code: String,
    /// What it calls itself.
    pub(crate) name: String,
    url: String,
}

/// The languages there are besides English.
pub(crate) fn offered() -> Vec<Offered> {
    let listed = page::meta("embedenv-words").and_then(|content| serde_json::from_str::<Value>(&content).ok());
    let Some(Value::Object(languages)) = listed else { return Vec::new() };
    let one = |(code, language): (String, Value)| {
        let part = |name: &str| Some(language.get(name)?.as_str()?.to_owned());
        Some(Offered { name: part("name")?, url: part("url")?, code })
    };
    languages.into_iter().filter_map(one).collect()
}

/// The language to speak: what the address says, what is set, or the first of the browser's that there is. `None` is
/// English.
pub(crate) fn choose(set: &str) -> Option<String> {
    let offered = offered();
    let fitting = |wanted: &str| {
        let stem = wanted.split('-').next().unwrap_or(wanted);
        let known = |code: &&str| offered.iter().any(|language| language.code == **code) || **code == *"en";
        [wanted, stem].iter().find(|code| known(code)).map(|code| (*code).to_owned())
    };
    let asked = page::query("lang").filter(|asked| !asked.is_empty());
    if asked.as_deref() == Some(PSEUDO) {
        return asked;
    }
    let set = asked.or_else(|| Some(set.to_owned()).filter(|set| !set.is_empty()));
    let chosen = match set {
        Some(set) => fitting(&set),
        None => {
            let languages = Array::from(&page::window().navigator().languages());
            languages.iter().filter_map(|language| language.as_string()).find_map(|language| fitting(&language))
        }
    };
    chosen.filter(|code| code != "en")
}

/// Loads a language of [`choose`]'s.
pub(crate) async fn load(code: &str) -> Result<Language, JsValue> {
    if code == PSEUDO {
        return Ok(Language::pseudo());
    }
    let language = offered().into_iter().find(|language| language.code == code);
    let language = language.ok_or_else(|| JsValue::from_str("there is no such language"))?;
    let response: Response = JsFuture::from(page::window().fetch_with_str(&language.url)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_str("the language was not found"));
    }
    let file = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    Ok(Language::new(code, &file, form(code)))
}

/// Which form a number takes, as the browser knows it of the language.
fn form(code: &str) -> Box<dyn Fn(usize) -> String> {
    let rules = js_sys::Intl::PluralRules::new(&Array::of1(&code.into()), &Object::new());
    Box::new(move |count| {
        let select = Reflect::get(&rules, &"select".into()).ok().and_then(|select| select.dyn_into().ok());
        let form = select.and_then(|select: js_sys::Function| select.call1(&rules, &(count as f64).into()).ok());
        form.and_then(|form| form.as_string()).unwrap_or_else(|| "other".to_owned())
    })
}
