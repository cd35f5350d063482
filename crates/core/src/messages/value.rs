//! A JSON value of which only the kind matters, or what it is read as.
//!
//! Reading fails only for broken JSON; a value of an unexpected kind is kept as its kind. Texts are
//! borrowed, the rest is skipped.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value; `O` is what an object is read as, `L` a list.
#[derive(Debug, Default)]
pub(crate) enum Value<'a, O = IgnoredAny, L = IgnoredAny> {
    /// The field is absent.
    #[default]
    Nothing,
    Null,
    Bool,
    /// A number; its value if it is a natural number.
    Number(Option<u64>),
    Text(Cow<'a, str>),
    List(L),
    Object(O),
}

impl<O, L> Value<'_, O, L> {
    /// Its kind, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => *number,
            Self::Nothing
            | Self::Null
            | Self::Bool
            | Self::Text(_)
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&O> {
        match self {
            Self::Object(object) => Some(object),
            Self::Nothing
            | Self::Null
            | Self::Bool
            | Self::Number(_)
            | Self::Text(_)
            | Self::List(_) => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing
            | Self::Null
            | Self::Bool
            | Self::Number(_)
            | Self::List(_)
            | Self::Object(_) => None,
        }
    }
}

struct Reader<'a, O, L>(PhantomData<(&'a (), O, L)>);

impl<'de: 'a, 'a, O, L> Deserialize<'de> for Value<'a, O, L>
where
    O: Deserialize<'de>,
    L: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl<'de: 'a, 'a, O, L> Visitor<'de> for Reader<'a, O, L>
where
    O: Deserialize<'de>,
    L: Deserialize<'de>,
{
    type Value = Value<'a, O, L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(Some(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(u64::try_from(number).ok()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(None))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        L::deserialize(SeqAccessDeserializer::new(list)).map(Value::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        O::deserialize(MapAccessDeserializer::new(object)).map(Value::Object)
    }
}
