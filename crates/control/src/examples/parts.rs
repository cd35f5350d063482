//! What examples are made of.

use zephyr_redact::Redacted;

use crate::form::{EndpointForm, TokenReference};
use crate::host::{Appearance, ClaudeCode, Host, Program};
use crate::journal::JournalStatus;
use crate::snapshot::{
    About, EndpointState, EndpointView, Headline, Listening, LiveRequest, Measure, Mode, Overall,
    OverallStatus, ProbeCosts, Snapshot, Strategy, Totals,
};

/// When all examples were taken: 2026-05-12 09:30 UTC, in milliseconds since 1970.
pub const NOW_MS: u64 = 1_778_578_200_000;

/// A form for an endpoint that has its group's token.
pub fn form(name: &str, group: &str) -> EndpointForm {
    EndpointForm {
        name: name.to_owned(),
        group: group.to_owned(),
        url: format!("https://{}.example.com", name.to_lowercase()),
        flag: None,
        enabled: true,
        priority: 1,
        weight: 1,
        price: 1.0,
        path_prefix: None,
        auth_type: None,
        token: TokenReference::None,
        proxy: None,
    }
}

/// An endpoint that is ready, and has answered.
pub fn endpoint(name: &str) -> EndpointView {
    EndpointView {
        name: name.to_owned(),
        flag: None,
        group: "primary".to_owned(),
        url: Redacted::by_shape(&format!(
            "https://{}.example.com",
            name.to_lowercase().replace(' ', "-")
        )),
        enabled: true,
        state: EndpointState::Ready,
        reason: None,
        until_ms: None,
        latency_ms: Some(120.0),
        latency_history: history(&[118, 131, 122, 117, 140, 125, 119, 121, 120]),
        ttft_ms: Some(640.0),
        compared_by: Some(Measure::Checks),
        ttft_percentiles: Vec::new(),
        probe_cost_usd: 0.0,
        share: None,
        quota: Vec::new(),
        last_check_ms: Some(NOW_MS - 12_000),
        last_error: None,
        in_flight: 0,
        attempts: 40,
        failures: 0,
        priority: 10,
        weight: 1,
        price: 1.0,
    }
}

/// All is well, and this endpoint is in use.
pub fn well(endpoint: &str) -> OverallStatus {
    let endpoint = endpoint.to_owned();
    OverallStatus {
        overall: Overall::Well,
        headline: Headline::InUse {
            endpoint: endpoint.clone(),
        },
        about: About::Endpoint { endpoint },
    }
}

/// This endpoint is in use, and so many of so many answer.
pub fn some_answer(endpoint: &str, answering: usize, of: usize) -> OverallStatus {
    let endpoint = endpoint.to_owned();
    OverallStatus {
        overall: Overall::Degraded,
        headline: Headline::SomeAnswer {
            endpoint: endpoint.clone(),
            answering,
            of,
        },
        about: About::Endpoint { endpoint },
    }
}

/// A request of now would be denied or would wait.
pub fn out(headline: Headline) -> OverallStatus {
    OverallStatus {
        overall: Overall::Out,
        headline,
        about: About::Nothing,
    }
}

/// An engine that runs with these endpoints, none of which is in use.
pub fn snapshot(endpoints: Vec<EndpointView>) -> Snapshot {
    Snapshot {
        version: "0.1.0".to_owned(),
        taken_at_ms: NOW_MS,
        started_at_ms: NOW_MS - 3 * 3_600_000,
        listening: Listening {
            proxy: "127.0.0.1:8080".to_owned(),
            admin: Some("127.0.0.1:8081".to_owned()),
        },
        config_path: Some("/home/ada/.config/zephyr/config.toml".into()),
        status: out(Headline::NoneUsable),
        mode: Mode::Auto,
        paused: false,
        offline_since_ms: None,
        strategy: Strategy::Latency,
        current: None,
        decision: None,
        weighed: None,
        endpoints,
        events: Vec::new(),
        problems: Vec::new(),
        totals: Totals {
            requests: 128,
            attempts: 131,
            failed_over: 3,
            failed: 0,
            aborted: 0,
            abandoned: 1,
            in_flight: 2,
            waiting: 0,
        },
        probes: ProbeCosts {
            today_usd: 0.0,
            budget_usd: 0.5,
            reached: false,
        },
        drain: None,
        requests: Vec::new(),
        journal: JournalStatus::default(),
        host: Host {
            program: Program::Desktop,
            launch_at_login: Some(false),
            claude_code: ClaudeCode::Connected,
        },
        appearance: Appearance::default(),
    }
}

/// A request whose answer is streaming.
pub fn live_request(request: &str) -> LiveRequest {
    LiveRequest {
        request: request.to_owned(),
        at_ms: NOW_MS - 4_000,
        ended_at_ms: None,
        end: None,
        path: "/v1/messages".into(),
        model: Some("claude-sonnet-4-5".into()),
        session: Some("session-7".into()),
        endpoint: Some("Tokyo".to_owned()),
        attempts: 1,
        streaming: true,
        output_tokens: 412,
    }
}

/// Latencies of probes, all answered.
pub(super) fn history(latencies_ms: &[u32]) -> Vec<Option<f64>> {
    latencies_ms
        .iter()
        .map(|&latency| Some(f64::from(latency)))
        .collect()
}
