//! Groups or endpoints one after the other in the document: each below a header of its own, or in an
//! array.

use toml_edit::{
    Array, ArrayOfTables, Decor, DocumentMut, InlineTable, Item, Key, RawString, Table, Value,
};

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
                lines.relocate(from, to);
                lines.put(array);
            }
        }
    }
}

/// An entry that was taken out.
pub(super) struct Taken {
    pub(super) entry: Item,
    /// What stood above it and is not its own.
    pub(super) left: Option<Left>,
}

/// Comments that stay where their table was.
pub(super) struct Left {
    position: isize,
    comments: String,
}

impl Left {
    /// Puts them above the header that comes next in the text, or at its end.
    pub(super) fn put(self, document: &mut DocumentMut) {
        let mut positions = Vec::new();
        collect(document.as_table(), &mut positions);
        let behind = positions.into_iter().filter(|at| *at > self.position);
        let next = behind.min();
        match next.and_then(|next| header_at(document.as_table_mut(), next)) {
            Some(table) => {
                let below = table.decor().prefix().and_then(RawString::as_str);
                let below = without_break(below.unwrap_or("\n"));
                let prefix = format!("{}{below}", self.comments);
                table.decor_mut().set_prefix(prefix);
            }
            None => {
                let below = without_break(document.trailing().as_str().unwrap_or_default());
                let trailing = format!("{}{below}", self.comments);
                document.set_trailing(trailing);
            }
        }
    }
}

/// Gives the array these values. One that it has already keeps its line, with the comments there.
pub(in super::super) fn fill(array: &mut Array, values: Vec<Value>) {
    let same = |element: &Element, value: &Value| {
        let text = element.value.as_str();
        text.is_some() && text == value.as_str()
    };
    let count = values.len();
    let mut lines = Lines::take(array);
    for index in (0..lines.elements.len()).rev() {
        let element = &lines.elements[index];
        if !values.iter().any(|value| same(element, value)) {
            lines.remove(index);
        }
    }
    for (index, value) in values.into_iter().enumerate() {
        let mut rest = lines.elements.iter().skip(index);
        match rest.position(|element| same(element, &value)) {
            Some(others) => lines.relocate(index + others, index),
            None => lines.insert(index, value),
        }
    }
    while lines.elements.len() > count {
        lines.remove(count);
    }
    lines.put(array);
}

/// An array in lines: a comment above a line or at its end belongs to what stands on that line; one that
/// a blank line parts from it, to the place.
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
    /// Line break, and comments down to a blank line.
    place: String,
    /// Comments right above it, indentation.
    lead: String,
    value: Value,
    /// Behind it on its line.
    tail: String,
}

impl Element {
    fn begins_line(&self) -> bool {
        self.place.contains('\n')
    }
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
            let (place, lead) = at_blank_line(lead);
            elements.push(Element {
                place: place.to_owned(),
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
        let on_first_line = elements.first().filter(|first| !first.begins_line());
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
        let mut in_lines = self.elements.iter().rev().filter(|one| one.begins_line());
        let (place, own) = match (in_lines.next(), self.elements.is_empty()) {
            (Some(line), _) => {
                let lines = line.lead.rsplit_once('\n');
                ("\n", lines.map_or(line.lead.as_str(), |(_, last)| last))
            }
            (None, false) => ("", " "),
            (None, true) => ("\n", "  "),
        };
        let (place, lead) = match &lead {
            Some(lead) => at_blank_line(lead),
            None => (place, own),
        };
        let element = Element {
            place: place.to_owned(),
            lead: lead.to_owned(),
            value,
            tail: tail.unwrap_or_default(),
        };
        self.elements
            .insert(index.min(self.elements.len()), element);
    }

    /// What is said of the place stays, and what is said of a line that something else stands on, too.
    fn remove(&mut self, index: usize) -> Element {
        let mut removed = self.elements.remove(index);
        let was_alone = match self.elements.get_mut(index) {
            Some(next) if removed.begins_line() && !next.begins_line() => {
                next.place = std::mem::take(&mut removed.place);
                next.lead = std::mem::take(&mut removed.lead);
                false
            }
            Some(_) | None => removed.begins_line(),
        };
        let before = index.checked_sub(1);
        if let Some(before) = before.and_then(|before| self.elements.get_mut(before))
            && !was_alone
            && removed.tail.contains('#')
        {
            before.tail = std::mem::take(&mut removed.tail);
        }
        let place = std::mem::take(&mut removed.place);
        if place.contains('#') {
            let next = self.elements.get_mut(index).map(|next| &mut next.place);
            let below = next.unwrap_or(&mut self.end);
            // The blank line that the comment ends with does for both.
            *below = format!("{place}{}", without_break(without_break(below)));
        }
        removed
    }

    /// Moves an element so that `to` others stand before it; the places stay.
    fn relocate(&mut self, from: usize, to: usize) {
        let places = self.elements.iter_mut();
        let places: Vec<String> = places.map(|one| std::mem::take(&mut one.place)).collect();
        let moved = self.elements.remove(from);
        let to = to.min(self.elements.len());
        self.elements.insert(to, moved);
        for (element, place) in self.elements.iter_mut().zip(places) {
            let is_on_a_line = place.is_empty() && element.lead.contains('#');
            element.place = if is_on_a_line { "\n".to_owned() } else { place };
        }
    }

    fn put(self, array: &mut Array) {
        let is_in_lines = self.end.contains('\n');
        let had_comma = array.trailing_comma();
        let was_empty = array.is_empty();
        array.clear();
        let mut pending = self.head;
        for (index, element) in self.elements.into_iter().enumerate() {
            let mut value = element.value;
            let lead = format!("{}{}", element.place, element.lead);
            let lead = match lead.as_str() {
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

/// What stands above an element from the end of the line before on: up to the last blank line, and the
/// comments below that, with the indentation.
fn at_blank_line(text: &str) -> (&str, &str) {
    let mut at = 0;
    let mut end_of_blank = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.ends_with('\n') && line.trim().is_empty() {
            end_of_blank = at;
        }
    }
    text.split_at(end_of_blank)
}

fn without_break(text: &str) -> &str {
    text.strip_prefix('\n').unwrap_or(text)
}

/// What stands above the table's header: up to the last blank line, and the comment below that.
fn split_comment(table: &Table) -> (String, String) {
    let prefix = table.decor().prefix().and_then(RawString::as_str);
    let (place, comment) = at_blank_line(prefix.unwrap_or("\n"));
    (place.to_owned(), comment.to_owned())
}

/// The entry for a place among others below headers. One that was in braces brings its comments.
fn below_header(entry: Item) -> Table {
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

/// The entry for a place in an array. One that was below a header brings its comments.
fn in_braces(entry: Item) -> Value {
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

fn comments(raw: Option<&RawString>, indentation: &str) -> String {
    let text = raw.and_then(RawString::as_str).unwrap_or_default();
    let comments = text.lines().map(str::trim);
    let comments = comments.filter(|line| line.starts_with('#'));
    comments
        .map(|line| format!("{indentation}{line}\n"))
        .collect()
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
