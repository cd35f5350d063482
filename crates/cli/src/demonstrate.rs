//! `zephyr demo`: the real engine over simulated endpoints.

use zephyr_control::{Language, Snapshot};
use zephyr_core::config::LogLevel;
use zephyr_demo::{Demo, Folder};
use zephyr_engine::Source;
use zephyr_process::logging;

use crate::failure::Failure;
use crate::serve;
use crate::status;

/// Runs the demo until a signal ends it.
pub(crate) async fn run(port: Option<u16>) -> Result<(), Failure> {
    let log = logging::start(LogLevel::Info, None);
    let folder = Folder::choose()?;
    let demo = Demo::start(port, folder.path()).await?;
    let announce = |snapshot: &Snapshot, language: Language| {
        status::demo_started(snapshot, folder.path(), language)
    };
    serve::run(
        demo.loaded(),
        Source::Fixed,
        folder.path(),
        log.known(),
        announce,
    )
    .await
}
