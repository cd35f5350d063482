//! What the journal tells, as text: tables for a terminal, lines for programs.
//!
//! Pure functions of what was asked: the language, the colours and the time zone are said in a
//! [`Look`]. All words come from the message catalogues. What is not known is said to be unknown; it
//! is never shown as zero.

mod amount;
mod detail;
mod export;
mod phrase;
mod table;
mod usage;

use jiff::tz::TimeZone;
use zephyr_control::Language;

use zephyr_process::colours::Colours;

pub use self::detail::detail;
pub use self::export::{Format, usage_csv};
pub use self::table::Table;
pub use self::usage::usage;

/// How text is to look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its language.
    pub language: Language,
    /// Its colours.
    pub colours: Colours,
    /// Where times are told.
    pub zone: TimeZone,
}

#[cfg(test)]
mod tests;
