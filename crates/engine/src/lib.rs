//! The IO around the decisions of `zephyr-core`: the proxy's port, connections, probes, and the parts of a
//! running engine.
//!
//! | module | does |
//! | --- | --- |
//! | `clients` | the proxy's port: listener, guard, reserved pages, our own answers |
//! | `request` | the way of one request: failover, its body, its answer, its record |
//! | `endpoints` | connections to endpoints, and what is sent there |
//! | `probe` | probes, and the diagnosis step by step |
//! | `engine` | how the parts are put together: start, reload, snapshots, commands, the door to the fleet |
//! | `wire` | what connections of both sides have in common |
//! | `metrics` | counts for Prometheus |
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
