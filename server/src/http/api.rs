//! The REST API under `/api/v1`: what the holder of a key pair does from a backend, and what people do in the console. JSON in and out, errors as problem
//! details, described by the OpenAPI document that is made from these very handlers.
//!
//! Translates and nothing else: whose a room is and what may be done are the registry's and the ledger's.

mod account;
mod asked;
mod commands;
mod credits;
mod execute;
mod files;
mod join_keys;
mod keys;
pub(super) mod mails;
mod operators;
mod paging;
mod pair;
mod payments;
pub(super) mod rates;
mod reference;
mod rooms;
mod server;
mod sessions;
mod webhooks;
mod widgets;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::Doors;
use super::headers::PagePolicy;
use super::problem;
use rates::Rates;
use reference::Reference;

/// The longest body of a request, in bytes: a widget's project, written as JSON.
const MAX_BODY: usize = 4 * 1024 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Embedenv",
        description = "Rooms with their files, commands and join keys, and widgets, for the holder of a key pair; accounts, sessions and key pairs for people in the console. Times are milliseconds since 1970.",
        license(name = "Apache-2.0 OR MIT")
    ),
    security(("pair" = []), ("session" = [])),
    components(schemas(problem::Details)),
    modifiers(&Schemes)
)]
struct Document;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let pair = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("The public key as the user, the secret key as the password."));
        let session = ApiKeyValue::with_description(
            pair::COOKIE_NAME,
            "Set by logging in. Whatever changes something says the session's `page_token` in `X-Embedenv-Page`, too.",
        );
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("pair", SecurityScheme::Http(pair.build()));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    }
}

/// What every address may answer instead: a problem.
struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |description: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
            RefOr::T(response.build())
        };
        let asked = problem("Not done: the request is wrong, the pair unknown, or there is no such thing.");
        BTreeMap::from([("4XX".to_owned(), asked), ("5XX".to_owned(), problem("Not done: the server can't now."))])
    }
}

fn described() -> (Router<Doors>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(sessions::door))
        .routes(routes!(sessions::sign_up))
        .routes(routes!(sessions::confirm))
        .routes(routes!(sessions::set_up))
        .routes(routes!(sessions::list, sessions::log_in))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::show, sessions::log_out))
        .routes(routes!(sessions::forget))
        .routes(routes!(sessions::reset))
        .routes(routes!(account::show, account::change, account::close))
        .routes(routes!(account::change_password))
        .routes(routes!(account::export))
        .routes(routes!(account::audit))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::change, keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(operators::list))
        .routes(routes!(operators::grant))
        .routes(routes!(operators::invite))
        .routes(routes!(server::show))
        .routes(routes!(server::examine))
        .routes(routes!(server::begin, server::end))
        .routes(routes!(pair::show))
        .routes(routes!(credits::list))
        .routes(routes!(credits::usage))
        .routes(routes!(rooms::list, rooms::open))
        .routes(routes!(rooms::show, rooms::change, rooms::end))
        .routes(routes!(join_keys::list, join_keys::mint))
        .routes(routes!(join_keys::revoke))
        .routes(routes!(files::projects, files::plant))
        .routes(routes!(files::entries))
        .routes(routes!(files::read, files::write, files::delete).layer(DefaultBodyLimit::max(files::MAX_FILE)))
        .routes(routes!(files::create_folder))
        .routes(routes!(files::relocate))
        .routes(routes!(commands::run))
        .routes(routes!(widgets::list, widgets::create))
        .routes(routes!(widgets::revoke))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::revoke))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::redeliver))
        .routes(routes!(payments::pay))
        .split_for_parts()
}

/// The API, its description for programs at `/api/v1/openapi.json`, and the same for people at `/api`.
pub(super) fn routes(rates: Arc<Rates>, pages: Arc<PagePolicy>) -> Router<Doors> {
    let (router, document) = described();
    let written = serde_json::to_value(&document).expect("the description always serialises");
    let reference = Arc::new(Reference::of(&written));
    router
        .route("/api", get(async move || reference.answer(&pages)))
        .route("/api/v1/openapi.json", get(async move || axum::Json(document)))
        .merge(execute::routes())
        .method_not_allowed_fallback(problem::other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(rates, rates::guard))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_as_it_was_looked_at() {
        let made = super::described().1.to_pretty_json().unwrap() + "\n";
        let kept = include_str!("../../../docs/openapi.json");
        if made != kept {
            let folder = std::env::temp_dir().join("openapi.json");
            std::fs::write(&folder, &made).unwrap();
            panic!("the API is described otherwise now: {} is to become docs/openapi.json", folder.display());
        }
    }
}
