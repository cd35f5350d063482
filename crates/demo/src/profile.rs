//! The simulated endpoints and their timetables.

use std::time::Duration;

/// The properties of a simulated endpoint.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Every text that it writes mentions the name.
    pub name: String,
    /// The time a packet would take there and back.
    pub latency: Duration,
    /// Its jitter and its texts follow from it.
    pub seed: u64,
    /// Behaviours one after the other, each for a time, then from the beginning. Always healthy if empty.
    pub schedule: Vec<(Duration, Behaviour)>,
}

/// How a simulated endpoint treats what it receives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behaviour {
    /// Answers after its usual latency.
    Healthy,
    /// Answers, but takes [`SLOWNESS`] longer.
    Slow,
    /// Answers everything with 529.
    Overloaded,
    /// Resets every connection.
    Down,
    /// Breaks off messages in the middle. Answers everything else.
    CutsStreams,
    /// Answers everything with a web page and status 200.
    Html,
}

/// The time that a slow endpoint adds to its latency.
pub const SLOWNESS: Duration = Duration::from_millis(2500);

impl Profile {
    /// An endpoint that is always healthy.
    pub fn new(name: &str, latency: Duration, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            latency,
            seed,
            schedule: Vec::new(),
        }
    }

    /// The endpoints of the demo, the nearest first.
    ///
    /// Their timetables are equally long, and at most one of them is in trouble at a time. The nearest
    /// fails and recovers within the first minute.
    pub fn fleet() -> Vec<Self> {
        use Behaviour::{CutsStreams, Down, Healthy, Html, Overloaded, Slow};
        let profile = |name, latency, seed, schedule: &[(u64, Behaviour)]| Self {
            schedule: schedule
                .iter()
                .map(|(seconds, behaviour)| (Duration::from_secs(*seconds), *behaviour))
                .collect(),
            ..Self::new(name, Duration::from_millis(latency), seed)
        };
        vec![
            profile(
                "Hong Kong 🇭🇰",
                35,
                852,
                &[
                    (20, Healthy),
                    (20, Overloaded),
                    (50, Healthy),
                    (10, CutsStreams),
                    (20, Healthy),
                ],
            ),
            profile(
                "Tokyo 🇯🇵",
                60,
                81,
                &[(60, Healthy), (20, Down), (40, Healthy)],
            ),
            profile(
                "Frankfurt 🇩🇪",
                165,
                49,
                &[
                    (45, Healthy),
                    (10, Slow),
                    (50, Healthy),
                    (10, Html),
                    (5, Healthy),
                ],
            ),
            profile("Virginia 🇺🇸", 215, 1, &[(120, Healthy)]),
        ]
    }

    /// The behaviour at this time after the start.
    pub fn behaviour_at(&self, elapsed: Duration) -> Behaviour {
        let period: Duration = self.schedule.iter().map(|(time, _)| *time).sum();
        if period.is_zero() {
            return Behaviour::Healthy;
        }
        let mut left = Duration::from_secs_f64(elapsed.as_secs_f64() % period.as_secs_f64());
        for (time, behaviour) in &self.schedule {
            match left.checked_sub(*time) {
                Some(rest) => left = rest,
                None => return *behaviour,
            }
        }
        Behaviour::Healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_repeats() {
        let profile = Profile {
            schedule: vec![
                (Duration::from_secs(2), Behaviour::Healthy),
                (Duration::from_secs(1), Behaviour::Down),
            ],
            ..Profile::new("Oslo", Duration::ZERO, 1)
        };
        let at = |seconds| profile.behaviour_at(Duration::from_secs_f64(seconds));

        assert_eq!(at(0.0), Behaviour::Healthy);
        assert_eq!(at(1.9), Behaviour::Healthy);
        assert_eq!(at(2.0), Behaviour::Down);
        assert_eq!(at(3.0), Behaviour::Healthy);
        assert_eq!(at(302.5), Behaviour::Down);
    }

    #[test]
    fn an_endpoint_without_a_schedule_is_always_healthy() {
        let profile = Profile::new("Oslo", Duration::ZERO, 1);
        assert_eq!(
            profile.behaviour_at(Duration::from_secs(1000)),
            Behaviour::Healthy
        );
    }

    #[test]
    fn never_is_more_than_one_endpoint_of_the_demo_in_trouble() {
        let fleet = Profile::fleet();
        for seconds in 0..300 {
            let troubled = fleet
                .iter()
                .filter(|profile| {
                    profile.behaviour_at(Duration::from_secs(seconds)) != Behaviour::Healthy
                })
                .count();
            assert!(troubled <= 1, "at {seconds} s: {troubled}");
        }
    }

    #[test]
    fn the_nearest_endpoint_of_the_demo_fails_and_recovers_within_a_minute() {
        let nearest = Profile::fleet().remove(0);
        let fails = |seconds: &u64| {
            nearest.behaviour_at(Duration::from_secs(*seconds)) != Behaviour::Healthy
        };
        let failure = (0..60).find(fails).unwrap();
        assert!(failure >= 10, "time to see it healthy first");
        assert!((failure..60).any(|seconds| !fails(&seconds)));
    }
}
