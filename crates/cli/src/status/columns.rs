//! Columns of text that stand below each other on a terminal, where a letter may be two places wide.

use unicode_width::UnicodeWidthStr;

const GAP: &str = "  ";

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// One cell; its text has no control characters.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    align: Align,
    /// The parameters of an ANSI sequence.
    pub(super) colour: Option<&'static str>,
}

impl Cell {
    pub(super) fn new(text: String, align: Align) -> Self {
        Self {
            text,
            align,
            colour: None,
        }
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

/// One line per row; no line ends in spaces.
pub(super) fn columns<const N: usize>(rows: &[[Cell; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    });
    let line = |row: &[Cell; N]| {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| cell.padded(width))
            .collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    rows.iter().map(line).collect()
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
}
