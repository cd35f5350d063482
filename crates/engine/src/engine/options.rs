//! What starts an engine besides its configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use zephyr_journal::Journal;
use zephyr_secrets::redact::Known;
use zephyr_secrets::vault::Store;

#[derive(Default)]
pub struct Options {
    /// Trusted in addition to the system's certificates; for tests.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The time for a request's head, in place of the default; for tests.
    pub head_timeout: Option<Duration>,
    /// The most connections of clients at once, in place of the default.
    pub max_connections: Option<usize>,
    /// Where keychain entries are, in place of the system's keychain.
    pub keychain: Option<Arc<dyn Store>>,
    /// The folder for what survives a restart. Without it nothing does.
    pub data_dir: Option<PathBuf>,
    /// The address of the system bus, in place of the default; for tests.
    pub system_bus: Option<String>,
    /// The journal, in place of the engine's own; for tests.
    pub journal: Option<Journal>,
    /// The secrets that no text shows. The engine adds those that it learns.
    pub known: Known,
}
