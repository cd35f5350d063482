//! Waiting for what announces nothing: files, processes, windows of the X server.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use zephyr_testkit::PATIENCE;

const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Looks again and again until `look` finds something, and returns that.
///
/// # Panics
///
/// After [`PATIENCE`](zephyr_testkit::PATIENCE), naming `what` was waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = interval(BETWEEN_LOOKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let found = async {
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    patiently(what, found).await
}

/// Waits for `event`, but not for ever.
pub(crate) async fn patiently<T>(what: &str, event: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} for {what} in vain"),
    }
}
