//! A lenient reader of JSON: it refuses only what no client can read.
//!
//! A proxy that judges for `JSON.parse` and `json.loads` must not be stricter than they are, and `serde_json` is:
//! half a surrogate pair in an id, a number beyond `f64` or 128 brackets are errors to it that end an answer which
//! every client reads. It costs about as much as `serde_json` (0.4 ms for a megabyte of plain text): nothing is built
//! up, and what nobody asks for is skipped where it lies.
//!
//! Half a surrogate pair becomes U+FFFD, as do bytes that are not UTF-8; of a field that is there twice the last
//! counts; a number may have any size, and `NaN` and `Infinity`, which Python writes, are numbers; nesting has no
//! limit.

mod number;
mod reader;
mod skip;
mod string;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// Reads one text from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The offset of the byte that does not fit; the text's length if it ends too early.
    pub(crate) at: usize,
    /// Whether only the text's end is wrong: what follows could make it right.
    pub(crate) is_early_end: bool,
}

/// A value, read only to know what kind it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// Its value, if it is a natural number, however it is written.
    Number(Option<u64>),
    Text(Cow<'a, str>),
}

/// What the next value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    List,
    Scalar,
}

/// Whether a field was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Read,
    /// Of no interest: it is skipped.
    Unread,
    /// Read, and nothing that follows is of interest.
    Last,
}
