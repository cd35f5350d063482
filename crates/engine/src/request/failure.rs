//! What the client gets when every attempt has failed: the endpoint's answer that tells the most, unchanged,
//! or else an error of ours that names the reason of each endpoint.

use std::time::{Duration, Instant};

use http::StatusCode;
use zephyr_control::Reason;
use zephyr_core::classify::Fault;
use zephyr_core::fleet::{Denied, DeniedWhy};

use super::attempt::Miss;
use super::held::Held;
use super::outgoing::Outgoing;
use crate::clients::reply::Code;
use crate::engine::fleet_door::FleetDoor;
use crate::view;

/// What remains when every attempt has failed.
pub struct Failure {
    pub answer: Spent,
    /// How long until the first endpoint that is out returns by itself.
    pub retry_after: Option<Duration>,
}

/// What a client gets when every attempt has failed.
pub enum Spent {
    /// An endpoint's own answer.
    Theirs(Box<Held>),
    /// An error of ours.
    Ours(Code, String),
}

/// What remains of a request after these misses. `denied`: the fleet's reason why there is no further
/// attempt, if it gave one.
pub fn of(outgoing: &Outgoing, misses: Vec<Miss>, denied: Option<&Denied>) -> Failure {
    let retry_after = earliest_return(&outgoing.traffic.door);
    let (code, message) = own_error(&outgoing.traffic.door, &misses, denied);
    Failure {
        answer: most_telling(misses).map_or(Spent::Ours(code, message), |held| {
            Spent::Theirs(Box::new(held))
        }),
        retry_after,
    }
}

fn most_telling(misses: Vec<Miss>) -> Option<Held> {
    let mut telling: Option<Held> = None;
    for held in misses.into_iter().filter_map(|miss| miss.held) {
        let is_better = telling
            .as_ref()
            .is_none_or(|best| tells_more(held.head.status, best.head.status));
        if is_better {
            telling = Some(held);
        }
    }
    telling
}

fn own_error(door: &FleetDoor, misses: &[Miss], denied: Option<&Denied>) -> (Code, String) {
    let tried = misses
        .iter()
        .map(|miss| format!("{}: {}", miss.endpoint, in_words(&miss.reason)));
    let mut reasons: Vec<String> = tried.collect();
    if let Some(denied) = denied {
        let passed_over = door.look(|state, _| {
            let redactor = state.known.redactor();
            let untried = denied.endpoints.iter().filter(|(id, _)| {
                let name = state.name(*id);
                !misses.iter().any(|miss| miss.endpoint == name)
            });
            let told = untried.map(|(id, why)| {
                let why = view::why_not(&state.fleet, *id, *why, Instant::now(), &redactor);
                format!("{}: {}", state.name(*id), in_words(&why))
            });
            told.collect::<Vec<_>>()
        });
        reasons.extend(passed_over);
    }
    let reasons = reasons.join("; ");
    let overloaded = Fault::ErrorEvent("overloaded_error".to_owned());
    match denied.map(|denied| denied.why) {
        Some(_) if door.look(|state, _| state.fleet.turns_away()) => {
            let message = "Zephyr is about to end; start it again";
            (Code::ShuttingDown, message.to_owned())
        }
        Some(DeniedWhy::NoEndpoints) => {
            let message = "Zephyr has no endpoint to send this to; add one to config.toml (see config.toml.example)";
            (Code::NoEndpoints, message.to_owned())
        }
        _ if door.look(|state, _| state.fleet.offline_since().is_some()) => (
            Code::Offline,
            format!(
                "nothing can be reached, so this machine seems to be offline ({reasons}); check its \
                 network, Zephyr goes on by itself when it is back"
            ),
        ),
        Some(_) if misses.is_empty() => (
            Code::NoneUsable,
            format!("no endpoint is usable ({reasons}); see `zephyr status`"),
        ),
        _ if misses
            .iter()
            .any(|miss| miss.outcome.fault() == Some(&overloaded)) =>
        {
            (
                Code::AllOverloaded,
                format!("every endpoint failed ({reasons})"),
            )
        }
        _ => (
            Code::AllFailed,
            format!("every endpoint failed ({reasons})"),
        ),
    }
}

fn in_words(reason: &Reason) -> String {
    zephyr_control::text(zephyr_control::Language::En, reason)
}

/// How long until the first endpoint that is out returns by itself.
fn earliest_return(door: &FleetDoor) -> Option<Duration> {
    door.look(|state, _| {
        let until = state
            .fleet
            .status()
            .filter_map(|status| view::returns_at(&status))
            .min()?;
        Some(until.saturating_duration_since(Instant::now()))
    })
}

/// Which of two failures tells the client more. The order: a success (a list without any models), then 429,
/// then credential and quota, then 404, then the last of all others. Anthropic's own gateway documents this
/// order.
fn tells_more(status: StatusCode, than: StatusCode) -> bool {
    let rank = |status: StatusCode| match status.as_u16() {
        200..=299 => 0,
        429 => 1,
        400..=403 => 2,
        404 | 501 => 3,
        _ => 4,
    };
    match rank(status).cmp(&rank(than)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => rank(status) == 4,
        std::cmp::Ordering::Greater => false,
    }
}
