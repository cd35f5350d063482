//! What connections of clients and of endpoints have in common.

pub mod burst;
pub mod metered;
