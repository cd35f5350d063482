//! The tokens that the beginning of an answer tells.
//!
//! A stream's `message_start` has the prompt's tokens, cached ones included: all that is needed to know
//! what a conversation has cached. Not for: what an answer costs, which only its end tells.

use serde_json::Value;

use crate::price::Usage;
use crate::sse::Reader;

/// No `message_start` is longer: it has no content.
const LONGEST: usize = 64 * 1024;

/// Watches for the beginning of a stream, and looks at nothing after it.
#[derive(Debug, Default)]
pub struct Opening(State);

#[derive(Debug, Default)]
enum State {
    #[default]
    Nothing,
    /// Bytes so far.
    Reading(Reader, usize),
    /// The event's data, if it is there.
    Over(Option<Vec<u8>>),
}

impl Opening {
    /// Takes in decoded bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if let State::Nothing = self.0 {
            self.0 = State::Reading(Reader::default(), 0);
        }
        let State::Reading(reader, seen) = &mut self.0 else {
            return;
        };
        *seen += bytes.len();
        let mut data = None;
        let read = reader.push(bytes, |event| {
            if data.is_none() && event.name == "message_start" {
                data = event.data().map(std::borrow::Cow::into_owned);
            }
        });
        if data.is_some() || read.is_err() || *seen > LONGEST {
            self.0 = State::Over(data);
        }
    }

    /// What it told.
    pub fn usage(&self) -> Option<Usage> {
        let State::Over(Some(data)) = &self.0 else {
            return None;
        };
        let start: Value = serde_json::from_slice(data).ok()?;
        Usage::read(&start["message"]["usage"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] =
        b"event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":1,\
        \"cache_read_input_tokens\":900}}}\n\n";

    #[test]
    fn the_beginning_of_a_stream_tells_what_is_cached() {
        let mut opening = Opening::default();

        for byte in [b": ping\n\n", START].concat() {
            opening.push(&[byte]);
        }

        assert_eq!(opening.usage().map(|usage| usage.cache_read), Some(900));
    }

    #[test]
    fn what_has_no_beginning_tells_nothing_and_is_not_kept() {
        let mut opening = Opening::default();

        for _ in 0..200 {
            opening.push(&[b'x'; 1024]);
        }

        assert_eq!(opening.usage(), None);
        assert!(matches!(opening.0, State::Over(None)));
    }
}
