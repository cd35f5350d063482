//! Groups or endpoints one after the other in the document: each below a header of its own, or in an
//! array.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, RawString, Table, Value};

use super::entry::Entry;

/// How they are written.
pub(super) enum List<'d> {
    Headers(&'d mut ArrayOfTables),
    Brackets(&'d mut Array),
}

impl<'d> List<'d> {
    /// The document's groups.
    pub(super) fn groups(document: &'d mut DocumentMut) -> Option<Self> {
        Self::of_item(document.get_mut("groups")?)
    }

    pub(super) fn of_item(item: &'d mut Item) -> Option<Self> {
        match item {
            Item::ArrayOfTables(tables) => Some(Self::Headers(tables)),
            Item::Value(value) => Self::of_value(value),
            Item::None | Item::Table(_) => None,
        }
    }

    pub(super) fn of_value(value: &'d mut Value) -> Option<Self> {
        value.as_array_mut().map(Self::Brackets)
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

    /// Puts an entry behind `index` others, written as these are.
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

    /// Takes an entry out, with its comment.
    pub(super) fn take(&mut self, index: usize) -> Item {
        match self {
            Self::Headers(tables) => {
                let mut table = tables.remove(index);
                let (detached, own) = split_comment(&table);
                if let Some(next) = tables.get_mut(index)
                    && detached.contains('#')
                {
                    let (_, comment) = split_comment(next);
                    next.decor_mut().set_prefix(format!("{detached}{comment}"));
                }
                table.decor_mut().set_prefix(format!("\n{own}"));
                table.set_position(None);
                Item::Table(table)
            }
            Self::Brackets(array) => {
                let mut lines = Lines::take(array);
                let taken = lines.elements.remove(index);
                lines.put(array);
                let mut value = taken.value;
                value.decor_mut().set_prefix(taken.lead);
                value.decor_mut().set_suffix(taken.tail);
                Item::Value(value)
            }
        }
    }

    /// Moves an entry so that `to` others stand before it.
    pub(super) fn relocate(&mut self, from: usize, to: usize) {
        match self {
            Self::Headers(tables) => {
                let mut all: Vec<Table> = std::mem::take(*tables).into_iter().collect();
                let mut positions = Vec::new();
                all.iter().for_each(|table| collect(table, &mut positions));
                positions.sort_unstable();
                // What stands above a comment's blank line belongs to the place, not to the entry.
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
                    renumber(table, &mut positions);
                }
                **tables = all.into_iter().collect();
            }
            Self::Brackets(array) => {
                let mut lines = Lines::take(array);
                let moved = lines.elements.remove(from);
                lines.elements.insert(to.min(lines.elements.len()), moved);
                lines.put(array);
            }
        }
    }
}

/// An array in lines: a comment at the end of a line belongs to what the line begins with.
struct Lines {
    /// Behind the opening bracket, on its line.
    head: String,
    /// Before an element that stands on that line, too.
    indentation: String,
    elements: Vec<Element>,
    /// Before the closing bracket.
    end: String,
}

struct Element {
    /// Line break, comments above it, indentation.
    lead: String,
    value: Value,
    /// Behind it on its line.
    tail: String,
}

impl Lines {
    fn take(array: &mut Array) -> Self {
        let mut trailing = array.trailing().as_str().unwrap_or_default().to_owned();
        if !array.trailing_comma()
            && let Some(last) = array.len().checked_sub(1).and_then(|at| array.get_mut(at))
        {
            let suffix = last.decor().suffix().and_then(RawString::as_str);
            trailing = format!("{}{trailing}", suffix.unwrap_or_default());
            last.decor_mut().set_suffix("");
        }
        let mut head = String::new();
        let mut elements: Vec<Element> = Vec::new();
        for value in array.iter() {
            let prefix = value.decor().prefix().and_then(RawString::as_str);
            let (rest_of_line, lead) = at_line_break(prefix.unwrap_or_default());
            match elements.last_mut() {
                Some(before) => rest_of_line.clone_into(&mut before.tail),
                None => rest_of_line.clone_into(&mut head),
            }
            elements.push(Element {
                lead: lead.to_owned(),
                value: value.clone(),
                tail: String::new(),
            });
        }
        let (rest_of_line, end) = at_line_break(&trailing);
        match elements.last_mut() {
            Some(last) => rest_of_line.clone_into(&mut last.tail),
            None => rest_of_line.clone_into(&mut head),
        }
        let on_first_line = elements.first().filter(|first| !first.lead.contains('\n'));
        Self {
            head,
            indentation: on_first_line
                .map(|first| first.lead.clone())
                .unwrap_or_default(),
            elements,
            end: end.to_owned(),
        }
    }

    fn insert(&mut self, index: usize, mut value: Value) {
        let commented = |raw: Option<&RawString>| {
            let text = raw.and_then(RawString::as_str).unwrap_or_default();
            text.contains('#').then(|| text.to_owned())
        };
        let (lead, tail) = (
            commented(value.decor().prefix()),
            commented(value.decor().suffix()),
        );
        value.decor_mut().clear();
        value.decor_mut().set_suffix("");
        if self.elements.is_empty() && !self.end.contains('\n') {
            self.end = "\n".to_owned();
        }
        let own = match self.elements.last() {
            Some(last) => match last.lead.rsplit_once('\n') {
                Some((_, indentation)) => format!("\n{indentation}"),
                None => " ".to_owned(),
            },
            None => "\n  ".to_owned(),
        };
        let element = Element {
            lead: lead.unwrap_or(own),
            value,
            tail: tail.unwrap_or_default(),
        };
        self.elements
            .insert(index.min(self.elements.len()), element);
    }

    fn put(self, array: &mut Array) {
        let is_in_lines = self.end.contains('\n');
        let had_comma = array.trailing_comma();
        let was_empty = array.is_empty();
        array.clear();
        let mut pending = self.head;
        for (index, element) in self.elements.into_iter().enumerate() {
            let mut value = element.value;
            let lead = match element.lead.as_str() {
                lead if lead.contains('\n') => lead,
                _ if pending.contains('#') => "\n",
                _ if index == 0 => &self.indentation,
                "" => " ",
                lead => lead,
            };
            value.decor_mut().set_prefix(format!("{pending}{lead}"));
            array.push_formatted(value);
            pending = element.tail;
        }
        if array.is_empty() && !pending.contains('#') && !self.end.contains('#') {
            array.set_trailing("");
            array.set_trailing_comma(false);
            return;
        }
        if pending.contains('#') && !self.end.contains('\n') {
            pending.push('\n');
        }
        array.set_trailing(format!("{pending}{}", self.end));
        array.set_trailing_comma(had_comma || (was_empty && is_in_lines));
    }
}

fn at_line_break(text: &str) -> (&str, &str) {
    text.split_at(text.find('\n').unwrap_or(0))
}

/// What stands above the table's header: up to the last blank line, and the comment below that.
fn split_comment(table: &Table) -> (String, String) {
    let prefix = table.decor().prefix().and_then(RawString::as_str);
    let prefix = prefix.unwrap_or("\n");
    let mut at = 0;
    let mut end_of_blank = 0;
    for line in prefix.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            end_of_blank = at;
        }
    }
    let (place, comment) = prefix.split_at(end_of_blank);
    (place.to_owned(), comment.to_owned())
}

/// The entry for a place among others below headers. One that was in braces brings the comments above it.
fn below_header(entry: Item) -> Table {
    let (pairs, lead) = match entry {
        Item::Table(table) => return table,
        Item::Value(Value::InlineTable(table)) => {
            let lead = comments(table.decor().prefix(), "");
            (plain(table), lead)
        }
        Item::None | Item::ArrayOfTables(_) | Item::Value(_) => (InlineTable::new(), String::new()),
    };
    let mut table = Table::new();
    for (key, value) in pairs {
        table.insert(&key, Item::Value(value));
    }
    table.decor_mut().set_prefix(format!("\n{lead}"));
    table
}

/// The entry for a place in an array. One that was below a header brings the comments above that.
fn in_braces(entry: Item) -> Value {
    let table = match entry {
        Item::Value(value) => return value,
        Item::Table(table) => table,
        Item::None | Item::ArrayOfTables(_) => Table::new(),
    };
    let lead = comments(table.decor().prefix(), "  ");
    let mut braces = plain(table.into_inline_table());
    if !lead.is_empty() {
        braces.decor_mut().set_prefix(format!("\n{lead}  "));
    }
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

fn comments(raw: Option<&RawString>, indentation: &str) -> String {
    let text = raw.and_then(RawString::as_str).unwrap_or_default();
    let comments = text.lines().map(str::trim);
    let comments = comments.filter(|line| line.starts_with('#'));
    comments
        .map(|line| format!("{indentation}{line}\n"))
        .collect()
}

fn collect(table: &Table, positions: &mut Vec<isize>) {
    positions.extend(table.position());
    for (_, item) in table.iter() {
        match item {
            Item::Table(inner) => collect(inner, positions),
            Item::ArrayOfTables(inner) => inner.iter().for_each(|table| collect(table, positions)),
            Item::None | Item::Value(_) => {}
        }
    }
}

fn renumber(table: &mut Table, positions: &mut impl Iterator<Item = isize>) {
    if table.position().is_some() {
        table.set_position(positions.next());
    }
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => renumber(inner, positions),
            Item::ArrayOfTables(inner) => {
                inner
                    .iter_mut()
                    .for_each(|table| renumber(table, positions));
            }
            Item::None | Item::Value(_) => {}
        }
    }
}
