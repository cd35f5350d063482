//! Errors and warnings about a configuration, in words for its author.
//!
//! No text here repeats a string of the file, because it may be a secret in the wrong place. Line and key
//! say where to look. Names of groups and endpoints are the exception, since they are shown everywhere.

use std::fmt;

use zephyr_secrets::environment::UnreadableLine;

/// One error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1. `None` if no line can be named.
    pub line: Option<usize>,
    /// A path such as `groups[0].endpoints[1].url`. Empty if the text is not TOML.
    pub key: String,
    /// The key is the grammatical subject.
    pub message: String,
    /// Tells what to write instead.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

impl From<UnreadableLine> for Problem {
    fn from(UnreadableLine { line }: UnreadableLine) -> Self {
        Self {
            line,
            key: ".env".to_owned(),
            message: "has a line that is not of the form NAME=value, and is ignored".to_owned(),
            remedy: "write NAME='value' if the value has spaces, quotes or a #".to_owned(),
        }
    }
}

/// Every error of a configuration by line, at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_a_line(.0))]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts the errors. `None` if there are none.
    pub(crate) fn collect(mut found: Vec<Problem>) -> Option<Self> {
        sort(&mut found);
        (!found.is_empty()).then_some(Self(found))
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl From<Problem> for Problems {
    fn from(only: Problem) -> Self {
        Self(vec![only])
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

pub(crate) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| a.line.cmp(&b.line).then_with(|| a.key.cmp(&b.key)));
}

fn one_a_line(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
