//! The endpoints with a configuration over them.

use std::io;
use std::path::Path;

use zephyr_config::Loaded;
use zephyr_core::Config;

use crate::configuration::{configuration, usual_or_free};
use crate::endpoint::Sim;

/// Simulated endpoints and a configuration over them. Dropping this value ends the endpoints.
#[must_use]
pub struct Demo {
    config: Config,
    _endpoints: Vec<Sim>,
}

impl Demo {
    /// Starts the endpoints. Without a port, the proxy takes its usual one, or a free one if that is busy. The
    /// journal is in `data_dir`. It keeps bodies, since they belong to nobody.
    ///
    /// # Errors
    ///
    /// The system has no ports left.
    pub async fn start(port: Option<u16>, data_dir: &Path) -> io::Result<Self> {
        let endpoints = Sim::fleet().await?;
        let port = port.unwrap_or_else(usual_or_free);
        Ok(Self {
            config: configuration(&endpoints, port, data_dir),
            _endpoints: endpoints,
        })
    }

    /// The configuration for an engine over these endpoints.
    pub fn loaded(&self) -> Loaded {
        Loaded {
            config: self.config.clone(),
            warnings: Vec::new(),
            fingerprint: None,
        }
    }
}
