//! Who asks, and what they may ask for.
//!
//! | caller | is known by | may |
//! | --- | --- | --- |
//! | nobody | nothing | see the page, exchange a code, ask for a proof |
//! | a scraper | the metrics token | read `/metrics` |
//! | a browser | a session | look, steer and change; not what is dangerous ([`super::trust`]) |
//! | a program | the admin token | everything |

use http::Method;

use super::visitors::SessionId;
use crate::protocol::path;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    Scraper,
    Browser(SessionId),
    Program,
}

/// Who may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Everybody,
    Metrics,
    /// Browsers and programs.
    Signed,
    Programs,
}

impl Caller {
    /// Whether the caller may ask for this path. What it asks for there may still be dangerous.
    pub(super) fn may_ask(self, method: &Method, path: &str) -> bool {
        match (access(method, path), self) {
            (Access::Everybody, _) | (_, Self::Program) => true,
            (Access::Metrics, caller) => caller != Self::Nobody,
            (Access::Signed, Self::Browser(_)) => true,
            (Access::Signed | Access::Programs, _) => false,
        }
    }
}

/// Decides by the path, so a route that nobody thought of is closed to strangers.
fn access(method: &Method, asked: &str) -> Access {
    match asked {
        path::PROOF => Access::Everybody,
        path::SESSION if method == Method::POST => Access::Everybody,
        path::METRICS => Access::Metrics,
        path::CODES | path::CONFIRMATIONS => Access::Programs,
        _ if asked.starts_with(path::CONFIRMATIONS) && method == Method::POST => Access::Programs,
        _ if path::is_guarded(asked) => Access::Signed,
        _ => Access::Everybody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_may_ask_for_what_is_theirs() {
        let browser = Caller::Browser(SessionId(1));
        let callers = [Caller::Nobody, Caller::Scraper, browser, Caller::Program];
        let cases = [
            (Method::GET, "/", [true, true, true, true]),
            (Method::GET, path::PROOF, [true, true, true, true]),
            (Method::POST, path::SESSION, [true, true, true, true]),
            (Method::GET, path::SESSION, [false, false, true, true]),
            (Method::GET, path::METRICS, [false, true, true, true]),
            (Method::GET, "/metrics/", [false, false, true, true]),
            (Method::GET, path::SNAPSHOT, [false, false, true, true]),
            (Method::POST, path::COMMANDS, [false, false, true, true]),
            (Method::GET, "/api/v1/nothing", [false, false, true, true]),
            (Method::POST, path::CODES, [false, false, false, true]),
            (
                Method::GET,
                path::CONFIRMATIONS,
                [false, false, false, true],
            ),
            (
                Method::GET,
                "/api/v1/confirmations/1",
                [false, false, true, true],
            ),
            (
                Method::POST,
                "/api/v1/confirmations/1",
                [false, false, false, true],
            ),
        ];

        for (method, path, expected) in cases {
            let may = callers.map(|caller| caller.may_ask(&method, path));
            assert_eq!(may, expected, "{method} {path}");
        }
    }
}
