//! What a request asks for, as far as an endpoint may not serve it.

use crate::call::CallKind;
use crate::classify::ClientKind;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: CallKind,
    pub(super) model: Option<String>,
}

/// What else is known of a request that an endpoint may refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// Which kind of client sends it.
    pub client: ClientKind,
    /// The size of its body in bytes, if that was announced.
    pub bytes: Option<u64>,
}
