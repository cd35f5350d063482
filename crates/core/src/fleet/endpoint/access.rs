//! Whether an endpoint may be used at all: by a person's decision, and because its credential is there.

use std::time::Instant;

use crate::fleet::reason::WhyNot;

/// Whether a person allows an endpoint to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It may be used.
    Enabled,
    /// It may not be used. Its attempts may finish until then.
    Draining {
        /// When the attempts that are still in flight are ended.
        until: Instant,
    },
    /// It may not be used.
    Disabled,
}

impl Availability {
    /// What the file, or an earlier run, says.
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

    /// Ends a drain whose time is over. Returns whether it did.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let is_over = self.poll_timeout().is_some_and(|until| until <= now);
        if is_over {
            self.availability = Availability::Disabled;
        }
        is_over
    }

    /// The last attempt in flight has ended.
    pub(super) fn note_idle(&mut self) {
        if let Availability::Draining { .. } = self.availability {
            self.availability = Availability::Disabled;
        }
    }
}
