//! What an endpoint's failures may turn out to owe to the network.

use std::time::Instant;

use super::standing::Standing;

#[derive(Debug, Default)]
pub(crate) struct Silence {
    /// When no connection came about, if nothing was heard of the endpoint since.
    pub(crate) missed_at: Option<Instant>,
    /// Its standing when anything was last heard of any endpoint, if this one was missed since.
    before: Option<Box<Standing>>,
}

impl Silence {
    /// Keeps the standing before the first failure that the network may be guilty of.
    pub(super) fn note(&mut self, standing: &Standing) {
        self.before
            .get_or_insert_with(|| Box::new(standing.clone()));
    }

    /// Something was heard: what failed before counts.
    pub(crate) fn end(&mut self) {
        self.before = None;
    }

    /// Takes back what counted since then. Attempts that are out say nothing any more.
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
