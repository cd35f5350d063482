//! The configuration file: where it is, what it says, what is wrong with it, and when it changes.
//!
//! Not for secrets: a credential is a reference here, and a plain secret in the file is refused.
//! `zephyr_secrets` resolves references.
//!
//! | module | is |
//! | --- | --- |
//! | `read` | from text to a configuration, with every error |
//! | `load`, `loaded`, `problem` | the file as read, and what is wrong with it |
//! | [`edit`] | changes that keep everything else byte for byte |
//! | [`form`] | what forms show |
//! | `watch` | notices changes |
//! | `paths` | where the file and the data are |
//! | `example`, `schema` | the annotated example, and the JSON Schema |

pub mod edit;
mod example;
pub mod form;
mod load;
mod loaded;
mod paths;
mod problem;
mod read;
mod schema;
mod watch;

pub use example::{EXAMPLE, commented_default};
pub use load::{LoadError, load};
pub use loaded::Loaded;
pub use paths::{LocateError, Located, Origin, data_dir, find, locate};
pub use problem::{Problem, Problems};
pub use read::{EntryNameError, check_entry_name, parse};
pub use schema::SCHEMA;
pub use watch::{OwnWrite, Watch, WatchError, watch};
