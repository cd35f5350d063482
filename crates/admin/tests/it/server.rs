//! The admin HTTP API as programs and browsers see it.

use std::net::SocketAddr;

use crate::fake::{self, Asked, Server, every_command, record, snapshot, web_admin};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zephyr_control::{ControlError, ErrorCode, RequestRecord, Snapshot};
use zephyr_core::config::WebAdmin;

fn request(address: SocketAddr, method: Method, path: &str) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.request(method, format!("http://{address}{path}"))
}

fn get(server: &Server, path: &str) -> RequestBuilder {
    request(server.address, Method::GET, path).bearer_auth(server.secret())
}

fn post(server: &Server, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request(server.address, Method::POST, "/api/v1/commands")
        .bearer_auth(server.secret())
        .body(body)
}

async fn error_of(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let error: Value = response.json().await.unwrap();
    (status, error["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_snapshot_is_json() {
    let server = Server::start().await;

    let response = get(&server, "/api/v1/snapshot").send().await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.json::<Snapshot>().await.unwrap(), snapshot(1));
}

#[tokio::test]
async fn every_command_arrives() {
    let server = Server::start().await;

    for command in every_command() {
        let body = serde_json::to_vec(&command).unwrap();
        let response = post(&server, body).send().await.unwrap();

        assert_eq!(response.status(), StatusCode::OK, "{command:?}");
        assert_eq!(
            response.json::<Value>().await.unwrap(),
            json!({"message": "done"})
        );
        assert_eq!(server.control.commands(), [command]);
    }
}

#[tokio::test]
async fn what_is_counted_is_told_to_those_with_the_token() {
    let server = Server::start().await;

    let response = get(&server, "/metrics").send().await.unwrap();
    let scraper = request(server.address, Method::GET, "/metrics");
    let scraper = scraper.bearer_auth(server.metrics_secret()).send().await;
    let stranger = request(server.address, Method::GET, "/metrics");
    let stranger = stranger.send().await.unwrap();

    assert_eq!(
        response.headers()["content-type"],
        zephyr_control::METRICS_TYPE
    );
    assert_eq!(response.text().await.unwrap(), fake::COUNTED);
    assert_eq!(scraper.unwrap().text().await.unwrap(), fake::COUNTED);
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    let told = stranger.text().await.unwrap();
    assert!(told.contains("metrics-token"), "{told}");
}

#[tokio::test]
async fn a_proof_needs_no_token_and_tells_none() {
    let server = Server::start().await;
    let prove = async |challenge: &str| {
        let path = format!("/api/v1/proof?{challenge}");
        let response = request(server.address, Method::GET, &path).send().await;
        response.unwrap().text().await.unwrap()
    };

    let (first, again, other) = (prove("a").await, prove("a").await, prove("b").await);

    assert_eq!(first.len(), 64);
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_ne!(first, server.secret().trim());
}

#[tokio::test]
async fn a_wrong_parameter_is_named_and_nothing_is_asked() {
    let server = Server::start().await;
    let cases = [
        ("/api/v1/requests?since_ms=yesterday", "since_ms"),
        ("/api/v1/requests?modle=x", "modle"),
        ("/api/v1/requests?limit=0", "limit"),
        ("/api/v1/requests/export?format=csv&limit=3", "limit"),
        ("/api/v1/requests/export", "format"),
        ("/api/v1/requests/export?format=xml", "format"),
        ("/api/v1/usage?by=week", "by"),
        ("/api/v1/usage?by=day&by=hour", "by"),
        ("/api/v1/history?status=529", "status"),
        ("/api/v1/token", "reference"),
        ("/api/v1/requests?text=%00", "text"),
        ("/api/v1/requests?endpoint=a%00b", "endpoint"),
        ("/api/v1/requests/export?format=csv&text=%00", "text"),
        ("/api/v1/history?endpoint=%00", "endpoint"),
        ("/api/v1/token?reference=%00", "reference"),
    ];

    for (path, name) in cases {
        let response = get(&server, path).send().await.unwrap();

        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        let error: ControlError = response.json().await.unwrap();
        assert!(
            error.message.contains(&format!("`{name}`")),
            "{path}: {error}"
        );
    }
    let no_number = get(&server, "/api/v1/requests/latest").send().await;
    assert_eq!(no_number.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(server.control.asked(), []);
}

#[tokio::test]
async fn an_export_has_every_request_that_matches() {
    let server = Server::start().await;
    server.control.record((1..=2500).map(record));

    let lines = get(&server, "/api/v1/requests/export?format=jsonl&model=x").send();
    let lines = lines.await.unwrap();
    let table = get(&server, "/api/v1/requests/export?format=csv").send();
    let table = table.await.unwrap();

    let disposition = |response: &Response| response.headers()["content-disposition"].clone();
    assert_eq!(
        disposition(&lines),
        "attachment; filename=\"zephyr-requests.jsonl\""
    );
    assert_eq!(
        disposition(&table),
        "attachment; filename=\"zephyr-requests.csv\""
    );
    let lines = lines.text().await.unwrap();
    let records = lines
        .lines()
        .map(|line| serde_json::from_str::<RequestRecord>(line).unwrap());
    assert!(records.eq((1..=2500).rev().map(record)));
    let table = table.text().await.unwrap();
    assert_eq!(table.lines().count(), 2501);
    assert!(table.starts_with("id,time,"), "{table}");
    let filters = server.control.asked().into_iter().map(|asked| {
        let Asked::Requests(filter, _) = asked else {
            panic!("{asked:?}");
        };
        filter.model
    });
    let expected = [Some("x".to_owned()), None].map(|model| [(); 3].map(|()| model.clone()));
    assert!(filters.eq(expected.into_iter().flatten()));
}

#[tokio::test]
async fn an_export_that_cannot_begin_is_an_error_and_no_file() {
    let server = Server::start().await;
    let error = ControlError::new(ErrorCode::NotPossible, "nothing is kept");
    server.control.refuse(error);

    let response = get(&server, "/api/v1/requests/export?format=csv").send();

    assert_eq!(
        error_of(response.await.unwrap()).await,
        (409, "not_possible".to_owned())
    );
}

#[tokio::test]
async fn an_export_of_nothing_is_a_table_of_nothing() {
    let server = Server::start().await;

    let response = get(&server, "/api/v1/requests/export?format=csv").send();

    let text = response.await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), 1);
}

#[tokio::test]
async fn a_token_in_a_body_is_not_in_the_answer() {
    let server = Server::start().await;
    let wrong = [
        r#"{"command":"store_token","reference":5,"token":"hunter2"}"#,
        r#"{"command":"store_token","reference":{"a":"hunter2"},"token":"x"}"#,
        r#"{"command":"move_endpoint","name":"a","to":"hunter2"}"#,
        r#"{"what":"draft","endpoint":"hunter2"}"#,
    ];

    for path in ["/api/v1/commands", "/api/v1/check", "/api/v1/diagnose"] {
        for body in wrong {
            let response = request(server.address, Method::POST, path)
                .bearer_auth(server.secret())
                .body(body);
            let text = response.send().await.unwrap().text().await.unwrap();

            assert!(text.contains("the body is not"), "{text}");
            assert!(!text.contains("hunter2"), "{path} {body}: {text}");
        }
    }
}

#[tokio::test]
async fn an_error_has_its_status() {
    let server = Server::start().await;
    let cases = [
        (ErrorCode::UnknownEndpoint, 404, "unknown_endpoint"),
        (ErrorCode::UnknownRequest, 404, "unknown_request"),
        (ErrorCode::NotPossible, 409, "not_possible"),
        (
            ErrorCode::InvalidConfiguration,
            422,
            "invalid_configuration",
        ),
        (ErrorCode::Internal, 500, "internal"),
    ];

    for (code, status, name) in cases {
        server.control.refuse(ControlError::new(code, "because"));
        let response = post(&server, r#"{"command":"auto"}"#).send().await.unwrap();

        assert_eq!(error_of(response).await, (status, name.to_owned()));
    }
}

#[tokio::test]
async fn what_is_no_command_is_a_bad_request() {
    let server = Server::start().await;

    for body in [
        "",
        "{",
        "{}",
        r#"{"command":"explode"}"#,
        r#"{"command":"use"}"#,
        r#"{"command":"use","endpoint":"\u0000"}"#,
        r#"{"command":"set","key":"ui.theme","value":["a\u0000b"]}"#,
        r#"{"command":"store_token","reference":"a\u0000","token":"t"}"#,
    ] {
        let response = post(&server, body).send().await.unwrap();

        assert_eq!(
            error_of(response).await,
            (400, "bad_request".to_owned()),
            "{body}"
        );
    }
    assert_eq!(server.control.commands(), []);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let server = Server::start().await;

    let response = post(&server, vec![b' '; 64 * 1024 + 1])
        .send()
        .await
        .unwrap();

    assert_eq!(error_of(response).await, (413, "bad_request".to_owned()));
}

#[tokio::test]
async fn a_body_of_somebody_unknown_is_short_or_refused() {
    let server = Server::start().await;
    let exchange = |length: usize| {
        let code = format!("{{\"code\":\"{}\"}}", "0".repeat(length));
        request(server.address, Method::POST, "/api/v1/session")
            .header("sec-fetch-site", "same-origin")
            .body(code)
            .send()
    };

    let short = exchange(64).await.unwrap();
    let long = exchange(1024).await.unwrap();

    assert_eq!(short.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn other_paths_and_methods_are_errors_in_json() {
    let server = Server::start().await;

    let nowhere = get(&server, "/api/v1/nowhere").send().await.unwrap();
    let no_version = get(&server, "/api/snapshot").send().await.unwrap();
    let wrong_method = get(&server, "/api/v1/commands").send().await.unwrap();

    assert_eq!(error_of(nowhere).await, (404, "bad_request".to_owned()));
    assert_eq!(error_of(no_version).await, (404, "bad_request".to_owned()));
    assert_eq!(
        error_of(wrong_method).await,
        (405, "bad_request".to_owned())
    );
}

#[tokio::test]
async fn events_are_a_snapshot_now_and_after_every_change() {
    let server = Server::start().await;

    let mut response = get(&server, "/api/v1/events").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let first = next_event(&mut response).await;
    server.control.publish(snapshot(2));
    let second = next_event(&mut response).await;

    assert_eq!(first, event(&snapshot(1)));
    assert_eq!(second, event(&snapshot(2)));
}

#[tokio::test]
async fn events_end_when_the_server_does() {
    let mut server = Server::start().await;
    let mut response = get(&server, "/api/v1/events").send().await.unwrap();
    next_event(&mut response).await;

    server.shutdown.cancel();
    server.admin.take().unwrap().stopped().await;

    assert_eq!(response.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    let server = Server::start().await;
    let paths = [
        "/api/v1/snapshot",
        "/api/v1/events",
        "/api/v1/commands",
        "/api/v1/check",
        "/api/v1/diagnose",
        "/api/v1/configuration",
        "/api/v1/requests",
        "/api/v1/requests/1",
        "/api/v1/requests/export?format=csv",
        "/api/v1/usage",
        "/api/v1/history",
        "/api/v1/session/codes",
        "/api/v1/nowhere",
        "/api",
        "/api/",
    ];

    for path in paths {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let without = request(server.address, method.clone(), path);
            let wrong = request(server.address, method.clone(), path).bearer_auth("0".repeat(64));

            for request in [without, wrong] {
                let response = request.send().await.unwrap();
                assert_eq!(response.headers()["www-authenticate"], "Bearer");
                let refusal = error_of(response).await;
                assert_eq!(refusal, (401, "unauthorized".to_owned()), "{method} {path}");
            }
        }
    }
    assert_eq!(server.control.commands(), []);
}

#[tokio::test]
async fn a_web_page_is_refused_even_with_the_token() {
    let server = Server::start().await;
    let port = server.address.port();
    let foreign = [
        ("host", format!("evil.example:{port}")),
        ("host", "127.0.0.1:1".to_owned()),
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
    ];

    for (name, value) in foreign {
        for path in ["/", "/api/v1/snapshot", "/nowhere"] {
            let response = get(&server, path)
                .header(name, &value)
                .send()
                .await
                .unwrap();

            assert_eq!(error_of(response).await.0, 403, "{name}: {value} {path}");
        }
    }
}

#[tokio::test]
async fn our_own_page_may_ask() {
    let server = Server::start().await;

    let response = get(&server, "/api/v1/snapshot")
        .header("origin", format!("http://{}", server.address))
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn no_answer_invites_other_origins_or_caches() {
    let server = Server::start().await;
    let preflight = request(server.address, Method::OPTIONS, "/api/v1/commands")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answers = [
        preflight,
        get(&server, "/"),
        get(&server, "/api/v1/snapshot"),
        get(&server, "/api/v1/nowhere"),
        request(server.address, Method::GET, "/api/v1/snapshot"),
    ];

    for answer in answers {
        let response = answer.send().await.unwrap();
        let headers: &HeaderMap<HeaderValue> = response.headers();

        let cors = |name: &reqwest::header::HeaderName| name.as_str().starts_with("access-control");
        assert!(!headers.keys().any(cors), "{headers:?}");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers["x-frame-options"], "DENY");
    }
}

/// The files that a page asks for.
fn files_of(page: &str) -> Vec<String> {
    let named = page
        .split(['"', '\''])
        .filter(|text| text.starts_with("./"));
    named.map(|text| text[1..].to_owned()).collect()
}

#[tokio::test]
async fn the_page_needs_no_token_and_tells_nothing() {
    let server = Server::start().await;

    let response = request(server.address, Method::GET, "/")
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    // The interface, if it was built; else how to build it.
    let files = files_of(&page);
    assert!(
        !files.is_empty() || page.contains("npm run build"),
        "{page}"
    );
    assert!(!page.contains(&server.secret()));
    for path in files {
        let file = request(server.address, Method::GET, &path);
        let file = file.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(file.status(), StatusCode::OK, "{path}");
        assert_eq!(file.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(
            file.headers()["cache-control"],
            "public, max-age=31536000, immutable",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_page_needs_nothing_that_its_policy_forbids() {
    let server = Server::start().await;

    let response = request(server.address, Method::GET, "/").send().await;
    let response = response.unwrap();
    let policy = response.headers()["content-security-policy"].clone();
    let policy = policy.to_str().unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        policy.contains("script-src 'self'; style-src 'self'"),
        "{policy}"
    );
    let page = response.text().await.unwrap();

    for script in page.match_indices("<script").map(|(at, _)| &page[at..]) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(
            tag.contains("src=") && rest.starts_with("</script>"),
            "{page}"
        );
    }
    for inline in [
        "<style",
        " style=",
        " onload=",
        " onclick=",
        "javascript:",
        "https://",
    ] {
        assert!(!page.contains(inline), "{inline}: {page}");
    }
}

#[tokio::test]
async fn the_page_can_be_switched_off_and_the_api_cannot() {
    let server = Server::start_with(WebAdmin {
        enabled: false,
        ..web_admin(0)
    })
    .await;

    for path in ["/", "/index.html"] {
        let page = get(&server, path).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let api = get(&server, "/api/v1/snapshot").send().await.unwrap();
    let no_code = server.client().sign_in_url().await.unwrap_err();

    assert_eq!(api.status(), StatusCode::OK);
    assert_eq!(no_code.code, ErrorCode::NotPossible);
    assert!(no_code.message.contains("web_admin.enabled"), "{no_code}");
}

#[tokio::test]
async fn a_busy_port_is_replaced_by_a_free_one() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();

    let server = Server::start_with(web_admin(port)).await;

    assert_ne!(server.address.port(), port);
    let response = get(&server, "/api/v1/snapshot").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn one_connection_is_one_request() {
    let server = Server::start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let one = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);

    socket.write_all(one.repeat(3).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset is how a system may say that what was sent was not read.
    let _ = socket.read_to_end(&mut answer).await;

    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
}

/// The next event, as text without its blank line.
async fn next_event(response: &mut Response) -> String {
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let chunk = response.chunk().await.unwrap().unwrap();
        text.push_str(str::from_utf8(&chunk).unwrap());
    }
    text.trim_end().to_owned()
}

fn event(snapshot: &Snapshot) -> String {
    format!(
        "event: snapshot\ndata: {}",
        serde_json::to_string(snapshot).unwrap()
    )
}
