//! From entries to rows.
//!
//! | module | does |
//! | --- | --- |
//! | `store` | writes a batch in one transaction |
//! | `request`, `recording` | the rows of one request: the request, its attempts, its headers and bodies |
//! | `names`, `shape` | numbers for texts and for what many requests have in common |
//! | `batch` | the statements of a transaction, and what it adds up: `blocks`, `usage`, `history` |
//!
//! Text enters a table only as [`Redacted`](zephyr_secrets::redact::Redacted), which only redaction makes.

mod batch;
mod blocks;
mod history;
mod names;
mod recording;
mod request;
mod shape;
mod store;
mod usage;

pub(crate) use self::store::Store;
