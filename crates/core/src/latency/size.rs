//! About how large a request is: only requests of about the same size take about the same time.

const KB: u64 = 1024;

/// About how large a request is. Prompts of Claude Code begin with 50 to 80 KB, and grow to several hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Less than 32 KB, some 8,000 tokens.
    Small,
    /// Less than 256 KB, some 64,000 tokens.
    Medium,
    /// Less than 1 MB, some 250,000 tokens.
    Large,
    /// More.
    Huge,
    /// It was not announced.
    Unknown,
}

impl Size {
    /// How many there are.
    pub(crate) const COUNT: usize = 5;

    /// The size of a request with so many bytes in its body.
    pub(crate) fn of(bytes: Option<u64>) -> Self {
        match bytes {
            None => Self::Unknown,
            Some(bytes) if bytes < 32 * KB => Self::Small,
            Some(bytes) if bytes < 256 * KB => Self::Medium,
            Some(bytes) if bytes < 1024 * KB => Self::Large,
            Some(_) => Self::Huge,
        }
    }
}
