//! A list of groups, or of a group's endpoints. Each entry is below a header of its own, or all are in an
//! array.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, RawString, Table, Value};

use super::array::Lines;
use super::conversion::{below_header, in_braces};
use super::entry::Entry;
use super::headers;
use super::raw::{at_blank_line, without_break};

/// How they are written.
pub(super) enum List<'d> {
    Headers(&'d mut ArrayOfTables),
    Brackets(&'d mut Array),
}

impl<'d> List<'d> {
    /// The document's groups.
    pub(super) fn groups(document: &'d mut DocumentMut) -> Option<Self> {
        of_item(document.get_mut("groups")?)
    }

    /// The entries of this key.
    pub(super) fn of(entry: &'d mut Entry<'_>, key: &str) -> Option<Self> {
        match entry {
            Entry::Table(table) => table.get_mut(key).and_then(of_item),
            Entry::Inline(table) => table.get_mut(key).and_then(of_value),
        }
    }

    pub(super) fn has_headers(&self) -> bool {
        match self {
            Self::Headers(_) => true,
            Self::Brackets(_) => false,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Headers(tables) => tables.len(),
            Self::Brackets(array) => array.len(),
        }
    }

    pub(super) fn get(&mut self, index: usize) -> Option<Entry<'_>> {
        match self {
            Self::Headers(tables) => tables.get_mut(index).map(Entry::Table),
            Self::Brackets(array) => {
                let value = array.get_mut(index)?;
                value.as_inline_table_mut().map(Entry::Inline)
            }
        }
    }

    /// Puts an entry behind `index` others, and writes it like them.
    pub(super) fn insert(&mut self, index: usize, entry: Item) {
        match self {
            Self::Headers(tables) => {
                let table = below_header(entry);
                let mut all = std::mem::take(*tables).into_iter().collect::<Vec<_>>();
                all.insert(index.min(all.len()), table);
                **tables = all.into_iter().collect();
            }
            Self::Brackets(array) => {
                let value = in_braces(entry);
                let mut lines = Lines::take(array);
                lines.insert(index, value);
                lines.put(array);
            }
        }
    }

    /// Removes an entry with its comments.
    pub(super) fn take(&mut self, index: usize) -> Taken {
        match self {
            Self::Headers(tables) => {
                let mut table = tables.remove(index);
                let (place, own) = split_comment(&table);
                let left = table.position().map(|position| Left {
                    position,
                    comments: place,
                });
                table.decor_mut().set_prefix(format!("\n{own}"));
                table.set_position(None);
                Taken {
                    entry: Item::Table(table),
                    left: left.filter(|left| left.comments.contains('#')),
                }
            }
            Self::Brackets(array) => {
                let mut lines = Lines::take(array);
                let taken = lines.remove(index);
                lines.put(array);
                let mut value = taken.value;
                value.decor_mut().set_prefix(format!("\n{}", taken.lead));
                value.decor_mut().set_suffix(taken.tail);
                Taken {
                    entry: Item::Value(value),
                    left: None,
                }
            }
        }
    }

    /// Moves an entry, so that `to` others come before it.
    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        match self {
            Self::Headers(tables) => {
                let mut all: Vec<Table> = std::mem::take(*tables).into_iter().collect();
                let mut positions: Vec<_> = all.iter().flat_map(headers::positions).collect();
                positions.sort_unstable();
                let (places, comments): (Vec<_>, Vec<_>) = all.iter().map(split_comment).unzip();
                for (table, comment) in all.iter_mut().zip(comments) {
                    table.decor_mut().set_prefix(comment);
                }
                let moved = all.remove(from);
                all.insert(to.min(all.len()), moved);
                for (table, place) in all.iter_mut().zip(places) {
                    let (_, comment) = split_comment(table);
                    table.decor_mut().set_prefix(format!("{place}{comment}"));
                }
                let mut positions = positions.into_iter();
                for table in &mut all {
                    headers::renumber(table, &mut positions);
                }
                **tables = all.into_iter().collect();
            }
            Self::Brackets(array) => {
                let mut lines = Lines::take(array);
                lines.relocate(from, to);
                lines.put(array);
            }
        }
    }
}

/// An entry that was taken out.
pub(super) struct Taken {
    pub(super) entry: Item,
    /// The text above it that belongs to the place.
    pub(super) left: Option<Left>,
}

/// Comments of a place whose table was taken out.
pub(super) struct Left {
    position: isize,
    comments: String,
}

impl Left {
    /// Puts them above the header that comes next, or at the end of the text.
    pub(super) fn put(self, document: &mut DocumentMut) {
        let below = headers::gap(document, Some(self.position));
        let comments = format!("{}{}", self.comments, without_break(&below));
        headers::set_gap(document, Some(self.position), comments);
    }
}

fn of_item(item: &mut Item) -> Option<List<'_>> {
    match item {
        Item::ArrayOfTables(tables) => Some(List::Headers(tables)),
        Item::Value(value) => of_value(value),
        Item::None | Item::Table(_) => None,
    }
}

fn of_value(value: &mut Value) -> Option<List<'_>> {
    value.as_array_mut().map(List::Brackets)
}

/// Splits the text above the table's header into the lines of the place and the table's own comments.
fn split_comment(table: &Table) -> (String, String) {
    let prefix = table.decor().prefix().and_then(RawString::as_str);
    let (place, comment) = at_blank_line(prefix.unwrap_or("\n"));
    (place.to_owned(), comment.to_owned())
}
