//! Why an endpoint was chosen, and why the others were not.

use std::time::{Duration, Instant};

use crate::circuit::Cause;
use crate::endpoint_id::EndpointId;
use crate::latency::Slowness;
use crate::quota::Dry;
use crate::worth::Worth;

/// Why one endpoint is preferred, and why each of the others is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why this endpoint.
    pub why: Why,
    /// Why not each of the others.
    pub others: Vec<(EndpointId, WhyNot)>,
}

/// Why an endpoint was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A person pinned it.
    Pinned,
    /// Nothing has been measured, so it is the first endpoint of the default group.
    FirstChoice,
    /// It is the best by the measurements from before the restart.
    Remembered,
    /// It is faster than the last one by at least the threshold, and by more than both vary.
    Faster {
        /// Its latency.
        to: Duration,
        /// The latency of the last one.
        from: Duration,
    },
    /// It has the best priority of the fit endpoints.
    BestPriority,
    /// It has the best price of the fit endpoints.
    BestPrice,
    /// The last one is not fit any more. This is the best fit endpoint.
    Replaces,
    /// The best of those that are fit for this request, which the preferred one is not.
    StandsIn,
    /// The one before has become slow.
    LeavesSlow(Slowness),
    /// The last one is about to run dry.
    SparesQuota(Dry),
    /// The endpoint that it would go to broke off the last answer to this conversation.
    LeavesBroken,
    /// It is the preferred one.
    InUse,
    /// It is the preferred one, and no other is better.
    NoneBetter,
    /// It is the conversation's home.
    Sticky,
    /// It is the conversation's home. Another endpoint is faster, but that is not worth the cache.
    StaysForCache(Worth),
    /// It is faster than the conversation's home, and that is worth more than the cache.
    WorthMoving(Worth),
    /// It is its turn.
    Turn,
    /// No endpoint is fit. This is the best of those that are out.
    LastResort,
    /// It is half-open, and this attempt finds out how it is.
    Trial,
    /// The answer of the one before is late, so this one is asked as well.
    Beside {
        /// How long that answer has taken so far.
        waited: Duration,
    },
    /// The request lacks its thinking from here on, which others had signed.
    WithoutThinking,
}

/// Why an endpoint was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The request has been there.
    AlreadyTried,
    /// It is switched off.
    Disabled,
    /// It only finishes its attempts.
    Draining,
    /// Its credential was not found.
    NoCredential,
    /// Its circuit is open.
    CircuitOpen {
        /// Why.
        cause: Cause,
        /// Until when, if it ends by itself.
        until: Option<Instant>,
    },
    /// It is half-open, and the one trial is in flight.
    TrialInFlight,
    /// It is half-open, and a probe will find out how it is.
    AwaitingProbe,
    /// It does not serve the model.
    ModelNotServed,
    /// The account's limit for this family of models is used up.
    FamilySpent {
        /// Until when.
        until: Instant,
    },
    /// What its subscription includes is used up, and extra usage is not to be spent.
    SubscriptionSpent {
        /// Until when.
        until: Instant,
    },
    /// Does not take requests as large as this one.
    TooLarge,
    /// It does not admit such clients.
    ClientNotAdmitted,
    /// It refuses this conversation, or the client's own login.
    ConversationRefused,
    /// Only an endpoint with a credential of ours can help.
    NeedsOwnCredential,
    /// Only the conversation's last endpoint can read the thinking.
    NeedsHome,
    /// It broke off the last answer to this conversation.
    BrokeOff,
    /// Its last probe failed.
    ProbeFailed,
    /// It is in a brownout.
    Slow(Slowness),
    /// It is about to run dry.
    RunsDry(Dry),
    /// It is not faster by the threshold.
    NotFaster {
        /// Its latency.
        its: Duration,
        /// The latency of the one chosen.
        chosen: Duration,
    },
    /// It seems to be faster by the threshold, but by less than both vary.
    WithinNoise {
        /// Its latency.
        its: Duration,
        /// The latency of the one chosen.
        chosen: Duration,
        /// The difference that would be enough.
        needed: Duration,
    },
    /// It was not measured, so it cannot be compared.
    NotMeasured,
    /// It has a worse priority.
    LowerPriority,
    /// It is more expensive.
    Dearer,
    /// It is better, but the last switch is too recent.
    Dwelling {
        /// When the dwell is over.
        until: Instant,
    },
    /// It is better, but monitoring is paused.
    Paused,
    /// Another endpoint is pinned.
    NotPinned,
}
