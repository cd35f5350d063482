//! Whether an endpoint may be used at all: as persons decided, and as its credential allows.

use std::time::Instant;

use crate::fleet::reason::WhyNot;

/// Whether an endpoint may be used, as persons decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Yes.
    Enabled,
    /// No; its attempts may finish until then.
    Draining {
        /// When those still out are ended.
        until: Instant,
    },
    /// No.
    Disabled,
}

impl Availability {
    /// As the file, or an earlier run, says.
    pub(crate) fn of(enabled: bool) -> Self {
        if enabled {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) availability: Availability,
    pub(crate) has_credential: bool,
}

impl Access {
    pub(super) fn check(&self) -> Result<(), WhyNot> {
        match self.availability {
            Availability::Draining { .. } => Err(WhyNot::Draining),
            Availability::Disabled => Err(WhyNot::Disabled),
            Availability::Enabled if !self.has_credential => Err(WhyNot::NoCredential),
            Availability::Enabled => Ok(()),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.availability {
            Availability::Draining { until } => Some(until),
            Availability::Enabled | Availability::Disabled => None,
        }
    }

    /// Ends a drain whose time is over. Says whether it did.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let is_over = self.poll_timeout().is_some_and(|until| until <= now);
        if is_over {
            self.availability = Availability::Disabled;
        }
        is_over
    }

    /// The last attempt that was out has ended.
    pub(super) fn note_idle(&mut self) {
        if let Availability::Draining { .. } = self.availability {
            self.availability = Availability::Disabled;
        }
    }
}
