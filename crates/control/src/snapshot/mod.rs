//! The state that every front-end shows: one whole [`Snapshot`] at a time.

mod decision;
mod endpoint;
pub(crate) mod endpoint_state;
mod event;
mod live;
mod problem;
pub(crate) mod status;
mod totals;
mod weighed;
mod whole;

pub use decision::{Decision, Mode, NotChosen, Strategy};
pub use endpoint::{EndpointView, Measure, QuotaWindow, TtftPercentiles};
pub use endpoint_state::EndpointState;
pub use event::{Event, EventKind};
pub use live::LiveRequest;
pub use problem::{Problem, ProblemKind};
pub use status::{About, Headline, Overall, OverallStatus};
pub use totals::{Drain, ProbeCosts, Totals};
pub use weighed::Weighed;
pub use whole::{Listening, Snapshot};
