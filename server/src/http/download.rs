//! `GET /download/{ticket}`: what a member asked for over their WebSocket, for the browser to save. The ticket alone opens
//! it; it is good once. Nothing of it is ever shown as a page.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE,
};
use axum::http::{HeaderValue, Method, Response};
use axum::response::IntoResponse as _;
use embedenv_shared::id::RoomId;

use super::Doors;
use super::problem::{self, Problem};
use crate::room::downloads::{self, Download};

/// Loads nothing, runs nothing, is shown in nothing, and has an origin of its own.
const POLICY: &str = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The address of a ticket.
pub(super) fn address(room: RoomId, ticket: &str) -> String {
    format!("/download/{room}.{ticket}")
}

pub(super) async fn get(
    State(doors): State<Doors>,
    method: Method,
    Path(ticket): Path<String>,
) -> Result<Response<Body>, Problem> {
    if method != Method::GET {
        // To look at it would use it up.
        return Ok(problem::method_not_allowed().await.into_response());
    }
    let found = ticket.split_once('.').and_then(|(room, secret)| {
        let room: RoomId = room.parse().ok()?;
        Some((doors.registry.find(room)?, secret))
    });
    let (room, secret) = found.ok_or_else(downloads::unknown)?;
    let Download { name, length, is_archive, bytes } = room.download(secret).await?;
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    let kind = if is_archive { "application/zip" } else { "application/octet-stream" };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Whoever has the ticket may have the bytes, and no cookie counts: a page of any origin that is in the room reads them.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CONTENT_DISPOSITION, attachment(&name));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

/// RFC 6266: the name in ASCII for old clients, and as it is (RFC 8187).
fn attachment(name: &str) -> HeaderValue {
    let plain =
        |char: char| if matches!(char, ' '..='~') && !matches!(char, '"' | '\\' | '/' | '%') { char } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut encoded = String::new();
    for &byte in name.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(value).expect("what is encoded is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_adds_no_parameter_and_no_header() {
        assert_eq!(attachment("a b.zip"), "attachment; filename=\"a b.zip\"; filename*=UTF-8''a%20b.zip");
        let hostile = attachment("x\"; filename=\"y.exe\r\nSet-Cookie: z\u{202e}");
        assert_eq!(
            hostile,
            "attachment; filename=\"x_; filename=_y.exe__Set-Cookie: z_\"; \
             filename*=UTF-8''x%22%3B%20filename%3D%22y.exe%0D%0ASet-Cookie%3A%20z%E2%80%AE"
        );
    }
}
