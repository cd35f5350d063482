//! Simulated endpoints: they answer any call with plausible text, and fail by timetable.
//!
//! What a simulated endpoint does depends on its [`Profile`], the time since its start and the
//! number of the request, and on nothing else: two runs with the same seeds look alike.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::act::{Act, Script};
use crate::endpoint::Endpoint;
use crate::received::Received;
use crate::stream::{DEFAULT_MODEL, Phase, Step, TextStream, Usage};

/// A simulated endpoint on a loopback port. It stops when dropped.
#[derive(Debug)]
pub struct Sim {
    profile: Profile,
    endpoint: Endpoint,
}

/// What distinguishes a simulated endpoint.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name; every text it writes mentions it.
    pub name: String,
    /// The time a packet would take there and back.
    pub latency: Duration,
    /// What its jitter and its texts follow from.
    pub seed: u64,
    /// How long it behaves how, over and over; always healthy if empty.
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
    /// Breaks off messages in the middle; answers everything else.
    CutsStreams,
    /// Answers everything with a web page and status 200.
    Html,
}

/// What a slow endpoint adds to its latency.
pub const SLOWNESS: Duration = Duration::from_millis(2500);

impl Sim {
    /// Starts one endpoint.
    pub async fn start(profile: Profile) -> io::Result<Self> {
        Self::start_since(profile, Instant::now())
    }

    /// Starts the endpoints of the demo, with [`Profile::fleet`]'s timetables side by side.
    pub async fn fleet() -> io::Result<Vec<Self>> {
        let started = Instant::now();
        Profile::fleet()
            .into_iter()
            .map(|profile| Self::start_since(profile, started))
            .collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// What distinguishes it.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Where clients find it: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.endpoint.url()
    }

    /// Closes the port and all connections; returns when this is done.
    pub async fn stop(self) {
        self.endpoint.stop().await;
    }

    fn start_since(profile: Profile, started: Instant) -> io::Result<Self> {
        let script = Script::by({
            let profile = profile.clone();
            move |request| profile.act(request, request.at.saturating_duration_since(started))
        });
        let endpoint = Endpoint::start_forgetful(script)?;
        Ok(Self { profile, endpoint })
    }
}

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
    /// Their timetables are equally long, and never is more than one of them in trouble. The
    /// nearest fails and recovers within the first minute.
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

    /// How it behaves this long after its start.
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

    fn act(&self, request: &Received, elapsed: Duration) -> Act {
        let mut dice = Dice::new(self.seed, request.number);
        let latency = self.latency.mul_f64(0.85 + 0.4 * dice.fraction());
        match self.behaviour_at(elapsed) {
            Behaviour::Healthy => self.healthy(request, &mut dice).after(latency),
            Behaviour::Slow => self.healthy(request, &mut dice).after(latency + SLOWNESS),
            Behaviour::Overloaded => Act::status(529).after(latency),
            Behaviour::Down => Act::reset(),
            Behaviour::CutsStreams => self.cutting(request, &mut dice).after(latency),
            Behaviour::Html => Act::html(200).after(latency),
        }
    }

    fn healthy(&self, request: &Received, dice: &mut Dice) -> Act {
        match Call::of(request) {
            Call::Stream(asked) => {
                Act::sse(paced(self.stream(request, &asked, dice).steps(), dice))
            }
            Call::Message(asked) => {
                let stream = self.stream(request, &asked, dice);
                Act::message(&stream.text).usage(stream.usage)
            }
            Call::Other => Act::message(""),
        }
    }

    fn cutting(&self, request: &Received, dice: &mut Dice) -> Act {
        match Call::of(request) {
            Call::Stream(asked) => {
                let stream = self.stream(request, &asked, dice);
                let mut steps = paced(stream.until(Phase::BetweenDeltas), dice);
                steps.push(Step::Cut);
                Act::sse(steps)
            }
            Call::Message(_) => Act::cut_message(),
            Call::Other => Act::message(""),
        }
    }

    /// The answer to a Messages call: its length is limited by the call's `max_tokens`.
    fn stream(&self, request: &Received, asked: &Value, dice: &mut Dice) -> TextStream {
        let limit = asked["max_tokens"].as_u64().unwrap_or(u64::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        let text = format!("{} here. {}", self.name, dice.choice(&THOUGHTS));
        let words: Vec<&str> = text.split(' ').take(limit).collect();
        TextStream {
            id: format!("msg_01Sim{:03}x{:08}", self.seed, request.number),
            model: asked["model"].as_str().unwrap_or(DEFAULT_MODEL).to_owned(),
            text: words.join(" "),
            usage: Usage {
                input: 10 + (request.body.len() % 400) as u64,
                cache_creation: 0,
                cache_read: (request.body.len() / 4) as u64,
                output: words.len() as u64,
            },
        }
    }
}

const THOUGHTS: [&str; 6] = [
    "I have read the function twice: the loop ends one element early, because the bound was meant \
     to be inclusive. Changing it makes both tests pass.",
    "The two modules share a type but not a reason to change. I would leave the duplication alone \
     until a third user shows what they have in common.",
    "The test fails only when it runs after its neighbour: both write to the same folder. Giving \
     each a folder of its own removes the surprise.",
    "That query reads the whole table for every row on the page. An index on the date, and one \
     query instead of fifty, brings it down to a few milliseconds.",
    "I renamed the field, updated its three callers and the documentation, and ran the tests. \
     Nothing else refers to the old name.",
    "There are two ways to do this. The first is shorter; the second can be undone. As the data \
     cannot be restored, I suggest the second.",
];

/// What a request asks a simulated endpoint for.
enum Call {
    Stream(Value),
    Message(Value),
    Other,
}

impl Call {
    fn of(request: &Received) -> Self {
        if request.method != "POST" || !request.path().ends_with("/messages") {
            return Self::Other;
        }
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if asked["stream"] == true {
            Self::Stream(asked)
        } else {
            Self::Message(asked)
        }
    }
}

/// Events at the pace of a model that writes.
fn paced(steps: Vec<Step>, dice: &mut Dice) -> Vec<Step> {
    let mut paced = Vec::with_capacity(steps.len() * 2);
    for step in steps {
        if matches!(&step, Step::Event(name, _) if name == "content_block_delta") {
            paced.push(Step::Wait(
                Duration::from_millis(20).mul_f64(0.5 + 2.0 * dice.fraction()),
            ));
        }
        paced.push(step);
    }
    paced
}

/// Numbers that look random and follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64, throw: usize) -> Self {
        let mut dice = Self(seed);
        dice.0 ^= dice.next() ^ throw as u64;
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        f64::from((self.next() >> 32) as u32) / f64::from(u32::MAX)
    }

    fn choice<'c>(&mut self, of: &[&'c str]) -> &'c str {
        of[(self.next() % of.len() as u64) as usize]
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

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let throws = |seed| {
            (0..5)
                .map(|n| Dice::new(seed, n).next())
                .collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
    }
}
