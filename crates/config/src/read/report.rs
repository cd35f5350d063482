//! Collects errors and warnings, with lines, while the document is read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use zephyr_control::{SettingKind, SettingValue};

use super::keys;
use super::plain_secret::is_secret;
use crate::problem::{Problem, Problems, sort};

/// Errors and warnings so far, and every key that was asked for.
pub(crate) struct Report<'t> {
    text: &'t str,
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    known: RefCell<BTreeSet<String>>,
    shapes: RefCell<BTreeMap<String, Shape>>,
    unknown: RefCell<Vec<Unknown>>,
}

/// The values of a key, as its reader describes them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) kind: SettingKind,
    /// For a file without the key.
    pub(crate) default: SettingValue,
}

struct Unknown {
    line: Option<usize>,
    path: String,
    /// The table's pattern, empty for the root.
    table: String,
    key: String,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            errors: RefCell::default(),
            warnings: RefCell::default(),
            known: RefCell::default(),
            shapes: RefCell::default(),
            unknown: RefCell::default(),
        }
    }

    /// An error at this byte of the text. Only the first one about a key is kept, since the others follow
    /// from it.
    pub(crate) fn error(
        &self,
        at: Option<usize>,
        key: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem = self.problem(at, key, message.into(), remedy.into());
        let mut errors = self.errors.borrow_mut();
        if !errors.iter().any(|earlier| earlier.key == problem.key) {
            errors.push(problem);
        }
    }

    /// Whether an error is on this line.
    pub(crate) fn has_error(&self, line: Option<usize>) -> bool {
        self.errors.borrow().iter().any(|error| error.line == line)
    }

    /// A warning at this byte of the text.
    pub(crate) fn warn(
        &self,
        at: Option<usize>,
        key: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem = self.problem(at, key, message.into(), remedy.into());
        self.warnings.borrow_mut().push(problem);
    }

    /// Notes that the key of this pattern exists.
    pub(crate) fn know(&self, pattern: &str) {
        let mut known = self.known.borrow_mut();
        if !known.contains(pattern) {
            known.insert(pattern.to_owned());
        }
    }

    /// Notes the values of the key of this pattern.
    pub(crate) fn describe(&self, pattern: String, shape: Shape) {
        self.shapes.borrow_mut().insert(pattern, shape);
    }

    /// The values of every key, by pattern.
    pub(crate) fn shapes(&self) -> BTreeMap<String, Shape> {
        self.shapes.take()
    }

    /// A key that no reader asked for. It is judged at the end, when all known keys are noted.
    pub(crate) fn unknown(&self, at: usize, path: &str, table: &str, key: &str) {
        self.unknown.borrow_mut().push(Unknown {
            line: self.line(Some(at)),
            path: path.to_owned(),
            table: table.to_owned(),
            key: key.to_owned(),
        });
    }

    /// Patterns of all keys that were asked for.
    #[cfg(test)]
    pub(crate) fn known(&self) -> BTreeSet<String> {
        self.known.borrow().clone()
    }

    /// The line, from 1, of a byte of the text.
    pub(crate) fn line(&self, at: Option<usize>) -> Option<usize> {
        let before = self.text.as_bytes().get(..at?.min(self.text.len()))?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }

    /// The warnings by line, unless there are errors.
    pub(crate) fn settle(self) -> Result<Vec<Problem>, Problems> {
        self.judge_unknown();
        if let Some(problems) = Problems::collect(self.errors.into_inner()) {
            return Err(problems);
        }
        let mut warnings = self.warnings.into_inner();
        sort(&mut warnings);
        Ok(warnings)
    }

    fn judge_unknown(&self) {
        let known = self.known.borrow();
        for unknown in self.unknown.borrow().iter() {
            let pattern = key_pattern(&unknown.table, &unknown.key);
            let refused = |problem: &Problem| problem.key == unknown.path;
            if self.errors.borrow().iter().any(refused) {
                continue;
            }
            let (message, remedy) = if let Some(meanwhile) = keys::not_yet_exactly(&pattern) {
                no_effect_yet(meanwhile)
            } else if let Some(note) = keys::without_effect(&pattern) {
                (
                    format!("has no effect: {note}"),
                    "delete it, or leave it as it is".to_owned(),
                )
            } else {
                (
                    "is not a key that Zephyr knows, and is ignored".to_owned(),
                    suggestion(&known, &unknown.table, &unknown.key),
                )
            };
            self.warnings.borrow_mut().push(Problem {
                line: unknown.line,
                key: unknown.path.clone(),
                message,
                remedy,
            });
        }
    }

    fn problem(&self, at: Option<usize>, key: &str, message: String, remedy: String) -> Problem {
        Problem {
            line: self.line(at),
            key: key.to_owned(),
            message,
            remedy,
        }
    }
}

/// Message and remedy for a key whose feature does not exist yet.
pub(crate) fn no_effect_yet(meanwhile: &str) -> (String, String) {
    (
        format!("has no effect yet: {meanwhile}"),
        "delete it, or keep it for a later version".to_owned(),
    )
}

/// The path of a key in the table of that path, as it is shown.
pub(crate) fn key_path(table: &str, key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let shown = if is_secret(key) {
        "(hidden)".to_owned()
    } else if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    };
    join(table, &shown)
}

/// The pattern of a key in the table of that pattern.
pub(crate) fn key_pattern(table: &str, key: &str) -> String {
    join(table, key)
}

/// The candidate that is probably meant, if one is near enough.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word = word.to_lowercase().replace('-', "_");
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |candidate: &str| {
        let shorter = word.len().min(candidate.len());
        let is_beginning = word.starts_with(candidate) || candidate.starts_with(&word);
        if is_beginning && shorter >= 4 {
            1
        } else {
            strsim::osa_distance(&word, candidate)
        }
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn suggestion(known: &BTreeSet<String>, table: &str, key: &str) -> String {
    let siblings: Vec<&str> = known
        .iter()
        .filter_map(|pattern| child_of(table, pattern))
        .collect();
    if let Some(near) = nearest(key, siblings.iter().copied()) {
        return format!("write {near} if that is meant");
    }
    let elsewhere = known.iter().find(|pattern| {
        let (home, name) = pattern.rsplit_once('.').unwrap_or(("", pattern));
        name == key && !home.contains('[') && !home.is_empty()
    });
    if let Some((home, name)) = elsewhere.and_then(|pattern| pattern.rsplit_once('.')) {
        return format!("move it into [{home}] if {home}.{name} is meant");
    }
    if siblings.is_empty() {
        return "delete it".to_owned();
    }
    format!("delete it, or write one of {}", siblings.join(", "))
}

fn child_of<'p>(table: &str, pattern: &'p str) -> Option<&'p str> {
    let child = if table.is_empty() {
        pattern
    } else {
        pattern.strip_prefix(table)?.strip_prefix('.')?
    };
    (!child.contains(['.', '['])).then_some(child)
}

fn join(table: &str, key: &str) -> String {
    if table.is_empty() {
        key.to_owned()
    } else {
        format!("{table}.{key}")
    }
}
