//! The endpoint that was taken out of the file last.

use zephyr_control::EndpointForm;

/// An endpoint that was taken out, with the texts before and after: bringing it back is then exact.
pub(super) struct Removed {
    pub(super) endpoint: EndpointForm,
    pub(super) before: String,
    pub(super) after: String,
}
