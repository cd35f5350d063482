//! Brownouts: an endpoint that answers, but takes many times as long as usual.
//!
//! The time to the first event of streams shows it. It is compared per model, because models differ more than
//! endpoints do: with the endpoint's own usual time or, while that is unknown, with `BY_NATURE` times the
//! usual time of the fastest other endpoint. An answer is *slow* if it takes `SLOW_FACTOR` times the usual
//! time and at least `NOTICEABLE` more. It is *quick* below half of that factor. `IN_A_ROW` slow answers
//! without a quick one in between make the endpoint slow, and as many quick ones end that. Anything in
//! between says nothing, so an endpoint at the limit does not change back and forth.
//!
//! A slow endpoint gets no new conversations. So one new conversation tries it after `FIRST_REST`, and then
//! after twice as long each time that it fails or becomes slow again, up to `LONGEST_REST`. Conversations
//! that stay there also show how it is. Slow answers do not change the usual time, but a slowness that has
//! lasted for `NEW_NORMAL` becomes the usual time.

use std::time::{Duration, Instant};

use super::ewma::Ewma;

/// A slow answer takes this many times the usual time.
const SLOW_FACTOR: f64 = 5.0;
/// An unknown endpoint may take this many times the usual time of the fastest other endpoint.
const BY_NATURE: f64 = 1.6;
/// A smaller difference to the usual time is not slow, because it is not noticeable.
const NOTICEABLE: Duration = Duration::from_millis(200);
/// So many answers in a row decide.
const IN_A_ROW: u32 = 2;
/// So many answers make a usual time.
const KNOWN_AFTER: u32 = 3;
/// How fast the usual time fades.
const USUAL_TAU: Duration = Duration::from_secs(600);
/// Maximum number of models with a usual time.
const MODELS: usize = 16;
/// When a slow endpoint is first tried by a new conversation.
const FIRST_REST: Duration = Duration::from_secs(30);
/// Longest time between two such conversations.
const LONGEST_REST: Duration = Duration::from_secs(600);
/// A relapse within this time makes the next rest longer.
const RELAPSE: Duration = Duration::from_secs(600);
/// After this time, slow becomes usual.
const NEW_NORMAL: Duration = Duration::from_secs(3600);

/// How slow a slow endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowness {
    /// The time to the first event of its last slow answer.
    pub its: Duration,
    /// The usual time.
    pub usual: Duration,
}

/// How fast one endpoint begins its answers.
#[derive(Debug, Default)]
pub(crate) struct Brownout {
    /// The model used last is at the end.
    models: Vec<Model>,
    pace: Pace,
}

#[derive(Debug)]
struct Model {
    name: String,
    usual: Ewma,
    answers: u32,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    Quick {
        /// Slow answers since the last quick one.
        slow: u32,
        /// When it last recovered, and how long its rest was then.
        recovered: Option<(Instant, Duration)>,
    },
    Slow {
        slowness: Slowness,
        since: Instant,
        /// Quick answers since the last slow one.
        quick: u32,
        rest: Duration,
        try_at: Instant,
    },
}

impl Default for Pace {
    fn default() -> Self {
        Self::Quick {
            slow: 0,
            recovered: None,
        }
    }
}

impl Brownout {
    /// Notes the time to a stream's first event. `elsewhere`: the usual time of the fastest other endpoint
    /// for this model.
    pub(crate) fn observe(
        &mut self,
        model: &str,
        took: Duration,
        elsewhere: Option<Duration>,
        now: Instant,
    ) {
        if let Pace::Slow { since, .. } = self.pace
            && now.saturating_duration_since(since) >= NEW_NORMAL
        {
            *self = Self::default();
        }
        let elsewhere = elsewhere.map(|usual| usual.mul_f64(BY_NATURE));
        let Some(usual) = self.usual(model).or(elsewhere) else {
            self.learn(model, took, now);
            return;
        };
        let more = took.saturating_sub(usual);
        let is_slow = is_slow(took, usual);
        let is_quick = took < usual.mul_f64(SLOW_FACTOR / 2.0) || more < NOTICEABLE;
        if !is_slow {
            self.learn(model, took, now);
        }
        if is_slow {
            self.slow_answer(Slowness { its: took, usual }, now);
        } else if is_quick {
            self.quick_answer(now);
        }
    }

    /// Notes that a stream had not begun after this time. How long it would have taken is unknown, so this can
    /// only be slow.
    pub(crate) fn observe_at_least(
        &mut self,
        model: &str,
        waited: Duration,
        elsewhere: Option<Duration>,
        now: Instant,
    ) {
        let elsewhere = elsewhere.map(|usual| usual.mul_f64(BY_NATURE));
        if let Some(usual) = self.usual(model).or(elsewhere)
            && is_slow(waited, usual)
        {
            self.slow_answer(Slowness { its: waited, usual }, now);
        }
    }

    /// How slow it is. `None`: it is not slow.
    pub(crate) fn slowness(&self) -> Option<Slowness> {
        match self.pace {
            Pace::Quick { .. } => None,
            Pace::Slow { slowness, .. } => Some(slowness),
        }
    }

    /// The usual time to the first event of this model's streams, once it is known.
    pub(crate) fn usual(&self, model: &str) -> Option<Duration> {
        let known = self.models.iter().find(|known| known.name == model)?;
        known.usual.get().filter(|_| known.answers >= KNOWN_AFTER)
    }

    /// Whether a new conversation may try whether it is still slow.
    pub(crate) fn may_be_tried(&self, now: Instant) -> bool {
        matches!(self.pace, Pace::Slow { try_at, .. } if try_at <= now)
    }

    /// A new conversation tries it.
    pub(crate) fn is_tried(&mut self, now: Instant) {
        if let Pace::Slow { rest, try_at, .. } = &mut self.pace {
            *try_at = now + *rest;
            *rest = (*rest * 2).min(LONGEST_REST);
        }
    }

    fn slow_answer(&mut self, slowness: Slowness, now: Instant) {
        match &mut self.pace {
            Pace::Quick { slow, recovered } => {
                *slow += 1;
                if *slow < IN_A_ROW {
                    return;
                }
                let lately = |at: Instant| now.saturating_duration_since(at) < RELAPSE;
                let rest = match *recovered {
                    Some((at, rest)) if lately(at) => (rest * 2).min(LONGEST_REST),
                    Some(_) | None => FIRST_REST,
                };
                self.pace = Pace::Slow {
                    slowness,
                    since: now,
                    quick: 0,
                    rest,
                    try_at: now + rest,
                };
            }
            Pace::Slow {
                slowness: last,
                quick,
                rest,
                try_at,
                ..
            } => {
                *last = slowness;
                *quick = 0;
                *try_at = now + *rest;
            }
        }
    }

    fn quick_answer(&mut self, now: Instant) {
        match &mut self.pace {
            Pace::Quick { slow, .. } => *slow = 0,
            Pace::Slow {
                quick,
                rest,
                try_at,
                ..
            } => {
                *quick += 1;
                *try_at = now; // The next conversation decides.
                if *quick >= IN_A_ROW {
                    self.pace = Pace::Quick {
                        slow: 0,
                        recovered: Some((now, *rest)),
                    };
                }
            }
        }
    }

    fn learn(&mut self, name: &str, took: Duration, now: Instant) {
        let at = self.models.iter().position(|known| known.name == name);
        let mut model = match at {
            Some(at) => self.models.remove(at),
            None => Model {
                name: name.to_owned(),
                usual: Ewma::new(USUAL_TAU),
                answers: 0,
            },
        };
        if self.models.len() >= MODELS {
            self.models.remove(0);
        }
        model.usual.observe(took, now);
        model.answers = model.answers.saturating_add(1);
        self.models.push(model);
    }
}

fn is_slow(took: Duration, usual: Duration) -> bool {
    took >= usual.mul_f64(SLOW_FACTOR) && took.saturating_sub(usual) >= NOTICEABLE
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    const USUAL: Duration = Duration::from_millis(500);
    const SLOW: Duration = Duration::from_secs(5);

    struct Scene {
        pace: Brownout,
        now: Instant,
    }

    impl Scene {
        /// An endpoint whose usual time is known.
        fn known() -> Self {
            let mut scene = Self {
                pace: Brownout::default(),
                now: Instant::now(),
            };
            for _ in 0..KNOWN_AFTER {
                scene.answers(USUAL);
            }
            scene
        }

        fn slow() -> Self {
            let mut scene = Self::known();
            scene.answers(SLOW);
            scene.answers(SLOW);
            scene
        }

        fn answers(&mut self, took: Duration) {
            self.now += took;
            self.pace.observe("m", took, None, self.now);
        }

        fn is_slow(&self) -> bool {
            self.pace.slowness().is_some()
        }
    }

    #[test]
    fn two_slow_answers_tell_and_one_does_not() {
        let mut scene = Scene::known();

        scene.answers(SLOW);
        let after_one = scene.is_slow();
        scene.answers(SLOW);

        let told = Slowness {
            its: SLOW,
            usual: USUAL,
        };
        assert_eq!((after_one, scene.pace.slowness()), (false, Some(told)));
    }

    #[test]
    fn a_quick_answer_in_between_makes_it_begin_anew() {
        let mut scene = Scene::known();

        for took in [SLOW, USUAL, SLOW, USUAL] {
            scene.answers(took);
        }

        assert!(!scene.is_slow());
    }

    #[test]
    fn another_model_is_measured_by_itself() {
        let mut scene = Scene::known();

        for _ in 0..10 {
            scene.pace.observe("large", SLOW, None, scene.now);
        }

        assert!(!scene.is_slow());
    }

    #[test]
    fn an_unknown_endpoint_is_measured_by_the_others() {
        let (mut pace, now) = (Brownout::default(), Instant::now());

        pace.observe("m", SLOW, Some(USUAL), now);
        pace.observe("m", SLOW, Some(USUAL), now);

        assert!(pace.slowness().is_some());
    }

    #[test]
    fn what_nobody_notices_is_not_slow() {
        let (mut pace, now) = (Brownout::default(), Instant::now());
        let quick = Duration::from_millis(5);

        for _ in 0..10 {
            pace.observe("m", quick * 20, Some(quick), now);
        }

        assert!(pace.slowness().is_none());
    }

    #[test]
    fn two_quick_answers_end_it() {
        let mut scene = Scene::slow();

        scene.answers(USUAL);
        let after_one = scene.is_slow();
        scene.answers(USUAL);

        assert_eq!((after_one, scene.is_slow()), (true, false));
    }

    #[test]
    fn it_is_tried_ever_more_rarely() {
        let mut scene = Scene::slow();
        let mut rests = Vec::new();

        for _ in 0..7 {
            let slow_at = scene.now;
            while !scene.pace.may_be_tried(scene.now) {
                scene.now += Duration::from_secs(1);
            }
            rests.push((scene.now - slow_at).as_secs());
            scene.pace.is_tried(scene.now);
            scene.pace.observe("m", SLOW, None, scene.now);
        }

        assert_eq!(rests, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn what_lasts_for_an_hour_is_how_it_is() {
        let mut scene = Scene::slow();

        scene.now += NEW_NORMAL;
        for _ in 0..5 {
            scene.answers(SLOW);
        }

        assert!(!scene.is_slow());
    }
}
