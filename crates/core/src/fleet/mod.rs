//! The fleet: which endpoint may receive the next attempt, which one is preferred, and why.
//!
//! This is the only mutable state of a running Zephyr that decides anything. Its owner reports what happened
//! and when, carries out the effects that it polls, and sleeps until [`Fleet::poll_timeout`].
//!
//! | question | file |
//! | --- | --- |
//! | whether a request gets an attempt, and where it goes | `admission`, `choice`, `rank`, `turns` |
//! | whether a late attempt gets a second one beside it | `hedging` |
//! | which endpoint is preferred, and when that changes | `preference` |
//! | when everybody is checked out of turn | `doubt`, over `rounds` |
//! | why | `reason`, `denied` |
//! | how things are as a whole: what a request of now would get | `outlook` |
//! | what was weighed against a prompt cache last | `weighed` |
//! | which requests wait while nothing is up, and which go first | `waiting`, over `queue` |
//! | what an answer, or the end of an attempt, changes | `answering`, `settling` |
//! | what is remembered about conversations | `conversations` |
//! | whether it is the network's fault | `network`, `blame` |
//! | how probes are sent and booked | `probing`, `probed` |
//! | what a person or the file decides | `commands`, `configuration` |
//! | what happens when time passes | `timers` |
//! | what survives a restart | `memory`, `restoring` |
//! | what is known about one endpoint | `endpoint` |
//!
//! An endpoint is *fit* for a request if it is enabled, not draining, has its credential, has a closed
//! circuit, serves the model, and was not asked for this request before. A half-open endpoint is fit for one
//! trial at a time. It gets the trial only if no probe can find out instead, or if no better endpoint is
//! there.

mod admission;
mod answering;
mod asked;
mod blame;
mod choice;
mod commands;
mod configuration;
mod conversations;
mod denied;
mod doubt;
mod effect;
mod endpoint;
mod hedging;
mod journey;
mod memory;
mod mode;
mod network;
mod outlook;
mod permit;
mod preference;
mod probed;
mod probing;
mod queue;
mod rank;
mod reason;
mod restoring;
mod rounds;
mod settling;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod timers;
mod turns;
mod waiting;
mod weighed;

pub use crate::endpoint_id::EndpointId;
pub use asked::Traits;
pub use denied::{Denied, DeniedWhy};
pub use effect::Effect;
pub use endpoint::{Availability, EndpointStatus};
pub use hedging::{NoHedge, NoneLeft};
pub use journey::Journey;
pub use memory::{EndpointMemory, Memory};
pub use mode::Mode;
pub use outlook::{About, AllOut, Because, Outlook, Overall};
pub use permit::{Grant, Lesson, Permit};
pub use probed::{ProbeResult, Probed};
pub use queue::{MOST_WAITING, Ticket};
pub use reason::{Decision, Why, WhyNot};
pub use state::Fleet;
pub use weighed::Weighed;
