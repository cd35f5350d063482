//! A fast path for the most frequent event in streams: a `content_block_delta` with one piece of text, as the
//! API itself writes it.
//!
//! It gives the same result as the full reader, several times as fast. Every other form, right or wrong, goes
//! to the full reader, so the fast path never judges.

/// What such an event says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlainDelta<'a> {
    pub(super) index: u64,
    /// Its type, a lower-case word.
    pub(super) kind: &'a str,
}

impl<'a> PlainDelta<'a> {
    /// Reads the event, if it has that form.
    pub(super) fn of(data: &'a [u8]) -> Option<Self> {
        let data = data.strip_prefix(br#"{"type":"content_block_delta","index":"#)?;
        let (index, data) = index(data)?;
        let data = data.strip_prefix(br#","delta":{"type":""#)?;
        let end = data.iter().position(|&byte| byte == b'"')?;
        let (kind, data) = data.split_at(end);
        let value: &[u8] = match kind {
            b"text_delta" => br#"","text":""#,
            b"input_json_delta" => br#"","partial_json":""#,
            b"thinking_delta" => br#"","thinking":""#,
            _ => return None,
        };
        let data = behind_string(data.strip_prefix(value)?)?;
        let data = data.trim_ascii_start().strip_prefix(b"}")?; // The API adds padding here.
        let data = data.trim_ascii_start().strip_prefix(b"}")?;
        if !data.trim_ascii_start().is_empty() {
            return None;
        }
        let kind = std::str::from_utf8(kind).ok()?;
        Some(Self { index, kind })
    }
}

/// A short natural number in JSON.
fn index(data: &[u8]) -> Option<(u64, &[u8])> {
    let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = data.split_at(digits);
    let has_leading_zero = digits > 1 && number.starts_with(b"0");
    if digits == 0 || digits > 9 || has_leading_zero {
        return None;
    }
    let value = |value, digit: &u8| value * 10 + u64::from(digit - b'0');
    Some((number.iter().fold(0, value), rest))
}

/// The rest after a string whose opening quote has been read.
fn behind_string(mut data: &[u8]) -> Option<&[u8]> {
    loop {
        let special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let at = data.iter().position(special)?;
        data = match &data[at..] {
            [b'"', rest @ ..] => return Some(rest),
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                rest @ ..,
            ] => rest,
            // Half of a surrogate pair needs its other half, so `\ud8..` to `\udf..` go to the full reader.
            [b'\\', b'u', a, b, c, d, rest @ ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit())
                    && !(matches!(a, b'd' | b'D') && *b >= b'8') =>
            {
                rest
            }
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn thoroughly(data: &[u8]) -> Option<(u64, String)> {
        let event: Value = serde_json::from_slice(data).ok()?;
        let kind = event["delta"]["type"].as_str()?.to_owned();
        (event["type"] == "content_block_delta").then_some((event["index"].as_u64()?, kind))
    }

    #[test]
    fn what_the_api_writes_takes_the_short_cut() {
        for data in [
            &br#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"\u00e9\n"}}"#[..],
            br#"{"type":"content_block_delta","index":12,"delta":{"type":"text_delta","text":""}      }"#,
            br#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\""} }"#,
            br#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        ] {
            let plain = PlainDelta::of(data).unwrap();

            assert_eq!(Some((plain.index, plain.kind.to_owned())), thoroughly(data));
        }
    }

    #[test]
    fn half_a_surrogate_pair_goes_the_thorough_way() {
        for half in ["d800", "dAaa", "DFFF", "dc00"] {
            let data = format!(
                r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"\u{half}"}}}}"#
            );

            assert_eq!(PlainDelta::of(data.as_bytes()), None, "{half}");
        }
    }

    proptest! {
        #[test]
        fn the_short_cut_says_what_the_thorough_way_says(
            text in r#"([a-z é]|\\["\\/bfnrtuax]|\\u[0-9a-fg]{4}|\\u[dD][0-9a-fA-F]{3}|["\\\x01]){0,6}"#,
            index in "0|[0-9]{1,10}|-1|1\\.5",
            end in r#"["}, ]{0,6}"#,
            tail in r#"("\} ?\}|"\}|"\},"x":1\}|","type":"y"\}\})"#,
        ) {
            let data = format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"text_delta","text":"{text}{tail}{end}"#);

            if let Some(plain) = PlainDelta::of(data.as_bytes()) {
                prop_assert_eq!(Some((plain.index, plain.kind.to_owned())), thoroughly(data.as_bytes()));
            }
        }
    }
}
