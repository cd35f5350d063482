//! Answers that are streams of server-sent events.

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) fn is_stream(body: &str) -> bool {
    body.starts_with("event:") || body.starts_with("data:") || body.contains("\ndata:")
}

pub(super) fn events(stream: &str) -> impl Iterator<Item = Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok())
}

/// The text of a stream, the pieces of each content block put together.
pub(super) fn joined(stream: &str) -> String {
    let mut parts: BTreeMap<Option<u64>, String> = BTreeMap::new();
    for event in events(stream) {
        let part = parts.entry(event["index"].as_u64()).or_default();
        for piece in ["content_block", "delta", "error"] {
            join(&event[piece], part);
        }
    }
    parts.into_values().collect::<Vec<String>>().join("\n\n")
}

fn join(value: &Value, part: &mut String) {
    match value {
        Value::String(text) => part.push_str(text),
        Value::Array(values) => values.iter().for_each(|value| join(value, part)),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| *name != "type");
            told.for_each(|(_, value)| join(value, part));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
