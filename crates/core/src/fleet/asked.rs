//! What a request asks for, as far as an endpoint may not serve it.

use crate::call::CallKind;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) kind: CallKind,
    pub(super) model: Option<String>,
}
