//! `[notifications]`: which desktop notifications are shown.

use std::time::Duration;

/// `[notifications]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// The endpoint in use changed.
    pub on_switch: bool,
    /// No endpoint is usable.
    pub on_all_down: bool,
    /// Something is usable again.
    pub on_recovery: bool,
    /// The network is gone.
    pub on_offline: bool,
    /// A credential was refused, or a quota is used up.
    pub on_refused: bool,
    /// The probe budget is used up.
    pub on_budget: bool,
    /// Minimum time between two notifications.
    pub min_interval: Duration,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            on_switch: true,
            on_all_down: true,
            on_recovery: true,
            on_offline: true,
            on_refused: true,
            on_budget: true,
            min_interval: Duration::from_secs(3),
        }
    }
}
