//! Starting and ending the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zephyr_control::Control;
use zephyr_core::config::WebAdmin;

use super::api::Api;
use super::confirmations::Confirmations;
use super::connections::Connections;
use super::feed::Feed;
use super::memory::Memories;
use super::router::router;
use super::visitors::Visitors;
use crate::token::AccessTokens;

/// A running admin server. It ends when its shutdown token is cancelled.
#[must_use]
pub struct Admin {
    address: SocketAddr,
    connections: Connections,
}

impl Admin {
    /// The address that it listens on: not the configured port if that was busy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has stopped and the requests in flight are answered.
    pub async fn stopped(self) {
        self.connections.ended().await;
    }
}

/// Who may use the port.
pub struct Access {
    /// What callers show.
    pub tokens: AccessTokens,
    /// Whether programs of other users of this machine may show it. If not, they may still read the metrics.
    pub allow_other_users: bool,
}

/// Serves `control` on the admin port, or on a free one if that is busy, until `shutdown` is
/// cancelled. What browsers ask for and the operating system's user has to confirm is in `confirmations`.
///
/// # Errors
///
/// If the address is not a loopback address, or cannot be bound.
pub async fn serve(
    control: Arc<dyn Control>,
    config: &WebAdmin,
    access: Access,
    confirmations: Confirmations,
    shutdown: CancellationToken,
) -> io::Result<Admin> {
    let listener = bind(config).await?;
    let address = listener.local_addr()?;
    let api = Api {
        control,
        feed: Feed::default(),
        tokens: access.tokens,
        visitors: Visitors::default(),
        memories: Memories::default(),
        confirmations,
        has_page: config.enabled,
        port: address.port(),
        shutdown: shutdown.clone(),
    };
    let router = router(Arc::new(api));
    let connections = Connections::accept(listener, router, access.allow_other_users, shutdown);
    Ok(Admin {
        address,
        connections,
    })
}

async fn bind(config: &WebAdmin) -> io::Result<TcpListener> {
    if !config.host.is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "web_admin.host has to be a loopback address, for instance 127.0.0.1",
        ));
    }
    match TcpListener::bind((config.host, config.port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind((config.host, 0)).await?;
            tracing::warn!(
                busy = config.port,
                instead = listener.local_addr()?.port(),
                "the admin port is busy; took a free one"
            );
            Ok(listener)
        }
        bound => bound,
    }
}
