//! The journal: every request and every endpoint's history, in a SQLite file, for weeks.
//!
//! One thread writes. A bounded queue leads to it, so that no request ever waits: if it is full, the entry is
//! dropped and counted. Readers have connections of their own, on threads that may block, so reading and
//! writing do not wait for each other. `docs/journal.md` describes the file.
//!
//! | module | has |
//! | --- | --- |
//! | `journal` | the handle: takes entries, answers queries |
//! | `entry`, `settings` | what is handed over, and what is kept of it |
//! | `shared`, `order`, `problems`, `meter` | what the handles and the writer share |
//! | `writer`, `file` | the thread, and the file that it opens or sets aside |
//! | `tables` | the schema, and how values stand in it |
//! | `rows`, `bodies` | from entries to rows |
//! | `read`, `search` | from rows to answers |
//! | `retention` | what is deleted, and what is rolled up |

mod bodies;
mod entry;
mod file;
mod journal;
mod lock;
mod meter;
mod order;
mod problems;
mod read;
mod retention;
mod rows;
mod search;
mod settings;
mod shared;
mod tables;
mod writer;

pub use entry::{Captured, Entry, Finished, Sighting};
pub use journal::Journal;
pub use meter::Meter;
pub use order::Dropped;
pub use read::QueryError;
pub use settings::{FILE, Settings};
