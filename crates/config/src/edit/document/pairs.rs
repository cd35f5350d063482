//! The pairs of a table in braces.

use toml_edit::{InlineTable, Value};

use super::raw::{self, suffix};

/// Removes a pair with the comma behind it, or else with the one before it. Comments stay.
pub(super) fn remove(table: &mut InlineTable, key: &str) {
    let keys = table.iter().map(|(key, _)| key.to_owned());
    let mut rest = keys.skip_while(|other| other != key).skip(1);
    let next = rest.next();
    drop(rest);
    let Some((gone, value)) = table.remove_entry(key) else {
        return;
    };
    let above = raw::text(gone.leaf_decor().prefix());
    if let Some(mut next) = next.and_then(|next| table.key_mut(&next)) {
        let inside = suffix(&value);
        let inside = if inside.contains('#') {
            inside
        } else {
            String::new()
        };
        let prefix = joined(
            &above,
            &format!("{inside}{}", raw::text(next.leaf_decor().prefix())),
        );
        next.leaf_decor_mut().set_prefix(prefix);
        return;
    }
    let has_comma = table.trailing_comma();
    let end = format!("{}{}", suffix(&value), raw::text(Some(table.trailing())));
    let end = if above.contains('#') || end.contains('#') {
        joined(&above, &end)
    } else if table.is_empty() {
        format!("{above}{end}")
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

/// Joins the text above a pair that is gone with the text below it.
fn joined(above: &str, below: &str) -> String {
    let (lines, indentation) = raw::at_last_line(above);
    match (lines, below.split_once('\n')) {
        ("", _) => below.to_owned(),
        (_, Some((line, rest))) if line.trim().is_empty() => format!("{lines}{rest}"),
        (_, Some(_)) => format!("{lines}{indentation}{}", below.trim_start()),
        (_, None) => above.to_owned(),
    }
}

/// Adds a pair behind the others. The text in front of the closing brace stays there. A comment on the
/// line of the last pair stays too.
pub(super) fn append(table: &mut InlineTable, key: &str, mut value: Value) {
    let last = table.iter().last().map(|(key, _)| key.to_owned());
    let above = last.and_then(|last| Some(raw::text(table.key(&last)?.leaf_decor().prefix())));
    let indentation = above.as_deref().and_then(|above| above.rsplit_once('\n'));
    let indentation = indentation.map(|(_, indentation)| indentation);
    let had_comma = table.trailing_comma();
    let before_brace = raw::text(Some(table.trailing()));
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
