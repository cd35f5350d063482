//! Claude Code's settings, pointed at Zephyr and back.
//!
//! `connect` sets `env.ANTHROPIC_BASE_URL` and `env.ANTHROPIC_AUTH_TOKEN` in Claude Code's
//! `settings.json`, which take precedence over the shell's variables, and leaves everything else in it
//! byte for byte; where there is a proxy, it extends `env.NO_PROXY`, too. The former values are recorded in the data folder first, so that `disconnect` restores
//! exactly those, whether or not a Zephyr runs and wherever one was killed.
//!
//! The rule for all of it: a key is ours while it has a value that we wrote. A key that somebody has
//! changed since is theirs: it is left alone and reported. The one exception is a person who runs
//! `connect` again: then the present value becomes the one that will be restored.
//!
//! Not for the project's own settings, which Claude Code prefers over these, and not for other clients.
//! Everything here blocks.
//!
//! | module | is |
//! | --- | --- |
//! | `connection` | connecting, disconnecting, and both across restarts |
//! | `target`, `proxies` | what the settings are to say, also where there are proxies |
//! | `plan` | what to make of a settings file, as a function of its text |
//! | `document`, `reader` | editing that text, and reading it |
//! | `record`, `store` | the former values, and where they are kept |
//! | `rewrite`, `file` | bringing a file and its record to a plan, whoever else writes |
//! | `sessions` | running sessions that keep what they began with |
//! | `words`, `printed` | what was done, and what would be set, for people |

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
pub use target::{Credential, Target, TargetError};
pub use words::{connected, disconnected, sessions_kept, sessions_left};
