//! A table with keys: below a header, or in braces.

use toml_edit::{InlineTable, Item, Table, Value};

use super::{lines, pairs};

pub(super) enum Entry<'d> {
    Table(&'d mut Table),
    Inline(&'d mut InlineTable),
}

impl Entry<'_> {
    pub(super) fn has(&self, key: &str) -> bool {
        match self {
            Self::Table(table) => table.contains_key(key),
            Self::Inline(table) => table.contains_key(key),
        }
    }

    /// Its name as the configuration reads it.
    pub(super) fn name(&self) -> Option<String> {
        let name = match self {
            Self::Table(table) => table.get("name")?.as_str(),
            Self::Inline(table) => table.get("name")?.as_str(),
        };
        name.map(|name| name.trim().to_owned())
    }

    /// Gives the key that value. A new key goes behind the others.
    pub(super) fn put(&mut self, key: &str, mut value: Value) {
        let old = match self {
            Self::Table(table) => table.get_mut(key).and_then(Item::as_value_mut),
            Self::Inline(table) => table.get_mut(key),
        };
        if let Some(old) = old {
            *value.decor_mut() = old.decor().clone();
            *old = value;
            return;
        }
        match self {
            Self::Table(table) => drop(table.insert(key, Item::Value(value))),
            Self::Inline(table) => pairs::append(table, key, value),
        }
    }

    /// Removes the key. The comments above it and behind it on its line stay.
    pub(super) fn remove(&mut self, key: &str) {
        match self {
            Self::Table(table) => {
                let comments = lines::remove(table, &[key]);
                lines::put_below_header(table, &comments);
            }
            Self::Inline(table) => pairs::remove(table, key),
        }
    }
}
