//! What a web page could make of an endpoint's answer, if a browser showed it.
//!
//! To a browser, everything behind the proxy's port is one origin, whichever endpoint answers. So a page of one
//! endpoint, opened there, could read the answers of others, leave a service worker, or set cookies. Two things
//! prevent that. Browsers get only the reserved pages. And no answer says anything to a browser: headers that
//! only browsers obey are left out, and each answer says that it is no page.

use http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, UPGRADE_INSECURE_REQUESTS,
    X_CONTENT_TYPE_OPTIONS,
};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");

/// Nothing of the answer may run, and nobody may frame it.
const NO_PAGE: HeaderValue =
    HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");

/// Whether a browser asks for something to show or to run, or a page of the proxy's own origin asks. Browsers tell
/// this by headers that a page cannot change (Fetch Metadata). Over plain HTTP to a name that is not loopback they do
/// not; there, what they accept tells it. Node's `fetch` sends `Sec-Fetch-Mode: cors`, but no site.
pub fn is_browsing(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, value: &str| {
        let mut values = headers.get_all(name).iter();
        values.any(|told| told.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    let shows = headers
        .get_all(SEC_FETCH_DEST)
        .iter()
        .any(|dest| !matches!(dest.as_bytes(), b"empty" | b""));
    shows
        || says(&SEC_FETCH_SITE, "same-origin")
        || says(&SEC_FETCH_MODE, "navigate")
        || says(&SEC_FETCH_MODE, "nested-navigate")
        || says(&SEC_FETCH_MODE, "websocket")
        || headers.contains_key(SERVICE_WORKER)
        || headers.contains_key(UPGRADE_INSECURE_REQUESTS)
        || headers.get_all(ACCEPT).iter().any(is_for_pages)
}

/// Whether the value of `Accept` is that of a browser that wants a page.
fn is_for_pages(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|accept| {
        accept.contains("text/html") && accept.contains("application/xhtml+xml")
    })
}

/// Leaves out of an endpoint's answer what only browsers obey. `page_may_read`: the request came from a web page
/// that is allowed, and the endpoint says whether it may read the answer.
pub fn say_nothing_to_browsers(headers: &mut HeaderMap, page_may_read: bool) {
    let is_left_out = |name: &&HeaderName| {
        let name = name.as_str();
        is_for_browsers(name) || (!page_may_read && name.starts_with("access-control-"))
    };
    let left_out: Vec<HeaderName> = headers.keys().filter(is_left_out).cloned().collect();
    for name in left_out {
        headers.remove(name);
    }
}

/// Leaves out what only Zephyr says of an answer. An endpoint cannot say it in our name.
pub fn forget_ours(headers: &mut HeaderMap) {
    let is_ours = |name: &&HeaderName| name.as_str().starts_with("x-zephyr-");
    let ours: Vec<HeaderName> = headers.keys().filter(is_ours).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}

/// Says that the answer is no page.
pub fn is_no_page(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_GUESSING);
    headers.insert(CONTENT_SECURITY_POLICY, NO_PAGE);
}

/// Headers that make a browser keep, send, load or allow something for a whole origin.
fn is_for_browsers(name: &str) -> bool {
    matches!(
        name,
        "alt-svc"
            | "clear-site-data"
            | "content-security-policy-report-only"
            | "document-policy"
            | "cross-origin-embedder-policy"
            | "cross-origin-opener-policy"
            | "cross-origin-resource-policy"
            | "expect-ct"
            | "nel"
            | "origin-agent-cluster"
            | "permissions-policy"
            | "public-key-pins"
            | "refresh"
            | "report-to"
            | "reporting-endpoints"
            | "service-worker-allowed"
            | "set-cookie"
            | "set-cookie2"
            | "set-login"
            | "sourcemap"
            | "speculation-rules"
            | "strict-transport-security"
            | "supports-loading-mode"
            | "timing-allow-origin"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(header).collect()
    }

    #[test]
    fn whoever_shows_or_runs_answers_is_a_browser() {
        for told in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
            &[("sec-fetch-dest", "document")],
            &[("sec-fetch-dest", "serviceworker")],
            &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")],
            &[("service-worker", "script")],
            &[("upgrade-insecure-requests", "1")],
            &[(
                "accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            )],
        ] {
            assert!(is_browsing(&map(told)), "{told:?}");
        }
    }

    #[test]
    fn programs_are_no_browsers() {
        for told in [
            &[][..],
            &[("accept", "*/*")],
            &[("accept", "application/json")],
            // Node's `fetch`.
            &[("sec-fetch-mode", "cors"), ("accept-language", "*")],
            // Java's `HttpURLConnection`.
            &[(
                "accept",
                "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            )],
            // A browser's extension, whose origin the guard checks.
            &[
                ("sec-fetch-site", "none"),
                ("sec-fetch-mode", "cors"),
                ("sec-fetch-dest", "empty"),
            ],
        ] {
            assert!(!is_browsing(&map(told)), "{told:?}");
        }
    }

    #[test]
    fn an_answer_keeps_nothing_for_browsers() {
        let told = [
            ("content-type", "text/html"),
            ("request-id", "req_1"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("set-cookie", "a=b"),
            ("service-worker-allowed", "/"),
            ("strict-transport-security", "max-age=1"),
            ("access-control-allow-origin", "*"),
        ];
        let left = |page_may_read| {
            let mut headers = map(&told);
            say_nothing_to_browsers(&mut headers, page_may_read);
            let mut names: Vec<String> = headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };

        let api = [
            "anthropic-ratelimit-requests-limit",
            "content-type",
            "request-id",
        ];
        assert_eq!(left(false), api);
        let with_cors = [&["access-control-allow-origin"], &api[..]].concat();
        assert_eq!(left(true), with_cors);
    }
}
