//! Decides who may use the admin port.
//!
//! Every program on this machine can reach the port. So can every web page that the user opens, through the
//! user's browser. A page is recognized by headers that its browser adds and that it cannot change: `Host`
//! (a name that was rebound to 127.0.0.1 is still not ours), `Origin`, `Sec-Fetch-Site`. A program is
//! recognized by the token, which is only in the user's files.
//!
//! All checks are pure functions of a request's head. The server calls them before it reads a body.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use http::uri::Authority;
use http::{HeaderValue, Uri};

use super::caller::Caller;
use crate::token::AccessTokens;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    /// `Host` is missing, or names something that is not this port on this machine.
    #[error(
        "the Host header has to name this port on this machine, for instance {expected}; \
         open the admin port by that address"
    )]
    ForeignHost {
        /// A `Host` that would be accepted.
        expected: String,
    },
    /// A web page from elsewhere sent it.
    #[error("web pages of other origins may not use the admin port")]
    ForeignOrigin,
    /// A program of another user of this machine sent it.
    #[error(
        "the admin port is for the programs of the user who runs Zephyr; others may read /metrics with the \
         metrics token, or use the port if server.allow_other_users is true"
    )]
    OtherUser,
    /// The token is missing or wrong.
    #[error(
        "the admin token is missing or wrong; send the contents of the file admin-token in Zephyr's data folder as a \
         Bearer token, or sign a browser in with `zephyr open`"
    )]
    Unauthorized,
    /// The metrics are asked for without a token.
    #[error(
        "the metrics token is missing or wrong; send the contents of the file metrics-token in Zephyr's data folder as \
         a Bearer token"
    )]
    NoMetrics,
}

/// Whether the request was made for this port on this machine, and not by a page from elsewhere.
pub(super) fn admit_source(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Rejection> {
    let foreign_host = || Rejection::ForeignHost {
        expected: format!("127.0.0.1:{port}"),
    };
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(authority).ok_or_else(foreign_host)?;
    let ours = is_ours(&host, port)
        && hosts.next().is_none()
        && uri.authority().is_none_or(|named| is_ours(named, port));
    if !ours {
        return Err(foreign_host());
    }

    let own_origin = format!("http://{host}");
    let same_origin = headers.get_all(ORIGIN).iter().all(|origin| {
        origin
            .as_bytes()
            .eq_ignore_ascii_case(own_origin.as_bytes())
    });
    // `none`: the user typed the address or opened it from another program.
    let same_site = headers
        .get_all(SEC_FETCH_SITE)
        .iter()
        .all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    if same_origin && same_site {
        Ok(())
    } else {
        Err(Rejection::ForeignOrigin)
    }
}

/// Whether the request was certainly made by our own page. That is stricter than
/// [not by another](admit_source): a browser adds a cookie by itself, also when it does not tell the
/// origin.
pub(super) fn admit_same_origin(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().peekable();
    // A browser that is too old to tell the site tells the origin, which has been compared already.
    let told = sites.peek().is_some() || headers.contains_key(ORIGIN);
    if told && sites.all(|site| site.as_bytes() == b"same-origin") {
        Ok(())
    } else {
        Err(Rejection::ForeignOrigin)
    }
}

/// Who the request's token belongs to. A browser has none, and is nobody here.
pub(super) fn caller(headers: &HeaderMap, tokens: &AccessTokens) -> Caller {
    let presented = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().split_at_checked("Bearer ".len()))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "))
        .map(|(_, presented)| presented);
    match presented {
        Some(presented) if tokens.admin.is(presented) => Caller::Program,
        Some(presented) if tokens.metrics.is(presented) => Caller::Scraper,
        Some(_) | None => Caller::Nobody,
    }
}

fn authority(host: &HeaderValue) -> Option<Authority> {
    Authority::try_from(host.as_bytes()).ok()
}

fn is_ours(authority: &Authority, port: u16) -> bool {
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let user_info = authority.as_str().contains('@');
    loopback && !user_info && authority.port_u16().unwrap_or(80) == port
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: u16 = 8081;

    fn source(headers: &[(HeaderName, &str)]) -> Result<(), Rejection> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        admit_source(&Uri::from_static("/api/v1/snapshot"), &headers, PORT)
    }

    fn foreign_host() -> Result<(), Rejection> {
        Err(Rejection::ForeignHost {
            expected: "127.0.0.1:8081".to_owned(),
        })
    }

    #[test]
    fn a_loopback_name_with_our_port_is_ours() {
        for host in [
            "127.0.0.1:8081",
            "localhost:8081",
            "LocalHost:8081",
            "[::1]:8081",
            "127.1.2.3:8081",
        ] {
            assert_eq!(source(&[(HOST, host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn any_other_host_is_refused() {
        let foreign = [
            "evil.example:8081",
            "localhost.evil.example:8081",
            "127.0.0.1.evil.example:8081",
            "localhost:8082",
            "localhost",
            "192.168.1.10:8081",
            "0.0.0.0:8081",
            "evil.example@localhost:8081",
            "",
        ];

        for host in foreign {
            assert_eq!(source(&[(HOST, host)]), foreign_host(), "{host}");
        }
        assert_eq!(source(&[]), foreign_host());
        assert_eq!(
            source(&[(HOST, "localhost:8081"), (HOST, "evil.example:8081")]),
            foreign_host()
        );
    }

    #[test]
    fn a_request_line_that_names_another_host_is_refused() {
        let uri = Uri::from_static("http://evil.example:8081/api/v1/snapshot");
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost:8081"))]);

        assert_eq!(admit_source(&uri, &headers, PORT), foreign_host());
    }

    #[test]
    fn our_own_page_may_call() {
        let host = (HOST, "localhost:8081");

        assert_eq!(
            source(&[host.clone(), (ORIGIN, "http://localhost:8081")]),
            Ok(())
        );
        assert_eq!(
            source(&[host.clone(), (SEC_FETCH_SITE, "same-origin")]),
            Ok(())
        );
        assert_eq!(source(&[host, (SEC_FETCH_SITE, "none")]), Ok(()));
    }

    #[test]
    fn a_page_from_elsewhere_may_not() {
        let foreign = [
            (ORIGIN, "https://evil.example"),
            (ORIGIN, "https://localhost:8081"),
            (ORIGIN, "http://localhost:3000"),
            (ORIGIN, "http://127.0.0.1:8081"),
            (ORIGIN, "null"),
            (SEC_FETCH_SITE, "cross-site"),
            (SEC_FETCH_SITE, "same-site"),
            (SEC_FETCH_SITE, ""),
        ];

        for (name, value) in foreign {
            let refusal = source(&[(HOST, "localhost:8081"), (name.clone(), value)]);
            assert_eq!(refusal, Err(Rejection::ForeignOrigin), "{name}: {value}");
        }
    }

    #[test]
    fn only_our_own_page_is_certainly_our_own_page() {
        let certain = |headers: &[(HeaderName, &'static str)]| {
            let values = headers.iter().cloned();
            let values = values.map(|(name, value)| (name, HeaderValue::from_static(value)));
            admit_same_origin(&values.collect()).is_ok()
        };
        let origin = (ORIGIN, "http://localhost:8081");

        assert!(certain(&[(SEC_FETCH_SITE, "same-origin")]));
        assert!(certain(&[origin.clone(), (SEC_FETCH_SITE, "same-origin")]));
        assert!(certain(std::slice::from_ref(&origin)));
        for site in ["none", "same-site", "cross-site", ""] {
            assert!(!certain(&[(SEC_FETCH_SITE, site)]), "{site}");
            assert!(
                !certain(&[origin.clone(), (SEC_FETCH_SITE, site)]),
                "{site}"
            );
        }
        assert!(!certain(&[]));
    }

    #[test]
    fn only_the_whole_token_as_a_bearer_counts() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = AccessTokens::load_or_create(folder.path()).unwrap();
        let bearer = |value: String| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            caller(&headers, &tokens)
        };
        let secrets = [
            (tokens.admin.reveal(), Caller::Program),
            (tokens.metrics.reveal(), Caller::Scraper),
        ];

        for (secret, whose) in secrets {
            assert_eq!(bearer(format!("Bearer {secret}")), whose);
            assert_eq!(bearer(format!("bearer {secret}")), whose);
            for wrong in [
                String::new(),
                secret.to_owned(),
                "Bearer ".to_owned(),
                format!("Basic {secret}"),
                format!("Bearer {}", &secret[1..]),
                format!("Bearer {secret}0"),
            ] {
                assert_eq!(bearer(wrong), Caller::Nobody);
            }
        }
        assert_eq!(caller(&HeaderMap::new(), &tokens), Caller::Nobody);
    }
}
