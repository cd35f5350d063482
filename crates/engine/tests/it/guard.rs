//! Who may call the proxy port, its reserved pages, and what bad input gets.

use crate::common::{Zephyr, config, streaming};
use serde_json::{Value, json};
use zephyr_control::{Command, ProblemKind};
use zephyr_engine::{Engine, Options, Source, StartError};
use zephyr_testkit::{Act, Answer, Endpoint, Gate, Phase, RawClient};

async fn say(zephyr: &Zephyr, headers: &[(&str, &str)]) -> Answer {
    let body = streaming().to_string();
    zephyr.request("POST /v1/messages", headers, &body).await
}

fn assert_forbidden(answer: &Answer, code: &str, what: &str) {
    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (403, Some(code)),
        "{what}"
    );
    let body = answer.json();
    assert_eq!(
        (&body["type"], &body["error"]["type"]),
        (&json!("error"), &json!("permission_error")),
        "{what}"
    );
    assert!(body["request_id"].is_string(), "{what}");
    let cors = answer.header("access-control-allow-origin");
    assert_eq!(cors, None, "{what}");
}

#[tokio::test]
async fn a_foreign_host_is_refused_and_reaches_no_endpoint() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for host in [
        "evil.example.com",
        "127.0.0.1.evil.example.com:8080",
        "192.168.0.1",
        "@",
        "",
    ] {
        let answer = say(&zephyr, &[("host", host)]).await;
        assert_forbidden(&answer, "host_not_allowed", host);
    }
    let twice = [("host", "127.0.0.1"), ("host", "evil.example.com")];
    assert_ne!(say(&zephyr, &twice).await.status, 200);

    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn loopback_names_are_served() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for host in ["localhost:8080", "LOCALHOST", "127.0.0.1", "[::1]:8080"] {
        let answer = say(&zephyr, &[("host", host)]).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn web_pages_are_refused_and_reach_no_endpoint() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for page in [
        ("origin", "https://evil.example.com"),
        ("origin", "null"),
        ("origin", "http://localhost:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = say(&zephyr, &[page]).await;
        assert_forbidden(&answer, "origin_not_allowed", page.1);
    }
    let preflight = [
        ("origin", "https://evil.example.com"),
        ("access-control-request-method", "POST"),
    ];
    let answer = zephyr.request("OPTIONS /v1/messages", &preflight, "").await;
    assert_forbidden(&answer, "origin_not_allowed", "preflight");

    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn the_reserved_pages_are_guarded_too() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for page in ["/status", "/diagnostics", "/health"] {
        let line = format!("GET {page}");
        let host = zephyr.request(&line, &[("host", "evil.com")], "").await;
        let origin = zephyr.request(&line, &[("origin", "null")], "").await;
        assert_forbidden(&host, "host_not_allowed", page);
        assert_forbidden(&origin, "origin_not_allowed", page);
    }
}

#[tokio::test]
async fn the_host_of_an_absolute_request_line_is_checked_and_its_path_forwarded() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = streaming().to_string();
    let ours = format!(
        "POST http://{}/v1/messages?beta=true",
        zephyr.engine.proxy_addr()
    );
    let foreign = "POST http://evil.example.com/v1/messages";

    let served = zephyr.request(&ours, &[], &body).await;
    let by_line = zephyr.request(foreign, &[], &body).await;
    let host = [("host", "evil.example.com")];
    let by_header = zephyr.request(&ours, &host, &body).await;

    assert_eq!(served.text(), "from A");
    assert_forbidden(&by_line, "host_not_allowed", "the line's host");
    assert_forbidden(&by_header, "host_not_allowed", "the header's host");
    let received = a.requests();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].target, "/v1/messages?beta=true");
    assert_eq!(
        received[0].header("host"),
        Some(a.addr().to_string().as_str())
    );
}

#[tokio::test]
async fn allowed_hosts_and_origins_are_served() {
    let a = Endpoint::start(Act::message("from A")).await;
    let allowed = "[server]\nallowed_hosts = [\"zephyr.lan\"]\nallowed_origins = [\"https://tools.example.com\"]\n\n";
    let zephyr = Zephyr::over(&[&a], allowed).await;

    let host = say(&zephyr, &[("host", "Zephyr.LAN:8080")]).await;
    let page = [
        ("origin", "https://tools.example.com"),
        ("sec-fetch-site", "cross-site"),
    ];
    let origin = say(&zephyr, &page).await;
    let other = say(&zephyr, &[("origin", "https://other.example.com")]).await;

    assert_eq!((host.status, origin.status), (200, 200));
    assert_forbidden(&other, "origin_not_allowed", "another page");
}

#[tokio::test]
async fn the_status_page_has_the_fields_that_scripts_rely_on() {
    let gate = Gate::new();
    let a = Endpoint::start(Act::gate_at(Phase::BetweenDeltas, gate.clone())).await;
    let b = Endpoint::start(Act::status(429).header("retry-after", "30")).await;
    let urls = [a.url(), b.url(), a.url()];
    let zephyr = Zephyr::at(&urls, "").await;
    let endpoint = "B".to_owned();
    zephyr.run(Command::Use { endpoint }).await;
    let mut running = zephyr.client().await;
    running
        .send_messages(streaming().to_string())
        .await
        .unwrap();
    running.read_head().await.unwrap();

    let status = zephyr.get("/status").await;

    assert_eq!(status.status, 200);
    assert_eq!(status.header("content-type"), Some("application/json"));
    let status = status.json();
    let second = format!("{}#C", a.url());
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let mut urls = vec![a.url(), b.url(), second.clone()];
    urls.sort();
    assert_eq!(keys(&status["endpoints"]), urls);
    assert_eq!(keys(&status["endpoint_connections"]), urls);
    assert_eq!(status["current_endpoint"], a.url());
    assert_eq!(status["total_active_connections"], 1);
    assert_eq!(status["endpoint_connections"][a.url()], 1);
    assert!(status["timestamp"].as_u64().unwrap() > 1_700_000_000);
    for field in [
        "endpoint",
        "latency",
        "available",
        "error",
        "last_check",
        "latency_history",
    ] {
        assert!(status["endpoints"][a.url()].get(field).is_some(), "{field}");
    }
    let throttled = &status["endpoints"][b.url()];
    assert_eq!(
        (&throttled["available"], &throttled["error"]),
        (&json!(false), &json!("rate limit (HTTP 429)"))
    );
    assert_eq!(status["endpoints"][&second]["name"], "C");
    assert_eq!(
        keys(&status["config"]),
        [
            "graceful_switch_timeout_ms",
            "health_check_interval_seconds",
            "health_check_timeout_seconds",
            "port",
            "switch_threshold_ms"
        ]
    );
    assert_eq!(status["mode"], json!({ "mode": "manual", "endpoint": "B" }));
    assert_eq!(
        (&status["paused"], &status["strategy"]),
        (&json!(false), &json!("latency"))
    );
    assert_eq!(
        status["groups"],
        json!([{ "name": "main", "default": true, "endpoints": ["A", "B", "C"] }])
    );
    assert!(status["version"].is_string());
    gate.open();
}

#[tokio::test]
async fn the_current_endpoint_of_the_status_page_is_a_key_of_its_endpoints() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::at(&[a.url(), a.url()], "").await;
    let endpoint = "B".to_owned();
    zephyr.run(Command::Use { endpoint }).await;

    let status = zephyr.get("/status").await.json();

    let current = status["current_endpoint"].as_str().unwrap();
    assert_eq!(status["endpoints"][current]["name"], "B");
}

#[tokio::test]
async fn diagnostics_explain_the_decision_and_the_events() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    for _ in 0..3 {
        zephyr.stream().await.unwrap();
    }

    let page = zephyr.get("/diagnostics").await.json();

    assert_eq!(page["decision"]["endpoint"], "B");
    assert_eq!(
        page["decision"]["why"],
        "the endpoint in use became unusable"
    );
    assert_eq!(page["decision"]["why_not"]["A"], "answered HTTP 500");
    let events = page["events"].as_array().unwrap();
    assert!(
        events
            .iter()
            .any(|event| event["text"] == "A is out: answered HTTP 500")
    );
    assert_eq!(page["snapshot"]["current"], "B");
}

#[tokio::test]
async fn health_is_200_while_something_is_usable_and_else_503() {
    let a = Endpoint::start(Act::status(401)).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    zephyr.stream().await.unwrap();

    let healthy = zephyr.get("/health").await;
    let endpoint = "B".to_owned();
    zephyr.run(Command::Disable { endpoint }).await;
    let unhealthy = zephyr.get("/health").await;

    assert_eq!((healthy.status, unhealthy.status), (200, 503));
    let (healthy, unhealthy) = (healthy.json(), unhealthy.json());
    assert_eq!(healthy["status"], "ok");
    assert_eq!(
        (&healthy["total_servers"], &healthy["available_servers"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(healthy["load_balancer"], "latency");
    assert_eq!(healthy["fallback"], true);
    let time = healthy["time"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    assert_eq!(
        (&unhealthy["status"], &unhealthy["available_servers"]),
        (&json!("unavailable"), &json!(0))
    );
}

#[tokio::test]
async fn a_head_of_a_reserved_page_is_answered_here_without_a_body() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for page in ["/health", "/status", "/diagnostics"] {
        let mut client = zephyr.client().await;
        let head = format!("HEAD {page} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        client.send(head).await.unwrap();
        let (status, headers) = client.read_head().await.unwrap();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let (_, length) = length.unwrap();
        assert_eq!(status, 200, "{page}");
        assert!(length.parse::<usize>().unwrap() > 0);
    }

    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn the_status_page_calls_an_endpoint_unavailable_once_its_check_has_failed() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::status(500)).await;
    let checks = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::over(&[&a, &b], checks).await;
    let is_checked = |name: &'static str| {
        move |snapshot: &zephyr_control::Snapshot| {
            snapshot.endpoint(name).unwrap().last_check_ms.is_some()
        }
    };
    zephyr.until("a check of A", is_checked("A")).await;
    let seen = zephyr.until("a check of B", is_checked("B")).await;

    let status = zephyr.get("/status").await.json();

    assert!(seen.endpoint("B").unwrap().state.is_usable());
    let available = |endpoint: &Endpoint| status["endpoints"][endpoint.url()]["available"].clone();
    assert_eq!((available(&a), available(&b)), (json!(true), json!(false)));
}

#[tokio::test]
async fn reserved_pages_are_not_forwarded_but_other_methods_are() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for page in ["/status", "/diagnostics", "/health", "/status?verbose=1"] {
        assert_eq!(zephyr.get(page).await.header("x-used-endpoint"), None);
    }
    let unseen = a.requests().len();
    let posted = zephyr.request("POST /status", &[], "{}").await;
    let nested = zephyr.get("/v1/status").await;

    assert_eq!(unseen, 0);
    assert_eq!((posted.status, nested.status), (404, 404));
    let targets: Vec<String> = a.requests().iter().map(|one| one.target.clone()).collect();
    assert_eq!(targets, ["/status", "/v1/status"]);
}

#[tokio::test]
async fn without_endpoints_the_answer_says_what_to_do() {
    let zephyr = Zephyr::start("[server]\nport = 0\n", Options::default()).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (503, Some("no_endpoints"))
    );
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("config.toml"), "{message}");
    assert_eq!(zephyr.get("/health").await.status, 503);
    assert_eq!(zephyr.get("/status").await.status, 200);
    let snapshot = zephyr.snapshot().await;
    let mut problems = snapshot.problems.iter();
    assert!(problems.any(|problem| problem.kind == ProblemKind::NoEndpoints));
}

#[tokio::test]
async fn a_busy_port_is_named_with_what_to_change() {
    let busy = Endpoint::start(Act::message("mine")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let port = format!("port = {}", busy.addr().port());
    let config = config(&["http://a.example.com".to_owned()], "").replace("port = 0", &port);
    std::fs::write(&path, config).unwrap();
    let loaded = zephyr_config::load(&path).unwrap();

    let error = Engine::start(loaded, Source::File(path.into()))
        .await
        .err()
        .unwrap();

    assert!(matches!(error, StartError::Bind { address, .. } if address == busy.addr()));
    let message = error.to_string();
    assert!(
        message.contains(&busy.addr().to_string()) && message.contains("server.port"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_no_http_gets_a_400_and_the_next_client_is_served() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = RawClient::connect(zephyr.engine.proxy_addr())
        .await
        .unwrap();
    client.send("HELO proxy\r\n\r\n").await.unwrap();

    let (status, _) = client.read_head().await.unwrap();

    assert_eq!(status, 400);
    assert_eq!(zephyr.used().await, "A");
}
