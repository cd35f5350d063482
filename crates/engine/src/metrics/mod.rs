//! Counts for Prometheus.
//!
//! The hot path only adds to plain atomics: no lock, no map, no allocation. A scrape joins the counts with
//! what a snapshot already says (states, requests in flight), in the OpenMetrics text format. The series of
//! an endpoint begin with the configuration that names it, and end with the one that no longer does. So the
//! configuration limits the number of series.
//!
//! Labels are names of endpoints, outcomes, error codes and states. They are never a model, a session, a URL
//! or anything else that a client can choose.
//!
//! Not for front-ends, which have the snapshot. Not for single requests, which have log lines.

mod count;
mod meters;
mod scrape;

pub use count::WireBytes;
pub use meters::{EndpointMeter, Metrics, Winner};
pub use scrape::text;
