//! Credentials: what goes to an endpoint, what never does, and that a secret is shown nowhere.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::common::{CLIENT_TOKEN, OUR_TOKEN, Zephyr, plain, streaming};
use tracing_subscriber::fmt::MakeWriter;
use zephyr_control::{Command, EndpointState, Language, ProblemKind, Reason, text};
use zephyr_engine::{Engine, Options, Source};
use zephyr_testkit::{Act, Endpoint, Phase, Received};

/// What a client may send of its own.
const CLIENTS_OWN: [(&str, &str); 3] = [
    ("authorization", "Bearer token-of-the-client"),
    ("x-api-key", "key-of-the-client"),
    ("cookie", "session=of-the-client"),
];

/// A group of one endpoint.
fn group(name: &str, endpoint: &Endpoint, keys: &str) -> String {
    let url = endpoint.url();
    format!(
        "[[groups]]\nname = \"{name}-group\"\n{keys}\n\
         endpoints = [{{ name = \"{name}\", url = \"{url}\", proxy = \"direct\" }}]\n"
    )
}

fn without_probes(server: &str, groups: &[String]) -> String {
    let groups = groups.concat();
    format!("[server]\nport = 0\n{server}\n{groups}\n[health_check]\nmode = \"off\"\n")
}

async fn start(server: &str, groups: &[String]) -> Zephyr {
    Zephyr::start(&without_probes(server, groups), Options::default()).await
}

async fn say(zephyr: &Zephyr, headers: &[(&str, &str)]) -> zephyr_testkit::Answer {
    let body = streaming().to_string();
    zephyr.request("POST /v1/messages", headers, &body).await
}

/// The credentials that a request came with: `Authorization`, then `x-api-key`.
fn credentials(received: &Received) -> (Vec<&str>, Vec<&str>) {
    (
        received.headers_named("authorization"),
        received.headers_named("x-api-key"),
    )
}

#[tokio::test]
async fn an_auth_token_goes_out_as_bearer_and_the_clients_credentials_do_not() {
    let a = Endpoint::start(Act::message("from A")).await;
    let group = group("A", &a, "auth_token_env = \"TEST_TOKEN\"");
    let zephyr = start("", &[group]).await;

    say(&zephyr, &CLIENTS_OWN).await;

    let received = a.next_request().await;
    let bearer = format!("Bearer {OUR_TOKEN}");
    assert_eq!(credentials(&received), (vec![bearer.as_str()], vec![]));
}

#[tokio::test]
async fn an_api_key_goes_out_as_such_and_the_clients_credentials_do_not() {
    let a = Endpoint::start(Act::message("from A")).await;
    let keys = "auth_type = \"api_key\"\nauth_token_env = \"TEST_TOKEN\"";
    let zephyr = start("", &[group("A", &a, keys)]).await;

    say(&zephyr, &CLIENTS_OWN).await;

    let received = a.next_request().await;
    assert_eq!(credentials(&received), (vec![], vec![OUR_TOKEN]));
}

#[tokio::test]
async fn passthrough_leaves_the_clients_credentials_untouched() {
    let a = Endpoint::start(Act::message("from A")).await;
    let zephyr = start("", &[group("A", &a, "auth_type = \"passthrough\"")]).await;

    say(&zephyr, &CLIENTS_OWN).await;

    let received = a.next_request().await;
    assert_eq!(
        credentials(&received),
        (vec![CLIENTS_OWN[0].1], vec![CLIENTS_OWN[1].1])
    );
}

#[tokio::test]
async fn a_failover_crosses_no_credential_over() {
    let fails = Act::status(500);
    let a = Endpoint::start(fails.clone()).await;
    let b = Endpoint::start(fails.clone()).await;
    let c = Endpoint::start(fails).await;
    let groups = [
        group("A", &a, "auth_token_env = \"TEST_TOKEN\""),
        group("B", &b, "auth_type = \"passthrough\""),
        group(
            "C",
            &c,
            "auth_type = \"api_key\"\nauth_token_env = \"OTHER_TOKEN\"",
        ),
    ];
    let zephyr = start("", &groups).await;
    zephyr.dotenv(&format!(
        "TEST_TOKEN={OUR_TOKEN}\nOTHER_TOKEN=other-token\n"
    ));
    zephyr.run(Command::Reload).await;

    say(&zephyr, &CLIENTS_OWN).await;

    let bearer = format!("Bearer {OUR_TOKEN}");
    let received = [
        a.next_request().await,
        b.next_request().await,
        c.next_request().await,
    ];
    assert_eq!(credentials(&received[0]), (vec![bearer.as_str()], vec![]));
    assert_eq!(
        credentials(&received[1]),
        (vec![CLIENTS_OWN[0].1], vec![CLIENTS_OWN[1].1])
    );
    assert_eq!(credentials(&received[2]), (vec![], vec!["other-token"]));
}

#[tokio::test]
async fn an_endpoint_without_its_credential_is_left_out_and_the_others_work() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let groups = [
        group("A", &a, "auth_token_env = \"ZEPHYR_TEST_MISSING\""),
        group("B", &b, "auth_token_env = \"TEST_TOKEN\""),
    ];
    let zephyr = start("", &groups).await;

    assert_eq!(zephyr.used().await, "B");

    let snapshot = zephyr.snapshot().await;
    let view = snapshot.endpoint("A").unwrap();
    assert_eq!(view.state, EndpointState::NoCredential);
    let reference = "environment variable ZEPHYR_TEST_MISSING".to_owned();
    assert_eq!(view.reason, Some(Reason::NoCredential { reference }));
    let problem = &snapshot.problems[0];
    assert_eq!(problem.kind, ProblemKind::Credential);
    assert!(
        problem.message.contains("endpoint A") && problem.message.contains("ZEPHYR_TEST_MISSING"),
        "{problem:?}"
    );
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn without_any_credential_the_error_names_what_is_missing() {
    let a = Endpoint::start(Act::message("from A")).await;
    let missing = group("A", &a, "auth_token_env = \"ZEPHYR_TEST_MISSING\"");
    let zephyr = start("", &[missing]).await;

    let answer = say(&zephyr, &CLIENTS_OWN).await;

    assert_eq!(
        (answer.status, answer.header("x-zephyr-error")),
        (503, Some("none_usable"))
    );
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("ZEPHYR_TEST_MISSING"), "{message}");
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn a_client_token_is_required_in_either_header_and_never_forwarded() {
    let a = Endpoint::start(Act::message("from A")).await;
    let group = group("A", &a, "auth_token_env = \"TEST_TOKEN\"");
    let zephyr = start("client_token_env = \"CLIENT_TOKEN\"", &[group]).await;
    zephyr.dotenv(&format!(
        "TEST_TOKEN={OUR_TOKEN}\nCLIENT_TOKEN=open-sesame\n"
    ));
    zephyr.run(Command::Reload).await;
    let refused: [&[(&str, &str)]; 5] = [
        &[],
        &[("x-api-key", "open-barley")],
        &[("authorization", "Bearer open-barley")],
        &[("authorization", "open-sesame")],
        &[("x-api-key", "")],
    ];
    let welcome: [&[(&str, &str)]; 4] = [
        &[("x-api-key", "open-sesame")],
        &[("authorization", "Bearer open-sesame")],
        &[("authorization", "bearer open-sesame")],
        &[
            ("x-api-key", "left-over-key"),
            ("authorization", "Bearer open-sesame"),
        ],
    ];

    for headers in refused {
        let answer = say(&zephyr, headers).await;
        assert_eq!(
            (answer.status, answer.header("x-zephyr-error")),
            (401, Some("client_token_required")),
            "{headers:?}"
        );
        let body = answer.json();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "authentication_error");
        assert!(body["request_id"].is_string());
    }
    assert!(a.requests().is_empty());
    for headers in welcome {
        assert_eq!(say(&zephyr, headers).await.status, 200, "{headers:?}");
    }
    for received in a.requests() {
        let mut values = received.headers.iter().map(|(_, value)| value);
        assert!(values.all(|value| !value.contains("open-sesame") && !value.contains("left-over")));
    }
}

#[tokio::test]
async fn the_client_token_also_guards_the_reserved_pages_but_health() {
    let a = Endpoint::start(Act::message("from A")).await;
    let group = group("A", &a, "auth_token_env = \"TEST_TOKEN\"");
    let zephyr = start("client_token_env = \"TEST_TOKEN\"", &[group]).await;

    let shown = [("x-api-key", OUR_TOKEN)];

    assert_eq!(zephyr.get("/status").await.status, 401);
    assert_eq!(zephyr.get("/diagnostics").await.status, 401);
    assert_eq!(zephyr.get("/health").await.status, 200);
    let status = zephyr.request("GET /status", &shown, "").await;
    assert_eq!(status.status, 200);
}

#[tokio::test]
async fn a_client_token_that_is_not_found_locks_the_port() {
    let a = Endpoint::start(Act::message("from A")).await;
    let group = group("A", &a, "auth_token_env = \"TEST_TOKEN\"");
    let zephyr = start("client_token_env = \"ZEPHYR_TEST_MISSING\"", &[group]).await;

    let answer = say(&zephyr, &[("x-api-key", "")]).await;

    assert_eq!(answer.status, 401);
    let problems = &zephyr.snapshot().await.problems;
    assert!(
        problems[0].message.contains("client token")
            && problems[0].message.contains("ZEPHYR_TEST_MISSING"),
        "{problems:?}"
    );
    assert!(a.requests().is_empty());
}

/// Collects what a subscriber writes.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().expect("no writer panics");
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_shown_anywhere() {
    const PLANTED: [&str; 4] = [
        "planted-bearer-4711",
        "planted-key-4712",
        "planted-client-4713",
        "planted-proxy-4714",
    ];
    let logged = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logged.clone())
        .finish();
    // While there is only one dispatcher, `tracing` asks that of the thread that first comes by a log line whether
    // the line is wanted, and remembers the answer. The threads of other tests have none.
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _default = tracing::subscriber::set_default(subscriber);
    let a = Endpoint::start(Act::status(401)).await;
    let b = Endpoint::start(Act::cut_at(Phase::BetweenDeltas)).await;
    let c = Endpoint::start(Act::html(200)).await;
    let through = format!(
        "[[groups]]\nname = \"D-group\"\nauth_token_env = \"BEARER\"\nendpoints = [{{ name = \"D\", \
         url = \"http://d.example.com\", proxy = \"http://user:{}@127.0.0.1:9\", allow_insecure = true }}]\n",
        PLANTED[3]
    );
    let groups = [
        group("A", &a, "auth_token_env = \"BEARER\""),
        group("B", &b, "auth_type = \"api_key\"\nauth_token_env = \"KEY\""),
        group("C", &c, "auth_token_env = \"BEARER\""),
        through,
    ];
    let config = without_probes("client_token_env = \"CLIENT\"", &groups)
        .replace("\"off\"", "\"message\"\ninterval_seconds = 3600");
    let dotenv = format!(
        "BEARER={}\nKEY={}\nCLIENT={}\n",
        PLANTED[0], PLANTED[1], PLANTED[2]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &config).unwrap();
    std::fs::write(folder.path().join(".env"), dotenv).unwrap();
    let loaded = zephyr_config::load(&path).unwrap();
    let configured = format!("{loaded:?}");
    let engine = Engine::start(loaded, Source::File(path.clone().into()))
        .await
        .unwrap();
    let zephyr = Zephyr {
        control: engine.control(),
        engine,
        folder,
    };
    let shown = [
        ("x-api-key", PLANTED[2]),
        ("authorization", "Bearer planted-client-4713"),
    ];

    let mut seen = vec![configured];
    let wrong = say(&zephyr, &[("x-api-key", "planted-client-471")]).await;
    seen.push(String::from_utf8(wrong.body).unwrap());
    for body in [streaming(), plain(), streaming()] {
        let body = body.to_string();
        let answer = zephyr.request("POST /v1/messages", &shown, &body).await;
        seen.push(format!("{:?}", answer.headers));
        seen.push(String::from_utf8(answer.body).unwrap());
    }
    for page in ["/status", "/diagnostics", "/health"] {
        let answer = zephyr.request(&format!("GET {page}"), &shown, "").await;
        seen.push(String::from_utf8(answer.body).unwrap());
    }
    zephyr.rewrite("[server]\nport = \"none\"\n");
    let rejected = zephyr.control.execute(Command::Reload).await.unwrap_err();
    seen.push(rejected.message.to_string());
    let snapshot = zephyr.snapshot().await;
    seen.push(serde_json::to_string(&*snapshot).unwrap());
    seen.push(format!("{snapshot:?}"));
    for event in &snapshot.events {
        seen.push(text(Language::En, &event.kind));
        seen.push(text(Language::Zh, &event.kind));
    }
    let logged = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("attempt failed"), "the capture works");
    seen.push(logged);

    for text in &seen {
        for secret in PLANTED {
            let at = text.find(secret);
            let around = at.map(|at| &text[at.saturating_sub(300)..at + secret.len()]);
            assert_eq!(around, None, "a secret was shown");
        }
    }
    assert!(!snapshot.events.is_empty());
    assert!(b.requests().iter().all(|received| {
        let mut headers = received.headers.iter();
        headers.all(|(_, value)| !value.contains(CLIENT_TOKEN) && !value.contains(PLANTED[2]))
    }));
}

#[tokio::test]
async fn a_credential_in_the_clients_query_goes_no_further_than_its_headers() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    for (asked, sent) in [
        (
            "/v1/x?beta=true&api_key=clients-own-key&limit=5",
            "/v1/x?beta=true&limit=5",
        ),
        ("/v1/x?access_token=clients-own-token", "/v1/x"),
        (
            "/v1/x?beta=true&max_tokens=4096",
            "/v1/x?beta=true&max_tokens=4096",
        ),
    ] {
        zephyr.request(&format!("POST {asked}"), &[], "{}").await;

        assert_eq!(a.next_request().await.target, sent);
    }
}

/// Headers in which clients, gateways and clouds send credentials.
const CARRIERS: [&str; 18] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "apikey",
    "cookie",
    "cf-access-client-secret",
    "cf-access-jwt-assertion-token",
    "x-goog-api-key",
    "ocp-apim-subscription-key",
    "x-amz-security-token",
    "x-claude-code-oauth-token",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-vault-token",
    "x-corporate-password",
    "x-functions-key",
];

#[tokio::test]
async fn no_credential_of_the_client_crosses_on_any_call() {
    let a = Endpoint::start(Act::status(500)).await;
    let b = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    let mut headers: Vec<(&str, &str)> = CARRIERS.map(|name| (name, "of-the-client-0123")).into();
    headers.extend([("anthropic-beta", "tools"), ("idempotency-key", "harmless")]);
    let body = streaming().to_string();

    for line in [
        "POST /v1/messages",
        "POST /v1/messages?beta=true",
        "POST /v1/messages/count_tokens",
        "POST /v1/messages/batches",
        "GET /v1/models",
        "GET /v1/models/claude-haiku-4-5",
        "GET /v1/files",
        "HEAD /",
        "OPTIONS /v1/messages",
        "PUT /anything",
        "DELETE /v1/files/file_1",
        "PATCH /v1/x",
    ] {
        zephyr.request(line, &headers, &body).await;
    }

    let received: Vec<Received> = [a.requests(), b.requests()].concat();
    assert!(received.len() >= 12, "{}", received.len());
    for request in &received {
        let line = format!("{} {}", request.method, request.target);
        for (name, value) in &request.headers {
            assert!(!value.contains("of-the-client"), "{line}: {name}");
        }
        assert_eq!(request.header("anthropic-beta"), Some("tools"), "{line}");
        assert_eq!(
            request.header("idempotency-key"),
            Some("harmless"),
            "{line}"
        );
        let ours = request.header("authorization").unwrap();
        assert!(ours.contains(OUR_TOKEN), "{line}");
    }
}

#[tokio::test]
async fn a_header_that_repeats_our_credential_does_not_reach_the_client() {
    for act in [Act::message("Hi"), Act::status(400)] {
        let echo = format!("Bearer {OUR_TOKEN}");
        let act = act.header("x-echo", &echo).also_header("x-fine", "yes");
        let a = Endpoint::start(act).await;
        let zephyr = Zephyr::over(&[&a], "").await;

        for line in ["POST /v1/messages", "POST /v1/files"] {
            let answer = zephyr.request(line, &[], &streaming().to_string()).await;

            assert_eq!(answer.header("x-echo"), None, "{line}");
            assert_eq!(answer.header("x-fine"), Some("yes"), "{line}");
        }
    }
}

#[tokio::test]
async fn what_only_sounds_like_a_credential_passes() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let headers = [
        ("x-monkey", "1"),
        ("x-secretary", "mia"),
        ("x-tokenizer", "o200k"),
    ];

    let asked = "/v1/files?limit=5&page_token=0123456789abcdef&next_page_token=fedcba9876543210";
    zephyr.request(&format!("GET {asked}"), &headers, "").await;

    let received = a.next_request().await;
    assert_eq!(received.target, asked);
    for (name, value) in headers {
        assert_eq!(received.header(name), Some(value));
    }
}
