//! Who chooses the endpoint: Zephyr or a person.

use crate::endpoint_id::EndpointId;

/// Who chooses the endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Zephyr chooses.
    #[default]
    Auto,
    /// A person chose this endpoint.
    Pinned(EndpointId),
}
