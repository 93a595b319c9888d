//! Origins as settings and widgets list them. Pure.

use axum::http::Uri;

/// A source that `frame-ancestors` takes, so that a setting can add no directive.
pub fn is_source(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    is_plain && format!("http://{host}").parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

/// Whether an origin is one that is listed as `https://example.com` or, with one or more labels before it,
/// `https://*.example.com`, as in `frame-ancestors`.
pub fn matches(listed: &str, origin: &str) -> bool {
    match listed.split_once("://*.") {
        Some((scheme, domain)) => origin
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .and_then(|host| host.strip_suffix(domain))
            .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.')),
        None => listed.eq_ignore_ascii_case(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_origin_and_can_add_nothing_to_a_policy() {
        for good in ["*", "https://example.com", "http://*.example.com:8080", "http://[::1]:1"] {
            assert!(is_source(good), "{good}");
        }
        for bad in ["", "example.com", "https://", "https://a b", "https://a;script-src *", "https://a/b", "ftp://a"] {
            assert!(!is_source(bad), "{bad}");
        }
    }
}
