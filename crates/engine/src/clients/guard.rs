//! Who may call the proxy port.
//!
//! A web page in the user's browser can reach a port on loopback. Two checks keep it from spending the
//! user's tokens: `Host` must be a name of this machine's own (against DNS rebinding), and a request
//! that says it comes from a page (`Origin`, `Sec-Fetch-Site`) must come from an allowed one.
//! Command-line clients send neither header.

use http::HeaderMap;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use http::uri::Authority;
use zephyr_core::config::Server;

use crate::clients::reply::Code;
use crate::endpoints::headers::client_tokens;
use zephyr_secrets::Secret;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub struct Guard {
    allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    /// The proxy listens on an address that is not loopback. Its host name is then unknown, so any name is
    /// allowed.
    any_host: bool,
    client_token: Option<Secret>,
    /// A client token is configured, but was not found: every client is refused.
    locked: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: Code,
    /// What went wrong and what to do.
    pub message: String,
}

impl Guard {
    /// The rules of `[server]`. `client_token`: the secret behind its reference.
    pub fn new(server: &Server, client_token: Option<Secret>) -> Self {
        Self {
            allowed_hosts: server
                .allowed_hosts
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
            allowed_origins: server
                .allowed_origins
                .iter()
                .map(|origin| origin.to_ascii_lowercase())
                .collect(),
            any_host: !server.host.is_loopback() && server.allowed_hosts.is_empty(),
            locked: server.client_token.is_some() && client_token.is_none(),
            client_token,
        }
    }

    /// Whether the request may be served. `authority`: from the request line; HTTP/2 has it instead of
    /// `Host`. If both are there, both must be ours.
    ///
    /// # Errors
    ///
    /// The rule that the request breaks, and what to do.
    pub fn check(&self, headers: &HeaderMap, authority: Option<&Authority>) -> Result<(), Refused> {
        self.check_host(headers, authority)?;
        self.check_origin(headers)
    }

    /// Whether the client sent the configured token.
    ///
    /// # Errors
    ///
    /// It did not.
    pub fn check_client(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let known = match &self.client_token {
            None => !self.locked,
            Some(token) => client_tokens(headers).any(|shown| token.matches(shown)),
        };
        if known {
            return Ok(());
        }
        let message = if self.locked {
            "server.client_token_env names a variable that is not set; set it and reload"
        } else {
            "send Zephyr's client token in x-api-key, or in Authorization as a Bearer token (ANTHROPIC_AUTH_TOKEN)"
        };
        refuse(Code::ClientTokenRequired, message.to_owned())
    }

    /// Whether every client has to show a token.
    pub fn asks_for_token(&self) -> bool {
        self.client_token.is_some() || self.locked
    }

    fn check_host(
        &self,
        headers: &HeaderMap,
        authority: Option<&Authority>,
    ) -> Result<(), Refused> {
        if authority.is_none() && is_plainly_loopback(headers) {
            return Ok(());
        }
        // A user name before the host could hide the host from whoever reads it.
        let name = |authority: &Authority| {
            let bare = authority.host().trim_matches(['[', ']']).to_lowercase();
            let is_bare = !authority.as_str().contains('@');
            if is_bare {
                bare
            } else {
                authority.as_str().to_lowercase()
            }
        };
        let in_header = headers.get_all(HOST).iter().map(|value| {
            let authority = value.to_str().ok().and_then(|text| text.parse().ok());
            authority.as_ref().map_or_else(String::new, name)
        });
        // HTTP/1.0 has neither, but browsers do not speak HTTP/1.0.
        let mut hosts = authority.map(name).into_iter().chain(in_header);
        let is_ours = |host: &String| {
            let is_named = self.allowed_hosts.contains(host);
            is_named || is_loopback_name(host) || (self.any_host && !host.contains('@'))
        };
        let Some(host) = hosts.find(|host| !is_ours(host)) else {
            return Ok(());
        };
        let message = format!(
            "this proxy does not answer to the host name {host:?}; add it to server.allowed_hosts if it should"
        );
        refuse(Code::HostNotAllowed, message)
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let mut comes_from_page = false;
        for origin in headers.get_all(ORIGIN) {
            comes_from_page = true;
            let origin = String::from_utf8_lossy(origin.as_bytes()).to_ascii_lowercase();
            if !self.allowed_origins.contains(&origin) {
                let message = format!(
                    "web pages may not call this proxy; add {origin:?} to server.allowed_origins if this one should"
                );
                return refuse(Code::OriginNotAllowed, message);
            }
        }
        if comes_from_page {
            return Ok(());
        }
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        if sites.all(|site| matches!(site.as_bytes(), b"none" | b"same-origin")) {
            return Ok(());
        }
        refuse(
            Code::OriginNotAllowed,
            "web pages may not call this proxy".to_owned(),
        )
    }
}

fn refuse(code: Code, message: String) -> Result<(), Refused> {
    Err(Refused { code, message })
}

/// Whether there is exactly one `Host`, in the form that nearly every client writes. Any other form takes the
/// slower, full check.
fn is_plainly_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| {
        match host.strip_prefix(name.as_bytes()) {
            Some([]) => true,
            Some([b':', port @ ..]) => port.iter().all(u8::is_ascii_digit),
            Some(_) | None => false,
        }
    })
}

fn is_loopback_name(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &Server, lines: &[(&'static str, &'static str)]) -> Option<Code> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let headers = lines.iter().map(header).collect();
        Guard::new(server, None)
            .check(&headers, None)
            .err()
            .map(|refused| refused.code)
    }

    #[test]
    fn loopback_names_are_ours_and_others_are_not() {
        let server = Server::default();
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "[::1]:8080",
            "127.0.0.9",
        ] {
            assert_eq!(check(&server, &[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example.com",
            "127.0.0.1.evil.example.com",
            "localhost.evil.example.com",
            // Whatever it stands for, a page may live there too.
            "evil.localhost:8080",
            "evil@localhost:8080",
            "evil:8080@127.0.0.1",
            "10.0.0.1",
            "",
        ] {
            assert_eq!(
                check(&server, &[("host", host)]),
                Some(Code::HostNotAllowed),
                "{host}"
            );
        }
    }

    #[test]
    fn an_allowed_host_and_an_allowed_origin_pass() {
        let server = Server {
            allowed_hosts: vec!["Zephyr.lan".to_owned()],
            allowed_origins: vec!["https://tools.example.com".to_owned()],
            ..Server::default()
        };

        let allowed = [
            ("host", "zephyr.lan:8080"),
            ("origin", "https://tools.example.com"),
        ];

        assert_eq!(check(&server, &allowed), None);
    }

    #[test]
    fn web_pages_are_refused() {
        let server = Server::default();
        for page in [
            ("origin", "https://evil.example.com"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:3000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
        ] {
            let code = check(&server, &[("host", "127.0.0.1:8080"), page]);
            assert_eq!(code, Some(Code::OriginNotAllowed), "{page:?}");
        }
    }

    #[test]
    fn every_value_of_a_doubled_header_counts() {
        let server = Server {
            allowed_origins: vec!["https://tools.example.com".to_owned()],
            ..Server::default()
        };
        let twice = |name: HeaderName, values: [&'static str; 2]| {
            let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("127.0.0.1"))]);
            for value in values {
                headers.append(name.clone(), HeaderValue::from_static(value));
            }
            let refused = Guard::new(&server, None).check(&headers, None).err();
            refused.map(|refused| refused.code)
        };

        let (ours, other) = ("https://tools.example.com", "https://evil.example.com");
        for (name, values) in [
            (ORIGIN, [ours, other]),
            (ORIGIN, [other, ours]),
            (SEC_FETCH_SITE, ["none", "cross-site"]),
            (SEC_FETCH_SITE, ["cross-site", "none"]),
        ] {
            let code = twice(name, values);
            assert_eq!(code, Some(Code::OriginNotAllowed), "{values:?}");
        }
    }

    #[test]
    fn the_client_token_is_asked_for_where_one_is_configured() {
        let token = Secret::new("open-sesame").unwrap();
        let guard = Guard::new(&Server::default(), Some(token));
        let with = |value| {
            HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static(value))])
        };

        assert!(guard.check_client(&with("Bearer open-sesame")).is_ok());
        assert!(guard.check_client(&with("Bearer open-barley")).is_err());
        assert!(guard.check_client(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_configured_token_that_was_not_found_locks_the_port() {
        let server = Server {
            client_token: Some(zephyr_core::config::CredentialRef::Env("GONE".to_owned())),
            ..Server::default()
        };

        assert!(
            Guard::new(&server, None)
                .check_client(&HeaderMap::new())
                .is_err()
        );
    }
}
