//! What of a request reaches an app and what of its answer reaches the browser: hop-by-hop fields go no further (RFC 9110
//! section 7.6.1), nothing of ours reaches the app, and nothing of the app's reaches beyond its own origin. Pure.

use std::net::IpAddr;

use axum::http::header::{
    ALT_SVC, CONNECTION, CONTENT_SECURITY_POLICY, COOKIE, FORWARDED, HOST, HeaderName, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};

/// A client that has no cookie presents its pass here.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-embedenv-preview");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
/// Said by whoever stands in front, and so by us alone.
const OURS: [HeaderName; 6] = [
    FORWARDED,
    FORWARDED_FOR,
    FORWARDED_HOST,
    FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
];
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Who asks, and by which name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) peer: IpAddr,
    pub(super) https: bool,
    /// The cookie of ours, which the app never sees.
    pub(super) cookie: &'a str,
}

/// Makes the fields of a browser's request those of the app's. The `Host` stays as the browser said it, for upgrades too:
/// apps compare it with the `Origin`, and make their addresses of it.
pub(super) fn request(headers: &mut HeaderMap, asked: Asked<'_>) {
    let upgrade = headers.get(UPGRADE).cloned().filter(|_| names(headers, UPGRADE.as_str()));
    strip_hops(headers);
    for name in OURS {
        headers.remove(name);
    }
    headers.remove(TOKEN);
    // What trailers there are, nobody passes on.
    headers.remove(TE);
    if let Some(upgrade) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, upgrade);
    }
    let cookies: Vec<HeaderValue> =
        headers.get_all(COOKIE).iter().filter_map(|all| without(all, asked.cookie)).collect();
    headers.remove(COOKIE);
    for cookies in cookies {
        headers.append(COOKIE, cookies);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(if asked.https { "https" } else { "http" }));
    let peer = asked.peer.to_canonical().to_string();
    headers.insert(FORWARDED_FOR, HeaderValue::try_from(peer).expect("an address is visible ASCII"));
}

/// What of an app's answer is changed for a browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// The cookie of ours, which no app sets.
    pub(super) cookie: &'a str,
    /// Browsers keep cookies of frames here.
    pub(super) secure_context: bool,
    pub(super) in_frame: bool,
}

/// Makes the fields of an app's answer those of the browser's. In a frame, what the app says of frames is left out: it
/// means sites that steal clicks, and whoever sees a preview was let in by us.
pub(super) fn response(headers: &mut HeaderMap, given: Given<'_>) {
    strip_hops(headers);
    // These speak for other addresses than this one, or for later.
    headers.remove(ALT_SVC);
    headers.remove(STRICT_TRANSPORT_SECURITY);
    let cookies: Vec<HeaderValue> =
        headers.get_all(SET_COOKIE).iter().filter_map(|said| of_one_host(said, given)).collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
    if given.in_frame {
        headers.remove(X_FRAME_OPTIONS);
        let policies: Vec<HeaderValue> =
            headers.get_all(CONTENT_SECURITY_POLICY).iter().filter_map(framed_by_all).collect();
        headers.remove(CONTENT_SECURITY_POLICY);
        for policy in policies {
            headers.append(CONTENT_SECURITY_POLICY, policy);
        }
    }
    headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
}

/// Whether `Connection` names a field.
fn names(headers: &HeaderMap, field: &str) -> bool {
    let said = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case(field))
}

fn strip_hops(headers: &mut HeaderMap) {
    let said = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        said.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.into_iter().filter(|name| name != HOST).chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The values of one cookie of a request (RFC 6265 section 4.2).
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(of, _)| *of == name).map(|(_, value)| value)
}

fn without(all: &HeaderValue, name: &str) -> Option<HeaderValue> {
    let Ok(text) = all.to_str() else { return Some(all.clone()) };
    let is_ours = |pair: &&str| pair.trim().split_once('=').is_some_and(|(of, _)| of == name);
    if !text.split(';').any(|pair| is_ours(&pair)) {
        return Some(all.clone());
    }
    let rest: Vec<&str> = text.split(';').filter(|pair| !is_ours(pair)).map(str::trim).collect();
    if rest.is_empty() { None } else { HeaderValue::try_from(rest.join("; ")).ok() }
}

/// The cookie of an app without a `Domain`, so that it is its own origin's alone; `None` if it takes our cookie's name.
///
/// In the IDE's pane an app is a frame of another site, whose cookies browsers keep only if they are said to be for that
/// place (CHIPS, `Partitioned`). Requests of other sites, from which `SameSite` protects, are sent in another partition,
/// and changing ones are refused.
fn of_one_host(said: &HeaderValue, given: Given<'_>) -> Option<HeaderValue> {
    // Cookies may be any bytes; attributes are ASCII.
    let bytes = said.as_bytes();
    let mut parts = bytes.split(|byte| *byte == b';');
    let pair = parts.next()?;
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    if name == given.cookie.as_bytes() {
        return None;
    }
    let (dropped, added): (&[&str], &[&[u8]]) = if given.secure_context {
        (&["domain", "samesite", "secure", "partitioned"], &[b" Secure", b" SameSite=None", b" Partitioned"])
    } else {
        (&["domain"], &[])
    };
    let is_dropped = |part: &&[u8]| {
        let name = part.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        dropped.iter().any(|dropped| name.eq_ignore_ascii_case(dropped.as_bytes()))
    };
    let kept = [pair].into_iter().chain(parts.filter(|part| !is_dropped(part))).chain(added.iter().copied());
    HeaderValue::from_bytes(&kept.collect::<Vec<_>>().join(&b';')).ok()
}

/// A policy without what it says of frames around the page; `None` if nothing else is in it.
fn framed_by_all(policy: &HeaderValue) -> Option<HeaderValue> {
    let Ok(text) = policy.to_str() else { return Some(policy.clone()) };
    let is_of_frames = |directive: &&str| {
        let name = directive.trim().split_ascii_whitespace().next().unwrap_or_default();
        name.eq_ignore_ascii_case("frame-ancestors")
    };
    // Several policies in one field are parted by commas, which no directive holds.
    let policies = text.split(',').map(|policy| {
        let rest: Vec<&str> = policy.split(';').filter(|directive| !is_of_frames(directive)).map(str::trim).collect();
        rest.join("; ")
    });
    let policies: Vec<String> = policies.filter(|policy| !policy.trim_matches([';', ' ']).is_empty()).collect();
    if policies.is_empty() { None } else { HeaderValue::try_from(policies.join(", ")).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "embedenv_preview";

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn all(headers: &HeaderMap) -> Vec<String> {
        let mut all: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        all.sort();
        all
    }

    fn asked() -> Asked<'static> {
        Asked { peer: "::ffff:192.0.2.7".parse().unwrap(), https: true, cookie: OURS }
    }

    #[test]
    fn nothing_of_ours_and_nothing_forged_reaches_the_app() {
        let mut fields = headers(&[
            ("host", "3000-x.preview.example"),
            ("cookie", "a=1; embedenv_preview=1.secret; b=2"),
            ("cookie", "embedenv_preview=2.secret"),
            ("x-embedenv-preview", "3.secret"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "for=evil"),
            ("x-real-ip", "203.0.113.9"),
            ("connection", "keep-alive, x-hop, host"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("origin", "https://3000-x.preview.example"),
        ]);
        request(&mut fields, asked());
        assert_eq!(
            all(&fields),
            [
                "cookie: a=1; b=2",
                "host: 3000-x.preview.example",
                "origin: https://3000-x.preview.example",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-host: 3000-x.preview.example",
                "x-forwarded-proto: https",
            ]
        );
    }

    #[test]
    fn an_upgrade_keeps_what_it_needs() {
        let mut fields = headers(&[
            ("host", "h"),
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-key", "k"),
        ]);
        request(&mut fields, asked());
        let kept = all(&fields);
        for field in ["connection: upgrade", "upgrade: websocket", "host: h", "sec-websocket-key: k"] {
            assert!(kept.contains(&field.to_owned()), "{kept:?}");
        }
        let mut fields = headers(&[("upgrade", "websocket")]);
        request(&mut fields, asked());
        assert!(!fields.contains_key(UPGRADE), "no upgrade that the connection doesn't name");
    }

    #[test]
    fn nothing_of_the_app_reaches_beyond_its_origin() {
        let mut fields = headers(&[
            ("set-cookie", "a=1; Domain=preview.example; Path=/"),
            ("set-cookie", "b=2;DOMAIN = x;HttpOnly"),
            ("set-cookie", "embedenv_preview=evil"),
            ("set-cookie", " embedenv_preview =evil; Path=/"),
            ("alt-svc", "h3=\":443\""),
            ("strict-transport-security", "max-age=1; includeSubDomains"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", "default-src 'self'; frame-ancestors 'none'"),
            ("content-security-policy", "Frame-Ancestors 'self'"),
            ("keep-alive", "timeout=5"),
        ]);
        let mut framed = fields.clone();
        let mut secure = fields.clone();
        let given = |secure_context, in_frame| Given { cookie: OURS, secure_context, in_frame };
        response(&mut fields, given(false, false));
        assert_eq!(
            all(&fields),
            [
                "content-security-policy: Frame-Ancestors 'self'",
                "content-security-policy: default-src 'self'; frame-ancestors 'none'",
                "set-cookie: a=1; Path=/",
                "set-cookie: b=2;HttpOnly",
                "x-frame-options: DENY",
                "x-robots-tag: noindex",
            ]
        );
        response(&mut secure, given(true, false));
        assert_eq!(
            all(&secure)[2..4],
            [
                "set-cookie: a=1; Path=/; Secure; SameSite=None; Partitioned",
                "set-cookie: b=2;HttpOnly; Secure; SameSite=None; Partitioned",
            ]
        );
        response(&mut framed, given(false, true));
        assert_eq!(
            all(&framed),
            [
                "content-security-policy: default-src 'self'",
                "set-cookie: a=1; Path=/",
                "set-cookie: b=2;HttpOnly",
                "x-robots-tag: noindex",
            ]
        );
    }
}
