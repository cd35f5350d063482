//! A JSON value of which only the kind matters, or what it is read as.
//!
//! Reading fails only for broken JSON; a value of an unexpected kind is kept as its kind. Texts are
//! borrowed, the rest is skipped. Of a field that is there twice the last counts, as it does for the clients.

use std::borrow::Cow;

use crate::json::{Broken, Field, Json, Kind, Scalar};

/// A value; `O` is what an object is read as, `L` a list.
#[derive(Debug, Default)]
pub(crate) enum Value<'a, O = Skipped, L = Skipped> {
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

impl<'a, O: Object<'a>, L: List<'a>> Value<'a, O, L> {
    /// Reads a whole text.
    pub(crate) fn of(text: &'a [u8]) -> Result<Self, Broken> {
        let mut json = Json::new(text);
        let value = Self::read(&mut json)?;
        json.end()?;
        Ok(value)
    }

    /// Reads the next value.
    pub(crate) fn read(json: &mut Json<'a>) -> Result<Self, Broken> {
        Ok(match json.kind()? {
            Kind::Object => {
                let mut object = O::default();
                object.read(json)?;
                Self::Object(object)
            }
            Kind::List => {
                let mut list = L::default();
                list.read(json)?;
                Self::List(list)
            }
            Kind::Scalar => match json.scalar()? {
                Scalar::Null => Self::Null,
                Scalar::Bool(_) => Self::Bool,
                Scalar::Number(number) => Self::Number(number),
                Scalar::Text(text) => Self::Text(text),
            },
        })
    }
}

/// What an object is read as.
pub(crate) trait Object<'a>: Default {
    /// Reads the field of this name, if it is of interest.
    fn field(&mut self, name: &[u8], json: &mut Json<'a>) -> Result<Field, Broken>;

    /// Reads the object. What was read before it turned out to be broken stays.
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken> {
        json.object(|name, json| self.field(name, json))
    }
}

/// What a list is read as.
pub(crate) trait List<'a>: Default {
    /// Reads the list.
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken>;
}

/// An object or a list that nobody looks into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped;

impl<'a> Object<'a> for Skipped {
    fn field(&mut self, _: &[u8], _: &mut Json<'a>) -> Result<Field, Broken> {
        Ok(Field::Unread)
    }

    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken> {
        json.skip()
    }
}

impl<'a> List<'a> for Skipped {
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken> {
        json.skip()
    }
}

/// Says which fields of an object are read, all of them [`Value`]s.
macro_rules! fields {
    ($object:ident { $($name:literal => $field:ident),+ $(,)? }) => {
        impl<'a> $crate::messages::value::Object<'a> for $object<'a> {
            fn field(
                &mut self,
                name: &[u8],
                json: &mut $crate::json::Json<'a>,
            ) -> Result<$crate::json::Field, $crate::json::Broken> {
                match name {
                    $($name => self.$field = $crate::messages::value::Value::read(json)?,)+
                    _ => return Ok($crate::json::Field::Unread),
                }
                Ok($crate::json::Field::Read)
            }
        }
    };
}

pub(crate) use fields;
