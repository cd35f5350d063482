//! How long an answer may take to begin.
//!
//! A stream has `failover.first_event_timeout_seconds`; an answer without a stream has the time that the
//! client itself waits. Both times start at the last byte of the request: an endpoint cannot answer while the
//! upload goes on. A client that stops sending has `failover.idle_timeout_seconds`.
//!
//! A stream that has begun is held until its first content, for at most half of the time that the client
//! waits, counted from the request. The other half is left for the rest. During this time the stream may be
//! silent for `failover.idle_timeout_seconds`.
//!
//! As long as another endpoint could take the request, these times are only the longest: an endpoint is given
//! up as soon as its own answers say that nothing will come ([`Pace`]), and one attempt never uses up the time
//! that the client waits.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderName};
use zephyr_core::classify::Fault;
use zephyr_core::config::{Failover, Hedge};
use zephyr_core::latency::Pace;
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
/// The share of the time that its client still waits which a stream may take to begin.
const SHARE_OF_STREAM: f64 = 1.0 / 2.0;
/// The same for an answer without a stream, whose beginning is its end.
const SHARE_OF_WHOLE: f64 = 2.0 / 3.0;
/// No attempt gets less than this, however little is left.
const LEAST_SHARE: Duration = Duration::from_secs(2);

/// How long the client waits, in seconds. The SDKs send it.
const STAINLESS_TIMEOUT: HeaderName = HeaderName::from_static("x-stainless-timeout");

/// How long the answers to one request may take to begin.
pub struct Patience {
    trail: Arc<Trail>,
    upload: Upload,
    /// How long the client waits for an answer without a stream.
    of_client: Duration,
    /// Whether the client sent that time.
    is_told: bool,
    /// Until when a stream that has begun is held before its first content.
    hold_until: Instant,
    first_event: Duration,
    idle: Duration,
    hedge: Hedge,
    /// Whether one attempt must leave time for another.
    shares: bool,
    /// Whether a request that was sent may be sent once more.
    may_repeat: bool,
}

/// What bounds one attempt.
#[derive(Clone)]
pub struct Bounds {
    /// When it began.
    pub began: Instant,
    /// The body that it sends.
    pub upload: Upload,
    /// How long its endpoint may take.
    pub pace: Pace,
    /// No other endpoint could take the request when it began, so nothing is gained by giving this one up.
    pub is_last: bool,
    /// The place of the attempt in the trail.
    pub leg: usize,
}

impl Bounds {
    /// When the endpoint had the last byte of the request, as far as it has been sent.
    pub fn sent(&self) -> Sent {
        match self.upload.progress() {
            Progress::Sent { last } => Sent::At(self.began.max(last)),
            Progress::AwaitsClient { since } => Sent::NotYet { since },
        }
    }
}

/// How far a request has been sent.
pub enum Sent {
    /// The endpoint had the last byte then.
    At(Instant),
    /// The client has sent nothing more since then.
    NotYet {
        /// When its last piece came.
        since: Instant,
    },
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
            hedge: failover.hedge,
            shares: failover.patience == zephyr_core::config::Patience::Auto,
            may_repeat: failover.retry_sent_requests,
        }
    }

    /// Whether the client says how long it waits, as the SDKs do.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Waits for `future` no longer than an answer may take to begin.
    ///
    /// # Errors
    ///
    /// The time is over.
    pub async fn within<T>(
        &self,
        bounds: &Bounds,
        future: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let mut future = pin!(future);
        // Whether a stream was asked for is looked up only after the shorter of the two times.
        let mut deadline = bounds.began + self.shortest(bounds);
        loop {
            tokio::select! {
                biased;
                result = &mut future => return Ok(result),
                () = tokio::time::sleep_until(deadline.into()) => deadline = self.extended(bounds)?,
            }
        }
    }

    /// Waits for the next piece of a stream that has begun and is held before its first content. `None`: the
    /// time for that is over.
    ///
    /// # Errors
    ///
    /// The endpoint is silent for too long.
    pub async fn for_content<T>(
        &self,
        bounds: &Bounds,
        next: impl Future<Output = T>,
    ) -> Result<Option<T>, Fault> {
        let now = Instant::now();
        let learned = bounds.pace.begin.filter(|_| !self.is_last(bounds));
        let given_up = match bounds.sent() {
            Sent::At(sent) => learned.map(|time| (sent + time, Fault::TimedOut(time))),
            Sent::NotYet { .. } => None,
        };
        let silent = (now + self.idle, Fault::Stalled(self.idle));
        let (until, fault) = match given_up {
            Some(given_up) if given_up.0 < silent.0 => given_up,
            Some(_) | None => silent,
        };
        // Checked here too: while pings keep coming, the timer below never fires.
        if self.hold_until <= now {
            return Ok(None);
        }
        if until <= now {
            return Err(fault);
        }
        match tokio::time::timeout_at(until.min(self.hold_until).into(), next).await {
            Ok(next) => Ok(Some(next)),
            Err(_) if until < self.hold_until => Err(fault),
            Err(_) => Ok(None),
        }
    }

    /// How long the answer of an attempt may take, from the last byte of the request on, before another
    /// endpoint is asked as well. `None`: that is unknown, or not wanted.
    pub fn late(&self, pace: &Pace) -> Option<Duration> {
        match self.hedge {
            Hedge::Off => None,
            Hedge::After(time) => Some(time),
            Hedge::Auto if self.wants_stream()? => Some(pace.late),
            Hedge::Auto => pace.late_whole,
        }
    }

    /// The shortest time after which an answer may be late. `None`: no other endpoint is ever asked beside this
    /// one.
    pub fn soonest_late(&self, bounds: &Bounds) -> Option<Duration> {
        if self.trail.kind != CallKind::Messages || bounds.is_last {
            return None;
        }
        match self.hedge {
            Hedge::Off => None,
            Hedge::After(time) => Some(time),
            Hedge::Auto => {
                let whole = bounds.pace.late_whole.unwrap_or(Duration::MAX);
                Some(bounds.pace.late.min(whole))
            }
        }
    }

    /// Until when to wait further.
    fn extended(&self, bounds: &Bounds) -> Result<Instant, Fault> {
        let now = Instant::now();
        match bounds.sent() {
            Sent::NotYet { since } => {
                let until = since + self.idle;
                if until <= now {
                    bounds.upload.give_up();
                    return Err(Fault::TimedOut(self.idle));
                }
                // The upload may end in between. The endpoint's time starts then.
                Ok(until.min(now + self.shortest(bounds)))
            }
            Sent::At(sent) => {
                let patience = self.whole(bounds, sent);
                let until = sent + patience;
                if until <= now {
                    return Err(Fault::TimedOut(patience));
                }
                Ok(until)
            }
        }
    }

    fn shortest(&self, bounds: &Bounds) -> Duration {
        let stream = self.limit(bounds, bounds.began, true);
        stream.min(self.limit(bounds, bounds.began, false))
    }

    fn whole(&self, bounds: &Bounds, sent: Instant) -> Duration {
        let is_stream = self.trail.kind == CallKind::Messages && self.wants_stream() == Some(true);
        self.limit(bounds, sent, is_stream)
    }

    /// Whether no other endpoint can take the request.
    fn is_last(&self, bounds: &Bounds) -> bool {
        if bounds.is_last || !self.may_repeat || !bounds.upload.is_replayable() {
            return true;
        }
        let legs = &self.trail.notes().legs;
        legs.get(bounds.leg).is_some_and(|leg| leg.is_last)
    }

    /// How long an answer may take to begin whose request was sent then.
    fn limit(&self, bounds: &Bounds, sent: Instant, is_stream: bool) -> Duration {
        let longest = if is_stream {
            self.first_event
        } else {
            self.of_client
        };
        if self.is_last(bounds) {
            return longest;
        }
        // The time of an answer without a stream is that of its length, so it says nothing about the next one.
        let learned = bounds.pace.begin.filter(|_| is_stream);
        let share = if is_stream {
            SHARE_OF_STREAM
        } else {
            SHARE_OF_WHOLE
        };
        let waited = sent.saturating_duration_since(self.trail.begun.instant());
        let left = self.of_client.saturating_sub(waited);
        // A client that still waits after its time waits for something else.
        let shared = (self.shares && !left.is_zero()).then(|| left.mul_f64(share).max(LEAST_SHARE));
        let limits = [learned, shared].into_iter().flatten();
        limits.fold(longest, Duration::min)
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
