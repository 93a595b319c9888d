//! TOML as JSON: smol-toml (`web/js/src/toml.ts`), loaded when a project has a file in it.

use serde_json::Value;
use wasm_bindgen::prelude::*;

use super::modules::{Module, load};
use super::page;
use crate::run::kept::Problem;

#[wasm_bindgen]
extern "C" {
    type TomlModule;
    #[wasm_bindgen(method, js_name = parseToml)]
    fn parse_toml(this: &TomlModule, text: &str) -> String;
}

/// What the text says, or what is wrong with it.
pub(crate) async fn parse(text: &str) -> Result<Value, Problem> {
    let problem = |line: u64, what: &str| Problem { line: usize::try_from(line).unwrap_or(1), what: what.to_owned() };
    let module = load(Module::Toml).await.map_err(|error| {
        page::warn(&format!("the reader of TOML: {error:?}"));
        problem(1, "what reads it could not be loaded; reload the page when there is a network")
    })?;
    let answer = module.unchecked_into::<TomlModule>().parse_toml(text);
    let mut answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    if let Some(value) = answer.get_mut("value") {
        return Ok(value.take());
    }
    let what = answer.get("what").and_then(Value::as_str).unwrap_or("it is no TOML");
    Err(problem(answer.get("line").and_then(Value::as_u64).unwrap_or(1), what))
}
