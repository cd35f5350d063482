//! What a second attempt costs, and how the answer, its record and the metrics tell of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use serde_json::Value;
use zephyr_control::{AttemptOutcome, RequestRecord};
use zephyr_testkit::{Act, Answer, Endpoint, Gate};

use crate::common::raw::patiently;
use crate::common::{Zephyr, config, streaming};
use crate::metrics::Scrape;
use crate::records::{Records, outcomes};

/// So late is late.
const SOON: &str = "[failover]\nhedge = 0.2\n";
/// What the prompt of a usual answer costs if all of it is written: 25 × $4 + (300 + 7,000) × $5, by the
/// million.
const WRITTEN: f64 = 0.0366;

/// Over endpoints with these names, each with its price.
async fn over(endpoints: [(&str, f64, &Endpoint); 2]) -> (Zephyr, Records) {
    let urls = endpoints.map(|(_, _, endpoint)| endpoint.url());
    let mut text = config(&urls, SOON);
    for (usual, (name, price, _)) in ["A", "B"].iter().zip(endpoints) {
        let usual = format!("name = \"{usual}\"");
        text = text.replace(&usual, &format!("name = \"{name}\", price = {price:?}"));
    }
    Records::of(&text).await
}

/// What the client gets, and what is recorded, where the first answer never comes.
async fn second_wins(names: [&str; 2], body: &Value) -> (Answer, RequestRecord) {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let (zephyr, records) = over([(names[0], 0.5, &a), (names[1], 2.0, &b)]).await;
    let answer = patiently(zephyr.post(body)).await.unwrap();
    (answer, records.next().await)
}

/// The same where the first answer comes after the second attempt has gone out.
async fn first_wins(body: &Value) -> (Answer, RequestRecord, Zephyr) {
    let (of_a, of_b) = (Gate::new(), Gate::new());
    let a = Endpoint::start(Act::message("from A").gate(of_a.clone())).await;
    let b = Endpoint::start(Act::message("from B").gate(of_b)).await;
    let (zephyr, records) = over([("A", 0.5, &a), ("B", 2.0, &b)]).await;
    let answering = async {
        b.next_request().await;
        of_a.open();
    };
    let (answer, ()) = patiently(async { tokio::join!(zephyr.post(body), answering) }).await;
    (answer.unwrap(), records.next().await, zephyr)
}

/// Some 20 kB: 5,000 tokens for $0.02.
fn long() -> Value {
    let mut body = streaming();
    body["messages"][0]["content"] = "x".repeat(20_000).into();
    body
}

/// `x-zephyr-why`, without its number of milliseconds, which is at least that of the file.
fn why(answer: &Answer) -> String {
    let why = answer.header("x-zephyr-why").unwrap();
    let (before, rest) = why.split_once(" after ").unwrap();
    let (waited, rest) = rest.split_once(' ').unwrap();
    assert!(waited.parse::<u64>().unwrap() >= 200, "{why}");
    format!("{before} after N {rest}")
}

#[tokio::test]
async fn if_the_second_is_first_the_answer_and_its_record_say_what_the_late_one_cost() {
    let (answer, record) = second_wins(["A", "B"], &long()).await;

    assert_eq!(
        why(&answer),
        "A was late (no answer after N ms), so B was asked as well, and answered first; \
         about $0.04 for the second prompt"
    );
    let expected = [
        ("A", AttemptOutcome::Overtaken),
        ("B", AttemptOutcome::Answered),
    ];
    assert_eq!(outcomes(&record), expected);
    assert!(record.had_a_second_attempt());
    // The answer of B, at twice the list price: 25 × $4 + 300 × $5 + 7,000 × $0.20 + 12 × $20, by the million.
    assert_eq!(record.cost_usd, Some(2.0 * 0.00324));
    assert_eq!(record.overtaken_cost_usd, Some(WRITTEN / 2.0), "of A");
}

#[tokio::test]
async fn if_the_first_is_first_after_all_they_say_what_the_second_cost() {
    let (answer, record, zephyr) = first_wins(&long()).await;

    assert_eq!(
        why(&answer),
        "A was late (no answer after N ms), so B was asked as well, but A answered first; \
         about $0.04 for the second prompt"
    );
    assert_eq!(record.cost_usd, Some(0.00324 / 2.0));
    assert_eq!(record.overtaken_cost_usd, Some(WRITTEN * 2.0), "of B");
    let scrape = Scrape::of(&zephyr).await;
    let of_a = scrape.get(r#"zephyr_cost_usd_total{endpoint="A"}"#);
    let of_b = scrape.get(r#"zephyr_cost_usd_total{endpoint="B"}"#);
    assert_eq!((of_a, of_b), (0.00324 / 2.0, 0.0), "of answers alone");
}

#[tokio::test]
async fn a_short_prompt_costs_less_than_a_cent() {
    let (answer, _) = second_wins(["A", "B"], &streaming()).await;

    let why = why(&answer);
    assert!(
        why.ends_with("; less than $0.01 for the second prompt"),
        "{why}"
    );
}

#[tokio::test]
async fn without_a_known_price_no_cost_is_told() {
    let mut body = long();
    body["model"] = "house-model-7b".into();

    let (answer, record) = second_wins(["A", "B"], &body).await;

    let why = why(&answer);
    assert!(why.ends_with("and answered first"), "{why}");
    assert!(record.had_a_second_attempt());
    assert_eq!((record.cost_usd, record.overtaken_cost_usd), (None, None));
}

#[tokio::test]
async fn names_that_no_header_can_hold_are_told_as_in_the_other_headers() {
    let (answer, _) = second_wins(["东京", "🇸🇬 SG"], &streaming()).await;

    let why = why(&answer);
    let used = answer.header("x-used-endpoint").unwrap();
    assert!(
        why.starts_with("%E4%B8%9C%E4%BA%AC was late (no answer after N ms), so "),
        "{why}"
    );
    assert!(why.contains(&format!("so {used} was asked")), "{why}");
    assert!(why.is_ascii(), "{why}");
}

#[tokio::test]
async fn without_a_second_attempt_nothing_is_told() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let (zephyr, records) = over([("A", 0.5, &a), ("B", 2.0, &b)]).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.header("x-zephyr-why"), None);
    let record = records.next().await;
    assert!(!record.had_a_second_attempt());
    assert_eq!(record.overtaken_cost_usd, None);
}

#[tokio::test]
async fn one_that_failed_before_the_other_answered_costs_nothing() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::message("from A").gate(gate.clone())).await;
    let b = Endpoint::start(Act::status(529)).await;
    let (zephyr, records) = over([("A", 1.0, &a), ("B", 1.0, &b)]).await;
    let answering = async {
        zephyr
            .until("B has refused", |seen| {
                seen.endpoints[1].state == zephyr_control::EndpointState::Throttled
            })
            .await;
        gate.open();
    };

    let (answer, ()) = patiently(async { tokio::join!(zephyr.stream(), answering) }).await;

    let why = why(&answer.unwrap());
    assert!(why.contains("but A answered first"), "{why}");
    let record = records.next().await;
    let expected = [
        ("A", AttemptOutcome::Answered),
        ("B", AttemptOutcome::Throttled),
    ];
    assert_eq!(outcomes(&record), expected);
    assert!(record.had_a_second_attempt());
    assert_eq!(record.overtaken_cost_usd, None);
}

#[tokio::test]
async fn second_attempts_are_counted_by_who_was_first() {
    let count = async |zephyr: &Zephyr| {
        let scrape = Scrape::of(zephyr).await;
        ["first", "second", "neither"]
            .map(|winner| scrape.get(&format!("zephyr_hedges_total{{winner=\"{winner}\"}}")))
    };
    let (_, _, zephyr) = first_wins(&streaming()).await;
    assert_eq!(count(&zephyr).await, [1.0, 0.0, 0.0]);

    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let (zephyr, _records) = over([("A", 1.0, &a), ("B", 1.0, &b)]).await;
    zephyr.stream().await.unwrap();
    assert_eq!(count(&zephyr).await, [0.0; 3], "it was not late");
    a.push(Act::hang());
    patiently(zephyr.stream()).await.unwrap();
    assert_eq!(count(&zephyr).await, [0.0, 1.0, 0.0]);

    let gate = Gate::new();
    let a = Endpoint::start(Act::status(500).gate(gate.clone())).await;
    let b = Endpoint::start(Act::status(500)).await;
    let (zephyr, _records) = over([("A", 1.0, &a), ("B", 1.0, &b)]).await;
    let failing = async {
        b.next_request().await;
        gate.open();
    };
    let (answer, ()) = patiently(async { tokio::join!(zephyr.stream(), failing) }).await;
    assert_eq!(answer.unwrap().status, 500);
    assert_eq!(count(&zephyr).await, [0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_client_that_leaves_ends_a_race_that_nobody_wins() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::hang()).await;
    let (zephyr, records) = over([("A", 1.0, &a), ("B", 1.0, &b)]).await;
    {
        let asking = std::pin::pin!(zephyr.stream());
        let sent = std::pin::pin!(b.next_request());
        let futures_util::future::Either::Right(_) =
            patiently(futures_util::future::select(asking, sent)).await
        else {
            panic!("nobody answers");
        };
    }

    let record = records.next().await;
    let expected = [
        ("A", AttemptOutcome::Abandoned),
        ("B", AttemptOutcome::Abandoned),
    ];
    assert_eq!(outcomes(&record), expected);
    let scrape = Scrape::of(&zephyr).await;
    assert_eq!(scrape.get(r#"zephyr_hedges_total{winner="neither"}"#), 1.0);
}
