//! Adds, changes, moves and removes endpoints.
//!
//! Everything but the endpoint's own entry stays byte for byte: comments, order, line ends. A new endpoint
//! is written like the others, `endpoints = [{ … }]` or `[[groups.endpoints]]`. A group stays when its
//! last endpoint leaves. It keeps the credential, so the endpoint can come back.
//!
//! Comments directly above an endpoint, behind it on its line or inside it belong to it and move with it.
//! A comment that a blank line separates from the endpoint below belongs to the place and stays. A comment
//! on a line that something else is on stays too. The comments of a removed key stay.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};
use zephyr_control::{AuthType, EndpointForm, TokenReference};

use super::entry::Entry;
use super::fields::{write, write_token};
use super::headers::Place;
use super::list::List;
use super::text::{NotRewritten, on_document};
use crate::form::{self, blank};

/// The text with the change. `at` is the place of the endpoint in it: the numbers of its group and of its
/// place there, from 0.
pub(in crate::edit) struct Rewritten {
    pub(in crate::edit) text: String,
    pub(in crate::edit) at: Option<At>,
}

type At = (usize, usize);

/// Writes an endpoint behind the others of its group. A missing group is added.
pub(in crate::edit) fn add(text: &str, form: &EndpointForm) -> Result<Rewritten, NotRewritten> {
    rewritten(text, |document| {
        let Some(group) = group_named(document, &form.group) else {
            return new_group(document, form).map(Some);
        };
        let mut endpoint = InlineTable::new();
        write(&mut Entry::Inline(&mut endpoint), &blank(&form.group), form);
        let index = insert(document, group, Item::Value(endpoint.into()))?;
        Ok(Some((group, index)))
    })
}

/// Changes the keys of that endpoint in which the form differs, and moves it to the form's group.
pub(in crate::edit) fn edit(
    text: &str,
    name: &str,
    form: &EndpointForm,
) -> Result<Rewritten, NotRewritten> {
    let before = forms(text)?;
    rewritten(text, |document| {
        let (group, index) = find(document, name)?;
        let before = before.iter().find(|endpoint| endpoint.name == name);
        let before = before.ok_or(NotRewritten::Refused)?;
        let changed = |document: &mut DocumentMut, form: &EndpointForm| {
            let mut groups = List::groups(document)?;
            let mut group = groups.get(group)?;
            let mut endpoints = List::of(&mut group, "endpoints")?;
            write(&mut endpoints.get(index)?, before, form);
            Some(())
        };
        if form.group.trim() == before.group {
            changed(document, form).ok_or(NotRewritten::Refused)?;
            return Ok(Some((group, index)));
        }
        match group_named(document, &form.group) {
            Some(target) => {
                changed(document, form).ok_or(NotRewritten::Refused)?;
                let endpoint = take(document, group, index)?;
                let index = insert(document, target, endpoint)?;
                Ok(Some((target, index)))
            }
            None => {
                let without_credential = EndpointForm {
                    auth_type: None,
                    token: TokenReference::None,
                    ..form.clone()
                };
                changed(document, &without_credential).ok_or(NotRewritten::Refused)?;
                let endpoint = take(document, group, index)?;
                let (group, index) = new_group(document, form)?;
                take(document, group, index)?;
                let index = insert(document, group, endpoint)?;
                Ok(Some((group, index)))
            }
        }
    })
}

/// Moves an endpoint, so that `to` others come before it. The endpoints of a group stay together. The
/// only endpoint of a group takes its group along.
pub(in crate::edit) fn relocate(
    text: &str,
    name: &str,
    to: usize,
) -> Result<Rewritten, NotRewritten> {
    rewritten(text, |document| {
        let (group, index) = find(document, name)?;
        let sizes = sizes(document);
        let first: usize = sizes[..group].iter().sum();
        let last = first + sizes[group] - 1;
        let to = to.min(sizes.iter().sum::<usize>() - 1);
        if (first..=last).contains(&to) {
            let to = to - first;
            let mut groups = List::groups(document).ok_or(NotRewritten::Refused)?;
            let moved = groups.get(group).and_then(|mut group| {
                List::of(&mut group, "endpoints")?.relocate(index, to);
                Some(())
            });
            moved.ok_or(NotRewritten::Refused)?;
            return Ok(Some((group, to)));
        }
        if sizes[group] > 1 {
            let name = group_name(document, group).unwrap_or_default();
            return Err(NotRewritten::Apart(name));
        }
        let mut before = 0;
        let mut place = 0;
        for (other, size) in sizes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != group)
        {
            if before == to && *size > 0 {
                break;
            }
            before += size;
            place += 1;
            if before > to {
                let name = group_name(document, other).unwrap_or_default();
                return Err(NotRewritten::Apart(name));
            }
        }
        let mut groups = List::groups(document).ok_or(NotRewritten::Refused)?;
        groups.relocate(group, place);
        Ok(Some((place, 0)))
    })
}

/// Removes an endpoint. Its group stays.
pub(in crate::edit) fn remove(text: &str, name: &str) -> Result<Rewritten, NotRewritten> {
    rewritten(text, |document| {
        let (group, index) = find(document, name)?;
        take(document, group, index)?;
        Ok(None)
    })
}

fn rewritten(
    text: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<Option<At>, NotRewritten>,
) -> Result<Rewritten, NotRewritten> {
    let (text, at) = on_document(text, change)?;
    Ok(Rewritten { text, at })
}

/// Adds a group with this endpoint below the other groups. If there are none, it goes below the example of
/// a group that the default file has as comments, otherwise to the end.
fn new_group(document: &mut DocumentMut, form: &EndpointForm) -> Result<At, NotRewritten> {
    let mut endpoint = InlineTable::new();
    let inherits = EndpointForm {
        auth_type: None,
        token: TokenReference::None,
        ..form.clone()
    };
    let fields = &mut Entry::Inline(&mut endpoint);
    write(fields, &blank(&form.group), &inherits);

    let mut group = Table::new();
    let fields = &mut Entry::Table(&mut group);
    fields.put("name", form.group.trim().into());
    if let Some(auth_type) = form.auth_type.filter(|kind| *kind != AuthType::default()) {
        fields.put("auth_type", form::spelling(auth_type).into());
    }
    write_token(fields, &form.token);
    fields.put("endpoints", Value::Array(toml_edit::Array::new()));
    let mut endpoints = List::of(fields, "endpoints").ok_or(NotRewritten::Refused)?;
    endpoints.insert(0, Item::Value(endpoint.into()));

    if !document.contains_key("groups") {
        let is_example =
            |line: &str| line.starts_with("#[[groups]]") || line.starts_with("# [[groups]]");
        let place = match Place::below(document, |above| above.lines().any(is_example)) {
            Some(place) => place,
            None => Place::at_end(document),
        };
        place.give(&mut group);
        let groups: ArrayOfTables = [group].into_iter().collect();
        document.insert("groups", Item::ArrayOfTables(groups));
        return Ok((0, 0));
    }
    let mut groups = List::groups(document).ok_or(NotRewritten::Refused)?;
    let index = groups.len();
    groups.insert(index, Item::Table(group));
    Ok((index, 0))
}

pub(super) fn forms(text: &str) -> Result<Vec<EndpointForm>, NotRewritten> {
    let shown = form::configuration(text).map_err(|_| NotRewritten::Refused)?;
    Ok(shown.endpoints)
}

fn find(document: &mut DocumentMut, name: &str) -> Result<(usize, usize), NotRewritten> {
    let mut others = Vec::new();
    for (group, size) in sizes(document).into_iter().enumerate() {
        for index in 0..size {
            let found = endpoint_name(document, group, index).unwrap_or_default();
            if found == name {
                return Ok((group, index));
            }
            others.push(found);
        }
    }
    Err(NotRewritten::Unknown(others))
}

/// How many endpoints each group has.
fn sizes(document: &mut DocumentMut) -> Vec<usize> {
    let Some(mut groups) = List::groups(document) else {
        return Vec::new();
    };
    let all = 0..groups.len();
    let size = |group| {
        let mut group = groups.get(group)?;
        Some(List::of(&mut group, "endpoints")?.len())
    };
    all.map(size).map(Option::unwrap_or_default).collect()
}

fn group_named(document: &mut DocumentMut, name: &str) -> Option<usize> {
    (0..sizes(document).len())
        .find(|group| group_name(document, *group).as_deref() == Some(name.trim()))
}

fn group_name(document: &mut DocumentMut, group: usize) -> Option<String> {
    List::groups(document)?.get(group)?.name()
}

fn endpoint_name(document: &mut DocumentMut, group: usize, index: usize) -> Option<String> {
    let mut groups = List::groups(document)?;
    let mut group = groups.get(group)?;
    List::of(&mut group, "endpoints")?.get(index)?.name()
}

/// Puts an endpoint behind the others of the group.
fn insert(document: &mut DocumentMut, group: usize, endpoint: Item) -> Result<usize, NotRewritten> {
    let inserted = List::groups(document).and_then(|mut groups| {
        let mut group = groups.get(group)?;
        if !group.has("endpoints") {
            group.put("endpoints", Value::Array(toml_edit::Array::new()));
        }
        let mut endpoints = List::of(&mut group, "endpoints")?;
        let index = endpoints.len();
        endpoints.insert(index, endpoint);
        Some(index)
    });
    inserted.ok_or(NotRewritten::Refused)
}

fn take(document: &mut DocumentMut, group: usize, index: usize) -> Result<Item, NotRewritten> {
    let taken = List::groups(document).and_then(|mut groups| {
        let mut group = groups.get(group)?;
        let mut endpoints = List::of(&mut group, "endpoints")?;
        let taken = endpoints.take(index);
        if endpoints.len() == 0 && endpoints.has_headers() {
            // Without a header nothing says that the group is empty.
            group.remove("endpoints");
            group.put("endpoints", Value::Array(toml_edit::Array::new()));
        }
        Some(taken)
    });
    let taken = taken.ok_or(NotRewritten::Refused)?;
    if let Some(left) = taken.left {
        left.put(document);
    }
    Ok(taken.entry)
}
