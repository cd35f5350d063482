//! Keeps Claude Code's requests to us away from proxies.
//!
//! If `HTTP_PROXY` or the like is set, Claude Code also sends requests for 127.0.0.1 to that proxy, and the
//! prompts leave the machine as plain text. `NO_PROXY` prevents this. Clients read `no_proxy` first, so if
//! that is set, it is extended too. The existing hosts stay; ours are added at the end.

use std::env;

use crate::document::Document;
use crate::key::Key;
use crate::reader;
use crate::record::{Raw, Record};

const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// The proxies that Claude Code knows from outside its settings. The address of a proxy may contain a
/// password, so only the name of its variable is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    variables: Vec<&'static str>,
    system: bool,
    /// `NO_PROXY`, and `no_proxy`.
    no_proxy: [Option<String>; 2],
}

impl Proxies {
    /// The proxies in this process's environment and in the system. Blocks.
    pub fn here() -> Self {
        Self::read(|name| env::var(name).ok(), platform::has_proxy())
    }

    /// The proxies in the environment, which `variable` reads by name. `system`: whether the system has a
    /// proxy of its own.
    pub fn read(variable: impl Fn(&str) -> Option<String>, system: bool) -> Self {
        let is_set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
        // On Windows both names are the same variable.
        let lower = if cfg!(windows) {
            None
        } else {
            variable(Key::NoProxyLower.name())
        };
        Self {
            variables: PROXIES.into_iter().filter(is_set).collect(),
            system,
            no_proxy: [variable(Key::NoProxy.name()), lower],
        }
    }

    /// The keys that keep requests to `url` away from every proxy. Empty if there is no proxy. `former`: the
    /// settings without anything of ours. What an `older` connection needed is kept: it may have been made
    /// where more is known, for example in the shell that Claude Code runs in.
    pub(crate) fn bypass(
        &self,
        url: &str,
        former: Option<&Document<'_>>,
        older: Option<&Record>,
    ) -> Vec<(Key, Raw)> {
        let in_settings = |name: &str| former.and_then(|document| document.raw(name));
        let held = |key: Key| {
            let keys = older.into_iter().flat_map(|older| &older.keys);
            keys.filter(move |held| held.key == key)
        };
        // If the value was changed since, only the changed value counts.
        let ours = |key: Key| -> Vec<String> {
            let standing = held(key).filter(|held| held.was(in_settings(key.name())));
            let values = standing.flat_map(|held| &held.ours);
            values.filter_map(Raw::text).collect()
        };
        let is_set = |name: &&str| match in_settings(name) {
            Some(raw) => !matches!(raw, "\"\"" | "null"),
            None => self.variables.contains(name),
        };
        let is_proxied = self.system
            || PROXIES.iter().any(is_set)
            || held(Key::NoProxy)
                .chain(held(Key::NoProxyLower))
                .any(|held| !held.ours.is_empty());
        if !is_proxied {
            return Vec::new();
        }
        let of = |key: Key| {
            let raw = in_settings(key.name()).filter(|raw| raw.starts_with('"'));
            let shell = match key {
                Key::NoProxy => &self.no_proxy[0],
                Key::NoProxyLower => &self.no_proxy[1],
                Key::BaseUrl | Key::AuthToken => &None,
            };
            let shell = shell.clone().filter(|_| raw.is_none());
            Present {
                raw: raw.map(|raw| Raw(raw.to_owned())),
                further: shell.into_iter().chain(ours(key)).collect(),
            }
        };
        let (mut upper, lower) = (of(Key::NoProxy), of(Key::NoProxyLower));
        let mut keys = Vec::new();
        if upper.is_nothing() {
            upper.further.extend(lower.texts());
        }
        let wanted = hosts(url);
        if let Some(raw) = upper.with(&wanted) {
            keys.push((Key::NoProxy, raw));
        }
        if !lower.is_nothing()
            && let Some(raw) = lower.with(&wanted)
        {
            keys.push((Key::NoProxyLower, raw));
        }
        keys
    }
}

/// The current value of one of the two variables.
struct Present {
    /// In the settings, as written there.
    raw: Option<Raw>,
    /// Outside the settings.
    further: Vec<String>,
}

impl Present {
    fn is_nothing(&self) -> bool {
        self.raw.is_none() && self.further.is_empty()
    }

    fn texts(&self) -> Vec<String> {
        let raw = self.raw.as_ref().and_then(Raw::text);
        raw.into_iter()
            .chain(self.further.iter().cloned())
            .collect()
    }

    /// The value with `hosts` added. `None`: the settings already name all of them.
    fn with(&self, hosts: &[String]) -> Option<Raw> {
        let texts = self.texts();
        // Only a star that is alone means "everything" to every client.
        if texts.iter().any(|text| text.trim() == "*") {
            return None;
        }
        let settings = self.raw.as_ref().and_then(Raw::text).unwrap_or_default();
        let mut known: Vec<String> = entries(&settings).map(meaning).collect();
        let mut added = Vec::new();
        let further = self.further.iter().flat_map(|text| entries(text));
        for entry in further.chain(hosts.iter().map(String::as_str)) {
            let means = meaning(entry);
            if !known.contains(&means) {
                known.push(means);
                added.push(entry);
            }
        }
        if added.is_empty() {
            return None;
        }
        let added = added.join(",");
        let Some(Raw(raw)) = &self.raw else {
            return Some(Raw::string(&added));
        };
        // After the existing text, which stays as it is.
        let opened = raw.strip_suffix('"').unwrap_or(raw);
        let separator = if settings.trim_end().is_empty() || settings.trim_end().ends_with(',') {
            ""
        } else {
            ","
        };
        let Raw(quoted) = Raw::string(&added);
        Some(Raw(format!("{opened}{separator}{}", &quoted[1..])))
    }
}

/// The hosts that must not be reached through a proxy: this machine, under every name that the URL may have.
fn hosts(url: &str) -> Vec<String> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let mut hosts: Vec<String> = LOOPBACK.map(str::to_owned).into();
    if !host.is_empty() && !hosts.iter().any(|known| known == host) {
        hosts.push(host.to_owned());
    }
    hosts
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(|char: char| char == ',' || char.is_whitespace())
        .filter(|entry| !entry.is_empty())
}

fn meaning(entry: &str) -> String {
    entry.trim_matches(['[', ']']).to_ascii_lowercase()
}

impl Raw {
    /// The text, if the value is a text.
    pub(crate) fn text(&self) -> Option<String> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(reader::unescaped(inner))
    }
}

#[cfg(any(windows, target_os = "macos"))]
mod platform {
    use http::Uri;
    use hyper_util::client::proxy::matcher::Matcher;

    pub(super) fn has_proxy() -> bool {
        let system = Matcher::from_system();
        ["http://example.com/", "https://example.com/"]
            .map(Uri::from_static)
            .iter()
            .any(|anywhere| system.intercept(anywhere).is_some())
    }
}

/// GNOME and similar desktops give their setting to terminals as variables, but not to a program in the tray.
#[cfg(not(any(windows, target_os = "macos")))]
mod platform {
    use std::env;
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    pub(super) fn has_proxy() -> bool {
        env::var_os("XDG_CURRENT_DESKTOP").is_some() && mode().is_some_and(|mode| mode != "none")
    }

    fn mode() -> Option<String> {
        const PATIENCE: Duration = Duration::from_secs(1);
        const BETWEEN: Duration = Duration::from_millis(10);
        let mut asking = Command::new(zephyr_config::find_program("gsettings")?)
            .current_dir("/")
            .args(["get", "org.gnome.system.proxy", "mode"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let until = Instant::now() + PATIENCE;
        let status = loop {
            match asking.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < until => thread::sleep(BETWEEN),
                Ok(None) | Err(_) => {
                    // The program is not waited for, whatever happens to it.
                    let _ = asking.kill();
                    let _ = asking.wait();
                    return None;
                }
            }
        };
        let mut said = String::new();
        asking.stdout.take()?.read_to_string(&mut said).ok()?;
        status
            .success()
            .then(|| said.trim().trim_matches('\'').to_owned())
    }
}
