//! Notices that the machine slept, or that its network is back.
//!
//! There are two ways, and each is enough. The system says so: on Linux, logind and NetworkManager on the
//! system bus. Or the clocks show it: the wall clock went on while the monotonic clock stood still, or both
//! are far past the moment that a timer was set for. The clocks are compared when the driver or a request is
//! awake anyway, so this needs no timer of its own.
//!
//! What follows is [`crate::engine::fleet_door::FleetDoor::wake`]. A clock that was set forward looks like a
//! sleep too. That costs one round of probes.

use std::time::{Duration, Instant};

use crate::clock::Clock;

/// How far the clocks may differ without a sleep.
const DRIFT: Duration = Duration::from_secs(10);
/// If a timer is so late, the machine slept.
const OVERSLEPT: Duration = Duration::from_secs(30);

/// Compares the clocks from one look to the next.
pub struct SleepWatch {
    last: Clock,
}

impl SleepWatch {
    pub fn new(now: Clock) -> Self {
        Self { last: now }
    }

    /// Whether the machine slept since the last look. `due`: when this look was planned, if it was.
    pub fn slept(&mut self, now: Clock, due: Option<Instant>) -> bool {
        let last = std::mem::replace(&mut self.last, now);
        let late = due.is_some_and(|due| now.instant() > due + OVERSLEPT);
        late || now.ran_ahead_since(&last) > DRIFT
    }
}

/// Calls `wake` when the system says that the machine woke up or that its network is back. Returns when the
/// system says nothing any more, or at once if there is no system bus. `bus`: the address of the system bus,
/// in place of the default.
pub async fn listen(bus: Option<String>, wake: impl Fn()) {
    if let Err(error) = platform::listen(bus.as_deref(), wake).await {
        tracing::debug!("the system does not tell of sleep and network: {error}");
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use futures_util::StreamExt;
    use zbus::{MatchRule, MessageStream, connection, message};

    /// NetworkManager's `NM_STATE_CONNECTED_GLOBAL`.
    const CONNECTED: u32 = 70;

    pub(super) async fn listen(bus: Option<&str>, wake: impl Fn()) -> zbus::Result<()> {
        let builder = match bus {
            Some(address) => connection::Builder::address(address)?,
            None => connection::Builder::system()?,
        };
        let connection = builder.build().await?;
        let sleep = signal("org.freedesktop.login1", ".Manager", "PrepareForSleep")?;
        let network = signal("org.freedesktop.NetworkManager", "", "StateChanged")?;
        let mut sleep = MessageStream::for_match_rule(sleep, &connection, None).await?;
        let mut network = MessageStream::for_match_rule(network, &connection, None).await?;
        loop {
            let woke = tokio::select! {
                // The signal is true before the sleep and false after it.
                Some(told) = sleep.next() => told?.body().deserialize() == Ok(false),
                Some(told) = network.next() => told?.body().deserialize() == Ok(CONNECTED),
                else => return Ok(()),
            };
            if woke {
                wake();
            }
        }
    }

    /// A signal of a service whose object and interfaces have the same name as the service.
    fn signal(
        service: &'static str,
        interface: &str,
        member: &'static str,
    ) -> zbus::Result<MatchRule<'static>> {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(service)?
            .path(format!("/{}", service.replace('.', "/")))?
            .interface(format!("{service}{interface}"))?
            .member(member)?;
        Ok(rule.build())
    }
}

/// On other systems the clocks show it.
#[cfg(not(target_os = "linux"))]
mod platform {
    use std::convert::Infallible;

    pub(super) async fn listen(_: Option<&str>, _: impl Fn()) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    /// A look after these seconds on the monotonic clock and on the wall clock.
    fn slept(monotonic: u64, wall: u64, due: Option<u64>) -> bool {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let at = |seconds| instant + Duration::from_secs(seconds);
        let mut watch = SleepWatch::new(Clock::of(instant, time));
        let now = Clock::of(at(monotonic), time + Duration::from_secs(wall));
        watch.slept(now, due.map(at))
    }

    #[test]
    fn a_monotonic_clock_that_stood_still_is_a_sleep() {
        assert!(slept(5, 3600, None));
        assert!(!slept(3600, 3600, None), "nobody looked for an hour");
        assert!(!slept(5, 8, None), "a clock that is put right");
        assert!(!slept(3600, 5, None), "a clock that was set back");
    }

    #[test]
    fn a_timer_long_past_is_a_sleep_where_both_clocks_went_on() {
        assert!(slept(3600, 3600, Some(60)));
        assert!(!slept(62, 62, Some(60)));
    }
}
