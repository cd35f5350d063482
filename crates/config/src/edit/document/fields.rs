//! The keys of an endpoint, as its form has them.

use zephyr_control::{EndpointForm, TokenReference};

use super::entry::Entry;
use crate::form;

/// Writes the keys in which `form` differs from `before`.
pub(super) fn write(entry: &mut Entry<'_>, before: &EndpointForm, form: &EndpointForm) {
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

pub(super) fn write_token(entry: &mut Entry<'_>, token: &TokenReference) {
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
