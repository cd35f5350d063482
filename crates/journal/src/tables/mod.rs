//! The tables, and how values stand in them.
//!
//! | module | has |
//! | --- | --- |
//! | `schema` | the migrations that create the tables |
//! | `codes`, `units` | enums, counts, times and money as integers |
//! | `calendar` | the current time, and the hours and days that sums are kept by |
//! | `strings` | texts by number, numbers by text |
//! | `request_name` | a request's name as run and number |
//! | `sums`, `history` | rows that add up: usage, and how endpoints were |

mod calendar;
mod codes;
mod history;
mod request_name;
mod schema;
mod strings;
mod sums;
mod units;

pub(crate) use self::calendar::{DAY, HOUR, MINUTE, day_of, hour_of, now};
pub(crate) use self::codes::{Coded, is_failure};
pub(crate) use self::history::{AddHistory, SPAN_COLUMNS, Span};
pub(crate) use self::request_name::name_of;
pub(crate) use self::schema::{BLOCK, Migrated, migrate};
pub(crate) use self::strings::{number_of, text_of};
pub(crate) use self::sums::{AddSessionUsage, AddUsage, SUMS_COLUMNS, Sums};
pub(crate) use self::units::{count, int, micros, millis, nanousd, usd, whole};
