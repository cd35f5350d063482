//! The state now and after every change, as server-sent events.
//!
//! One task follows the snapshots for all subscribers and writes each as JSON once. They share the bytes. The
//! task starts with the first subscriber and ends with the last one. A subscriber that is slow misses
//! snapshots, since only the latest is kept. So it holds nobody up, and what it holds is bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::body::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio::time::timeout;
use zephyr_control::{Control, ControlError, Snapshot, Snapshots};

use crate::protocol::events::{KEEP_ALIVE, SNAPSHOT};

/// A comment: clients skip it.
const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// The latest event; none before the first snapshot.
type Latest = watch::Sender<Option<Bytes>>;

/// What all subscribers share.
#[derive(Default)]
pub(super) struct Feed {
    /// Held by the task while it runs.
    latest: Arc<Mutex<Weak<Latest>>>,
}

impl Feed {
    /// The events from now on. The first is the latest there is.
    pub(super) async fn subscribe(
        &self,
        control: &dyn Control,
    ) -> Result<impl Stream<Item = Bytes> + Send + use<>, ControlError> {
        let running = lock(&self.latest).upgrade().map(|latest| join(&latest));
        let subscriber = match running {
            Some(subscriber) => subscriber,
            None => self.start(control.snapshots().await?),
        };
        Ok(events_of(subscriber))
    }

    /// Starts the task, unless another subscriber was faster.
    fn start(&self, snapshots: Snapshots) -> watch::Receiver<Option<Bytes>> {
        let mut running = lock(&self.latest);
        if let Some(latest) = running.upgrade() {
            return join(&latest);
        }
        let latest = Arc::new(Latest::new(None));
        let subscriber = latest.subscribe();
        *running = Arc::downgrade(&latest);
        tokio::spawn(follow(snapshots, latest, Arc::clone(&self.latest)));
        subscriber
    }
}

fn join(latest: &Latest) -> watch::Receiver<Option<Bytes>> {
    let mut subscriber = latest.subscribe();
    subscriber.mark_changed(); // It has not seen the latest event.
    subscriber
}

/// Ends with the snapshots, or when nobody listens.
async fn follow(mut snapshots: Snapshots, latest: Arc<Latest>, running: Arc<Mutex<Weak<Latest>>>) {
    loop {
        tokio::select! {
            snapshot = snapshots.next() => match snapshot {
                Some(snapshot) => drop(latest.send_replace(Some(event(&snapshot)))),
                None => return,
            },
            () = latest.closed() => {
                // Subscribers join under the lock, so none is missed.
                let mut running = lock(&running);
                if latest.receiver_count() == 0 {
                    *running = Weak::new();
                    return;
                }
            }
        }
    }
}

fn events_of(
    subscriber: watch::Receiver<Option<Bytes>>,
) -> impl Stream<Item = Bytes> + Send + use<> {
    stream::unfold(subscriber, async |mut subscriber| {
        loop {
            match timeout(KEEP_ALIVE, subscriber.changed()).await {
                Ok(Ok(())) => {
                    let latest = subscriber.borrow_and_update().clone();
                    if let Some(event) = latest {
                        return Some((event, subscriber));
                    }
                }
                Ok(Err(_)) => return None,
                Err(_) => return Some((STILL_HERE, subscriber)),
            }
        }
    })
}

/// JSON has no line breaks of its own, so one line of data holds all of it.
fn event(snapshot: &Snapshot) -> Bytes {
    match serde_json::to_string(snapshot) {
        Ok(json) => format!("event: {SNAPSHOT}\ndata: {json}\n\n").into(),
        Err(error) => {
            tracing::error!(%error, "a snapshot cannot be written as JSON");
            STILL_HERE
        }
    }
}

fn lock(latest: &Mutex<Weak<Latest>>) -> MutexGuard<'_, Weak<Latest>> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use zephyr_control::{Command, ControlFuture, Done, examples};

    use super::*;

    /// Shows what it is told, and counts who asks for its snapshots.
    struct Source {
        shown: watch::Sender<Arc<Snapshot>>,
        asked: AtomicUsize,
    }

    impl Source {
        fn new() -> Self {
            Self {
                shown: watch::Sender::new(snapshot(0)),
                asked: AtomicUsize::new(0),
            }
        }

        fn show(&self, number: u64) {
            self.shown.send_replace(snapshot(number));
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl Control for Source {
        fn snapshot(&self) -> ControlFuture<'_, Arc<Snapshot>> {
            unreachable!("a feed needs only the stream")
        }

        fn snapshots(&self) -> ControlFuture<'_, Snapshots> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let mut shown = self.shown.subscribe();
            shown.mark_changed();
            let snapshots = stream::unfold(shown, async |mut shown| {
                shown.changed().await.ok()?;
                let snapshot = shown.borrow_and_update().clone();
                Some((snapshot, shown))
            });
            Box::pin(async { Ok(Box::pin(snapshots) as Snapshots) })
        }

        fn execute(&self, _: Command) -> ControlFuture<'_, Done> {
            unreachable!("a feed changes nothing")
        }
    }

    fn snapshot(number: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            taken_at_ms: number,
            ..examples::healthy()
        })
    }

    type Subscriber = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

    async fn subscribe(feed: &Feed, source: &Source) -> Subscriber {
        Box::pin(feed.subscribe(source).await.unwrap())
    }

    #[tokio::test]
    async fn any_number_of_subscribers_costs_one_serialization() {
        let (feed, source) = (Feed::default(), Source::new());
        let mut subscribers = Vec::new();
        for _ in 0..20 {
            subscribers.push(subscribe(&feed, &source).await);
        }

        for number in 0..3 {
            source.show(number);
            let mut seen = Vec::new();
            for subscriber in &mut subscribers {
                seen.push(subscriber.next().await.unwrap());
            }

            assert_eq!(seen[0], event(&snapshot(number)));
            // The same bytes at the same place: written once, then shared.
            let places: Vec<_> = seen.iter().map(|bytes| bytes.as_ptr()).collect();
            assert_eq!(places, [places[0]; 20]);
        }
        assert_eq!(source.asked(), 1);
    }

    #[tokio::test]
    async fn a_subscriber_that_does_not_read_holds_nobody_up_and_nothing_back() {
        let (feed, source) = (Feed::default(), Source::new());
        let mut slow = subscribe(&feed, &source).await;
        let mut quick = subscribe(&feed, &source).await;
        let mut written = Vec::new();

        for number in 0..100 {
            source.show(number);
            let event = quick.next().await.unwrap();
            assert_eq!(event, super::event(&snapshot(number)));
            written.push(event);
        }

        let last = written.pop().unwrap();
        for older in written {
            assert!(older.try_into_mut().is_ok(), "somebody else still has it");
        }
        assert_eq!(slow.next().await.unwrap(), last);
    }

    #[tokio::test]
    async fn who_comes_later_gets_the_latest_at_once() {
        let (feed, source) = (Feed::default(), Source::new());
        let mut first = subscribe(&feed, &source).await;
        source.show(7);
        let event = first.next().await.unwrap();

        let mut second = subscribe(&feed, &source).await;

        assert_eq!(second.next().await.unwrap().as_ptr(), event.as_ptr());
    }

    #[tokio::test]
    async fn nothing_is_done_while_nobody_listens() {
        let (feed, source) = (Feed::default(), Source::new());
        let subscribers = [
            subscribe(&feed, &source).await,
            subscribe(&feed, &source).await,
        ];
        assert_eq!(source.shown.receiver_count(), 1);

        drop(subscribers);
        source.shown.closed().await;
        let mut again = subscribe(&feed, &source).await;

        assert!(again.next().await.is_some());
        assert_eq!(source.asked(), 2);
    }

    #[tokio::test]
    async fn all_subscribers_end_with_the_snapshots() {
        let (feed, source) = (Feed::default(), Source::new());
        let mut first = subscribe(&feed, &source).await;
        let mut second = subscribe(&feed, &source).await;
        source.show(1);
        drop(source);

        let last = first.next().await.unwrap();

        assert_eq!(last, event(&snapshot(1)));
        assert_eq!(second.next().await.unwrap(), last);
        assert_eq!(first.next().await, None);
        assert_eq!(second.next().await, None);
    }
}
