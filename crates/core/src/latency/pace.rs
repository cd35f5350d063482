//! How long healthy answers take, and so how long an endpoint may take before it is late, or given up.
//!
//! Each endpoint keeps this for the [`MODELS`] models that were used last: the time until a stream proves real
//! (its first content) by the size of the request, the time of an answer that is not streamed, and the longest
//! silence of each stream, by what the model did then.
//!
//! | time | is | while little is known |
//! | --- | --- | --- |
//! | a stream is late | 2 × p95, at least `SOONEST` | as elsewhere, or from 2 to 8 s, from checks and the size of the request |
//! | another answer is late | 2 × p95, at least `SOONEST` | never |
//! | a stream is given up before it begins | 4 × p99, at least `BEGIN` | the limit of the file |
//! | a stream is given up midway | 4 × p99 of the longest silences, at least `LEAST` | `UNKNOWN` |
//!
//! A percentile of a few samples says little of the rare ones, so with fewer than 100 the multiple of a p99
//! grows by √(100 ÷ samples). What an endpoint has not shown yet is taken from the others that have answered the
//! same model: the longest of their times, and twice that where something is given up.
//!
//! A late answer is not a failure: it is a reason to ask another endpoint as well.

use std::time::Duration;

use super::histogram::Histogram;
use super::size::Size;
use crate::messages::stage::Activity;

/// Maximum number of models per endpoint.
const MODELS: usize = 8;
/// Longer names are cut; no model has such a name.
const LONGEST_NAME: usize = 128;

/// So many samples tell when an answer is late.
const TELLS_LATE: u32 = 8;
/// So many samples tell when an answer is given up.
const TELLS_BEGIN: u32 = 20;
/// So many streams tell how long a stream is silent.
const TELLS_SILENCE: u32 = 8;
/// So many samples tell a p99.
const MANY: f64 = 100.0;

/// Nobody notices what is shorter.
const SOONEST: Duration = Duration::from_millis(800);
/// When an answer is late of which only the checks are known: at least, and at most.
const LATE_BY_CHECKS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(8));
/// The same if nothing at all is known.
const LATE_UNKNOWN: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(8));
/// What a longer prompt adds to the time of a check, for each byte: 1 s for 256 KB.
const PER_BYTE: Duration = Duration::from_nanos(4_000);
/// No answer is given up sooner before it begins.
const BEGIN: Duration = Duration::from_secs(2);
/// No stream is given up after a shorter silence.
const LEAST: Silences = Silences {
    writing: Duration::from_millis(1500),
    thinking: Duration::from_secs(30),
    tool: Duration::from_secs(30),
};
/// How long a stream may be silent while nothing is known. Text flows; hidden thinking, and the input of a tool
/// that the API sends as a whole, take a minute and more.
const UNKNOWN: Silences = Silences {
    writing: Duration::from_secs(6),
    thinking: Duration::from_secs(120),
    tool: Duration::from_secs(120),
};

/// How long an endpoint may take with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A stream that has not proven real by then is late.
    pub late: Duration,
    /// Whether answers have told that time, here or elsewhere.
    pub is_late_known: bool,
    /// The same for an answer that is not streamed. `None`: unknown.
    pub late_whole: Option<Duration>,
    /// A stream that has not proven real by then is given up. `None`: unknown.
    pub begin: Option<Duration>,
    /// How long a stream may be silent after that.
    pub silence: Silences,
}

/// The part of a [`Pace`] that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    late: Option<Duration>,
    late_whole: Option<Duration>,
    begin: Option<Duration>,
    silence: [Option<Duration>; Activity::ALL.len()],
}

impl Known {
    /// What is known of one of the two, and the longer time where both are.
    pub(crate) fn max(self, other: Self) -> Self {
        let mut silence = self.silence;
        for (longest, other) in silence.iter_mut().zip(other.silence) {
            *longest = (*longest).max(other);
        }
        Self {
            late: self.late.max(other.late),
            late_whole: self.late_whole.max(other.late_whole),
            begin: self.begin.max(other.begin),
            silence,
        }
    }

    /// The whole of it. `elsewhere`: what is known of other endpoints. `check`: how long a check takes here.
    pub(crate) fn complete(
        self,
        elsewhere: Self,
        check: Option<Duration>,
        bytes: Option<u64>,
    ) -> Pace {
        let twice = |time: Option<Duration>| time.map(|time| time * 2);
        let mut silence = UNKNOWN;
        for activity in Activity::ALL {
            let at = activity as usize;
            if let Some(known) = self.silence[at].or(twice(elsewhere.silence[at])) {
                *silence.of_mut(activity) = known;
            }
        }
        let late = self.late.or(elsewhere.late);
        Pace {
            late: late.unwrap_or_else(|| late_by(check, bytes)),
            is_late_known: late.is_some(),
            late_whole: self.late_whole.or(elsewhere.late_whole),
            begin: self.begin.or(twice(elsewhere.begin)),
            silence,
        }
    }
}

/// A time for each activity of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    writing: Duration,
    thinking: Duration,
    tool: Duration,
}

impl Silences {
    /// Longer than any.
    pub const ENDLESS: Self = Self {
        writing: Duration::MAX,
        thinking: Duration::MAX,
        tool: Duration::MAX,
    };

    /// The time for this activity.
    pub fn of(&self, activity: Activity) -> Duration {
        match activity {
            Activity::Writing => self.writing,
            Activity::Thinking => self.thinking,
            Activity::Tool => self.tool,
        }
    }

    /// Notes a silence during this activity. The longest counts.
    pub fn note(&mut self, activity: Activity, silence: Duration) {
        let longest = self.of_mut(activity);
        *longest = silence.max(*longest);
    }

    /// The same times, each multiplied.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self {
            writing: self.writing.saturating_mul(factor),
            thinking: self.thinking.saturating_mul(factor),
            tool: self.tool.saturating_mul(factor),
        }
    }

    fn of_mut(&mut self, activity: Activity) -> &mut Duration {
        match activity {
            Activity::Writing => &mut self.writing,
            Activity::Thinking => &mut self.thinking,
            Activity::Tool => &mut self.tool,
        }
    }
}

/// What one endpoint's answers were like.
#[derive(Debug, Default)]
pub(super) struct Paces {
    /// The model used last is at the end.
    models: Vec<Model>,
}

#[derive(Debug, Default)]
struct Model {
    name: String,
    /// Until a stream proved real, by the size of its request.
    begins: [Histogram; Size::COUNT],
    /// The whole of an answer without a stream.
    wholes: Histogram,
    /// The longest silence of each stream, by activity.
    silences: [Histogram; Activity::ALL.len()],
}

impl Paces {
    /// A stream has proven real after this time. `size`: of its request.
    pub(super) fn note_begin(&mut self, model: &str, size: Size, took: Duration) {
        self.model(model).begins[size as usize].observe(took);
    }

    /// An answer without a stream came after this time.
    pub(super) fn note_whole(&mut self, model: &str, took: Duration) {
        self.model(model).wholes.observe(took);
    }

    /// The longest silences of a stream that is complete. Zero: the model did not do that.
    pub(super) fn note_silences(&mut self, model: &str, longest: &Silences) {
        let model = self.model(model);
        for (activity, histogram) in Activity::ALL.into_iter().zip(&mut model.silences) {
            let longest = longest.of(activity);
            if !longest.is_zero() {
                histogram.observe(longest);
            }
        }
    }

    /// What is known about a request of this size.
    pub(super) fn known(&self, model: Option<&str>, size: Size) -> Known {
        let name = model.map(shortened);
        let known = self.models.iter().find(|known| Some(&*known.name) == name);
        let Some(known) = known else {
            return Known::default();
        };
        let enough = |times: &Histogram, tells| times.len() >= tells;
        let begin = |tells| known.begin(size, tells);
        let wholes = |tells| Some(&known.wholes).filter(|wholes| enough(wholes, tells));
        let silence = |activity: Activity| {
            let times = &known.silences[activity as usize];
            let learned = enough(times, TELLS_SILENCE).then(|| beyond_all(times))?;
            Some(learned.max(LEAST.of(activity)))
        };
        let given_up = |times: &Histogram| beyond_all(times).max(BEGIN);
        Known {
            late: begin(TELLS_LATE).map(late_after),
            late_whole: wholes(TELLS_LATE).map(late_after),
            begin: begin(TELLS_BEGIN).map(given_up),
            silence: Activity::ALL.map(silence),
        }
    }

    fn model(&mut self, name: &str) -> &mut Model {
        let name = shortened(name);
        match self.models.iter().position(|known| known.name == name) {
            Some(at) => self.models[at..].rotate_left(1),
            None => {
                if self.models.len() >= MODELS {
                    self.models.remove(0);
                }
                self.models.push(Model {
                    name: name.to_owned(),
                    ..Model::default()
                });
            }
        }
        let last = self.models.len() - 1;
        &mut self.models[last]
    }
}

impl Model {
    /// The times of requests of that size, or else of larger ones, if there are enough of them.
    fn begin(&self, size: Size, enough: u32) -> Option<&Histogram> {
        let known = &self.begins[..Size::Unknown as usize];
        let larger = known.get(size as usize..).unwrap_or_default();
        let own = self.begins.get(size as usize);
        let mut sizes = own.into_iter().chain(larger);
        sizes.find(|times| times.len() >= enough)
    }
}

/// When an answer is late that is like these.
fn late_after(times: &Histogram) -> Duration {
    (times.p95() * 2).max(SOONEST)
}

/// When a stream is late of which only a check is known, or not even that.
fn late_by(check: Option<Duration>, bytes: Option<u64>) -> Duration {
    let more = bytes.map_or(Duration::ZERO, |bytes| {
        PER_BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
    });
    match check {
        Some(check) => {
            let (least, most) = LATE_BY_CHECKS;
            (check.saturating_add(more).saturating_mul(2)).clamp(least, most)
        }
        None => {
            let (least, most) = LATE_UNKNOWN;
            (least.saturating_add(more)).min(most)
        }
    }
}

/// A time that healthy answers do not take.
fn beyond_all(times: &Histogram) -> Duration {
    let few = (MANY / f64::from(times.len().max(1))).sqrt().max(1.0);
    times.p99().mul_f64(4.0 * few)
}

fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const KB: u64 = 1024;

    fn with(begins: u32, took: Duration) -> Paces {
        let mut paces = Paces::default();
        for _ in 0..begins {
            paces.note_begin("m", Size::Medium, took);
        }
        paces
    }

    fn at(paces: &Paces, kilobytes: u64) -> Pace {
        pace(paces, "m", kilobytes, None)
    }

    fn pace(paces: &Paces, model: &str, kilobytes: u64, check: Option<Duration>) -> Pace {
        let bytes = Some(kilobytes * KB);
        let known = paces.known(Some(model), Size::of(bytes));
        known.complete(Known::default(), check, bytes)
    }

    fn about(is: Duration, seconds: f64) -> bool {
        (is.as_secs_f64() / seconds - 1.0).abs() < 0.06
    }

    #[test]
    fn while_nothing_is_known_an_answer_is_late_after_some_seconds_and_never_given_up() {
        let paces = Paces::default();

        let late = |check, kilobytes: u64| {
            let pace = pace(&paces, "m", kilobytes, check);
            assert_eq!((pace.begin, pace.late_whole), (None, None));
            pace.late.as_secs_f64().round()
        };

        let check = Some(Duration::from_millis(50));
        assert_eq!(
            [1, 80, 500, 5000].map(|size| late(None, size)),
            [4.0, 4.0, 6.0, 8.0]
        );
        assert_eq!(
            [1, 80, 500, 5000].map(|size| late(check, size)),
            [2.0, 2.0, 4.0, 8.0]
        );
    }

    #[test]
    fn eight_answers_tell_when_one_is_late_and_twenty_when_none_will_come() {
        let took = 2 * SECOND;
        let (few, more) = (with(8, took), with(20, took));

        assert!(about(at(&few, 100).late, 4.0));
        assert_eq!(at(&few, 100).begin, None);
        let four_times_more_for_so_few = 4.0 * 2.0 * 5_f64.sqrt();
        assert!(about(
            at(&more, 100).begin.unwrap(),
            four_times_more_for_so_few
        ));
        assert_eq!(
            at(&with(100, SECOND / 10), 100).begin,
            Some(BEGIN),
            "at least"
        );
        assert!(about(at(&with(100, 5 * SECOND), 100).begin.unwrap(), 20.0));
    }

    #[test]
    fn a_size_that_is_unknown_takes_as_long_as_a_larger_one() {
        let paces = with(20, 2 * SECOND);

        assert!(about(at(&paces, 10).late, 4.0));
        assert_eq!(at(&paces, 500).begin, None, "larger ones may take longer");
    }

    #[test]
    fn what_is_unknown_here_is_taken_from_elsewhere_with_more_patience() {
        let bytes = Some(100 * KB);
        let elsewhere = with(100, 5 * SECOND).known(Some("m"), Size::Medium);
        let more = with(8, 3 * SECOND).known(Some("m"), Size::Medium);

        let pace = Known::default().complete(elsewhere.max(more), None, bytes);
        let own = more.complete(elsewhere, None, bytes);

        assert!(about(pace.late, 10.0) && about(pace.begin.unwrap(), 40.0));
        assert!(about(own.late, 6.0) && about(own.begin.unwrap(), 40.0));
    }

    #[test]
    fn another_model_is_unknown() {
        let paces = with(100, 5 * SECOND);

        assert_eq!(pace(&paces, "other", 100, None).begin, None);
    }

    #[test]
    fn what_nobody_notices_is_not_late() {
        assert_eq!(at(&with(20, Duration::from_millis(20)), 100).late, SOONEST);
    }

    #[test]
    fn each_activity_has_its_own_silence() {
        let mut paces = Paces::default();
        let mut longest = Silences::default();
        longest.note(Activity::Writing, SECOND);
        longest.note(Activity::Writing, SECOND / 2);
        for _ in 0..100 {
            paces.note_silences("m", &longest);
        }

        let silence = at(&paces, 1).silence;

        assert!(about(silence.of(Activity::Writing), 4.0));
        assert_eq!(silence.of(Activity::Thinking), UNKNOWN.thinking);
        assert_eq!(silence.of(Activity::Tool), UNKNOWN.tool);
    }

    #[test]
    fn a_whole_answer_is_late_only_if_such_answers_are_known() {
        let mut paces = Paces::default();
        for _ in 0..20 {
            paces.note_whole("m", 30 * SECOND);
        }

        let pace = at(&paces, 1);

        assert!(about(pace.late_whole.unwrap(), 60.0));
    }

    #[test]
    fn only_the_models_used_last_are_kept() {
        let mut paces = with(8, SECOND);
        for other in 0..MODELS {
            paces.note_whole(&format!("other {other}"), SECOND);
        }

        assert_eq!(paces.models.len(), MODELS);
        assert!(!paces.models.iter().any(|model| model.name == "m"));
    }
}
