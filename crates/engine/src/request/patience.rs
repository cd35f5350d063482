//! How long an answer may take to begin.
//!
//! A stream has `failover.first_event_timeout_seconds`; an answer without a stream has the time that the
//! client itself waits. Both times start at the last byte of the request: an endpoint cannot answer while the
//! upload goes on. A client that stops sending has `failover.idle_timeout_seconds`.
//!
//! A stream that has begun is held until its first content, for at most half of the time that the client
//! waits, counted from the request. The other half is left for the rest. During this time the stream may be
//! silent for `failover.idle_timeout_seconds`.

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

/// How long Zephyr waits for an answer without a stream if the client does not say: the default of the SDKs.
const UNSAID: Duration = Duration::from_secs(600);
/// The longest wait, whatever a client says.
const MOST: Duration = Duration::from_secs(24 * 3600);
/// The longest time that a stream is held until its first content: Claude Code gives up after 300 s without a
/// byte.
const LONGEST_HOLD: Duration = Duration::from_secs(240);

/// How long the client waits, in seconds. The SDKs send it.
const STAINLESS_TIMEOUT: HeaderName = HeaderName::from_static("x-stainless-timeout");

/// How long the answers to one request may take to begin.
pub struct Patience {
    trail: Arc<Trail>,
    upload: Upload,
    /// How long the client waits for an answer without a stream.
    of_client: Duration,
    /// Until when a stream that has begun is held before its first content.
    hold_until: Instant,
    /// Whether the client sent that time.
    is_told: bool,
    first_event: Duration,
    idle: Duration,
}

impl Patience {
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

    /// Waits for `future` no longer than an answer may take to begin. `began`: when the attempt began.
    pub async fn within<T>(
        &self,
        began: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let mut future = pin!(future);
        // Whether a stream was asked for is looked up only after the shorter of the two times.
        let mut deadline = began + self.shortest();
        loop {
            tokio::select! {
                biased;
                result = &mut future => return Ok(result),
                () = tokio::time::sleep_until(deadline.into()) => deadline = self.extended(began)?,
            }
        }
    }

    /// Waits for the next piece of a stream that has begun and is held before its first content. `None`: the
    /// time for that is over.
    ///
    /// # Errors
    ///
    /// The endpoint is silent for too long.
    pub async fn for_content<T>(&self, next: impl Future<Output = T>) -> Result<Option<T>, Fault> {
        let now = Instant::now();
        // Checked here too: while pings keep coming, the timer below never fires.
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
                // The upload may end in between. The endpoint's time starts then.
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

    /// Whether a stream is asked for. `None`: the body is not here yet, or is not kept. This is looked up
    /// only when it is needed, because `stream` is at the end of Claude Code's long bodies.
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

/// How long a client with these headers waits for an answer without a stream.
fn of_client(headers: &HeaderMap) -> Duration {
    let told = headers
        .get(STAINLESS_TIMEOUT)
        .and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|told| !told.is_zero())
        .map_or(UNSAID, |told| told.min(MOST))
}
