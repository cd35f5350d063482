//! The contract's enums as small numbers. A number that was released never changes its meaning.

use zephyr_control::{AttemptOutcome, EndpointState, RequestEnd};

const ENDS: [RequestEnd; 5] = [
    RequestEnd::Answered,
    RequestEnd::Failed,
    RequestEnd::Aborted,
    RequestEnd::Abandoned,
    RequestEnd::Refused,
];

const OUTCOMES: [AttemptOutcome; 11] = [
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
    AttemptOutcome::Overtaken,
];

const STATES: [EndpointState; 11] = [
    EndpointState::Ready,
    EndpointState::Recovering,
    EndpointState::Failing,
    EndpointState::Throttled,
    EndpointState::Refused,
    EndpointState::Exhausted,
    EndpointState::Draining,
    EndpointState::Disabled,
    EndpointState::NoCredential,
    EndpointState::Faltering,
    EndpointState::Unreachable,
];

/// An enum that is stored as a number.
pub(crate) trait Coded: Copy + PartialEq + 'static {
    /// Each value at the index of its number.
    const ALL: &'static [Self];

    fn code(self) -> i64 {
        let place = Self::ALL.iter().position(|each| *each == self);
        place.map_or(-1, |place| i64::try_from(place).unwrap_or(-1))
    }

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

/// Whether the outcome counts as a failure of the endpoint.
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
        | AttemptOutcome::Abandoned
        | AttemptOutcome::Overtaken => false,
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
}
