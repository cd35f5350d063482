//! Columns of text on a terminal. A character may be two columns wide.
//!
//! Written by hand, because `logs --follow` prints its table piece by piece, and the table may only grow
//! wider. comfy-table and tabled cannot do that, and for one coloured cell they need crossterm or a parser of
//! escape sequences.

use unicode_width::UnicodeWidthStr;

const GAP: &str = "  ";

/// The side of its column that a cell is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One cell. Its text has no control characters.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    align: Align,
    /// The parameters of an ANSI sequence.
    pub(crate) colour: Option<&'static str>,
}

impl Cell {
    pub(crate) fn new(text: String, align: Align) -> Self {
        Self {
            text,
            align,
            colour: None,
        }
    }

    /// Moves the cell away from the margin.
    pub(crate) fn indent(&mut self) {
        self.text.insert_str(0, GAP);
    }

    fn width(&self) -> usize {
        self.text.width()
    }

    fn padded(&self, width: usize) -> String {
        let padding = " ".repeat(width.saturating_sub(self.width()));
        let text = match self.colour {
            Some(colour) => format!("\u{1b}[{colour}m{}\u{1b}[0m", self.text),
            None => self.text.clone(),
        };
        match self.align {
            Align::Left => text + &padding,
            Align::Right => padding + &text,
        }
    }
}

/// One line per row. No line ends in spaces.
pub(crate) fn columns<const N: usize>(rows: &[[Cell; N]]) -> String {
    Widths::default().lines(rows)
}

/// The widths of the columns of a table that is printed piece by piece.
#[derive(Debug)]
pub(crate) struct Widths<const N: usize>([usize; N]);

impl<const N: usize> Default for Widths<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Widths<N> {
    /// Columns that are at least this wide from the start.
    pub(crate) fn at_least(widths: [usize; N]) -> Self {
        Self(widths)
    }

    /// One line per row, at least as wide as the rows before. No line ends in spaces.
    pub(crate) fn lines(&mut self, rows: &[[Cell; N]]) -> String {
        for row in rows {
            for (width, cell) in self.0.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let line = |row: &[Cell; N]| {
            let cells: Vec<_> = row
                .iter()
                .zip(self.0)
                .map(|(cell, width)| cell.padded(width))
                .collect();
            format!("{}\n", cells.join(GAP).trim_end())
        };
        rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_and_flags_count_as_two_places() {
        let row = |name: &str, number: &str| {
            [
                Cell::new(name.to_owned(), Align::Left),
                Cell::new(number.to_owned(), Align::Right),
            ]
        };

        let text = columns(&[row("abcdef", "1"), row("东京", "10"), row("🇭🇰 HK", "100")]);

        assert_eq!(text, "abcdef    1\n东京     10\n🇭🇰 HK   100\n");
    }

    #[test]
    fn colours_do_not_move_what_follows() {
        let mut coloured = Cell::new("up".to_owned(), Align::Left);
        coloured.colour = Some("32");
        let plain = Cell::new("down".to_owned(), Align::Left);
        let last = || Cell::new("x".to_owned(), Align::Left);

        let text = columns(&[[coloured, last()], [plain, last()]]);

        assert_eq!(text, "\u{1b}[32mup\u{1b}[0m    x\ndown  x\n");
    }

    #[test]
    fn a_table_in_pieces_only_grows_wider() {
        let row = |name: &str| [name, "x"].map(|text| Cell::new(text.to_owned(), Align::Left));
        let mut widths = Widths::default();

        let pieces = [&[row("four")][..], &[row("a")], &[row("longer")]];
        let pieces = pieces.map(|rows| widths.lines(rows));

        assert_eq!(pieces, ["four  x\n", "a     x\n", "longer  x\n"]);
    }
}
