//! A request that is refused at the door. It gets an error of ours, and leaves a record.

use std::time::Instant;

use http::{HeaderMap, Method, Response, Uri};
use zephyr_control::RequestEnd;
use zephyr_core::config::LogBody;
use zephyr_journal::Entry;

use super::answer::Answer;
use super::record::{self, Got};
use super::request_id::RequestId;
use super::traffic::Traffic;
use super::trail::Trail;
use crate::clients::reply::{self, Code};

pub fn turn_down(
    traffic: &Traffic,
    id: RequestId,
    (method, target, headers): (Method, &Uri, HeaderMap),
    (code, message): (Code, &str),
) -> Response<Answer> {
    let message = traffic.known.redactor().text(message);
    let response = reply::error(code, message.clone()).map(|body| reply::naming(&body, id));
    if traffic.journal.is_kept() && traffic.refusals.is_to_be_recorded(Instant::now()) {
        let trail = Trail::new(id, method, target, headers, LogBody::None, &traffic.known);
        let mut got = Got::nothing(LogBody::None);
        got.take_head(response.status(), response.headers());
        got.bytes = response.body().len() as u64;
        got.error = Some(message.into_string());
        let finished = record::finished(&trail, RequestEnd::Refused, got, None);
        traffic.journal.write(Entry::Request(Box::new(finished)));
    }
    response.map(|body| Answer::Whole(Some(body)))
}
