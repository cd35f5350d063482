//! Objects, lists and what stands in them.

use super::number::natural;
use super::string::text_of;
use super::{Broken, Field, Json, Kind, Scalar};

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// What kind of value follows.
    pub(crate) fn kind(&mut self) -> Result<Kind, Broken> {
        Ok(match self.next()? {
            b'{' => Kind::Object,
            b'[' => Kind::List,
            _ => Kind::Scalar,
        })
    }

    /// Reads an object field by field; returns early after [`Field::Last`].
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&[u8], &mut Self) -> Result<Field, Broken>,
    ) -> Result<(), Broken> {
        self.expect(b'{')?;
        if self.next()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.expect(b':')?;
            match field(&name, self)? {
                Field::Read => {}
                Field::Unread => self.skip()?,
                Field::Last => return Ok(()),
            }
            match self.next()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.broken()),
            }
        }
    }

    /// Reads a list element by element; each must be read or skipped.
    pub(crate) fn list(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.expect(b'[')?;
        if self.next()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.next()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.broken()),
            }
        }
    }

    /// Reads a value that is neither an object nor a list.
    pub(crate) fn scalar(&mut self) -> Result<Scalar<'a>, Broken> {
        match self.next()? {
            b'"' => {
                let (raw, is_plain) = self.string()?;
                Ok(Scalar::Text(text_of(raw, is_plain)))
            }
            b'n' => self.word(b"null").map(|()| Scalar::Null),
            b't' => self.word(b"true").map(|()| Scalar::Bool(true)),
            b'f' => self.word(b"false").map(|()| Scalar::Bool(false)),
            _ => self.number().map(|number| Scalar::Number(natural(number))),
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        match self.next() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.broken()),
        }
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
