//! The REST API as the console uses it: with a session's cookie, and the page's token beside it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::http::{Answer, ask_at, ask_exactly};

/// A browser that may be logged in.
#[derive(Debug, Clone)]
pub struct Browser {
    address: SocketAddr,
    pub cookie: Option<String>,
    pub page_token: Option<String>,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, cookie: None, page_token: None }
    }

    pub async fn raw(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &Value) -> Result<Answer> {
        let host = self.address.to_string();
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(self.cookie.as_deref().map(|cookie| ("Cookie", cookie)));
        all.extend_from_slice(fields);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        ask_at(self.address, method, &host, &format!("/api/v1{path}"), &all, &body).await
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
        let token = self.page_token.clone();
        let fields: Vec<_> = token.as_deref().map(|token| ("X-Embedenv-Page", token)).into_iter().collect();
        let answer = self.raw(method, path, &fields, &body).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
    }

    /// Asks for what ends with this browser's being logged in.
    pub async fn enter(&mut self, path: &str, body: Value) -> Result<Value> {
        let host = self.address.to_string();
        let fields = [("Content-Type", "application/json"), ("User-Agent", "Test 1.0")];
        let text = body.to_string();
        let path = format!("/api/v1{path}");
        // The head comes in lower case, which a token is not: the answer is read as it is.
        let answer = ask_exactly(self.address, "POST", &host, &path, &fields, text.as_bytes()).await?;
        ensure!(answer.status == 201, "{} {}", answer.status, answer.text());
        let line =
            answer.head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).context("a cookie")?;
        ensure!(line.contains("HttpOnly") && line.contains("SameSite=Strict") && line.contains("Path=/"), "{line}");
        self.cookie = line.split([' ', ';']).nth(1).map(str::to_owned);
        let said: Value = serde_json::from_slice(&answer.body)?;
        self.page_token = said["page_token"].as_str().map(str::to_owned);
        Ok(said)
    }
}
