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

mod cursor;
mod number;
mod reader;
mod skip;
mod string;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use cursor::{Broken, Json};
pub(crate) use value::{Field, Kind, Scalar};
