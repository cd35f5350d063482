//! Keeps an engine running, and is the one `Control` of everything this program shows.
//!
//! The program outlives engines. If another Zephyr of the same data folder runs already, it attaches to
//! that one. If the configuration has errors or the port is taken, it shows why and tries again. In every
//! case the tray, the window and the admin API hold this `Control`, and see one stream of snapshots.
//!
//! Commands about the program itself are carried out here, all others by whoever runs the engine.
//!
//! | module | is |
//! | --- | --- |
//! | `start` | what it is started with |
//! | `handle` | the supervisor, and what the rest of the program asks of it |
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
