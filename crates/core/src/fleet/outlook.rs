//! How things are as a whole: what a usual request of now would get.
//!
//! Every front-end shows this and derives nothing of its own. It follows from the same questions that
//! [`Fleet::admit`] asks, so it cannot be better than what a request gets. A *usual* request is a message of a
//! new conversation, for no particular model.
//!
//! The first of these that is true is the answer:
//!
//! 1. *offline:* nothing at all can be reached.
//! 2. *out:* the request would be denied, would wait, or could only be tried at an endpoint that is out.
//! 3. *paused:* monitoring is paused, so what is known grows old.
//! 4. *starting:* nothing has been measured or used yet.
//! 5. *degraded:* the request is answered, but not as wished: the pinned endpoint fails, the first attempt
//!    would fail, some endpoints are out or failing, or the one that is left is slow or only on trial.
//! 6. *well:* none of these.
//!
//! Time is what [`Fleet::handle_timeout`] was told last.

use std::time::Instant;

use super::choice::Pick;
use super::endpoint::Endpoint;
use super::journey::Journey;
use super::mode::Mode;
use super::reason::Why;
use super::state::Fleet;
use crate::call::CallKind;
use crate::circuit::{Cause, CircuitState};
use crate::endpoint_id::EndpointId;
use crate::fleet::endpoint::Availability;

/// How things are as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// In one word.
    pub overall: Overall,
    /// Which endpoint this is about.
    pub about: About,
    /// Why.
    pub because: Because,
    /// How many endpoints take requests and have not failed last.
    pub answering: usize,
    /// How many endpoints are switched on.
    pub of: usize,
}

/// How things are, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// Requests are answered as wished.
    Well,
    /// Requests are answered, but not as wished.
    Degraded,
    /// A request of now would be denied or would wait.
    Out,
    /// Monitoring is paused.
    Paused,
    /// Nothing at all can be reached.
    Offline,
    /// Nothing has been measured or used yet.
    Starting,
}

/// Which endpoint an [`Outlook`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// None: the next request gets none.
    Nothing,
    /// The one that the next request gets.
    Endpoint(EndpointId),
    /// The pinned one.
    Pin {
        /// Which.
        pin: EndpointId,
        /// The one that answers in its place, if it is one.
        stand_in: Option<EndpointId>,
    },
    /// Several, among which requests are distributed.
    Several,
}

/// Why things are as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The next request is answered, and every endpoint is fine.
    AllAnswer,
    /// The next request is answered, and some endpoints are out or failing.
    SomeAnswer,
    /// The pinned endpoint cannot take the next request, and others do.
    StandIn,
    /// The first attempt goes to an endpoint that has failed lately, and the next one elsewhere.
    MovesOn {
        /// Where, if it is one endpoint.
        to: Option<EndpointId>,
    },
    /// The next request goes to an endpoint that has failed lately, and can go nowhere else.
    Faltering,
    /// The next request goes to an endpoint that takes many times as long as usual.
    Slow,
    /// The next request finds out whether an endpoint is back.
    Tried,
    /// Nothing is known yet.
    NothingKnown,
    /// No endpoint is configured.
    NoEndpoints,
    /// Every endpoint is switched off.
    NoneEnabled,
    /// No endpoint is usable. The cause is given if all have the same.
    AllOut(Option<AllOut>),
    /// The pinned endpoint is out, and without failover no other is asked.
    PinOut,
    /// Endpoints are back, but requests that have waited come first.
    OthersFirst,
    /// Nothing at all can be reached.
    Unreachable,
}

/// Why each endpoint is out, if all of them have the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllOut {
    /// They fail, or cannot be reached.
    Failing,
    /// They asked for a pause.
    Throttled,
    /// Their quota is used up.
    Exhausted,
    /// They refuse our credential.
    Refused,
    /// Their credential was not found.
    NoCredential,
}

impl Fleet {
    /// How things are as a whole. Asking changes nothing.
    pub fn outlook(&self, now: Instant) -> Outlook {
        let usual = Journey::new(CallKind::Messages, None, None);
        let next = self.look_where(&usual, now);
        let about = self.about(next.as_ref(), &usual, now);
        let (overall, because) = self.judge(next.as_ref(), &usual, now);
        let overall = match overall {
            Overall::Degraded | Overall::Well if self.is_paused() => Overall::Paused,
            Overall::Degraded | Overall::Well if because == Because::NothingKnown => {
                Overall::Starting
            }
            Overall::Well
            | Overall::Degraded
            | Overall::Out
            | Overall::Paused
            | Overall::Offline
            | Overall::Starting => overall,
        };
        Outlook {
            overall,
            about,
            because,
            answering: self.enabled().filter(|one| one.answers()).count(),
            of: self.enabled().count(),
        }
    }

    fn about(&self, next: Option<&Pick>, usual: &Journey, now: Instant) -> About {
        match (self.mode, next) {
            (Mode::Pinned(pin), Some(Pick::One(id, _))) if *id == pin => About::Pin {
                pin,
                stand_in: self
                    .get(pin)
                    .filter(|endpoint| endpoint.is_faltering())
                    .and_then(|_| self.moves_on_to(pin, usual, now))
                    .and_then(only_one),
            },
            (Mode::Pinned(pin), Some(Pick::One(id, _))) => About::Pin {
                pin,
                stand_in: Some(*id),
            },
            (Mode::Pinned(pin), Some(Pick::Turn(_)) | None) => About::Pin {
                pin,
                stand_in: None,
            },
            (Mode::Auto, None) => About::Nothing,
            (Mode::Auto, Some(Pick::Turn(_))) => About::Several,
            (Mode::Auto, Some(Pick::One(..))) if self.config.routing.strategy.distributes() => {
                About::Several
            }
            (Mode::Auto, Some(Pick::One(id, _))) => About::Endpoint(*id),
        }
    }

    /// How things are, but for a pause.
    fn judge(&self, next: Option<&Pick>, usual: &Journey, now: Instant) -> (Overall, Because) {
        if self.endpoints.is_empty() {
            return (Overall::Out, Because::NoEndpoints);
        }
        if self.enabled().next().is_none() {
            return (Overall::Out, Because::NoneEnabled);
        }
        if self.offline_since().is_some() {
            return (Overall::Offline, Because::Unreachable);
        }
        if let Some(because) = self.why_out(next, usual) {
            return (Overall::Out, because);
        }
        if !self.endpoints.iter().any(Endpoint::has_news) {
            return (Overall::Well, Because::NothingKnown);
        }
        match self.why_degraded(next, usual, now) {
            Some(because) => (Overall::Degraded, because),
            None => (Overall::Well, Because::AllAnswer),
        }
    }

    fn why_out(&self, next: Option<&Pick>, usual: &Journey) -> Option<Because> {
        if self.must_wait_behind(usual) {
            return Some(if self.something_is_up() {
                Because::OthersFirst
            } else {
                Because::AllOut(self.all_out())
            });
        }
        let is_open = |id| {
            let circuit = self.get(id).map(|one| one.standing.circuit.state());
            matches!(circuit, Some(CircuitState::Open { .. }))
        };
        match next {
            Some(Pick::One(id, Why::Pinned)) if is_open(*id) => Some(Because::PinOut),
            None | Some(Pick::One(_, Why::LastResort)) => Some(Because::AllOut(self.all_out())),
            Some(Pick::One(..) | Pick::Turn(_)) if self.all_down || !self.something_is_up() => {
                Some(Because::AllOut(self.all_out()))
            }
            Some(Pick::One(..) | Pick::Turn(_)) => None,
        }
    }

    fn why_degraded(&self, next: Option<&Pick>, usual: &Journey, now: Instant) -> Option<Because> {
        let some_are_out = self.enabled().any(|endpoint| !endpoint.answers());
        let counted = some_are_out.then_some(Because::SomeAnswer);
        let (id, why) = match next? {
            Pick::One(id, why) => (*id, *why),
            Pick::Turn(_) if matches!(self.mode, Mode::Pinned(_)) => return Some(Because::StandIn),
            Pick::Turn(_) => return counted,
        };
        let endpoint = self.get(id)?;
        if let Mode::Pinned(pin) = self.mode
            && pin != id
        {
            return Some(Because::StandIn);
        }
        if endpoint.is_faltering() {
            return Some(match self.moves_on_to(id, usual, now) {
                Some(pick) => Because::MovesOn { to: only_one(pick) },
                None => Because::Faltering,
            });
        }
        if why == Why::Trial || endpoint.is_half_open() {
            return Some(Because::Tried);
        }
        if endpoint.latency.slowness().is_some() {
            return Some(Because::Slow);
        }
        counted
    }

    /// Where a request would go after an attempt at that endpoint has failed.
    fn moves_on_to(&self, failing: EndpointId, usual: &Journey, now: Instant) -> Option<Pick> {
        let mut after = usual.clone();
        after.tried.push(failing);
        let may = self.config.failover.enabled && !self.has_enough(&after);
        self.pick_fit(&after, now).filter(|_| may)
    }

    /// The reason why every endpoint is out, if all have the same.
    fn all_out(&self) -> Option<AllOut> {
        let mut reasons = self.enabled().map(out_because);
        let first = reasons.next()??;
        reasons.all(|other| other == Some(first)).then_some(first)
    }

    /// The endpoints that a person has not switched off.
    fn enabled(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints
            .iter()
            .filter(|endpoint| endpoint.access.availability == Availability::Enabled)
    }
}

/// Why an endpoint is out. `None`: it is not.
fn out_because(endpoint: &Endpoint) -> Option<AllOut> {
    if !endpoint.access.has_credential {
        return Some(AllOut::NoCredential);
    }
    if endpoint.spent_until().is_some() {
        return Some(AllOut::Exhausted);
    }
    match endpoint.standing.circuit.state() {
        CircuitState::Open { cause, .. } | CircuitState::HalfOpen { cause, .. } => {
            Some(match cause {
                Cause::Failing => AllOut::Failing,
                Cause::Throttled => AllOut::Throttled,
                Cause::Exhausted => AllOut::Exhausted,
                Cause::Refused => AllOut::Refused,
            })
        }
        CircuitState::Closed { .. } if endpoint.is_faltering() => Some(AllOut::Failing),
        CircuitState::Closed { .. } => None,
    }
}

fn only_one(pick: Pick) -> Option<EndpointId> {
    match pick {
        Pick::One(id, _) => Some(id),
        Pick::Turn(several) => match several.as_slice() {
            [(id, _)] => Some(*id),
            _ => None,
        },
    }
}
