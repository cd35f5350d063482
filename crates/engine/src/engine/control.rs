//! The engine's own [`Control`].

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use zephyr_control::{
    Command, Complaint, Configuration, Control, ControlError, ControlFuture, Diagnosis, Done,
    EndpointHistory, ErrorCode, HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage,
    Snapshot, Snapshots, Tested, UsageQuery, UsageReport,
};
use zephyr_journal::QueryError;

use super::shared::Shared;
use crate::metrics;

/// The minimum time between two snapshots of one stream.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(250);

/// The longest time between two snapshots of one stream while there are requests to show.
const REQUESTS_INTERVAL: Duration = Duration::from_secs(1);

/// The engine's own [`Control`].
pub(super) struct Handle(pub(super) Arc<Shared>);

impl Control for Handle {
    fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
        Box::pin(async { Ok(self.0.snapshot()) })
    }

    fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
        let shared = Arc::clone(&self.0);
        let mut changes = shared.door.changes();
        changes.mark_changed(); // The first snapshot comes at once.
        let snapshots = stream::unfold(
            (shared, changes, false),
            |(shared, mut changes, spaced)| async move {
                if spaced {
                    tokio::time::sleep(SNAPSHOT_INTERVAL).await;
                }
                if shared.traffic.has_requests() {
                    // Streams make progress, and ended requests disappear, without any change that is
                    // announced.
                    let change = tokio::time::timeout(REQUESTS_INTERVAL, changes.changed()).await;
                    change.unwrap_or(Ok(())).ok()?;
                } else {
                    changes.changed().await.ok()?;
                }
                Some((shared.snapshot(), (shared, changes, true)))
            },
        );
        Box::pin(async { Ok(Box::pin(snapshots) as Snapshots) })
    }

    fn execute(&self, command: Command) -> ControlFuture<'_, Done> {
        self.told(self.0.execute(command))
    }

    fn metrics(&self) -> ControlFuture<'_, String> {
        Box::pin(async { Ok(metrics::text(&self.0.metrics, self.0.snapshot())) })
    }

    fn configuration(&self) -> ControlFuture<'_, Configuration> {
        self.told(self.0.configuration())
    }

    fn has_token(&self, reference: String) -> ControlFuture<'_, bool> {
        Box::pin(self.0.has_token(reference))
    }

    fn check(&self, command: Command) -> ControlFuture<'_, Vec<Complaint>> {
        self.told(self.0.check(command))
    }

    fn requests(&self, filter: RequestFilter, paging: Paging) -> ControlFuture<'_, RequestPage> {
        self.told(async move { answer(self.0.journal.requests(filter, paging).await) })
    }

    fn request(&self, id: u64) -> ControlFuture<'_, RequestDetail> {
        self.told(async move { answer(self.0.journal.request(id).await) })
    }

    fn usage(&self, query: UsageQuery) -> ControlFuture<'_, UsageReport> {
        self.told(async move { answer(self.0.journal.usage(query).await) })
    }

    fn history(&self, query: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
        self.told(async move { answer(self.0.journal.history(query).await) })
    }

    fn diagnose(&self, tested: Tested) -> ControlFuture<'_, Diagnosis> {
        let shared = Arc::clone(&self.0);
        self.told(async move {
            // The diagnosis goes on if the front-end that asked leaves, so that its cost is counted.
            let diagnosed = tokio::spawn(async move { shared.diagnose(tested).await });
            let diagnosed = diagnosed.await;
            diagnosed.map_err(|error| ControlError::new(ErrorCode::Internal, error.to_string()))?
        })
    }
}

impl Handle {
    /// What a front-end is told when it fails has none of the secrets that are known here.
    fn told<'a, T>(
        &'a self,
        work: impl Future<Output = Result<T, ControlError>> + Send + 'a,
    ) -> ControlFuture<'a, T> {
        Box::pin(async {
            let done = work.await;
            done.map_err(|error| error.redacted(&self.0.traffic.known.redactor()))
        })
    }
}

/// Turns the journal's answer into the contract's terms.
fn answer<T>(answer: Result<T, QueryError>) -> Result<T, ControlError> {
    answer.map_err(|error| {
        let code = match error {
            QueryError::NoRequest(_) => ErrorCode::UnknownRequest,
            QueryError::NotKept => ErrorCode::NotPossible,
            QueryError::Unreadable(_) | QueryError::Body(_) | QueryError::Ending => {
                ErrorCode::Internal
            }
        };
        ControlError::new(code, error.to_string())
    })
}
