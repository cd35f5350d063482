//! The configuration file as forms show it: every key outside groups and endpoints with the values it
//! takes, and groups and endpoints as they are written.
//!
//! The readers' questions are the list of keys and of their values. There is no second list. A file that
//! the reader refuses is shown too, as far as it can be understood, so that a form can correct it.

use std::sync::LazyLock;

use zephyr_control::{
    AuthType, Configuration, EndpointForm, GroupForm, Setting, SettingValue, TokenReference,
};
use zephyr_core::Config;
use zephyr_core::config::{Auth, AuthHeader, CredentialRef, Endpoint, ProxyRoute};

use crate::example::EXAMPLE;
use crate::problem::Problems;
use crate::read::{HIDDEN, Report, is_likely_secret, is_secret, keys, read};

/// Every key outside groups and endpoints with its default, in the order of the example. `[pricing]` is
/// left out, because its keys are models.
pub fn settings() -> &'static [Setting] {
    &SETTINGS
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let report = Report::new("");
    read("", &report);
    let shapes = report.shapes().into_iter();
    let is_shown = |key: &str| key.contains('.') && !keys::is_inherited(key);
    let mut settings: Vec<_> = shapes
        .filter(|(key, _)| is_shown(key))
        .map(|(key, shape)| Setting {
            needs_restart: keys::is_read_at_start(&key),
            key,
            kind: shape.kind,
            default: shape.default,
            value: None,
        })
        .collect();
    settings.sort_by_key(|setting| place_in_example(&setting.key));
    settings
});

fn place_in_example(key: &str) -> Option<usize> {
    let (table, name) = key.rsplit_once('.')?;
    let header = EXAMPLE.find(&format!("\n[{table}]\n"))?;
    let is_entry = |line: &str| {
        let line = line.trim_start_matches("# ");
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(" ="))
    };
    let lines = EXAMPLE[header..].lines().position(is_entry)?;
    Some(header + lines)
}

/// The content of the text.
///
/// # Errors
///
/// The text is not TOML.
pub fn configuration(text: &str) -> Result<Configuration, Problems> {
    let document = match toml::from_str::<toml::Table>(text) {
        Ok(document) => document,
        Err(_) => {
            let report = Report::new(text);
            read(text, &report);
            report.settle()?;
            toml::Table::new()
        }
    };
    let (groups, endpoints) = fleet(&document);
    Ok(Configuration {
        path: None,
        groups,
        endpoints,
        settings: settings()
            .iter()
            .map(|setting| Setting {
                value: said(&document, &setting.key),
                ..setting.clone()
            })
            .collect(),
    })
}

/// The content of a configuration that is in no file.
pub fn without_file(config: &Config) -> Configuration {
    let groups = config.groups.iter().map(|group| GroupForm {
        name: group.name.clone(),
        default: group.default,
        auth_type: AuthType::default(),
        token: TokenReference::None,
    });
    Configuration {
        path: None,
        groups: groups.collect(),
        endpoints: config.endpoints.iter().map(endpoint_without_file).collect(),
        settings: settings().to_vec(),
    }
}

fn endpoint_without_file(endpoint: &Endpoint) -> EndpointForm {
    let (auth_type, token) = match &endpoint.auth {
        Auth::Passthrough => (AuthType::Passthrough, TokenReference::None),
        Auth::Ours { header, credential } => {
            let auth_type = match header {
                AuthHeader::Bearer => AuthType::AuthToken,
                AuthHeader::ApiKey => AuthType::ApiKey,
            };
            let token = match credential {
                CredentialRef::Env(name) => TokenReference::Env(name.clone()),
                CredentialRef::Keychain(name) => TokenReference::Keychain(name.clone()),
            };
            (auth_type, token)
        }
    };
    EndpointForm {
        name: endpoint.name.clone(),
        group: endpoint.group.clone(),
        url: endpoint.url.to_string(),
        flag: endpoint.flag.clone(),
        enabled: endpoint.enabled,
        priority: endpoint.priority,
        weight: endpoint.weight,
        price: endpoint.price,
        path_prefix: None,
        auth_type: Some(auth_type),
        token,
        proxy: match &endpoint.proxy {
            ProxyRoute::System => None,
            ProxyRoute::Direct => Some("direct".to_owned()),
            ProxyRoute::Via(url) => Some(without_password(url)),
        },
    }
}

/// The document's value of that key.
pub(super) fn said(document: &toml::Table, key: &str) -> Option<SettingValue> {
    let (table, name) = key.rsplit_once('.')?;
    let value = document.get(table)?.as_table()?.get(name)?;
    match value {
        toml::Value::Boolean(flag) => Some(SettingValue::Switch(*flag)),
        toml::Value::Integer(_) | toml::Value::Float(_) => number(value).map(SettingValue::Number),
        toml::Value::String(text) => Some(SettingValue::Text(shown(text))),
        toml::Value::Array(items) => {
            let texts = items.iter().filter_map(toml::Value::as_str);
            Some(SettingValue::List(texts.map(shown).collect()))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn fleet(document: &toml::Table) -> (Vec<GroupForm>, Vec<EndpointForm>) {
    let mut groups = Vec::new();
    let mut endpoints = Vec::new();
    for group in tables(document, "groups") {
        let form = GroupForm {
            name: text(group, "name").unwrap_or_default(),
            default: flag(group, "default").unwrap_or(false),
            auth_type: auth_type(group).unwrap_or_default(),
            token: token(group),
        };
        endpoints.extend(tables(group, "endpoints").map(|table| endpoint(table, &form.name)));
        groups.push(form);
    }
    if !groups.iter().any(|group| group.default)
        && let Some(first) = groups.first_mut()
    {
        first.default = true;
    }
    (groups, endpoints)
}

fn endpoint(table: &toml::Table, group: &str) -> EndpointForm {
    let usual = blank(group);
    EndpointForm {
        name: text(table, "name").unwrap_or_default(),
        url: text(table, "url").unwrap_or_default(),
        flag: text(table, "flag"),
        enabled: flag(table, "enabled").unwrap_or(usual.enabled),
        priority: whole(table, "priority").unwrap_or(usual.priority),
        weight: whole(table, "weight").unwrap_or(usual.weight),
        price: table.get("price").and_then(number).unwrap_or(usual.price),
        path_prefix: text(table, "path_prefix"),
        auth_type: auth_type(table),
        token: token(table),
        proxy: text(table, "proxy").map(|url| without_password(&url)),
        group: usual.group,
    }
}

/// An endpoint with nothing but defaults.
pub(super) fn blank(group: &str) -> EndpointForm {
    EndpointForm {
        name: String::new(),
        group: group.to_owned(),
        url: String::new(),
        flag: None,
        enabled: true,
        priority: crate::read::DEFAULT_PRIORITY,
        weight: crate::read::DEFAULT_WEIGHT,
        price: crate::read::DEFAULT_PRICE,
        path_prefix: None,
        auth_type: None,
        token: TokenReference::None,
        proxy: None,
    }
}

/// How the file spells it.
pub(super) fn spelling(auth_type: AuthType) -> &'static str {
    match auth_type {
        AuthType::AuthToken => "auth_token",
        AuthType::ApiKey => "api_key",
        AuthType::Passthrough => "passthrough",
    }
}

fn auth_type(table: &toml::Table) -> Option<AuthType> {
    let spelled = text(table, "auth_type")?;
    let all = [AuthType::AuthToken, AuthType::ApiKey, AuthType::Passthrough];
    all.into_iter().find(|kind| spelling(*kind) == spelled)
}

fn token(table: &toml::Table) -> TokenReference {
    let variable = text(table, "auth_token_env").or_else(|| text(table, "api_key_env"));
    let entry = text(table, "auth_token_keychain");
    let name = |text: String| {
        if is_likely_secret(&text) {
            HIDDEN.to_owned()
        } else {
            text
        }
    };
    match (variable, entry) {
        (Some(variable), _) => TokenReference::Env(name(variable)),
        (None, Some(entry)) => TokenReference::Keychain(name(entry)),
        (None, None) => TokenReference::None,
    }
}

fn tables<'t>(table: &'t toml::Table, key: &str) -> impl Iterator<Item = &'t toml::Table> {
    let items = table.get(key).and_then(toml::Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_table)
}

fn text(table: &toml::Table, key: &str) -> Option<String> {
    let text = table.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| shown(text))
}

/// The text as it may be shown. A secret that somebody pasted is hidden.
fn shown(text: &str) -> String {
    if is_secret(text) {
        HIDDEN.to_owned()
    } else {
        text.to_owned()
    }
}

/// A proxy's URL as it may be shown. Saving it like this changes nothing, because a value that is the same
/// as shown is not written.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{HIDDEN}@{host}"),
        _ => url.to_owned(),
    }
}

fn flag(table: &toml::Table, key: &str) -> Option<bool> {
    table.get(key)?.as_bool()
}

fn whole(table: &toml::Table, key: &str) -> Option<u32> {
    u32::try_from(table.get(key)?.as_integer()?).ok()
}

fn number(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Integer(whole) => whole.to_string().parse().ok(),
        toml::Value::Float(number) => Some(*number),
        toml::Value::String(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use zephyr_control::SettingKind;

    use super::*;
    use crate::schema::SCHEMA;

    fn repository(path: &str) -> String {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_setting_asks_for_a_restart_if_nothing_of_it_takes_effect_without() {
        let settings = settings().iter().filter(|setting| setting.needs_restart);
        let keys: Vec<&str> = settings.map(|setting| setting.key.as_str()).collect();

        assert!(keys.contains(&"logging.level"));
        assert!(!keys.contains(&"logging.log_directory"));
    }

    #[test]
    fn every_key_of_the_schema_is_a_setting_with_its_bounds_and_its_default() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let mut in_schema = BTreeSet::new();
        for (table, says) in schema["properties"].as_object().unwrap() {
            for (name, says) in says["properties"].as_object().into_iter().flatten() {
                if says["items"]["properties"].is_object() {
                    continue; // An array of tables has no one field.
                }
                let key = format!("{table}.{name}");
                let setting = settings().iter().find(|setting| setting.key == key);
                let setting = setting.unwrap_or_else(|| panic!("{key} is no setting"));
                let default = if setting.default == SettingValue::Text(String::new()) {
                    says["default"].clone()
                } else {
                    serde_json::to_value(&setting.default).unwrap()
                };
                let same_default = default == says["default"]
                    || default
                        .as_f64()
                        .is_some_and(|own| says["default"].as_f64() == Some(own));
                assert!(same_default, "{key}: {default}");
                match &setting.kind {
                    SettingKind::Switch => assert_eq!(says["type"], "boolean", "{key}"),
                    SettingKind::Number { min, max, whole } => {
                        assert_eq!(says["minimum"].as_f64(), Some(*min), "{key}");
                        assert_eq!(says["maximum"].as_f64(), Some(*max), "{key}");
                        let kind = if *whole { "integer" } else { "number" };
                        assert_eq!(says["type"], kind, "{key}");
                    }
                    SettingKind::Choice { options } => {
                        assert_eq!(says["enum"], serde_json::json!(options), "{key}");
                    }
                    SettingKind::ChoiceOrNumber {
                        options,
                        min,
                        max,
                        whole,
                    } => {
                        let kind = if *whole { "integer" } else { "number" };
                        let [words, numbers] = [&says["anyOf"][0], &says["anyOf"][1]];
                        assert_eq!(words["enum"], serde_json::json!(options), "{key}");
                        assert_eq!(numbers["type"], kind, "{key}");
                        assert_eq!(numbers["minimum"].as_f64(), Some(*min), "{key}");
                        assert_eq!(numbers["maximum"].as_f64(), Some(*max), "{key}");
                    }
                    SettingKind::Text => assert_eq!(says["type"], "string", "{key}"),
                    SettingKind::List => assert_eq!(says["type"], "array", "{key}"),
                }
                in_schema.insert(key);
            }
        }

        let all: BTreeSet<_> = settings()
            .iter()
            .map(|setting| setting.key.clone())
            .collect();
        assert_eq!(all, in_schema);
    }

    /// A browser may not set a key that nobody has classified. Whoever adds a key says there what it can do.
    #[test]
    fn every_key_has_a_class_and_there_are_no_others() {
        // Keys that are on their way.
        const AWAITED: [&str; 3] = [
            "server.memory_budget_mb",
            "server.allow_other_users",
            "server.allow_insecure",
        ];
        let keys = settings().iter().map(|setting| setting.key.as_str());
        let keys: BTreeSet<_> = keys.collect();
        let classified = zephyr_control::privilege::KEYS.iter().map(|(key, _)| *key);
        let classified: BTreeSet<_> = classified.collect();

        let without: Vec<_> = keys.difference(&classified).collect();
        let unknown: Vec<_> = classified.difference(&keys).collect();

        assert!(without.is_empty(), "no class for {without:?}");
        assert!(
            unknown.iter().all(|key| AWAITED.contains(key)),
            "no such key: {unknown:?}"
        );
    }

    #[test]
    fn every_key_of_the_example_is_a_setting_in_its_order() {
        let mut in_example = Vec::new();
        let mut table = "";
        for line in EXAMPLE.lines() {
            if let Some(header) = line.trim_start_matches("# ").strip_prefix('[') {
                table = header.trim_end_matches(']');
            }
            let line = line.trim_start_matches("# ");
            let name = line.split_once(" = ").map_or("", |(name, _)| name);
            let is_name = |name: &str| {
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
            };
            if !name.is_empty() && is_name(name) && !table.starts_with('[') && table != "pricing" {
                in_example.push(format!("{table}.{name}"));
            }
        }

        let keys: Vec<_> = settings()
            .iter()
            .map(|setting| setting.key.as_str())
            .collect();

        assert_eq!(keys, in_example);
    }

    #[test]
    fn every_setting_has_a_message_in_both_languages_and_there_are_no_others() {
        for language in ["en", "zh"] {
            let path = format!("crates/control/messages/{language}.json");
            let catalogue: Value = serde_json::from_str(&repository(&path)).unwrap();
            let entries = catalogue.as_object().unwrap().keys();
            let described: BTreeSet<_> = entries
                .filter_map(|entry| entry.strip_prefix("settings."))
                .collect();
            let keys = settings().iter().map(|setting| setting.key.as_str());

            assert_eq!(described, keys.collect::<BTreeSet<_>>(), "{language}");
        }
    }

    #[test]
    fn the_example_reads_as_it_is_written() {
        let shown = configuration(EXAMPLE).unwrap();

        let [anthropic, hk, jp] = &shown.endpoints[..] else {
            panic!("the example has three endpoints");
        };
        assert_eq!(
            shown.groups[0].token,
            TokenReference::Env("AUTH_TOKEN_MAIN".to_owned())
        );
        assert_eq!(anthropic.auth_type, Some(AuthType::ApiKey));
        assert_eq!(
            anthropic.token,
            TokenReference::Env("ANTHROPIC_API_KEY".to_owned())
        );
        assert_eq!((hk.auth_type, &hk.token), (None, &TokenReference::None));
        assert_eq!(hk.flag.as_deref(), Some("🇭🇰"));
        assert_eq!(
            (jp.priority, jp.path_prefix.as_deref()),
            (2, Some("/anthropic"))
        );
        for setting in &shown.settings {
            let value = setting.value.as_ref();
            assert!(
                value.is_none_or(|value| *value == setting.default),
                "{}",
                setting.key
            );
        }
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_shown() {
        let secret = "sk-ant-api03-0123456789abcdef";
        let text = format!(
            "[server]\nclient_token_env = \"{secret}\"\nallowed_hosts = [\"{secret}\"]\n[[groups]]\n\
             name = \"{secret}\"\nauth_token_env = \"{secret}\"\n\
             endpoints = [{{ name = \"{secret}\", url = \"{secret}\" }}]\n"
        );

        let shown = configuration(&text).unwrap();

        assert!(!format!("{shown:?}").contains("api03"), "{shown:?}");
    }

    #[test]
    fn a_file_that_is_refused_is_shown_all_the_same_and_one_that_is_no_toml_is_not() {
        let shown = configuration("[server]\nport = -1\n[ui]\ntheme = \"dark\"\n").unwrap();
        let broken = configuration("[server\n").unwrap_err();

        let value = |key: &str| {
            let setting = shown.settings.iter().find(|setting| setting.key == key);
            setting.unwrap().value.clone()
        };
        assert_eq!(value("server.port"), Some(SettingValue::Number(-1.0)));
        assert_eq!(
            value("ui.theme"),
            Some(SettingValue::Text("dark".to_owned()))
        );
        assert_eq!(value("ui.language"), None);
        assert_eq!(broken.iter().next().unwrap().line, Some(1));
    }
}
