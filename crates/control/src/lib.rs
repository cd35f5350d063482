//! The contract between an engine and everything that shows or steers it.
//!
//! A front-end (tray, window, terminal dashboard, browser page, command line) holds a [`Control`] and
//! nothing else. What it shows comes from one whole [`Snapshot`]; there are no deltas, so nothing
//! drifts. What it does is a [`Command`]. In the process of the engine `Control` is the engine's own
//! handle; elsewhere it is a client of the admin HTTP API, which carries the same types as JSON.
//!
//! No runtime, no IO and no secret is in here.

mod command;
mod host;
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
pub use host::{Appearance, ClaudeCode, Host, LanguageChoice, Program, ThemeChoice};
pub use message::{Language, text};
pub use reason::Reason;
pub use snapshot::{
    Decision, Drain, EndpointState, EndpointView, Event, EventKind, Listening, Mode, NotChosen,
    ProbeCosts, Problem, ProblemKind, Snapshot, Strategy, Totals, TtftPercentiles,
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
        Box::pin(async {
            let message = "no engine runs here whose requests could be counted";
            Err(ControlError::new(ErrorCode::NotPossible, message))
        })
    }
}
