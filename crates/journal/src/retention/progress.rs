//! What a step left to do.

/// What a step left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    /// Nothing, for now.
    Done,
}

impl Progress {
    /// A step that found this many rows. One that finds none was the last.
    pub(super) fn after(rows: usize) -> Self {
        if rows == 0 { Self::Done } else { Self::More }
    }
}
