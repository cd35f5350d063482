//! The IO around the decisions of `zephyr-core`: listener, connections, probes, settings, secrets.
//!
//! | module | does |
//! | --- | --- |
//! | [`settings`] | reads the configuration: every error at once, with its line |
//! | `live`, `awaited` | the configuration in force, with its secrets, and those still missing |
//! | `server`, `client_io`, `burst`, `guard` | the proxy's port, how its connections write and end, and who may call it |
//! | `forward`, `upload`, `answer` | one request's way, its body, its answer |
//! | `inspect`, `decode` | reads answers in passing, through their compression |
//! | `upstream`, `remote`, `headers` | connections to endpoints, and what is sent there |
//! | `dispatcher` | the one door to the fleet |
//! | `prober`, `punctuality` | probes, and how punctual they are |
//! | `diagnosis` | tests an endpoint step by step |
//! | `calendar` | which day it is where the user is |
//! | `wake` | notices a sleep, and a network that is back |
//! | [`journal`] | every request and every endpoint's history, in a file |
//! | `trail`, `requests`, `record`, `capture` | what is known of a request on its way, shown of it, and left of it |
//! | `refusals` | which requests refused at the door leave a record |
//! | `memory` | what survives a restart |
//! | [`private`] | files that nobody but the user may read |
//! | [`vault`], [`secret`] | where secrets come from, and how they are kept from showing |
//! | `metrics`, `metered`, `request_id` | what is counted, and what a request is called |
//! | `view`, `pages` | the fleet in the contract's terms, and the reserved paths |

mod answer;
mod awaited;
mod burst;
mod calendar;
mod capture;
mod client_io;
mod clock;
mod diagnosis;
mod dispatcher;
mod engine;
mod forward;
#[cfg(test)]
mod fuzz;
mod guard;
mod headers;
mod inspect;
mod live;
mod memory;
mod metered;
mod metrics;
mod pages;
mod prober;
mod punctuality;
mod record;
mod refusals;
mod remote;
mod reply;
mod request_id;
mod requests;
mod server;
mod trail;
mod transcode;
mod upload;
mod upstream;
mod view;
mod wake;

pub use engine::{
    Engine, Options, ProbeReport, StartError, diagnose_once, probe_once, test_timing,
};
pub use live::Source;
pub use punctuality::Lateness;
