//! A group or an endpoint in the document: a table below its header, or one in braces.

use toml_edit::{InlineTable, Item, Table, Value};

use super::list::List;

/// Where its keys are.
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

    /// The entries that the key has.
    pub(super) fn list(&mut self, key: &str) -> Option<List<'_>> {
        match self {
            Self::Table(table) => table.get_mut(key).and_then(List::of_item),
            Self::Inline(table) => table.get_mut(key).and_then(List::of_value),
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

    /// Gives the key that value, where it stands or behind the others.
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
            Self::Inline(table) => append(table, key, value),
        }
    }

    pub(super) fn remove(&mut self, key: &str) {
        match self {
            Self::Table(table) => drop(table.remove(key)),
            Self::Inline(table) => {
                let was_last = table.iter().last().is_some_and(|(last, _)| last == key);
                let removed = table.remove(key);
                if was_last
                    && let Some(removed) = removed
                    && let Some(last) = last_value(table)
                {
                    let end = suffix(&removed);
                    last.decor_mut().set_suffix(end);
                }
            }
        }
    }
}

/// What stood before the closing brace stays there.
fn append(table: &mut InlineTable, key: &str, mut value: Value) {
    let last = table.iter().last().map(|(key, _)| key.to_owned());
    let before_key = last.and_then(|last| {
        let prefix = table.key(&last)?.leaf_decor().prefix()?.as_str()?;
        prefix.contains('\n').then(|| prefix.to_owned())
    });
    if !table.trailing_comma()
        && let Some(last) = last_value(table)
    {
        let end = suffix(last);
        if !end.is_empty() {
            last.decor_mut().set_suffix("");
            value.decor_mut().set_prefix(" ");
            value.decor_mut().set_suffix(end);
        }
    }
    table.insert(key, value);
    if let Some(prefix) = before_key
        && let Some(mut key) = table.key_mut(key)
    {
        key.leaf_decor_mut().set_prefix(prefix);
    }
}

fn last_value(table: &mut InlineTable) -> Option<&mut Value> {
    table.iter_mut().last().map(|(_, value)| value)
}

fn suffix(value: &Value) -> String {
    let suffix = value.decor().suffix().and_then(|raw| raw.as_str());
    suffix.unwrap_or_default().to_owned()
}
