//! Simulated endpoints, over real connections.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod faults;
