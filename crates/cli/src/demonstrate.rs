//! `zephyr demo`: the real engine over simulated endpoints.

use zephyr_cli::demo::Demo;
use zephyr_cli::{logging, status};
use zephyr_control::{Language, Snapshot};
use zephyr_core::config::LogLevel;
use zephyr_engine::Source;

use crate::failure::Failure;
use crate::serve;

/// Runs the demo until a signal ends it.
pub(crate) async fn run(port: Option<u16>) -> Result<(), Failure> {
    let _log = logging::start(LogLevel::Info, None);
    // Its own data folder: the demo must not pass for the instance that the user works with.
    let temporary = tempfile::Builder::new().prefix("zephyr-demo-").tempdir()?;
    let named = std::env::var_os("ZEPHYR_DATA_DIR").filter(|folder| !folder.is_empty());
    let data_dir = named.map_or_else(|| temporary.path().to_owned(), Into::into);
    let demo = Demo::start(port, &data_dir)
        .await
        .map_err(Failure::Operation)?;
    let announce = |snapshot: &Snapshot, language: Language| {
        status::demo_started(snapshot, &data_dir, language)
    };
    serve::run(demo.loaded(), Source::Fixed, &data_dir, announce).await
}
