//! One key of one table: its value, or its absence.
//!
//! Nothing else changes. A list on several lines is changed line by line. An element that stays keeps its
//! comments. An element that leaves takes the comments directly above it and behind it along. The comments
//! above a removed key and behind it stay. The comments inside its value go with it.

use toml_edit::{DocumentMut, Item, Table, Value};

use super::array::fill;
use super::entry::Entry;
use super::headers::{self, Place};
use super::text::{NotRewritten, on_document};
use super::{lines, pairs};

/// The text with this value for the key, given as table and name.
pub(in crate::edit) fn set(
    text: &str,
    [table, name]: [&str; 2],
    value: Value,
) -> Result<String, NotRewritten> {
    let set = |document: &mut DocumentMut| {
        if !document.contains_key(table) {
            let mut new = Table::new();
            Place::at_end(document).give(&mut new);
            new.insert(name, Item::Value(value));
            document.insert(table, Item::Table(new));
            return Ok(());
        }
        let keys = document[table].as_table_like_mut();
        if let Some(old) = keys.and_then(|keys| keys.get_mut(name)) {
            replace(old.as_value_mut().ok_or(NotRewritten::Refused)?, value);
            return Ok(());
        }
        match &mut document[table] {
            Item::Value(Value::InlineTable(braces)) => pairs::append(braces, name, value),
            Item::Table(_) => add_line(document, table, name, value),
            Item::Value(_) | Item::ArrayOfTables(_) | Item::None => {
                return Err(NotRewritten::Refused);
            }
        }
        Ok(())
    };
    Ok(on_document(text, set)?.0)
}

/// The text without the key, given as table and name.
pub(in crate::edit) fn unset(text: &str, [table, name]: [&str; 2]) -> Result<String, NotRewritten> {
    let unset = |document: &mut DocumentMut| {
        match document.get_mut(table) {
            None => {}
            Some(Item::Table(inner)) if inner.is_dotted() => {
                let comments = lines::remove(document.as_table_mut(), &[table, name]);
                let below = headers::gap(document, None);
                headers::set_gap(document, None, comments + &below);
            }
            Some(Item::Table(inner)) => Entry::Table(inner).remove(name),
            Some(Item::Value(Value::InlineTable(inner))) => Entry::Inline(inner).remove(name),
            Some(Item::Value(_) | Item::ArrayOfTables(_) | Item::None) => {
                return Err(NotRewritten::Refused);
            }
        }
        Ok(())
    };
    Ok(on_document(text, unset)?.0)
}

fn replace(old: &mut Value, mut new: Value) {
    if is_same(old, &new) {
        return;
    }
    let is_in_lines = old
        .as_array()
        .is_some_and(|old| old.to_string().contains('\n'));
    if let (true, Some(old), Some(new)) = (is_in_lines, old.as_array_mut(), new.as_array()) {
        fill(old, new.iter().cloned().collect());
        return;
    }
    *new.decor_mut() = old.decor().clone();
    *old = new;
}

/// Whether both are the same value, perhaps in different spellings.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.value() == other.value(),
        (Value::Integer(one), Value::Integer(other)) => one.value() == other.value(),
        (Value::Float(one), Value::Float(other)) => {
            one.value().to_bits() == other.value().to_bits()
        }
        (Value::Boolean(one), Value::Boolean(other)) => one.value() == other.value(),
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.into_iter().all(|(one, other)| is_same(one, other))
        }
        _ => false,
    }
}

/// Adds a line to a table. The default file has some keys as comments. The line goes directly below such a
/// comment if it is among the lines behind the table's last key, otherwise behind that key.
fn add_line(document: &mut DocumentMut, table: &str, name: &str, value: Value) {
    let is_only_a_path = |table: &Table| table.is_implicit() && !table.is_dotted();
    if document[table].as_table().is_some_and(is_only_a_path) {
        let place = Place::at_end(document);
        if let Some(table) = document[table].as_table_mut() {
            table.set_implicit(false);
            place.give(table);
        }
    }
    let Some(inner) = document[table].as_table_mut() else {
        return;
    };
    inner.insert(name, Item::Value(value));
    if inner.is_dotted() {
        return;
    }
    let position = inner.position();
    let below = headers::gap(document, position);
    let Some(at) = commented_out(&below, name) else {
        return;
    };
    let (above, below) = below.split_at(at);
    headers::set_gap(document, position, below.to_owned());
    let key = document[table]
        .as_table_mut()
        .and_then(|table| table.key_mut(name));
    if let Some(mut key) = key {
        key.leaf_decor_mut().set_prefix(above);
    }
}

/// The end of the line that has the key as a comment.
fn commented_out(lines: &str, name: &str) -> Option<usize> {
    let mut at = 0;
    for line in lines.split_inclusive('\n') {
        at += line.len();
        let comment = line.strip_prefix('#').map(str::trim_start);
        let rest = comment.and_then(|comment| comment.strip_prefix(name));
        if rest.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(at);
        }
    }
    None
}
