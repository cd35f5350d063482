//! The instance file: how a front-end finds the engine that is already running.
//!
//! Whoever runs an engine writes where it listens into the data folder, and removes the file at its end.
//! A file alone proves nothing: after `kill -9` it stays, and its port may be somebody else's by now. So
//! [`find`] asks the admin API before it believes the file.

mod claim;
mod error;
mod file;
mod find;

pub use self::claim::{Claim, claim_desktop};
pub use self::error::InstanceError;
pub use self::file::{Instance, Registration, Role, register};
pub use self::find::{Found, Running, find, find_as};
