//! The pages for who knows nothing of this server yet: what it is, its documentation, its playground. `site/` makes them.
//!
//! Some are live: their visitors open rooms by the widget that the configuration names, which the answer tells them. The
//! others are files that are sent as they are.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, Uri};
use axum::response::Redirect;
use axum::routing::get;
use embedenv_shared::code::ErrorCode;

use super::{ASK_FIRST, FOR_AN_HOUR, Site, not_built, preview};
use crate::http::headers::{Page, PagePolicy};
use crate::http::problem::Problem;
use crate::http::quoting::escaped;

/// Stands in live pages where the widget's id goes.
const WIDGET: &str = "{{WIDGET}}";
/// What `/docs` itself shows.
const FIRST_GUIDE: &str = "index";
/// The longest name of a page.
const MAX_NAME: usize = 64;

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.live("index", &uri, &headers)))
        .route(
            "/playground",
            get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.live("playground", &uri, &headers)),
        )
        .route(
            "/playground/templates.json",
            get(async |site: State<Site>, headers: HeaderMap| {
                site.encoded("site/data/templates.json", &headers, FOR_AN_HOUR)
            }),
        )
        .route(
            "/docs",
            get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.guide(FIRST_GUIDE, &uri, &headers)),
        )
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/{page}", get(guide))
        .route("/site/{name}", get(file))
}

async fn guide(
    site: State<Site>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    if name == FIRST_GUIDE {
        return Err(no_page());
    }
    site.guide(&name, &uri, &headers)
}

async fn file(site: State<Site>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    site.hashed("site", &name, &headers)
}

impl Site {
    /// A page whose visitors may open rooms.
    fn live(&self, name: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
        let html = self.html(&format!("site/live/{name}.html"))?;
        let html = preview::with_links(&html, self, uri, headers).replace(WIDGET, &escaped(&self.widget));
        self.with_nonce(&html, |policy, nonce| policy.page(Page::Public, nonce))
    }

    /// A page of the documentation.
    fn guide(&self, name: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.len() > MAX_NAME || !name.bytes().all(is_name) {
            return Err(no_page());
        }
        if (self.file)(&format!("site/live/docs-{name}.html")).is_some() {
            return self.live(&format!("docs-{name}"), uri, headers);
        }
        let path = format!("site/docs/{name}.html");
        if (self.file)(&path).is_none() {
            let is_built = (self.file)("site/live/index.html").is_some();
            return Err(if is_built { no_page() } else { not_built() });
        }
        let mut response = self.encoded(&path, headers, ASK_FIRST)?;
        response.headers_mut().extend(PagePolicy::guide());
        Ok(response)
    }
}

fn no_page() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is no such page; /docs has those there are")
}
