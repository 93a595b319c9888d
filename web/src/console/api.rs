//! Requests of the console: the same REST API that everybody has. Whatever changes something says the session's page token.

use std::cell::RefCell;

use gloo_net::http::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bodies::Problem;
use super::words::tell;

/// Why something was not done: what people are told, and the API's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) text: String,
}

thread_local! {
    static PAGE_TOKEN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on requests are those of this session's page.
pub(super) fn speak_for(page_token: &str) {
    PAGE_TOKEN.set(page_token.to_owned());
}

pub(super) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Refused> {
    read(&send(Method::GET, path, None).await?)
}

pub(super) async fn ask<T: DeserializeOwned>(method: Method, path: &str, body: &impl Serialize) -> Result<T, Refused> {
    read(&send(method, path, Some(written(body))).await?)
}

/// For what is answered by nothing.
pub(super) async fn have(method: Method, path: &str, body: &impl Serialize) -> Result<(), Refused> {
    send(method, path, Some(written(body))).await.map(drop)
}

pub(super) async fn delete(path: &str) -> Result<(), Refused> {
    send(Method::DELETE, path, None).await.map(drop)
}

fn written(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts and numbers always serialise")
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Refused> {
    serde_json::from_str(text).map_err(|_| unreachable())
}

async fn send(method: Method, path: &str, body: Option<String>) -> Result<String, Refused> {
    let request = RequestBuilder::new(&format!("/api/v1{path}")).method(method);
    let request = request.header("X-Embedenv-Page", &PAGE_TOKEN.with_borrow(String::clone));
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    };
    let response = request.map_err(|_| unreachable())?.send().await.map_err(|_| unreachable())?;
    let (status, text) = (response.status(), response.text().await.map_err(|_| unreachable())?);
    if response.ok() {
        return Ok(text);
    }
    let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
    let text = match status {
        429 => tell!("again-later").to_owned(),
        _ if problem.detail.is_empty() => tell!("unreachable").to_owned(),
        _ => sentence(&problem.detail),
    };
    Err(Refused { status, text })
}

fn unreachable() -> Refused {
    Refused { status: 0, text: tell!("unreachable").to_owned() }
}

/// A message of the server's, as one to people.
fn sentence(message: &str) -> String {
    let mut letters = message.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
