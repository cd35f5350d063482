//! Why a text is not changed.

use super::document::NotRewritten;
use crate::read::parse;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    #[error("there is no endpoint of that name; there are: {}", .0.join(", "))]
    UnknownEndpoint(Vec<String>),
    /// The key does not exist, or a form cannot set it alone. Perhaps this one is meant.
    #[error("is not a setting{}", .0.map(|near| format!("; is {near} meant?")).unwrap_or_default())]
    UnknownKey(Option<&'static str>),
    /// The key takes other values.
    #[error("takes {0}")]
    OtherKind(String),
    /// The endpoint belongs to this group, whose endpoints stay together.
    #[error(
        "the endpoints of group {0} share a credential and stay together; to move one of them elsewhere, give it another group"
    )]
    Apart(String),
    /// The text has something that stands in the way. The message names it with its line.
    #[error("{0}")]
    Unwritable(String),
}

impl NotChanged {
    pub(super) fn of(why: NotRewritten, text: &str) -> Self {
        match why {
            NotRewritten::Unknown(names) => Self::UnknownEndpoint(names),
            NotRewritten::Apart(group) => Self::Apart(group),
            NotRewritten::Unwritable { line } => Self::Unwritable(format!(
                "line {line}: the keys of one table are apart from each other here, and this change would move \
                 them; write them one below the other, then try again"
            )),
            NotRewritten::Refused => Self::Unwritable(match parse(text) {
                Err(problems) => problems.to_string(),
                Ok(_) => "the file has something else in that place; change it by hand".to_owned(),
            }),
        }
    }
}
