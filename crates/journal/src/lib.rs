//! The journal: every request and every endpoint's history, in a SQLite file, for weeks.
//!
//! One thread writes. What it is handed goes through a bounded queue that never makes a request wait: if
//! it is full, the entry is dropped and counted. Readers have connections of their own, on threads that
//! may block, so neither waits for the other. `docs/journal.md` describes the file.
//!
//! | module | does |
//! | --- | --- |
//! | `journal` | the handle: entries go in, queries are answered |
//! | `entry`, `settings` | what is handed over, and what is to be kept of it |
//! | `desk`, `meter` | what the handles and the writer share |
//! | `writer`, `file` | the thread, and the file it opens, or sets aside |
//! | `schema`, `codes` | the tables |
//! | `store` | from entries to rows |
//! | `body` | what is kept of bodies |
//! | `retention` | what goes, and what is rolled up |
//! | `query` | a query, and why it may have no answer |
//! | `requests`, `search` | records, found by filter and by word |
//! | `sums` | usage and history |

mod body;
mod codes;
mod desk;
mod entry;
mod file;
mod journal;
mod meter;
mod query;
mod requests;
mod retention;
mod schema;
mod search;
mod settings;
mod store;
mod sums;
mod writer;

pub use desk::Dropped;
pub use entry::{Captured, Entry, Finished, Sighting};
pub use journal::Journal;
pub use meter::Meter;
pub use query::QueryError;
pub use settings::{FILE, Settings};
