//! An entry that moves from brackets to a header, or from a header to brackets. Its comments go with it.

use toml_edit::{Decor, InlineTable, Item, Key, Table, Value};

use super::raw::comments;

/// The entry below a header. An entry that was in braces brings its comments.
pub(super) fn below_header(entry: Item) -> Table {
    let (pairs, lead, behind) = match entry {
        Item::Table(table) => return table,
        Item::Value(Value::InlineTable(table)) => {
            let mut lead = comments(table.decor().prefix(), "");
            for (key, value) in table.iter() {
                let key = table.key(key).map(Key::leaf_decor);
                lead += &comments(key.and_then(Decor::prefix), "");
                lead += &comments(value.decor().suffix(), "");
            }
            lead += &comments(Some(table.trailing()), "");
            let behind = comments(table.decor().suffix(), " ");
            (plain(table), lead, behind)
        }
        Item::None | Item::ArrayOfTables(_) | Item::Value(_) => Default::default(),
    };
    let mut table = Table::new();
    for (key, value) in pairs {
        table.insert(&key, Item::Value(value));
    }
    table.decor_mut().set_prefix(format!("\n{lead}"));
    table.decor_mut().set_suffix(behind.trim_end());
    table
}

/// The entry in an array. An entry that was below a header brings its comments.
pub(super) fn in_braces(entry: Item) -> Value {
    let table = match entry {
        Item::Value(value) => return value,
        Item::Table(table) => table,
        Item::None | Item::ArrayOfTables(_) => Table::new(),
    };
    let mut lead = comments(table.decor().prefix(), "  ");
    comments_in(&table, "  ", &mut lead);
    let behind = comments(table.decor().suffix(), " ");
    let mut braces = plain(table.into_inline_table());
    if !lead.is_empty() {
        braces.decor_mut().set_prefix(format!("\n{lead}  "));
    }
    braces.decor_mut().set_suffix(behind.trim_end());
    Value::InlineTable(braces)
}

/// The same without the comments and line breaks among its keys.
fn plain(table: InlineTable) -> InlineTable {
    let mut pairs = InlineTable::new();
    for (key, mut value) in table {
        value.decor_mut().clear();
        pairs.insert(key, value);
    }
    pairs
}

/// The comments at the table's keys, and at the tables in it.
fn comments_in(table: &Table, indentation: &str, found: &mut String) {
    for (key, item) in table.iter() {
        let key = table.key(key).map(Key::leaf_decor);
        *found += &comments(key.and_then(Decor::prefix), indentation);
        let mut inner = |table: &Table| {
            *found += &comments(table.decor().prefix(), indentation);
            *found += &comments(table.decor().suffix(), indentation);
            comments_in(table, indentation, found);
        };
        match item {
            Item::Value(value) => *found += &comments(value.decor().suffix(), indentation),
            Item::Table(table) => inner(table),
            Item::ArrayOfTables(tables) => tables.iter().for_each(inner),
            Item::None => {}
        }
    }
}
