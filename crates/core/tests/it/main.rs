//! What must hold of the whole of core, seen from outside.
#![expect(
    clippy::disallowed_methods,
    reason = "one instant to start from; how long to go on"
)]
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

mod crossing;
mod dice;
mod fleets;
mod fuzz;
mod messages;
mod model;
mod outlook;
mod patience;
mod refusals;
mod sdk;
mod simulation;
mod strictness;
mod subjects;
