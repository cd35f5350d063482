//! What is read.

use std::borrow::Cow;

/// A value, read only to know what kind it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// Its value, if it is a natural number, however it is written.
    Number(Option<u64>),
    Text(Cow<'a, str>),
}

/// What the next value is.
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
    /// Of no interest: it is skipped.
    Unread,
    /// Read, and nothing that follows is of interest.
    Last,
}
