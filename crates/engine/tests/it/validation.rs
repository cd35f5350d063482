//! `[validation]`, each switch alone, and answers that a client did not ask for in their encoding.
#![allow(clippy::unwrap_used, reason = "it is all tests")]

use crate::common::{Zephyr, plain, streaming};
use serde_json::{Value, json};
use zephyr_control::{EventKind, Reason};
use zephyr_testkit::{Act, Answer, Encoding, End, Endpoint, Gate, Phase, Step, TextStream};

const LENIENT: &str = "[validation]\nstrict_anthropic_format = false\n";
const UNREAD: &str = "[validation]\nvalidate_streaming = false\n";
const PATIENT: &str = "[validation]\ndisconnect_on_invalid = false\n";

/// A stream whose event number `number` is this one instead.
fn altered(number: usize, name: &str, data: Value) -> Act {
    let mut steps = TextStream::new("The wind turns.").steps();
    steps[number - 1] = Step::event(name, data);
    Act::sse(steps)
}

/// A stream with a delta for a block that was never begun.
fn out_of_order() -> Act {
    let delta = json!({"type": "text_delta", "text": "lost"});
    let data = json!({"type": "content_block_delta", "index": 7, "delta": delta});
    altered(5, "content_block_delta", data)
}

/// What a client gets from A, which does `act`, and what happened.
async fn alone(act: Act, body: &Value, extra: &str) -> (Answer, Zephyr) {
    let a = Endpoint::start(act).await;
    let zephyr = Zephyr::over(&[&a], extra).await;
    let answer = zephyr.post(body).await.unwrap();
    (answer, zephyr)
}

async fn failures(zephyr: &Zephyr) -> u64 {
    zephyr.snapshot().await.endpoint("A").unwrap().failures
}

#[tokio::test]
async fn an_incomplete_message_moves_on_and_is_told_in_words() {
    let mut message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}});
    message["usage"] = Value::Null;
    let start = json!({"type": "message_start", "message": message});
    let cases = [
        (
            plain(),
            Act::json(&message),
            "expected an object at usage, seen null",
        ),
        (
            streaming(),
            altered(1, "message_start", start),
            "expected an object at message.usage, seen null, in event 1 (message_start)",
        ),
    ];
    for (body, act, words) in cases {
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        let answer = zephyr.post(&body).await.unwrap();

        assert_eq!(answer.text(), "from B");
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
async fn what_breaks_the_order_midway_aborts_and_is_told_in_words() {
    let (answer, zephyr) = alone(out_of_order(), &streaming(), "").await;

    assert_eq!(answer.end, End::Cut);
    assert_eq!(failures(&zephyr).await, 1);
    let detail =
        "expected that of an open block at index, seen 7, in event 5 (content_block_delta)";
    let aborted = EventKind::Aborted {
        endpoint: "A".to_owned(),
        why: Reason::BrokenMidway {
            detail: detail.into(),
        },
    };
    assert!(zephyr.events().await.contains(&aborted));
}

#[tokio::test]
async fn a_page_in_the_midst_of_a_stream_aborts() {
    let mut steps = TextStream::new("The wind turns.").steps();
    steps.insert(
        4,
        Step::raw("<html><body>504 Gateway Time-out</body></html>\n\n"),
    );

    let (answer, _) = alone(Act::sse(steps), &streaming(), "").await;

    assert_eq!(answer.end, End::Cut);
}

#[tokio::test]
async fn a_stream_for_json_and_json_for_a_stream_move_on() {
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let stream = Act::sse(TextStream::new("as a stream").steps());
    for extra in ["", UNREAD] {
        for (body, act) in [
            (plain(), stream.clone()),
            (streaming(), Act::json(&message)),
        ] {
            let a = Endpoint::start(act).await;
            let b = Endpoint::start(Act::message("from B")).await;
            let zephyr = Zephyr::over(&[&a, &b], extra).await;

            let answer = zephyr.post(&body).await.unwrap();

            let expected = if extra == UNREAD && body == streaming() {
                "" // What nobody reads is as good as its content type: JSON, and a message.
            } else {
                "from B"
            };
            assert_eq!(answer.text(), expected, "{extra} {body}");
        }
    }
}

#[tokio::test]
async fn without_the_strict_format_any_json_and_any_stream_is_an_answer() {
    for body in [plain(), streaming()] {
        for act in [Act::openai_json(), Act::openai_stream()] {
            let (answer, zephyr) = alone(act, &body, LENIENT).await;

            assert_eq!((answer.status, answer.end), (200, End::Clean));
            assert_eq!(failures(&zephyr).await, 0);
        }
    }
}

#[tokio::test]
async fn without_the_strict_format_pages_errors_and_nothing_are_still_no_answer() {
    for body in [plain(), streaming()] {
        for act in [Act::html(200), Act::json_error_200(), Act::empty_200()] {
            let a = Endpoint::start(act).await;
            let b = Endpoint::start(Act::message("from B")).await;
            let zephyr = Zephyr::over(&[&a, &b], LENIENT).await;

            assert_eq!(zephyr.post(&body).await.unwrap().text(), "from B");
        }
    }
}

#[tokio::test]
async fn without_the_strict_format_the_order_of_a_messages_stream_still_counts() {
    let (answer, _) = alone(out_of_order(), &streaming(), LENIENT).await;

    assert_eq!(answer.end, End::Cut);
}

#[tokio::test]
async fn without_validation_of_streams_json_is_still_held_to_the_format() {
    let (answer, _) = alone(out_of_order(), &streaming(), UNREAD).await;
    assert_eq!(answer.end, End::Clean);

    let (answer, _) = alone(Act::openai_json(), &plain(), UNREAD).await;
    assert_eq!(answer.status, 502);
}

#[tokio::test]
async fn without_disconnecting_what_is_wrong_is_passed_on_and_counts_once() {
    for act in [out_of_order(), Act::end_at(Phase::AfterBlockStop)] {
        let direct = Endpoint::start(act.clone()).await;
        let whole = zephyr_testkit::post_messages(direct.addr(), streaming().to_string())
            .await
            .unwrap();

        let (answer, zephyr) = alone(act, &streaming(), PATIENT).await;

        assert_eq!((&answer.body, answer.end), (&whole.body, End::Clean));
        let snapshot = zephyr.snapshot().await;
        assert_eq!(snapshot.endpoint("A").unwrap().failures, 1);
        assert_eq!((snapshot.totals.aborted, snapshot.totals.abandoned), (0, 0));
        let told = zephyr.events().await.into_iter();
        let told = told.filter(|event| matches!(event, EventKind::PassedOn { .. }));
        assert_eq!(told.count(), 1);
    }
}

#[tokio::test]
async fn without_disconnecting_a_cut_connection_is_still_no_end() {
    let (answer, _) = alone(Act::cut_at(Phase::BetweenDeltas), &streaming(), PATIENT).await;

    assert_eq!(answer.end, End::Cut);
}

/// A request that accepts these encodings; `None` says nothing of them.
async fn accepting(zephyr: &Zephyr, accepted: Option<&str>, body: &Value) -> Answer {
    let header = accepted.map(|accepted| ("accept-encoding", accepted));
    let headers: Vec<_> = header.into_iter().collect();
    zephyr
        .request("POST /v1/messages", &headers, &body.to_string())
        .await
}

#[tokio::test]
async fn an_answer_in_an_encoding_that_was_not_accepted_is_decoded() {
    for encoding in Encoding::ALL {
        for (body, accepted) in [
            (plain(), None),
            (streaming(), None),
            (plain(), Some("identity")),
            (
                streaming(),
                Some("rot13, gzip;q=0, deflate;q=0, br;q=0, zstd;q=0"),
            ),
        ] {
            let act = Act::message("plain at last")
                .compressed(encoding)
                .header("vary", "accept-encoding");
            let a = Endpoint::start(act).await;
            let zephyr = Zephyr::over(&[&a], "").await;

            let answer = accepting(&zephyr, accepted, &body).await;

            let what = format!("{encoding:?} for {accepted:?}, {body}");
            assert_eq!((answer.status, answer.end), (200, End::Clean), "{what}");
            assert_eq!(answer.header("content-encoding"), None, "{what}");
            assert_eq!(answer.header("content-length"), None, "{what}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{what}");
            assert_eq!(answer.text(), "plain at last", "{what}");
            assert_eq!(failures(&zephyr).await, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn an_answer_in_an_accepted_encoding_passes_byte_for_byte() {
    for encoding in Encoding::ALL {
        let body = br#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
        let compressed = encoding.compress(body);
        let act = Act::json(&Value::Null)
            .body(compressed.clone())
            .header("content-encoding", encoding.name());
        let a = Endpoint::start(act).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        for accepted in ["gzip, deflate, br, zstd", "*", "identity;q=0"] {
            let answer = accepting(&zephyr, Some(accepted), &plain()).await;

            assert_eq!(answer.body, compressed, "{encoding:?} for {accepted}");
            assert_eq!(answer.header("content-encoding"), Some(encoding.name()));
        }
    }
}

#[tokio::test]
async fn an_error_in_an_encoding_that_was_not_accepted_is_decoded() {
    for encoding in Encoding::ALL {
        for (status, used) in [(400, "A"), (500, "A")] {
            let act = Act::status(status)
                .error_message("in plain words")
                .compressed(encoding);
            let a = Endpoint::start(act).await;
            let zephyr = Zephyr::over(&[&a], "").await;

            let answer = accepting(&zephyr, None, &plain()).await;

            assert_eq!(
                (answer.status, answer.header("x-used-endpoint")),
                (status, Some(used))
            );
            assert_eq!(answer.header("content-encoding"), None, "{encoding:?}");
            let error: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(error["error"]["message"], "in plain words", "{encoding:?}");
        }
    }
}

#[tokio::test]
async fn other_paths_are_decoded_too() {
    let a = Endpoint::start(Act::message("").compressed(Encoding::Br)).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.get("/v1/models").await;

    assert_eq!(answer.header("content-encoding"), None);
    assert_eq!(answer.json()["has_more"], false);
}

#[tokio::test]
async fn decoded_events_arrive_one_by_one() {
    for encoding in Encoding::ALL {
        let steps = TextStream::new("The wind turns.").steps();
        let gates: Vec<Gate> = steps.iter().map(|_| Gate::new()).collect();
        let gated = steps
            .iter()
            .zip(&gates)
            .flat_map(|(step, gate)| [Step::Gate(gate.clone()), step.clone()]);
        let a = Endpoint::start(Act::sse(gated.collect()).compressed(encoding)).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        let (held, rest) = gates.split_at(3); // Up to the first content, the answer is held.
        held.iter().for_each(Gate::open);
        assert_eq!(client.read_head().await.unwrap().0, 200);
        for _ in held {
            client.next_event().await.unwrap().unwrap();
        }

        for (gate, step) in rest.iter().zip(&steps[3..]) {
            gate.open();
            let (name, data) = client.next_event().await.unwrap().unwrap();

            let Step::Event(sent_name, sent) = step else {
                unreachable!("a text stream consists of events")
            };
            assert_eq!((&name, &data), (sent_name, sent), "{encoding:?}");
        }
        assert_eq!(client.next_event().await.unwrap(), Err(End::Clean));
    }
}

#[tokio::test]
async fn what_is_not_of_its_encoding_moves_on_before_the_answer_and_aborts_midway() {
    for encoding in Encoding::ALL {
        let garbage = Act::json(&json!({"not": "compressed at all"}))
            .header("content-encoding", encoding.name());
        let a = Endpoint::start(garbage).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;
        assert_eq!(
            accepting(&zephyr, None, &plain()).await.text(),
            "from B",
            "{encoding:?}"
        );

        // Long, so that it is passed on before its end; random, so that half of it is the text's half.
        let mut state = 1_u32;
        let text: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(state >> 24).unwrap() % 26)
        })
        .take(4_000_000)
        .collect();
        let body = format!(r#"{{"type":"message","content":[{{"type":"text","text":"{text}"}}]}}"#);
        let compressed = encoding.compress(body.as_bytes());
        let half = Act::json(&Value::Null)
            .body(compressed.slice(..compressed.len() - 16))
            .header("content-encoding", encoding.name());

        let (answer, _) = {
            let a = Endpoint::start(half).await;
            let zephyr = Zephyr::over(&[&a], PATIENT).await;
            (accepting(&zephyr, None, &plain()).await, zephyr)
        };

        assert_eq!((answer.status, answer.end), (200, End::Cut), "{encoding:?}");
    }
}

#[tokio::test]
async fn a_bomb_for_a_client_that_accepts_no_encoding_is_refused() {
    for encoding in [Encoding::Br, Encoding::Zstd] {
        let bomb = encoding.compress(&vec![b' '; 64 * 1024 * 1024]);
        let act = Act::json(&Value::Null)
            .body(bomb)
            .header("content-encoding", encoding.name());
        let a = Endpoint::start(act).await;
        let b = Endpoint::start(Act::message("from B")).await;
        let zephyr = Zephyr::over(&[&a, &b], "").await;

        assert_eq!(
            accepting(&zephyr, None, &plain()).await.text(),
            "from B",
            "{encoding:?}"
        );
    }
}
