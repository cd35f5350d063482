//! How the contract's enums stand in the tables: as small numbers, never given another meaning.

use zephyr_control::{AttemptOutcome, EndpointState, RequestEnd};

const ENDS: [RequestEnd; 5] = [
    RequestEnd::Answered,
    RequestEnd::Failed,
    RequestEnd::Aborted,
    RequestEnd::Abandoned,
    RequestEnd::Refused,
];

const OUTCOMES: [AttemptOutcome; 10] = [
    AttemptOutcome::Answered,
    AttemptOutcome::NotServed,
    AttemptOutcome::ClientFault,
    AttemptOutcome::Refused,
    AttemptOutcome::Exhausted,
    AttemptOutcome::Throttled,
    AttemptOutcome::Failed,
    AttemptOutcome::Invalid,
    AttemptOutcome::Abandoned,
    AttemptOutcome::Offline,
];

const STATES: [EndpointState; 9] = [
    EndpointState::Ready,
    EndpointState::Recovering,
    EndpointState::Failing,
    EndpointState::Throttled,
    EndpointState::Refused,
    EndpointState::Exhausted,
    EndpointState::Draining,
    EndpointState::Disabled,
    EndpointState::NoCredential,
];

/// Something that stands in a table as a number.
pub(crate) trait Coded: Copy + PartialEq + 'static {
    /// Each at the place of its number.
    const ALL: &'static [Self];

    /// Its number.
    fn code(self) -> i64 {
        let place = Self::ALL.iter().position(|each| *each == self);
        place.map_or(-1, |place| i64::try_from(place).unwrap_or(-1))
    }

    /// Whose number that is.
    fn of_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

impl Coded for RequestEnd {
    const ALL: &'static [Self] = &ENDS;
}

impl Coded for AttemptOutcome {
    const ALL: &'static [Self] = &OUTCOMES;
}

impl Coded for EndpointState {
    const ALL: &'static [Self] = &STATES;
}

/// A number as SQLite has it.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Most of anything that is counted, so that no answer, however absurd, makes a sum overflow.
const MOST: u64 = 1_000_000_000;
/// The same for times and money: years, and a hundred thousand dollars.
const MOST_MEASURED: i64 = 100_000_000_000_000;

/// A count as it is stored and summed up.
pub(crate) fn count(number: u64) -> u64 {
    number.min(MOST)
}

/// A number of ours; there is none below zero.
pub(crate) fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Milliseconds as microseconds.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
pub(crate) fn micros(millis: f64) -> i64 {
    ((millis * 1e3).round() as i64).clamp(0, MOST_MEASURED)
}

/// Microseconds as milliseconds.
#[allow(clippy::cast_precision_loss, reason = "exact for 285 years")]
pub(crate) fn millis(micros: i64) -> f64 {
    micros as f64 / 1e3
}

/// Dollars as billionths.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates"
)]
pub(crate) fn nanousd(usd: f64) -> i64 {
    ((usd * 1e9).round() as i64).clamp(-MOST_MEASURED, MOST_MEASURED)
}

/// Billionths as dollars.
#[allow(clippy::cast_precision_loss, reason = "exact for nine million dollars")]
pub(crate) fn usd(nanousd: i64) -> f64 {
    nanousd as f64 / 1e9
}

/// Whether an attempt that ended so speaks against its endpoint.
pub(crate) fn is_failure(outcome: AttemptOutcome) -> bool {
    match outcome {
        AttemptOutcome::Refused
        | AttemptOutcome::Exhausted
        | AttemptOutcome::Throttled
        | AttemptOutcome::Failed
        | AttemptOutcome::Invalid
        | AttemptOutcome::Offline => true,
        AttemptOutcome::Answered
        | AttemptOutcome::NotServed
        | AttemptOutcome::ClientFault
        | AttemptOutcome::Abandoned => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back() {
        fn leads_back<T: Coded + std::fmt::Debug>() {
            for (code, each) in (0..).zip(T::ALL) {
                assert_eq!((each.code(), T::of_code(code)), (code, Some(*each)));
            }
            assert_eq!(T::of_code(-1), None);
        }
        leads_back::<RequestEnd>();
        leads_back::<AttemptOutcome>();
        leads_back::<EndpointState>();
    }

    #[test]
    fn money_keeps_nine_digits() {
        assert_eq!(usd(nanousd(0.012_345_678)), 0.012_345_678);
    }
}
