//! The text that may be shown.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shapes;

/// Takes the place of a secret. JSON and URLs can have it without escapes.
pub const GONE: &str = "[redacted]";

/// Text without secrets.
///
/// A [`Redactor`](crate::Redactor) makes it. Words of the program itself become one by `into`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted(Cow<'static, str>);

impl Redacted {
    /// The text without these parts.
    pub(crate) fn without(text: &str, mut spans: Vec<Span>) -> Self {
        // Where several begin, the one that says so comes first.
        spans.sort_by_key(|span| (span.range.start, span.is_rest));
        let mut kept = String::with_capacity(text.len());
        let mut done = 0;
        for span in spans {
            let (start, end) = (
                text.floor_char_boundary(span.range.start),
                text.ceil_char_boundary(span.range.end),
            );
            if start >= done {
                kept.push_str(&text[done..start]);
                if !span.is_rest {
                    kept.push_str(GONE);
                }
            }
            done = done.max(end);
        }
        kept.push_str(&text[done..]);
        Self(kept.into())
    }

    /// The text without everything that looks like a credential. For places that know no secret; others ask
    /// their [`Redactor`](crate::Redactor).
    pub fn by_shape(text: &str) -> Self {
        let spans = shapes::spans(text);
        Self::without(text, spans.into_iter().map(Span::new).collect())
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

/// A part of a text that goes.
pub(crate) struct Span {
    pub(crate) range: Range<usize>,
    /// Whether nothing takes its place: it belongs to one before it.
    pub(crate) is_rest: bool,
}

impl Span {
    pub(crate) fn new(range: Range<usize>) -> Self {
        let is_rest = false;
        Self { range, is_rest }
    }

    pub(crate) fn rest(range: Range<usize>) -> Self {
        let is_rest = true;
        Self { range, is_rest }
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
