//! Whether a stream takes colours.

use std::env;
use std::io::IsTerminal;

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Text only.
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

impl Colours {
    /// The colours of `stream`: ANSI on a terminal, unless `NO_COLOR` is set to something.
    pub fn of(stream: &impl IsTerminal) -> Self {
        Self::choose(stream.is_terminal(), env::var("NO_COLOR").ok().as_deref())
    }

    fn choose(is_terminal: bool, no_color: Option<&str>) -> Self {
        if is_terminal && no_color.is_none_or(str::is_empty) {
            Self::Ansi
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        assert_eq!(Colours::choose(true, None), Colours::Ansi);
        assert_eq!(Colours::choose(true, Some("")), Colours::Ansi);
        assert_eq!(Colours::choose(true, Some("1")), Colours::Plain);
        assert_eq!(Colours::choose(false, None), Colours::Plain);
    }
}
