//! What the fleet knows about one endpoint.

mod access;
mod booking;
mod fitness;
mod lately;
mod marks;
mod probes;
mod probing;
mod recall;
mod reserve;
mod silence;
mod standing;
mod state;
mod status;
mod timetable;
mod traffic;

pub use access::Availability;
pub(super) use booking::Booked;
pub(super) use probes::{Check, Due, Monitoring};
pub(super) use state::Endpoint;
pub use status::EndpointStatus;
pub(super) use timetable::FIRST_BACK_OFF;
