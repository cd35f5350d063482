//! What an answer says about itself: the model that served it, its tokens, why it stopped.
//!
//! A stream says it twice: `message_start` has the tokens of the prompt, and each `message_delta` has the
//! sums so far, always of the output, and of anything else that has grown. The last value counts, field by
//! field. Only these events are read. The length of the text in the others is added up, so that there is an
//! estimate until the number comes. A stream that breaks off keeps what it has said. An answer in one piece
//! says everything at once.
//!
//! Not for the cost of tokens, which [`crate::price`] knows.

use crate::messages::known::Known;
use crate::messages::message::{Message, UsageObject};
use crate::messages::value::{Value, fields};
use crate::price::{Terms, Usage};
use crate::sse::Event;

/// Longer names are cut, because they come from an endpoint and are shown.
const LONGEST_NAME: usize = 128;
/// The bytes of a `content_block_delta` besides its text, about.
const ENVELOPE: usize = 110;
/// The kind of a delta is searched in so many bytes of an event.
const HEAD: usize = 160;
/// Bytes of text per token, about.
const BYTES_PER_TOKEN: u64 = 4;

/// What an answer has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    model: Option<String>,
    stop_reason: Option<String>,
    counts: Counts,
    /// Whether a number for the output has come after `message_start`.
    is_output_told: bool,
    /// Bytes of text.
    text: u64,
}

/// Everything that costs something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumption {
    /// The tokens by their rates.
    pub tokens: Usage,
    /// How much of the output was thinking.
    pub thinking: u64,
    /// What else affects the price.
    pub terms: Terms,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// `None`: no usage has come.
    input: Option<u64>,
    written: u64,
    written_1h: u64,
    read: u64,
    output: u64,
    thinking: u64,
    terms: Terms,
}

impl Tally {
    /// What an answer in one piece says.
    pub(crate) fn of_message(message: &Message<'_>) -> Self {
        let mut tally = Self::default();
        tally.take_message(message);
        tally.is_output_told = tally.counts.input.is_some();
        tally
    }

    /// Reads the next event of a stream.
    pub(crate) fn take_in(&mut self, event: &Event<'_>) {
        match Known::named(event.name).or_else(|| Known::of(event)) {
            Some(Known::BlockDelta) => self.text += text_in(event.raw()),
            Some(Known::MessageStart | Known::MessageDelta) => {
                let Some(data) = event.data() else {
                    return;
                };
                if let Ok(Value::Object(part)) = Value::<Part<'_>>::of(&data) {
                    self.take_part(&part);
                }
            }
            Some(Known::BlockStart | Known::BlockStop | Known::MessageStop) | None => {}
        }
    }

    /// The model that answers.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Why it stopped.
    pub fn stop_reason(&self) -> Option<&str> {
        self.stop_reason.as_deref()
    }

    /// What the answer used so far. `None`: it has not said anything.
    pub fn consumption(&self) -> Option<Consumption> {
        let counts = &self.counts;
        let written_1h = counts.written_1h.min(counts.written);
        Some(Consumption {
            tokens: Usage {
                input: counts.input?,
                output: counts.output,
                cache_write_5m: counts.written - written_1h,
                cache_write_1h: written_1h,
                cache_read: counts.read,
            },
            thinking: counts.thinking.min(counts.output),
            terms: counts.terms,
        })
    }

    /// Output tokens so far. Until the number comes, it is estimated from the length of the text.
    pub fn output(&self) -> u64 {
        if self.is_output_told {
            self.counts.output
        } else {
            self.text.div_ceil(BYTES_PER_TOKEN)
        }
    }

    fn take_part(&mut self, part: &Part<'_>) {
        if let Some(message) = part.message.object() {
            self.take_message(message);
        }
        if let Some(delta) = part.delta.object() {
            name(&mut self.stop_reason, &delta.stop_reason);
        }
        if let Some(usage) = part.usage.object() {
            self.is_output_told |= usage.output_tokens.number().is_some();
            self.counts.take(usage);
        }
    }

    fn take_message(&mut self, message: &Message<'_>) {
        name(&mut self.model, &message.model);
        name(&mut self.stop_reason, &message.stop_reason);
        if let Some(usage) = message.usage.object() {
            self.counts.take(usage);
        }
    }
}

impl Counts {
    fn take(&mut self, usage: &UsageObject<'_>) {
        if let Some(input) = usage.input_tokens.number() {
            self.input = Some(input.min(MOST));
        }
        number(&mut self.written, &usage.cache_creation_input_tokens);
        number(&mut self.read, &usage.cache_read_input_tokens);
        number(&mut self.output, &usage.output_tokens);
        if let Some(written) = usage.cache_creation.object() {
            number(&mut self.written_1h, &written.ephemeral_1h_input_tokens);
        }
        if let Some(details) = usage.output_tokens_details.object() {
            number(&mut self.thinking, &details.thinking_tokens);
        }
        if let Some(tools) = usage.server_tool_use.object() {
            number(&mut self.terms.web_searches, &tools.web_search_requests);
        }
        word(&mut self.terms.batch, &usage.service_tier, "batch");
        word(&mut self.terms.us_only, &usage.inference_geo, "us");
        word(&mut self.terms.fast, &usage.speed, "fast");
    }
}

/// The data of `message_start` and of `message_delta`.
#[derive(Default)]
struct Part<'a> {
    message: Value<'a, Message<'a>>,
    delta: Value<'a, Delta<'a>>,
    usage: Value<'a, UsageObject<'a>>,
}

fields!(Part {
    b"message" => message,
    b"delta" => delta,
    b"usage" => usage,
});

#[derive(Default)]
struct Delta<'a> {
    stop_reason: Value<'a>,
}

fields!(Delta {
    b"stop_reason" => stop_reason,
});

/// No answer uses more of anything. A wrong number must not spoil every sum.
const MOST: u64 = 1_000_000_000;

/// Keeps the field if the answer does not name it.
fn number(field: &mut u64, told: &Value<'_>) {
    if let Some(number) = told.number() {
        *field = number.min(MOST);
    }
}

fn word(field: &mut bool, told: &Value<'_>, word: &str) {
    if let Some(text) = told.text() {
        *field = text == word;
    }
}

fn name(field: &mut Option<String>, told: &Value<'_>) {
    if let Some(text) = told.text() {
        let end = text.floor_char_boundary(LONGEST_NAME);
        *field = Some(text[..end].to_owned());
    }
}

/// The bytes of text in the event, about.
fn text_in(event: &[u8]) -> u64 {
    let head = &event[..event.len().min(HEAD)];
    if memchr::memmem::find(head, b"\"signature").is_some() {
        return 0; // It stands for thinking that was counted, and has no text.
    }
    let is_padding = |byte: &u8| matches!(byte, b'}' | b' ' | b'\n' | b'\r');
    let end = event.iter().rposition(|byte| !is_padding(byte));
    end.unwrap_or_default().saturating_sub(ENVELOPE) as u64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::sse::Reader;

    fn tally_of(message: &str) -> Tally {
        let Value::Object(message) = Value::<Message<'_>>::of(message.as_bytes()).unwrap() else {
            panic!("{message} is no object");
        };
        Tally::of_message(&message)
    }

    fn tally(events: &[(&str, Json)]) -> Tally {
        let mut tally = Tally::default();
        let mut reader = Reader::default();
        for (name, data) in events {
            let text = format!("event: {name}\ndata: {data}\n\n");
            reader
                .push(text.as_bytes(), |event| tally.take_in(&event))
                .unwrap();
        }
        tally
    }

    fn start(usage: &Json) -> (&'static str, Json) {
        let message = json!({ "model": "claude-opus-5-5", "stop_reason": null, "usage": usage });
        (
            "message_start",
            json!({ "type": "message_start", "message": message }),
        )
    }

    fn delta(reason: &Json, usage: &Json) -> (&'static str, Json) {
        let delta = json!({ "stop_reason": reason });
        (
            "message_delta",
            json!({ "type": "message_delta", "delta": delta, "usage": usage }),
        )
    }

    fn text(text: &str) -> (&'static str, Json) {
        let delta = json!({ "type": "text_delta", "text": text });
        let data = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
        ("content_block_delta", data)
    }

    #[test]
    fn the_last_delta_counts_over_the_beginning_field_by_field() {
        let tally = tally(&[
            start(&json!({
                "input_tokens": 2679, "output_tokens": 3, "cache_read_input_tokens": 40,
                "cache_creation_input_tokens": 30,
                "cache_creation": { "ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20 },
                "service_tier": "standard",
            })),
            delta(&Json::Null, &json!({ "output_tokens": 100 })),
            delta(
                &json!("end_turn"),
                &json!({
                    "input_tokens": 10682, "cache_read_input_tokens": 0, "output_tokens": 510,
                    "output_tokens_details": { "thinking_tokens": 200 },
                    "server_tool_use": { "web_search_requests": 1 },
                }),
            ),
        ]);

        let expected = Consumption {
            tokens: Usage {
                input: 10_682,
                output: 510,
                cache_write_5m: 10,
                cache_write_1h: 20,
                cache_read: 0,
            },
            thinking: 200,
            terms: Terms {
                web_searches: 1,
                ..Terms::default()
            },
        };
        assert_eq!(tally.consumption(), Some(expected));
        assert_eq!(tally.model(), Some("claude-opus-5-5"));
        assert_eq!(tally.stop_reason(), Some("end_turn"));
        assert_eq!(tally.output(), 510);
    }

    #[test]
    fn a_stream_that_breaks_off_keeps_what_was_told() {
        let tally = tally(&[
            start(&json!({ "input_tokens": 25, "output_tokens": 1 })),
            text("Hello"),
        ]);

        let tokens = tally.consumption().unwrap().tokens;

        assert_eq!((tokens.input, tokens.output), (25, 1));
        assert_eq!(tally.stop_reason(), None);
    }

    #[test]
    fn the_output_is_estimated_by_its_text_until_it_is_told() {
        let words = "word ".repeat(80);
        let begun = [
            start(&json!({ "input_tokens": 1, "output_tokens": 1 })),
            text(&words),
        ];
        let ended = [
            begun.to_vec(),
            vec![delta(&Json::Null, &json!({ "output_tokens": 7 }))],
        ];

        let (estimated, told) = (tally(&begun).output(), tally(&ended.concat()).output());

        assert!((90..=110).contains(&estimated), "{estimated}");
        assert_eq!(told, 7);
    }

    #[test]
    fn signatures_are_no_text() {
        let delta = json!({ "type": "signature_delta", "signature": "x".repeat(1000) });
        let data = json!({ "type": "content_block_delta", "index": 0, "delta": delta });

        assert_eq!(tally(&[("content_block_delta", data)]).output(), 0);
    }

    #[test]
    fn an_answer_in_one_piece_tells_all_of_it() {
        let body = json!({
            "id": "msg_1", "content": [{ "type": "text", "text": "usage" }], "model": "m",
            "stop_reason": "max_tokens",
            "usage": {
                "input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": null,
                "service_tier": "batch", "inference_geo": "us", "speed": "fast",
            },
        });

        let tally = tally_of(&body.to_string());

        let told = tally.consumption().unwrap();
        assert_eq!((told.tokens.input, told.tokens.output), (1, 2));
        assert!(told.terms.batch && told.terms.us_only && told.terms.fast);
        assert_eq!(
            (tally.model(), tally.stop_reason()),
            (Some("m"), Some("max_tokens"))
        );
        assert_eq!(tally.output(), 2);
    }

    #[test]
    fn what_is_no_usage_tells_nothing() {
        for body in ["{}", r#"{"usage":{"prompt_tokens":3}}"#, r#"{"usage":7}"#] {
            assert_eq!(tally_of(body).consumption(), None, "{body}");
        }
    }

    #[test]
    fn a_name_is_cut_off_where_it_is_too_long() {
        let body = json!({ "model": "é".repeat(1000) }).to_string();

        let tally = tally_of(&body);

        assert_eq!(tally.model().map(str::len), Some(LONGEST_NAME));
    }
}
