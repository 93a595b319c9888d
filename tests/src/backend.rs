//! The REST API as a backend uses it, with a key pair.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv::ledger::NewKey;
use serde_json::Value;

use crate::TestServer;
use crate::http::{Answer, ask_at};

/// A backend with a key pair.
#[derive(Debug)]
pub struct Backend<'a> {
    server: &'a TestServer,
    /// What it says in `Authorization`.
    pub pair: String,
}

impl<'a> Backend<'a> {
    pub fn new(server: &'a TestServer, key: &NewKey) -> Self {
        let pair = format!("{}:{}", key.public_key, key.secret_key);
        Self { server, pair: format!("Basic {}", STANDARD.encode(pair)) }
    }

    /// One that says something else in `Authorization`.
    pub fn saying(server: &'a TestServer, authorization: &str) -> Self {
        Self { server, pair: authorization.to_owned() }
    }

    pub async fn raw(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let host = self.server.address().to_string();
        let mut all = vec![("Authorization", &*self.pair), ("Content-Type", "application/json")];
        all.extend_from_slice(fields);
        ask_at(self.server.address(), method, &host, &format!("/api/v1{path}"), &all, body).await
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.raw(method, path, &[], &body).await?;
        let said = answer.field("content-length").is_some_and(|length| length != "0");
        Ok((answer.status, if said { serde_json::from_slice(&answer.body)? } else { Value::Null }))
    }

    pub async fn get(&self, path: &str) -> Result<(u16, Value)> {
        self.ask("GET", path, Value::Null).await
    }
}
