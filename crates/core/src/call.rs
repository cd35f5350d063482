//! Which call of the API a request is.

/// The kind of call that a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `POST …/v1/messages`.
    Messages,
    /// `POST …/v1/messages/count_tokens`.
    CountTokens,
    /// `GET` or `HEAD …/v1/models`, or one model under it.
    Models,
    /// Any other call: files, batches, future calls.
    Other,
}

impl CallKind {
    /// From method and path, without the query.
    pub fn of(method: &str, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        if matches!(method, "GET" | "HEAD") && is_of_models(path) {
            Self::Models
        } else if method != "POST" {
            Self::Other
        } else if path.ends_with("/v1/messages") {
            Self::Messages
        } else if path.ends_with("/v1/messages/count_tokens") {
            Self::CountTokens
        } else {
            Self::Other
        }
    }

    /// Whether Zephyr understands its answers as those of a conversation.
    pub fn is_understood(self) -> bool {
        match self {
            Self::Messages | Self::CountTokens => true,
            Self::Models | Self::Other => false,
        }
    }
}

/// Whether the path is the list of models, or one of them.
fn is_of_models(path: &str) -> bool {
    path.ends_with("/v1/models")
        || path
            .rsplit_once("/v1/models/")
            .is_some_and(|(_, id)| !id.is_empty() && !id.contains('/'))
}
