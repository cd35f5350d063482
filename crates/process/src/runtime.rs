//! The runtime of a program.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Starts the runtime with one worker. Requests mostly wait, so a second thread costs more than it gains.
///
/// # Errors
///
/// The system has no resources for a runtime.
pub fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}
