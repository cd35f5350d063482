//! Keeps an engine running, and is the one `Control` for everything that this program shows.
//!
//! The program lives longer than its engines. If another Zephyr with the same data folder is running, it
//! attaches to that one. If the configuration has errors or the port is taken, it shows the reason and tries
//! again. In every case the tray, the window and the admin API hold this `Control`, and get one stream of
//! snapshots.
//!
//! Commands about the program itself are executed here. All others go to the engine.
//!
//! | module | is |
//! | --- | --- |
//! | `start` | what the supervisor is started with |
//! | `handle` | the supervisor, and what the rest of the program needs from it |
//! | `run` | an engine of our own, another program's, or none |
//! | `control` | commands and questions of front-ends |
//! | `login`, `claude_code` | what the program itself does for the user |

mod claude_code;
mod control;
mod handle;
mod login;
mod run;
mod start;

pub(crate) use self::handle::Supervisor;
pub(crate) use self::start::{Fleet, Greeting, Places};
