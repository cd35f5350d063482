//! The format of text for a person.

use jiff::tz::TimeZone;
use zephyr_control::Language;
use zephyr_process::colours::Colours;

/// The format of text for a person.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) language: Language,
    pub(crate) colours: Colours,
    /// The zone in which times are shown.
    pub(crate) zone: TimeZone,
}
