//! The reader that stands in for the clients is never stricter than they are.

use crate::sdk;
use zephyr_core::classify::Fault;
use zephyr_core::messages::Format;
use zephyr_core::proof::{Stage, StreamJudge};
use zephyr_corpus::{Corpus, Random};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
const ROUNDS: usize = 1_500;
const MANY_ROUNDS: usize = 30_000;

/// A message in its parts: name and data.
const PARTS: [(&str, &str); 9] = [
    (
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#,
    ),
    (
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    ),
    (
        "content_block_delta",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}"#,
    ),
    (
        "content_block_stop",
        r#"{"type":"content_block_stop","index":0}"#,
    ),
    (
        "content_block_start",
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    ),
    (
        "content_block_delta",
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello"}}"#,
    ),
    (
        "content_block_stop",
        r#"{"type":"content_block_stop","index":1}"#,
    ),
    (
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}"#,
    ),
    ("message_stop", r#"{"type":"message_stop"}"#),
];

/// What stands between the parts, and no client reads. `\n` stands for any line end.
const NOISE: [&str; 22] = [
    "",
    "\n",
    "data: hello\n\n",
    "data:\n\n",
    "data\n\n",
    "data: {\"type\":\"ping\"}\n\n",
    "data: {\"type\": \"ping\", \"at\": 1e400}\n\n",
    "data: [1,2]\n\n",
    "data: \"text\"\n\n",
    "data: 7\n\n",
    "data: {\"node\":\"a\\ud83d\"}\n\n",
    "data: {\"ty\n\n",
    ": a comment\n\n",
    ":\n",
    "id: 7\n\n",
    "retry: soon\nid: \0\n\n",
    "x.trace/9: 1\nhello\n数据: 1\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: ping\n\n",
    "event: ping\ndata: hello\n\n",
    "event: something_new\ndata: {\"type\":\"something_new\"}\n\n",
    "event: something_new\n\n",
];

/// Fields that nobody asked for.
const FIELDS: [&str; 9] = [
    r#""type":"nonsense""#,
    r#""x":"\ud83d""#,
    r#""\udc00":"\u0000""#,
    r#""x":1e400"#,
    r#""x":-0.0e-999"#,
    r#""index":1.0"#,
    r#""usage":"none""#,
    r#""message":7"#,
    r#""x":[[[[[[{"type":"message_stop"}]]]]]]"#,
];

/// Writes the message as somebody might.
fn written(random: &mut Random) -> Vec<u8> {
    let ends: &[&str] = match random.below(4) {
        0 => &["\n"],
        1 => &["\r\n"],
        2 => &["\r"],
        _ => &["\n", "\r\n", "\r"],
    };
    let mut text = String::new();
    let line = |text: &mut String, line: &str, random: &mut Random| {
        if random.below(20) == 0 {
            text.push('\u{feff}');
        }
        text.push_str(line);
        let mut end = *random.of(ends);
        if line.is_empty() && text.ends_with('\r') && end.starts_with('\n') {
            end = "\r"; // Or the two would be one line end.
        }
        text.push_str(end);
    };
    for (name, data) in PARTS {
        for _ in 0..random.below(3) {
            let noise = *random.of(&NOISE);
            for part in noise.split_terminator('\n') {
                line(&mut text, part, random);
            }
        }
        let mut data = data.to_owned();
        if random.below(3) == 0 {
            // Before the others: of a field that is there twice the last counts.
            data.insert_str(1, &format!("{},", random.of(&FIELDS)));
        }
        if random.below(3) == 0 {
            data = data.replace("\":", "\" : ").replace(",\"", " , \"");
        }
        if random.below(6) == 0 {
            data = data.replace("type", "\\u0074ype");
        }
        if random.below(6) == 0 {
            data += "   ";
        }
        let mut datas: Vec<String> = vec![data];
        if random.below(6) == 0 {
            datas = datas[0].split_inclusive('{').map(str::to_owned).collect();
        }
        let colon = *random.of(&[": ", ":"]);
        let mut fields: Vec<String> = datas
            .iter()
            .map(|data| format!("data{colon}{data}"))
            .collect();
        let name = match random.below(12) {
            0 => "message".to_owned(),
            1 => format!("{name} "),
            _ => name.to_owned(),
        };
        fields.insert(
            random.below(fields.len() + 1),
            format!("event{colon}{name}"),
        );
        if random.below(6) == 0 {
            let other = *random.of(&["id: 1", ": c", "retry", "x-y: z", "event-id: 3"]);
            fields.insert(random.below(fields.len() + 1), other.to_owned());
        }
        for field in &fields {
            line(&mut text, field, random);
        }
        line(&mut text, "", random);
    }
    if random.below(2) == 0 {
        let behind = [
            "data: [DONE]\n\n",
            "event: error\ndata: {}\n\n",
            "<html>",
            "event: x",
        ];
        text.push_str(random.of::<&str>(&behind));
    }
    text.into_bytes()
}

#[test]
fn however_a_message_is_written_what_clients_read_passes() {
    write_messages(ROUNDS);
}

#[test]
fn whatever_is_done_to_a_stream_what_clients_still_read_the_same_passes() {
    edit_streams(ROUNDS);
}

#[test]
#[ignore = "long"]
fn long_what_clients_read_passes() {
    write_messages(MANY_ROUNDS);
    edit_streams(MANY_ROUNDS);
}

fn write_messages(rounds: usize) {
    let plain: String = PARTS
        .iter()
        .map(|(name, data)| format!("event: {name}\ndata: {data}\n\n"))
        .collect();
    assert!(sdk::read(plain.as_bytes()).is_some());
    let mut random = Random::of_seed(7);

    for _ in 0..rounds {
        let stream = written(&mut random);

        let shown = String::from_utf8_lossy(&stream);
        for format in [Format::Messages, Format::Any] {
            assert_eq!(judged(format, &[&stream]), Ok(()), "{shown:?}");
            let pieces = random.pieces(&stream);
            assert_eq!(judged(format, &pieces), Ok(()), "{shown:?}");
        }
    }
}

fn edit_streams(rounds: usize) {
    let words = [
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\r",
        "\u{feff}",
        " ",
        ":",
        ": c\n",
        "data: x\n\n",
        "id: 1\n",
        "event: ping\n",
        "event: message\n",
        "\"x\":1,",
        "\"type\":\"x\",",
        "\\ud83d",
        "1e400",
        "{}",
    ];
    let whole = Corpus::read(CORPUS, &["streams"], &words);
    let mut same = 0;
    let originals: Vec<_> = whole
        .examples()
        .iter()
        .map(|stream| sdk::read(stream))
        .collect();
    for (original, stream) in originals.iter().zip(whole.examples()) {
        assert!(original.is_some(), "{}", String::from_utf8_lossy(stream));
    }
    let mut check = |stream: &[u8], random: &mut Random| {
        let Some(message) = sdk::read(stream) else {
            return;
        };
        if originals.contains(&Some(message)) {
            same += 1;
            let shown = String::from_utf8_lossy(stream);
            assert_eq!(judged(Format::Messages, &[stream]), Ok(()), "{shown:?}");
            assert_eq!(judged(Format::Messages, &random.pieces(stream)), Ok(()));
        }
    };

    whole.each(rounds, &mut check);
    let mut random = Random::of_seed(11);
    for _ in 0..rounds {
        let mut stream = random.of(whole.examples()).clone();
        for _ in 0..=random.below(3) {
            let at = random.below(stream.len() + 1);
            let line = stream[..at].iter().rposition(|&byte| byte == b'\n');
            let at = if random.below(3) > 0 {
                line.map_or(0, |end| end + 1)
            } else {
                at
            };
            stream.splice(at..at, random.of(&words).bytes());
        }
        check(&stream, &mut random);
    }

    assert!(same > rounds / 8, "only {same} inputs were still whole");
}

fn judged(format: Format, pieces: &[&[u8]]) -> Result<(), Fault> {
    let mut judge = StreamJudge::new(format);
    for piece in pieces {
        if judge.push(piece)? == Stage::Complete {
            return Ok(());
        }
    }
    judge.finish()
}
