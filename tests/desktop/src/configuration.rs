//! `config.toml`, as a test wants it.

use std::collections::BTreeMap;
use std::fmt::Write;

use zephyr_testkit::Endpoint;

/// What is written to `config.toml`.
///
/// From the start: free ports, no probes, the first endpoint preferred, every endpoint out after one
/// failure and for a second, notifications without delay.
#[derive(Clone, Debug)]
pub struct Configuration {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    groups: Vec<Group>,
    flags: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    credential: String,
    endpoints: Vec<(String, String)>,
}

/// The credential of [`Configuration::over`], in the environment as `ZEPHYR_TEST_TOKEN`.
pub(crate) const TOKEN: (&str, &str) = ("ZEPHYR_TEST_TOKEN", "token-of-the-environment");

impl Configuration {
    /// One group with these endpoints; its credential is in the environment.
    pub fn over(endpoints: &[(&str, &Endpoint)]) -> Self {
        let credential = format!("auth_token_env = {:?}", TOKEN.0);
        Self::empty().group("main", &credential, endpoints)
    }

    /// As [`Configuration::over`], with the credential in the keychain.
    pub fn over_keychain(reference: &str, endpoints: &[(&str, &Endpoint)]) -> Self {
        let credential = format!("auth_token_keychain = {reference:?}");
        Self::empty().group("main", &credential, endpoints)
    }

    /// Names no endpoint.
    pub fn empty() -> Self {
        Self {
            sections: BTreeMap::new(),
            groups: Vec::new(),
            flags: BTreeMap::new(),
        }
        .set("server", "port", "0")
        .set("web_admin", "port", "0")
        .set("health_check", "mode", r#""off""#)
        .set("routing", "strategy", r#""priority""#)
        .set("routing", "min_dwell_seconds", "0")
        .set("breaker", "max_failures", "1")
        .set("breaker", "cooldown_seconds", "1")
        .set("breaker", "max_cooldown_seconds", "1")
        .set("failover", "hold_seconds", "0")
        .set("notifications", "min_interval_seconds", "0")
        .set("ui", "language", r#""en""#)
    }

    /// Adds a group.
    pub fn group(mut self, name: &str, credential: &str, endpoints: &[(&str, &Endpoint)]) -> Self {
        let endpoints = endpoints.iter();
        self.groups.push(Group {
            name: name.to_owned(),
            credential: credential.to_owned(),
            endpoints: endpoints
                .map(|(name, endpoint)| ((*name).to_owned(), endpoint.url()))
                .collect(),
        });
        self
    }

    /// Gives an endpoint a flag.
    pub fn flag(mut self, endpoint: &str, flag: &str) -> Self {
        self.flags.insert(endpoint.to_owned(), flag.to_owned());
        self
    }

    /// Sets a key; the value is TOML.
    pub fn set(mut self, section: &str, key: &str, value: &str) -> Self {
        let keys = self.sections.entry(section.to_owned()).or_default();
        keys.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Leaves a key at its default.
    pub fn unset(mut self, section: &str, key: &str) -> Self {
        if let Some(keys) = self.sections.get_mut(section) {
            keys.remove(key);
        }
        self
    }

    /// Probes every second, in this mode.
    pub fn probing(self, mode: &str) -> Self {
        self.set("health_check", "mode", &format!("{mode:?}"))
            .set("health_check", "interval_seconds", "1")
            .set("health_check", "min_interval_seconds", "1")
            .set("health_check", "timeout_seconds", "2")
            .set("health_check", "daily_budget_usd", "1000.0")
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.sections {
            writeln!(text, "[{section}]").expect("text can be written");
            for (key, value) in keys {
                writeln!(text, "{key} = {value}").expect("text can be written");
            }
        }
        let mut priority = 0;
        for (index, group) in self.groups.iter().enumerate() {
            let (name, credential) = (&group.name, &group.credential);
            let default = index == 0;
            write!(
                text,
                "[[groups]]\nname = {name:?}\ndefault = {default}\n{credential}\nendpoints = [\n"
            )
            .expect("text can be written");
            for (name, url) in &group.endpoints {
                priority += 1;
                let flag = self.flags.get(name).map_or("", String::as_str);
                writeln!(
                    text,
                    "  {{ name = {name:?}, url = {url:?}, priority = {priority}, flag = \"{flag}\" }},"
                )
                .expect("text can be written");
            }
            text.push_str("]\n");
        }
        text
    }
}
