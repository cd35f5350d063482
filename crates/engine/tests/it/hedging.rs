//! A late answer: another endpoint is asked beside it, and the first one that is real is passed on.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use zephyr_control::AttemptOutcome;
use zephyr_testkit::{Act, Endpoint, FaultyPort, Gate, Phase, PortFault};

use crate::common::raw::patiently;
use crate::common::{Zephyr, plain, starts, streaming};
use crate::records::{outcomes, over};

/// So late is late.
const SOON: &str = "[failover]\nhedge = 0.2\n";

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    for (what, act) in [
        ("hangs", Act::hang()),
        ("stops after its head", Act::stall_at(Phase::AfterHeaders)),
        (
            "stops after its start",
            Act::stall_at(Phase::AfterMessageStart),
        ),
        ("stops after a ping", Act::stall_at(Phase::AfterPing)),
    ] {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let (zephyr, records) = over(&[&a, &b], SOON).await;

        let answer = patiently(zephyr.stream()).await.unwrap();

        assert_eq!(
            (answer.text().as_str(), starts(&answer)),
            ("from B", 1),
            "{what}"
        );
        assert_eq!(answer.header("x-used-endpoint"), Some("B"), "{what}");
        assert_eq!(answer.header("x-zephyr-attempts"), Some("2"), "{what}");
        let why = answer.header("x-zephyr-why").unwrap();
        assert!(why.contains("late"), "{what}: {why}");
        a.cancelled().await;
        let record = records.next().await;
        let expected = [
            ("A", AttemptOutcome::Overtaken),
            ("B", AttemptOutcome::Answered),
        ];
        assert_eq!(outcomes(&record), expected, "{what}");
    }
}

#[tokio::test]
async fn without_any_measurement_an_endpoint_that_hangs_costs_seconds() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let started = Instant::now();

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "from B");
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(4),
        "{took:?}: not at once either"
    );
    assert!(
        took < Duration::from_secs(30),
        "{took:?}: the limit of the file is 60 s"
    );
}

#[tokio::test]
async fn the_first_one_is_passed_on_if_it_is_real_first() {
    let (of_a, of_b) = (Gate::new(), Gate::new());
    let a = Endpoint::start(Act::message("from A").gate(of_a.clone())).await;
    let b = Endpoint::start(Act::message("from B").gate(of_b.clone())).await;
    let (zephyr, records) = over(&[&a, &b], SOON).await;

    let asking = zephyr.stream();
    let answering = async {
        b.next_request().await;
        of_a.open();
    };
    let (answer, ()) = patiently(async { tokio::join!(asking, answering) }).await;

    let answer = answer.unwrap();
    assert_eq!((answer.text().as_str(), starts(&answer)), ("from A", 1));
    b.cancelled().await;
    let record = records.next().await;
    let expected = [
        ("A", AttemptOutcome::Answered),
        ("B", AttemptOutcome::Overtaken),
    ];
    assert_eq!(outcomes(&record), expected);
}

#[tokio::test]
async fn one_that_fails_leaves_the_other_one_and_both_leave_the_next() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::status(500).gate(gate.clone())).await;
    let b = Endpoint::start(Act::status(529)).await;
    let c = Endpoint::start(Act::message("from C")).await;
    let (zephyr, records) = over(&[&a, &b, &c], SOON).await;

    let asking = zephyr.stream();
    let failing = async {
        b.next_request().await;
        gate.open();
    };
    let (answer, ()) = patiently(async { tokio::join!(asking, failing) }).await;

    let answer = answer.unwrap();
    assert_eq!(answer.text(), "from C");
    assert_eq!(answer.header("x-zephyr-attempts"), Some("3"));
    let record = records.next().await;
    assert_eq!(record.attempts.len(), 3);
}

#[tokio::test]
async fn where_the_second_one_fails_another_is_asked_in_its_place() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::status(500)).await;
    let c = Endpoint::start(Act::reset()).await;
    let d = Endpoint::start(Act::message("from D")).await;
    let (zephyr, records) = over(&[&a, &b, &c, &d], SOON).await;

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "from D");
    let record = records.next().await;
    let expected = [
        ("A", AttemptOutcome::Overtaken),
        ("B", AttemptOutcome::Failed),
        ("C", AttemptOutcome::Failed),
        ("D", AttemptOutcome::Answered),
    ];
    assert_eq!(outcomes(&record), expected);
}

#[tokio::test]
async fn where_both_are_silent_the_next_ones_are_asked_once_answers_are_known() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::hang()).await;
    let c = Endpoint::start(Act::hang()).await;
    let d = Endpoint::start(Act::message("from D")).await;
    let (zephyr, records) = over(&[&a, &b, &c, &d], "").await;
    for _ in 0..20 {
        assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
        records.next().await;
    }
    a.set(Act::hang());
    let started = Instant::now();

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "from D");
    let took = started.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "{took:?}: the limit of the file is 60 s"
    );
    let record = records.next().await;
    let asked: Vec<&str> = outcomes(&record).iter().map(|(name, _)| *name).collect();
    assert_eq!(asked, ["A", "B", "C", "D"]);
}

#[tokio::test]
async fn while_nothing_is_known_a_slow_answer_is_asked_for_twice_at_most() {
    let slow = || Act::message("late").after(Duration::from_secs(7));
    let endpoints = join_all((0..4).map(|_| Endpoint::start(slow()))).await;
    let all: Vec<&Endpoint> = endpoints.iter().collect();
    let zephyr = Zephyr::over(&all, "[failover]\nhedge = 1\n").await;

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "late");
    let counts: Vec<usize> = endpoints.iter().map(|one| one.requests().len()).collect();
    assert_eq!(counts, [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_refusal_of_the_request_waits_for_the_other_one_which_may_answer() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::message("from A").gate(gate.clone())).await;
    let mistake = r#"{"type":"error","error":{"type":"invalid_request_error","message":"anthropic-beta: unknown"}}"#;
    let b = Endpoint::start(Act::status(400).body(mistake)).await;
    let zephyr = Zephyr::over(&[&a, &b], SOON).await;

    let asking = zephyr.stream();
    let answering = async {
        b.next_request().await;
        b.until_open_connections(1).await;
        gate.open();
    };
    let (answer, ()) = patiently(async { tokio::join!(asking, answering) }).await;
    a.set(Act::hang());
    let refused = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.unwrap().text(), "from A");
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn who_may_not_be_asked_again_is_not_given_up_early() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let never_twice = "[failover]\nretry_sent_requests = false\n";
    let zephyr = Zephyr::over(&[&a, &b], never_twice).await;
    for _ in 0..25 {
        assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
    }
    a.set(Act::message("late, from A").after(Duration::from_secs(4)));

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "late, from A");
    assert_eq!(b.requests().len(), 0);
}

#[tokio::test]
async fn who_cannot_even_be_connected_to_is_not_waited_for_although_nothing_of_the_body_was_read() {
    let a = Endpoint::start(Act::message("from A")).await;
    let (url, addr) = (a.url(), a.addr());
    a.stop().await;
    let _port = FaultyPort::at(addr, PortFault::Unanswered).await.unwrap();
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::at(&[url, b.url()], SOON).await;
    for size in [10, 700_000] {
        let name = format!("5e551011-0000-4000-8000-{size:012}");
        let session = [("x-claude-code-session-id", name.as_str())];
        let mut body = streaming();
        body["messages"][0]["content"] = "x".repeat(size).into();
        let (body, started) = (body.to_string(), Instant::now());

        let asked = zephyr.request("POST /v1/messages", &session, &body);
        let answer = patiently(asked).await;

        assert_eq!(answer.text(), "from B", "{size}");
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(4),
            "{size}: {took:?}, connecting may take 5 s"
        );
    }
    assert_eq!(b.requests().len(), 2);
}

#[tokio::test]
async fn both_get_the_same_request() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], SOON).await;
    let mut body = streaming();
    body["messages"][0]["content"] = "x".repeat(700_000).into();

    let answer = patiently(zephyr.post(&body)).await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert_eq!(b.requests()[0].json(), body);
    assert_eq!(a.requests()[0].json(), body);
}

#[tokio::test]
async fn an_answer_without_a_stream_is_raced_as_well_if_that_is_wanted() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], SOON).await;

    let answer = patiently(zephyr.post(&plain())).await.unwrap();

    assert_eq!(answer.header("x-used-endpoint"), Some("B"));
}

#[tokio::test]
async fn when_all_are_slow_few_requests_are_sent_twice() {
    let slow = || Act::message("late").after(Duration::from_millis(300));
    let a = Endpoint::start(slow()).await;
    let b = Endpoint::start(slow()).await;
    let zephyr = Zephyr::over(&[&a, &b], SOON).await;

    let answers = patiently(join_all((0..100).map(|_| zephyr.stream()))).await;

    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap().text() == "late")
    );
    let sent = a.requests().len() + b.requests().len();
    assert!((101..=100 + 5 + 3).contains(&sent), "{sent}");
}

#[tokio::test]
async fn with_hedge_off_the_first_one_has_the_time_of_the_file() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let off = "[failover]\nhedge = \"off\"\nfirst_event_timeout_seconds = 5\n";
    let (zephyr, records) = over(&[&a, &b], off).await;
    let started = Instant::now();

    let answer = patiently(zephyr.stream()).await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert!(started.elapsed() >= Duration::from_secs(5));
    let record = records.next().await;
    assert_eq!(outcomes(&record)[0], ("A", AttemptOutcome::Failed));
}

#[tokio::test]
async fn a_stream_that_stops_midway_is_given_up_soon_and_its_repeat_goes_elsewhere() {
    for phase in [Phase::AfterFirstDelta, Phase::AfterBlockStop] {
        let a = Endpoint::start(Act::message("from A")).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;
        for _ in 0..10 {
            assert_eq!(zephyr.stream().await.unwrap().text(), "from A");
        }
        a.push(Act::stall_at(phase));
        let headers = [(
            "x-claude-code-session-id",
            "5e551011-0000-4000-8000-000000000001",
        )];
        let body = streaming().to_string();
        let ask = || zephyr.request("POST /v1/messages", &headers, &body);
        let started = Instant::now();

        let broken = patiently(ask()).await;
        let took = started.elapsed();
        let repeat = ask().await;

        assert_eq!(broken.end, zephyr_testkit::End::Cut, "{phase:?}");
        assert!(took >= Duration::from_secs(1), "{phase:?}: {took:?}");
        assert!(
            took < Duration::from_secs(30),
            "{phase:?}: {took:?}, the file says 300 s"
        );
        assert_eq!(repeat.text(), "from B", "{phase:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_less_patient_finds_another_endpoint_when_it_asks_again() {
    let a = Endpoint::start(Act::hang()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let only_patience = "[failover]\nhedge_budget_percent = 0\n";
    let zephyr = Zephyr::over(&[&a, &b], only_patience).await;
    let headers = [
        ("x-stainless-timeout", "4"),
        (
            "x-claude-code-session-id",
            "5e551011-0000-4000-8000-000000000001",
        ),
    ];
    let started = Instant::now();

    let body = streaming().to_string();
    let answer = patiently(zephyr.request("POST /v1/messages", &headers, &body)).await;

    assert_eq!(answer.text(), "from B");
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(2) && took < Duration::from_secs(4),
        "{took:?}"
    );
}
