//! What passes as an answer and what does not, and in which words that is told.

use std::fs;
use std::path::Path;

use zephyr_core::classify::Fault;
use zephyr_core::messages::Format;
use zephyr_core::profile::CallKind;
use zephyr_core::proof::{Stage, StreamJudge, judge_json, judge_json_head};

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#;
const TEXT: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const TOOL: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}"#;
const DELTA: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
const END: &str = r#"{"type":"content_block_stop","index":0}"#;
const REASON: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

/// Streams that no endpoint should send, with what is said of them.
#[rustfmt::skip]
const WRONG: &[(&[&str], &str)] = &[
    (&[TEXT], "expected message_start first, seen content_block_start, in event 1 (content_block_start)"),
    (&[STOP], "expected message_start first, seen message_stop, in event 1 (message_stop)"),
    (&[START, START], "expected one message, seen a second message_start, in event 2 (message_start)"),
    (&[START, DELTA], "expected that of an open block at index, seen 0, in event 2 (content_block_delta)"),
    (&[START, END], "expected that of an open block at index, seen 0, in event 2 (content_block_stop)"),
    (&[START, TEXT, TEXT], "expected that of no open block at index, seen 0 again, in event 3 (content_block_start)"),
    (&[START, TEXT, END, DELTA], "expected that of an open block at index, seen 0, in event 4 (content_block_delta)"),
    (&[START, TEXT, END, END], "expected that of an open block at index, seen 0, in event 4 (content_block_stop)"),
    (&[START, TEXT, REASON, STOP], "expected content_block_stop of block 0, seen message_stop, in event 4 (message_stop)"),
    (&[START, TEXT, END, STOP], "expected message_delta, seen message_stop, in event 4 (message_stop)"),
    (&[START, TOOL, DELTA], "expected a delta of a tool's input at delta.type, seen text_delta, in event 3 (content_block_delta)"),
    (&[START, r#"content_block_start {"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}"#], "expected that of an open block at index, seen 0, in event 2 (content_block_delta)"),
    (&[START, r#"content_block_start {"type":"ping","index":0}"#], r#"expected "content_block_start" at type, seen "ping", in event 2 (content_block_start)"#),
    (&[START, r#"content_block_start {"index":0}"#], r#"expected "content_block_start" at type, seen nothing, in event 2 (content_block_start)"#),
    (&[START, r#"content_block_start {"type":"sk-ant-1","index":0}"#], r#"expected "content_block_start" at type, seen another word, in event 2 (content_block_start)"#),
    (&[START, r#"{"type":"content_block_start","content_block":{"type":"text"}}"#], "expected a whole number at index, seen nothing, in event 2 (content_block_start)"),
    (&[START, r#"{"type":"content_block_start","index":-1,"content_block":{"type":"text"}}"#], "expected a whole number at index, seen a number, in event 2 (content_block_start)"),
    (&[START, r#"{"type":"content_block_start","index":0}"#], "expected an object at content_block, seen nothing, in event 2 (content_block_start)"),
    (&[START, r#"{"type":"content_block_start","index":0,"content_block":{"text":""}}"#], "expected a string at content_block.type, seen nothing, in event 2 (content_block_start)"),
    (&[START, TEXT, r#"{"type":"content_block_delta","index":0}"#], "expected an object at delta, seen nothing, in event 3 (content_block_delta)"),
    (&[START, TEXT, r#"{"type":"content_block_delta","index":0,"delta":{"text":"Hi"}}"#], "expected a string at delta.type, seen nothing, in event 3 (content_block_delta)"),
    (&[START, TEXT, r#"content_block_delta {"type":"content_block_delta","index":0,"del"#], "expected JSON, seen an early end at line 1, column 44, in event 3 (content_block_delta)"),
    (&[START, TEXT, "content_block_delta oops"], "expected JSON, seen something that is no JSON at line 1, column 1, in event 3 (content_block_delta)"),
    (&[START, TEXT, "content_block_delta "], "expected JSON, seen no data, in event 3 (content_block_delta)"),
    (&[START, TEXT, "content_block_delta []"], "expected an object, seen a list, in event 3 (content_block_delta)"),
    (&[START, r#"{"type":"message_delta"}"#], "expected an object at delta, seen nothing, in event 2 (message_delta)"),
    (&[START, r#"{"type":"message_delta","delta":{"stop_reason":7}}"#], "expected a string or null at delta.stop_reason, seen a number, in event 2 (message_delta)"),
    (&[START, r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":"2"}}"#], "expected a number at usage.output_tokens, seen a string, in event 2 (message_delta)"),
    (&[START, TEXT, " {\"type\":\"content_block_delta\",\"index\":0}"], "expected the name of the event, seen none, in event 3"),
    (&[START, TEXT, " {\"type\":\"error\",\"error\":{}}"], "expected the name of the event, seen none, in event 3"),
    (&[START, TEXT, "<b>Gateway Time-out</b>"], "expected fields of an event, seen foreign lines, in event 3"),
    (&[r#"{"type":"message_start"}"#], "expected an object at message, seen nothing, in event 1 (message_start)"),
    (&[r#"{"type":"message_start","message":{}}"#], "expected a string at message.id, seen nothing, in event 1 (message_start)"),
    (&[START, " {\"type\":\"content_block_start\",\"index\":0}"], "expected events of the Messages API, seen a stream of another format"),
    (&[" {\"type\":\"message_start\",\"message\":{}}"], "expected events of the Messages API, seen a stream of another format"),
    (&[" {\"candidates\":[]}"], "expected events of the Messages API, seen a stream of another format"),
    (&[" {\"object\":\"chat.completion.chunk\"}"], "expected events of the Messages API, seen a stream of another format"),
];

/// One field of a message after the other, as it must not be.
#[rustfmt::skip]
const WRONG_MESSAGES: &[(&str, &str, &str)] = &[
    ("id", "", "expected a string at id, seen nothing"),
    ("id", "7", "expected a string at id, seen a number"),
    ("type", "", "expected a string at type, seen nothing"),
    ("type", r#""completion""#, r#"expected "message" at type, seen another word"#),
    ("role", "", "expected a string at role, seen nothing"),
    ("role", r#""user""#, r#"expected "assistant" at role, seen another word"#),
    ("model", "", "expected a string at model, seen nothing"),
    ("model", "null", "expected a string at model, seen null"),
    ("content", "", "expected a list at content, seen nothing"),
    ("content", r#""Hi""#, "expected a list at content, seen a string"),
    ("content", r#"["Hi"]"#, "expected an object at content[0], seen a string"),
    ("content", r#"[{"type":"text"},{"text":"Hi"}]"#, "expected a string at content[1].type, seen nothing"),
    ("stop_reason", "", "expected a string at stop_reason, seen nothing"),
    ("stop_reason", "null", "expected a string at stop_reason, seen null"),
    ("stop_reason", "{}", "expected a string or null at stop_reason, seen an object"),
    ("usage", "", "expected an object at usage, seen nothing"),
    ("usage", "[]", "expected an object at usage, seen a list"),
    ("usage", r#"{"output_tokens":1}"#, "expected a number at usage.input_tokens, seen nothing"),
    ("usage", r#"{"input_tokens":1}"#, "expected a number at usage.output_tokens, seen nothing"),
    ("usage", r#"{"input_tokens":"1","output_tokens":1}"#, "expected a number at usage.input_tokens, seen a string"),
    ("usage", r#"{"input_tokens":1,"output_tokens":1,"cache_read_input_tokens":true}"#, "expected a number at usage.cache_read_input_tokens, seen true or false"),
];

const FIELDS: [(&str, &str); 7] = [
    ("id", r#""msg_1""#),
    ("type", r#""message""#),
    ("role", r#""assistant""#),
    ("model", r#""m""#),
    ("content", r#"[{"type":"text","text":"Hi"}]"#),
    ("stop_reason", r#""end_turn""#),
    ("usage", r#"{"input_tokens":1,"output_tokens":1}"#),
];

#[test]
fn what_is_wrong_in_a_stream_is_told_with_what_was_expected_and_where() {
    for (events, words) in WRONG {
        let events: String = events.iter().map(|event| written(event)).collect();

        let fault = judged(Format::Messages, events.as_bytes());

        assert_eq!(
            fault,
            Err(Fault::NotMessages((*words).to_owned())),
            "{events}"
        );
    }
}

#[test]
fn what_is_wrong_in_a_message_is_told_with_what_was_expected_and_where() {
    for (name, value, words) in WRONG_MESSAGES {
        let whole = judge_json(
            Format::Messages,
            CallKind::Messages,
            message(name, value).as_bytes(),
        );
        assert_eq!(
            whole,
            Err(Fault::NotMessages((*words).to_owned())),
            "{name}: {value}"
        );

        let start = format!(
            r#"{{"type":"message_start","message":{}}}"#,
            message(name, value)
        );
        let started = judged(Format::Messages, written(&start).as_bytes());
        let may_be_null = *name == "stop_reason" && *value == "null";
        assert_eq!(
            started == Err(Fault::Cut),
            may_be_null,
            "{name}: {value}: {started:?}"
        );
    }
}

#[test]
fn other_bodies_are_told_apart() {
    let cases = [
        ("", Fault::Empty),
        (" \n", Fault::Empty),
        ("<!doctype html>", Fault::Html),
        ("[]", not("expected a JSON object, seen a list")),
        (r#""Hi""#, not("expected a JSON object, seen a string")),
        ("7", not("expected a JSON object, seen something else")),
        (
            "event: message_start\n",
            not("expected a JSON object, seen a stream of events"),
        ),
        (r#"{"error":"no"}"#, Fault::ErrorEvent("error".to_owned())),
        (
            "{}{}",
            not("expected JSON, seen something that is no JSON at line 1, column 3"),
        ),
    ];

    for (body, fault) in cases {
        for format in [Format::Messages, Format::Any] {
            let judged = judge_json(format, CallKind::Messages, body.as_bytes());
            let nothing_else = body == "{}{}" && format == Format::Messages;
            if !nothing_else {
                assert_eq!(judged, Err(fault.clone()), "{body}, {format:?}");
            }
        }
    }
}

#[test]
fn a_token_count_needs_its_number() {
    let judged = |format, body: &str| judge_json(format, CallKind::CountTokens, body.as_bytes());

    assert_eq!(judged(Format::Messages, r#"{"input_tokens":7}"#), Ok(()));
    assert_eq!(
        judged(Format::Messages, r#"{"tokens":7}"#),
        Err(not("expected a whole number at input_tokens, seen nothing"))
    );
    assert_eq!(judged(Format::Any, r#"{"tokens":7}"#), Ok(()));
}

#[test]
fn a_head_is_judged_by_what_is_there() {
    let head = |text: &str| judge_json_head(Format::Messages, CallKind::Messages, text.as_bytes());

    assert_eq!(
        head(r#"{"content":[{"type":"text","text":"it goes o"#),
        Ok(())
    );
    assert_eq!(
        head(r#"{"type":"completion","text":"it goes o"#),
        Err(not(r#"expected "message" at type, seen another word"#))
    );
    assert_eq!(
        head(r#"{"id":"x","error":{"type":"api_error"},"detail":"it goes o"#),
        Err(Fault::ErrorEvent("api_error".to_owned()))
    );
    assert!(matches!(head(r#"{"id":oops"#), Err(Fault::NotMessages(_))));
    assert_eq!(head("<html>"), Err(Fault::Html));
}

#[test]
fn real_streams_and_those_of_tomorrow_pass() {
    for (name, stream) in corpus("streams") {
        for format in [Format::Messages, Format::Any] {
            assert_eq!(judged(format, &stream), Ok(()), "{name}, {format:?}");
        }
    }
}

#[test]
fn real_answers_and_those_of_tomorrow_pass() {
    for (name, answer) in corpus("answers") {
        for format in [Format::Messages, Format::Any] {
            assert_eq!(
                judge_json(format, CallKind::Messages, &answer),
                Ok(()),
                "{name}"
            );
            for end in 1..answer.len() {
                let head = judge_json_head(format, CallKind::Messages, &answer[..end]);
                assert_eq!(head, Ok(()), "{name} up to {end}");
            }
        }
    }
}

#[test]
fn a_real_stream_that_breaks_off_anywhere_is_not_whole() {
    for (name, stream) in corpus("streams") {
        let end = position(&stream, b"event: message_stop");
        for cut in 0..end {
            assert!(
                judged(Format::Messages, &stream[..cut]).is_err(),
                "{name} up to {cut}"
            );
        }
    }
}

#[test]
fn streams_of_no_answer_are_refused_in_any_format() {
    for (name, stream) in corpus("wrong-streams") {
        assert!(judged(Format::Messages, &stream).is_err(), "{name}");
        let is_foreign = name == "openai.sse";
        assert_eq!(judged(Format::Any, &stream).is_ok(), is_foreign, "{name}");
    }
}

#[test]
fn any_format_asks_for_order_and_not_for_fields() {
    let bare = [
        r#"{"type":"message_start","message":{}}"#,
        "content_block_start {}",
        "content_block_delta {}",
        "message_stop {}",
    ];
    let written: String = bare.iter().map(|event| written(event)).collect();

    assert_eq!(judged(Format::Any, written.as_bytes()), Ok(()));
    for (events, refused) in [
        (&[START, TEXT][..], Fault::Cut),
        (
            &[START, DELTA],
            not(
                "expected that of an open block at index, seen 0, in event 2 (content_block_delta)",
            ),
        ),
        (
            &[" {\"error\":{\"type\":\"api_error\"}}"],
            Fault::ErrorEvent("api_error".to_owned()),
        ),
    ] {
        let written: String = events.iter().map(|event| self::written(event)).collect();
        assert_eq!(
            judged(Format::Any, written.as_bytes()),
            Err(refused),
            "{written}"
        );
    }
}

#[test]
fn a_stream_of_another_format_is_real_from_its_first_event() {
    let mut judge = StreamJudge::new(Format::Any);

    assert_eq!(
        judge.push(b": hello\n\nevent: ping\ndata: {}\n\n"),
        Ok(Stage::Silent)
    );
    assert_eq!(
        judge.push(b"data: {\"choices\":[]}\n\n"),
        Ok(Stage::Content)
    );
    assert_eq!(
        judge.push(b"event: message_stop\ndata: oops\n\n"),
        Ok(Stage::Content)
    );
    assert_eq!(judge.finish(), Ok(()));
}

#[test]
fn an_event_too_long_to_be_read_passes() {
    let long = r#"{"type":"content_block_start","index":0,"content_block":{"type":"web_fetch_tool_result","content":""#.to_owned()
        + &"x".repeat(1024 * 1024)
        + r#""}}"#;
    let events = [
        START,
        &long,
        END,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text"}}"#,
        REASON,
        STOP,
    ];
    let stream: String = events.iter().map(|event| written(event)).collect();

    assert_eq!(judged(Format::Messages, stream.as_bytes()), Ok(()));
}

#[test]
fn more_blocks_at_once_than_any_stream_has_are_refused() {
    let mut stream = written(START);
    for index in 0..1000 {
        stream += &written(&TEXT.replace(r#""index":0"#, &format!(r#""index":{index}"#)));
    }

    let fault = judged(Format::Messages, stream.as_bytes());

    assert_eq!(
        fault,
        Err(not(
            "expected at most 256 blocks at once, seen one more, in event 258 (content_block_start)"
        ))
    );
}

/// An event: `NAME DATA`, data whose `type` is its name, or a line as it is.
fn written(event: &str) -> String {
    if event.starts_with('<') {
        return format!("{event}\n\n");
    }
    match event.split_once(' ') {
        Some(("", data)) => format!("data: {data}\n\n"),
        Some((name, data)) if !event.starts_with('{') => format!("event: {name}\ndata: {data}\n\n"),
        _ => {
            let name = event.split('"').nth(3).unwrap();
            format!("event: {name}\ndata: {event}\n\n")
        }
    }
}

fn message(name: &str, value: &str) -> String {
    let fields = FIELDS.iter().filter_map(|(field, usual)| {
        let value = if *field == name { value } else { usual };
        (!value.is_empty()).then(|| format!(r#""{field}":{value}"#))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn judged(format: Format, stream: &[u8]) -> Result<(), Fault> {
    let mut judge = StreamJudge::new(format);
    judge.push(stream)?;
    judge.finish()
}

fn not(words: &str) -> Fault {
    Fault::NotMessages(words.to_owned())
}

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let mut files: Vec<_> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn position(haystack: &[u8], needle: &[u8]) -> usize {
    let found = haystack
        .windows(needle.len())
        .position(|window| window == needle);
    found.unwrap()
}
