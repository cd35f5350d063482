//! Numbers: how they are written, and which of them are natural.

use super::cursor::{Broken, Json};

impl<'a> Json<'a> {
    pub(super) fn number(&mut self) -> Result<&'a [u8], Broken> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'I') => self.word(b"Infinity")?,
            Some(b'N') if self.at == start => self.word(b"NaN")?,
            Some(_) => return Err(self.broken()),
            None => return Err(self.early_end()),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), Broken> {
        match self.text.get(self.at) {
            Some(digit) if digit.is_ascii_digit() => {}
            Some(_) => return Err(self.broken()),
            None => return Err(self.early_end()),
        }
        let digits = self.text[self.at..].iter();
        self.at += digits.take_while(|byte| byte.is_ascii_digit()).count();
        Ok(())
    }
}

/// The value of a natural number in any notation.
pub(super) fn natural(number: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(number).ok()?;
    if let Ok(natural) = text.parse() {
        return Some(natural);
    }
    /// Larger floating-point numbers cannot represent every natural number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a whole number within these bounds"
    )]
    let natural =
        ((0.0..=EXACT).contains(&number) && number.fract() == 0.0).then_some(number as u64);
    natural
}
