//! The words of a body: what people search for.

use serde_json::Value;

use super::stream::{events, is_stream};

/// Bytes of a long body that a search finds: its start and, since conversations grow there, its end.
const INDEXED_HEAD: usize = 64 * 1024;
const INDEXED_TAIL: usize = 192 * 1024;
/// In bytes. A longer string without a space is data, such as an image.
const LONGEST_WORD: usize = 1024;

/// What a search finds in a body, in lower case.
pub(crate) fn searchable(body: &str) -> String {
    indexed(&words(body))
}

/// The text within a body's JSON. Of a stream, the text of its events put together.
pub(crate) fn words(body: &str) -> String {
    let mut words = String::new();
    if is_stream(body) {
        for event in events(body) {
            collect_event(&event, &mut words);
        }
    } else {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => collect(&value, &mut words),
            // Truncated, or not JSON.
            Err(_) => words.push_str(&body.replace("\\n", "\n").replace("\\\"", "\"")),
        }
    }
    words
}

/// What a search finds of these words: all but the middle of a long text, in lower case.
pub(crate) fn indexed(words: &str) -> String {
    without_middle(words).to_lowercase()
}

fn collect_event(event: &Value, words: &mut String) {
    for part in ["delta", "content_block", "error"] {
        for key in ["text", "thinking", "partial_json", "name", "message"] {
            if let Some(text) = event[part][key].as_str() {
                add(text, words);
            }
        }
    }
    if event["delta"].is_null() {
        words.push('\n');
    }
}

fn collect(value: &Value, words: &mut String) {
    match value {
        Value::String(text) => {
            add(text, words);
            words.push('\n');
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add(text: &str, words: &mut String) {
    if text.len() <= LONGEST_WORD || text.contains(|c: char| c.is_whitespace() || !c.is_ascii()) {
        words.push_str(text);
    }
}

fn without_middle(words: &str) -> String {
    if words.len() <= INDEXED_HEAD + INDEXED_TAIL {
        return words.to_owned();
    }
    let head = words.floor_char_boundary(INDEXED_HEAD);
    let tail = words.ceil_char_boundary(words.len() - INDEXED_TAIL);
    format!("{}\n{}", &words[..head], &words[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_across_the_pieces_of_a_stream_are_found() {
        let stream = "event: content_block_delta\n\
            data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Quick\"}}\n\n\
            event: content_block_delta\n\
            data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"sort 快\"}}\n\n\
            data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"速排序\"}}\n\n";

        let words = searchable(stream);

        assert!(words.contains("quick"), "{words}");
        assert!(words.contains("quicksort 快速排序"), "{words}");
    }

    #[test]
    fn escapes_are_undone_and_data_is_left_out() {
        let image = "A".repeat(5000);
        let body = format!("{{\"a\":[\"\\u4f60\\u597d\",{{\"b\":\"{image}\"}}]}}");

        assert_eq!(searchable(&body), "你好\n\n");
    }
}
