//! Running sessions of Claude Code that send their requests to Zephyr, whatever the settings say now: a
//! session reads settings and variables when it begins.
//!
//! | module | is |
//! | --- | --- |
//! | `find` | the sessions that send their requests to Zephyr |
//! | `process` | a running session, and which settings it has read |
//! | `linux` | the running sessions; other systems do not tell |

mod find;
#[cfg(target_os = "linux")]
mod linux;
mod process;

pub use process::Session;
