//! Bodies: what is kept of them, and what of them a search finds.

mod kept;
mod stream;
mod words;

pub(crate) use self::kept::{Body, FULL, TRUNCATED, decompressed};
pub(crate) use self::words::{indexed, searchable, words};
