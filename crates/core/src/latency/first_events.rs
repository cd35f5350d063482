//! The first events of real streams: how soon they came lately, by model and by size of the prompt.
//!
//! How soon a stream begins depends on its prompt as much as on its endpoint. So only streams of one model
//! whose requests are of about the same size are compared.

use std::time::{Duration, Instant};

use super::recent::{Figures, Recent};
use super::size::Size;

/// Maximum number of series per endpoint.
const SERIES: usize = 16;
/// Longer names are cut; no model has such a name.
const LONGEST_NAME: usize = 128;

/// The first events of one endpoint's streams.
#[derive(Debug, Default)]
pub(crate) struct FirstEvents {
    /// The series used last is at the end.
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    model: String,
    size: Size,
    recent: Recent,
}

impl Series {
    fn is_of(&self, model: &str, size: Size) -> bool {
        self.size == size && self.model == cut(model)
    }
}

impl FirstEvents {
    /// Notes when a stream has begun.
    pub(crate) fn observe(&mut self, (model, size): (&str, Size), took: Duration, now: Instant) {
        let last = self.series.len().checked_sub(1);
        match self
            .series
            .iter()
            .position(|known| known.is_of(model, size))
        {
            Some(at) if Some(at) == last => {}
            Some(at) => self.series[at..].rotate_left(1),
            None => {
                if self.series.len() >= SERIES {
                    self.series.remove(0);
                }
                self.series.push(Series {
                    model: cut(model).to_owned(),
                    size,
                    recent: Recent::default(),
                });
            }
        }
        if let Some(series) = self.series.last_mut() {
            series.recent.observe(took, now);
        }
    }

    /// Whether the streams of the last kind begin later than before, by at least `threshold`. It is told once.
    pub(crate) fn take_rise(&mut self, threshold: Duration) -> bool {
        let last = self.series.last_mut();
        last.is_some_and(|series| series.recent.take_rise(threshold))
    }

    /// The median of the kind of stream that came last.
    pub(crate) fn latest(&self) -> Option<Duration> {
        self.series.last()?.recent.usual()
    }

    /// The median of such streams, if there were some lately.
    pub(crate) fn lately(&self, (model, size): (&str, Size), now: Instant) -> Option<Duration> {
        let known = self.series.iter().find(|known| known.is_of(model, size))?;
        known.recent.usual_lately(now)
    }

    /// What both endpoints say about the kind of stream that they have in common and that came last here.
    pub(crate) fn in_common(&self, there: &Self) -> Option<(Figures, Figures)> {
        self.series.iter().rev().find_map(|here| {
            let mut others = there.series.iter();
            let there = others.find(|there| there.is_of(&here.model, here.size))?;
            here.recent.figures().zip(there.recent.figures())
        })
    }

    /// The measurements are from before a sleep, or from another network.
    pub(crate) fn weaken(&mut self) {
        for series in &mut self.series {
            series.recent.weaken();
        }
    }
}

fn cut(model: &str) -> &str {
    &model[..model.floor_char_boundary(LONGEST_NAME)]
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "tests need one instant to start from"
    )]

    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn events(told: &[(&str, Size, u64)], now: Instant) -> FirstEvents {
        let mut events = FirstEvents::default();
        for &(model, size, millis) in told {
            events.observe((model, size), ms(millis), now);
        }
        events
    }

    #[test]
    fn only_streams_of_one_model_and_size_are_compared() {
        use Size::{Large, Small};
        let now = Instant::now();
        let here = events(
            &[
                ("opus", Small, 500),
                ("opus", Large, 3000),
                ("haiku", Small, 100),
            ],
            now,
        );
        let there = events(&[("opus", Large, 2000), ("opus", Small, 400)], now);
        let strange = events(&[("opus", Size::Unknown, 1)], now);

        let common = here.in_common(&there);

        let usual = common.map(|(here, there)| (here.usual, there.usual));
        assert_eq!(usual, Some((ms(3000), ms(2000))), "the last one in common");
        assert!(here.in_common(&strange).is_none());
        assert_eq!(here.latest(), Some(ms(100)));
    }

    #[test]
    fn three_streams_of_the_last_ten_minutes_are_known_lately() {
        let now = Instant::now();
        let kind = ("opus", Size::Small);
        let two = events(&[("opus", Size::Small, 500); 2], now);
        let three = events(&[("opus", Size::Small, 500); 3], now);
        let later = now + super::super::recent::STALE;

        let known = [(&two, now), (&three, now), (&three, later)];

        let known = known.map(|(events, now)| events.lately(kind, now));
        assert_eq!(known, [None, Some(ms(500)), None]);
    }

    #[test]
    fn other_streams_in_between_are_no_rise() {
        let now = Instant::now();
        let mut events = FirstEvents::default();

        for _ in 0..20 {
            for (model, millis) in [("opus", 3000), ("haiku", 100)] {
                events.observe((model, Size::Small), ms(millis), now);
                assert!(!events.take_rise(ms(50)));
            }
        }
    }

    #[test]
    fn there_are_only_so_many_series() {
        let now = Instant::now();
        let mut events = FirstEvents::default();
        for number in 0..100 {
            let name = format!("{}{number}", "é".repeat(100));
            events.observe((&name, Size::Small), ms(1), now);
            events.observe((&format!("model {number}"), Size::Small), ms(1), now);
        }

        assert_eq!(events.series.len(), SERIES);
        assert!(
            events
                .series
                .iter()
                .all(|one| one.model.len() <= LONGEST_NAME)
        );
    }
}
