//! The message object: a whole answer, or the content of a `message_start`. It says which fields are judged
//! and which are only read.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "JSON has no kinds to come: a value that is not of the one expected is of another"
)]

use super::value::{List, Skipped, Value, fields};
use super::wrong::Wrong;
use crate::json::{Broken, Json};

/// A message. Fields that are not judged are read for the journal and the counts.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub(super) id: Value<'a>,
    pub(super) kind: Value<'a>,
    pub(super) role: Value<'a>,
    pub(super) content: Value<'a, Skipped, Blocks>,
    pub(crate) model: Value<'a>,
    pub(crate) stop_reason: Value<'a>,
    pub(crate) usage: Value<'a, UsageObject<'a>>,
}

fields!(Message {
    b"id" => id,
    b"type" => kind,
    b"role" => role,
    b"content" => content,
    b"model" => model,
    b"stop_reason" => stop_reason,
    b"usage" => usage,
});

impl Message<'_> {
    /// Whether a `message_start` is complete. It does not know yet why it stops.
    pub(super) fn is_begun(&self) -> Result<(), Wrong> {
        let prefix = "message.";
        self.is_right_so_far(prefix)?;
        self.is_complete(prefix)?;
        match self.stop_reason {
            Value::Nothing => Err(wrong(prefix, "stop_reason", "a string or null", "nothing")),
            _ => Ok(()),
        }
    }

    pub(super) fn is_whole(&self, prefix: &str) -> Result<(), Wrong> {
        self.is_complete(prefix)?;
        required(prefix, "stop_reason", &self.stop_reason)
    }

    /// Whether everything that is there is right.
    pub(super) fn is_right_so_far(&self, prefix: &str) -> Result<(), Wrong> {
        constant(prefix, "type", &self.kind, "message")?;
        constant(prefix, "role", &self.role, "assistant")?;
        for (name, value) in [("id", &self.id), ("model", &self.model)] {
            if !matches!(value, Value::Nothing) {
                required(prefix, name, value)?;
            }
        }
        match &self.content {
            Value::List(Blocks(None)) | Value::Nothing => {}
            Value::List(Blocks(Some(block))) => {
                let path = format!("{prefix}content{}", block.path);
                return Err(Wrong::new(path, block.expected.clone(), block.seen.clone()));
            }
            other => return Err(wrong(prefix, "content", "a list", other.kind())),
        }
        match &self.stop_reason {
            Value::Nothing | Value::Null | Value::Text(_) => {}
            other => {
                return Err(wrong(
                    prefix,
                    "stop_reason",
                    "a string or null",
                    other.kind(),
                ));
            }
        }
        match &self.usage {
            Value::Nothing => Ok(()),
            Value::Object(usage) => usage
                .is_right_so_far("usage.")
                .map_err(|wrong| wrong.within(prefix)),
            other => Err(wrong(prefix, "usage", "an object", other.kind())),
        }
    }

    /// Whether nothing but `stop_reason` is missing.
    fn is_complete(&self, prefix: &str) -> Result<(), Wrong> {
        for (name, value) in [
            ("id", &self.id),
            ("type", &self.kind),
            ("role", &self.role),
            ("model", &self.model),
        ] {
            required(prefix, name, value)?;
        }
        if let Value::Nothing = self.content {
            return Err(wrong(prefix, "content", "a list", "nothing"));
        }
        let Value::Object(usage) = &self.usage else {
            return Err(wrong(prefix, "usage", "an object", self.usage.kind()));
        };
        for (name, count) in [
            ("usage.input_tokens", &usage.input_tokens),
            ("usage.output_tokens", &usage.output_tokens),
        ] {
            let Value::Number(_) = count else {
                return Err(wrong(prefix, name, "a number", count.kind()));
            };
        }
        Ok(())
    }
}

/// `usage`. The first four fields are judged; [`crate::usage`] reads all of them.
#[derive(Debug, Default)]
pub(crate) struct UsageObject<'a> {
    pub(crate) input_tokens: Value<'a>,
    pub(crate) output_tokens: Value<'a>,
    pub(crate) cache_creation_input_tokens: Value<'a>,
    pub(crate) cache_read_input_tokens: Value<'a>,
    pub(crate) cache_creation: Value<'a, Written<'a>>,
    pub(crate) output_tokens_details: Value<'a, Details<'a>>,
    pub(crate) server_tool_use: Value<'a, Tools<'a>>,
    pub(crate) service_tier: Value<'a>,
    pub(crate) inference_geo: Value<'a>,
    pub(crate) speed: Value<'a>,
}

fields!(UsageObject {
    b"input_tokens" => input_tokens,
    b"output_tokens" => output_tokens,
    b"cache_creation_input_tokens" => cache_creation_input_tokens,
    b"cache_read_input_tokens" => cache_read_input_tokens,
    b"cache_creation" => cache_creation,
    b"output_tokens_details" => output_tokens_details,
    b"server_tool_use" => server_tool_use,
    b"service_tier" => service_tier,
    b"inference_geo" => inference_geo,
    b"speed" => speed,
});

impl UsageObject<'_> {
    /// Every field that is there must be a number. A field that does not apply may be null.
    pub(super) fn is_right_so_far(&self, prefix: &str) -> Result<(), Wrong> {
        for (name, count) in [
            ("input_tokens", &self.input_tokens),
            ("output_tokens", &self.output_tokens),
            (
                "cache_creation_input_tokens",
                &self.cache_creation_input_tokens,
            ),
            ("cache_read_input_tokens", &self.cache_read_input_tokens),
        ] {
            match count {
                Value::Nothing | Value::Null | Value::Number(_) => {}
                other => return Err(wrong(prefix, name, "a number", other.kind())),
            }
        }
        Ok(())
    }
}

/// Tokens written into the cache, by the cache's lifetime.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    pub(crate) ephemeral_1h_input_tokens: Value<'a>,
}

fields!(Written {
    b"ephemeral_1h_input_tokens" => ephemeral_1h_input_tokens,
});

/// What the output consists of.
#[derive(Debug, Default)]
pub(crate) struct Details<'a> {
    pub(crate) thinking_tokens: Value<'a>,
}

fields!(Details {
    b"thinking_tokens" => thinking_tokens,
});

/// How many times tools of the server were used.
#[derive(Debug, Default)]
pub(crate) struct Tools<'a> {
    pub(crate) web_search_requests: Value<'a>,
}

fields!(Tools {
    b"web_search_requests" => web_search_requests,
});

/// The blocks of a message. Keeps the first fault.
#[derive(Debug, Default)]
pub(super) struct Blocks(Option<Wrong>);

impl<'a> List<'a> for Blocks {
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken> {
        let mut index = 0;
        json.list(|json| {
            let block = Value::<Block<'_>>::read(json)?;
            if self.0.is_none() {
                self.0 = check(&block, index).err();
            }
            index += 1;
            Ok(())
        })
    }
}

fn check(block: &Value<'_, Block<'_>>, index: usize) -> Result<(), Wrong> {
    match block {
        Value::Object(block) => {
            required(".", "type", &block.kind).map_err(|wrong| wrong.within(&format!("[{index}]")))
        }
        other => Err(wrong("", &format!("[{index}]"), "an object", other.kind())),
    }
}

#[derive(Default)]
struct Block<'a> {
    kind: Value<'a>,
}

fields!(Block {
    b"type" => kind,
});

/// A string must be there.
fn required(prefix: &str, name: &str, value: &Value<'_>) -> Result<(), Wrong> {
    match value {
        Value::Text(_) => Ok(()),
        other => Err(wrong(prefix, name, "a string", other.kind())),
    }
}

/// The field is absent, or has this value.
fn constant(prefix: &str, name: &str, value: &Value<'_>, word: &str) -> Result<(), Wrong> {
    match value {
        Value::Nothing => Ok(()),
        Value::Text(text) if text == word => Ok(()),
        Value::Text(_) => Err(wrong(prefix, name, &format!("\"{word}\""), "another word")),
        other => Err(wrong(prefix, name, &format!("\"{word}\""), other.kind())),
    }
}

fn wrong(prefix: &str, name: &str, expected: &str, seen: &str) -> Wrong {
    Wrong::new(
        format!("{prefix}{name}"),
        expected.to_owned(),
        seen.to_owned(),
    )
}
