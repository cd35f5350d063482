//! What is kept of a body: decoded, redacted, cut to its limit, compressed.

use std::io;

use http::HeaderMap;
use zephyr_encoding::Decoder;
use zephyr_secrets::redact::{Redacted, Redactor};

use super::stream::{is_stream, joined};
use crate::entry::Captured;

/// Bytes that `truncated` keeps of a body.
pub(crate) const TRUNCATED: usize = 8 * 1024;
/// Most bytes that are kept of a body.
pub(crate) const FULL: usize = 16 * 1024 * 1024;
/// Bytes decoded beyond what is kept, so that a secret across the end is seen whole.
const SLACK: usize = 4096;

/// Compression level: bodies repeat themselves, so a fast one suffices.
const LEVEL: i32 = 3;

/// A body to be kept.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) text: Redacted,
    pub(crate) truncated: bool,
}

impl Body {
    /// At most `most` bytes of a body that came with these headers. `None`: its encoding is unknown, so it
    /// cannot be redacted.
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
            // The last line may be cut within a secret, whose part is not recognized as one.
            let end = if is_cut { text.rfind('\n') } else { None };
            let text = &text[..end.unwrap_or(text.len())];
            // A secret may be spread over several events. If it is, only the joined text is kept.
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

    /// The bytes that are stored.
    pub(crate) fn compressed(&self) -> io::Result<Vec<u8>> {
        zstd::bulk::compress(self.text.as_str().as_bytes(), LEVEL)
    }
}

/// The text of stored bytes.
pub(crate) fn decompressed(stored: &[u8]) -> io::Result<String> {
    // The frame tells how much memory it needs.
    let told = zstd::zstd_safe::get_frame_content_size(stored)
        .ok()
        .flatten();
    let most = told.and_then(|told| usize::try_from(told).ok());
    let bytes = zstd::bulk::decompress(stored, most.unwrap_or(FULL).min(FULL))?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
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
}
