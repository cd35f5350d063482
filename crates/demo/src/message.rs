//! A message of the Messages API, whole and as events.

use bytes::Bytes;
use serde_json::{Value, json};

/// A message that a simulated endpoint has written.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) usage: Usage,
}

/// The tokens that it claims to have used.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) output: u64,
}

impl Message {
    /// The whole message.
    pub(crate) fn json(&self) -> Bytes {
        let mut message = self.shell(self.usage.output);
        message["content"] = json!([{"type": "text", "text": self.text}]);
        message["stop_reason"] = "end_turn".into();
        message.to_string().into()
    }

    /// The events before the text.
    pub(crate) fn opening(&self) -> [Bytes; 3] {
        let block = json!({"type": "text", "text": ""});
        [
            event("message_start", json!({"message": self.shell(1)})),
            event("ping", json!({})),
            event(
                "content_block_start",
                json!({"index": 0, "content_block": block}),
            ),
        ]
    }

    /// The text, with an event for each word. A text of fewer than three words has an event for each
    /// character.
    pub(crate) fn text(&self) -> Vec<Bytes> {
        let words: Vec<&str> = self.text.split_inclusive(' ').collect();
        let pieces = if words.len() >= 3 {
            words
        } else {
            self.text.split_inclusive(|_| true).collect()
        };
        let delta = |piece: &str| {
            let delta = json!({"type": "text_delta", "text": piece});
            event("content_block_delta", json!({"index": 0, "delta": delta}))
        };
        pieces.into_iter().map(delta).collect()
    }

    /// The events after the text.
    pub(crate) fn closing(&self) -> [Bytes; 3] {
        let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
        let usage = self.usage.json(self.usage.output);
        [
            event("content_block_stop", json!({"index": 0})),
            event("message_delta", json!({"delta": delta, "usage": usage})),
            event("message_stop", json!({})),
        ]
    }

    /// The message without its text, after this many tokens of output.
    fn shell(&self, output: u64) -> Value {
        json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": self.usage.json(output),
        })
    }
}

impl Usage {
    fn json(self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": output,
            "service_tier": "standard",
        })
    }
}

/// A server-sent event. Its data repeats its name as `type`, as all of the API's events do.
fn event(name: &str, mut data: Value) -> Bytes {
    data["type"] = name.into();
    format!("event: {name}\ndata: {data}\n\n").into()
}
