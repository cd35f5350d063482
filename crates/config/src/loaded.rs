//! A valid configuration, and what its file held.

use std::hash::{DefaultHasher, Hash, Hasher};

use zephyr_core::config::Config;

use crate::problem::Problem;

/// A valid configuration, with what is odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// By line.
    pub warnings: Vec<Problem>,
    /// What a file was read from held; tells a [`Watch`](crate::Watch) what has changed since.
    pub fingerprint: Option<u64>,
}

/// Tells contents apart, without keeping them: they may hold secrets.
pub(crate) fn fingerprint(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
