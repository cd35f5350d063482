//! What was measured, round by round, and the table that tells it.

use std::fmt::Write as _;

use crate::statistics::median;
use crate::target::Kind;

/// Values of every kind and round.
#[derive(Default)]
pub(crate) struct Series(Vec<Round>);

/// What one round gave: several figures for every kind.
pub(crate) type Round = Vec<(Kind, Vec<f64>)>;

/// What a figure is taken of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Basis {
    /// The figure itself.
    Whole,
    /// What it has more than the direct way in the same round.
    Added,
}

impl Series {
    /// Adds a round.
    pub(crate) fn push(&mut self, round: Round) {
        self.0.push(round);
    }

    /// The median of a figure over the rounds.
    pub(crate) fn of(&self, kind: Kind, figure: usize, basis: Basis) -> Option<f64> {
        let values = self
            .0
            .iter()
            .filter_map(|round| value(round, kind, figure, basis));
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| median(&values))
    }

    /// The median over the rounds of one's figure in relation to another's.
    pub(crate) fn ratio(&self, of: Kind, to: Kind, figure: usize, basis: Basis) -> Option<f64> {
        let ratios = self.0.iter().filter_map(|round| {
            let ours = value(round, of, figure, basis)?;
            Some(ours / value(round, to, figure, basis)?)
        });
        let ratios: Vec<f64> = ratios.collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }
}

fn value(round: &Round, kind: Kind, figure: usize, basis: Basis) -> Option<f64> {
    let of = |kind| {
        let (_, figures) = round.iter().find(|(measured, _)| *measured == kind)?;
        figures.get(figure).copied()
    };
    match basis {
        Basis::Whole => of(kind),
        Basis::Added => Some(of(kind)? - of(Kind::Direct)?),
    }
}

/// A line of the table.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) measure: String,
    /// What each had.
    pub(crate) cells: Vec<(Kind, String)>,
    /// Zephyr in relation to the bare forwarder.
    pub(crate) ratio: String,
    /// What was asked for.
    pub(crate) bar: &'static str,
}

/// The rows as Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| measure |");
    for kind in Kind::ALL {
        let _ = write!(text, " {} |", kind.name());
    }
    text += " of bare hyper | bar |\n| --- |";
    text += &" ---: |".repeat(Kind::ALL.len());
    text += " ---: | --- |\n";
    for row in rows {
        let _ = write!(text, "| {} |", row.measure);
        for kind in Kind::ALL {
            let cell = row.cells.iter().find(|(of, _)| *of == kind);
            let _ = write!(text, " {} |", cell.map_or("–", |(_, text)| text));
        }
        let _ = writeln!(text, " {} | {} |", row.ratio, row.bar);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_compares_what_was_measured_in_the_same_round() {
        let mut series = Series::default();
        for noise in [0.0, 50.0, 7.0] {
            series.push(vec![
                (Kind::Direct, vec![20.0 + noise]),
                (Kind::Bare, vec![40.0 + noise]),
                (Kind::Zephyr, vec![50.0 + noise]),
            ]);
        }

        assert_eq!(
            series.ratio(Kind::Zephyr, Kind::Bare, 0, Basis::Added),
            Some(1.5)
        );
        assert_eq!(series.of(Kind::Zephyr, 0, Basis::Added), Some(30.0));
        assert_eq!(series.of(Kind::Nginx, 0, Basis::Whole), None);
    }
}
