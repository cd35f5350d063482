//! The contract between an engine and everything that shows or steers it.
//!
//! A front-end (tray, window, terminal dashboard, browser page, command line) holds a [`Control`] and nothing
//! else. What it shows comes from one whole [`Snapshot`]; there are no deltas, so nothing drifts. What it does
//! is a [`Command`]. In the engine's own process, `Control` is the engine's handle; elsewhere it is a client of
//! the admin HTTP API, which carries the same types as JSON.
//!
//! No runtime, no IO and no secret is in here: what comes from outside is [`Redacted`]. With the feature `examples` there are example snapshots, for
//! tests of front-ends.

#![warn(missing_docs)]

mod command;
mod control;
mod error;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
mod form;
mod host;
mod journal;
mod message;
pub mod privilege;
mod reason;
mod snapshot;
#[cfg(test)]
mod typescript_tests;
mod verdict;

pub use command::{Command, Done};
pub use control::{Control, ControlFuture, METRICS_TYPE, Snapshots};
pub use error::{ControlError, ErrorCode};
pub use form::{
    AuthType, Complaint, Configuration, Diagnosis, DiagnosisStage, DiagnosisStep, EndpointForm,
    GroupForm, SecretText, Setting, SettingKind, SettingValue, Tested, TokenReference,
};
pub use host::{Appearance, ClaudeCode, Host, LanguageChoice, Program, ThemeChoice};
pub use journal::{
    AttemptOutcome, AttemptRecord, EndpointHistory, HistoryPoint, HistoryQuery, JournalStatus,
    Paging, RecordedBody, RequestDetail, RequestEnd, RequestFilter, RequestPage, RequestRecord,
    Tokens, Usage, UsageBy, UsageQuery, UsageReport, UsageRow,
};
pub use message::{Language, text};
pub use reason::Reason;
pub use snapshot::{
    About, Decision, Drain, EndpointState, EndpointView, Event, EventKind, Headline, Listening,
    LiveRequest, Measure, Mode, NotChosen, Overall, OverallStatus, ProbeCosts, Problem,
    ProblemKind, QuotaWindow, Snapshot, Strategy, Totals, TtftPercentiles, Weighed,
};
pub use verdict::{Ground, Subject, Verdict};
pub use zephyr_redact::Redacted;
