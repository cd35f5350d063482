//! Changes of the file's text, on toml_edit's document.
//!
//! | module | is |
//! | --- | --- |
//! | `text` | from text to a document and back, byte for byte |
//! | `setting` | one key of one table |
//! | `endpoints`, `fields` | groups and endpoints, and the keys of an endpoint |
//! | `list`, `array`, `conversion` | lists of entries, below headers or in brackets |
//! | `entry`, `lines`, `pairs` | the keys of one entry, below a header or in braces |
//! | `headers` | headers in the order of the text, and the text between them |
//! | `raw` | white space and comments |
//!
//! The reader judges afterwards whether the text is a valid configuration.

mod array;
#[cfg(test)]
mod comment_tests;
mod conversion;
#[cfg(test)]
mod endpoint_tests;
mod endpoints;
mod entry;
mod fields;
mod headers;
mod lines;
mod list;
mod pairs;
mod raw;
mod setting;
#[cfg(test)]
mod setting_tests;
mod text;

pub(super) use endpoints::{Rewritten, add, edit, relocate, remove};
pub(super) use setting::{set, unset};
pub(super) use text::NotRewritten;
