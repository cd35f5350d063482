//! Whose turn it is: smooth weighted round robin, as in nginx.

use std::cmp::Reverse;

use crate::endpoint_id::EndpointId;

/// The state of the round robin.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Credit of each endpoint.
    credit: Vec<(EndpointId, i64)>,
}

impl Turns {
    /// The next of `candidates`, in proportion to their weights and spaced as evenly as possible.
    pub(super) fn next(&mut self, candidates: &[(EndpointId, u32)]) -> Option<EndpointId> {
        self.credit
            .retain(|(id, _)| candidates.iter().any(|(candidate, _)| candidate == id));
        for &(id, weight) in candidates {
            match self.credit.iter_mut().find(|(known, _)| *known == id) {
                Some((_, credit)) => *credit += i64::from(weight),
                None => self.credit.push((id, i64::from(weight))),
            }
        }
        let total: i64 = candidates
            .iter()
            .map(|&(_, weight)| i64::from(weight))
            .sum();
        // The first of equals, in the order of the configuration.
        let by_credit = |&(id, _): &(EndpointId, u32)| {
            let credit = self.credit.iter().find(|(known, _)| *known == id);
            Reverse(credit.map_or(0, |&(_, credit)| credit))
        };
        let (chosen, _) = *candidates
            .iter()
            .min_by_key(|candidate| by_credit(candidate))?;
        if let Some((_, credit)) = self.credit.iter_mut().find(|(id, _)| *id == chosen) {
            *credit -= total;
        }
        Some(chosen)
    }
}
