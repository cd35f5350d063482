//! How often an endpoint is probed.
//!
//! Without `dynamic_scaling`: every `interval_seconds`. With it, the pace follows the load of the whole
//! fleet, and more load never means fewer probes.
//!
//! | load | time between two probes |
//! | --- | --- |
//! | more than ten requests in flight | `min_interval_seconds` |
//! | 1 to 10 | in equal steps from `interval_seconds` down to that |
//! | none for up to a minute | `interval_seconds` |
//! | none for 5, 15, 30 minutes | 1.5, 3 and 8 times that, interpolated in between |
//! | none for an hour | `max_interval_seconds`, which is also the limit before that |
//!
//! When the load rises, a probe that was planned at a slower pace is made sooner. When the load falls, the
//! planned probe stays.
//!
//! Traffic makes no probe unnecessary. It shows that an endpoint works, but not how fast it is in comparison:
//! prompts differ. So every endpoint is probed at the same pace, whether it is in use or not. When traffic
//! becomes slower, further probes are made at once; `fleet::doubt` has that rule.

use std::time::Duration;

use crate::config::HealthCheck;

/// More requests in flight than this make no difference.
const BUSY: u32 = 11;

const MINUTE: Duration = Duration::from_secs(60);

/// The time without requests, and the factor on the interval after it.
const IDLE_CURVE: [(Duration, f64); 5] = [
    (Duration::ZERO, 1.0),
    (MINUTE, 1.0),
    (Duration::from_secs(5 * 60), 1.5),
    (Duration::from_secs(15 * 60), 3.0),
    (Duration::from_secs(30 * 60), 8.0),
];

/// The time from the end of the curve to the longest interval.
const TO_THE_LONGEST: Duration = Duration::from_secs(30 * 60);

/// How busy the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// So many requests are in flight.
    Busy(u32),
    /// No request has been in flight for this long.
    Idle(Duration),
}

/// The time between two probes under that load.
pub fn interval(check: &HealthCheck, load: Load) -> Duration {
    if !check.dynamic_scaling {
        return check.interval;
    }
    let shortest = check.min_interval.min(check.interval);
    let longest = check.max_interval.max(check.interval);
    match load {
        Load::Busy(requests) => {
            let above_one = requests.clamp(1, BUSY) - 1;
            check.interval - (check.interval - shortest) * above_one / (BUSY - 1)
        }
        Load::Idle(idle) => idle_interval(check.interval, longest, idle),
    }
}

fn idle_interval(base: Duration, longest: Duration, idle: Duration) -> Duration {
    for pair in IDLE_CURVE.windows(2) {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        if idle < to {
            let factor = low + (high - low) * share(idle - from, to - from);
            return base.mul_f64(factor).min(longest);
        }
    }
    let (end, factor) = IDLE_CURVE[IDLE_CURVE.len() - 1];
    let start = base.mul_f64(factor).min(longest);
    let way = share((idle - end).min(TO_THE_LONGEST), TO_THE_LONGEST);
    (start + (longest - start).mul_f64(way)).min(longest)
}

fn share(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dynamic() -> HealthCheck {
        HealthCheck {
            dynamic_scaling: true,
            ..HealthCheck::default()
        }
    }

    #[test]
    fn the_idle_curve_goes_through_its_points() {
        let after = |minutes: u64| {
            interval(
                &dynamic(),
                Load::Idle(MINUTE * u32::try_from(minutes).unwrap()),
            )
            .as_secs()
        };

        let points = [0, 1, 5, 15, 30, 60, 600].map(after);

        assert_eq!(points, [60, 60, 90, 180, 480, 3600, 3600]);
    }

    #[test]
    fn under_load_it_goes_down_to_the_minimum() {
        let at = |requests| interval(&dynamic(), Load::Busy(requests)).as_secs();

        assert_eq!([1, 6, 11, 1000].map(at), [60, 45, 30, 30]);
    }

    #[test]
    fn without_scaling_it_is_what_the_file_says() {
        let fixed = HealthCheck::default();

        for load in [Load::Busy(50), Load::Idle(MINUTE * 600)] {
            assert_eq!(interval(&fixed, load), fixed.interval);
        }
    }

    proptest! {
        #[test]
        fn busier_never_means_rarer(
            base in 1_u64..10_000, min in 1_u64..10_000, max in 1_u64..100_000,
            idle in prop::collection::vec(0_u64..10_000, 2), busy in prop::collection::vec(1_u32..40, 2),
        ) {
            let check = HealthCheck {
                interval: Duration::from_secs(base),
                min_interval: Duration::from_secs(min),
                max_interval: Duration::from_secs(max),
                ..dynamic()
            };
            let mut loads: Vec<Load> = Vec::new();
            let (mut busy, mut idle) = (busy, idle);
            busy.sort_unstable_by(|a, b| b.cmp(a));
            idle.sort_unstable();
            loads.extend(busy.into_iter().map(Load::Busy));
            loads.extend(idle.into_iter().map(|seconds| Load::Idle(Duration::from_secs(seconds))));

            let intervals: Vec<Duration> = loads.iter().map(|load| interval(&check, *load)).collect();

            prop_assert!(intervals.is_sorted(), "{loads:?} {intervals:?}");
            let bounds = check.min_interval.min(check.interval)..=check.max_interval.max(check.interval);
            prop_assert!(intervals.iter().all(|interval| bounds.contains(interval)));
        }
    }
}
