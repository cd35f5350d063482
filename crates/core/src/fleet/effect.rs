//! What the outside world should do or show.

use super::queue::Ticket;
use super::reason::Decision;
use crate::endpoint_id::EndpointId;
use crate::price::Cost;
use crate::worth::Worth;

/// Something that the outside world should do or show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Probe this endpoint as [`Fleet::probe_mode`](super::Fleet::probe_mode) says, and report the result
    /// with [`Fleet::handle_probe`](super::Fleet::handle_probe).
    Probe(EndpointId),
    /// End the attempts that are in flight at this endpoint: its drain timeout is over.
    Cut(EndpointId),
    /// The preferred endpoint changed.
    Switched {
        /// The old one.
        from: Option<EndpointId>,
        /// The new one.
        to: EndpointId,
        /// Why it was chosen, and why the others were not.
        decision: Decision,
    },
    /// A conversation moves because the speed is worth more than its prompt cache.
    Moved {
        /// Its old home.
        from: EndpointId,
        /// Its new home.
        to: EndpointId,
        /// The comparison.
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
    /// It is the turn of this request in the queue: it should ask for its attempt again.
    Called(Ticket),
    /// A request waited too long. It gets no attempt.
    WaitedInVain(Ticket),
    /// Nothing at all can be reached. Everything that counted against endpoints since the last answer is
    /// taken back, even if front-ends have already shown it.
    Offline,
    /// Something can be reached again, or too few endpoints are left to know.
    Online,
    /// Probes have reached their limit of cost per day.
    BudgetReached {
        /// The limit.
        limit: Cost,
    },
}
