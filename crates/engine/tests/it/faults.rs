//! Every fault an endpoint can show, in front of a second endpoint that works: the client notices
//! nothing before its first byte, and sees an abort after it.

use crate::common::{CLIENT_TOKEN, OUR_TOKEN, Zephyr, plain, starts, streaming};
use serde_json::Value;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_control::{EndpointState, EventKind};
use zephyr_testkit::{Act, Encoding, End, Endpoint, Phase, Step, TextStream};

/// Sends `body` through Zephyr to A, which does `act`, and to B, which works. Returns what the client
/// saw, once what must always hold has been checked.
async fn client_sees_b(act: Act, body: &Value, what: &str) {
    let a = Endpoint::start(act).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr
        .post(body)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));

    assert_eq!(answer.status, 200, "{what}");
    assert_eq!(answer.end, End::Clean, "{what}");
    assert_eq!(answer.header("x-used-endpoint"), Some("B"), "{what}");
    assert_eq!(answer.header("x-zephyr-attempts"), Some("2"), "{what}");
    if body["stream"] == true {
        assert_eq!(starts(&answer), 1, "{what}");
        assert_eq!(answer.text(), "from B", "{what}");
    } else {
        assert_eq!(answer.json()["content"][0]["text"], "from B", "{what}");
    }
    let (at_a, at_b) = (a.requests(), b.requests());
    assert_eq!((at_a.len(), at_b.len()), (1, 1), "{what}: one attempt each");
    assert_eq!(at_a[0].body, at_b[0].body, "{what}: the same body");
    assert_eq!(
        at_b[0].body,
        body.to_string().as_bytes(),
        "{what}: the client's body"
    );
    for received in at_a.iter().chain(&at_b) {
        assert_eq!(
            received.headers_named("authorization"),
            [format!("Bearer {OUR_TOKEN}")],
            "{what}"
        );
        assert!(received.headers_named("x-api-key").is_empty(), "{what}");
        assert!(
            received
                .headers
                .iter()
                .all(|(_, value)| !value.contains(CLIENT_TOKEN)),
            "{what}"
        );
    }
}

#[tokio::test]
async fn no_fault_before_the_answer_is_noticed() {
    let faults = [
        ("reset", Act::reset()),
        ("close", Act::close()),
        ("garbage", Act::garbage()),
        (
            "redirect",
            Act::redirect(307, "http://127.0.0.1:9/v1/messages"),
        ),
        ("HTML 200", Act::html(200)),
        ("HTML 502", Act::html(502)),
        ("JSON error 200", Act::json_error_200()),
        ("empty 200", Act::empty_200()),
        ("malformed JSON", Act::malformed_json_200()),
        ("OpenAI JSON", Act::openai_json()),
        ("OpenAI stream", Act::openai_stream()),
        (
            "429 with Retry-After",
            Act::status(429).header("retry-after", "30"),
        ),
        (
            "529 with Retry-After",
            Act::status(529).header("retry-after", "30"),
        ),
        (
            "quota in a 400",
            Act::status(400).error_message("You have reached your specified API usage limits."),
        ),
    ];
    for body in [streaming(), plain()] {
        for (what, act) in &faults {
            client_sees_b(
                act.clone(),
                &body,
                &format!("{what}, stream: {}", body["stream"]),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_moves_on_with_the_whole_body() {
    let a = Endpoint::start(Act::early(529)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let mut body = streaming();
    body["padding"] = "x".repeat(5_000_000).into();

    let answer = zephyr.post(&body).await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert_eq!(b.requests()[0].body, body.to_string().as_bytes());
}

#[tokio::test]
async fn no_status_that_the_table_moves_on_is_noticed() {
    for status in [
        401, 402, 403, 404, 408, 429, 500, 501, 502, 503, 504, 520, 529,
    ] {
        client_sees_b(Act::status(status), &streaming(), &format!("HTTP {status}")).await;
    }
}

#[tokio::test]
async fn no_cut_error_or_stall_before_the_content_is_noticed() {
    for phase in Phase::ALL
        .into_iter()
        .filter(|phase| !phase.client_sees_content())
    {
        for (what, act) in [
            ("cut", Act::cut_at(phase)),
            ("reset", Act::reset_at(phase)),
            (
                "error event",
                Act::error_event_at(phase, "overloaded_error"),
            ),
            ("api error", Act::error_event_at(phase, "api_error")),
        ] {
            client_sees_b(act, &streaming(), &format!("{what} at {phase:?}")).await;
        }
    }
}

#[tokio::test]
async fn compressed_answers_are_looked_into_and_passed_as_they_came() {
    for encoding in Encoding::ALL {
        client_sees_b(
            Act::error_event_at(Phase::AfterMessageStart, "overloaded_error").compressed(encoding),
            &streaming(),
            &format!("{encoding:?} error event"),
        )
        .await;
        let a = Endpoint::start(Act::message("compressed").compressed(encoding)).await;
        let zephyr = Zephyr::over(&[&a], "").await;

        let accepted = [("accept-encoding", "gzip, deflate, br, zstd")];
        let body = streaming().to_string();
        let answer = zephyr.request("POST /v1/messages", &accepted, &body).await;

        assert_eq!(answer.header("content-encoding"), Some(encoding.name()));
        assert_eq!(
            (answer.text().as_str(), answer.end),
            ("compressed", End::Clean),
            "{encoding:?}"
        );
    }
}

#[tokio::test]
async fn a_stall_before_the_content_moves_on_at_the_deadline() {
    for act in [Act::hang(), Act::stall_at(Phase::AfterHeaders)] {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "[failover]\nfirst_event_timeout_seconds = 1\n").await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!((answer.text().as_str(), starts(&answer)), ("from B", 1));
    }
}

#[tokio::test]
async fn a_stream_that_only_pings_is_let_through_after_half_of_the_clients_patience() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterPing)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    let body = streaming().to_string();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: {}\r\nx-stainless-timeout: 2\r\ncontent-length: {}\r\n\r\n",
        zephyr.engine.proxy_addr(),
        body.len(),
    );
    client.send(head + &body).await.unwrap();

    let (status, _) = client.read_head().await.unwrap();
    let first = client.next_event().await.unwrap().unwrap();

    assert_eq!((status, first.0.as_str()), (200, "message_start"));
}

#[tokio::test]
async fn a_break_after_the_content_aborts_the_client_and_counts() {
    for phase in Phase::ALL.into_iter().filter(Phase::client_sees_content) {
        for (what, act) in [
            ("cut", Act::cut_at(phase)),
            ("reset", Act::reset_at(phase)),
            ("clean end", Act::end_at(phase)),
        ] {
            let complete = phase == Phase::InLastChunk && what == "clean end";
            if complete {
                continue;
            }
            let a = Endpoint::start(act).await;
            let b = Endpoint::start(Act::message("from B")).await;
            let zephyr = Zephyr::over(&[&a, &b], "").await;

            let answer = zephyr.stream().await.unwrap();

            assert_eq!(
                answer.end,
                End::Cut,
                "{what} at {phase:?}: never a clean end"
            );
            assert_eq!(
                answer.header("x-used-endpoint"),
                Some("A"),
                "{what} at {phase:?}"
            );
            assert_eq!(starts(&answer), 1, "{what} at {phase:?}");
            assert!(
                b.requests().is_empty(),
                "{what} at {phase:?}: nothing is sent twice"
            );
            let snapshot = zephyr.snapshot().await;
            assert_eq!(
                snapshot.endpoint("A").unwrap().failures,
                1,
                "{what} at {phase:?}"
            );
            assert_eq!(snapshot.totals.aborted, 1, "{what} at {phase:?}");
            assert!(
                snapshot
                    .events
                    .iter()
                    .any(|event| matches!(event.kind, EventKind::Aborted { .. }))
            );
        }
    }
}

#[tokio::test]
async fn the_client_gets_every_byte_that_came_before_the_break() {
    let a = Endpoint::start(Act::cut_at(Phase::BetweenDeltas)).await;
    let direct = zephyr_testkit::post_messages(a.addr(), streaming().to_string())
        .await
        .unwrap();
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.events(), direct.events());
}

#[tokio::test]
async fn a_flood_that_breaks_reaches_the_client_to_its_last_event_and_is_no_end() {
    let text = "word ".repeat(2_000);
    let mut flood = TextStream::new(&text).until(Phase::BetweenDeltas);
    let events = flood.len();
    assert!(events > 1_000);
    flood.push(Step::Cut);
    let a = Endpoint::start(Act::sse(flood)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.events().len(), events);
    assert_eq!(answer.end, End::Cut);
}

#[tokio::test]
async fn a_stall_midway_aborts_at_the_idle_timeout() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterFirstDelta)).await;
    let zephyr = Zephyr::over(&[&a], "[failover]\nidle_timeout_seconds = 1\n").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.end, End::Cut);
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}

#[tokio::test]
async fn an_error_event_midway_is_passed_on_and_counted() {
    let a = Endpoint::start(Act::error_event_at(
        Phase::AfterFirstDelta,
        "overloaded_error",
    ))
    .await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert!(answer.events().iter().any(|(name, _)| name == "error"));
    assert!(b.requests().is_empty());
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}

#[tokio::test]
async fn after_breaks_midway_the_next_requests_go_elsewhere() {
    let a = Endpoint::start(Act::cut_at(Phase::BetweenDeltas)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    for _ in 0..3 {
        assert_eq!(zephyr.stream().await.unwrap().end, End::Cut);
    }

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.header("x-used-endpoint"), Some("B"));
    assert_eq!(zephyr.state_of("A").await, EndpointState::Failing);
}

#[tokio::test]
async fn a_clients_mistake_is_passed_through_byte_for_byte() {
    for status in [400, 405, 413, 415, 422] {
        let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Invalid `signature` in `thinking` block"}}"#;
        let a = Endpoint::start(Act::status(status).body(body)).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (status, body.as_bytes())
        );
        assert!(b.requests().is_empty(), "{status}");
        assert_eq!(
            zephyr.snapshot().await.endpoint("A").unwrap().failures,
            0,
            "{status}"
        );
    }
}

#[tokio::test]
async fn on_client_errors_every_4xx_moves_on() {
    let a = Endpoint::start(Act::status(400)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "[failover]\non_client_errors = true\n").await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "from B");
}

#[tokio::test]
async fn when_all_is_spent_the_most_telling_answer_is_passed_on_unmodified() {
    let cases = [
        ([500, 429, 404], 429),
        ([500, 404, 401], 401),
        ([502, 404, 500], 404),
        ([502, 500, 503], 503),
    ];
    for (statuses, told) in cases {
        let acts =
            statuses.map(|status| Act::status(status).error_message(&format!("I am {status}")));
        let [a, b, c] = acts;
        let endpoints = [
            Endpoint::start(a).await,
            Endpoint::start(b).await,
            Endpoint::start(c).await,
        ];
        let zephyr = Zephyr::over(&endpoints.each_ref(), "").await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.status, told, "{statuses:?}");
        assert_eq!(
            answer.json()["error"]["message"],
            format!("I am {told}"),
            "{statuses:?}"
        );
    }
}

#[tokio::test]
async fn when_all_is_spent_without_an_answer_our_own_names_each_reason() {
    let a = Endpoint::start(Act::reset()).await;
    let b = Endpoint::start(Act::html(200)).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (502, Some("all_failed"))
    );
    let body = answer.json();
    assert_eq!(
        (&body["type"], &body["error"]["type"]),
        (&"error".into(), &"api_error".into())
    );
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("A: ") && message.contains("B: a web page"),
        "{message}"
    );
}

#[tokio::test]
async fn when_all_are_throttled_the_client_is_told_when_the_first_returns() {
    let a = Endpoint::start(Act::status(429).header("retry-after", "50")).await;
    let b = Endpoint::start(Act::status(429).header("retry-after", "20")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("20"))
    );
    assert_eq!(zephyr.state_of("A").await, EndpointState::Throttled);
}

#[tokio::test]
async fn a_redirection_never_reaches_the_client_of_a_messages_call() {
    let a = Endpoint::start(Act::redirect(307, "http://127.0.0.1:9/")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!((answer.status, answer.header("location")), (502, None));
}

#[tokio::test]
async fn without_retry_sent_requests_an_unanswered_request_is_not_repeated() {
    let a = Endpoint::start(Act::reset()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "[failover]\nretry_sent_requests = false\n").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.status, 502);
    assert!(b.requests().is_empty());
}

/// A raw answer of known length.
fn raw(content_type: &str, body: &[u8]) -> Act {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Act::bytes([head.as_bytes(), body].concat())
}

/// The whole stream of a message, without its last event if `cut`.
fn stream_body(cut: bool) -> Vec<u8> {
    let mut steps = zephyr_testkit::TextStream::new("Hi").steps();
    steps.truncate(steps.len() - usize::from(cut));
    let mut body = Vec::new();
    for step in steps {
        if let zephyr_testkit::Step::Event(name, data) = step {
            body.extend_from_slice(format!("event: {name}\ndata: {data}\n\n").as_bytes());
        }
    }
    body
}

#[tokio::test]
async fn a_stream_of_known_length_that_lacks_its_end_is_aborted_too() {
    let a = Endpoint::start(raw("text/event-stream", &stream_body(true))).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    let totals = zephyr.snapshot().await.totals;
    assert_eq!(answer.end, End::Cut);
    assert_eq!((totals.aborted, totals.abandoned), (1, 0));
}

#[tokio::test]
async fn answers_of_known_length_are_booked_as_answered() {
    let stream = Endpoint::start(raw("text/event-stream", &stream_body(false))).await;
    let long = format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","content":[{{"type":"text","text":"{}"}}]}}"#,
        "x".repeat(3_000_000)
    );
    let json = Endpoint::start(raw("application/json", long.as_bytes())).await;
    for (endpoint, body) in [(&stream, streaming()), (&json, plain())] {
        let zephyr = Zephyr::over(&[endpoint], "").await;

        let answer = zephyr.post(&body).await.unwrap();

        let totals = zephyr.snapshot().await.totals;
        assert_eq!(answer.end, End::Clean);
        assert_eq!((totals.aborted, totals.abandoned), (0, 0));
    }
}

#[tokio::test]
async fn a_long_compressed_answer_is_no_fault() {
    let long = "all is well ".repeat(300_000);
    let a = Endpoint::start(Act::message(&long).compressed(Encoding::Gzip)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.post(&plain()).await.unwrap();

    assert_eq!((answer.status, answer.end), (200, End::Clean));
}

#[tokio::test]
async fn failures_on_other_paths_condemn_nobody() {
    let a = Endpoint::start(Act::status(500)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for _ in 0..5 {
        let answer = zephyr_testkit::get(zephyr.engine.proxy_addr(), "/v1/files")
            .await
            .unwrap();
        assert_eq!(answer.status, 500);
    }

    assert_eq!(zephyr.state_of("A").await, EndpointState::Ready);
}

#[tokio::test]
async fn a_patience_beyond_all_bounds_is_bounded() {
    let a = Endpoint::start(Act::message("hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = plain().to_string();
    let mut client = zephyr.client().await;
    let length = body.len();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-stainless-timeout: 1e19\r\ncontent-length: {length}\r\n\r\n{body}"
    );

    client.send(head).await.unwrap();

    assert_eq!(client.read_head().await.unwrap().0, 200);
}

#[tokio::test]
async fn a_client_that_stops_sending_is_not_held_against_the_endpoint() {
    let a = Endpoint::start(Act::message("hi")).await;
    let policy = "[failover]\nfirst_event_timeout_seconds = 1\nidle_timeout_seconds = 1\n";
    let zephyr = Zephyr::over(&[&a], policy).await;
    let mut client = zephyr.client().await;
    let begun = format!(
        r#"{{"model":"m","stream":true,"messages":"{}"#,
        "x".repeat(70_000)
    );
    let head = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-stainless-timeout: 1\r\n\
                content-length: 200000\r\n\r\n";

    client.send(format!("{head}{begun}")).await.unwrap();

    assert_eq!(client.read_head().await.unwrap().0, 400);
    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 0);
}

#[tokio::test]
async fn what_an_endpoint_echoes_is_not_repeated_in_our_errors() {
    let a = Endpoint::start(raw("application/json", br#""invalid key sk-secret""#)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.post(&plain()).await.unwrap();

    let snapshot = serde_json::to_string(&*zephyr.snapshot().await).unwrap();
    assert_eq!(answer.status, 502);
    assert!(
        !String::from_utf8(answer.body)
            .unwrap()
            .contains("sk-secret")
    );
    assert!(!snapshot.contains("sk-secret"));
}

#[tokio::test]
async fn a_stream_is_known_as_one_though_its_flag_stands_behind_a_long_body() {
    let a = Endpoint::start(Act::openai_json()).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let mut body = streaming();
    body["messages"][0]["content"] = "x".repeat(300_000).into();

    let answer = zephyr.post(&body).await.unwrap();

    assert_eq!(answer.text(), "from B");
}

#[tokio::test]
async fn without_validation_of_streams_they_pass_as_they_are() {
    let a = Endpoint::start(Act::error_event_at(
        Phase::AfterMessageStart,
        "overloaded_error",
    ))
    .await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "[validation]\nvalidate_streaming = false\n").await;

    let answer = zephyr.stream().await.unwrap();

    assert!(answer.events().iter().any(|(name, _)| name == "error"));
    assert!(b.requests().is_empty());
}

#[tokio::test]
async fn an_http_1_0_client_sees_a_reset_where_the_stream_broke() {
    let a = Endpoint::start(Act::cut_at(Phase::BetweenDeltas)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = streaming().to_string();
    let mut client = TcpStream::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();

    let end = client.read_to_end(&mut Vec::new()).await;

    let end = end.map_err(|error| error.kind());
    assert_eq!(
        end,
        Err(ErrorKind::ConnectionReset),
        "a close would look like the end of the body"
    );
}
