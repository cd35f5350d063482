//! The Messages format: what an answer must have, and the order of the events in a stream.
//!
//! Only what clients rely on is required. Unknown events, block types, delta types and fields pass, so the
//! API may grow. A fault says what was expected, what was seen and where. It names only the kind of what was
//! seen, never the content, because that may contain a key.
//!
//! No tree is built: each piece of JSON is read once, in place.

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
