//! Secrets: their sources, their protection in memory and on disk, and text without them.
//!
//! | module | is |
//! | --- | --- |
//! | [`secret`] | a secret in memory |
//! | [`environment`] | variables of the process, then of the `.env` beside the configuration |
//! | [`vault`] | the secrets of environment and keychain at one moment |
//! | [`redact`] | text without secrets |
//! | [`client_token`] | the tokens that `connect` gives to clients |
//! | [`owner`] | who knows what only the user's own files say |
//! | [`private`] | files that only their user may read |
//! | `access_list` | who may read a folder on Windows |
//! | [`ownership`] | owner and group of files that are replaced |
//! | [`shell_word`] | names in commands that a person types |

#[cfg(any(windows, test))]
mod access_list;
pub mod client_token;
pub mod environment;
pub mod owner;
pub mod ownership;
pub mod private;
pub mod secret;
pub mod shell_word;
pub mod vault;

pub use secret::{Secret, SecretError};
pub use zephyr_redact as redact;
