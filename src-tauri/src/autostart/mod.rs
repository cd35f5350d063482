//! Launching at login: `desktop.launch_at_login` decides, and this module carries it out.
//!
//! The system's record of it is read by programs that split it into words or parse it, so the path of the
//! program is written in the form that they need. A path that cannot be written is refused: what would start
//! then is another program.
//!
//! | | |
//! | --- | --- |
//! | `program` | what the system should start |
//! | `record` | makes the system start it, or not |
//! | `desktop_entry`, `launch_agent`, `registry` | the record, on Linux, macOS and Windows |

#[cfg(any(target_os = "linux", all(test, unix)))]
mod desktop_entry;
#[cfg(any(target_os = "macos", all(test, unix)))]
mod launch_agent;
mod path;
mod program;
mod record;
#[cfg(any(windows, test))]
mod registry;

pub(crate) use program::program;
pub(crate) use record::set;
