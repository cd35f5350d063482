//! Groups and endpoints. A key that an endpoint leaves out comes from its group. A key that the group leaves
//! out comes from the file's tables.

use std::collections::HashMap;

use zephyr_core::config::{
    Auth, AuthHeader, BaseUrl, BaseUrlError, Endpoint, Group, HealthCheck, Place, ProbeAs,
};

use super::address::{Listeners, proxy};
use super::credential::{AUTH_TOKEN, Credential};
use super::health_check::health_check;
use super::plain_secret::is_secret;
use super::table::{Spelled, Table};

pub(crate) const DEFAULT_PRIORITY: u32 = 1;
pub(crate) const DEFAULT_WEIGHT: u32 = 1;
pub(crate) const DEFAULT_PRICE: f64 = 1.0;

const GROUP_EXAMPLE: &str = "[[groups]] and its keys below, once for each group";
const ENDPOINT_EXAMPLE: &str =
    "endpoints = [{ name = \"main\", url = \"https://api.anthropic.com\" }]";

/// Groups and endpoints in the file's order.
pub(crate) struct Fleet {
    pub(crate) groups: Vec<Group>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// The path of an endpoint that gets the client's own credential.
    pub(crate) passthrough: Option<String>,
}

/// Reads `[[groups]]`.
pub(crate) fn fleet(root: &Table<'_>, checks: &HealthCheck, listeners: &Listeners) -> Fleet {
    let mut reader = FleetReader {
        checks,
        listeners,
        group_lines: HashMap::new(),
        endpoint_lines: HashMap::new(),
        default_line: None,
        fleet: Fleet {
            groups: Vec::new(),
            endpoints: Vec::new(),
            passthrough: None,
        },
    };
    for table in root.tables("groups", GROUP_EXAMPLE).unwrap_or_default() {
        reader.group(&table);
    }
    let mut fleet = reader.fleet;
    if !fleet.groups.iter().any(|group| group.default)
        && let Some(first) = fleet.groups.first_mut()
    {
        first.default = true;
    }
    fleet
}

struct FleetReader<'a> {
    checks: &'a HealthCheck,
    listeners: &'a Listeners,
    group_lines: Lines,
    endpoint_lines: Lines,
    default_line: Option<Option<usize>>,
    fleet: Fleet,
}

/// The line in which each name first occurs.
type Lines = HashMap<String, Option<usize>>;

/// The values that a group gives to its endpoints.
struct Shared {
    name: String,
    auth_type: AuthType,
    credential: Credential,
    subscription_only: bool,
    allow_insecure: bool,
    probe_as: ProbeAs,
    health_check: HealthCheck,
}

impl FleetReader<'_> {
    fn group(&mut self, table: &Table<'_>) {
        let name = unique_name(table, "group", &mut self.group_lines);
        let default = table.flag("default", false);
        if default {
            self.only_default(table);
        }
        let shared = Shared {
            name: name.clone(),
            auth_type: table.choice("auth_type", AuthType::AuthToken),
            credential: Credential::read(table, &AUTH_TOKEN),
            subscription_only: table.flag("subscription_only", false),
            allow_insecure: table.flag("allow_insecure", false),
            probe_as: table.choice("probe_as", ProbeAs::Zephyr),
            health_check: health_check(&table.table("health_check"), self.checks),
        };
        warn_about_api_key(table);

        let endpoints = table.tables("endpoints", ENDPOINT_EXAMPLE);
        if !table.has("endpoints") {
            table.error(
                "endpoints",
                format!("is missing, so group {} has no endpoint", shown(&name)),
                format!("write {ENDPOINT_EXAMPLE}, or delete the group"),
            );
        } else if endpoints.as_ref().is_some_and(Vec::is_empty) {
            table.warn(
                "endpoints",
                format!("is empty, so group {} has no endpoint", shown(&name)),
                format!("write {ENDPOINT_EXAMPLE}, or delete the group"),
            );
        }
        let endpoints = endpoints.unwrap_or_default();
        let overridden = endpoints.iter().any(|endpoint| endpoint.has("auth_type"));
        if shared.auth_type == AuthType::Passthrough && !overridden {
            warn_about_unused_credential(table, &shared.credential);
        }
        let left_open = |endpoint: &Table<'_>| {
            !endpoint.has("auth_type") && Credential::is_unmentioned(endpoint, &AUTH_TOKEN)
        };
        let lacking = shared.auth_type != AuthType::Passthrough && shared.credential.is_absent();
        if lacking && endpoints.iter().any(left_open) {
            table.error(
                "auth_token_env",
                format!("is missing, so group {} has no credential", shown(&name)),
                CREDENTIAL_REMEDY,
            );
        }
        for endpoint in &endpoints {
            let without_credential = lacking && left_open(endpoint);
            self.endpoint(endpoint, &shared, without_credential);
        }
        self.fleet.groups.push(Group { name, default });
    }

    fn only_default(&mut self, table: &Table<'_>) {
        let line = table.line_of("default");
        match self.default_line {
            None => self.default_line = Some(line),
            Some(first) => table.error(
                "default",
                format!("makes a second default group{}", besides(first)),
                "keep default = true in one of the two",
            ),
        }
    }

    fn endpoint(&mut self, table: &Table<'_>, group: &Shared, reported: bool) {
        let name = unique_name(table, "endpoint", &mut self.endpoint_lines);
        let url = base_url(table, self.listeners);
        let auth = auth(table, group, reported);
        if auth == Some(Auth::Passthrough) && self.fleet.passthrough.is_none() {
            self.fleet.passthrough = Some(table.path().to_owned());
        }
        let flag = table.text("flag").map(str::to_owned);
        let enabled = table.flag("enabled", true);
        let priority = table.whole("priority", 0..=u32::MAX, DEFAULT_PRIORITY);
        let weight = table.whole("weight", 1..=1_000_000, DEFAULT_WEIGHT);
        let price = table.amount("price", DEFAULT_PRICE);
        let subscription_only = table.flag("subscription_only", group.subscription_only);
        let probe_as = table.choice("probe_as", group.probe_as);
        let proxy = proxy(table);
        let allow_insecure = table.flag("allow_insecure", group.allow_insecure);
        if let Some(url) = &url {
            warn_about_clear_text(table, url, allow_insecure);
        }
        if let (Some(url), Some(auth)) = (url, auth) {
            self.fleet.endpoints.push(Endpoint {
                name,
                group: group.name.clone(),
                url,
                flag,
                enabled,
                priority,
                weight,
                price,
                auth,
                subscription_only,
                proxy,
                allow_insecure,
                probe_as,
                health_check: group.health_check.clone(),
            });
        }
    }
}

/// `auth_type`.
#[derive(Clone, Copy, PartialEq)]
enum AuthType {
    AuthToken,
    ApiKey,
    Passthrough,
}

impl Spelled for AuthType {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("auth_token", Self::AuthToken),
        ("api_key", Self::ApiKey),
        ("passthrough", Self::Passthrough),
    ];
}

fn auth(table: &Table<'_>, group: &Shared, reported: bool) -> Option<Auth> {
    let auth_type = table.chosen("auth_type", group.auth_type);
    let own = Credential::read(table, &AUTH_TOKEN);
    warn_about_api_key(table);
    let header = match auth_type.unwrap_or(group.auth_type) {
        AuthType::AuthToken => AuthHeader::Bearer,
        AuthType::ApiKey => AuthHeader::ApiKey,
        AuthType::Passthrough => {
            warn_about_unused_credential(table, &own);
            return Some(Auth::Passthrough);
        }
    };
    let credential = if own.is_absent() {
        &group.credential
    } else {
        &own
    };
    if credential.is_absent() && !reported {
        table.error(
            "auth_token_env",
            "is missing, here and in the group",
            CREDENTIAL_REMEDY,
        );
    }
    let credential = credential.named()?.clone();
    Some(Auth::Ours { header, credential })
}

fn warn_about_unused_credential(table: &Table<'_>, credential: &Credential) {
    if credential.named().is_some() {
        table.warn(
            "auth_type",
            "is passthrough, so the credential named beside it is not used",
            "delete the credential, or write auth_type = \"auth_token\"",
        );
    }
}

/// An endpoint on this machine needs no encryption. Elsewhere everybody on the way could read the credential.
fn warn_about_clear_text(table: &Table<'_>, url: &BaseUrl, allow_insecure: bool) {
    let Some(place) = url.place_in_clear_text() else {
        return;
    };
    let remedy = "write https://, if the endpoint has it";
    match place {
        Place::ThisMachine => {}
        _ if allow_insecure => table.warn(
            "url",
            "is http, so the token and everything asked for can be read by everybody on the way",
            remedy,
        ),
        Place::Private => table.warn(
            "url",
            "is http, so the token and everything asked for can be read by everybody in that network",
            remedy,
        ),
        Place::Named => table.warn(
            "url",
            "is http; it is used only while its name stands for a private address, so that no token crosses \
             the internet in clear text",
            "write https://, or allow_insecure = true to use it all the same",
        ),
        Place::Public => table.warn(
            "url",
            "is http at a public address; it is not used, so that no token crosses the internet in clear text",
            "write https://, or allow_insecure = true to use it all the same",
        ),
    }
}

fn warn_about_api_key(table: &Table<'_>) {
    if table.has("api_key_env") && !table.has("auth_type") {
        table.warn(
            "api_key_env",
            "does not say in which header the key is sent; auth_type does",
            "add auth_type = \"api_key\" for x-api-key, or auth_type = \"auth_token\" for Authorization: Bearer",
        );
    }
}

fn base_url(table: &Table<'_>, listeners: &Listeners) -> Option<BaseUrl> {
    let Some(text) = table.text("url") else {
        table.error("url", "is missing", "write url = \"https://…\"");
        return None;
    };
    let url = match BaseUrl::parse(text) {
        Ok(url) => url,
        Err(error) => {
            let (message, remedy) = in_words(error);
            table.error("url", message, remedy);
            return None;
        }
    };
    if let Some(port) = listeners.reached_by(&url) {
        table.error(
            "url",
            format!("leads back to Zephyr itself, which listens there ({port})"),
            format!("write the address of another server, or change {port}"),
        );
    }
    let prefix = table.text("path_prefix");
    let url = match prefix {
        Some(prefix) => joined(table, &url, prefix)?,
        None => url,
    };
    let Some(base) = without_client_path(&url) else {
        return Some(url);
    };
    let is_in_prefix = prefix.is_some_and(|prefix| prefix.trim_matches('/').contains("v1"));
    table.warn(
        if is_in_prefix { "path_prefix" } else { "url" },
        "ends in a path that clients send themselves (/v1/messages), so that path is left out",
        "delete /v1 and what follows it",
    );
    Some(base)
}

/// The URL without the path that clients add themselves. With it they would ask for `/v1/v1/messages`.
fn without_client_path(url: &BaseUrl) -> Option<BaseUrl> {
    let text = url.to_string();
    let base = ["/v1/messages", "/v1"]
        .iter()
        .find_map(|path| text.strip_suffix(path))?;
    BaseUrl::parse(base).ok()
}

fn joined(table: &Table<'_>, url: &BaseUrl, prefix: &str) -> Option<BaseUrl> {
    let joined = url.join(prefix);
    if BaseUrl::parse(&joined.to_string()) == Ok(joined.clone()) {
        return Some(joined);
    }
    table.error(
        "path_prefix",
        "is not a path",
        "write for example \"/anthropic\", without a query or a fragment",
    );
    None
}

fn in_words(error: BaseUrlError) -> (&'static str, &'static str) {
    match error {
        BaseUrlError::NoScheme => ("has no scheme", "put https:// before it"),
        BaseUrlError::UnknownScheme => (
            "is neither http nor https",
            "begin it with https:// (or http:// on a network you trust)",
        ),
        BaseUrlError::Credentials => (
            "holds a user name or a password, which would be shown wherever the URL is",
            "take them out, and name the credential with auth_token_env",
        ),
        BaseUrlError::QueryOrFragment => (
            "has a query or a fragment, behind which no request path can be put",
            "end it before the first ? or #",
        ),
        BaseUrlError::Malformed => (
            "is not a URL that can be called",
            "write scheme, host, port if it is unusual, and path, such as \"https://relay.example.com/anthropic\"",
        ),
    }
}

fn unique_name(table: &Table<'_>, what: &str, lines: &mut Lines) -> String {
    let Some(name) = table.text("name") else {
        if !table.is_filled("name") {
            table.error(
                "name",
                format!("is missing or empty, and every {what} needs a name"),
                "write name = \"…\", as it should be shown",
            );
        }
        return String::new();
    };
    if name.chars().any(char::is_control) {
        table.error(
            "name",
            "has a control character",
            "write it in one line of plain text",
        );
    }
    match lines.get(name) {
        Some(first) => table.error(
            "name",
            format!(
                "is {}, as another {what} is called already{}",
                shown(name),
                besides(*first)
            ),
            format!("give this {what} a name of its own"),
        ),
        None => {
            lines.insert(name.to_owned(), table.line_of("name"));
        }
    }
    name.to_owned()
}

/// The name as it may be shown. A secret that somebody pasted is hidden.
fn shown(name: &str) -> String {
    if is_secret(name) {
        "(hidden)".to_owned()
    } else {
        format!("\"{name}\"")
    }
}

fn besides(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line})"))
}

const CREDENTIAL_REMEDY: &str = "add auth_token_env = \"AUTH_TOKEN_MAIN\" and put AUTH_TOKEN_MAIN=… into .env beside \
    this file, or write auth_type = \"passthrough\" to send the client's own credential";
