//! Changes of the configuration file that keep everything else in it byte for byte.
//!
//! | module | is |
//! | --- | --- |
//! | [`change`] | what forms ask for |
//! | `complaints` | what forms show of the reader's problems with it |
//! | `document` | the change in the text |
//! | [`mod@file`] | the file on disk |
//! | `save` | all of that in one step |

pub mod change;
mod complaints;
mod document;
pub mod file;
mod refusal;
mod save;
mod setting;

pub use refusal::NotChanged;
pub use save::{SaveError, save};
