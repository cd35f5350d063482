//! Finds out how endpoints are: probes, and a diagnosis step by step.

mod claude_cli;
pub mod diagnosis;
pub mod likeness;
pub mod models;
pub mod prober;
pub mod punctuality;
