//! Turns the fleet's terms into the contract's terms. No other module knows both.

use std::time::Instant;

use zephyr_control::{
    self as control, Appearance, AttemptOutcome, EndpointState, EndpointView, EventKind, Headline,
    LanguageChoice, NotChosen, OverallStatus, ProbeCosts, QuotaWindow, Reason, ThemeChoice,
    TtftPercentiles, Verdict, Weighed,
};
use zephyr_core::certificate::{BadCertificate, Distrust};
use zephyr_core::circuit::{Cause, CircuitState};
use zephyr_core::classify::{Fault, Gateway, Ground, Outcome, Subject};
use zephyr_core::config::{Auth, CredentialRef, Language, Strategy, Theme, Ui};
use zephyr_core::fleet::{
    About, AllOut, Availability, Because, Decision, EndpointStatus, Mode, Outlook, Overall, Why,
    WhyNot,
};
use zephyr_core::latency::Measure;
use zephyr_core::price::Cost;
use zephyr_core::quota::Dry;
use zephyr_core::{Effect, EndpointId, Fleet};
use zephyr_secrets::redact::{Redacted, Redactor};
use zephyr_secrets::shell_word::shell_word;

use crate::clock::{Clock, millis};
use crate::request::request_id::RequestId;

/// When a fault was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the client saw anything.
    Before,
    /// After the client had seen a part of the answer.
    Midway,
}

/// Every endpoint as front-ends see it. The second redactor knows only what no client has said.
pub fn endpoints(
    fleet: &Fleet,
    clock: &Clock,
    redactors: (&Redactor, &Redactor),
) -> Vec<EndpointView> {
    fleet
        .status()
        .map(|status| endpoint(fleet, &status, clock, redactors))
        .collect()
}

/// How things are as a whole, for every front-end.
pub fn status(fleet: &Fleet, now: Instant) -> OverallStatus {
    let outlook = fleet.outlook(now);
    OverallStatus {
        overall: overall(outlook.overall),
        headline: headline(fleet, &outlook),
        about: about(fleet, outlook.about),
    }
}

fn overall(overall: Overall) -> control::Overall {
    match overall {
        Overall::Well => control::Overall::Well,
        Overall::Degraded => control::Overall::Degraded,
        Overall::Out => control::Overall::Out,
        Overall::Paused => control::Overall::Paused,
        Overall::Offline => control::Overall::Offline,
        Overall::Starting => control::Overall::Starting,
    }
}

fn about(fleet: &Fleet, about: About) -> control::About {
    match about {
        About::Nothing => control::About::Nothing,
        About::Endpoint(id) => control::About::Endpoint {
            endpoint: name(fleet, id),
        },
        About::Pin { pin, stand_in } => control::About::Pin {
            pin: name(fleet, pin),
            stand_in: stand_in.map(|id| name(fleet, id)),
        },
        About::Several => control::About::Several,
    }
}

fn headline(fleet: &Fleet, outlook: &Outlook) -> Headline {
    let (answering, of) = (outlook.answering, outlook.of);
    // The endpoint that the next request is sent to first, if it is one.
    let first = match outlook.about {
        About::Endpoint(id) => Some(name(fleet, id)),
        About::Pin {
            pin,
            stand_in: Some(id),
        } if matches!(outlook.because, Because::StandIn | Because::NothingKnown) && id != pin => {
            Some(name(fleet, id))
        }
        About::Pin { pin, .. } => Some(name(fleet, pin)),
        About::Several | About::Nothing => None,
    };
    let pin = || match outlook.about {
        About::Pin { pin, .. } => name(fleet, pin),
        About::Endpoint(_) | About::Several | About::Nothing => String::new(),
    };
    let distributed = Headline::Distributed { answering, of };
    match (outlook.because, first) {
        (Because::AllAnswer, Some(endpoint)) => Headline::InUse { endpoint },
        (Because::SomeAnswer, Some(endpoint)) => Headline::SomeAnswer {
            endpoint,
            answering,
            of,
        },
        (Because::StandIn, Some(endpoint))
            if !matches!(outlook.about, About::Pin { stand_in: None, .. }) =>
        {
            Headline::StandIn {
                pin: pin(),
                endpoint,
            }
        }
        (Because::StandIn, _) => Headline::StandIns {
            pin: pin(),
            answering,
            of,
        },
        (Because::MovesOn { to }, Some(endpoint)) => match to {
            Some(to) => Headline::MovesOn {
                endpoint,
                to: name(fleet, to),
            },
            None => Headline::MovesAround { endpoint },
        },
        (Because::Faltering, Some(endpoint)) => Headline::Faltering { endpoint },
        (Because::Slow, Some(endpoint)) => Headline::Slow { endpoint },
        (Because::Tried, Some(endpoint)) => Headline::Tried {
            endpoint,
            answering,
            of,
        },
        (Because::NothingKnown, Some(endpoint)) => Headline::FirstChoice { endpoint },
        (Because::NothingKnown, None) => Headline::NotMeasured,
        (Because::NoEndpoints, _) => Headline::NoEndpoints,
        (Because::NoneEnabled, _) => Headline::NoneEnabled,
        (Because::AllOut(cause), _) => match cause {
            None => Headline::NoneUsable,
            Some(AllOut::Failing) => Headline::AllFailing,
            Some(AllOut::Throttled) => Headline::AllThrottled,
            Some(AllOut::Exhausted) => Headline::AllExhausted,
            Some(AllOut::Refused) => Headline::AllRefused,
            Some(AllOut::NoCredential) => Headline::NoCredentials,
        },
        (Because::PinOut, _) => Headline::PinOut { pin: pin() },
        (Because::OthersFirst, _) => Headline::OthersFirst,
        (Because::Unreachable, _) => Headline::Unreachable,
        // Requests are distributed, so they are counted.
        (
            Because::AllAnswer
            | Because::SomeAnswer
            | Because::MovesOn { .. }
            | Because::Faltering
            | Because::Slow
            | Because::Tried,
            None,
        ) => distributed,
    }
}

/// The mode as front-ends see it.
pub fn mode(fleet: &Fleet) -> control::Mode {
    match fleet.mode() {
        Mode::Auto => control::Mode::Auto,
        Mode::Pinned(id) => control::Mode::Manual {
            endpoint: name(fleet, id),
        },
    }
}

/// The strategy as front-ends see it.
pub fn strategy(strategy: Strategy) -> control::Strategy {
    match strategy {
        Strategy::Latency => control::Strategy::Latency,
        Strategy::Priority => control::Strategy::Priority,
        Strategy::Price => control::Strategy::Price,
        Strategy::RoundRobin => control::Strategy::RoundRobin,
        Strategy::WeightedRoundRobin => control::Strategy::WeightedRoundRobin,
        Strategy::Random => control::Strategy::Random,
    }
}

/// What checks cost as front-ends see it.
pub fn probe_costs(fleet: &Fleet) -> ProbeCosts {
    ProbeCosts {
        today_usd: fleet.spent_today().usd(),
        budget_usd: fleet.config().health_check.daily_budget_usd,
        reached: fleet.budget_reached().is_some(),
    }
}

/// The configured appearance in the contract's terms.
pub fn appearance(ui: &Ui) -> Appearance {
    Appearance {
        language: match ui.language {
            Language::Auto => LanguageChoice::Auto,
            Language::En => LanguageChoice::En,
            Language::Zh => LanguageChoice::Zh,
        },
        theme: match ui.theme {
            Theme::Auto => ThemeChoice::Auto,
            Theme::Light => ThemeChoice::Light,
            Theme::Dark => ThemeChoice::Dark,
        },
    }
}

/// A decision with the names of its endpoints.
pub fn decision(
    fleet: &Fleet,
    chosen: EndpointId,
    decision: &Decision,
    now: Instant,
    redactor: &Redactor,
) -> control::Decision {
    let others = decision.others.iter().map(|(id, why)| NotChosen {
        endpoint: name(fleet, *id),
        why: why_not(fleet, *id, *why, now, redactor),
    });
    control::Decision {
        why: why(fleet, chosen, decision.why),
        others: others.collect(),
    }
}

/// The last time that speed was weighed against a prompt cache, if both endpoints are still there.
pub fn weighed(fleet: &Fleet, clock: &Clock) -> Option<Weighed> {
    let weighed = fleet.last_weighed(clock.instant())?;
    let name = |id| Some(fleet.status_of(id)?.spec.name.clone());
    Some(Weighed {
        at_ms: clock.unix_ms(weighed.at),
        from: name(weighed.from)?,
        to: name(weighed.to)?,
        moved: weighed.has_moved,
        saved_ms: millis(weighed.worth.saved),
        worth_usd: cents(weighed.worth.worth),
        cost_usd: cents(weighed.worth.cost),
    })
}

/// Why an endpoint was chosen.
pub fn why(fleet: &Fleet, chosen: EndpointId, why: Why) -> Reason {
    let spec = fleet.status_of(chosen).map(|status| status.spec);
    match why {
        Why::Pinned => Reason::Pinned,
        Why::FirstChoice => Reason::FirstChoice,
        Why::Remembered => Reason::Remembered,
        Why::Faster { to, from } => Reason::Faster {
            to_ms: millis(to),
            from_ms: millis(from),
            threshold_ms: millis(fleet.config().server.switch_threshold),
        },
        Why::BestPriority => Reason::BestPriority {
            priority: spec.map_or(0, |spec| spec.priority),
        },
        Why::BestPrice => Reason::BestPrice {
            price: spec.map_or(0.0, |spec| spec.price),
        },
        Why::Replaces => Reason::Replaces,
        Why::StandsIn => Reason::StandsIn,
        Why::LeavesSlow(slowness) => Reason::LeavesSlow {
            ms: millis(slowness.its),
            usual_ms: millis(slowness.usual),
        },
        Why::SparesQuota(dry) => Reason::SparesQuota {
            window: dry.window.as_str().to_owned(),
            left_percent: dry.percent.into(),
        },
        Why::LeavesBroken => Reason::LeavesBroken,
        Why::InUse => Reason::InUse,
        Why::NoneBetter => Reason::NoneBetter,
        Why::Sticky => Reason::Sticky,
        Why::StaysForCache(worth) => Reason::StaysForCache {
            saved_ms: millis(worth.saved),
            worth_usd: cents(worth.worth),
            cost_usd: cents(worth.cost),
        },
        Why::WorthMoving(worth) => Reason::WorthMoving {
            saved_ms: millis(worth.saved),
            worth_usd: cents(worth.worth),
            cost_usd: cents(worth.cost),
        },
        Why::Turn => Reason::Turn,
        Why::LastResort => Reason::LastResort,
        Why::Trial => Reason::Trial,
        Why::Beside { waited } => Reason::Beside {
            waited_ms: millis(waited),
        },
        Why::WithoutThinking => Reason::WithoutThinking,
    }
}

/// Why an endpoint was passed over.
pub fn why_not(
    fleet: &Fleet,
    id: EndpointId,
    why: WhyNot,
    now: Instant,
    redactor: &Redactor,
) -> Reason {
    let status = fleet.status_of(id);
    let spec = status.as_ref().map(|status| status.spec);
    match why {
        WhyNot::AlreadyTried => Reason::AlreadyTried,
        WhyNot::Disabled => Reason::Disabled,
        WhyNot::Draining => Reason::Draining,
        WhyNot::NoCredential => Reason::NoCredential {
            reference: spec.map_or_else(String::new, |spec| reference(&spec.auth)),
        },
        WhyNot::CircuitOpen { cause, .. } => {
            status.map_or_else(|| by_cause(cause), |status| out(&status, cause, redactor))
        }
        WhyNot::TrialInFlight => Reason::TrialInFlight,
        WhyNot::AwaitingProbe => Reason::AwaitingProbe,
        WhyNot::ModelNotServed => Reason::RequestedModelNotServed,
        WhyNot::FamilySpent { .. } => Reason::FamilySpent,
        WhyNot::SubscriptionSpent { until } => subscription_spent(until, now),
        WhyNot::TooLarge => Reason::TooLargeThere,
        WhyNot::ClientNotAdmitted => Reason::ClientNotAdmittedThere,
        WhyNot::ConversationRefused => Reason::ConversationRefused,
        WhyNot::NeedsOwnCredential => Reason::NeedsOwnCredential,
        WhyNot::NeedsHome => Reason::NeedsHome,
        WhyNot::BrokeOff => Reason::BrokeOff,
        WhyNot::ProbeFailed => Reason::ProbeFailed {
            detail: status
                .and_then(|status| status.last_fault)
                .map(|seen| words(seen, redactor))
                .unwrap_or_default(),
        },
        WhyNot::Slow(slowness) => Reason::Slow {
            ms: millis(slowness.its),
            usual_ms: millis(slowness.usual),
        },
        WhyNot::RunsDry(dry) => runs_dry(dry),
        WhyNot::NotFaster { its, chosen } => Reason::NotFaster {
            ms: millis(its),
            than_ms: millis(chosen),
        },
        WhyNot::WithinNoise {
            its,
            chosen,
            needed,
        } => Reason::WithinNoise {
            ms: millis(its),
            than_ms: millis(chosen),
            needed_ms: millis(needed),
        },
        WhyNot::NotMeasured => Reason::NotMeasured,
        WhyNot::LowerPriority => Reason::LowerPriority {
            priority: spec.map_or(0, |spec| spec.priority),
        },
        WhyNot::Dearer => Reason::Dearer {
            price: spec.map_or(0.0, |spec| spec.price),
        },
        WhyNot::Dwelling { until } => Reason::Dwelling {
            remaining_ms: millis(until.saturating_duration_since(now)),
        },
        WhyNot::Paused => Reason::Paused,
        WhyNot::NotPinned => Reason::NotPinned,
    }
}

/// Why an attempt failed. What the endpoint or the system said loses its secrets here, and only here it becomes
/// text that is shown.
pub fn fault(fault: &Fault, redactor: &Redactor) -> Reason {
    match fault {
        Fault::Status(status @ (401 | 403)) => Reason::CredentialRefused { status: *status },
        Fault::Status(402) => Reason::QuotaUsedUp { status: 402 },
        Fault::Status(429) => Reason::RateLimited { status: 429 },
        Fault::Status(status @ (503 | 529)) => Reason::Overloaded { status: *status },
        Fault::Status(status @ 300..=399) => Reason::Redirected { status: *status },
        Fault::Status(status @ (404 | 501)) => Reason::NotServed { status: *status },
        Fault::Status(status) => Reason::Status { status: *status },
        Fault::Gateway { status, said } => {
            let status = *status;
            match said {
                Gateway::OriginDown => Reason::OriginDown { status },
                Gateway::Challenge => Reason::Challenge { status },
                Gateway::Page => Reason::GatewayPage { status },
            }
        }
        Fault::Connect(detail) => Reason::ConnectFailed {
            detail: redactor.text(detail),
        },
        Fault::Certificate(bad) => certificate(bad, redactor),
        Fault::ClearText => Reason::ClearText,
        Fault::Lost(detail) => Reason::ConnectionLost {
            detail: redactor.text(detail),
        },
        Fault::TimedOut(after) => Reason::TimedOut {
            after_ms: millis(*after),
        },
        Fault::Html => Reason::Html,
        Fault::Empty => Reason::EmptyAnswer,
        Fault::NotMessages(detail) => Reason::NotMessagesFormat {
            detail: redactor.text(detail),
        },
        Fault::ErrorEvent(kind) => Reason::ErrorInAnswer {
            error_type: redactor.text(kind),
        },
        Fault::Cut => Reason::StreamCut,
        Fault::Stalled(after) => Reason::StreamStalled {
            after_ms: millis(*after),
        },
        Fault::ClaudeCli(detail) => Reason::CliFailed {
            detail: redactor.text(detail),
        },
        Fault::DrainTimeout => Reason::DrainTimeout,
    }
}

fn certificate(bad: &BadCertificate, redactor: &Redactor) -> Reason {
    let (issuer, last_day) = (redactor.text(&bad.issuer), bad.last_day.clone());
    match &bad.why {
        Distrust::Expired => Reason::CertificateExpired { issuer, last_day },
        Distrust::NotYetValid { first_day } => Reason::CertificateNotYetValid {
            issuer,
            first_day: first_day.clone(),
        },
        Distrust::OtherNames { names } => Reason::CertificateOfOthers {
            names: redactor.text(names),
            issuer,
            last_day,
        },
        Distrust::UnknownIssuer => Reason::CertificateIssuerUnknown { issuer, last_day },
        Distrust::Other(detail) => Reason::CertificateRejected {
            detail: redactor.text(detail),
            issuer,
            last_day,
        },
    }
}

/// The outcome of an attempt. Asked after the attempt is settled.
pub fn attempt(fleet: &Fleet, ended: &Outcome) -> AttemptOutcome {
    let was_unheard = matches!(
        ended,
        Outcome::Failed(
            Fault::Connect(_) | Fault::Certificate(_) | Fault::Lost(_) | Fault::TimedOut(_)
        )
    );
    if was_unheard && fleet.offline_since().is_some() {
        AttemptOutcome::Offline
    } else {
        outcome(ended)
    }
}

/// The name of an outcome, on whichever side the fault is.
pub fn outcome(outcome: &Outcome) -> AttemptOutcome {
    match outcome {
        Outcome::Answered => AttemptOutcome::Answered,
        Outcome::ClientFault(_) => AttemptOutcome::ClientFault,
        Outcome::NotServed { .. } => AttemptOutcome::NotServed,
        Outcome::Refused(_) => AttemptOutcome::Refused,
        Outcome::Exhausted { .. } => AttemptOutcome::Exhausted,
        Outcome::Throttled { .. } => AttemptOutcome::Throttled,
        Outcome::Failed(Fault::Html | Fault::Empty | Fault::NotMessages(_)) => {
            AttemptOutcome::Invalid
        }
        Outcome::Failed(_) | Outcome::Away { .. } => AttemptOutcome::Failed,
        Outcome::Abandoned => AttemptOutcome::Abandoned,
    }
}

/// Why an attempt brought no answer.
pub fn why_not_answered(outcome: &Outcome, phase: Phase, redactor: &Redactor) -> Option<Reason> {
    match outcome {
        Outcome::Answered | Outcome::Abandoned => None,
        Outcome::ClientFault(status) => Some(Reason::ClientFault { status: *status }),
        Outcome::NotServed { fault, subject, .. } => Some(not_served(fault, subject, redactor)),
        Outcome::Refused(Fault::Status(status)) => {
            Some(Reason::CredentialRefused { status: *status })
        }
        Outcome::Exhausted {
            fault: Fault::Status(status),
            ..
        } => Some(Reason::QuotaUsedUp { status: *status }),
        Outcome::Throttled {
            fault: Fault::Status(status @ (400..=403 | 429)),
            ..
        } => Some(Reason::RateLimited { status: *status }),
        Outcome::Refused(seen)
        | Outcome::Failed(seen)
        | Outcome::Away { fault: seen, .. }
        | Outcome::Exhausted { fault: seen, .. }
        | Outcome::Throttled { fault: seen, .. } => Some(match phase {
            Phase::Before => fault(seen, redactor),
            Phase::Midway => fault_midway(seen, redactor),
        }),
    }
}

fn not_served(seen: &Fault, subject: &Subject, redactor: &Redactor) -> Reason {
    let Fault::Status(status) = *seen else {
        return fault(seen, redactor);
    };
    match subject {
        Subject::Model if status == 429 => Reason::ModelLimited { status },
        Subject::Model => Reason::NotServed { status },
        Subject::Family(family) => Reason::FamilyLimited {
            status,
            family: family.as_str().to_owned(),
        },
        Subject::Size => Reason::TooLarge { status },
        Subject::ClientKind => Reason::ClientNotAdmitted { status },
        Subject::Conversation => Reason::ContentRefused { status },
        Subject::Login => Reason::LoginRefused { status },
        Subject::Signature => Reason::ThinkingNotTheirs { status },
        Subject::Request | Subject::Endpoint if status < 500 => Reason::NotTheApis { status },
        Subject::Request => Reason::Status { status },
        Subject::Endpoint | Subject::Account | Subject::Client => fault(seen, redactor),
    }
}

/// The verdict on an answer. `until`: when the mark that it set ends.
pub fn verdict(outcome: &Outcome, ground: Ground, until: Option<Instant>) -> Option<Verdict> {
    let about = match outcome.subject()? {
        Subject::Endpoint => control::Subject::Endpoint,
        Subject::Account => control::Subject::Account,
        Subject::Model => control::Subject::Model,
        Subject::Family(family) => control::Subject::Family {
            family: family.as_str().to_owned(),
        },
        Subject::Size => control::Subject::Size,
        Subject::ClientKind => control::Subject::ClientKind,
        Subject::Conversation => control::Subject::Conversation,
        Subject::Login => control::Subject::Login,
        Subject::Signature => control::Subject::Signature,
        Subject::Request => control::Subject::Request,
        Subject::Client => control::Subject::Client,
    };
    let ground = match ground {
        Ground::Status => control::Ground::Status,
        Ground::Words => control::Ground::Words,
        Ground::Headers => control::Ground::Headers,
        Ground::Gateway => control::Ground::Gateway,
        Ground::Rule(place) => control::Ground::Rule {
            number: u32::try_from(place + 1).unwrap_or(u32::MAX),
        },
    };
    Some(Verdict {
        about,
        ground,
        until_ms: until.map(|at| Clock::now().unix_ms(at)),
    })
}

/// A fault that was found after the client had seen a part of the answer.
pub fn fault_midway(seen: &Fault, redactor: &Redactor) -> Reason {
    if let Fault::NotMessages(detail) = seen {
        let detail = redactor.text(detail);
        return Reason::BrokenMidway { detail };
    }
    fault(seen, redactor)
}

/// The event for an effect, if front-ends are to know of it.
pub fn event(
    fleet: &Fleet,
    effect: &Effect,
    now: Instant,
    redactor: &Redactor,
) -> Option<EventKind> {
    match effect {
        Effect::Probe(_) | Effect::Cut(_) | Effect::Called(_) | Effect::WaitedInVain(_) => None,
        Effect::Switched {
            from,
            to,
            decision: made,
        } => {
            let decision = decision(fleet, *to, made, now, redactor);
            let to = name(fleet, *to);
            Some(match from {
                Some(from) => EventKind::Switched {
                    from: name(fleet, *from),
                    to,
                    decision,
                },
                None => EventKind::Chosen {
                    endpoint: to,
                    decision,
                },
            })
        }
        Effect::TakenOut(id) => {
            let status = fleet.status_of(*id)?;
            let cause = status.out_because()?;
            Some(EventKind::TakenOut {
                endpoint: status.spec.name.clone(),
                why: out(&status, cause, redactor),
                until_ms: until(&status).map(|at| Clock::now().unix_ms(at)),
            })
        }
        Effect::Moved { from, to, worth } => Some(EventKind::Moved {
            from: name(fleet, *from),
            to: name(fleet, *to),
            why: why(fleet, *to, Why::WorthMoving(*worth)),
        }),
        Effect::Recovered(id) => Some(EventKind::Recovered {
            endpoint: name(fleet, *id),
        }),
        Effect::AllDown => Some(EventKind::AllDown),
        Effect::SomethingUp => Some(EventKind::SomethingUp),
        Effect::Offline => Some(EventKind::Offline),
        Effect::Online => Some(EventKind::Online),
        Effect::BudgetReached { limit } => Some(EventKind::BudgetReached {
            budget_usd: limit.usd(),
        }),
    }
}

/// Writes an event to the log: what a user would notice, in words. `request`: the request it happened to.
pub fn log(event: &EventKind, request: Option<RequestId>) {
    let text = control::text(control::Language::En, event);
    let request = request.map(tracing::field::display);
    match event {
        EventKind::AllDown
        | EventKind::Offline
        | EventKind::TakenOut { .. }
        | EventKind::BudgetReached { .. }
        | EventKind::Aborted { .. }
        | EventKind::PassedOn { .. } => {
            tracing::warn!(request, "{text}");
        }
        EventKind::Chosen { .. }
        | EventKind::Switched { .. }
        | EventKind::FailedOver { .. }
        | EventKind::Recovered { .. }
        | EventKind::SomethingUp
        | EventKind::Moved { .. }
        | EventKind::Online
        | EventKind::Pinned { .. }
        | EventKind::Automatic
        | EventKind::Paused
        | EventKind::Resumed
        | EventKind::Enabled { .. }
        | EventKind::Disabled { .. }
        | EventKind::ConfigReloaded => tracing::info!(request, "{text}"),
        // Each error was logged where it was found.
        EventKind::ConfigRejected => {}
    }
}

/// A fault as an English sentence.
pub fn words(seen: &Fault, redactor: &Redactor) -> Redacted {
    redactor.text(&control::text(
        control::Language::En,
        &fault(seen, redactor),
    ))
}

fn endpoint(
    fleet: &Fleet,
    status: &EndpointStatus<'_>,
    clock: &Clock,
    (redactor, ours): (&Redactor, &Redactor),
) -> EndpointView {
    let spec = status.spec;
    let to_ms = |latency: std::time::Duration| latency.as_secs_f64() * 1000.0;
    EndpointView {
        name: spec.name.clone(),
        flag: spec.flag.clone(),
        group: spec.group.clone(),
        url: ours.text(&spec.url.to_string()),
        enabled: status.availability == Availability::Enabled,
        state: state(fleet, status),
        reason: reason(fleet, status, clock.instant(), redactor),
        until_ms: until(status).map(|at| clock.unix_ms(at)),
        latency_ms: status.probe_latency.map(to_ms),
        latency_history: status
            .history
            .iter()
            .map(|latency| latency.map(to_ms))
            .collect(),
        ttft_ms: status.ttft.map(to_ms),
        compared_by: fleet.compared_by(status.id).map(measure),
        ttft_percentiles: fleet
            .ttft_percentiles(status.id)
            .map(|found| TtftPercentiles {
                model: redactor.text(found.model),
                count: found.count,
                p50_ms: to_ms(found.p50),
                p95_ms: to_ms(found.p95),
            })
            .collect(),
        probe_cost_usd: fleet.spent_today_at(&spec.name).usd(),
        share: fleet.share(status.id, clock.instant()),
        quota: quota(status, clock),
        last_check_ms: status.last_probe.map(|at| clock.unix_ms(at)),
        last_error: status.last_fault.map(|seen| fault(seen, redactor)),
        in_flight: status.in_flight,
        attempts: status.attempts,
        failures: status.failures,
        priority: spec.priority,
        weight: spec.weight,
        price: spec.price,
    }
}

fn measure(measure: Measure) -> control::Measure {
    match measure {
        Measure::Checks => control::Measure::Checks,
        Measure::FirstEvents => control::Measure::FirstEvents,
    }
}

fn quota(status: &EndpointStatus<'_>, clock: &Clock) -> Vec<QuotaWindow> {
    let Some(quota) = status.quota else {
        return Vec::new();
    };
    let windows = quota.allowances(clock.instant()).map(|told| QuotaWindow {
        name: told.window.as_str().to_owned(),
        left: told.left,
        limit: told.limit,
        remaining: told.remaining,
        resets_at_ms: told.resets.map(|at| clock.unix_ms(at)),
    });
    windows.collect()
}

fn runs_dry(dry: Dry) -> Reason {
    Reason::RunsDry {
        window: dry.window.as_str().to_owned(),
        left_percent: dry.percent.into(),
    }
}

fn subscription_spent(until: Instant, now: Instant) -> Reason {
    let remaining = until.saturating_duration_since(now);
    Reason::SubscriptionSpent {
        remaining_min: remaining.as_secs().div_ceil(60),
    }
}

/// What an endpoint can do now.
pub fn state(fleet: &Fleet, status: &EndpointStatus<'_>) -> EndpointState {
    match (status.availability, status.circuit) {
        (Availability::Disabled, _) => EndpointState::Disabled,
        (Availability::Draining { .. }, _) => EndpointState::Draining,
        (Availability::Enabled, _) if !status.has_credential => EndpointState::NoCredential,
        (Availability::Enabled, CircuitState::Closed { .. }) if status.spent_until.is_some() => {
            EndpointState::Exhausted
        }
        (Availability::Enabled, CircuitState::Closed { .. }) if fleet.offline_since().is_some() => {
            EndpointState::Unreachable
        }
        (Availability::Enabled, CircuitState::Closed { .. }) if status.is_faltering => {
            EndpointState::Faltering
        }
        (Availability::Enabled, CircuitState::Closed { .. }) => EndpointState::Ready,
        (Availability::Enabled, CircuitState::HalfOpen { .. }) => EndpointState::Recovering,
        (Availability::Enabled, CircuitState::Open { cause, .. }) => match cause {
            Cause::Failing => EndpointState::Failing,
            Cause::Throttled => EndpointState::Throttled,
            Cause::Exhausted => EndpointState::Exhausted,
            Cause::Refused => EndpointState::Refused,
        },
    }
}

/// The certificate of the last check, if it was not trusted. While nothing seems to be reachable, no check
/// counts. But the certificate may show what is between Zephyr and the endpoint.
fn bad_certificate<'s>(fleet: &Fleet, status: &EndpointStatus<'s>) -> Option<&'s BadCertificate> {
    let is_current = status.last_probe_failed || fleet.offline_since().is_some();
    let Fault::Certificate(bad) = status.last_fault? else {
        return None;
    };
    is_current.then_some(&**bad)
}

fn reason(
    fleet: &Fleet,
    status: &EndpointStatus<'_>,
    now: Instant,
    redactor: &Redactor,
) -> Option<Reason> {
    match state(fleet, status) {
        EndpointState::NoCredential => Some(Reason::NoCredential {
            reference: reference(&status.spec.auth),
        }),
        EndpointState::Faltering | EndpointState::Unreachable
            if let Some(bad) = bad_certificate(fleet, status) =>
        {
            Some(certificate(bad, redactor))
        }
        EndpointState::Faltering if status.last_probe_failed => Some(Reason::ProbeFailed {
            detail: status
                .last_fault
                .map(|seen| words(seen, redactor))
                .unwrap_or_default(),
        }),
        EndpointState::Faltering | EndpointState::Unreachable => {
            status.last_fault.map(|seen| fault(seen, redactor))
        }
        EndpointState::Ready => status.dry.map(runs_dry).or_else(|| {
            status.slower.map(|slower| Reason::Slower {
                ms: millis(slower.now),
                usual_ms: millis(slower.usual),
            })
        }),
        EndpointState::Draining | EndpointState::Disabled => None,
        EndpointState::Recovering
        | EndpointState::Failing
        | EndpointState::Throttled
        | EndpointState::Refused
        | EndpointState::Exhausted => match (status.out_because(), status.spent_until) {
            (Some(cause), _) => Some(out(status, cause, redactor)),
            (None, until) => until.map(|until| subscription_spent(until, now)),
        },
    }
}

/// Why it is out: the fault that was seen if it says more than the cause, or else the cause.
fn out(status: &EndpointStatus<'_>, cause: Cause, redactor: &Redactor) -> Reason {
    match (cause, status.opened_by) {
        (Cause::Refused, Some(Fault::Status(code))) => refused(&status.spec.auth, *code),
        (Cause::Refused, None) => refused(&status.spec.auth, 401),
        (Cause::Exhausted, Some(Fault::Status(code))) => Reason::QuotaUsedUp { status: *code },
        (_, Some(seen)) => fault(seen, redactor),
        (cause, None) => by_cause(cause),
    }
}

/// The reason when a credential is refused. What a person can do depends on where the credential comes from.
fn refused(auth: &Auth, status: u16) -> Reason {
    match auth {
        Auth::Ours {
            credential: CredentialRef::Keychain(entry),
            ..
        } => Reason::KeychainTokenRefused {
            status,
            entry: shell_word(entry),
        },
        Auth::Ours {
            credential: CredentialRef::Env(variable),
            ..
        } => Reason::VariableTokenRefused {
            status,
            variable: variable.clone(),
        },
        Auth::Passthrough => Reason::CredentialRefused { status },
    }
}

fn by_cause(cause: Cause) -> Reason {
    match cause {
        Cause::Failing => Reason::ProbeFailed {
            detail: Redacted::default(),
        },
        Cause::Throttled => Reason::RateLimited { status: 429 },
        Cause::Exhausted => Reason::QuotaUsedUp { status: 402 },
        Cause::Refused => Reason::CredentialRefused { status: 401 },
    }
}

/// When an endpoint with an open circuit may take attempts again, if nothing else keeps it out.
pub fn returns_at(status: &EndpointStatus<'_>) -> Option<Instant> {
    let usable = status.availability == Availability::Enabled && status.has_credential;
    until(status).filter(|_| usable)
}

/// When the state of an endpoint ends by itself.
fn until(status: &EndpointStatus<'_>) -> Option<Instant> {
    match (status.availability, status.circuit) {
        (Availability::Draining { until }, _) => Some(until),
        (Availability::Disabled, _) => None,
        (Availability::Enabled, CircuitState::Open { until, .. }) => {
            until.and_then(|at| Some(at).max(status.spent_until))
        }
        (Availability::Enabled, CircuitState::Closed { .. } | CircuitState::HalfOpen { .. }) => {
            status.spent_until
        }
    }
}

/// Dollars, with only as many digits as are useful.
fn cents(cost: Cost) -> f64 {
    (cost.usd() * 1000.0).round() / 1000.0
}

fn reference(auth: &Auth) -> String {
    match auth {
        Auth::Passthrough => String::new(),
        Auth::Ours { credential, .. } => credential.to_string(),
    }
}

fn name(fleet: &Fleet, id: EndpointId) -> String {
    fleet
        .status_of(id)
        .map_or_else(String::new, |status| status.spec.name.clone())
}
