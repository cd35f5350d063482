//! Which model a probe names.
//!
//! The configured model comes first, then a few cheap ones, cheapest first. A model that works is used from
//! then on. If none works, each probe tries one of them, so that an endpoint without any is not asked five
//! times a minute.

use std::sync::{Mutex, PoisonError};

/// Models that are cheap and widely served. One name has a date, because some relays know only that form.
const CHEAP: [&str; 5] = [
    "claude-haiku-5-5",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-3-5-haiku-20241022",
    "claude-sonnet-5-5",
];

/// The models to try, in this order.
pub fn candidates(configured: &str) -> Vec<&str> {
    let others = CHEAP.into_iter().filter(|model| *model != configured);
    std::iter::once(configured).chain(others).collect()
}

/// Whether a refusal is about that model.
pub fn names(body: &[u8], model: &str) -> bool {
    let model = model.as_bytes();
    !model.is_empty() && body.windows(model.len()).any(|window| window == model)
}

/// What is known about one endpoint's models.
#[derive(Debug, Default)]
pub struct ProbeModels(Mutex<Known>);

#[derive(Clone, Copy, Debug)]
enum Known {
    /// Try all of them, beginning with this one.
    From(usize),
    /// None of them is served. Try this one next.
    NoneBut(usize),
}

impl Default for Known {
    fn default() -> Self {
        Self::From(0)
    }
}

impl ProbeModels {
    /// The candidates to try now, in order. `candidates`: how many there are.
    pub fn turns(&self, candidates: usize) -> impl Iterator<Item = usize> + use<> {
        let (first, tries) = match *self.known() {
            Known::From(first) => (first, candidates),
            Known::NoneBut(next) => (next, 1),
        };
        (first..first + tries).map(move |turn| turn % candidates)
    }

    /// The candidate is served.
    pub fn works(&self, candidate: usize) {
        *self.known() = Known::From(candidate);
    }

    /// No candidate that was tried is served.
    pub fn none_works(&self, candidates: usize) {
        let mut known = self.known();
        *known = match *known {
            Known::From(_) => Known::NoneBut(0),
            Known::NoneBut(tried) => Known::NoneBut((tried + 1) % candidates),
        };
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_is_tried_first_from_then_on() {
        let models = ProbeModels::default();

        models.works(2);

        assert_eq!(models.turns(4).collect::<Vec<_>>(), [2, 3, 0, 1]);
    }

    #[test]
    fn where_none_works_one_is_tried_at_a_time() {
        let models = ProbeModels::default();
        models.none_works(3);
        let tried: Vec<usize> = (0..4)
            .flat_map(|_| {
                let turns: Vec<usize> = models.turns(3).collect();
                models.none_works(3);
                turns
            })
            .collect();

        assert_eq!(tried, [0, 1, 2, 0]);
    }

    #[test]
    fn the_configured_model_comes_first_and_once() {
        assert_eq!(candidates("claude-haiku-4-5")[0], "claude-haiku-4-5");
        assert_eq!(candidates("claude-haiku-4-5").len(), CHEAP.len());
        assert_eq!(candidates("mine").len(), CHEAP.len() + 1);
    }
}
