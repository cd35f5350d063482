//! The journal as text: tables for a terminal, one request in full.
//!
//! Pure functions of their data and of a [`Look`](crate::terminal::Look). All words come from the message
//! catalogues. An unknown value is shown as unknown, never as zero.

mod amount;
mod detail;
mod phrase;
mod table;
#[cfg(test)]
mod tests;
mod usage;
mod verdict;

pub(crate) use self::detail::detail;
pub(crate) use self::phrase::Phrase;
pub(crate) use self::table::Table;
pub(crate) use self::usage::usage;
pub(crate) use self::verdict::{explained, why};
