//! What is counted, for Prometheus.
//!
//! The hot path adds to plain atomics, nothing else: no lock, no map, no allocation. A scrape puts them
//! together with what a snapshot says anyway (states, what is in flight), in the OpenMetrics text format. What is shown of an endpoint begins with the configuration that names it and
//! ends with the one that does not, so the number of series is bounded by the configuration.
//!
//! Labels are names of endpoints, outcomes, error codes, states: never a model, a session, a URL or
//! anything else that a client can choose.
//!
//! Not for front-ends, which have the snapshot, and not for single requests, which have log lines.

mod count;
mod meters;
mod scrape;

pub use count::WireBytes;
pub use meters::{EndpointMeter, Metrics};
pub use scrape::text;
