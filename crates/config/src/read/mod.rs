//! From the text of a configuration file to a [`Config`](zephyr_core::config::Config), in one pass that
//! never stops at an error.
//!
//! Every wrong value is reported with its line, its key and a remedy. The default takes its place until the
//! end. Errors refuse the file as a whole; warnings do not. Typed readers ask for the keys. A derived
//! decoder would give up at the first error and could not tell which keys are unknown.
//!
//! | module | is |
//! | --- | --- |
//! | `document` | the whole text |
//! | `sections`, `health_check`, `rules`, `fleet` | its tables |
//! | `address`, `credential`, `spellings`, `spans` | kinds of values that several tables have |
//! | `table` | typed readers of keys |
//! | `keys` | keys that do nothing yet or any more, and keys that are read at the start |
//! | `report` | errors and warnings, with lines |
//! | `plain_secret`, `refusal` | secrets in the file itself |

mod address;
mod credential;
mod document;
mod fleet;
mod health_check;
pub(crate) mod keys;
mod plain_secret;
mod refusal;
mod report;
mod rules;
mod sections;
mod spans;
mod spellings;
mod table;

pub use credential::{EntryNameError, check_entry_name};
pub use document::parse;
pub(crate) use document::read;
pub(crate) use fleet::{DEFAULT_PRICE, DEFAULT_PRIORITY, DEFAULT_WEIGHT};
pub(crate) use plain_secret::{HIDDEN, is_likely_secret, is_secret};
pub(crate) use report::{Report, nearest};
