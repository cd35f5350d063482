//! How a streamed answer ends, and until when it may still move on.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zephyr_control::{EndpointState, EventKind, Reason};
use zephyr_testkit::{Act, Answer, Encoding, End, Endpoint, Gate, Phase, Step, TextStream};

use crate::common::raw::patiently;
use crate::common::{CLIENT_TOKEN, Zephyr, plain, streaming};

/// An answer that stands still ends after this second.
const QUICK: &str = "[failover]\nidle_timeout_seconds = 1\n";

const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"more\"}}\n\n";

/// A message as its endpoint writes it, up to its `message_stop`.
fn message() -> String {
    written(&TextStream::new("The wind turns.").until(Phase::AfterMessageDelta))
}

fn written(steps: &[Step]) -> String {
    let event = |step: &Step| {
        let Step::Event(name, data) = step else {
            unreachable!("a text stream consists of events")
        };
        format!("event: {name}\ndata: {data}\n\n")
    };
    steps.iter().map(event).collect()
}

/// What a client gets of a stream that stays open behind these pieces.
async fn staying_open(pieces: &[&str], extra: &str) -> (Answer, Zephyr) {
    let mut steps: Vec<_> = pieces
        .iter()
        .map(|piece| Step::raw((*piece).to_owned()))
        .collect();
    steps.push(Step::Stall);
    answered(Act::sse(steps), extra).await
}

async fn answered(act: Act, extra: &str) -> (Answer, Zephyr) {
    let a = Endpoint::start(act).await;
    let zephyr = Zephyr::over(&[&a], extra).await;
    let answer = zephyr.stream().await.unwrap();
    (answer, zephyr)
}

async fn failures(zephyr: &Zephyr) -> u64 {
    zephyr.snapshot().await.endpoint("A").unwrap().failures
}

#[tokio::test]
async fn an_answer_ends_at_its_message_stop_whatever_follows_and_stays_open() {
    let whole = message() + STOP;
    let start = written(&TextStream::new("Again.").steps());
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n";
    let reason = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{}}\n\n";
    let pinged = PING.to_owned() + DELTA;
    let cases = [
        (DELTA, 1),
        (error, 1),
        (start.as_str(), 1),
        (reason, 1),
        (pinged.as_str(), 1),
        // These change nothing for anybody.
        ("", 0),
        (STOP, 0),
        (PING, 0),
        ("data: [DONE]\n\n", 0),
        ("<html>", 0),
        ("event: content_blo", 0),
    ];
    for (behind, counted) in cases {
        for pieces in [
            vec![whole.clone() + behind],
            vec![message(), STOP.to_owned() + behind],
        ] {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();

            let (answer, zephyr) = staying_open(&pieces, "").await;

            assert_eq!(answer.end, End::Clean, "{behind:?}");
            assert_eq!(String::from_utf8_lossy(&answer.body), whole, "{behind:?}");
            assert_eq!(failures(&zephyr).await, counted, "{behind:?}");
            assert_eq!(zephyr.snapshot().await.totals.aborted, 0, "{behind:?}");
        }
    }
}

#[tokio::test]
async fn what_goes_on_behind_its_end_is_told() {
    let (_, zephyr) = staying_open(&[&(message() + STOP + DELTA)], "").await;

    let why = Reason::BrokenMidway {
        detail: "expected nothing behind message_stop, seen content_block_delta".into(),
    };
    let endpoint = "A".to_owned();
    assert!(
        zephyr
            .events()
            .await
            .contains(&EventKind::PassedOn { endpoint, why })
    );
}

#[tokio::test]
async fn an_answer_whose_lines_end_in_any_way_ends_at_once_and_passes_as_it_came() {
    let whole = message() + STOP;
    let mixed: String = whole
        .split_inclusive("\n\n")
        .zip(["\r", "\n", "\r\n"].into_iter().cycle())
        .map(|(event, end)| event.replace('\n', end))
        .collect();
    for text in [
        whole.clone(),
        whole.replace('\n', "\r"),
        whole.replace('\n', "\r\n"),
        mixed,
        format!("\u{feff}{whole}"),
        whole.replace("\n\n", "\r\n\r"),
    ] {
        let by_lines: Vec<&str> = text.split_inclusive(['\r', '\n']).collect();
        for pieces in [vec![text.as_str()], by_lines] {
            let (answer, zephyr) = staying_open(&pieces, "").await;

            assert_eq!(answer.end, End::Clean, "{text:?}");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            // An LF that comes after its CR is behind the end.
            let is_whole = body == text || format!("{body}\n") == text;
            assert!(is_whole, "{text:?}: {body:?}");
            assert_eq!(failures(&zephyr).await, 0, "{text:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_file_is_whole() {
    let whole = message() + STOP;
    for text in [
        whole.trim_end().to_owned(),
        whole.trim_end().replace('\n', "\r"),
        whole.trim_end().replace('\n', "\r\n"),
        format!("{}\n", whole.trim_end()),
        format!("{}\r", whole.trim_end().replace('\n', "\r")),
    ] {
        let (answer, zephyr) = answered(Act::sse(vec![Step::raw(text.clone())]), "").await;

        assert_eq!(answer.end, End::Clean, "{text:?}");
        assert_eq!(String::from_utf8_lossy(&answer.body), text);
        assert_eq!(failures(&zephyr).await, 0, "{text:?}");
    }
}

#[tokio::test]
async fn what_has_said_why_it_stops_and_stays_open_is_ended_and_counted() {
    let pings: Vec<&str> = vec![PING; 5];
    let cases: [&[&str]; 8] = [
        &[],
        &pings,
        &[": still here\n\n"],
        &["data: {\"type\":\"ping\"}\n\n"],
        &["data: hello\n\n"],
        &["event: pi"],
        &["event: message_st"],
        &["event: message_stop\ndata: {\"type\":\"message_stop\"}\n"],
    ];
    let seen = cases.map(|behind| async move {
        let said = message();
        let pieces: Vec<&str> = [&[said.as_str()], behind].concat();
        (behind, staying_open(&pieces, QUICK).await)
    });
    for (behind, (answer, zephyr)) in join_all(seen).await {
        assert_eq!(answer.end, End::Clean, "{behind:?}");
        let body = String::from_utf8_lossy(&answer.body);
        assert!(
            body.starts_with(&(message() + &behind.concat())),
            "{behind:?}: {body}"
        );
        let stops = body.matches("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        assert_eq!(stops.count(), 1, "{behind:?}: {body}");
        assert!(body.ends_with("\n\n"), "{behind:?}: {body}");
        assert_eq!(failures(&zephyr).await, 1, "{behind:?}");
        assert_eq!(zephyr.snapshot().await.totals.aborted, 0, "{behind:?}");
    }
}

#[tokio::test]
async fn pings_without_pause_do_not_keep_a_stopped_answer_open() {
    let mut steps = vec![Step::raw(message())];
    for _ in 0..200 {
        steps.extend([Step::raw(PING), Step::Wait(Duration::from_millis(20))]);
    }
    steps.push(Step::Stall);

    let (answer, _) = answered(Act::sse(steps), QUICK).await;

    assert_eq!(answer.end, End::Clean);
    assert!(String::from_utf8_lossy(&answer.body).ends_with(STOP));
}

#[tokio::test]
async fn what_has_not_said_all_and_stays_open_is_aborted() {
    let until = |phase| written(&TextStream::new("The wind turns.").until(phase));
    let no_reason = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null},\"usage\":{\"output_tokens\":3}}\n\n";
    let open = until(Phase::BetweenDeltas)
        + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
    let cases = [
        until(Phase::AfterFirstDelta),
        until(Phase::AfterBlockStop),
        until(Phase::AfterBlockStop) + no_reason,
        until(Phase::AfterBlockStop) + PING,
        message() + "event: message_delta\ndata: {\"type\":\"mess",
        open,
    ];
    let seen = cases.map(|said| async move {
        let (answer, _) = staying_open(&[&said], QUICK).await;
        (said, answer)
    });
    for (said, answer) in join_all(seen).await {
        assert_eq!(answer.end, End::Cut, "{said}");
        assert_eq!(String::from_utf8_lossy(&answer.body), said);
    }
}

#[tokio::test]
async fn an_encoded_answer_ends_with_its_encoding_or_a_while_after_its_message() {
    for encoding in Encoding::ALL {
        let whole = vec![Step::raw(message() + STOP), Step::Stall];
        let encoded = Act::sse(whole).compressed(encoding);
        let unsaid = vec![Step::raw(message()), Step::Stall];
        let unended = Act::sse(unsaid).compressed(encoding);

        let seen = join_all([encoded, unended].map(async |act| {
            let a = Endpoint::start(act).await;
            let zephyr = Zephyr::over(&[&a], QUICK).await;
            let accepted = [("accept-encoding", "gzip, deflate, br, zstd")];
            let body = streaming().to_string();
            zephyr
                .request("POST /v1/messages", &accepted, &body)
                .await
                .end
        }));

        assert_eq!(seen.await, [End::Clean, End::Cut], "{encoding:?}");
    }
}

#[tokio::test]
async fn a_connection_whose_end_comes_late_is_used_again() {
    let gate = Gate::new();
    let late = vec![Step::raw(message() + STOP), Step::Gate(gate.clone())];
    let a = Endpoint::start(Act::sse(late)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    assert_eq!(zephyr.stream().await.unwrap().end, End::Clean);
    gate.open();

    let again = async {
        while zephyr.stream().await.is_ok() {
            if a.requests().last().unwrap().connection == 0 {
                return;
            }
        }
    };
    patiently(again).await;
    assert_eq!(a.requests().last().unwrap().connection, 0);
}

#[tokio::test]
async fn an_error_before_the_content_moves_on_however_long_after_the_start() {
    let mut steps = TextStream::new("").until(Phase::AfterPing);
    steps.push(Step::Wait(Duration::from_millis(3_100)));
    steps.push(Step::error_event("overloaded_error"));
    let a = Endpoint::start(Act::sse(steps)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!((answer.text().as_str(), answer.end), ("from B", End::Clean));
    assert_eq!(zephyr.state_of("A").await, EndpointState::Throttled);
}

#[tokio::test]
async fn what_falls_silent_between_its_start_and_its_content_moves_on() {
    let a = Endpoint::start(Act::stall_at(Phase::AfterPing)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], QUICK).await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "from B");
}

#[tokio::test]
async fn whether_a_stream_is_asked_for_is_read_before_an_answer_is_judged() {
    let stream = || Act::sse(TextStream::new("as a stream").steps());
    let json = || {
        Act::json(
            &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [], "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1}}),
        )
    };
    let session = (
        "x-claude-code-session-id",
        "2078cf52-b6ea-4ed0-83f7-b5f4233e4749",
    );
    for headers in [vec![], vec![session]] {
        for (asked, act, by) in [
            (plain(), stream(), "B"),
            (streaming(), json(), "B"),
            (plain(), json(), "A"),
            (streaming(), stream(), "A"),
        ] {
            for body in [
                asked.to_string(),
                stream_first(&asked),
                stream_amidst(&asked),
            ] {
                let a = Endpoint::start(act.clone()).await;
                let b = Endpoint::start(Act::message("from B")).await;
                let zephyr = Zephyr::over(&[&a, &b], "").await;
                let mut headers = headers.clone();
                headers.push(("x-api-key", CLIENT_TOKEN));

                let answer = zephyr.request("POST /v1/messages", &headers, &body).await;

                let used = answer.header("x-used-endpoint");
                assert_eq!(used, Some(by), "{headers:?} {body:.99}");
            }
        }
    }
}

/// The same body with `stream` at its beginning.
fn stream_first(body: &Value) -> String {
    let (stream, rest) = taken_out(body);
    format!("{{\"stream\":{stream},{}", &rest[1..])
}

/// The same body with `stream` before long messages, behind the model.
fn stream_amidst(body: &Value) -> String {
    let (stream, _) = taken_out(body);
    let filler = "x".repeat(100_000);
    format!(
        r#"{{"model":"claude-opus-5-5","system":"{filler}","stream" : {stream},"max_tokens":64,"messages":[{{"role":"user","content":"{filler}"}}]}}"#
    )
}

fn taken_out(body: &Value) -> (Value, String) {
    let mut rest = body.clone();
    let stream = rest.as_object_mut().unwrap().remove("stream").unwrap();
    (stream, rest.to_string())
}

#[tokio::test]
async fn an_answer_beyond_a_limit_is_told_as_what_it_is() {
    let many = |text: &str| text.repeat(1_100_000 / text.len());
    let page = || Step::raw("<html>");
    let cases = [
        (
            streaming(),
            Act::sse(vec![Step::raw(many(PING)), page()]),
            "expected message_start within 1 MB, seen other events only",
        ),
        (
            streaming(),
            Act::sse(vec![Step::raw(many(": waiting\n\n")), page()]),
            "expected message_start within 1 MB, seen other events only",
        ),
        (
            plain(),
            Act::json(&Value::Null).body(many(" ")),
            "expected a JSON object within 1 MB, seen white space only",
        ),
        (
            plain(),
            Act::json(&Value::Null).body(many("\r\n") + "{}"),
            "expected a JSON object within 1 MB, seen white space only",
        ),
        (
            streaming(),
            Act::sse(vec![Step::raw(format!("data: {}", many("x")))]),
            "expected message_start within 1 MB, seen other events only",
        ),
    ];
    for (body, act, words) in cases {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        assert_eq!(
            zephyr.post(&body).await.unwrap().header("x-used-endpoint"),
            Some("B")
        );

        let why = Reason::NotMessagesFormat {
            detail: words.into(),
        };
        let from = "A".to_owned();
        let told = zephyr.events().await;
        assert!(
            told.contains(&EventKind::FailedOver { from, why }),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_just_within_a_limit_is_one() {
    let nearly = |text: &str| text.repeat(900_000 / text.len());
    let whole = message() + STOP;
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}});
    for (body, act) in [
        (
            streaming(),
            Act::sse(vec![Step::raw(nearly(PING) + &whole)]),
        ),
        (
            streaming(),
            Act::sse(vec![Step::raw(nearly(": waiting\n\n") + &whole)]),
        ),
        (
            streaming(),
            Act::sse(vec![Step::raw(nearly("\r") + &whole)]),
        ),
        (
            plain(),
            Act::json(&Value::Null).body(nearly(" ") + &message.to_string()),
        ),
        (
            plain(),
            Act::json(&Value::Null).body(nearly("\r\n") + &message.to_string()),
        ),
    ] {
        let a = Endpoint::start(act).await;
        let zephyr = Zephyr::over(&[&a], "").await;

        let answer = zephyr.post(&body).await.unwrap();

        assert_eq!((answer.status, answer.end), (200, End::Clean), "{body}");
        assert_eq!(failures(&zephyr).await, 0, "{body}");
    }
}

#[tokio::test]
async fn an_http_1_0_client_sees_a_close_where_the_message_ended() {
    let a = Endpoint::start(Act::sse(vec![Step::raw(message() + STOP), Step::Stall])).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = streaming().to_string();
    let mut client = TcpStream::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    let length = body.len();
    let head = format!("POST /v1/messages HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}");
    client.write_all(head.as_bytes()).await.unwrap();

    let mut answer = Vec::new();
    patiently(client.read_to_end(&mut answer)).await.unwrap();

    assert!(String::from_utf8_lossy(&answer).ends_with(STOP));
}
