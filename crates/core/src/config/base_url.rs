//! Base URLs: the URLs that the requests to an endpoint go to.

use std::fmt;

use super::place::Place;

/// The scheme, authority and path prefix of an endpoint. Never credentials, a query or a fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    https: bool,
    authority: String,
    path: String,
}

impl BaseUrl {
    /// Reads a base URL. A trailing slash is dropped.
    ///
    /// # Errors
    ///
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(BaseUrlError::NoScheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUrlError::UnknownScheme),
        };
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        if path.contains(['?', '#']) {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let uri: http::Uri = text.parse().map_err(|_| BaseUrlError::Malformed)?;
        let host = uri.host().ok_or(BaseUrlError::Malformed)?;
        let port =
            authority[authority.find(host).map_or(0, |at| at + host.len())..].strip_prefix(':');
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(BaseUrlError::Malformed);
        }
        Ok(Self {
            https,
            authority: authority.to_ascii_lowercase(),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The same URL with `prefix` appended to its path.
    #[must_use]
    pub fn join(&self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let mut joined = self.clone();
        if !prefix.is_empty() {
            joined.path.push('/');
            joined.path.push_str(prefix);
        }
        joined
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host, with the port if one was given.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without the port. An IPv6 address has no brackets here.
    pub fn host(&self) -> &str {
        let host = match self.authority.rfind(':') {
            Some(colon) if !self.authority.ends_with(']') => &self.authority[..colon],
            Some(_) | None => &self.authority,
        };
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, or the default of the scheme.
    pub fn port(&self) -> u16 {
        let explicit = match self.authority.rfind(':') {
            Some(colon) if !self.authority.ends_with(']') => {
                self.authority[colon + 1..].parse().ok()
            }
            Some(_) | None => None,
        };
        explicit.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// How far away its host is, if what is sent there is not encrypted.
    pub fn place_in_clear_text(&self) -> Option<Place> {
        (!self.https).then(|| Place::of_host(self.host()))
    }

    /// The part before the client's path: empty, or `/prefix` without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrlError {
    /// `api.example.com` instead of `https://api.example.com`.
    NoScheme,
    /// Neither `http` nor `https`.
    UnknownScheme,
    /// `https://user:secret@…`: the secret would be visible wherever the URL is shown.
    Credentials,
    /// The client's path is appended to a base URL, so it cannot have a query or a fragment.
    QueryOrFragment,
    /// No host, or characters that no URL may have.
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_keeps_scheme_authority_and_path() {
        let url = BaseUrl::parse("https://Relay.example.com:8443/anthropic/").unwrap();

        assert_eq!(url.to_string(), "https://relay.example.com:8443/anthropic");
        assert_eq!((url.host(), url.port()), ("relay.example.com", 8443));
        assert_eq!(url.join("/v2/").path(), "/anthropic/v2");
    }

    #[test]
    fn an_ipv6_host_is_told_apart_from_its_port() {
        let with_port = BaseUrl::parse("http://[::1]:9000").unwrap();
        let without = BaseUrl::parse("http://[::1]").unwrap();

        assert_eq!((with_port.host(), with_port.port()), ("::1", 9000));
        assert_eq!((without.host(), without.port()), ("::1", 80));
    }

    #[test]
    fn what_is_no_base_url_says_why() {
        let cases = [
            ("api.example.com", BaseUrlError::NoScheme),
            ("ftp://api.example.com", BaseUrlError::UnknownScheme),
            (
                "https://me:secret@api.example.com",
                BaseUrlError::Credentials,
            ),
            (
                "https://api.example.com/?key=1",
                BaseUrlError::QueryOrFragment,
            ),
            ("https://", BaseUrlError::Malformed),
            ("https://a b", BaseUrlError::Malformed),
            ("https://api.example.com:99999", BaseUrlError::Malformed),
        ];

        for (text, why) in cases {
            assert_eq!(BaseUrl::parse(text), Err(why), "{text}");
        }
    }
}
