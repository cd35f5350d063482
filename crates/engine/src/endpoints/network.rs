//! What the connections of all endpoints share: trust, the system's proxy, our own address, and the counts.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;

use super::errors::BoxError;
use super::system_proxy::SystemProxy;
use super::trust::Noting;
use crate::metrics::Metrics;

#[derive(Clone)]
pub struct Network {
    tls: Arc<OnceLock<ClientConfig>>,
    extra_roots: Arc<Vec<rustls::pki_types::CertificateDer<'static>>>,
    pub(super) system_proxy: Arc<OnceLock<SystemProxy>>,
    ourselves: Arc<OnceLock<SocketAddr>>,
    /// The counts of every endpoint.
    pub metrics: Arc<Metrics>,
}

impl Network {
    /// Trusts the system's certificates and, for tests, `extra_roots` too.
    pub fn new(extra_roots: Vec<rustls::pki_types::CertificateDer<'static>>) -> Self {
        Self {
            tls: Arc::default(),
            extra_roots: Arc::new(extra_roots),
            system_proxy: Arc::default(),
            ourselves: Arc::default(),
            metrics: Arc::default(),
        }
    }

    /// Tells where our own listener is, so that no endpoint leads back to it.
    pub fn set_ourselves(&self, listener: SocketAddr) {
        // The process starts one engine only. A second start would keep the first address.
        let _ = self.ourselves.set(listener);
    }

    pub(super) fn is_ourselves(&self, peer: SocketAddr) -> bool {
        let same = |own: &SocketAddr| {
            own.port() == peer.port()
                && (own.ip() == peer.ip() || own.ip().is_unspecified() && peer.ip().is_loopback())
        };
        self.ourselves.get().is_some_and(same)
    }

    /// Built on first use, because reading the system's certificates takes milliseconds.
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

/// For endpoints without TLS: a configuration that trusts no certificate, so that no certificates are read.
pub(super) fn no_tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default provider supports the default versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
