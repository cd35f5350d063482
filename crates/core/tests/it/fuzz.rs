//! What must hold for whatever an endpoint or a client sends.

use std::time::Duration;

use http::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::Value;
use zephyr_core::classify::{Attempt, Fault, Refusal};
use zephyr_core::messages::Format;
use zephyr_core::profile::{CallKind, Profile};
use zephyr_core::proof::{Stage, StreamJudge, judge_json, judge_json_head};
use zephyr_core::sse::{MAX_READ, Reader};
use zephyr_corpus::{Corpus, Random, SECRET};

const ROUNDS: usize = 3_000;
const LONG: Duration = Duration::from_secs(60);
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

#[test]
fn events_are_the_same_however_they_are_cut() {
    streams().each(ROUNDS, reader);
}

#[test]
fn a_verdict_on_a_stream_is_the_same_however_it_is_cut() {
    streams().each(ROUNDS, stream);
}

#[test]
fn a_verdict_on_json_holds_for_every_beginning_of_it() {
    answers().each(ROUNDS, json);
}

#[test]
fn a_profile_is_what_a_json_parser_reads() {
    requests().each(ROUNDS, profile);
}

#[test]
#[ignore = "long"]
fn long_fuzz_of_what_endpoints_and_clients_send() {
    let inputs = [
        streams().for_long(LONG, reader),
        streams().for_long(LONG, stream),
        answers().for_long(LONG, json),
        requests().for_long(LONG, profile),
    ];
    println!("measured: inputs to reader, stream, JSON, profile: {inputs:?}");
}

fn reader(input: &[u8], random: &mut Random) {
    assert_eq!(events(&random.pieces(input)), events(&[input]));
}

fn stream(input: &[u8], random: &mut Random) {
    let strict = verdict(Format::Messages, &[input]);
    let lenient = verdict(Format::Any, &[input]);

    assert_eq!(verdict(Format::Messages, &random.pieces(input)), strict);
    assert_eq!(verdict(Format::Any, &random.pieces(input)), lenient);
    if strict.is_ok() {
        assert!(
            lenient.is_ok(),
            "what passes the strict format passes any: {lenient:?}"
        );
    }
    for verdict in [strict, lenient] {
        tells_no_secret(verdict.err().as_ref());
    }
}

fn json(input: &[u8], random: &mut Random) {
    let part = &input[..random.below(input.len() + 1)];
    for kind in [CallKind::Messages, CallKind::CountTokens] {
        let strict = judge_json(Format::Messages, kind, input);
        let lenient = judge_json(Format::Any, kind, input);
        let head = judge_json_head(Format::Messages, kind, part);
        if strict.is_ok() {
            assert_eq!(lenient, Ok(()));
            let begun = !part.trim_ascii().is_empty();
            assert!(head.is_ok() || !begun, "{head:?}");
            let text = String::from_utf8_lossy(input);
            let parsed = serde_json::from_str::<IgnoredAny>(&text);
            assert!(parsed.is_ok(), "{parsed:?}");
        }
        for verdict in [strict, lenient, head] {
            tells_no_secret(verdict.err().as_ref());
        }
    }
    let asked = Attempt {
        kind: CallKind::Messages,
        model: Some("claude-opus-5-5"),
        own_credential: random.below(2) == 0,
        endpoint: "A",
        rules: &[],
    };
    let status = [400, 401, 403, 404, 413, 429, 500, 503, 522, 529][random.below(10)];
    let verdict = asked.judge(Refusal {
        status,
        headers: &HeaderMap::new(),
        retry_after: None,
        body: input,
        since_epoch: Duration::ZERO,
    });
    tells_no_secret(verdict.outcome.fault());
    let fault = Fault::ErrorEvent("invalid_request_error".to_owned());
    tells_no_secret(asked.judge_fault(fault, input).outcome.fault());
}

fn profile(input: &[u8], random: &mut Random) {
    let part = &input[..random.below(input.len() + 1)];
    let _ = Profile::read(part, false);
    let profile = Profile::read(input, true);

    if let Ok(value) = serde_json::from_slice::<Value>(input)
        && value.is_object()
        && !is_deep(input)
    {
        assert_eq!(profile.model.as_deref(), value["model"].as_str());
        assert!(profile.stream.is_some() || value["stream"].as_bool().is_none());
    }
    assert!(!format!("{:?}", profile.session).contains(SECRET));
}

fn events(pieces: &[&[u8]]) -> Vec<(String, Option<Vec<u8>>, bool)> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    for piece in pieces {
        let read = reader.push(piece, |event| {
            let data = event.data().map(std::borrow::Cow::into_owned);
            events.push((event.name.to_owned(), data, event.has_foreign_lines()));
        });
        assert_eq!(read, Ok(()), "no input is that long");
        assert!(reader.rest().len() <= MAX_READ);
    }
    events
}

fn verdict(format: Format, pieces: &[&[u8]]) -> Result<Stage, Fault> {
    let mut judge = StreamJudge::new(format);
    let mut stage = Stage::Silent;
    for piece in pieces {
        let next = judge.push(piece)?;
        assert!(next >= stage, "a stream never goes back");
        stage = next;
    }
    judge.finish()?;
    Ok(stage)
}

fn tells_no_secret(fault: Option<&Fault>) {
    assert!(!format!("{fault:?}").contains(SECRET), "{fault:?}");
}

/// Deeper than `serde_json` builds values.
fn is_deep(input: &[u8]) -> bool {
    input
        .iter()
        .filter(|byte| matches!(byte, b'[' | b'{'))
        .count()
        > 100
}

fn streams() -> Corpus {
    let words = [
        "\n\n",
        "\r\n\r\n",
        "event: ",
        "data: ",
        ": ",
        "\u{feff}",
        "event: error\n",
        "event: message_start\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        "content_block_start",
        "content_block_delta",
        "\"index\":0",
        "\"index\":1",
        "\"type\":",
        "text_delta",
        "input_json_delta",
        "<html>",
        "[DONE]",
        "\"error\":{\"type\":\"sk-ant-planted-0123456789\"}",
        "null",
        "\\u0000",
        "\\ud800",
    ];
    Corpus::read(CORPUS, &["streams", "wrong-streams"], &words)
}

fn answers() -> Corpus {
    let words = [
        "\"error\":",
        "\"error\":{\"type\":\"",
        "\"type\":\"message\"",
        "\"content\":[",
        "\"usage\":{",
        "null",
        "{\"type\":",
        "\"input_tokens\":7",
        "<!doctype html>",
        "[[[[",
        "{\"a\":",
        "\\u",
        "\"stop_reason\":",
        "You have reached your specified API usage limits",
        "额度不足",
    ];
    Corpus::read(CORPUS, &["answers"], &words)
}

fn requests() -> Corpus {
    let words = [
        "\"model\":",
        "\"stream\":true",
        "\"stream\":",
        "\"metadata\":{\"user_id\":\"",
        "_session_",
        "\\\"session_id\\\":\\\"",
        "user_",
        "null",
        "[[[[",
        "{\"a\":",
    ];
    Corpus::read(CORPUS, &["requests"], &words)
}
