//! How long an answer may take to begin.
//!
//! A stream has `failover.first_event_timeout_seconds`; an answer that is not streamed has the client's own
//! patience. Both run from the last byte of the request: an upload that advances cannot have been answered.
//! A client that sends nothing more has `failover.idle_timeout_seconds`.
//!
//! A stream that has begun is held for its content for half of the client's patience, counted from the
//! request, so that the other half is left for what comes after; meanwhile it may be silent for
//! `failover.idle_timeout_seconds`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderName};
use zephyr_core::classify::Fault;
use zephyr_core::config::Failover;
use zephyr_core::profile::{CallKind, Profile};

use super::trail::Trail;
use super::upload::{Progress, Upload};

/// How long an answer that is not streamed is waited for, where the client does not say: the SDKs' own
/// default.
const UNSAID: Duration = Duration::from_secs(600);
/// Nobody waits longer, whatever a client says.
const MOST: Duration = Duration::from_secs(24 * 3600);
/// No stream is held longer for its content: Claude Code gives up after 300 s without a byte.
const LONGEST_HOLD: Duration = Duration::from_secs(240);

/// In seconds, from the SDKs: how long the client waits.
const STAINLESS_TIMEOUT: HeaderName = HeaderName::from_static("x-stainless-timeout");

/// How long the answers to one request may take to begin.
pub struct Patience {
    trail: Arc<Trail>,
    upload: Upload,
    /// How long the client waits for an answer that is not streamed.
    of_client: Duration,
    /// Until when a stream that has begun is held for its content.
    hold_until: Instant,
    /// Whether the client said so.
    is_told: bool,
    first_event: Duration,
    idle: Duration,
}

impl Patience {
    /// For a request with these headers.
    pub fn of(headers: &HeaderMap, failover: &Failover, trail: Arc<Trail>, upload: Upload) -> Self {
        let of_client = of_client(headers);
        Self {
            upload,
            of_client,
            hold_until: trail.begun.instant() + (of_client / 2).min(LONGEST_HOLD),
            trail,
            is_told: headers.contains_key(STAINLESS_TIMEOUT),
            first_event: failover.first_event_timeout,
            idle: failover.idle_timeout,
        }
    }

    /// Whether the client says how long it waits, as the SDKs do.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Waits for `future` as long as the answer to an attempt that began then may take to begin.
    pub async fn within<T>(
        &self,
        began: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let mut future = pin!(future);
        // Whether a stream is asked for is found out when it matters: after the shorter of the two.
        let mut deadline = began + self.shortest();
        loop {
            tokio::select! {
                biased;
                result = &mut future => return Ok(result),
                () = tokio::time::sleep_until(deadline.into()) => deadline = self.extended(began)?,
            }
        }
    }

    /// Waits for the next piece of a stream that has begun, as long as it is held for its content; `None`:
    /// that time is over.
    ///
    /// # Errors
    ///
    /// The endpoint is silent for too long.
    pub async fn for_content<T>(&self, next: impl Future<Output = T>) -> Result<Option<T>, Fault> {
        let now = Instant::now();
        // Looked at here too: pings without pause would keep the timer from being asked.
        if self.hold_until <= now {
            return Ok(None);
        }
        let silent = now + self.idle;
        match tokio::time::timeout_at(silent.min(self.hold_until).into(), next).await {
            Ok(next) => Ok(Some(next)),
            Err(_) if silent < self.hold_until => Err(Fault::Stalled(self.idle)),
            Err(_) => Ok(None),
        }
    }

    /// Until when to wait further.
    fn extended(&self, began: Instant) -> Result<Instant, Fault> {
        let now = Instant::now();
        match self.upload.progress() {
            Progress::AwaitsClient { since } => {
                let until = since + self.idle;
                if until <= now {
                    self.upload.give_up();
                    return Err(Fault::TimedOut(self.idle));
                }
                // The upload may end in between, and the endpoint's time begins then.
                Ok(until.min(now + self.shortest()))
            }
            Progress::Sent { last } => {
                let patience = self.whole();
                let until = began.max(last) + patience;
                if until <= now {
                    return Err(Fault::TimedOut(patience));
                }
                Ok(until)
            }
        }
    }

    fn shortest(&self) -> Duration {
        self.first_event.min(self.of_client)
    }

    fn whole(&self) -> Duration {
        if self.trail.kind == CallKind::Messages && self.wants_stream() == Some(true) {
            self.first_event
        } else {
            self.of_client
        }
    }

    /// Whether a stream is asked for; `None` if nobody can tell, since the body is not here, or not kept.
    /// Looked for only when it matters: `stream` stands at the end of Claude Code's long bodies.
    pub fn wants_stream(&self) -> Option<bool> {
        let asked = &self.trail.stream;
        if asked.get().is_none() && self.upload.is_whole() {
            asked.get_or_init(|| {
                Profile::stream_at_end(&self.upload.ending())
                    .unwrap_or_else(|| Profile::wants_stream(&self.upload.peek()))
            });
        }
        asked.get().copied()
    }
}

/// How long a client with these headers waits for an answer that is not streamed.
fn of_client(headers: &HeaderMap) -> Duration {
    let told = headers
        .get(STAINLESS_TIMEOUT)
        .and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|told| !told.is_zero())
        .map_or(UNSAID, |told| told.min(MOST))
}
