//! Signing a browser in.
//!
//! | path | answers |
//! | --- | --- |
//! | `POST /api/v1/session/codes` | a code, for a program that knows the admin token |
//! | `POST /api/v1/session` | exchanges it: `{"code":"…"}`; sets the cookie, tells the page its key; 401 if the code is not good |
//! | `GET /api/v1/session` | 204 with a session (or the token), 401 without: whether a page is signed in |
//! | `DELETE /api/v1/session` | ends the session, 204 |
//!
//! The program opens the page with `#code=` and the code. The page exchanges it before it asks anything.
//!
//! The cookie is for this host and the API's paths only; no script can read it, and no request of another
//! site carries it. But cookies ignore ports: any other server on this machine gets it with requests for
//! its own `/api/v1`, and could send it here as if it were our page. So a request also has to carry the
//! page's key. The page keeps the key in a store that browsers do separate by port, and sends it as
//! `X-Zephyr-Page`, or as the parameter `page_key` when it cannot add headers: for an event stream and a
//! file that is saved.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{COOKIE, HeaderMap, SET_COOKIE};
use http::{HeaderValue, StatusCode, Uri};

use super::api::Api;
use super::body::read_short;
use super::failure::Failure;
use super::guard;
use super::visitors::{Session, SessionId};
use crate::protocol::path;
use crate::protocol::query::Parameters;
use crate::protocol::sign_in::{Code, KEY, KEY_PARAMETER, Key};

/// A page cannot add headers to these requests.
const WITHOUT_HEADERS: [&str; 2] = [path::EVENTS, path::EXPORT];

/// Only for programs: a session cannot create sessions. The guard sees to that.
pub(super) async fn code(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
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
    let Code { code } = read_short(body, "a code to sign in with").await?;
    let session = api.visitors.exchange(&code, Instant::now())?;
    let Session { cookie: half, key } = session.ok_or(Failure::NoCode)?;
    Ok((cookie(&api, &half, ""), axum::Json(Key { key })).into_response())
}

/// Answers 204: the guard has let the request pass.
pub(super) async fn session() -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(super) async fn end(State(api): State<Arc<Api>>, uri: Uri, headers: HeaderMap) -> Response {
    for session in presented(&uri, &headers, api.port) {
        api.visitors.forget(&session, Instant::now());
    }
    (StatusCode::NO_CONTENT, cookie(&api, "", "; Max-Age=0")).into_response()
}

/// The session that the request carries.
pub(super) fn admit(api: &Api, uri: &Uri, headers: &HeaderMap) -> Option<SessionId> {
    let now = Instant::now();
    let mut sessions = presented(uri, headers, api.port);
    sessions.find_map(|session| api.visitors.admit(&session, now))
}

fn presented(uri: &Uri, headers: &HeaderMap, port: u16) -> impl Iterator<Item = Session> {
    let name = name(port);
    let key = key(uri, headers).unwrap_or_default();
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(move |cookie| {
            let (this, value) = cookie.trim().split_once('=')?;
            (this == name).then(|| Session {
                cookie: value.to_owned(),
                key: key.clone(),
            })
        })
}

fn key(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(key) = headers.get(KEY) {
        return key.to_str().ok().map(str::to_owned);
    }
    if !WITHOUT_HEADERS.contains(&uri.path()) {
        return None;
    }
    Parameters::of(uri.query()).ok()?.text(KEY_PARAMETER)
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
