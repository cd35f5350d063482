//! Refuses secrets in the file itself, before anything else reads, shows or stores them. No message contains
//! the secret.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zephyr_secrets::shell_word::shell_word;

use super::credential::check_entry_name;
use super::plain_secret::{is_secret, is_secret_key};
use super::report::{Report, key_path};

const MESSAGE: &str =
    "holds a secret in plain text, where every backup and every screenshot of this file shows it";

/// Reports every plain secret of the document.
pub(crate) fn refuse(document: &DeTable<'_>, report: &Report<'_>) {
    let root = Place {
        path: "",
        name: None,
    };
    in_table(document, root, report);
}

/// A place in the document: its path, and a name for a credential that is found there.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: &'p str,
    name: Option<&'p str>,
}

fn in_table(table: &DeTable<'_>, place: Place<'_>, report: &Report<'_>) {
    let own_name = table.get("name").and_then(|name| name.get_ref().as_str());
    let own_name = own_name.filter(|name| check_entry_name(name).is_ok());
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        let path = key_path(place.path, name);
        let place = Place {
            path: &path,
            name: own_name.or(place.name),
        };
        if is_secret(name) || (is_secret_key(name) && !value.get_ref().is_table()) {
            report.error(Some(key.span().start), &path, MESSAGE, remedy(place));
        } else {
            in_value(value, place, report);
        }
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, place: Place<'_>, report: &Report<'_>) {
    match value.get_ref() {
        DeValue::String(text) if is_secret(text) => {
            report.error(Some(value.span().start), place.path, MESSAGE, remedy(place));
        }
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{}[{index}]", place.path);
                let place = Place {
                    path: &path,
                    ..place
                };
                in_value(item, place, report);
            }
        }
        DeValue::Table(table) => in_table(table, place, report),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

fn remedy(place: Place<'_>) -> String {
    let (keys, name) = if place.path.starts_with("server.") {
        ("client_token", "zephyr-client")
    } else {
        ("auth_token", place.name.unwrap_or("primary"))
    };
    let command = format!("zephyr token set {}", shell_word(name));
    let quoted = toml::Value::from(name);
    format!(
        "run `{command}`, paste the secret there, and write {keys}_keychain = {quoted} in its place; \
         or put it into .env beside this file and write {keys}_env with the variable's name"
    )
}
