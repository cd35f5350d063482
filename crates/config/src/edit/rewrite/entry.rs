//! A group or an endpoint in the document: a table below its header, or one in braces.

use toml_edit::{InlineTable, Item, KeyMut, RawString, Table, Value};

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

    /// Takes the key out; comments above it, and behind it on its line, stay there.
    pub(super) fn remove(&mut self, key: &str) {
        match self {
            Self::Table(table) => remove_line(table, key),
            Self::Inline(table) => remove_pair(table, key),
        }
    }
}

fn remove_line(table: &mut Table, key: &str) {
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let Some((gone, item)) = table.remove_entry(key) else {
        return;
    };
    let above = text(gone.leaf_decor().prefix());
    let (lines, indentation) = above.split_at(above.rfind('\n').map_or(0, |end| end + 1));
    let behind = match item.as_value().map(suffix) {
        Some(behind) if behind.contains('#') => format!("{indentation}{}\n", behind.trim_start()),
        Some(_) | None => String::new(),
    };
    let comments = format!("{lines}{behind}");
    if comments.is_empty() {
        return;
    }
    let (before, after) = match keys.iter().position(|other| other == key) {
        Some(at) => (&keys[..at], &keys[at + 1..]),
        None => (&keys[..], &[][..]),
    };
    for next in after {
        if let Some(mut next) = first_key(table, next) {
            let prefix = format!("{comments}{}", text(next.leaf_decor().prefix()));
            next.leaf_decor_mut().set_prefix(prefix);
            return;
        }
    }
    for last in before.iter().rev() {
        let item = table.get_mut(last);
        if let Some(last) = item.and_then(last_line) {
            let end = format!("{}\n{}", suffix(last), comments.trim_end_matches('\n'));
            last.decor_mut().set_suffix(end);
            return;
        }
    }
}

/// The key whose line comes first of those that say something about this one.
fn first_key<'t>(table: &'t mut Table, key: &str) -> Option<KeyMut<'t>> {
    match table.get(key)? {
        Item::Value(_) => table.key_mut(key),
        Item::Table(inner) if inner.is_dotted() => {
            let first = inner.iter().next()?.0.to_owned();
            first_key(table.get_mut(key)?.as_table_mut()?, &first)
        }
        Item::Table(_) | Item::ArrayOfTables(_) | Item::None => None,
    }
}

fn last_line(item: &mut Item) -> Option<&mut Value> {
    match item {
        Item::Value(value) => Some(value),
        Item::Table(inner) if inner.is_dotted() => {
            last_line(inner.iter_mut().last().map(|(_, item)| item)?)
        }
        Item::Table(_) | Item::ArrayOfTables(_) | Item::None => None,
    }
}

/// The comma goes with the pair, or the one before it.
fn remove_pair(table: &mut InlineTable, key: &str) {
    let keys = table.iter().map(|(key, _)| key.to_owned());
    let mut rest = keys.skip_while(|other| other != key).skip(1);
    let next = rest.next();
    drop(rest);
    let Some((gone, value)) = table.remove_entry(key) else {
        return;
    };
    let above = text(gone.leaf_decor().prefix());
    if let Some(mut next) = next.and_then(|next| table.key_mut(&next)) {
        let inside = suffix(&value);
        let inside = if inside.contains('#') {
            inside
        } else {
            String::new()
        };
        let prefix = joined(
            &above,
            &format!("{inside}{}", text(next.leaf_decor().prefix())),
        );
        next.leaf_decor_mut().set_prefix(prefix);
        return;
    }
    let has_comma = table.trailing_comma();
    let end = format!("{}{}", suffix(&value), text(Some(table.trailing())));
    let end = if above.contains('#') || end.contains('#') {
        joined(&above, &end)
    } else {
        end
    };
    match last_value(table) {
        Some(last) if !has_comma => {
            last.decor_mut().set_suffix(end);
            table.set_trailing("");
        }
        Some(_) | None => table.set_trailing(end),
    }
}

/// What stands before and behind something in an array or in braces, when it is gone.
fn joined(above: &str, below: &str) -> String {
    let (lines, indentation) = above.split_at(above.rfind('\n').map_or(0, |end| end + 1));
    match (lines, below.split_once('\n')) {
        ("", _) => below.to_owned(),
        (_, Some((line, rest))) if line.trim().is_empty() => format!("{lines}{rest}"),
        (_, Some(_)) => format!("{lines}{indentation}{}", below.trim_start()),
        (_, None) => above.to_owned(),
    }
}

/// What stood before the closing brace stays there, and a comment at the line of the last pair, too.
fn append(table: &mut InlineTable, key: &str, mut value: Value) {
    let last = table.iter().last().map(|(key, _)| key.to_owned());
    let above = last.and_then(|last| Some(text(table.key(&last)?.leaf_decor().prefix())));
    let indentation = above.as_deref().and_then(|above| above.rsplit_once('\n'));
    let indentation = indentation.map(|(_, indentation)| indentation);
    let had_comma = table.trailing_comma();
    let before_brace = text(Some(table.trailing()));
    let end = match last_value(table) {
        Some(last) if !had_comma => format!("{}{before_brace}", suffix(last)),
        Some(_) | None => before_brace,
    };
    let (line, rest) = end.split_at(end.find('\n').unwrap_or(0));
    let (prefix, end) = if line.contains('#') {
        let indentation = indentation.unwrap_or("  ");
        (Some(format!("{line}\n{indentation}")), rest)
    } else {
        let prefix = indentation.map(|indentation| format!("\n{indentation}"));
        (prefix, end.as_str())
    };
    if had_comma {
        table.set_trailing(end);
    } else if !end.is_empty() {
        if let Some(last) = last_value(table) {
            last.decor_mut().set_suffix("");
        }
        table.set_trailing("");
        value.decor_mut().set_prefix(" ");
        value.decor_mut().set_suffix(end);
    }
    table.insert(key, value);
    if let Some(prefix) = prefix
        && let Some(mut key) = table.key_mut(key)
    {
        key.leaf_decor_mut().set_prefix(prefix);
    }
}

fn last_value(table: &mut InlineTable) -> Option<&mut Value> {
    table.iter_mut().last().map(|(_, value)| value)
}

fn suffix(value: &Value) -> String {
    text(value.decor().suffix())
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}
