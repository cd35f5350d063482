//! Follows the state of an engine in another program, until that engine ends.
//!
//! The stream of snapshots ends with the engine. It may also fail while the engine runs. Then the state is
//! requested from time to time, and the stream is opened again each time. After a stream that fails at once,
//! there is a pause.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use zephyr_control::{Control, Snapshot, Snapshots};

/// The usual pause before the stream is opened again.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// What to do for the next snapshot.
enum Next {
    Ask,
    Pause,
    Follow(Snapshots),
}

/// Every state of the engine, with this pause after a stream that failed. Ends when the engine no longer
/// answers.
pub(crate) fn states(
    control: Arc<dyn Control>,
    pause: Duration,
) -> impl Stream<Item = Arc<Snapshot>> + Send {
    stream::unfold(
        (control, Next::Ask),
        move |(control, mut next)| async move {
            loop {
                next = match next {
                    Next::Pause => {
                        tokio::time::sleep(pause).await;
                        Next::Ask
                    }
                    Next::Ask => match control.snapshots().await {
                        Ok(snapshots) => Next::Follow(snapshots),
                        Err(error) => {
                            tracing::debug!(%error, "the other Zephyr does not say what changes");
                            let snapshot = alone(&*control).await?;
                            return Some((snapshot, (control, Next::Pause)));
                        }
                    },
                    Next::Follow(mut snapshots) => match snapshots.next().await {
                        Some(snapshot) => {
                            return Some((snapshot, (control, Next::Follow(snapshots))));
                        }
                        None => {
                            let snapshot = alone(&*control).await?;
                            return Some((snapshot, (control, Next::Pause)));
                        }
                    },
                };
            }
        },
    )
}

/// The state, without a stream. `None`: the engine has ended.
async fn alone(control: &dyn Control) -> Option<Arc<Snapshot>> {
    let snapshot = control.snapshot().await.ok()?;
    snapshot.has_engine().then_some(snapshot)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use zephyr_control::{
        Command, Complaint, Configuration, ControlError, ControlFuture, Diagnosis, Done,
        EndpointHistory, ErrorCode, HistoryQuery, Paging, RequestDetail, RequestFilter,
        RequestPage, Tested, UsageQuery, UsageReport,
    };

    use super::*;

    /// An engine that answers so many times, and whose stream fails.
    struct Lame {
        answers: u32,
        snapshots: AtomicU32,
        streams: AtomicU32,
        stream: fn() -> Result<Snapshots, ControlError>,
    }

    fn refused<T>() -> Result<T, ControlError> {
        Err(ControlError::new(ErrorCode::Internal, "no"))
    }

    fn refusal<T: Send + 'static>() -> ControlFuture<'static, T> {
        Box::pin(async { refused() })
    }

    impl Control for Lame {
        fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
            let answered = self.snapshots.fetch_add(1, Ordering::Relaxed);
            if answered == self.answers {
                return refusal();
            }
            let mut snapshot = crate::nothing::nothing_runs(Default::default(), None, None);
            snapshot.listening.proxy = "127.0.0.1:8080".to_owned();
            Box::pin(async { Ok(Arc::new(snapshot)) })
        }

        fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
            self.streams.fetch_add(1, Ordering::Relaxed);
            let stream = (self.stream)();
            Box::pin(async { stream })
        }

        fn execute(&self, _: Command) -> ControlFuture<'_, Done> {
            refusal()
        }

        fn metrics(&self) -> ControlFuture<'_, String> {
            refusal()
        }

        fn requests(&self, _: RequestFilter, _: Paging) -> ControlFuture<'_, RequestPage> {
            refusal()
        }

        fn request(&self, _: u64) -> ControlFuture<'_, RequestDetail> {
            refusal()
        }

        fn usage(&self, _: UsageQuery) -> ControlFuture<'_, UsageReport> {
            refusal()
        }

        fn history(&self, _: HistoryQuery) -> ControlFuture<'_, Vec<EndpointHistory>> {
            refusal()
        }

        fn configuration(&self) -> ControlFuture<'_, Configuration> {
            refusal()
        }

        fn check(&self, _: Command) -> ControlFuture<'_, Vec<Complaint>> {
            refusal()
        }

        fn diagnose(&self, _: Tested) -> ControlFuture<'_, Diagnosis> {
            refusal()
        }
    }

    #[tokio::test]
    async fn a_stream_that_fails_alone_is_asked_for_again_only_after_a_pause() {
        const PAUSE: Duration = Duration::from_millis(20);
        let streams: [fn() -> _; 2] = [refused, || Ok(stream::empty().boxed())];
        for stream in streams {
            let lame = Arc::new(Lame {
                answers: 5,
                snapshots: AtomicU32::new(0),
                streams: AtomicU32::new(0),
                stream,
            });
            let begun = Instant::now();

            let states = states(lame.clone(), PAUSE).count().await;

            assert_eq!(states, 5, "the state is shown all the same");
            assert_eq!(lame.streams.load(Ordering::Relaxed), 6);
            assert!(begun.elapsed() >= 5 * PAUSE);
        }
    }
}
