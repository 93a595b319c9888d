//! The REST API's description as a page for people, made once from the OpenAPI document. Knows the document's shape and no
//! address of the API; a page of text and links, without a script.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use serde_json::{Map, Value};

use crate::http::headers::{Nonce, Page, PagePolicy};
use crate::http::problem::Problem;
use crate::http::quoting::escaped;

const TEMPLATE: &str = include_str!("../../../../static/reference.html");
/// Stands in the template where the response's nonce goes, the list of addresses, and what is said of each.
const NONCE: &str = "{{NONCE}}";
const CONTENTS: &str = "{{CONTENTS}}";
const MAIN: &str = "{{MAIN}}";
/// What most come for; the others follow by their paths.
const FIRST: [&str; 4] = ["rooms", "files", "commands", "join keys"];
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page, but for the nonce of each response.
#[derive(Debug)]
pub(super) struct Reference(String);

impl Reference {
    pub(super) fn of(document: &Value) -> Self {
        let (mut contents, mut main) = (String::new(), String::new());
        let groups = groups(document);
        for (tag, operations) in &groups {
            let id = slug(tag);
            _ = write!(contents, "<h2><a href=\"#{id}\">{}</a></h2><ul>", escaped(tag));
            _ = write!(main, "<h2 id=\"{id}\">{}</h2>", escaped(tag));
            for operation in operations {
                let Operation { method, path, about } = operation;
                let id = text(about, "operationId");
                let summary = text(about, "summary").split_terminator(['.', ':']).next().unwrap_or_default();
                _ = write!(
                    contents,
                    "<li><a href=\"#{id}\"><b class=\"{method}\">{method}</b> {}</a></li>",
                    prose(summary)
                );
                operation_section(&mut main, document, method, path, about);
            }
            contents += "</ul>";
        }
        contents += "<h2><a href=\"#objects\">objects</a></h2>";
        main += "<h2 id=\"objects\">objects</h2>";
        for (name, schema) in object(&document["components"]["schemas"]) {
            _ = write!(main, "<section id=\"object-{name}\"><h3>{name}</h3>");
            described(&mut main, schema);
            shape(&mut main, schema);
            main += "</section>";
        }
        Self(TEMPLATE.replace(CONTENTS, &contents).replace(MAIN, &main))
    }

    /// The page for one response.
    pub(super) fn answer(&self, policy: &PagePolicy) -> Result<Response<Body>, Problem> {
        let nonce = Nonce::new().map_err(|error| Problem::internal(&error))?;
        let mut response = Response::new(Body::from(self.0.replace(NONCE, &nonce.to_string())));
        *response.headers_mut() = policy.page(Page::Reference, &nonce);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}

struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    about: &'a Value,
}

/// The operations by what they are about.
fn groups(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
    let mut groups: Vec<(&str, Vec<Operation<'_>>)> = Vec::new();
    for (path, methods) in object(&document["paths"]) {
        for method in METHODS {
            let Some(about) = methods.get(method) else { continue };
            let tag = about["tags"][0].as_str().unwrap_or("others");
            let operation = Operation { method, path, about };
            match groups.iter_mut().find(|(known, _)| *known == tag) {
                Some((_, operations)) => operations.push(operation),
                None => groups.push((tag, vec![operation])),
            }
        }
    }
    groups.sort_by_key(|(tag, _)| FIRST.iter().position(|first| first == tag).unwrap_or(FIRST.len()));
    groups
}

fn operation_section(out: &mut String, document: &Value, method: &str, path: &str, about: &Value) {
    let id = text(about, "operationId");
    let place = escaped(path).replace('{', "<i>{").replace('}', "}</i>");
    _ = write!(out, "<section id=\"{id}\"><h3><b class=\"{method}\">{method}</b> <code>{place}</code></h3>");
    described(out, about);
    _ = write!(out, "<p class=\"dim\">{}</p>", who(about, document));
    let parameters = about["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<table><tr><th>parameter</th><th>in</th><th>is</th></tr>");
        for parameter in parameters {
            let required = if parameter["required"] == true { "" } else { "?" };
            let (name, at) = (escaped(text(parameter, "name")), escaped(text(parameter, "in")));
            let about = prose(text(parameter, "description"));
            let kind = kind(&parameter["schema"]);
            _ = write!(
                out,
                "<tr><td><code>{name}{required}</code></td><td>{at}</td><td><div class=\"dim\">{kind}</div>{about}</td></tr>"
            );
        }
        out.push_str("</table>");
    }
    for (media, content) in object(&about["requestBody"]["content"]) {
        _ = write!(out, "<p>Body, <code>{}</code>: {}</p>", escaped(media), kind(&content["schema"]));
        shape(out, resolved(document, &content["schema"]));
    }
    out.push_str("<p>Answers:</p><ul>");
    for (status, answer) in object(&about["responses"]) {
        _ = write!(out, "<li><code>{status}</code> {}", prose(text(answer, "description")));
        for (media, content) in object(&answer["content"]) {
            _ = write!(out, " {} <span class=\"dim\">{}</span>", kind(&content["schema"]), escaped(media));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul></section>");
}

/// Who may ask.
fn who(about: &Value, document: &Value) -> &'static str {
    let allowed = if about["security"].is_array() { &about["security"] } else { &document["security"] };
    let names = |name| allowed.as_array().is_some_and(|all| all.iter().any(|one| one.get(name).is_some()));
    match (names("pair"), names("session")) {
        (true, _) => "For a key pair, or who is logged in.",
        (false, true) => "For who is logged in.",
        (false, false) => "For everybody.",
    }
}

/// What an object has, as a table, or what else a schema allows.
fn shape(out: &mut String, schema: &Value) {
    if let Some(all) = schema["oneOf"].as_array() {
        out.push_str("<p>One of:</p>");
        all.iter().for_each(|one| {
            described(out, one);
            shape(out, one);
        });
        return;
    }
    let members = object(&schema["properties"]);
    if members.is_empty() {
        if schema["enum"].is_array() {
            _ = write!(out, "<p>{}</p>", kind(schema));
        }
        return;
    }
    let required: Vec<&str> =
        schema["required"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    out.push_str("<table><tr><th>member</th><th>is</th></tr>");
    for (name, about) in members {
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let (kind, about) = (kind(about), prose(text(about, "description")));
        _ = write!(
            out,
            "<tr><td><code>{}{optional}</code></td><td><div class=\"dim\">{kind}</div>{about}</td></tr>",
            escaped(name)
        );
    }
    out.push_str("</table>");
}

/// What a value is, in a word or some.
fn kind(schema: &Value) -> String {
    if let Some(name) = referred(schema) {
        return format!("<a href=\"#object-{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().filter_map(Value::as_str);
        return values.map(|value| format!("<code>{}</code>", escaped(value))).collect::<Vec<_>>().join(" or ");
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let some = all.iter().filter(|one| one["type"] != "null");
        return some.map(kind).collect::<Vec<_>>().join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or_default(),
        _ => "",
    };
    let bound = |least: &str, most: &str, of: &str| match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least @ 1..), Some(most)) => format!(", {least} to {most}{of}"),
        (_, Some(most)) => format!(", up to {most}{of}"),
        (Some(least @ 1..), None) => format!(", {least}{of} or more"),
        _ => String::new(),
    };
    match name {
        "array" => format!("list of {}{}", kind(&schema["items"]), bound("minItems", "maxItems", "")),
        "string" => format!("text{}", bound("minLength", "maxLength", " characters")),
        "integer" => format!("whole number{}", bound("minimum", "maximum", "")),
        "number" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "object" if schema["additionalProperties"].is_object() => {
            format!("{} by name", kind(&schema["additionalProperties"]))
        }
        other => escaped(other),
    }
}

fn described(out: &mut String, about: &Value) {
    for part in ["summary", "description"] {
        let said = text(about, part);
        if !said.is_empty() {
            _ = write!(out, "<p>{}</p>", prose(said));
        }
    }
}

/// A sentence whose code stands between backticks.
fn prose(said: &str) -> String {
    let parts = escaped(said);
    let mut out = String::new();
    for (at, part) in parts.split('`').enumerate() {
        let (open, close) = if at % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        _ = write!(out, "{open}{part}{close}");
    }
    out
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    referred(schema).map_or(schema, |name| &document["components"]["schemas"][name])
}

fn text<'a>(about: &'a Value, member: &str) -> &'a str {
    about[member].as_str().unwrap_or_default()
}

fn object(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten().collect()
}

fn slug(tag: &str) -> String {
    tag.replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_on_the_page_and_every_link_leads_to_a_place_on_it() {
        let document: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
        let Reference(page) = Reference::of(&document);
        let operations = groups(&document).into_iter().flat_map(|(_, operations)| operations);
        let mut count = 0;
        for Operation { about, .. } in operations {
            assert!(page.contains(&format!("<section id=\"{}\">", text(about, "operationId"))), "{about}");
            count += 1;
        }
        assert!(count > 40, "{count}");
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
        }
        for placeholder in [CONTENTS, MAIN] {
            assert!(!page.contains(placeholder), "{placeholder}");
        }
    }

    #[test]
    fn what_is_said_is_text() {
        let about = serde_json::json!({"description": "a `<b>` & more", "summary": "<script>"});
        let mut out = String::new();
        described(&mut out, &about);
        assert_eq!(out, "<p>&lt;script&gt;</p><p>a <code>&lt;b&gt;</code> &amp; more</p>");
    }

    #[test]
    fn a_value_is_said_with_its_bounds() {
        let kind = |schema| kind(&schema);
        assert_eq!(
            kind(serde_json::json!({"type": ["integer", "null"], "minimum": 1, "maximum": 9})),
            "whole number, 1 to 9"
        );
        assert_eq!(kind(serde_json::json!({"type": "string", "maxLength": 4})), "text, up to 4 characters");
        assert_eq!(
            kind(serde_json::json!({"type": "array", "items": {"$ref": "#/components/schemas/Room"}})),
            "list of <a href=\"#object-Room\">Room</a>"
        );
        assert_eq!(kind(serde_json::json!({"type": "string", "enum": ["a", "b"]})), "<code>a</code> or <code>b</code>");
    }
}
