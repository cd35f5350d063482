//! The journal. Parameters are in the URL, answers are JSON. An export of all requests is written page by
//! page while it is sent, so its size does not matter.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use http::Uri;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use zephyr_control::{ControlError, Paging, RequestFilter, RequestPage};

use super::api::Api;
use super::failure::Failure;
use crate::export::Format;
use crate::protocol::query::Parameters;
use crate::protocol::sign_in::KEY_PARAMETER;

/// Requests that an export reads at a time.
const PAGE: u32 = 1000;

pub(super) async fn requests(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Failure> {
    let mut parameters = Parameters::of(uri.query())?;
    let (filter, paging) = (parameters.filter()?, parameters.paging()?);
    parameters.end()?;
    let page = api.control.requests(filter, paging).await?;
    Ok(axum::Json(page).into_response())
}

pub(super) async fn request(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(|_| Failure::NoNumber)?;
    let detail = api.control.request(id).await?;
    Ok(axum::Json(detail).into_response())
}

pub(super) async fn usage(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Failure> {
    let mut parameters = Parameters::of(uri.query())?;
    let query = parameters.usage()?;
    parameters.end()?;
    let report = api.control.usage(query).await?;
    Ok(axum::Json(report).into_response())
}

pub(super) async fn history(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Failure> {
    let mut parameters = Parameters::of(uri.query())?;
    let query = parameters.history()?;
    parameters.end()?;
    let history = api.control.history(query).await?;
    Ok(axum::Json(history).into_response())
}

/// The newest requests come first. A failure before the first page is an error. A later one breaks the
/// connection, so nobody takes half a file for the whole.
pub(super) async fn export(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, Failure> {
    let mut parameters = Parameters::of(uri.query())?;
    parameters.text(KEY_PARAMETER);
    let (format, filter) = (parameters.format()?, parameters.filter()?);
    parameters.end()?;
    let first = page(&api, &filter, None).await?;
    let file = format!(
        "attachment; filename=\"zephyr-requests.{}\"",
        format.extension()
    );
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, file),
    ];
    let body = Body::from_stream(pieces(api, filter, format, first));
    Ok((headers, body).into_response())
}

async fn page(
    api: &Api,
    filter: &RequestFilter,
    before: Option<u64>,
) -> Result<RequestPage, ControlError> {
    let paging = Paging {
        before,
        after: None,
        limit: Some(PAGE),
    };
    api.control.requests(filter.clone(), paging).await
}

/// The next piece of the file.
enum Next {
    First(RequestPage),
    Before(u64),
    Nothing,
}

fn pieces(
    api: Arc<Api>,
    filter: RequestFilter,
    format: Format,
    first: RequestPage,
) -> impl Stream<Item = Result<Bytes, ControlError>> {
    stream::try_unfold(Next::First(first), move |next| {
        let (api, filter) = (api.clone(), filter.clone());
        async move {
            let (head, page) = match next {
                Next::First(first) => (format.head(), first),
                Next::Before(before) => (String::new(), page(&api, &filter, Some(before)).await?),
                Next::Nothing => return Ok(None),
            };
            let piece = head + &format.lines(&page.requests);
            let next = page.next.map_or(Next::Nothing, Next::Before);
            Ok(Some((Bytes::from(piece), next)))
        }
    })
}
