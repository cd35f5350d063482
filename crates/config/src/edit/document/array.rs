//! An array, on one line or on several.
//!
//! A comment above a line or at its end belongs to the element on that line. A comment that a blank line
//! separates from the element belongs to the place.

use toml_edit::{Array, RawString, Value};

use super::raw::{at_blank_line, at_line_break, without_break};

/// Gives the array these values. A value that it has already keeps its line, with the comments there.
pub(super) fn fill(array: &mut Array, values: Vec<Value>) {
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

/// An array, taken apart.
pub(super) struct Lines {
    /// Behind the opening bracket, on its line.
    head: String,
    /// In front of an element on the line of the bracket.
    indentation: String,
    elements: Vec<Element>,
    /// Before the closing bracket.
    end: String,
}

pub(super) struct Element {
    /// Line break, and comments down to a blank line.
    place: String,
    /// Comments directly above the element, and the indentation.
    pub(super) lead: String,
    pub(super) value: Value,
    /// Behind the element, on its line.
    pub(super) tail: String,
}

impl Element {
    fn begins_line(&self) -> bool {
        self.place.contains('\n')
    }
}

impl Lines {
    pub(super) fn take(array: &mut Array) -> Self {
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

    pub(super) fn insert(&mut self, index: usize, mut value: Value) {
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

    /// Comments of the place stay. So do comments on a line that something else is on.
    pub(super) fn remove(&mut self, index: usize) -> Element {
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
            // The comment ends with a blank line, and one is enough.
            *below = format!("{place}{}", without_break(without_break(below)));
        }
        removed
    }

    /// Moves an element, so that `to` others come before it. The comments of places stay.
    pub(super) fn relocate(&mut self, from: usize, to: usize) {
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

    pub(super) fn put(self, array: &mut Array) {
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
