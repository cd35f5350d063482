//! Entries of a journal, as a busy day makes them.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use zephyr_control::{AttemptOutcome, AttemptRecord, Reason, RequestEnd, RequestRecord, Tokens};
use zephyr_core::config::Logging;
use zephyr_journal::{Captured, Finished, Journal, Meter, Settings};
use zephyr_secrets::Secret;

pub fn open(path: &Path, logging: Logging, secrets: &[&str]) -> Journal {
    let secrets = secrets.iter().map(|secret| Secret::new(secret).unwrap());
    let settings = Settings {
        path: path.to_owned(),
        logging,
        secrets: secrets.collect(),
    };
    Journal::open(settings, Arc::new(Meter::default()))
}

pub fn now_ms() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since_epoch.unwrap().as_millis()).unwrap()
}

/// The n-th of a busy day: every tenth fails, three models, a session for every hundred.
pub fn record(n: u64) -> RequestRecord {
    let failed = n.is_multiple_of(10);
    let endpoint = ["HK", "US"][usize::from(n.is_multiple_of(4))];
    RequestRecord {
        id: 0,
        request: format!("0badcafe-{}", n + 1),
        at_ms: now_ms(),
        method: "POST".to_owned(),
        path: "/v1/messages".to_owned(),
        status: Some(if failed { 529 } else { 200 }),
        end: if failed {
            RequestEnd::Failed
        } else {
            RequestEnd::Answered
        },
        client: Some("claude-cli/2.1.329".to_owned()),
        session: Some(format!("5e551011-0000-4000-8000-{:012}", n / 100)),
        agent: n.is_multiple_of(7).then(|| "a7a6ad7af9c8f8b9".to_owned()),
        model: Some(
            ["claude-opus-5", "claude-haiku-4-5"][usize::from(n.is_multiple_of(3))].to_owned(),
        ),
        served_model: None,
        stream: Some(true),
        endpoint: Some(endpoint.to_owned()),
        attempts: vec![AttemptRecord {
            endpoint: endpoint.to_owned(),
            why: Some(Reason::Sticky),
            outcome: if failed {
                AttemptOutcome::Throttled
            } else {
                AttemptOutcome::Answered
            },
            reason: failed.then_some(Reason::Overloaded { status: 529 }),
            verdict: None,
            status: Some(if failed { 529 } else { 200 }),
            queue_ms: 0.125,
            connect_ms: None,
            tls_ms: None,
            headers_ms: Some(210.5),
            first_event_ms: (!failed).then_some(250.0),
            last_byte_ms: 3000.0,
            rate_limits: vec![(
                "anthropic-ratelimit-requests-remaining".to_owned(),
                n.to_string(),
            )],
        }],
        duration_ms: 3000.125,
        ttft_ms: (!failed).then_some(250.125),
        request_bytes: 120_000,
        response_bytes: 2345,
        tokens: (!failed).then_some(Tokens {
            input: 12,
            cache_write_5m: 300,
            cache_write_1h: 0,
            cache_read: 80_000,
            output: 400,
            thinking: 100,
        }),
        stop_reason: (!failed).then(|| "end_turn".to_owned()),
        cost_usd: (!failed).then_some(0.0123),
        cache_saved_usd: None,
        cache_lost_usd: None,
        overtaken_cost_usd: None,
        error: failed.then(|| "HK: overloaded (529)".to_owned()),
    }
}

pub fn request(record: RequestRecord) -> Finished {
    Finished {
        record,
        query: None,
        request_headers: HeaderMap::new(),
        response_headers: HeaderMap::new(),
        request_body: None,
        response_body: None,
    }
}

pub fn captured(bytes: &[u8]) -> Captured {
    Captured {
        pieces: bytes.chunks(1000).map(Bytes::copy_from_slice).collect(),
        truncated: false,
    }
}
