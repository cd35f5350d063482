//! The decisions of Zephyr, and nothing else: which endpoint may receive the next attempt, what an answer
//! means, when to probe, when to switch.
//!
//! Nothing here opens a socket, reads a clock, a file or an environment variable, or draws random numbers.
//! Time comes in as `now`, and randomness as a seed. What the outside world should do comes out as
//! [`Effect`]s. Every part with state has the same methods: `handle_*(input, now)`, `poll_timeout()`,
//! `handle_timeout(now)`, `poll_effect()`. So a test only adds to an `Instant`.
//!
//! | module | decides |
//! | --- | --- |
//! | [`config`] | what a valid configuration is |
//! | [`profile`] | what a request asks for: model, stream, session |
//! | [`thinking`] | what of a request is its thinking |
//! | [`fleet`] | which endpoint gets an attempt, which one is preferred, and why |
//! | [`circuit`] | whether an endpoint may take attempts |
//! | [`classify`] | what the end of an attempt means for the endpoint and for the request |
//! | [`schedule`], [`spend`], [`price`] | how often to probe, and what that may cost |
//! | [`latency`] | how fast an endpoint is, whether it becomes slower, whether it is in a brownout |
//! | [`quota`] | whether an endpoint is about to run dry |
//! | [`usage`] | what an answer used |
//! | [`worth`] | whether a conversation should move, and what its prompt cache costs |
//! | [`budget`] | how many further attempts requests may make |
//! | [`sse`], [`messages`], [`proof`] | whether an answer is real, and how a stream ends |
//! | [`models`] | whether an answer lists models |
//! | [`certificate`] | what is wrong with a certificate |

#![warn(missing_docs)]

pub mod budget;
mod call;
pub mod certificate;
pub mod circuit;
pub mod classify;
pub mod config;
mod endpoint_id;
pub mod fleet;
mod json;
pub mod latency;
pub mod messages;
pub mod models;
pub mod price;
pub mod profile;
pub mod proof;
pub mod quota;
mod rng;
pub mod schedule;
mod session;
pub mod spend;
pub mod sse;
pub mod thinking;
pub mod usage;
pub mod worth;

pub use config::Config;
pub use endpoint_id::EndpointId;
pub use fleet::{Effect, Fleet};
