//! The configuration file: its place, its content, its errors and its changes.
//!
//! Secrets do not belong here. A credential is a reference, and a plain secret in the file is refused.
//! `zephyr_secrets` resolves references.
//!
//! | module | is |
//! | --- | --- |
//! | `read` | from text to a configuration, with every error |
//! | `load`, `loaded`, `problem` | the file as read, with errors and warnings |
//! | [`edit`] | changes that keep everything else byte for byte |
//! | [`form`] | what forms show |
//! | `watch` | notices changes |
//! | `file`, `trust` | a file that may be read, and those of other folders that may be |
//! | `program` | finding a program without the working folder |
//! | `paths` | the places of the file and of the data |
//! | `example`, `schema` | the annotated example, and the JSON Schema |

pub mod edit;
mod example;
mod file;
pub mod form;
mod load;
mod loaded;
mod paths;
mod problem;
mod program;
mod read;
mod schema;
mod trust;
mod watch;

pub use example::{EXAMPLE, commented_default};
pub use file::{ConfigFile, Exposed};
pub use load::{LoadError, load};
pub use loaded::Loaded;
pub use paths::{DataDirError, LocateError, Located, Origin, data_dir, find, is_usual, locate};
pub use problem::{Problem, Problems};
pub use program::find_program;
pub use read::{EntryNameError, check_entry_name, parse};
pub use schema::SCHEMA;
pub use trust::Trust;
pub use watch::{OwnWrite, Watch, WatchError, watch};
