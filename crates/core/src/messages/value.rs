//! A JSON value. Only its kind matters, or the type that it is read as.
//!
//! Reading fails only for broken JSON. A value of an unexpected kind is kept as that kind. Texts are
//! borrowed, and the rest is skipped. If an object has a field twice, the last one counts, as it does for
//! clients.

use std::borrow::Cow;

use crate::json::{Broken, Field, Json, Kind, Scalar};

/// A value. `O` is the type for an object, `L` the type for a list.
#[derive(Debug, Default)]
pub(crate) enum Value<'a, O = Skipped, L = Skipped> {
    /// The field is absent.
    #[default]
    Nothing,
    Null,
    Bool,
    /// A number. Its value, if it is a natural number.
    Number(Option<u64>),
    Text(Cow<'a, str>),
    List(L),
    Object(O),
}

impl<O, L> Value<'_, O, L> {
    /// The kind in words.
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

/// The type for an object.
pub(crate) trait Object<'a>: Default {
    /// Reads the field of this name, if it is needed.
    fn field(&mut self, name: &[u8], json: &mut Json<'a>) -> Result<Field, Broken>;

    /// Reads the object. If it is broken, the fields before that stay.
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken> {
        json.object(|name, json| self.field(name, json))
    }
}

/// The type for a list.
pub(crate) trait List<'a>: Default {
    /// Reads the list.
    fn read(&mut self, json: &mut Json<'a>) -> Result<(), Broken>;
}

/// An object or a list whose content is not needed.
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

/// Declares the fields of an object. All of them are [`Value`]s.
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
