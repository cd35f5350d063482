//! What endpoints, relays and gateways really say, in the words of many: each must be taken for what it is.
//!
//! `corpus/refusals.jsonl` has one answer a line: what it is, its status, its body. It is either one of the
//! outcomes that concern the endpoint as a whole, or the subject of one that does not. Whoever reports a wrong
//! verdict adds a line.

use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;
use zephyr_core::classify::{Attempt, Fault, Outcome, Refusal};
use zephyr_core::profile::CallKind;

const REFUSALS: &str = include_str!("../corpus/refusals.jsonl");
const MODEL: &str = "claude-opus-5-5";

#[derive(Deserialize)]
struct Line {
    is: String,
    status: u16,
    body: String,
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::NotServed { subject, .. } => subject.as_str(),
        Outcome::Exhausted { .. } => "exhausted",
        Outcome::Refused(_) => "refused",
        Outcome::Throttled { .. } => "throttled",
        Outcome::Failed(Fault::Gateway { .. })
        | Outcome::Away {
            fault: Fault::Gateway { .. },
            ..
        } => "gateway",
        Outcome::Failed(_) | Outcome::Away { .. } => "failed",
        Outcome::ClientFault(_) => "client",
        Outcome::Answered | Outcome::Abandoned => "no refusal",
    }
}

#[test]
fn each_is_taken_for_what_it_is() {
    let attempt = Attempt {
        kind: CallKind::Messages,
        model: Some(MODEL),
        own_credential: true,
        endpoint: "A",
        rules: &[],
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in REFUSALS.lines() {
        let answer: Line = serde_json::from_str(line).unwrap();
        let verdict = attempt.judge(Refusal {
            status: answer.status,
            headers: &HeaderMap::new(),
            retry_after: None,
            body: answer.body.as_bytes(),
            since_epoch: Duration::ZERO,
        });
        count += 1;
        if name(&verdict.outcome) != answer.is {
            wrong.push(format!("{}, not {}", line, name(&verdict.outcome)));
        }
    }

    assert!(count > 150, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
