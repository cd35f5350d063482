//! Sessions of Claude Code that run and send their requests to Zephyr, whatever the settings say now: a
//! session reads settings and variables when it begins.
//!
//! | module | is |
//! | --- | --- |
//! | `find` | those that send their requests to Zephyr |
//! | `process` | a running session, and which settings it has read |
//! | `linux` | the sessions that run; other systems do not tell |

mod find;
#[cfg(target_os = "linux")]
mod linux;
mod process;

pub use process::Session;
