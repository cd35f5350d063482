//! Which call of the API a request is.

/// Which kind of call a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `POST …/v1/messages`.
    Messages,
    /// `POST …/v1/messages/count_tokens`.
    CountTokens,
    /// Anything else: models, files, batches, future calls.
    Other,
}

impl CallKind {
    /// By method and path, without the query.
    pub fn of(method: &str, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        if method != "POST" {
            Self::Other
        } else if path.ends_with("/v1/messages") {
            Self::Messages
        } else if path.ends_with("/v1/messages/count_tokens") {
            Self::CountTokens
        } else {
            Self::Other
        }
    }

    /// Whether Zephyr understands its answers.
    pub fn is_understood(self) -> bool {
        match self {
            Self::Messages | Self::CountTokens => true,
            Self::Other => false,
        }
    }
}
