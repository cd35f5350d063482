//! The lines with keys below a header, or above all headers. Dotted keys are among them.

use toml_edit::{Item, KeyMut, RawString, Table, Value};

use super::raw::{self, suffix};

/// Removes the line of this key. The comments above it and behind it go to the line below, otherwise to
/// the line above. Without such a line they are returned.
pub(super) fn remove(table: &mut Table, path: &[&str]) -> String {
    let lines = paths(table);
    let Some((name, parents)) = path.split_last() else {
        return String::new();
    };
    let parent = table_at(table, parents);
    let Some((gone, item)) = parent.and_then(|parent| parent.remove_entry(name)) else {
        return String::new();
    };
    let above = raw::text(gone.leaf_decor().prefix());
    let (above, indentation) = raw::at_last_line(&above);
    let behind = match item.as_value().map(suffix) {
        Some(behind) if behind.contains('#') => format!("{indentation}{}\n", behind.trim_start()),
        Some(_) | None => String::new(),
    };
    let comments = format!("{above}{behind}");
    if comments.is_empty() {
        return comments;
    }
    let at = lines.iter().position(|line| line == path);
    let (before, after) = lines.split_at(at.unwrap_or(lines.len()));
    if let Some(mut next) = after.get(1).and_then(|next| key_at(table, next)) {
        let prefix = format!("{comments}{}", raw::text(next.leaf_decor().prefix()));
        next.leaf_decor_mut().set_prefix(prefix);
        return String::new();
    }
    if let Some(last) = before.last().and_then(|last| value_at(table, last)) {
        let end = below(&suffix(last), &comments);
        last.decor_mut().set_suffix(end);
        return String::new();
    }
    comments
}

/// Puts comments on the lines directly below the table's header.
pub(super) fn put_below_header(table: &mut Table, comments: &str) {
    if !comments.is_empty() {
        let suffix = table.decor().suffix();
        let suffix = below(
            suffix.and_then(RawString::as_str).unwrap_or_default(),
            comments,
        );
        table.decor_mut().set_suffix(suffix);
    }
}

/// The line with the comments below it. toml_edit adds the last line end.
fn below(line: &str, comments: &str) -> String {
    format!(
        "{line}\n{}",
        comments.strip_suffix('\n').unwrap_or(comments)
    )
}

fn paths(table: &Table) -> Vec<Vec<String>> {
    let lines = table.get_values().into_iter();
    lines
        .map(|(path, _)| path.into_iter().map(|key| key.get().to_owned()).collect())
        .collect()
}

fn table_at<'t>(table: &'t mut Table, path: &[impl AsRef<str>]) -> Option<&'t mut Table> {
    let mut inner = table;
    for name in path {
        inner = inner.get_mut(name.as_ref())?.as_table_mut()?;
    }
    Some(inner)
}

fn key_at<'t>(table: &'t mut Table, path: &[String]) -> Option<KeyMut<'t>> {
    let (name, parents) = path.split_last()?;
    table_at(table, parents)?.key_mut(name)
}

fn value_at<'t>(table: &'t mut Table, path: &[String]) -> Option<&'t mut Value> {
    let (name, parents) = path.split_last()?;
    let item = table_at(table, parents)?.get_mut(name);
    item.and_then(Item::as_value_mut)
}
