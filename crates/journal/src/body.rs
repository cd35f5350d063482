//! Bodies: from what passed to what is kept, and what of it is found by a search.

use std::collections::BTreeMap;
use std::io;

use http::HeaderMap;
use serde_json::Value;

use crate::entry::Captured;
use zephyr_encoding::Decoder;
use zephyr_secrets::redact::{Redacted, Redactor};

/// What `truncated` keeps of a body.
pub(crate) const TRUNCATED: usize = 8 * 1024;
/// Most that is kept of one at all.
pub(crate) const FULL: usize = 16 * 1024 * 1024;
/// Decoded beyond what is kept, so that a secret at the end is seen whole.
const SLACK: usize = 4096;

/// What is found by a search in a long body: its beginning and, since conversations grow there, its end.
const INDEXED_HEAD: usize = 64 * 1024;
const INDEXED_TAIL: usize = 192 * 1024;
/// A longer string without a space is data, such as an image.
const LONGEST_WORD: usize = 1024;

/// Bodies are alike within, so the quickest level does well.
const LEVEL: i32 = 3;

/// A body to be kept.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) text: Redacted,
    pub(crate) truncated: bool,
}

impl Body {
    /// What is kept of a body that came with these headers; `None` if it cannot be looked into, since
    /// then it cannot be redacted.
    pub(crate) fn of(
        headers: &HeaderMap,
        captured: &Captured,
        most: usize,
        redactor: &Redactor,
    ) -> Option<Self> {
        let mut decoder = Decoder::of(headers)?;
        let mut bytes = Vec::new();
        let mut is_cut = captured.truncated;
        for piece in &captured.pieces {
            let room = (most + SLACK).saturating_sub(bytes.len());
            let decoded = decoder.decode(piece, |decoded| {
                bytes.extend_from_slice(&decoded[..decoded.len().min(room)]);
                decoded.len() <= room
            });
            if !matches!(decoded, Ok(true)) {
                is_cut = true;
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let redacted = |text: &str| {
            if is_cut {
                redactor.cut_text(text)
            } else {
                redactor.text(text)
            }
        };
        let redacted = if is_stream(&text) {
            // The last line may go on with a secret, and tell no more than its middle.
            let end = if is_cut { text.rfind('\n') } else { None };
            let text = &text[..end.unwrap_or(text.len())];
            let line_by_line = redacted(text);
            let together = redacted(&joined(text));
            if together.as_str() == joined(line_by_line.as_str()) {
                line_by_line
            } else {
                together
            }
        } else {
            redacted(&text)
        };
        let (text, shortened) = redacted.beginning(most);
        Some(Self {
            text,
            truncated: is_cut || shortened,
        })
    }

    /// As it is stored.
    pub(crate) fn compressed(&self) -> io::Result<Vec<u8>> {
        zstd::bulk::compress(self.text.as_str().as_bytes(), LEVEL)
    }
}

/// What was stored.
pub(crate) fn decompressed(stored: &[u8]) -> io::Result<String> {
    // What it takes is said in its head.
    let told = zstd::zstd_safe::get_frame_content_size(stored)
        .ok()
        .flatten();
    let most = told.and_then(|told| usize::try_from(told).ok());
    let bytes = zstd::bulk::decompress(stored, most.unwrap_or(FULL).min(FULL))?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What people would look for in a body, in lower case: the text within the JSON, and of a stream the
/// pieces put together.
pub(crate) fn searchable(body: &str) -> String {
    indexed(&words(body))
}

/// The same, all of it and as it is written.
pub(crate) fn words(body: &str) -> String {
    let mut words = String::new();
    if is_stream(body) {
        for event in events(body) {
            collect_event(&event, &mut words);
        }
    } else {
        match serde_json::from_str::<Value>(body) {
            Ok(value) => collect(&value, &mut words),
            // Cut off, or no JSON at all.
            Err(_) => words.push_str(&body.replace("\\n", "\n").replace("\\\"", "\"")),
        }
    }
    words
}

/// What of a body's words is found by a search.
pub(crate) fn indexed(words: &str) -> String {
    middle_left_out(words).to_lowercase()
}

fn is_stream(body: &str) -> bool {
    body.starts_with("event:") || body.starts_with("data:") || body.contains("\ndata:")
}

fn events(stream: &str) -> impl Iterator<Item = Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok())
}

/// The pieces of a stream put together, those of each of its parts: a secret may be spread over them.
fn joined(stream: &str) -> String {
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

fn middle_left_out(words: &str) -> String {
    if words.len() <= INDEXED_HEAD + INDEXED_TAIL {
        return words.to_owned();
    }
    let head = words.floor_char_boundary(INDEXED_HEAD);
    let tail = words.ceil_char_boundary(words.len() - INDEXED_TAIL);
    format!("{}\n{}", &words[..head], &words[tail..])
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;
    use http::header::CONTENT_ENCODING;

    use super::*;

    fn captured(bytes: &[u8]) -> Captured {
        Captured {
            pieces: bytes.chunks(7).map(Bytes::copy_from_slice).collect(),
            truncated: false,
        }
    }

    fn body(encoding: &'static str, bytes: &[u8], most: usize) -> Option<Body> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())]);
        Body::of(&headers, &captured(bytes), most, &Redactor::default())
    }

    #[test]
    fn a_compressed_body_is_kept_as_text() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all("{\"text\":\"你好\"}".as_bytes()).unwrap();

        let body = body("gzip", &gzip.finish().unwrap(), FULL).unwrap();

        assert_eq!(body.text.as_str(), "{\"text\":\"你好\"}");
        assert!(!body.truncated);
        let stored = body.compressed().unwrap();
        assert_eq!(decompressed(&stored).unwrap(), body.text.as_str());
    }

    #[test]
    fn what_cannot_be_looked_into_is_not_kept() {
        assert!(body("rot13", b"frperg", FULL).is_none());
    }

    #[test]
    fn a_broken_encoding_keeps_what_came_before() {
        let body = body("gzip", b"not gzip at all", FULL).unwrap();

        assert_eq!(body.text.as_str(), "");
        assert!(body.truncated);
    }

    #[test]
    fn a_secret_across_the_cut_is_not_kept_in_part() {
        let text = format!("{} sk-ant-api03-PLANTED", "x".repeat(10));

        let body = body("identity", text.as_bytes(), 22).unwrap();

        assert!(body.truncated || !body.text.as_str().contains("PLAN"));
        assert!(!body.text.as_str().contains("sk-ant"), "{body:?}");
    }

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
