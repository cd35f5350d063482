//! What the outside world should do or know.

use super::queue::Ticket;
use super::reason::Decision;
use crate::endpoint_id::EndpointId;
use crate::price::Cost;
use crate::worth::Worth;

/// Something that the outside world should do or know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Probe this endpoint as [`Fleet::probe_mode`](super::Fleet::probe_mode) says, and report with [`Fleet::handle_probe`](super::Fleet::handle_probe).
    Probe(EndpointId),
    /// End the attempts that are out at this endpoint: its drain timeout is over.
    Cut(EndpointId),
    /// The preferred endpoint changed.
    Switched {
        /// The one before.
        from: Option<EndpointId>,
        /// The one now.
        to: EndpointId,
        /// Why, and why not the others.
        decision: Decision,
    },
    /// A conversation moves because that is worth more than its prompt cache.
    Moved {
        /// Its home before.
        from: EndpointId,
        /// Its home now.
        to: EndpointId,
        /// Both sides of it.
        worth: Worth,
    },
    /// An endpoint's circuit opened.
    TakenOut(EndpointId),
    /// An endpoint's circuit closed.
    Recovered(EndpointId),
    /// No endpoint is fit any more.
    AllDown,
    /// An endpoint is fit again.
    SomethingUp,
    /// A request that waits should ask for its attempt again.
    Called(Ticket),
    /// A request has waited in vain.
    WaitedInVain(Ticket),
    /// Nothing at all can be reached. What counted against endpoints since the last answer is taken back,
    /// even if it was told.
    Offline,
    /// Something can be reached again, or too few endpoints are left to know.
    Online,
    /// Probes have cost as much as they may a day.
    BudgetReached {
        /// The limit.
        limit: Cost,
    },
}
