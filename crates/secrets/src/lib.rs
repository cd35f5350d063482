//! Secrets: where they come from, how they are kept from showing, and what is left out of what is
//! written down.
//!
//! | module | is |
//! | --- | --- |
//! | [`secret`] | a secret in memory |
//! | [`environment`] | variables of the process, then of the `.env` beside the configuration |
//! | [`vault`] | what environment and keychain hold at one moment |
//! | [`redact`] | text without secrets |
//! | [`private`] | files that only their user may read |
//! | [`ownership`] | whose a file is that replaces another one |
//! | [`shell_word`] | names in commands that a person is to type |

pub mod environment;
pub mod ownership;
pub mod private;
pub mod redact;
pub mod secret;
pub mod shell_word;
pub mod vault;

pub use secret::{Secret, SecretError};
