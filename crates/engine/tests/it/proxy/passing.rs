//! Request lines, headers and answers pass as they came.

use zephyr_testkit::{Act, End, Endpoint, Received, Step};

use crate::common::raw::RawUpstream;
use crate::common::{OUR_TOKEN, Zephyr, plain, streaming};

/// Sends a request of these lines and this body through Zephyr; what the endpoint received.
async fn received(zephyr: &Zephyr, endpoint: &Endpoint, lines: &str, body: &str) -> Received {
    let mut client = zephyr.client().await;
    client.send(format!("{lines}\r\n\r\n{body}")).await.unwrap();
    client.read_head().await.unwrap();
    endpoint.next_request().await
}

#[tokio::test]
async fn every_method_path_and_query_arrives_as_it_came() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let targets = [
        ("GET", "/v1/models?limit=1000&after_id=a%2Fb"),
        ("DELETE", "/v1/files/file_011"),
        ("HEAD", "/api/hello"),
        ("PUT", "/v1/thing"),
        ("PATCH", "/v1/thing?"),
        ("OPTIONS", "/v1/messages"),
        ("PROPFIND", "/dav"),
        ("GET", "/a%2fb/%7Euser/%E2%9C%93%00?q=%20+&&=;=&x=a?b"),
        ("GET", "//double//slash/../dots/./"),
        ("GET", "/?"),
        ("GET", "/"),
        ("GET", "/|pipe/{brace}/~tilde/'quote'/a:b@c!$&()*+,;="),
        ("GET", "/status/of/something/else"),
        ("POST", "/status"),
    ];
    for (method, target) in targets {
        let lines = format!("{method} {target} HTTP/1.1\r\nhost: localhost");

        let received = received(&zephyr, &a, &lines, "").await;

        assert_eq!(
            (received.method.as_str(), received.target.as_str()),
            (method, target)
        );
        assert!(received.body.is_empty(), "{method} {target}");
        for name in ["content-length", "transfer-encoding"] {
            assert_eq!(
                received.header(name),
                None,
                "{method} {target}: no body is invented"
            );
        }
    }
}

#[tokio::test]
async fn the_query_of_a_messages_call_arrives() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = plain().to_string();
    let lines = format!(
        "POST /v1/messages?beta=true HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}",
        body.len()
    );

    let received = received(&zephyr, &a, &lines, &body).await;

    assert_eq!(received.target, "/v1/messages?beta=true");
    assert_eq!(received.body, body);
}

#[tokio::test]
async fn a_request_line_with_a_whole_url_loses_its_host_only() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let lines = "GET http://localhost:1/v1/models?limit=1 HTTP/1.1\r\nhost: localhost:1";

    let received = received(&zephyr, &a, lines, "").await;

    assert_eq!(received.target, "/v1/models?limit=1");
    assert_eq!(received.header("host"), Some(a.addr().to_string().as_str()));
}

#[tokio::test]
async fn the_path_of_an_endpoints_url_comes_first() {
    let a = Endpoint::start(Act::message("Hi")).await;
    for base in ["/anthropic", "/anthropic/", "/deep/er%20path"] {
        let zephyr = Zephyr::at(&[format!("{}{base}", a.url())], "").await;
        let lines = "GET /v1/models?limit=1 HTTP/1.1\r\nhost: localhost";

        let received = received(&zephyr, &a, lines, "").await;

        let wanted = format!("{}/v1/models?limit=1", base.trim_end_matches('/'));
        assert_eq!(received.target, wanted);
        assert_eq!(
            received.headers_named("host"),
            [a.addr().to_string()],
            "a host without a path"
        );
    }
}

#[tokio::test]
async fn a_path_prefix_comes_first() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let config = format!(
        "[server]\nport = 0\n[health_check]\nmode = \"off\"\n[[groups]]\nname = \"main\"\n\
         auth_token_env = \"TEST_TOKEN\"\nendpoints = [{{ name = \"A\", url = \"{}\", \
         path_prefix = \"/relay\", proxy = \"direct\" }}]\n",
        a.url()
    );
    let zephyr = Zephyr::start(&config, zephyr_engine::Options::default()).await;
    let lines = "GET /v1/models HTTP/1.1\r\nhost: localhost";

    let received = received(&zephyr, &a, lines, "").await;

    assert_eq!(received.target, "/relay/v1/models");
}

#[tokio::test]
async fn request_headers_pass_but_for_those_of_the_connection() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = plain().to_string();
    let lines = [
        "POST /v1/messages HTTP/1.1",
        "Host: localhost",
        "Connection: keep-alive, X-Hop",
        "Connection: x-hop-too",
        "X-Hop: 1",
        "X-Hop-Too: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5",
        "TE: trailers",
        "Upgrade: h2c",
        "Authorization: Bearer client",
        "x-api-key: client",
        "anthropic-version: 2023-06-01",
        "anthropic-beta: one,two",
        "anthropic-beta: three",
        "anthropic-of-tomorrow: yes",
        "x-stainless-timeout: 600",
        "X-Empty:",
        "X-Bytes: caf\u{e9}",
        "Cookie: a=b",
        "Cookie: c=d",
        "api-key: client",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "User-Agent: claude-cli/2.1.329 (external, cli)",
        "X-Forwarded-For: 10.0.0.1",
        &format!("Content-Length: {}", body.len()),
    ]
    .join("\r\n");

    let received = received(&zephyr, &a, &lines, &body).await;

    for gone in [
        "connection",
        "x-hop",
        "x-hop-too",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "upgrade",
        "x-api-key",
        "cookie",
        "api-key",
    ] {
        assert_eq!(received.header(gone), None, "{gone}");
    }
    for (name, values) in [
        ("anthropic-version", vec!["2023-06-01"]),
        ("anthropic-beta", vec!["one,two", "three"]),
        ("anthropic-of-tomorrow", vec!["yes"]),
        ("x-stainless-timeout", vec!["600"]),
        ("x-empty", vec![""]),
        ("x-bytes", vec!["caf\u{e9}"]),
        ("accept-encoding", vec!["gzip, deflate, br, zstd"]),
        ("user-agent", vec!["claude-cli/2.1.329 (external, cli)"]),
        ("x-forwarded-for", vec!["10.0.0.1"]),
        ("authorization", vec![&format!("Bearer {OUR_TOKEN}")]),
        ("host", vec![&a.addr().to_string()]),
        ("content-length", vec![&body.len().to_string()]),
    ] {
        assert_eq!(received.headers_named(name), values, "{name}");
    }
}

#[tokio::test]
async fn unknown_fields_of_a_body_pass_byte_for_byte() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let body = "{ \"of_tomorrow\" : [1.0, 1e2, \"\\u00e9\"],\n\t\"model\":\"m\" , \"stream\":true,\"stream\":true}";
    let lines = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}",
        body.len()
    );

    let received = received(&zephyr, &a, &lines, body).await;

    assert_eq!(received.body, body);
}

#[tokio::test]
async fn an_answer_passes_unchanged_but_for_what_zephyr_adds() {
    for act in [
        Act::message("Hello"),
        Act::message("Hello").chunked_as(7),
        Act::status(400),
        Act::status(422).header("x-should-retry", "false"),
    ] {
        let a = Endpoint::start(act).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        for body in [streaming(), plain()] {
            let direct = zephyr_testkit::post_messages(a.addr(), body.to_string())
                .await
                .unwrap();

            let answer = zephyr.post(&body).await.unwrap();

            let same_for_each_request = |name: &str| name != "request-id";
            for (name, value) in direct
                .headers
                .iter()
                .filter(|(name, _)| same_for_each_request(name))
            {
                assert_eq!(answer.header(name), Some(value.as_str()), "{name}");
            }
            assert!(answer.header("request-id").is_some());
            let ours = [
                "x-used-endpoint",
                "x-endpoint-index",
                "x-zephyr-attempts",
                "x-zephyr-request-id",
                "content-security-policy",
                "x-content-type-options",
                "date",
            ];
            for (name, _) in &answer.headers {
                assert!(
                    direct.header(name).is_some() || ours.contains(&name.as_str()),
                    "{name} was added"
                );
            }
            assert_eq!((answer.status, answer.end), (direct.status, End::Clean));
            let shape = |body: &[u8]| {
                String::from_utf8_lossy(body)
                    .split("Zephyr0")
                    .map(|part| {
                        part.trim_start_matches(|digit: char| digit.is_ascii_digit())
                            .to_owned()
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(shape(&answer.body), shape(&direct.body));
        }
    }
}

#[tokio::test]
async fn answer_headers_pass_but_for_those_of_the_connection() {
    let act = Act::message("Hi")
        .header("connection", "x-hop, keep-alive")
        .also_header("x-hop", "1")
        .also_header("keep-alive", "timeout=5")
        .also_header("proxy-authenticate", "Basic")
        .also_header("upgrade", "h2c")
        .also_header("set-cookie", "a=b")
        .also_header("set-cookie", "c=d")
        .also_header("strict-transport-security", "max-age=1")
        .also_header("alt-svc", "h3=\":443\"")
        .also_header("service-worker-allowed", "/")
        .also_header("access-control-allow-origin", "*")
        .also_header("x-zephyr-why", "the endpoint says so")
        .also_header("x-zephyr-error", "offline")
        .also_header("content-security-policy", "default-src *")
        .also_header("anthropic-of-tomorrow", "yes")
        .also_header("server", "cloudflare")
        .also_header("via", "1.1 relay");
    let a = Endpoint::start(act).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let answer = zephyr.stream().await.unwrap();

    for gone in [
        "x-hop",
        "keep-alive",
        "proxy-authenticate",
        "upgrade",
        "connection",
        "set-cookie",
        "strict-transport-security",
        "alt-svc",
        "service-worker-allowed",
        "access-control-allow-origin",
        "x-zephyr-why",
        "x-zephyr-error",
    ] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("sandbox;"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("anthropic-of-tomorrow"), Some("yes"));
    assert_eq!(answer.header("server"), Some("cloudflare"));
    assert_eq!(answer.header("via"), Some("1.1 relay"));
    assert_eq!(
        answer.header("anthropic-ratelimit-requests-remaining"),
        Some("3999")
    );
}

#[tokio::test]
async fn a_head_answer_keeps_its_length_and_has_no_body() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n";
    let a = Endpoint::start(Act::raw(vec![Step::raw(head)])).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let mut client = zephyr.client().await;
    let request = "HEAD /api/hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for _ in 0..2 {
        client.send(request).await.unwrap();

        let (status, headers) = client.read_head().await.unwrap();

        assert_eq!(status, 200);
        assert!(headers.contains(&("content-length".to_owned(), "1234".to_owned())));
    }
    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn statuses_without_a_body_pass() {
    for status in [204, 304] {
        let head = format!("HTTP/1.1 {status} x\r\netag: \"1\"\r\n\r\n");
        let a = Endpoint::start(Act::raw(vec![Step::raw(head)])).await;
        let zephyr = Zephyr::over(&[&a], "").await;
        let mut client = zephyr.client().await;
        for _ in 0..2 {
            client
                .send("GET /v1/thing HTTP/1.1\r\nhost: localhost\r\n\r\n")
                .await
                .unwrap();

            assert_eq!(client.read_head().await.unwrap().0, status);
        }
    }
}

#[tokio::test]
async fn an_interim_answer_of_the_endpoint_is_not_taken_for_the_answer() {
    let upstream = RawUpstream::start().await;
    let zephyr = Zephyr::at(&[upstream.url()], "").await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/thing HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let (mut peer, _) = upstream.accept().await;

    peer.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        .await;
    peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        .await;

    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
}

#[tokio::test]
async fn an_endpoint_that_answers_in_http_1_0_is_understood() {
    let upstream = RawUpstream::start().await;
    let zephyr = Zephyr::at(&[upstream.url()], "").await;
    let mut client = zephyr.client().await;
    client
        .send("GET /v1/thing HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let (mut peer, _) = upstream.accept().await;

    peer.write("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    drop(peer);

    let answer = client.answer().await.unwrap();
    assert_eq!(
        (answer.body.as_slice(), answer.end),
        (&b"until the end"[..], End::Clean)
    );
}

#[tokio::test]
async fn a_request_that_no_endpoint_may_get_is_the_clients_fault() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    for (line, refused) in [
        ("OPTIONS * HTTP/1.1", 400),
        ("CONNECT localhost:443 HTTP/1.1", 405),
        ("TRACE /v1/messages HTTP/1.1", 405),
        ("TRACE /status HTTP/1.1", 405),
        ("trace /v1/messages HTTP/1.1", 405),
        ("TRACK /v1/messages HTTP/1.1", 405),
    ] {
        let mut client = zephyr.client().await;
        client
            .send(format!("{line}\r\nhost: localhost\r\n\r\n"))
            .await
            .unwrap();

        let (status, _) = client.read_head().await.unwrap();

        assert_eq!(status, refused, "{line}");
        assert!(a.requests().is_empty(), "{line}");
        let seen = zephyr.snapshot().await;
        assert_eq!(seen.endpoint("A").unwrap().failures, 0, "{line}");
    }
}
