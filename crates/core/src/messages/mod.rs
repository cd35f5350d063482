//! The Messages format: what an answer must have, and in which order a stream must say it.
//!
//! Only what clients rely on is required. Events, block types, delta types and fields that are not known
//! here pass, so the API may grow. A fault says what was expected, what was seen and where, and names what
//! was seen by its kind, never by its content, which may echo a key.
//!
//! Nothing is built up: a piece of JSON is read once, in place, and forgotten.

pub(crate) mod answer;
pub(crate) mod course;
pub(crate) mod format;
pub(crate) mod known;
pub(crate) mod message;
mod plain;
pub(crate) mod stage;
pub(crate) mod value;
mod wrong;

pub use answer::{judge_json, judge_json_head, read_json};
pub use format::Format;
pub use wrong::looks_like_html;
