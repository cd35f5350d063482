//! Why an endpoint was chosen, and why the others were not.

use std::time::{Duration, Instant};

use crate::circuit::Cause;
use crate::endpoint_id::EndpointId;
use crate::latency::Slowness;
use crate::quota::Dry;
use crate::worth::Worth;

/// Why one endpoint is preferred, and why each other is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why this one.
    pub why: Why,
    /// Why not each of the others.
    pub others: Vec<(EndpointId, WhyNot)>,
}

/// Why an endpoint was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A person pinned it.
    Pinned,
    /// Nothing has been measured: the first endpoint of the default group.
    FirstChoice,
    /// The best by what was measured before the restart.
    Remembered,
    /// It is faster than the one before by at least the threshold.
    Faster {
        /// Its latency.
        to: Duration,
        /// The latency of the one before.
        from: Duration,
    },
    /// It has the best priority of those that are fit.
    BestPriority,
    /// It has the best price of those that are fit.
    BestPrice,
    /// The best of those that are fit, since the one before no longer is.
    Replaces,
    /// The best of those that are fit for this request, which the preferred one is not.
    StandsIn,
    /// The one before has become slow.
    LeavesSlow(Slowness),
    /// The one before is about to run dry.
    SparesQuota(Dry),
    /// The one it would go to broke off its last answer to this conversation.
    LeavesBroken,
    /// It is the preferred one.
    InUse,
    /// The conversation's home.
    Sticky,
    /// The conversation's home. Another one is faster, but not worth the cache.
    StaysForCache(Worth),
    /// Faster than the conversation's home, by more than the cache is worth.
    WorthMoving(Worth),
    /// It is its turn.
    Turn,
    /// None is fit; it is the best of those that are out.
    LastResort,
    /// Half-open: this attempt finds out.
    Trial,
    /// The request lacks its thinking from here on, which others had signed.
    WithoutThinking,
}

/// Why an endpoint was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The request has been there.
    AlreadyTried,
    /// Switched off.
    Disabled,
    /// It finishes its attempts.
    Draining,
    /// Its credential was not found.
    NoCredential,
    /// Its circuit is open.
    CircuitOpen {
        /// Why.
        cause: Cause,
        /// Until when, if that ends by itself.
        until: Option<Instant>,
    },
    /// Half-open, and the one trial is out.
    TrialInFlight,
    /// Half-open, and a probe will find out.
    AwaitingProbe,
    /// Does not serve the model.
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
    /// Does not admit such clients.
    ClientNotAdmitted,
    /// It does not want this conversation, or not with the client's own login.
    ConversationRefused,
    /// Only an endpoint with a credential of ours can help.
    NeedsOwnCredential,
    /// Only the conversation's last endpoint can read its thinking.
    NeedsHome,
    /// It broke off its last answer to this conversation.
    BrokeOff,
    /// Its last probe failed.
    ProbeFailed,
    /// It is in a brownout.
    Slow(Slowness),
    /// It is about to run dry.
    RunsDry(Dry),
    /// Not faster by the threshold.
    NotFaster {
        /// Its latency.
        its: Duration,
        /// The latency of the one chosen.
        chosen: Duration,
    },
    /// It was not measured, so it cannot be compared.
    NotMeasured,
    /// A worse priority.
    LowerPriority,
    /// More expensive.
    Dearer,
    /// Better, but the last switch is too recent.
    Dwelling {
        /// When that is over.
        until: Instant,
    },
    /// Better, but monitoring is paused.
    Paused,
    /// Another one is pinned.
    NotPinned,
}
