//! Stub until the connection lands.
use std::path::Path;
pub(crate) struct Link;
impl Link {
    pub(crate) fn locate(_d: &Path) -> Option<Self> {
        None
    }
}
