//! A conversation as routing sees it.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A conversation. It is a digest, so that no identifier is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(u64);

impl SessionKey {
    /// The key of a session identifier.
    pub fn of(id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self(hasher.finish())
    }
}
