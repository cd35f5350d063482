//! Log lines on stderr and in daily files.

mod daily;
mod files;
mod log;
mod redacting;

pub use self::files::Files;
pub use self::log::{Log, start};
