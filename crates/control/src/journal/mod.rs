//! What the journal tells: requests one by one, their sums, and how endpoints were over time.
//!
//! Times are milliseconds since 1970-01-01 UTC, durations milliseconds, money US dollars. A sum of money covers
//! only what has a known price; how much has none is told beside it, never counted as zero.

mod history;
pub(crate) mod record;
mod search;
pub(crate) mod status;
mod tokens;
mod usage;

pub use history::{EndpointHistory, HistoryPoint, HistoryQuery};
pub use record::{
    AttemptOutcome, AttemptRecord, RecordedBody, RequestDetail, RequestEnd, RequestRecord,
};
pub use search::{Paging, RequestFilter, RequestPage};
pub use status::JournalStatus;
pub use tokens::Tokens;
pub use usage::{Usage, UsageBy, UsageQuery, UsageReport, UsageRow};
