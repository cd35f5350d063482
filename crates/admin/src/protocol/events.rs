//! The stream of snapshots, as server-sent events.

use std::time::Duration;

/// What an event with a snapshot is called.
pub(crate) const SNAPSHOT: &str = "snapshot";

/// Comments on a quiet stream are this far apart. A client that hears nothing for much longer takes the
/// instance for dead.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
