//! Hosts, origins and proxies as the file spells them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zephyr_core::config::{BaseUrl, ProxyRoute, Server, WebAdmin};

use super::plain_secret::HIDDEN;
use super::table::Table;

/// The addresses on which Zephyr itself answers.
pub(crate) struct Listeners {
    host: IpAddr,
    proxy: u16,
    admin: u16,
}

impl Listeners {
    pub(crate) fn of(server: &Server, admin: &WebAdmin) -> Self {
        Self {
            host: server.host,
            proxy: server.port,
            admin: admin.port,
        }
    }

    /// The key of the port that this URL leads back to.
    pub(crate) fn reached_by(&self, url: &BaseUrl) -> Option<&'static str> {
        let address: Option<IpAddr> = url.host().parse().ok();
        let name = url.host().trim_end_matches('.');
        let ours = match address.map(|address| address.to_canonical()) {
            Some(address) => {
                address.is_loopback() || address.is_unspecified() || address == self.host
            }
            None => name == "localhost" || name.ends_with(".localhost"),
        };
        match url.port() {
            port if !ours || port == 0 => None,
            port if port == self.proxy => Some("server.port"),
            port if port == self.admin => Some("web_admin.port"),
            _ => None,
        }
    }
}

/// The address a port listens on.
pub(crate) fn host(table: &Table<'_>, default: IpAddr) -> IpAddr {
    let text = table.filled_text("host", &default.to_string());
    if text.eq_ignore_ascii_case("localhost") {
        return Ipv4Addr::LOCALHOST.into();
    }
    text.parse().unwrap_or_else(|_| {
        table.error(
            "host",
            "is not an IP address",
            "write \"127.0.0.1\", or the address of one of this machine's networks",
        );
        default
    })
}

/// A `Host` name in lower case. Refuses a scheme and a port.
pub(crate) fn allowed_host(text: &str) -> Result<String, (&'static str, &'static str)> {
    let name = text.trim_start_matches('[').trim_end_matches(']');
    let is_address = name.parse::<Ipv6Addr>().is_ok();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_address || is_name {
        Ok(name.to_ascii_lowercase())
    } else {
        Err((
            "is not a host name",
            "write the name alone, such as \"zephyr.lan\", without scheme, port or wildcard",
        ))
    }
}

/// An origin as browsers send it: in lower case, without a default port.
pub(crate) fn allowed_origin(text: &str) -> Result<String, (&'static str, &'static str)> {
    const REMEDY: &str = "write scheme, host and port alone, such as \"https://app.example.com\" or \"http://localhost:5173\"";
    let lower = text.to_ascii_lowercase();
    if lower == "*" || lower == "null" {
        return Err(("would let any web page use your credentials", REMEDY));
    }
    let Some((scheme, authority)) = lower.split_once("://") else {
        return Err(("has no scheme", REMEDY));
    };
    let scheme_is_good = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority_is_good = authority
        .parse::<http::uri::Authority>()
        .is_ok_and(|parsed| !parsed.host().is_empty() && !authority.contains(['@', '*']));
    if !scheme_is_good || !authority_is_good {
        return Err(("is not an origin", REMEDY));
    }
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    Ok(format!("{scheme}://{authority}"))
}

/// The way to an endpoint. No message repeats the text, because it may hold a password.
pub(crate) fn proxy(table: &Table<'_>) -> ProxyRoute {
    const REMEDY: &str = "write \"system\", \"direct\", or a URL such as \"http://127.0.0.1:7890\" \
        or \"socks5://127.0.0.1:1080\"";
    let Some(text) = table.text("proxy") else {
        return ProxyRoute::System;
    };
    match text {
        "system" => return ProxyRoute::System,
        "direct" => return ProxyRoute::Direct,
        _ => {}
    }
    let wrong = match text.split_once("://") {
        None => Some("is neither a word that is possible here nor a URL with a scheme"),
        Some((_, rest)) if rest.contains(HIDDEN) => Some("has no password, only what hides one"),
        Some(("http" | "socks5", rest)) => (!is_proxy_address(rest))
            .then_some("is a URL without a host, or with characters that no URL may have"),
        Some(("https", _)) => {
            Some("is a proxy that is itself reached by TLS, which Zephyr cannot do")
        }
        Some(_) => Some("has a scheme that is not supported for proxies"),
    };
    match wrong {
        Some(message) => {
            table.error("proxy", message, REMEDY);
            ProxyRoute::System
        }
        None => ProxyRoute::Via(text.trim_end_matches('/').to_owned()),
    }
}

fn is_proxy_address(text: &str) -> bool {
    let address = text.trim_end_matches('/');
    let Ok(authority) = address.parse::<http::uri::Authority>() else {
        return false;
    };
    let behind_host = address.rsplit(['@', ']']).next().unwrap_or(address);
    let port_is_good = match behind_host.rsplit_once(':') {
        Some((_, port)) => port.parse::<u16>().is_ok(),
        None => true,
    };
    !authority.host().is_empty() && port_is_good
}
