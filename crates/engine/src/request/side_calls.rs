//! Which side calls leave a record.
//!
//! The API itself lies under `/v1`. Clients also call a greeting (`/api/hello`), telemetry and the like, some
//! of them all the time. One record of each kind per minute says as much as a hundred. All of them are still
//! counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use zephyr_core::profile::CallKind;

use super::trail::Trail;

/// Time between two records of one kind.
const SPAN: Duration = Duration::from_secs(60);
/// The most kinds that are remembered at once: clients choose the paths.
const MOST: usize = 60;

/// When each kind last left a record.
#[derive(Debug, Default)]
pub struct SideCalls(Mutex<HashMap<Kind, Instant>>);

/// Side calls that count as the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    method: Method,
    path: String,
    status: Option<StatusCode>,
}

impl SideCalls {
    /// Whether a request that ended with this status leaves a record. If it does, that is noted. A request
    /// that is no side call always leaves one.
    pub fn is_to_be_recorded(
        &self,
        trail: &Trail,
        status: Option<StatusCode>,
        now: Instant,
    ) -> bool {
        if !is_side_call(trail.kind, &trail.path) {
            return true;
        }
        self.is_first(
            Kind {
                method: trail.method.clone(),
                path: trail.path.to_string(),
                status,
            },
            now,
        )
    }

    fn is_first(&self, kind: Kind, now: Instant) -> bool {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, left| now.saturating_duration_since(*left) < SPAN);
        let is_first = !recent.contains_key(&kind) && recent.len() < MOST;
        if is_first {
            recent.insert(kind, now);
        }
        is_first
    }
}

fn is_side_call(kind: CallKind, path: &str) -> bool {
    kind == CallKind::Other && !path.contains("/v1/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_call_of_the_api_is_a_side_call() {
        for (method, path, expected) in [
            ("HEAD", "/api/hello", true),
            ("HEAD", "/", true),
            ("POST", "/api/event_logging/batch", true),
            ("POST", "/api/claude_code/metrics", true),
            ("GET", "/relay/api/hello", true),
            ("POST", "/v1/messages", false),
            ("POST", "/v1/messages/count_tokens", false),
            ("POST", "/v1/messages/batches", false),
            ("GET", "/v1/models", false),
            ("GET", "/relay/v1/files", false),
        ] {
            let kind = CallKind::of(method, path);
            assert_eq!(is_side_call(kind, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn each_kind_leaves_one_record_a_minute() {
        let (calls, begin) = (SideCalls::default(), Instant::now());
        let kind = |method, path: &str, status| Kind {
            method,
            path: path.to_owned(),
            status: Some(status),
        };
        let recorded = |seconds| {
            let now = begin + Duration::from_secs(seconds);
            let hundredfold = (0..100).flat_map(|_| {
                [
                    kind(Method::HEAD, "/api/hello", StatusCode::OK),
                    kind(Method::GET, "/api/hello", StatusCode::OK),
                    kind(Method::HEAD, "/", StatusCode::OK),
                    kind(Method::HEAD, "/", StatusCode::NOT_FOUND),
                ]
            });
            hundredfold
                .filter_map(|kind| calls.is_first(kind, now).then_some(()))
                .count()
        };

        assert_eq!([0, 30, 59, 60, 119, 120].map(recorded), [4, 0, 0, 4, 0, 4]);
    }

    #[test]
    fn kinds_without_end_leave_few_records() {
        let (calls, now) = (SideCalls::default(), Instant::now());

        let recorded = (0..1000).filter(|number| {
            let kind = Kind {
                method: Method::GET,
                path: format!("/{number}"),
                status: None,
            };
            calls.is_first(kind, now)
        });

        assert_eq!(recorded.count(), MOST);
    }
}
