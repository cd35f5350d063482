//! A handle on a running engine.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use crate::command::{Command, Done};
use crate::error::{ControlError, ErrorCode};
use crate::form::{Complaint, Configuration, Diagnosis, Tested};
use crate::journal::{
    EndpointHistory, HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage, UsageQuery,
    UsageReport,
};
use crate::snapshot::Snapshot;

/// The media type of [`Control::metrics`].
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A future that a [`Control`] returns.
pub type ControlFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// The snapshots of a [`Control`], newest last. It ends with the instance.
pub type Snapshots = Pin<Box<dyn Stream<Item = Arc<Snapshot>> + Send>>;

/// A handle on a running engine, in this process or another.
pub trait Control: Send + Sync {
    /// The state now.
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>>;

    /// The state now and after every change, at most a few times a second.
    fn snapshots(&self) -> ControlFuture<'_, Snapshots>;

    /// Carries out `command`. It has taken effect when the future is ready.
    fn execute(&self, command: Command) -> ControlFuture<'_, Done>;

    /// What is counted, in the OpenMetrics text format, for a monitoring system. A `Control` without an
    /// engine behind it counts nothing.
    fn metrics(&self) -> ControlFuture<'_, String> {
        without_engine()
    }

    /// One page of the matching requests in the journal.
    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        let _ = (filter, paging);
        without_engine()
    }

    /// The request with this number in the journal, with all that was kept of it.
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

    /// What the configuration file says.
    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        without_engine()
    }

    /// Whether the OS keychain has a token under that name.
    fn has_token(&self, reference: String) -> ControlFuture<'_, bool> {
        let _ = reference;
        without_engine()
    }

    /// What would be wrong if `command` were carried out, one that changes the configuration file.
    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        let _ = command;
        without_engine()
    }

    /// Tests an endpoint step by step, as a request goes. The last step costs one token of output.
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
