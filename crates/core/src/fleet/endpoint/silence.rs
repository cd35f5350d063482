//! The failures of an endpoint that the network may have caused.

use std::time::Instant;

use super::standing::Standing;

#[derive(Debug, Default)]
pub(crate) struct Silence {
    /// When a connection could not be opened, if the endpoint has not answered since.
    pub(crate) missed_at: Option<Instant>,
    /// The standing at the time of the last answer from any endpoint, if this endpoint has been missed since.
    before: Option<Box<Standing>>,
}

impl Silence {
    /// Keeps the standing before the first failure that the network may have caused.
    pub(super) fn note(&mut self, standing: &Standing) {
        self.before
            .get_or_insert_with(|| Box::new(standing.clone()));
    }

    /// An answer came, so earlier failures count.
    pub(crate) fn end(&mut self) {
        self.before = None;
    }

    /// Takes back what has counted since then. Attempts that are in flight no longer count.
    pub(super) fn take_back(&mut self, standing: &mut Standing) {
        match self.before.take() {
            Some(before) => {
                standing.circuit.restore(before.circuit);
                standing.last_probe_failed = before.last_probe_failed;
                standing.opened_by = before.opened_by;
            }
            None => standing.circuit.outdate(),
        }
    }
}
