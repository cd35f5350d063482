//! The name of one request: in its log lines and spans, in `x-zephyr-request-id` of its answer, and in
//! the body of an error of ours.
//!
//! It is ours alone: an endpoint's own `request-id` passes unchanged beside it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

/// The name of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    run: u32,
    number: u64,
}

/// Gives out the names of a run.
#[derive(Debug)]
pub struct RequestIds {
    /// Tells this run from others, so that names of yesterday's log are not given again.
    run: u32,
    last: AtomicU64,
}

impl RequestIds {
    /// Names that no other run gives out, as far as chance goes.
    pub fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            run: u32::try_from(random >> 32).unwrap_or_default(),
            last: AtomicU64::new(0),
        }
    }

    /// The next one.
    pub fn next(&self) -> RequestId {
        RequestId {
            run: self.run,
            number: self.last.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl RequestId {
    /// Its place among the names of its run.
    pub fn number(self) -> u64 {
        self.number
    }

    /// As the value of a header.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_maybe_shared(bytes::Bytes::from(self.to_string()))
            .expect("hexadecimal digits are valid in a header")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:06x}", self.run, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ_within_a_run_and_between_runs() {
        let (one, other) = (RequestIds::new(), RequestIds::new());

        let names = [one.next(), one.next(), other.next()].map(|id| id.to_string());

        assert_eq!(names[0].len(), 14);
        assert_ne!(names[0], names[1]);
        assert_ne!(names[0], names[2]);
        assert_eq!(one.next().header().to_str().unwrap().len(), 14);
    }
}
