//! How the parts of an engine are put together: what it starts, shares, shows and does.
//!
//! | module | is |
//! | --- | --- |
//! | `engine`, `options`, `start_error` | start, drain, end |
//! | `fleet_door`, `log` | the only way to the fleet, and the recent events |
//! | `shared` | what every part shares |
//! | `live`, `remotes` | the configuration in force, and what is made of it |
//! | `reload`, `awaited` | a configuration that changes, and secrets that come later |
//! | `control`, `commands`, `snapshots` | what front-ends see and ask for |
//! | `amend`, `removed` | changes of the configuration file |
//! | `diagnose`, `once` | tests of endpoints; probes without an engine |
//! | `tasks` | what runs beside the requests |

mod amend;
mod awaited;
mod commands;
mod control;
mod diagnose;
#[allow(
    clippy::module_inception,
    reason = "the thing that the folder is named for"
)]
mod engine;
pub mod fleet_door;
pub mod live;
mod log;
mod once;
mod options;
mod reload;
mod remotes;
mod removed;
pub mod shared;
mod snapshots;
mod start_error;
mod tasks;

pub use diagnose::diagnose_once;
pub use engine::Engine;
pub use live::Source;
pub use once::{ProbeReport, probe_once, test_timing};
pub use options::Options;
pub use start_error::StartError;
