//! What the connections of all endpoints share: trust, the system's proxy, our own address, the meters.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;

use super::errors::BoxError;
use super::system_proxy::SystemProxy;
use super::trust::Noting;
use crate::metrics::Metrics;

/// Everything about connections that endpoints share.
#[derive(Clone)]
pub struct Network {
    tls: Arc<OnceLock<ClientConfig>>,
    extra_roots: Arc<Vec<rustls::pki_types::CertificateDer<'static>>>,
    pub(super) system_proxy: Arc<OnceLock<SystemProxy>>,
    ourselves: Arc<OnceLock<SocketAddr>>,
    /// Where endpoints are counted.
    pub metrics: Arc<Metrics>,
}

impl Network {
    /// The system's certificates and, for tests, these as well.
    pub fn new(extra_roots: Vec<rustls::pki_types::CertificateDer<'static>>) -> Self {
        Self {
            tls: Arc::default(),
            extra_roots: Arc::new(extra_roots),
            system_proxy: Arc::default(),
            ourselves: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// Says where our own listener is, so that no endpoint can lead back to it.
    pub fn set_ourselves(&self, listener: SocketAddr) {
        // A second start in one process keeps the first address; there is none.
        let _ = self.ourselves.set(listener);
    }

    pub(super) fn is_ourselves(&self, peer: SocketAddr) -> bool {
        let same = |own: &SocketAddr| {
            own.port() == peer.port()
                && (own.ip() == peer.ip() || own.ip().is_unspecified() && peer.ip().is_loopback())
        };
        self.ourselves.get().is_some_and(same)
    }

    /// Built on first use: reading the system's certificates takes milliseconds.
    pub(super) fn tls(&self) -> Result<ClientConfig, BoxError> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            self.extra_roots.iter().cloned(),
            provider.clone(),
        )?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Noting(verifier)))
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| config).clone())
    }
}

/// For endpoints without TLS: a configuration that trusts nobody, so that no certificates are read.
pub(super) fn no_tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default provider supports the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
