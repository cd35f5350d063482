//! The contract between an engine and everything that shows or steers it.
//!
//! A front-end (tray, window, terminal dashboard, browser page, command line) holds a [`Control`] and
//! nothing else. What it shows comes from one whole [`Snapshot`]; there are no deltas, so nothing
//! drifts. What it does is a [`Command`]. In the process of the engine `Control` is the engine's own
//! handle; elsewhere it is a client of the admin HTTP API, which carries the same types as JSON.
//!
//! No runtime, no IO and no secret is in here.

mod command;
mod form;
mod host;
mod journal;
mod message;
mod reason;
mod snapshot;
#[cfg(test)]
mod typescript;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

pub use command::{Command, ControlError, Done, ErrorCode};
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
    Decision, Drain, EndpointState, EndpointView, Event, EventKind, Listening, LiveRequest, Mode,
    NotChosen, ProbeCosts, Problem, ProblemKind, QuotaWindow, Snapshot, Strategy, Totals,
    TtftPercentiles,
};

/// The media type of [`Control::metrics`].
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A future that a [`Control`] returns.
pub type ControlFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// The snapshots of a [`Control`], newest last; it ends with the instance.
pub type Snapshots = Pin<Box<dyn Stream<Item = Arc<Snapshot>> + Send>>;

/// A handle on a running engine, in this process or another.
pub trait Control: Send + Sync {
    /// The state at this moment.
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>>;

    /// The state now and after every change, at most a few times a second.
    fn snapshots(&self) -> ControlFuture<'_, Snapshots>;

    /// Carries out `command`; it has taken effect when the future is ready.
    fn execute(&self, command: Command) -> ControlFuture<'_, Done>;

    /// What is counted, in the OpenMetrics text format, for a monitoring system. A `Control` that has no
    /// engine behind it has nothing to count.
    fn metrics(&self) -> ControlFuture<'_, String> {
        without_engine()
    }

    /// A part of the requests in the journal that match.
    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        let _ = (filter, paging);
        without_engine()
    }

    /// The request of this number in the journal, with all that was kept of it.
    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        let _ = id;
        without_engine()
    }

    /// Sums over the journal.
    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        let _ = query;
        without_engine()
    }

    /// How endpoints were over time, by the journal.
    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        let _ = query;
        without_engine()
    }

    /// What stands in the configuration file.
    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        without_engine()
    }

    /// What would be wrong if `command`, one that changes the configuration file, were carried out.
    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        let _ = command;
        without_engine()
    }

    /// Tests an endpoint step by step, as a request goes; the last step costs one token of output.
    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        let _ = tested;
        without_engine()
    }
}

fn without_engine<T: Send + 'static>() -> ControlFuture<'static, T> {
    Box::pin(async {
        let message = "no engine runs here that could be asked";
        Err(ControlError::new(ErrorCode::NotPossible, message))
    })
}
