//! Why: codes with parameters. The words are in `messages/`, one catalogue per language.

use serde::{Deserialize, Serialize};
use zephyr_redact::Redacted;

/// Why an endpoint was chosen, was not chosen, or is out.
///
/// Durations are milliseconds. What an endpoint or the system said has lost its secrets. The serialized form, a
/// `code` and its parameters beside it, is what the catalogues' templates name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    // Why this one.
    /// A person chose it.
    Pinned,
    /// Nothing has been measured: the default group's first endpoint.
    FirstChoice,
    /// The best one by what was measured before the restart.
    Remembered,
    /// It is faster by at least the threshold.
    Faster {
        /// Its latency.
        to_ms: u64,
        /// The latency of the one it replaces.
        from_ms: u64,
        /// `server.switch_threshold_ms`.
        threshold_ms: u64,
    },
    /// It has the best priority of the usable ones.
    BestPriority {
        /// Its priority.
        priority: u32,
    },
    /// It is the cheapest of the usable ones.
    BestPrice {
        /// Its relative price.
        price: f64,
    },
    /// The fastest of the usable ones, since the one in use became unusable.
    Replaces,
    /// The one in use cannot take this request.
    StandsIn,
    /// The one it replaces has become slow.
    LeavesSlow {
        /// The time to the first event of its last slow stream.
        ms: u64,
        /// The usual time.
        usual_ms: u64,
    },
    /// The one it replaces is about to run out of its quota.
    SparesQuota {
        /// Of which: `requests`, `tokens`, `5h` and the like.
        window: String,
        /// How much of it is left.
        left_percent: u64,
    },
    /// The one it replaces broke off its last answer to this conversation.
    LeavesBroken,
    /// It is the one in use.
    InUse,
    /// It is the one in use, and no other is better.
    NoneBetter,
    /// This conversation is at home there, and its prompt cache with it.
    Sticky,
    /// This conversation is at home there; another is faster, but not worth the prompt cache.
    StaysForCache {
        /// How much sooner an answer would begin elsewhere.
        saved_ms: u64,
        /// What that is worth over the turns to come.
        worth_usd: f64,
        /// What moving costs.
        cost_usd: f64,
    },
    /// Faster than where this conversation was, by more than the prompt cache is worth.
    WorthMoving {
        /// How much sooner an answer begins.
        saved_ms: u64,
        /// What that is worth over the turns to come.
        worth_usd: f64,
        /// What moving costs.
        cost_usd: f64,
    },
    /// Its turn.
    Turn,
    /// Every circuit is open; it is the best of them.
    LastResort,
    /// Its cooldown is over; this request shows whether it works again.
    Trial,
    /// The answer of the one before is late, so this one is asked as well.
    Beside {
        /// How long that answer has taken so far.
        waited_ms: u64,
    },
    /// The request was refused for thinking that others have signed, and lacks that from here on.
    WithoutThinking,

    // Why not that one.
    /// This request already failed there.
    AlreadyTried,
    /// Switched off.
    Disabled,
    /// Finishes its requests, takes no new ones.
    Draining,
    /// Its credential was not found.
    NoCredential {
        /// Where it was looked for.
        reference: String,
    },
    /// It recovers, and one request is enough to find out.
    TrialInFlight,
    /// It recovers; a probe finds out before a request does.
    AwaitingProbe,
    /// Its last answer to this conversation broke off.
    BrokeOff,
    /// It does not serve this model.
    ModelNotServed {
        /// The model asked for.
        #[cfg_attr(test, ts(type = "string"))]
        model: Redacted,
    },
    /// It does not serve the model asked for, whose name is not known here.
    RequestedModelNotServed,
    /// The account's limit for this family of models is used up there.
    FamilySpent,
    /// What its subscription includes is used up, and `subscription_only` keeps it from extra usage.
    SubscriptionSpent {
        /// Until it takes requests again; begun minutes count.
        remaining_min: u64,
    },
    /// It does not take requests as large as this one.
    TooLargeThere,
    /// It does not admit such client programs.
    ClientNotAdmittedThere,
    /// It did not want this conversation.
    ConversationRefused,
    /// The client's own login was refused; only an endpoint with a credential of ours can help.
    NeedsOwnCredential,
    /// Only the endpoint that answered the conversation last can read its thinking.
    NeedsHome,
    /// It answers, but takes many times as long as usual.
    Slow {
        /// The time to the first event of its last slow stream.
        ms: u64,
        /// The usual time.
        usual_ms: u64,
    },
    /// It is about to run out of its quota, so it gets no new conversations until that is reset.
    RunsDry {
        /// Of which: `requests`, `tokens`, `5h` and the like.
        window: String,
        /// How much of it is left.
        left_percent: u64,
    },
    /// Slower than the one chosen, or not faster by the threshold.
    NotFaster {
        /// Its latency.
        ms: u64,
        /// The latency of the one chosen.
        than_ms: u64,
    },
    /// It seems to be faster by the threshold, but by less than both vary.
    WithinNoise {
        /// Its latency.
        ms: u64,
        /// The latency of the one chosen.
        than_ms: u64,
        /// The difference that would be enough.
        needed_ms: u64,
    },
    /// Nothing has been measured there.
    NotMeasured,
    /// A worse priority.
    LowerPriority {
        /// Its priority.
        priority: u32,
    },
    /// More expensive.
    Dearer {
        /// Its relative price.
        price: f64,
    },
    /// Better, but the last switch was too recent.
    Dwelling {
        /// Until a switch for speed may happen.
        remaining_ms: u64,
    },
    /// Better, but monitoring is paused.
    Paused,
    /// Not chosen by the person who pinned another.
    NotPinned,

    // Why it is out, or why an attempt failed.
    /// An HTTP status that is a failure.
    Status {
        /// The status.
        status: u16,
    },
    /// No connection.
    ConnectFailed {
        /// What the system said.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// Its certificate has expired.
    CertificateExpired {
        /// Who issued it.
        #[cfg_attr(test, ts(type = "string"))]
        issuer: Redacted,
        /// Its last day, as `2027-01-31`.
        last_day: String,
    },
    /// Its certificate is not valid yet.
    CertificateNotYetValid {
        /// Who issued it.
        #[cfg_attr(test, ts(type = "string"))]
        issuer: Redacted,
        /// Its first day, as `2027-01-31`.
        first_day: String,
    },
    /// Its certificate was issued for other hosts.
    CertificateOfOthers {
        /// Their names, a few of them.
        #[cfg_attr(test, ts(type = "string"))]
        names: Redacted,
        /// Who issued it.
        #[cfg_attr(test, ts(type = "string"))]
        issuer: Redacted,
        /// Its last day, as `2027-01-31`.
        last_day: String,
    },
    /// Nobody whom this machine trusts issued its certificate.
    CertificateIssuerUnknown {
        /// Who issued it.
        #[cfg_attr(test, ts(type = "string"))]
        issuer: Redacted,
        /// Its last day, as `2027-01-31`.
        last_day: String,
    },
    /// Its certificate is wrong in another way.
    CertificateRejected {
        /// What the system said.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
        /// Who issued it.
        #[cfg_attr(test, ts(type = "string"))]
        issuer: Redacted,
        /// Its last day, as `2027-01-31`.
        last_day: String,
    },
    /// It is not connected: its URL is http and leads to a public address, so everybody on the way could read
    /// its token.
    ClearText,
    /// The connection broke before an answer.
    ConnectionLost {
        /// What the system said.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// No answer in time.
    TimedOut {
        /// How long was waited.
        after_ms: u64,
    },
    /// A rate limit.
    RateLimited {
        /// The status.
        status: u16,
    },
    /// Overloaded.
    Overloaded {
        /// The status.
        status: u16,
    },
    /// The credential was refused.
    CredentialRefused {
        /// The status.
        status: u16,
    },
    /// The credential was refused that an entry of the keychain has.
    KeychainTokenRefused {
        /// The status.
        status: u16,
        /// The entry, as one word of a command line.
        entry: String,
    },
    /// The credential was refused that a variable has.
    VariableTokenRefused {
        /// The status.
        status: u16,
        /// The variable, of the environment or of `.env`.
        variable: String,
    },
    /// The quota or the credit is used up.
    QuotaUsedUp {
        /// The status.
        status: u16,
    },
    /// A redirection, which a client would follow with its key.
    Redirected {
        /// The status.
        status: u16,
    },
    /// A page instead of an answer.
    Html,
    /// An empty answer.
    EmptyAnswer,
    /// An answer that is not of the Messages format.
    NotMessagesFormat {
        /// What was expected, what was seen.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// An error inside the answer.
    ErrorInAnswer {
        /// The error's type, for instance `overloaded_error`.
        #[cfg_attr(test, ts(type = "string"))]
        error_type: Redacted,
    },
    /// The stream ended before it was complete.
    StreamCut,
    /// The stream stood still.
    StreamStalled {
        /// For how long.
        after_ms: u64,
    },
    /// The answer was wrong midway.
    BrokenMidway {
        /// What was wrong.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// This model or path is not served there.
    NotServed {
        /// The status.
        status: u16,
    },
    /// Its gateway says that the endpoint behind it does not answer.
    OriginDown {
        /// The status.
        status: u16,
    },
    /// A challenge that only a browser passes.
    Challenge {
        /// The status.
        status: u16,
    },
    /// A page of a gateway that refuses the request.
    GatewayPage {
        /// The status.
        status: u16,
    },
    /// This model is asked for too often.
    ModelLimited {
        /// The status.
        status: u16,
    },
    /// The account's limit for a family of models is used up.
    FamilyLimited {
        /// The status.
        status: u16,
        /// The family, such as `opus`.
        family: String,
    },
    /// The request is longer than is taken there.
    TooLarge {
        /// The status.
        status: u16,
    },
    /// This client program is not admitted there.
    ClientNotAdmitted {
        /// The status.
        status: u16,
    },
    /// What the conversation says is not wanted there.
    ContentRefused {
        /// The status.
        status: u16,
    },
    /// The client's own login is refused there, or its quota used up.
    LoginRefused {
        /// The status.
        status: u16,
    },
    /// The conversation's thinking was signed elsewhere.
    ThinkingNotTheirs {
        /// The status.
        status: u16,
    },
    /// A refusal that is not in the API's own words.
    NotTheApis {
        /// The status.
        status: u16,
    },
    /// The client's mistake.
    ClientFault {
        /// The status.
        status: u16,
    },
    /// A probe failed.
    ProbeFailed {
        /// How.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// It works, but takes longer than it used to.
    Slower {
        /// How long it takes now.
        ms: u64,
        /// How long it usually takes.
        usual_ms: u64,
    },
    /// The Claude CLI, which a check runs, failed.
    CliFailed {
        /// How.
        #[cfg_attr(test, ts(type = "string"))]
        detail: Redacted,
    },
    /// The drain timeout was over.
    DrainTimeout,
}
