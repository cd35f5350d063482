//! Signing a browser in.
//!
//! | path | answers |
//! | --- | --- |
//! | `POST /api/v1/session/codes` | a code, for a program that knows the admin token |
//! | `POST /api/v1/session` | exchanges it: `{"code":"…"}`; sets the cookie, 204; 401 if the code is not good |
//! | `GET /api/v1/session` | 204 with a session (or the token), 401 without: whether a page is signed in |
//! | `DELETE /api/v1/session` | ends the session, 204 |
//!
//! The program opens the page with `#code=` and the code. The page exchanges it before it asks anything.
//!
//! The cookie is for this host and the API's paths only, no script reads it, and no request that
//! another site began carries it. Cookies know no ports, so its name has the port in it.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{COOKIE, HeaderMap, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::Api;
use super::commands::read;
use super::failure::Failure;
use super::guard;

/// Where codes are exchanged, and sessions are asked for.
pub(super) const SESSION: &str = "/api/v1/session";
/// Where a program gets a code.
pub(crate) const CODES: &str = "/api/v1/session/codes";
/// What stands between the page's address and the code. What is behind a `#` is sent to nobody.
pub(crate) const FRAGMENT: &str = "/#code=";

/// A code that a browser can be signed in with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Code {
    /// What is to stand behind the [`FRAGMENT`].
    pub(crate) code: String,
}

/// A session cannot beget sessions: this takes the token.
pub(super) async fn code(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    guard::admit_bearer(&headers, &api.token)?;
    if !api.has_page {
        return Err(Failure::NoPage);
    }
    let code = api.visitors.code(Instant::now())?;
    Ok(axum::Json(Code { code }).into_response())
}

pub(super) async fn exchange(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    guard::admit_same_origin(&headers)?;
    let Code { code } = read(body, "a code to sign in with").await?;
    let session = api.visitors.exchange(&code, Instant::now())?;
    let session = session.ok_or(Failure::NoCode)?;
    Ok((StatusCode::NO_CONTENT, cookie(&api, &session, "")).into_response())
}

/// The guard has let it pass.
pub(super) async fn session() -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(super) async fn end(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    for session in presented(&headers, api.port) {
        api.visitors.forget(session, Instant::now());
    }
    (StatusCode::NO_CONTENT, cookie(&api, "", "; Max-Age=0")).into_response()
}

/// Whether the request carries a session.
pub(super) fn admit(api: &Api, headers: &HeaderMap) -> bool {
    let now = Instant::now();
    presented(headers, api.port).any(|session| api.visitors.admit(session, now))
}

fn presented(headers: &HeaderMap, port: u16) -> impl Iterator<Item = &str> {
    let name = name(port);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(move |cookie| {
            let (this, value) = cookie.trim().split_once('=')?;
            (this == name).then_some(value)
        })
}

fn cookie(api: &Api, session: &str, more: &str) -> [(http::HeaderName, HeaderValue); 1] {
    let name = name(api.port);
    let cookie = format!("{name}={session}; Path=/api/v1; HttpOnly; SameSite=Strict{more}");
    let value = HeaderValue::from_str(&cookie).expect("a session is hexadecimal");
    [(SET_COOKIE, value)]
}

fn name(port: u16) -> String {
    format!("zephyr-session-{port}")
}
