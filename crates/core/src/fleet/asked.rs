//! What a request asks for, if that may be a reason not to serve it.

use crate::call::CallKind;
use crate::classify::ClientKind;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: CallKind,
    pub(super) model: Option<String>,
}

/// Other properties of a request that may be a reason to refuse it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// The kind of client that sends it.
    pub client: ClientKind,
    /// The size of its body in bytes, if that was announced.
    pub bytes: Option<u64>,
}
