//! The text that may be shown.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::redactor;

/// Text without secrets.
///
/// A [`Redactor`](crate::Redactor) makes it. Words of the program itself become one by `into`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted(Cow<'static, str>);

impl Redacted {
    pub(crate) fn made(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The text without everything that looks like a credential. For places that know no secret; others ask
    /// their [`Redactor`](crate::Redactor).
    pub fn by_shape(text: &str) -> Self {
        redactor::by_shape(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0.into_owned()
    }

    /// At most this many bytes from the beginning, and whether the rest was cut off.
    pub fn beginning(mut self, most: usize) -> (Self, bool) {
        if self.0.len() <= most {
            return (self, false);
        }
        let end = self.0.floor_char_boundary(most);
        self.0.to_mut().truncate(end);
        (self, true)
    }
}

impl From<&'static str> for Redacted {
    fn from(words: &'static str) -> Self {
        Self(Cow::Borrowed(words))
    }
}

impl Deref for Redacted {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Redacted {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Redacted {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Redacted {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Redacted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What another process says was redacted there. It loses what looks like a credential here too.
impl<'de> Deserialize<'de> for Redacted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::by_shape(&text))
    }
}
