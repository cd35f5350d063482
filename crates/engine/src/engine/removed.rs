//! The endpoint that was last removed from the file.

use zephyr_control::EndpointForm;

/// A removed endpoint, with the text of the file before and after, so that it can be restored exactly.
pub(super) struct Removed {
    pub(super) endpoint: EndpointForm,
    pub(super) before: String,
    pub(super) after: String,
}
