//! The icon of the overall status.

use zephyr_control::{Overall, Snapshot};

/// What the icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Requests are answered as wished.
    Healthy,
    /// Requests are answered, but something needs attention.
    Degraded,
    /// A request of now would be denied or would wait.
    AllDown,
    /// Monitoring is paused, or nothing is known yet.
    Paused,
    /// The network is gone.
    Offline,
}

/// The icon for this state.
pub(crate) fn icon(snapshot: &Snapshot) -> Icon {
    match snapshot.status.overall {
        Overall::Well => Icon::Healthy,
        Overall::Degraded => Icon::Degraded,
        Overall::Out => Icon::AllDown,
        Overall::Paused | Overall::Starting | Overall::Disconnected => Icon::Paused,
        Overall::Offline => Icon::Offline,
    }
}
