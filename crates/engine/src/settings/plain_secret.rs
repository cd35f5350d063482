//! Finds secrets that were written into the file itself, so that they can be refused before anything
//! else reads, shows or stores them. The texts made here never contain what was found.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Report, key_path};

/// Keys that can only be meant to hold a secret.
const SECRET_KEYS: &[&str] = &[
    "api_key",
    "auth_token",
    "authorization",
    "client_token",
    "token",
    "x-api-key",
];

/// Reports every plain secret of the document.
pub(super) fn refuse(document: &DeTable<'_>, report: &Report<'_>) {
    in_table(document, "", report);
}

/// Whether this key can only be meant to hold a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    SECRET_KEYS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
}

/// Whether this text is a secret beyond doubt, wherever it stands.
pub(super) fn is_secret(text: &str) -> bool {
    let long = |rest: &str| rest.bytes().take_while(|byte| is_token_byte(*byte)).count() >= 16;
    let begins = ["sk-", "sk_", "Bearer ", "bearer "]
        .iter()
        .any(|prefix| text.trim_start().strip_prefix(prefix).is_some_and(long));
    begins || text.split("sk-ant-").skip(1).any(|rest| rest.len() >= 8)
}

/// Whether this text, which should be a name, is more likely a secret.
pub(super) fn is_likely_secret(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    is_secret(text) || text.contains("sk-") || (text.len() >= 32 && digits >= 6)
}

fn in_table(table: &DeTable<'_>, path: &str, report: &Report<'_>) {
    for (key, value) in table.iter() {
        let name = key.get_ref().as_ref();
        let path = key_path(path, name);
        if is_secret(name) || (is_secret_key(name) && !value.get_ref().is_table()) {
            report.error(Some(key.span().start), &path, MESSAGE, REMEDY);
        } else {
            in_value(value, &path, report);
        }
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, path: &str, report: &Report<'_>) {
    match value.get_ref() {
        DeValue::String(text) if is_secret(text) => {
            report.error(Some(value.span().start), path, MESSAGE, REMEDY);
        }
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                in_value(item, &format!("{path}[{index}]"), report);
            }
        }
        DeValue::Table(table) => in_table(table, path, report),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

const MESSAGE: &str =
    "holds a secret in plain text, where every backup and every screenshot of this file shows it";
const REMEDY: &str = "put the secret into the environment or into .env beside this file, and write here \
    only the variable's name, as auth_token_env (client_token_env in [server])";
