//! The page's JavaScript modules, each loaded when it is first needed. Where they are stands in the page's
//! `<meta name="embedenv-js">`; `embedenvImport` is the page's own `import()`, which WASM can't say.

use js_sys::{Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::page;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = embedenvImport, catch)]
    fn import(url: &str) -> Result<Promise, JsValue>;
}

/// A module of the page's, and the style sheet that comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    Editor,
    Terminal,
    Toml,
    Markdown,
    Picture,
    Frame,
    Poster,
}

impl Module {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Editor => "editor",
            Self::Terminal => "terminal",
            Self::Toml => "toml",
            Self::Markdown => "markdown",
            Self::Picture => "picture",
            Self::Frame => "frame",
            Self::Poster => "poster",
        }
    }
}

/// Waits until all of the page's code is here. See `web/js/late.js`; where the page comes in one piece it is.
pub(crate) async fn whole() {
    let whole = Reflect::get(&js_sys::global(), &"embedenvWhole".into());
    if let Some(whole) = whole.ok().and_then(|whole| whole.dyn_into::<Promise>().ok()) {
        // It never fails.
        let _ = JsFuture::from(whole).await;
    }
}

/// Loads a module; the browser keeps it, so that asking again costs nothing.
pub(crate) async fn load(module: Module) -> Result<JsValue, JsValue> {
    let entries: Value = page::meta("embedenv-js")
        .and_then(|content| serde_json::from_str(&content).ok())
        .ok_or_else(|| JsValue::from_str("the page does not name its modules"))?;
    if let Some(sheet) = entries.get(format!("{}.css", module.name())).and_then(Value::as_str) {
        page::add_style_sheet(sheet);
    }
    let url = entries
        .get(module.name())
        .and_then(Value::as_str)
        .ok_or_else(|| JsValue::from_str("the page does not name this module"))?;
    JsFuture::from(import(url)?).await
}
