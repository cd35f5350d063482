//! Changes one key of the configuration file, or takes it out, and nothing else in it.
//!
//! The new text is put into the old one at the place where the key's value stands or belongs; no other
//! byte is touched, so comments, order and line ends stay by construction. A list in lines is changed line
//! by line: what stays in it keeps its comments, what goes takes those right above and behind it along.
//! A key that is taken out leaves the comments above and behind it; what is inside its value goes with it.
//!
//! The outcome must say exactly what the old file said but for that key, and must be a valid
//! configuration; else nothing is written. A file that somebody else changes at the same time is left to
//! them.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rewrite::list::fill;
use super::rewrite::with_line_ends_of;
use crate::load::{LoadError, not_utf8};
use crate::read::parse;

/// Why a key was not changed. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read, or is not valid as it is or with the change.
    #[error(transparent)]
    Refused(#[from] LoadError),
    /// The file cannot be written.
    #[error("{} cannot be written; check that you may change it and its folder", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else wrote the file in the meantime.
    #[error("{} was changed by another program just now; try again", .0.display())]
    Changed(PathBuf),
    /// The file is written in a way that leaves no clear place for the key.
    #[error("{} is written in a way that only you can change: set {key} there by hand", path.display())]
    NoPlace {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
}

/// Gives the key, a path of tables with a name at its end, that value. The file appears whole under its
/// name, behind a symbolic link if it is one, with the permissions that it had. Blocks.
///
/// # Errors
///
/// The file is as it was; says why.
pub fn set(path: &Path, key: &[&str], value: impl Into<toml::Value>) -> Result<(), EditError> {
    let invalid = |problems| LoadError::Invalid {
        path: path.to_owned(),
        problems,
    };
    let before = Before::read(path)?;
    parse(&before.text).map_err(invalid)?;
    let edited = with(&before.text, key, &value.into()).ok_or_else(|| EditError::NoPlace {
        path: path.to_owned(),
        key: key.join("."),
    })?;
    parse(&edited).map_err(invalid)?;
    before.replace(&edited)
}

/// A configuration file as it was read, to be written anew if nobody else has meanwhile.
pub(super) struct Before {
    /// Behind a symbolic link, if it is one.
    file: PathBuf,
    pub(super) text: String,
}

impl Before {
    /// Reads it. Blocks.
    pub(super) fn read(path: &Path) -> Result<Self, EditError> {
        let unreadable = |source| LoadError::Io {
            path: path.to_owned(),
            source,
        };
        let file = fs::canonicalize(path).map_err(unreadable)?;
        let bytes = fs::read(&file).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|error| LoadError::Invalid {
            path: path.to_owned(),
            problems: not_utf8(&error),
        })?;
        Ok(Self { file, text })
    }

    /// Writes this text in its place. The file appears whole under its name, with the permissions that
    /// it had. Blocks.
    pub(super) fn replace(&self, text: &str) -> Result<(), EditError> {
        if text == self.text {
            return Ok(());
        }
        replace(&self.file, self.text.as_bytes(), text.as_bytes())
    }
}

fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), EditError> {
    let unwritable = |source| EditError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    file.write_all(after).map_err(unwritable)?;
    let permissions = fs::metadata(path).map_err(unwritable)?.permissions();
    file.as_file()
        .set_permissions(permissions)
        .map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    if fs::read(path).map_err(unwritable)? != before {
        return Err(EditError::Changed(path.to_owned()));
    }
    file.persist(path)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// The text with that value for the key, if there is a way to write it that changes nothing else.
pub(super) fn with(text: &str, key: &[&str], value: &toml::Value) -> Option<String> {
    let said: toml::Table = toml::from_str(text).ok()?;
    let wanted = table_with(said.clone(), key, value)?;
    if said == wanted {
        return Some(text.to_owned());
    }
    let document = DeTable::parse(text).ok()?;
    let edits = Place::find(text, document.get_ref(), key)?.edits(text, key, value);
    let outcomes = edits.into_iter().map(|edit| edit.applied(text));
    let is_right = |outcome: &String| {
        toml::from_str::<toml::Table>(outcome).is_ok_and(|table| table == wanted)
    };
    outcomes.into_iter().find(is_right)
}

/// The text without the key, if there is a way to take it out that changes nothing else. A comment above
/// it, or behind it on its line, stays.
pub(super) fn without(text: &str, key: &[&str]) -> Option<String> {
    let said: toml::Table = toml::from_str(text).ok()?;
    let wanted = table_without(said.clone(), key)?;
    if said == wanted {
        return Some(text.to_owned());
    }
    let document = DeTable::parse(text).ok()?;
    let (name, tables) = key.split_last()?;
    let mut entries = document.get_ref();
    let mut in_braces = false;
    for table in tables {
        let value = entries.get(*table)?;
        in_braces |= matches!(Style::of(text, &value.span()), Style::Braces);
        entries = value.get_ref().as_table()?;
    }
    let (written, value) = entries.get_key_value(*name)?;
    let (from, to) = (written.span().start, value.span().end);
    let edits = if in_braces {
        without_comma(text, from, to)
    } else {
        vec![without_line(text, from, to)]
    };
    let is_right = |outcome: &String| {
        let table = toml::from_str::<toml::Table>(outcome);
        table.is_ok_and(|table| without_empty(table) == without_empty(wanted.clone()))
    };
    let outcomes = edits.into_iter().map(|edit| edit.applied(text));
    outcomes.into_iter().find(is_right)
}

fn without_line(text: &str, from: usize, to: usize) -> Edit {
    let line = text[..from].rfind('\n').map_or(0, |end| end + 1);
    let rest = &text[to..next_line(text, to)];
    let kept = match rest.trim_start() {
        comment if comment.starts_with('#') => comment.len(),
        _ => 0,
    };
    Edit {
        range: line..to + rest.len() - kept,
        new: String::new(),
    }
}

/// Together with the comma behind it, or the one before it.
fn without_comma(text: &str, from: usize, to: usize) -> Vec<Edit> {
    let cut = |range| Edit {
        range,
        new: String::new(),
    };
    let behind = text[to..].trim_start().strip_prefix(',');
    let behind = behind.map(|rest| from..text.len() - rest.trim_start_matches(' ').len());
    let before = text[..from].trim_end().strip_suffix(',');
    // A comma at the end of a comment is none.
    let before = before.filter(|rest| !rest[rest.rfind('\n').unwrap_or(0)..].contains('#'));
    let before = before.map(|rest| rest.len()..to);
    behind
        .into_iter()
        .chain(before)
        .chain(std::iter::once(from..to))
        .map(cut)
        .collect()
}

fn table_without(mut table: toml::Table, key: &[&str]) -> Option<toml::Table> {
    let (name, tables) = key.split_last()?;
    let mut inner = &mut table;
    for name in tables {
        match inner.get_mut(*name) {
            Some(value) => inner = value.as_table_mut()?,
            None => return Some(table),
        }
    }
    inner.remove(*name);
    Some(table)
}

/// A table whose last key went may be gone with it.
fn without_empty(mut table: toml::Table) -> toml::Table {
    table.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
    table
}

fn table_with(mut table: toml::Table, key: &[&str], value: &toml::Value) -> Option<toml::Table> {
    let (name, tables) = key.split_last()?;
    let mut inner = &mut table;
    for table in tables {
        let entry = inner.entry(*table);
        let entry = entry.or_insert_with(|| toml::Table::new().into());
        inner = entry.as_table_mut()?;
    }
    inner.insert((*name).to_owned(), value.clone());
    Some(table)
}

/// These bytes give way to that text.
struct Edit {
    range: Range<usize>,
    new: String,
}

impl Edit {
    fn applied(&self, text: &str) -> String {
        let (before, after) = (&text[..self.range.start], &text[self.range.end..]);
        format!("{before}{}{after}", self.new)
    }
}

/// Where a key stands or belongs.
enum Place {
    /// It has a value, which stands there.
    Value(Range<usize>),
    /// Its table is written in braces there; the last entry ends at `after`.
    Braces {
        range: Range<usize>,
        after: Option<usize>,
    },
    /// Below the header, or the last entry, that ends at `after`; written with the last `depth` names of
    /// the key.
    Line { after: Option<usize>, depth: usize },
    /// Nowhere yet.
    End,
}

impl Place {
    fn find(text: &str, document: &DeTable<'_>, key: &[&str]) -> Option<Self> {
        let (name, tables) = key.split_last()?;
        let mut entries = document;
        let mut place = Self::Line {
            after: end_of_entries(text, document),
            depth: 1,
        };
        for table in tables {
            let Some(value) = entries.get(*table) else {
                return Some(Self::End);
            };
            entries = value.get_ref().as_table()?;
            let last = end_of_entries(text, entries);
            let span = value.span();
            place = match Style::of(text, &span) {
                Style::Header => Self::Line {
                    after: Some(last.unwrap_or(span.end).max(span.end)),
                    depth: 1,
                },
                Style::Braces => Self::Braces {
                    range: span,
                    after: last,
                },
                Style::Dotted if last.is_none() => Self::End,
                Style::Dotted => {
                    let Self::Line { depth, .. } = place else {
                        return Some(Self::End);
                    };
                    Self::Line {
                        after: last,
                        depth: depth + 1,
                    }
                }
            };
        }
        match entries.get(*name) {
            Some(value) if value.get_ref().is_table() => None,
            Some(value) => Some(Self::Value(value.span())),
            None => Some(place),
        }
    }

    /// Ways to write it, the best one first.
    fn edits(self, text: &str, key: &[&str], value: &toml::Value) -> Vec<Edit> {
        let (name, tables) = key.split_last().unwrap_or((&"", &[]));
        let entry = format!("{} = {value}", quoted(name));
        let line_end = if text
            .split('\n')
            .next()
            .is_some_and(|line| line.ends_with('\r'))
        {
            "\r\n"
        } else {
            "\n"
        };
        let insert = |at: usize, new: String| Edit { range: at..at, new };
        match self {
            Self::Value(range) => {
                let plain = Edit {
                    range: range.clone(),
                    new: value.to_string(),
                };
                let in_lines = list_in_lines(&text[range.clone()], value);
                let in_lines = in_lines.map(|new| Edit { range, new });
                in_lines.into_iter().chain([plain]).collect()
            }
            Self::Braces {
                range,
                after: Some(after),
            } => {
                let line = text[..after].rfind('\n').map_or(0, |end| end + 1);
                let indentation = text[line..].trim_start_matches([' ', '\t']);
                let indentation = &text[line..text.len() - indentation.len()];
                let rest = text[after..next_line(text, after)].trim_end();
                let comma = if rest.starts_with(',') { "" } else { "," };
                let in_lines = (line > range.start).then(|| Edit {
                    range: after..after + rest.len(),
                    new: format!("{comma}{rest}{line_end}{indentation}{entry}"),
                });
                let plain = insert(after, format!(", {entry}"));
                in_lines.into_iter().chain([plain]).collect()
            }
            Self::Braces { range, after: None } if text[range.clone()].contains('#') => {
                vec![insert(range.start + 1, format!(" {entry}"))]
            }
            Self::Braces { range, after: None } => vec![Edit {
                range,
                new: format!("{{ {entry} }}"),
            }],
            Self::Line { after, depth } => {
                let path = &key[key.len().saturating_sub(depth)..];
                let path: Vec<String> = path.iter().map(|name| quoted(name)).collect();
                let entry = format!("{} = {value}", path.join("."));
                let at = after.map_or(0, |after| next_line(text, after));
                let line = |at: usize| {
                    if at == 0 || text[..at].ends_with('\n') {
                        insert(at, format!("{entry}{line_end}"))
                    } else {
                        insert(at, format!("{line_end}{entry}{line_end}"))
                    }
                };
                let commented = commented_out(text, after.unwrap_or(0), name);
                commented.into_iter().chain([at]).map(line).collect()
            }
            Self::End => {
                let header: Vec<String> = tables.iter().map(|name| quoted(name)).collect();
                let gap = match text {
                    "" => String::new(),
                    text if text.ends_with('\n') => line_end.to_owned(),
                    _ => line_end.repeat(2),
                };
                let header = header.join(".");
                vec![insert(
                    text.len(),
                    format!("{gap}[{header}]{line_end}{entry}{line_end}"),
                )]
            }
        }
    }
}

/// The list that stands there in lines, with these values.
fn list_in_lines(list: &str, value: &toml::Value) -> Option<String> {
    if !list.starts_with('[') || !list.contains('\n') {
        return None;
    }
    let values = value.as_array()?.iter();
    let values: Result<Vec<toml_edit::Value>, _> =
        values.map(|value| value.to_string().parse()).collect();
    let mut lines: toml_edit::Value = list.replace("\r\n", "\n").parse().ok()?;
    fill(lines.as_array_mut()?, values.ok()?);
    Some(with_line_ends_of(list, &lines.to_string()))
}

/// How a table is written.
enum Style {
    /// `[table]`
    Header,
    /// `table = { … }`
    Braces,
    /// `table.key = …`, or only as a part of another table's header.
    Dotted,
}

impl Style {
    fn of(text: &str, span: &Range<usize>) -> Self {
        match text.as_bytes().get(span.start) {
            Some(b'[') => Self::Header,
            Some(b'{') => Self::Braces,
            Some(_) | None => Self::Dotted,
        }
    }
}

/// Where the last entry ends that is written directly in the table, not below a header of its own.
fn end_of_entries(text: &str, table: &DeTable<'_>) -> Option<usize> {
    let ends = table.iter().filter_map(|(_, value)| end_of(text, value));
    ends.max()
}

fn end_of(text: &str, value: &Spanned<DeValue<'_>>) -> Option<usize> {
    let span = value.span();
    match value.get_ref() {
        DeValue::Table(table) => match Style::of(text, &span) {
            Style::Header => None,
            Style::Braces => Some(span.end),
            Style::Dotted => end_of_entries(text, table),
        },
        DeValue::Array(items) => {
            let is_header = |item: &Spanned<DeValue<'_>>| {
                item.get_ref().is_table() && text[item.span()].starts_with("[[")
            };
            let below_headers = items.iter().any(is_header);
            (!below_headers).then_some(span.end)
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => Some(span.end),
    }
}

/// The line after the one in this section where the key is commented out, as in the default file.
fn commented_out(text: &str, from: usize, name: &str) -> Option<usize> {
    let mut at = next_line(text, from);
    for line in text[at..].split_inclusive('\n') {
        at += line.len();
        if line.starts_with('[') {
            return None;
        }
        let comment = line.strip_prefix('#').map(str::trim_start);
        let rest = comment.and_then(|comment| comment.strip_prefix(name));
        if rest.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(at);
        }
    }
    None
}

fn next_line(text: &str, from: usize) -> usize {
    let end = text[from..].find('\n');
    end.map_or(text.len(), |end| from + end + 1)
}

fn quoted(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) {
        return name.to_owned();
    }
    toml::Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{EXAMPLE, commented_default};

    const LAUNCH: &[&str] = &["desktop", "launch_at_login"];

    fn launched(text: &str) -> String {
        with(text, LAUNCH, &toml::Value::from(true)).unwrap()
    }

    #[test]
    fn the_value_gives_way_and_nothing_else() {
        let cases = [
            (
                "# a\n[desktop] # b\nlaunch_at_login=false# c\n\n[ui]\n",
                "# a\n[desktop] # b\nlaunch_at_login=true# c\n\n[ui]\n",
            ),
            (
                "desktop = {launch_at_login   =   false} # x",
                "desktop = {launch_at_login   =   true} # x",
            ),
            (
                "desktop.\"launch_at_login\" = false\r\n",
                "desktop.\"launch_at_login\" = true\r\n",
            ),
        ];

        for (before, after) in cases {
            assert_eq!(launched(before), after);
        }
    }

    #[test]
    fn a_missing_key_goes_where_its_table_is() {
        let cases = [
            ("", "[desktop]\nlaunch_at_login = true\n"),
            (
                "[ui]\r\ntheme = \"dark\"\r\n",
                "[ui]\r\ntheme = \"dark\"\r\n\r\n[desktop]\r\nlaunch_at_login = true\r\n",
            ),
            (
                "[ui]\ntheme = \"dark\"",
                "[ui]\ntheme = \"dark\"\n\n[desktop]\nlaunch_at_login = true\n",
            ),
            (
                "[desktop]\nstart_hidden = true # x\n# y\n\n[ui]\n",
                "[desktop]\nstart_hidden = true # x\nlaunch_at_login = true\n# y\n\n[ui]\n",
            ),
            ("[desktop]", "[desktop]\nlaunch_at_login = true\n"),
            (
                "desktop.start_hidden = true\n[ui]\n",
                "desktop.start_hidden = true\ndesktop.launch_at_login = true\n[ui]\n",
            ),
            ("desktop = {}\n", "desktop = { launch_at_login = true }\n"),
            (
                "desktop = { start_hidden = true }\n",
                "desktop = { start_hidden = true, launch_at_login = true }\n",
            ),
            (
                "[desktop]\n# Whether.\n#launch_at_login = false\n# Other.\n#x = 1\n",
                "[desktop]\n# Whether.\n#launch_at_login = false\nlaunch_at_login = true\n# Other.\n#x = 1\n",
            ),
            (
                "[desktop.more]\na = 1\n",
                "[desktop.more]\na = 1\n\n[desktop]\nlaunch_at_login = true\n",
            ),
        ];

        for (before, after) in cases {
            assert_eq!(launched(before), after);
        }
    }

    #[test]
    fn a_key_is_taken_out_and_comments_stay() {
        let cases = [
            (
                "# a\n[desktop] # b\n# Whether.\nlaunch_at_login = true\nstart_hidden = true\n",
                "# a\n[desktop] # b\n# Whether.\nstart_hidden = true\n",
            ),
            (
                "[desktop]\r\nlaunch_at_login = true # mine\r\n[ui]\r\n",
                "[desktop]\r\n# mine\r\n[ui]\r\n",
            ),
            ("[desktop]\nlaunch_at_login = true", "[desktop]\n"),
            ("desktop.launch_at_login = true\n[ui]\n", "[ui]\n"),
            (
                "desktop = { launch_at_login = true, start_hidden = true }\n",
                "desktop = { start_hidden = true }\n",
            ),
            (
                "desktop = { start_hidden = true, launch_at_login = true }\n",
                "desktop = { start_hidden = true }\n",
            ),
            ("desktop = { launch_at_login = true }\n", "desktop = {  }\n"),
            (
                "[desktop]\n#launch_at_login = true\n",
                "[desktop]\n#launch_at_login = true\n",
            ),
            ("[ui]\n", "[ui]\n"),
        ];

        for (before, after) in cases {
            assert_eq!(without(before, LAUNCH).as_deref(), Some(after), "{before}");
        }
        let lines = "[server]\nallowed_hosts = [\n  \"a\", # a\n] # b\nport = 1\n";
        let hosts = without(lines, &["server", "allowed_hosts"]);
        assert_eq!(hosts.as_deref(), Some("[server]\n# b\nport = 1\n"));
    }

    #[test]
    fn every_key_of_the_example_can_be_taken_out() {
        let document: toml::Table = toml::from_str(EXAMPLE).unwrap();
        for (table, entries) in &document {
            for name in entries.as_table().into_iter().flat_map(toml::Table::keys) {
                let shorter = without(EXAMPLE, &[table, name]).unwrap();

                let lines = (EXAMPLE.lines().count(), shorter.lines().count());
                assert_eq!(lines.0, lines.1 + 1, "{table}.{name}");
            }
        }
    }

    #[test]
    fn what_is_no_single_value_is_left_alone() {
        for text in [
            "[desktop.launch_at_login]\nx = 1\n",
            "desktop = 3\n",
            "[[desktop]]\nx = 1\n",
            "[[desktop.launch_at_login]]\nx = 1\n",
        ] {
            assert_eq!(with(text, LAUNCH, &true.into()), None, "{text}");
        }
    }

    #[test]
    fn every_key_of_the_example_can_be_changed_and_changed_back() {
        for text in [EXAMPLE, &EXAMPLE.replace('\n', "\r\n")] {
            let document: toml::Table = toml::from_str(text).unwrap();
            let tables = document.iter().filter_map(|(table, entries)| {
                let entries = entries.as_table()?.iter();
                Some(entries.map(move |(name, value)| ([table.as_str(), name.as_str()], value)))
            });
            let mut changes = 0;
            for (key, value) in tables.flatten().filter(|(_, value)| !value.is_table()) {
                let changed = with(text, &key, &"something else".into()).unwrap();
                let back = with(&changed, &key, value).unwrap();

                // A number may come back in another spelling.
                assert_eq!(other_lines(text, &changed), 1, "{key:?}");
                assert!(other_lines(text, &back) <= 1, "{key:?}");
                assert_eq!(with(text, &key, value).unwrap(), text, "{key:?}");
                changes += 1;
            }
            assert!(changes > 50, "{changes}");
        }
    }

    /// How many lines differ, line ends included.
    fn other_lines(one: &str, other: &str) -> usize {
        let lines = |text: &str| {
            text.split_inclusive('\n')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (one, other) = (lines(one), lines(other));
        assert_eq!(one.len(), other.len());
        one.iter()
            .zip(&other)
            .filter(|(one, other)| one != other)
            .count()
    }

    #[test]
    fn in_the_default_file_a_key_appears_below_its_own_comment() {
        let text = commented_default();

        let changed = launched(&text);

        let (before, after) = changed.split_once("launch_at_login = true\n").unwrap();
        let (_, last_line) = before.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(last_line, "#launch_at_login = false");
        assert_eq!(format!("{before}{after}"), text);
        assert!(parse(&changed).unwrap().config.desktop.launch_at_login);
    }

    #[test]
    fn a_change_that_is_not_valid_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[server]\nport = 1\n").unwrap();

        let error = set(&path, &["server", "port"], -1).unwrap_err();

        assert!(error.to_string().contains("server.port"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"[server]\nport = 1\n");
    }

    #[test]
    fn a_file_that_another_program_changed_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[ui]\n").unwrap();

        let outcome = replace(&path, b"", b"[desktop]\n");

        assert!(matches!(outcome, Err(EditError::Changed(_))));
        assert_eq!(fs::read(&path).unwrap(), b"[ui]\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay_what_they_were() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (
            folder.path().join("real"),
            folder.path().join("config.toml"),
        );
        fs::write(&file, "# mine\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();

        set(&link, LAUNCH, true).unwrap();

        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "# mine\n\n[desktop]\nlaunch_at_login = true\n");
    }
}
