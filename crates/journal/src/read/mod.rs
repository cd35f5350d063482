//! Queries: what the tables say, in the contract's terms.
//!
//! | module | has |
//! | --- | --- |
//! | `readers` | the connections that queries run on |
//! | `query` | why a query has no answer, and how it ends when its caller leaves |
//! | `requests` | one request's record, headers and bodies |
//! | `usage`, `history` | sums of requests, and how endpoints were |

mod history;
mod query;
mod readers;
mod requests;
mod usage;

pub(crate) use self::history::history;
pub use self::query::QueryError;
pub(crate) use self::readers::Readers;
pub(crate) use self::requests::{Records, detail, words_of};
pub(crate) use self::usage::usage;
