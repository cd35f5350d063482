//! Reads objects, lists and their values.

use super::cursor::{Broken, Json};
use super::number::natural;
use super::string::text_of;
use super::value::{Field, Kind, Scalar};

impl<'a> Json<'a> {
    /// The kind of the next value.
    pub(crate) fn kind(&mut self) -> Result<Kind, Broken> {
        Ok(match self.next()? {
            b'{' => Kind::Object,
            b'[' => Kind::List,
            _ => Kind::Scalar,
        })
    }

    /// Reads an object field by field. Returns early after [`Field::Last`].
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

    /// Reads a list element by element. Each element must be read or skipped.
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

    /// Only white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        match self.next() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.broken()),
        }
    }
}
