//! The position of the reader in a text.

/// Reads one text from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The offset of the byte that does not fit. If the text ends too early: its length.
    pub(crate) at: usize,
    /// Whether only the end of the text is wrong, so that more text could make it right.
    pub(crate) is_early_end: bool,
}

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space.
    pub(super) fn next(&mut self) -> Result<u8, Broken> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(self.early_end()),
            }
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.next()? != byte {
            return Err(self.broken());
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Broken> {
        for byte in word {
            match self.text.get(self.at) {
                Some(seen) if seen == byte => self.at += 1,
                Some(_) => return Err(self.broken()),
                None => return Err(self.early_end()),
            }
        }
        Ok(())
    }

    pub(super) fn broken(&self) -> Broken {
        Broken {
            at: self.at,
            is_early_end: false,
        }
    }

    pub(super) fn early_end(&self) -> Broken {
        Broken {
            at: self.text.len(),
            is_early_end: true,
        }
    }
}
