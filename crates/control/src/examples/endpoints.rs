//! The endpoints of the examples.

use super::parts::{NOW_MS, endpoint, history};
use crate::reason::Reason;
use crate::snapshot::{EndpointState, EndpointView, QuotaWindow, TtftPercentiles};

/// The one in use.
pub(super) fn tokyo() -> EndpointView {
    EndpointView {
        flag: Some("🇯🇵".to_owned()),
        latency_ms: Some(82.4),
        latency_history: history(&[96, 91, 120, 88, 84, 86, 83, 90, 82, 81, 84, 82]),
        ttft_ms: Some(512.0),
        in_flight: 2,
        ..endpoint("Tokyo")
    }
}

pub(super) fn singapore() -> EndpointView {
    EndpointView {
        flag: Some("🇸🇬".to_owned()),
        latency_ms: Some(141.2),
        latency_history: history(&[150, 139, 142, 160, 145, 138, 144, 141, 139, 140, 143, 141]),
        ..endpoint("Singapore")
    }
}

pub(super) fn frankfurt() -> EndpointView {
    EndpointView {
        flag: Some("🇩🇪".to_owned()),
        latency_ms: Some(238.0),
        latency_history: history(&[240, 233, 241, 236, 250, 238, 239, 231, 238, 242, 237, 238]),
        ttft_ms: Some(910.0),
        ..endpoint("Frankfurt")
    }
}

pub(super) fn backup() -> EndpointView {
    EndpointView {
        group: "reserve".to_owned(),
        flag: Some("🇺🇸".to_owned()),
        latency_ms: Some(312.0),
        price: 1.5,
        ..endpoint("Backup")
    }
}

pub(super) fn all_ready() -> Vec<EndpointView> {
    vec![tokyo(), singapore(), frankfurt(), backup()]
}

/// Frankfurt, out: no connection.
pub(super) fn failing() -> EndpointView {
    let answered = |latency: u32| Some(f64::from(latency));
    EndpointView {
        state: EndpointState::Failing,
        reason: Some(refused_connection("connection refused")),
        until_ms: Some(NOW_MS + 42_000),
        latency_history: [240, 233, 241, 236, 250, 238]
            .map(answered)
            .into_iter()
            .chain([None, answered(231), None, None, None])
            .collect(),
        ..frankfurt()
    }
}

/// Singapore, asked for a pause.
pub(super) fn throttled() -> EndpointView {
    EndpointView {
        state: EndpointState::Throttled,
        reason: Some(Reason::RateLimited { status: 429 }),
        until_ms: Some(NOW_MS + 125_000),
        ..singapore()
    }
}

/// Backup, refuses its credential.
pub(super) fn refused() -> EndpointView {
    EndpointView {
        state: EndpointState::Refused,
        reason: Some(Reason::CredentialRefused { status: 401 }),
        latency_ms: None,
        latency_history: Vec::new(),
        ttft_ms: None,
        ..backup()
    }
}

/// Tokyo, its credit used up.
pub(super) fn exhausted() -> EndpointView {
    EndpointView {
        state: EndpointState::Exhausted,
        reason: Some(Reason::QuotaUsedUp { status: 402 }),
        in_flight: 0,
        ..tokyo()
    }
}

pub(super) fn disabled() -> EndpointView {
    EndpointView {
        group: "reserve".to_owned(),
        flag: Some("🇦🇺".to_owned()),
        enabled: false,
        state: EndpointState::Disabled,
        reason: Some(Reason::Disabled),
        ..endpoint("Sydney")
    }
}

pub(super) fn recovering() -> EndpointView {
    EndpointView {
        group: "reserve".to_owned(),
        state: EndpointState::Recovering,
        reason: Some(Reason::AwaitingProbe),
        latency_ms: Some(401.0),
        ..endpoint("Old laptop")
    }
}

/// Singapore, whose last check failed.
pub(super) fn faltering() -> EndpointView {
    EndpointView {
        state: EndpointState::Faltering,
        reason: Some(Reason::ProbeFailed {
            detail: "HTTP 500".into(),
        }),
        ..singapore()
    }
}

pub(super) fn unreachable(up: EndpointView) -> EndpointView {
    EndpointView {
        in_flight: 0,
        state: EndpointState::Unreachable,
        reason: Some(refused_connection("network is unreachable")),
        ..up
    }
}

/// Forty of them, in three groups; a few fail.
pub(super) fn forty() -> Vec<EndpointView> {
    let nth = |index: u32| {
        let group = ["Asia", "Europe", "America"][(index % 3) as usize];
        let latency = 80 + (index * 37) % 300;
        let ready = EndpointView {
            group: group.to_owned(),
            latency_ms: Some(f64::from(latency)),
            latency_history: history(&[latency + 9, latency - 7, latency + 3, latency]),
            ..endpoint(&format!("{group} {:02}", index / 3 + 1))
        };
        if index % 11 == 5 {
            EndpointView {
                state: EndpointState::Failing,
                reason: Some(Reason::TimedOut { after_ms: 15_000 }),
                until_ms: Some(NOW_MS + 31_000),
                ..ready
            }
        } else {
            ready
        }
    };
    (0..40).map(nth).collect()
}

pub(super) fn percentiles() -> Vec<TtftPercentiles> {
    vec![TtftPercentiles {
        model: "claude-sonnet-4-5".into(),
        count: 212,
        p50_ms: 512.0,
        p95_ms: 1_840.0,
    }]
}

/// A subscription of which this much of its seven days is left.
pub(super) fn subscription(left: f64) -> Vec<QuotaWindow> {
    let window = |name: &str, left: f64, resets_in_ms: u64| QuotaWindow {
        name: name.to_owned(),
        left,
        limit: None,
        remaining: None,
        resets_at_ms: Some(NOW_MS + resets_in_ms),
    };
    vec![
        window("5h", 0.62, 6_300_000),
        window("7d", left, 190_000_000),
    ]
}

fn refused_connection(detail: &'static str) -> Reason {
    Reason::ConnectFailed {
        detail: detail.into(),
    }
}
