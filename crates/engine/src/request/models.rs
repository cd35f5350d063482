//! The list of models. Claude Code asks for it once, waits 3 seconds, follows no redirection, and does
//! without it if anything else comes. So every other answer makes the request move on, in time for another
//! endpoint to answer. It does not count against the endpoint, because it says little about conversations.

use std::time::{Duration, Instant};

use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use zephyr_core::classify::Fault;
use zephyr_core::models::{Asked, Listed};

use super::held::{Held, JSON_ANSWER, Next};
use super::outgoing::Outgoing;
use super::patience::Bounds;

/// The time for all endpoints together. The client still gets the answer of the last one.
const IN_ALL: Duration = Duration::from_millis(2_500);
/// Each endpoint gets half of the time that is left, but at least this.
const AT_LEAST: Duration = Duration::from_millis(250);

/// The deadline of an attempt with these bounds, the nth one. `None`: no other endpoint can be asked, so the
/// attempt may take as long as its client waits.
pub fn deadline(outgoing: &Outgoing, bounds: &Bounds, nth: usize) -> Option<Instant> {
    let now = Instant::now();
    let end = outgoing.trail.begun.instant() + IN_ALL;
    let left = end.saturating_duration_since(now);
    if !bounds.is_last && bounds.upload.is_replayable() {
        Some(now + (left / 2).max(AT_LEAST))
    } else if nth > 1 && !outgoing.patience.is_told() {
        // The answers of the other endpoints are better than no answer.
        Some(now + left.max(AT_LEAST))
    } else {
        None
    }
}

/// Holds an answer whose status says success until it is known whether it lists models.
///
/// # Errors
///
/// It lists none. The answer comes along if the client may get it when no endpoint has models.
pub async fn until_listed(
    outgoing: &Outgoing,
    mut held: Box<Held>,
) -> Result<Box<Held>, (Fault, Option<Box<Held>>)> {
    if outgoing.trail.method == Method::HEAD {
        let content_type = held.head.headers.get(CONTENT_TYPE);
        let content_type = content_type.map(HeaderValue::as_bytes);
        return if content_type.is_some_and(|value| value.starts_with(b"text/html")) {
            Err((Fault::Html, None))
        } else {
            Ok(held)
        };
    }
    loop {
        match held.next().await {
            Next::Piece(_) if !held.is_over(JSON_ANSWER) => {}
            // So long an answer can only be a list.
            Next::Piece(_) => return Ok(held),
            Next::End => break,
            Next::Broken(fault) => return Err((fault, None)),
        }
    }
    let body = match held.plain() {
        Ok(Some(body)) => body,
        Ok(None) => return Ok(held), // The encoding cannot be read.
        Err(fault) => return Err((fault, None)),
    };
    match Asked::of(&outgoing.trail.path).judge(&body) {
        Ok(Listed::Models) => Ok(held),
        // The end of a list that the client reads page by page.
        Ok(Listed::Nothing) if is_further_page(outgoing) => Ok(held),
        Ok(Listed::Nothing) => {
            let seen = "expected a list of models, seen an empty one".to_owned();
            Err((Fault::NotMessages(seen), Some(held)))
        }
        Err(fault) => Err((fault, None)),
    }
}

fn is_further_page(outgoing: &Outgoing) -> bool {
    let query = outgoing.target.query().unwrap_or_default();
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    names
        .into_iter()
        .any(|name| matches!(name, "after_id" | "before_id"))
}
