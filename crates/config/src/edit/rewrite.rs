//! Writes endpoints into the text of a configuration file: new ones, changed ones, in another order, or
//! none.
//!
//! Whatever an endpoint's own entry does not cover stays byte for byte: comments, order, line ends. Both
//! ways to write endpoints are kept as they are found: `endpoints = [{ … }]` and `[[groups.endpoints]]`.
//! A group stays when its last endpoint leaves, with its credential, so that the endpoint can come back.
//!
//! Whom a comment belongs to: right above an endpoint, behind it on its line or inside it, to the
//! endpoint, and it goes where that goes. One that a blank line parts from the endpoint below it belongs
//! to the place, as does one at a line that something else stands on: it stays. A key of an endpoint that
//! is taken out leaves its comments where they are, as single settings do.
//!
//! Whether the outcome is a valid configuration is not judged here.

mod entry;
pub(super) mod list;

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};
use zephyr_control::{AuthType, EndpointForm, TokenReference};

use crate::form::{self, blank};
use entry::Entry;
use list::List;

/// The text with the change, and where the endpoint stands in it: the numbers of its group and of its
/// place there.
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) at: Option<(usize, usize)>,
}

/// Why the text was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotRewritten {
    /// It is no TOML, or written in a way that cannot be given back byte for byte.
    Unwritable,
    /// It has no endpoint of that name; it has these.
    Unknown(Vec<String>),
    /// The endpoints of this group stand there, and stand together.
    Apart(String),
}

/// Writes an endpoint behind the others of its group, which is made if it is not there.
pub(super) fn add(text: &str, form: &EndpointForm) -> Result<Rewritten, NotRewritten> {
    on_document(text, |document| {
        let Some(group) = group_named(document, &form.group) else {
            return new_group(document, form);
        };
        let mut endpoint = InlineTable::new();
        write(&mut Entry::Inline(&mut endpoint), &blank(&form.group), form);
        let index = insert(document, group, Item::Value(endpoint.into()))?;
        Ok(Where::At(group, index))
    })
}

/// Writes what the form says differently into the endpoint of that name, and takes it to the form's
/// group.
pub(super) fn edit(text: &str, name: &str, form: &EndpointForm) -> Result<Rewritten, NotRewritten> {
    let before = forms(text)?;
    on_document(text, |document| {
        let (group, index) = find(document, name)?;
        let before = before.iter().find(|endpoint| endpoint.name == name);
        let before = before.ok_or(NotRewritten::Unwritable)?;
        let changed = |document: &mut DocumentMut, form: &EndpointForm| {
            let mut groups = List::groups(document)?;
            let mut group = groups.get(group)?;
            let mut endpoints = group.list("endpoints")?;
            write(&mut endpoints.get(index)?, before, form);
            Some(())
        };
        if form.group.trim() == before.group {
            changed(document, form).ok_or(NotRewritten::Unwritable)?;
            return Ok(Where::At(group, index));
        }
        match group_named(document, &form.group) {
            Some(target) => {
                changed(document, form).ok_or(NotRewritten::Unwritable)?;
                let endpoint = take(document, group, index)?;
                let index = insert(document, target, endpoint)?;
                Ok(Where::At(target, index))
            }
            None => {
                let without_credential = EndpointForm {
                    auth_type: None,
                    token: TokenReference::None,
                    ..form.clone()
                };
                changed(document, &without_credential).ok_or(NotRewritten::Unwritable)?;
                let endpoint = take(document, group, index)?;
                match new_group(document, form)? {
                    Where::At(group, index) => {
                        take(document, group, index)?;
                        let index = insert(document, group, endpoint)?;
                        Ok(Where::At(group, index))
                    }
                    elsewhere @ (Where::InNewGroup(_) | Where::Nowhere) => Ok(elsewhere),
                }
            }
        }
    })
}

/// Moves an endpoint so that `to` others stand before it. The endpoints of a group stand together; the
/// only one of a group takes its group along.
pub(super) fn relocate(text: &str, name: &str, to: usize) -> Result<Rewritten, NotRewritten> {
    on_document(text, |document| {
        let (group, index) = find(document, name)?;
        let sizes = sizes(document);
        let first: usize = sizes[..group].iter().sum();
        let last = first + sizes[group] - 1;
        let to = to.min(sizes.iter().sum::<usize>() - 1);
        if (first..=last).contains(&to) {
            let to = to - first;
            let mut groups = List::groups(document).ok_or(NotRewritten::Unwritable)?;
            let moved = groups.get(group).and_then(|mut group| {
                group.list("endpoints")?.relocate(index, to);
                Some(())
            });
            moved.ok_or(NotRewritten::Unwritable)?;
            return Ok(Where::At(group, to));
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
        let mut groups = List::groups(document).ok_or(NotRewritten::Unwritable)?;
        groups.relocate(group, place);
        Ok(Where::At(place, 0))
    })
}

/// Takes an endpoint out; its group stays.
pub(super) fn remove(text: &str, name: &str) -> Result<Rewritten, NotRewritten> {
    on_document(text, |document| {
        let (group, index) = find(document, name)?;
        take(document, group, index)?;
        Ok(Where::Nowhere)
    })
}

/// Where the endpoint is after a change of the document.
enum Where {
    At(usize, usize),
    /// In a group whose text is still to be put into the document's.
    InNewGroup(String),
    Nowhere,
}

fn on_document(
    text: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<Where, NotRewritten>,
) -> Result<Rewritten, NotRewritten> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let before = body.replace("\r\n", "\n");
    let parsed = before.parse::<DocumentMut>();
    let mut document = parsed.map_err(|_| NotRewritten::Unwritable)?;
    if document.to_string() != before {
        return Err(NotRewritten::Unwritable);
    }
    let groups = sizes(&mut document).len();
    let (after, at) = match change(&mut document)? {
        Where::At(group, index) => (document.to_string(), Some((group, index))),
        Where::Nowhere => (document.to_string(), None),
        Where::InNewGroup(lines) => (
            with_first_group(&document.to_string(), &lines),
            Some((groups, 0)),
        ),
    };
    Ok(Rewritten {
        text: format!("{mark}{}", with_line_ends_of(body, &after)),
        at,
    })
}

/// What has not changed keeps its line ends; new lines end as the first one does.
pub(super) fn with_line_ends_of(original: &str, changed: &str) -> String {
    let old: Vec<&str> = original.split_inclusive('\n').collect();
    let new: Vec<&str> = changed.split_inclusive('\n').collect();
    let same = |(old, new): &(&&str, &&str)| old.replace("\r\n", "\n") == **new;
    let front = old.iter().zip(&new).take_while(same).count();
    let (old_rest, new_rest) = (&old[front..], &new[front..]);
    let back = old_rest.iter().rev().zip(new_rest.iter().rev());
    let back = back.take_while(same).count();
    let middle: String = new_rest[..new_rest.len() - back].concat();
    let middle = if old.first().is_some_and(|line| line.ends_with("\r\n")) {
        middle.replace('\n', "\r\n")
    } else {
        middle
    };
    let (front, back) = (&old[..front], &old[old.len() - back..]);
    format!("{}{middle}{}", front.concat(), back.concat())
}

/// Below the example of a group, if it stands there commented out as in the default file; else at the
/// end.
fn with_first_group(text: &str, group: &str) -> String {
    let mut at = 0;
    let mut in_example = false;
    for line in text.split_inclusive('\n') {
        in_example |= line.starts_with("#[[groups]]") || line.starts_with("# [[groups]]");
        if in_example && line.starts_with('[') {
            return format!("{}{group}\n{}", &text[..at], &text[at..]);
        }
        at += line.len();
    }
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    format!("{text}{gap}{group}")
}

fn new_group(document: &mut DocumentMut, form: &EndpointForm) -> Result<Where, NotRewritten> {
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
    let mut endpoints = fields.list("endpoints").ok_or(NotRewritten::Unwritable)?;
    endpoints.insert(0, Item::Value(endpoint.into()));

    if !document.contains_key("groups") {
        let mut groups = ArrayOfTables::new();
        groups.push(group);
        let mut alone = DocumentMut::new();
        alone.insert("groups", Item::ArrayOfTables(groups));
        return Ok(Where::InNewGroup(alone.to_string()));
    }
    let mut groups = List::groups(document).ok_or(NotRewritten::Unwritable)?;
    let index = groups.len();
    groups.insert(index, Item::Table(group));
    Ok(Where::At(index, 0))
}

/// Writes what `form` says differently from `before`.
fn write(entry: &mut Entry<'_>, before: &EndpointForm, form: &EndpointForm) {
    if form.name.trim() != before.name {
        entry.put("name", form.name.trim().into());
    }
    if form.url.trim() != before.url {
        entry.put("url", form.url.trim().into());
    }
    write_text(entry, "flag", &before.flag, &form.flag);
    if form.enabled != before.enabled {
        entry.put("enabled", form.enabled.into());
    }
    if form.priority != before.priority {
        entry.put("priority", i64::from(form.priority).into());
    }
    if form.weight != before.weight {
        entry.put("weight", i64::from(form.weight).into());
    }
    if form.price.to_bits() != before.price.to_bits() {
        entry.put("price", form.price.into());
    }
    write_text(entry, "path_prefix", &before.path_prefix, &form.path_prefix);
    write_text(entry, "proxy", &before.proxy, &form.proxy);
    if form.auth_type != before.auth_type {
        match form.auth_type {
            Some(auth_type) => entry.put("auth_type", form::spelling(auth_type).into()),
            None => entry.remove("auth_type"),
        }
    }
    if form.token != before.token {
        write_token(entry, &form.token);
    }
}

fn write_text(entry: &mut Entry<'_>, key: &str, before: &Option<String>, now: &Option<String>) {
    let filled = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (before, now) = (filled(before), filled(now));
    if before == now {
        return;
    }
    match now {
        Some(text) => entry.put(key, text.into()),
        None => entry.remove(key),
    }
}

fn write_token(entry: &mut Entry<'_>, token: &TokenReference) {
    const KEYS: [&str; 3] = ["auth_token_env", "auth_token_keychain", "api_key_env"];
    let written = match token {
        TokenReference::None => None,
        TokenReference::Env(name) if entry.has("api_key_env") => Some(("api_key_env", name)),
        TokenReference::Env(name) => Some(("auth_token_env", name)),
        TokenReference::Keychain(name) => Some(("auth_token_keychain", name)),
    };
    for key in KEYS {
        if written.is_none_or(|(written, _)| written != key) {
            entry.remove(key);
        }
    }
    if let Some((key, name)) = written {
        entry.put(key, name.trim().into());
    }
}

fn forms(text: &str) -> Result<Vec<EndpointForm>, NotRewritten> {
    let shown = form::configuration(text).map_err(|_| NotRewritten::Unwritable)?;
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
        Some(group.list("endpoints")?.len())
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
    group.list("endpoints")?.get(index)?.name()
}

/// Puts an endpoint behind the others of the group.
fn insert(document: &mut DocumentMut, group: usize, endpoint: Item) -> Result<usize, NotRewritten> {
    let inserted = List::groups(document).and_then(|mut groups| {
        let mut group = groups.get(group)?;
        if !group.has("endpoints") {
            group.put("endpoints", Value::Array(toml_edit::Array::new()));
        }
        let mut endpoints = group.list("endpoints")?;
        let index = endpoints.len();
        endpoints.insert(index, endpoint);
        Some(index)
    });
    inserted.ok_or(NotRewritten::Unwritable)
}

fn take(document: &mut DocumentMut, group: usize, index: usize) -> Result<Item, NotRewritten> {
    let taken = List::groups(document).and_then(|mut groups| {
        let mut group = groups.get(group)?;
        let mut endpoints = group.list("endpoints")?;
        let taken = endpoints.take(index);
        if endpoints.len() == 0 && endpoints.has_headers() {
            // No header is left that would say that there are none.
            group.remove("endpoints");
            group.put("endpoints", Value::Array(toml_edit::Array::new()));
        }
        Some(taken)
    });
    let taken = taken.ok_or(NotRewritten::Unwritable)?;
    if let Some(left) = taken.left {
        left.put(document);
    }
    Ok(taken.entry)
}

#[cfg(test)]
mod tests;
