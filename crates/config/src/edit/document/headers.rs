//! The document's headers in the order of the text, and the text between them.
//!
//! toml_edit numbers headers by their position. Comments below the last line of a table belong to the
//! header that comes next, or to the end of the document.

use toml_edit::{DocumentMut, Item, Table};

use super::raw;

/// The place of a new header: its position, and the text above it.
pub(super) struct Place {
    position: isize,
    above: String,
}

impl Place {
    /// Behind everything else, below a blank line.
    pub(super) fn at_end(document: &mut DocumentMut) -> Self {
        let is_first = document.to_string().is_empty();
        let above = raw::text(Some(document.trailing()));
        document.set_trailing("");
        let last = positions(document.as_table()).into_iter().max();
        Self {
            position: last.map_or(0, |last| last + 1),
            above: if is_first { above } else { above + "\n" },
        }
    }

    /// Directly above the first header for which `is_meant` accepts the lines above it. The new header is
    /// below those lines.
    pub(super) fn below(
        document: &mut DocumentMut,
        is_meant: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let mut positions = positions(document.as_table());
        positions.sort_unstable();
        let above = |position| header_above(document.as_table(), position);
        let all = positions.into_iter();
        let mut all = all.filter_map(|position| Some((position, above(position)?)));
        let (position, above) = all.find(|(_, above)| is_meant(above))?;
        shift(document.as_table_mut(), position);
        header_at(document.as_table_mut(), position + 1)?
            .decor_mut()
            .set_prefix("\n");
        Some(Self { position, above })
    }

    /// Puts the table's header in this place.
    pub(super) fn give(self, table: &mut Table) {
        table.set_position(Some(self.position));
        table.decor_mut().set_prefix(self.above);
    }
}

/// The positions of the headers of the table and of the tables in it, in no order.
pub(super) fn positions(table: &Table) -> Vec<isize> {
    let mut found = Vec::new();
    collect(table, &mut found);
    found
}

/// The text above the header that follows this position, or at the end of the document.
pub(super) fn gap(document: &DocumentMut, after: Option<isize>) -> String {
    match next(document, after) {
        Some(position) => header_above(document.as_table(), position).unwrap_or_default(),
        None => raw::text(Some(document.trailing())),
    }
}

pub(super) fn set_gap(document: &mut DocumentMut, after: Option<isize>, text: String) {
    match next(document, after).and_then(|next| header_at(document.as_table_mut(), next)) {
        Some(table) => table.decor_mut().set_prefix(text),
        None => document.set_trailing(text),
    }
}

/// Gives these positions to the headers of the table and of the tables in it.
pub(super) fn renumber(table: &mut Table, positions: &mut impl Iterator<Item = isize>) {
    if table.position().is_some() {
        table.set_position(positions.next());
    }
    each_inner(table, &mut |inner| renumber(inner, positions));
}

fn next(document: &DocumentMut, after: Option<isize>) -> Option<isize> {
    let positions = positions(document.as_table()).into_iter();
    let behind = positions.filter(|position| after.is_none_or(|after| *position > after));
    behind.min()
}

fn header_above(table: &Table, position: isize) -> Option<String> {
    if table.position() == Some(position) {
        return Some(
            table
                .decor()
                .prefix()
                .map_or_else(|| "\n".to_owned(), |prefix| raw::text(Some(prefix))),
        );
    }
    inner_tables(table).find_map(|inner| header_above(inner, position))
}

fn header_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) {
        return Some(table);
    }
    let mut inner = table.iter_mut().map(|(_, item)| item);
    inner.find_map(|item| match item {
        Item::Table(inner) => header_at(inner, position),
        Item::ArrayOfTables(inner) => {
            let mut inner = inner.iter_mut();
            inner.find_map(|table| header_at(table, position))
        }
        Item::None | Item::Value(_) => None,
    })
}

fn collect(table: &Table, found: &mut Vec<isize>) {
    found.extend(table.position());
    inner_tables(table).for_each(|inner| collect(inner, found));
}

fn shift(table: &mut Table, at: isize) {
    if let Some(position) = table.position().filter(|position| *position >= at) {
        table.set_position(Some(position + 1));
    }
    each_inner(table, &mut |inner| shift(inner, at));
}

fn inner_tables(table: &Table) -> impl Iterator<Item = &Table> {
    table.iter().flat_map(|(_, item)| -> Vec<&Table> {
        match item {
            Item::Table(inner) => vec![inner],
            Item::ArrayOfTables(inner) => inner.iter().collect(),
            Item::None | Item::Value(_) => Vec::new(),
        }
    })
}

fn each_inner(table: &mut Table, act: &mut impl FnMut(&mut Table)) {
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => act(inner),
            Item::ArrayOfTables(inner) => inner.iter_mut().for_each(&mut *act),
            Item::None | Item::Value(_) => {}
        }
    }
}
