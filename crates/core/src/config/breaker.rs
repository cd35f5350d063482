//! `[breaker]`: when an endpoint is taken out, and for how long.

use std::time::Duration;

/// `[breaker]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaker {
    /// When a circuit trips.
    pub policy: BreakerPolicy,
    /// The first cooldown. It doubles with every trip in a row.
    pub cooldown: Duration,
    /// The longest cooldown. It also limits a `Retry-After`.
    pub max_cooldown: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            policy: BreakerPolicy::Consecutive {
                max_failures: BreakerPolicy::MAX_FAILURES,
            },
            cooldown: Duration::from_secs(60),
            max_cooldown: Duration::from_secs(600),
        }
    }
}

/// When a circuit trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerPolicy {
    /// After this many failures in a row.
    Consecutive {
        /// At least 1.
        max_failures: u32,
    },
    /// After at least `min_failures` within `window`, with no success among them.
    Window {
        /// How far back outcomes count.
        window: Duration,
        /// At least 1.
        min_failures: u32,
    },
}

impl BreakerPolicy {
    /// Default of [`BreakerPolicy::Consecutive`].
    pub const MAX_FAILURES: u32 = 3;
    /// Default of [`BreakerPolicy::Window`].
    pub const WINDOW: Duration = Duration::from_secs(140);
    /// Default of [`BreakerPolicy::Window`].
    pub const MIN_FAILURES: u32 = 2;
}
