//! The examples themselves.

use super::endpoints;
use super::parts::{NOW_MS, live_request, out, snapshot, some_answer, well};
use crate::host::{ClaudeCode, Host, Program};
use crate::journal::{JournalStatus, RequestEnd};
use crate::reason::Reason;
use crate::snapshot::{
    About, Decision, Drain, EndpointState, EndpointView, Event, EventKind, Headline, LiveRequest,
    Mode, NotChosen, Overall, OverallStatus, ProbeCosts, Problem, ProblemKind, Snapshot, Strategy,
    Totals, Weighed,
};

/// Every example, by name.
pub fn all() -> Vec<(&'static str, Snapshot)> {
    vec![
        ("healthy", healthy()),
        ("degraded", degraded()),
        ("busy", busy()),
        ("all-down", all_down()),
        ("refused", refused()),
        ("quota", quota()),
        ("paused", paused()),
        ("draining", draining()),
        ("manual", manual()),
        ("offline", offline()),
        ("distributing", distributing()),
        ("spread-thin", spread_thin()),
        ("failing-pin", failing_pin()),
        ("unmeasured", unmeasured()),
        ("empty", empty()),
        ("starting", starting()),
        ("stopped", stopped()),
        ("problems", problems()),
        ("many", many()),
        ("serve", serve()),
    ]
}

/// All is well; the fastest of four endpoints is in use.
pub fn healthy() -> Snapshot {
    let not_faster = |endpoint: &str, ms| NotChosen {
        endpoint: endpoint.to_owned(),
        why: Reason::NotFaster { ms, than_ms: 82 },
    };
    Snapshot {
        status: well("Tokyo"),
        current: Some("Tokyo".to_owned()),
        decision: Some(Decision {
            why: faster(),
            others: vec![
                not_faster("Singapore", 141),
                not_faster("Frankfurt", 238),
                not_faster("Backup", 312),
            ],
        }),
        events: events(),
        ..snapshot(endpoints::all_ready())
    }
}

/// One endpoint is in use; the others are out, each for another reason.
pub fn degraded() -> Snapshot {
    Snapshot {
        status: some_answer("Tokyo", 1, 5),
        endpoints: vec![
            endpoints::tokyo(),
            endpoints::throttled(),
            endpoints::failing(),
            endpoints::refused(),
            endpoints::disabled(),
            endpoints::recovering(),
        ],
        events: then([
            (
                20_000,
                EventKind::TakenOut {
                    endpoint: "Singapore".to_owned(),
                    why: Reason::RateLimited { status: 429 },
                    until_ms: Some(NOW_MS + 125_000),
                },
            ),
            (
                18_000,
                EventKind::TakenOut {
                    endpoint: "Frankfurt".to_owned(),
                    why: Reason::ConnectFailed {
                        detail: "connection refused".into(),
                    },
                    until_ms: Some(NOW_MS + 42_000),
                },
            ),
        ]),
        ..healthy()
    }
}

/// The same, with requests in flight: streaming, waiting, just ended.
pub fn busy() -> Snapshot {
    let degraded = degraded();
    let with_traffic = |endpoint: EndpointView| match endpoint.name.as_str() {
        "Tokyo" => EndpointView {
            in_flight: 3,
            share: Some(0.81),
            ttft_percentiles: endpoints::percentiles(),
            quota: endpoints::subscription(0.06),
            ..endpoint
        },
        "Singapore" => EndpointView {
            share: Some(0.19),
            ttft_percentiles: endpoints::percentiles(),
            ..endpoint
        },
        _ => EndpointView {
            share: Some(0.0),
            ..endpoint
        },
    };
    Snapshot {
        endpoints: degraded.endpoints.into_iter().map(with_traffic).collect(),
        requests: vec![
            LiveRequest {
                at_ms: NOW_MS - 31_000,
                output_tokens: 2_904,
                attempts: 2,
                ..live_request("req_1")
            },
            LiveRequest {
                model: Some("claude-haiku-4-5".into()),
                output_tokens: 88,
                ..live_request("req_2")
            },
            LiveRequest {
                at_ms: NOW_MS - 1_200,
                streaming: false,
                output_tokens: 0,
                ..live_request("req_3")
            },
            LiveRequest {
                at_ms: NOW_MS - 600,
                endpoint: None,
                attempts: 0,
                streaming: false,
                output_tokens: 0,
                ..live_request("req_4")
            },
            LiveRequest {
                at_ms: NOW_MS - 9_000,
                ended_at_ms: Some(NOW_MS - 2_100),
                end: Some(RequestEnd::Answered),
                output_tokens: 640,
                ..live_request("req_5")
            },
            LiveRequest {
                at_ms: NOW_MS - 5_000,
                ended_at_ms: Some(NOW_MS - 1_000),
                end: Some(RequestEnd::Aborted),
                endpoint: Some("Frankfurt".to_owned()),
                output_tokens: 17,
                ..live_request("req_6")
            },
        ],
        weighed: Some(Weighed {
            at_ms: NOW_MS - 150_000,
            from: "Singapore".to_owned(),
            to: "Tokyo".to_owned(),
            moved: true,
            saved_ms: 4_020,
            worth_usd: 0.281,
            cost_usd: 0.12,
        }),
        journal: JournalStatus {
            path: Some("/home/ada/.local/share/zephyr/journal.db".to_owned()),
            bytes: 48_300_000,
            dropped: 0,
        },
        probes: ProbeCosts {
            today_usd: 0.0421,
            budget_usd: 0.5,
            reached: false,
        },
        ..degraded
    }
}

/// No endpoint is usable.
pub fn all_down() -> Snapshot {
    Snapshot {
        status: out(Headline::NoneUsable),
        current: None,
        decision: None,
        endpoints: vec![
            endpoints::exhausted(),
            endpoints::throttled(),
            endpoints::failing(),
            endpoints::refused(),
        ],
        events: then([(4_000, EventKind::AllDown)]),
        ..healthy()
    }
}

/// The only endpoint refuses its credential.
pub fn refused() -> Snapshot {
    Snapshot {
        status: out(Headline::AllRefused),
        events: vec![Event {
            seq: 1,
            at_ms: NOW_MS - 30_000,
            kind: EventKind::TakenOut {
                endpoint: "Backup".to_owned(),
                why: Reason::CredentialRefused { status: 401 },
                until_ms: None,
            },
        }],
        totals: Totals::default(),
        ..snapshot(vec![endpoints::refused()])
    }
}

/// The fastest endpoint is about to run dry, so another one is in use.
pub fn quota() -> Snapshot {
    let dry = || ("7d".to_owned(), 4);
    let (window, left_percent) = dry();
    let spares = Reason::SparesQuota {
        window,
        left_percent,
    };
    let (window, left_percent) = dry();
    let runs_dry = Reason::RunsDry {
        window,
        left_percent,
    };
    let decision = Decision {
        why: spares,
        others: vec![NotChosen {
            endpoint: "Tokyo".to_owned(),
            why: runs_dry.clone(),
        }],
    };
    Snapshot {
        status: well("Singapore"),
        current: Some("Singapore".to_owned()),
        decision: Some(decision.clone()),
        endpoints: vec![
            EndpointView {
                reason: Some(runs_dry),
                quota: endpoints::subscription(0.04),
                ..endpoints::tokyo()
            },
            EndpointView {
                quota: endpoints::subscription(0.71),
                ..endpoints::singapore()
            },
        ],
        events: then([(
            9_000,
            EventKind::Switched {
                from: "Tokyo".to_owned(),
                to: "Singapore".to_owned(),
                decision,
            },
        )]),
        ..healthy()
    }
}

/// Monitoring is paused.
pub fn paused() -> Snapshot {
    Snapshot {
        status: OverallStatus {
            overall: Overall::Paused,
            ..well("Tokyo")
        },
        paused: true,
        ..healthy()
    }
}

/// The program waits for two requests before it ends.
pub fn draining() -> Snapshot {
    Snapshot {
        drain: Some(Drain {
            in_flight: 2,
            until_ms: NOW_MS + 28_000,
        }),
        ..healthy()
    }
}

/// A person chose an endpoint.
pub fn manual() -> Snapshot {
    let not_pinned = |endpoint: &str| NotChosen {
        endpoint: endpoint.to_owned(),
        why: Reason::NotPinned,
    };
    Snapshot {
        status: OverallStatus {
            about: About::Pin {
                pin: "Singapore".to_owned(),
                stand_in: None,
            },
            ..well("Singapore")
        },
        mode: Mode::Manual {
            endpoint: "Singapore".to_owned(),
        },
        current: Some("Singapore".to_owned()),
        decision: Some(Decision {
            why: Reason::Pinned,
            others: ["Tokyo", "Frankfurt", "Backup"].map(not_pinned).to_vec(),
        }),
        host: Host {
            program: Program::Desktop,
            launch_at_login: Some(true),
            claude_code: ClaudeCode::Changed,
        },
        ..healthy()
    }
}

/// This machine's network is gone.
pub fn offline() -> Snapshot {
    let all = [
        endpoints::tokyo(),
        endpoints::singapore(),
        endpoints::frankfurt(),
    ];
    Snapshot {
        status: OverallStatus {
            overall: Overall::Offline,
            headline: Headline::Unreachable,
            about: About::Endpoint {
                endpoint: "Tokyo".to_owned(),
            },
        },
        offline_since_ms: Some(NOW_MS - 190_000),
        endpoints: all.map(endpoints::unreachable).to_vec(),
        events: then([(190_000, EventKind::Offline)]),
        ..all_down()
    }
}

/// Requests are spread over all endpoints, so that none is the one in use.
pub fn distributing() -> Snapshot {
    Snapshot {
        status: distributed(Overall::Well, 4),
        strategy: Strategy::RoundRobin,
        current: None,
        decision: None,
        ..healthy()
    }
}

/// Requests are spread, and three of four endpoints are overloaded.
pub fn spread_thin() -> Snapshot {
    let overloaded = |endpoint: EndpointView| EndpointView {
        state: EndpointState::Throttled,
        reason: Some(Reason::Overloaded { status: 529 }),
        until_ms: Some(NOW_MS + 3_000),
        ..endpoint
    };
    let [tokyo, singapore, frankfurt, backup] = [
        endpoints::tokyo(),
        endpoints::singapore(),
        endpoints::frankfurt(),
        endpoints::backup(),
    ];
    Snapshot {
        status: distributed(Overall::Degraded, 1),
        endpoints: vec![
            tokyo,
            overloaded(singapore),
            overloaded(frankfurt),
            overloaded(backup),
        ],
        ..distributing()
    }
}

/// The endpoint that a person chose is out, and another one answers.
pub fn failing_pin() -> Snapshot {
    let replaces = Decision {
        why: Reason::Replaces,
        others: vec![NotChosen {
            endpoint: "Frankfurt".to_owned(),
            why: Reason::ConnectFailed {
                detail: "connection refused".into(),
            },
        }],
    };
    Snapshot {
        status: OverallStatus {
            overall: Overall::Degraded,
            headline: Headline::StandIn {
                pin: "Frankfurt".to_owned(),
                endpoint: "Tokyo".to_owned(),
            },
            about: About::Pin {
                pin: "Frankfurt".to_owned(),
                stand_in: Some("Tokyo".to_owned()),
            },
        },
        mode: Mode::Manual {
            endpoint: "Frankfurt".to_owned(),
        },
        current: Some("Tokyo".to_owned()),
        decision: Some(replaces),
        endpoints: vec![
            endpoints::tokyo(),
            endpoints::faltering(),
            endpoints::failing(),
        ],
        ..healthy()
    }
}

/// The engine has just begun, and nothing is known yet.
pub fn unmeasured() -> Snapshot {
    let unknown = |endpoint: EndpointView| EndpointView {
        latency_ms: None,
        latency_history: Vec::new(),
        ttft_ms: None,
        compared_by: None,
        last_check_ms: None,
        in_flight: 0,
        attempts: 0,
        ..endpoint
    };
    Snapshot {
        status: OverallStatus {
            overall: Overall::Starting,
            headline: Headline::FirstChoice {
                endpoint: "Tokyo".to_owned(),
            },
            about: About::Endpoint {
                endpoint: "Tokyo".to_owned(),
            },
        },
        current: Some("Tokyo".to_owned()),
        decision: Some(Decision {
            why: Reason::FirstChoice,
            others: vec![NotChosen {
                endpoint: "Singapore".to_owned(),
                why: Reason::NotMeasured,
            }],
        }),
        totals: Totals::default(),
        ..snapshot(vec![
            unknown(endpoints::tokyo()),
            unknown(endpoints::singapore()),
        ])
    }
}

/// No endpoint is configured.
pub fn empty() -> Snapshot {
    Snapshot {
        status: out(Headline::NoEndpoints),
        problems: vec![problem(
            ProblemKind::NoEndpoints,
            "no endpoint is configured",
            "add one to config.toml",
        )],
        host: Host {
            program: Program::Desktop,
            launch_at_login: Some(false),
            claude_code: ClaudeCode::Disconnected,
        },
        ..snapshot(Vec::new())
    }
}

/// The program runs, its engine does not yet.
pub fn starting() -> Snapshot {
    let mut starting = snapshot(Vec::new());
    starting.listening.proxy.clear();
    starting.status = OverallStatus::without_engine(&[]);
    starting
}

/// The engine could not start.
pub fn stopped() -> Snapshot {
    Snapshot {
        status: out(Headline::Stopped),
        problems: vec![problem(
            ProblemKind::Port,
            "port 8080 is used by python3 (process 4711)",
            "end that program, or change server.port in config.toml",
        )],
        ..starting()
    }
}

/// There is much that a person should look at.
pub fn problems() -> Snapshot {
    Snapshot {
        problems: vec![
            problem(
                ProblemKind::ConfigError,
                "config.toml, line 12: groups[0].endpoints[1].url: “htps://x” is not an http or https address",
                "correct the file; it is read again as soon as it is saved",
            ),
            problem(
                ProblemKind::Keychain,
                "the keychain is locked",
                "unlock it; tokens are read again by themselves",
            ),
            problem(
                ProblemKind::ConfigWarning,
                "server.prot has no effect",
                "did you mean server.port?",
            ),
        ],
        ..degraded()
    }
}

/// Forty endpoints in three groups.
pub fn many() -> Snapshot {
    Snapshot {
        status: some_answer("Asia 01", 36, 40),
        current: Some("Asia 01".to_owned()),
        decision: Some(Decision {
            why: faster(),
            others: Vec::new(),
        }),
        endpoints: endpoints::forty(),
        ..healthy()
    }
}

/// `zephyr serve`: no desktop around the engine.
pub fn serve() -> Snapshot {
    Snapshot {
        host: Host {
            program: Program::Serve,
            launch_at_login: None,
            claude_code: ClaudeCode::Unknown,
        },
        events: Vec::new(),
        ..healthy()
    }
}

/// Requests are distributed over four endpoints, of which so many answer.
fn distributed(overall: Overall, answering: usize) -> OverallStatus {
    OverallStatus {
        overall,
        headline: Headline::Distributed { answering, of: 4 },
        about: About::Several,
    }
}

fn faster() -> Reason {
    Reason::Faster {
        to_ms: 82,
        from_ms: 141,
        threshold_ms: 50,
    }
}

/// What happened in the last three hours.
fn events() -> Vec<Event> {
    let decision = |why| Decision {
        why,
        others: Vec::new(),
    };
    let overloaded = || Reason::Overloaded { status: 529 };
    let happened = [
        (
            10_600_000,
            EventKind::Chosen {
                endpoint: "Singapore".to_owned(),
                decision: decision(Reason::FirstChoice),
            },
        ),
        (
            3_700_000,
            EventKind::Switched {
                from: "Singapore".to_owned(),
                to: "Tokyo".to_owned(),
                decision: decision(faster()),
            },
        ),
        (
            900_000,
            EventKind::TakenOut {
                endpoint: "Frankfurt".to_owned(),
                why: overloaded(),
                until_ms: Some(NOW_MS - 840_000),
            },
        ),
        (
            899_000,
            EventKind::FailedOver {
                from: "Frankfurt".to_owned(),
                why: overloaded(),
            },
        ),
        (
            720_000,
            EventKind::Recovered {
                endpoint: "Frankfurt".to_owned(),
            },
        ),
        (64_000, EventKind::ConfigReloaded),
    ];
    numbered(happened)
}

/// The same, and after that these, each so many milliseconds ago.
fn then<const N: usize>(more: [(u64, EventKind); N]) -> Vec<Event> {
    let before = events()
        .into_iter()
        .map(|event| (NOW_MS - event.at_ms, event.kind));
    numbered(before.chain(more))
}

fn numbered(happened: impl IntoIterator<Item = (u64, EventKind)>) -> Vec<Event> {
    (1..)
        .zip(happened)
        .map(|(seq, (ago_ms, kind))| Event {
            seq,
            at_ms: NOW_MS - ago_ms,
            kind,
        })
        .collect()
}

fn problem(kind: ProblemKind, message: &str, remedy: &str) -> Problem {
    Problem::new(kind, message, remedy)
}
