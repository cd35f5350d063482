//! A valid configuration, and the fingerprint of its file.

use std::hash::{DefaultHasher, Hash, Hasher};

use zephyr_core::config::Config;

use crate::problem::Problem;

/// A valid configuration with its warnings.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// By line.
    pub warnings: Vec<Problem>,
    /// Of the file's content, if a file was read. Tells a [`Watch`](crate::Watch) about changes since then.
    pub fingerprint: Option<u64>,
}

/// A number that differs between contents. The contents are not kept, since they may hold secrets.
pub(crate) fn fingerprint(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
