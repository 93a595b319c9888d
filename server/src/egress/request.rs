//! The proxy's side of HTTP (RFC 9110, 9.3.6 and 7.2; RFC 9112, 3.2): `CONNECT` becomes a tunnel, and a request in
//! absolute form is sent on in origin form, one connection each.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Egress, HEAD, MAX_HEAD, Refusal};

type Body = BoxBody<Bytes, hyper::Error>;

/// Headers that are about one connection and not about the request (RFC 9110, 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
];
const ERROR: &str = "embedenv-error";

/// Answers one connection of a program to the proxy, until either end has ended it.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, egress: Arc<Egress>) {
    let service = service_fn(|request| {
        let egress = egress.clone();
        async move { Ok::<_, Infallible>(answer(request, &egress).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        // A program that sends nonsense or goes away has nobody to be told.
        _ = connection => {}
        () = egress.tasks.closing() => {}
    }
}

async fn answer(request: Request<Incoming>, egress: &Arc<Egress>) -> Response<Body> {
    let answered = if request.method() == Method::CONNECT {
        tunnel(request, egress).await
    } else {
        forward(request, egress).await
    };
    answered.unwrap_or_else(refused)
}

/// Carries bytes both ways, once the program has been told that the host answers.
async fn tunnel(request: Request<Incoming>, egress: &Arc<Egress>) -> Result<Response<Body>, Refusal> {
    let authority = request.uri().authority().ok_or(Refusal::Request)?;
    let port = authority.port_u16().ok_or(Refusal::Request)?;
    let mut outward = egress.connect(authority.host(), port).await?;
    let moved = outward.moved();
    let closing = egress.tasks.clone();
    egress.tasks.spawn("traffic out", async move {
        let carry = async {
            if let Ok(upgraded) = hyper::upgrade::on(request).await {
                // Whichever end breaks, the other is told by the end of its connection.
                let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(upgraded), &mut outward).await;
            }
        };
        tokio::select! {
            () = moved.while_moving(carry) => {}
            () = closing.closing() => {}
        }
    });
    Ok(Response::new(empty()))
}

/// Sends one request on, and its answer back.
async fn forward(request: Request<Incoming>, egress: &Arc<Egress>) -> Result<Response<Body>, Refusal> {
    let uri = request.uri().clone();
    if uri.scheme_str() != Some("http") {
        return Err(Refusal::Request);
    }
    let authority = uri.authority().ok_or(Refusal::Request)?;
    let outward = egress.connect(authority.host(), authority.port_u16().unwrap_or(80)).await?;
    let moved = outward.moved();
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(outward)).await;
    let (mut sender, connection) = handshake.map_err(|_| Refusal::Unreachable)?;
    let closing = egress.tasks.clone();
    egress.tasks.spawn("traffic out", async move {
        tokio::select! {
            () = moved.while_moving(connection) => {}
            () = closing.closing() => {}
        }
    });
    let (mut parts, body) = request.into_parts();
    parts.uri = uri.path_and_query().map(|path| Uri::from(path.clone())).ok_or(Refusal::Request)?;
    remove_hop_by_hop(&mut parts.headers);
    let host = HeaderValue::try_from(authority.as_str()).map_err(|_| Refusal::Request)?;
    parts.headers.insert(header::HOST, host);
    let answer = sender.send_request(Request::from_parts(parts, body)).await;
    let (mut parts, body) = answer.map_err(|_| Refusal::Unreachable)?.into_parts();
    remove_hop_by_hop(&mut parts.headers);
    Ok(Response::from_parts(parts, body.boxed()))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn refused(refusal: Refusal) -> Response<Body> {
    let text = format!("{refusal}\n");
    let mut response = Response::new(Full::from(text).map_err(|never| match never {}).boxed());
    *response.status_mut() = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(HeaderName::from_static(ERROR), HeaderValue::from_static(refusal.code()));
    response
}

fn empty() -> Body {
    Full::new(Bytes::new()).map_err(|never| match never {}).boxed()
}
