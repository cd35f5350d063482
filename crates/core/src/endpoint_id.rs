//! The identity of an endpoint.

/// Identifies an endpoint as long as its fleet lives. It is never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(u32);

impl EndpointId {
    /// An endpoint that is in no fleet.
    pub const NONE: Self = Self(0);

    pub(crate) fn new(id: u32) -> Self {
        Self(id)
    }
}
