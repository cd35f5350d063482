//! The types of what is read.

use std::borrow::Cow;

/// A value that is read only to know its kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// The value, if it is a natural number in any notation.
    Number(Option<u64>),
    Text(Cow<'a, str>),
}

/// The kind of the next value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    List,
    Scalar,
}

/// Whether a field was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Read,
    /// The field is not needed, so it is skipped.
    Unread,
    /// The field was read, and no field after it is needed.
    Last,
}
