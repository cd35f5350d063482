//! What a browser gets at the proxy's port: three pages, and nothing of an endpoint.

use zephyr_testkit::{Act, Endpoint};

use crate::common::{Zephyr, streaming};

const NAVIGATION: [(&str, &str); 3] = [
    ("sec-fetch-site", "none"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

#[tokio::test]
async fn a_page_of_an_endpoint_is_not_shown() {
    let a = Endpoint::start(Act::html(200)).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let pages = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    for browsing in [
        &NAVIGATION[..],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
        ],
        &[
            ("sec-fetch-site", "same-origin"),
            ("service-worker", "script"),
        ],
        // Over plain HTTP to a name that is not loopback, a browser tells no more than this.
        &[("accept", pages)],
        &[("upgrade-insecure-requests", "1")],
    ] {
        for path in ["/", "/index.html", "/v1/models", "/sw.js"] {
            let answer = zephyr.request(&format!("GET {path}"), browsing, "").await;

            assert_eq!(answer.status, 403, "{path}, {browsing:?}");
            assert_eq!(answer.header("x-zephyr-error"), Some("origin_not_allowed"));
        }
    }
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn the_reserved_pages_are_shown() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for page in ["/status", "/diagnostics", "/health"] {
        let line = format!("GET {page}");
        let answer = zephyr.request(&line, &NAVIGATION, "").await;

        assert_eq!(answer.status, 200, "{page}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox"), "{page}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn an_allowed_page_may_read_what_its_endpoint_lets_it_read() {
    let cors = Act::message("Hi").header("access-control-allow-origin", "*");
    let a = Endpoint::start(cors).await;
    let allowed = "[server]\nallowed_origins = [\"https://tools.example.com\"]\n\n";
    let zephyr = Zephyr::over(&[&a], allowed).await;
    let page = [
        ("origin", "https://tools.example.com"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "empty"),
    ];
    let body = streaming().to_string();

    let to_page = zephyr.request("POST /v1/messages", &page, &body).await;
    let to_program = zephyr.request("POST /v1/messages", &[], &body).await;

    assert_eq!((to_page.status, to_program.status), (200, 200));
    let allows = |answer: &zephyr_testkit::Answer| {
        answer
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    assert_eq!(allows(&to_page).as_deref(), Some("*"));
    assert_eq!(allows(&to_program), None);
}

#[tokio::test]
async fn a_redirection_leaves_us_on_no_path() {
    let a = Endpoint::start(Act::redirect(307, "https://elsewhere.example.com/")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for line in [
        "POST /v1/messages",
        "POST /v1/messages/count_tokens",
        "GET /v1/models",
        "GET /v1/files",
        "POST /x",
    ] {
        let answer = zephyr.request(line, &[], "{}").await;

        assert_eq!(answer.header("location"), None, "{line}");
        assert!(answer.status >= 400, "{line}: {}", answer.status);
    }
}
