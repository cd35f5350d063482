//! Points Claude Code's settings at Zephyr, and restores them.
//!
//! `connect` sets `env.ANTHROPIC_BASE_URL` and `env.ANTHROPIC_AUTH_TOKEN` in Claude Code's `settings.json`.
//! These take precedence over the shell's variables. Everything else in the file stays the same, byte for
//! byte. The token is one of this installation alone, unless the configuration names one, and the file is then
//! its owner's alone until `disconnect`. If there is a proxy, `connect` also extends `env.NO_PROXY`. The earlier values are first recorded in
//! the data folder. So `disconnect` restores exactly those, whether or not a Zephyr runs, and even if one was
//! killed.
//!
//! One rule holds everywhere: a key is ours while it has a value that we wrote. A key that was changed since
//! belongs to the person who changed it: it is not touched, and it is reported. The one exception is a person
//! who runs `connect` again: then the current value becomes the one to restore.
//!
//! Not for the project's own settings, which Claude Code prefers over these, and not for other clients.
//! Everything here blocks.
//!
//! | module | is |
//! | --- | --- |
//! | `connection` | connects and disconnects, also across restarts |
//! | `target`, `proxies` | what the settings should say, also with proxies |
//! | `plan` | the new text of a settings file, as a function of its old text |
//! | `document`, `reader` | editing that text, and reading it |
//! | `record`, `store` | the earlier values, and where they are kept |
//! | `rewrite`, `file` | applies a plan to a file and its record, even if other programs write too |
//! | `sessions` | running sessions, which keep the settings that they began with |
//! | `squatted` | what follows when a program of another user has the port |
//! | `words`, `printed` | texts for people: what was done, and what would be set |

mod connection;
mod document;
mod error;
mod file;
mod key;
mod outcome;
mod plan;
mod printed;
mod proxies;
mod reader;
mod record;
mod rewrite;
mod sessions;
mod squatted;
mod step;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod words;

pub use connection::ClaudeCode;
pub use error::Error;
pub use key::Key;
pub use outcome::{Change, Connected, Disconnected, Resumed};
pub use printed::printed;
pub use proxies::Proxies;
pub use sessions::Session;
pub use squatted::{Squatted, squatted};
pub use target::{Credential, Target, TargetError, check_url};
pub use words::{connected, disconnected, sessions_kept, sessions_left};
