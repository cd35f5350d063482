//! Skips a value of any depth.
//!
//! It does not recurse, and allocates only for more than 128 levels.

use super::cursor::{Broken, Json};
use super::value::Kind;

impl Json<'_> {
    /// Skips a value.
    pub(crate) fn skip(&mut self) -> Result<(), Broken> {
        let mut open = Brackets::default();
        while self.skip_into(&mut open)? || self.skip_out_of(&mut open)? {}
        Ok(())
    }

    /// Skips a value without any value inside, or goes into the value. Returns whether it went in.
    fn skip_into(&mut self, open: &mut Brackets) -> Result<bool, Broken> {
        match self.next()? {
            b'{' => return self.opens(Kind::Object, b'}', open),
            b'[' => return self.opens(Kind::List, b']', open),
            b'"' => drop(self.string()?),
            b'n' => self.word(b"null")?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            _ => drop(self.number()?),
        }
        Ok(false)
    }

    fn opens(&mut self, kind: Kind, end: u8, open: &mut Brackets) -> Result<bool, Broken> {
        self.at += 1;
        if self.next()? == end {
            self.at += 1;
            return Ok(false);
        }
        open.push(kind);
        if kind == Kind::Object {
            self.skip_name()?;
        }
        Ok(true)
    }

    /// After a value: leaves the objects and lists that end here. Returns whether another value follows.
    fn skip_out_of(&mut self, open: &mut Brackets) -> Result<bool, Broken> {
        while let Some(kind) = open.last() {
            match (self.next()?, kind) {
                (b',', _) => {
                    self.at += 1;
                    if kind == Kind::Object {
                        self.skip_name()?;
                    }
                    return Ok(true);
                }
                (b'}', Kind::Object) | (b']', Kind::List) => {
                    self.at += 1;
                    open.pop();
                }
                _ => return Err(self.broken()),
            }
        }
        Ok(false)
    }

    fn skip_name(&mut self) -> Result<(), Broken> {
        if self.next()? != b'"' {
            return Err(self.broken());
        }
        self.string()?;
        self.expect(b':')
    }
}

/// The open brackets while a value is skipped: one bit for each. On the heap only from the 129th on.
#[derive(Default)]
struct Brackets {
    bits: u128,
    depth: u32,
    deeper: Vec<Kind>,
}

impl Brackets {
    fn push(&mut self, kind: Kind) {
        if self.depth < u128::BITS {
            self.bits = self.bits << 1 | u128::from(kind == Kind::Object);
            self.depth += 1;
        } else {
            self.deeper.push(kind);
        }
    }

    fn pop(&mut self) {
        if self.deeper.pop().is_none() {
            self.bits >>= 1;
            self.depth -= 1;
        }
    }

    fn last(&self) -> Option<Kind> {
        if let Some(kind) = self.deeper.last() {
            return Some(*kind);
        }
        let kind = if self.bits & 1 == 1 {
            Kind::Object
        } else {
            Kind::List
        };
        (self.depth > 0).then_some(kind)
    }
}
