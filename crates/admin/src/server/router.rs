//! The handlers by path, with the checks before them and the headers that all answers get.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::HeaderValue;
use http::header::{self, HeaderMap, HeaderName};

use super::api::Api;
use super::caller::Caller;
use super::failure::Failure;
use super::guard::Rejection;
use super::places::Place;
use super::{commands, confirm, guard, journal, page, sign_in, state};
use crate::protocol::path;

/// The whole API, and the page if it is enabled.
pub(super) fn router(api: Arc<Api>) -> Router {
    let router = Router::new()
        .route(path::SNAPSHOT, get(state::snapshot))
        .route(path::EVENTS, get(state::events))
        .route(path::COMMANDS, post(commands::execute))
        .route(path::CHECK, post(commands::check))
        .route(path::DIAGNOSE, post(commands::diagnose))
        .route(path::CONFIGURATION, get(commands::configuration))
        .route(path::REQUESTS, get(journal::requests))
        .route(path::EXPORT, get(journal::export))
        .route(&format!("{}/{{id}}", path::REQUESTS), get(journal::request))
        .route(path::USAGE, get(journal::usage))
        .route(path::HISTORY, get(journal::history))
        .route(path::TOKEN, get(commands::has_token))
        .route(path::CONFIRMATIONS, get(confirm::waiting))
        .route(
            &format!("{}/{{number}}", path::CONFIRMATIONS),
            get(confirm::standing)
                .post(confirm::settle)
                .delete(confirm::withdraw),
        )
        .route(path::CODES, post(sign_in::code))
        .route(
            path::SESSION,
            get(sign_in::session)
                .post(sign_in::exchange)
                .delete(sign_in::end),
        )
        .route(path::PROOF, get(state::proof))
        .route(path::METRICS, get(state::metrics));
    let router = if api.has_page {
        router.route("/", get(page::index)).fallback(page::other)
    } else {
        router.fallback(unknown_path)
    };
    router
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), require_caller))
        .layer(middleware::from_fn_with_state(api.clone(), require_source))
        .layer(middleware::map_response(harden))
        .with_state(api)
}

async fn require_source(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    match guard::admit_source(request.uri(), request.headers(), api.port) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// Tells who asks, and lets them pass to what they may ask for. A program sends a token. A browser sends a
/// session from our own page.
async fn require_caller(
    State(api): State<Arc<Api>>,
    Extension(place): Extension<Place>,
    mut request: Request,
    next: Next,
) -> Response {
    let (asked, headers) = (request.uri().path(), request.headers());
    let mut caller = guard::caller(headers, &api.tokens);
    let mut rejection = match asked {
        path::METRICS => Rejection::NoMetrics,
        _ => Rejection::Unauthorized,
    };
    if caller == Caller::Nobody
        && let Some(session) = sign_in::admit(&api, request.uri(), headers)
    {
        match guard::admit_same_origin(headers) {
            Ok(()) => caller = Caller::Browser(session),
            Err(foreign) => rejection = foreign,
        }
    }
    let is_scraped = asked == path::METRICS && caller != Caller::Nobody;
    if place.is_foreign() && !is_scraped {
        return Rejection::OtherUser.into_response();
    }
    if !caller.may_ask(request.method(), asked) {
        return rejection.into_response();
    }
    place.belongs_to(caller);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

async fn wrong_method() -> Failure {
    Failure::WrongMethod
}

async fn unknown_path() -> Failure {
    Failure::UnknownPath
}

async fn harden(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HARDENING {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let cached = headers.entry(header::CACHE_CONTROL);
    cached.or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Where the page may take what from. The window of the tray program and the tests of the interface have the
/// same one, except for where commands go.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HARDENING: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::POLICY;

    #[test]
    fn the_window_the_browser_and_the_tests_have_one_policy() {
        let settings = include_str!("../../../../src-tauri/tauri.conf.json");
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        let window: BTreeMap<&str, &str> = settings["app"]["security"]["csp"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, sources)| (name.as_str(), sources.as_str().unwrap()))
            .collect();
        let mut browser: BTreeMap<&str, &str> = POLICY
            .split("; ")
            .map(|directive| directive.split_once(' ').unwrap())
            .collect();
        let played = include_str!("../../../../ui/e2e/played.ts").replace("\" +\n  \"", "");

        assert!(played.contains(POLICY), "{POLICY} is not in played.ts");
        assert_eq!(
            browser.insert("connect-src", window["connect-src"]),
            Some("'self'")
        );
        assert_eq!(window, browser);
        for closed in [
            "base-uri",
            "form-action",
            "frame-ancestors",
            "object-src",
            "default-src",
        ] {
            assert_eq!(browser.get(closed), Some(&"'none'"), "{closed}");
        }
    }
}
