//! Whether Zephyr chooses or a person did.

use crate::endpoint_id::EndpointId;

/// Whether Zephyr chooses or a person did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Zephyr chooses.
    #[default]
    Auto,
    /// A person chose.
    Pinned(EndpointId),
}
