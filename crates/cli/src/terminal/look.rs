//! How text for a person is to look.

use jiff::tz::TimeZone;
use zephyr_control::Language;
use zephyr_process::colours::Colours;

/// How text for a person is to look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) language: Language,
    pub(crate) colours: Colours,
    /// The zone that times are told in.
    pub(crate) zone: TimeZone,
}
