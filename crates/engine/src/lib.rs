//! The IO around the decisions of `zephyr-core`: the proxy's port, connections, probes, and what a running
//! engine is made of.
//!
//! | module | does |
//! | --- | --- |
//! | `clients` | the proxy's port: listener, guard, reserved pages, our own answers |
//! | `request` | one request's way: failover, its body, its answer, what it leaves |
//! | `endpoints` | connections to endpoints, and what is sent there |
//! | `probe` | probes, and the diagnosis step by step |
//! | `engine` | the composition: start, reload, snapshots, commands, the door to the fleet |
//! | `wire` | what connections of both sides have in common |
//! | `metrics` | what is counted |
//! | `view` | the fleet in the contract's terms |
//! | `memory` | what survives a restart |
//! | `wake`, `calendar`, `clock` | sleep, days, and the two clocks |

mod calendar;
mod clients;
mod clock;
mod endpoints;
mod engine;
#[cfg(test)]
mod fuzz;
mod memory;
mod metrics;
mod probe;
mod request;
mod view;
mod wake;
mod wire;

pub use engine::{
    Engine, Options, ProbeReport, Source, StartError, diagnose_once, probe_once, test_timing,
};
pub use probe::punctuality::Lateness;
pub use request::explain::{AskedOf, Explanation, Recorded, RecordedError, explain};
