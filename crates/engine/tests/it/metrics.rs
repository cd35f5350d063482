//! What a scrape says after traffic, what it never says, and what answers are called.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::BTreeMap;

use crate::common::{CLIENT_TOKEN, OUR_TOKEN, Zephyr, config, plain, streaming};
use zephyr_control::Command;
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, Phase};

/// A scrape as a monitoring system reads it.
#[derive(Debug)]
pub(crate) struct Scrape {
    /// By name and labels, as written.
    samples: BTreeMap<String, f64>,
    /// By family.
    types: BTreeMap<String, String>,
}

impl Scrape {
    pub(crate) async fn of(zephyr: &Zephyr) -> Self {
        Self::parse(&zephyr.control.metrics().await.unwrap())
    }

    /// Refuses whatever the format does not allow.
    fn parse(text: &str) -> Self {
        let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
        let body = text.strip_suffix("# EOF\n").expect("the end is marked");
        for line in body.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let words: Vec<&str> = comment.splitn(3, ' ').collect();
                match words[..] {
                    ["TYPE", family, kind] => {
                        let known = types.insert(family.to_owned(), kind.to_owned());
                        assert_eq!(known, None, "{family} comes once");
                    }
                    ["UNIT", family, unit] => assert!(family.ends_with(unit), "{line}"),
                    ["HELP", _, help] => assert!(!help.is_empty(), "{line}"),
                    _ => panic!("no comment of the format: {line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect(line);
            let name = series.split('{').next().unwrap();
            let family = ["_total", "_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| types.get_key_value(name.strip_suffix(suffix)?))
                .or_else(|| types.get_key_value(name));
            let (_, kind) = family.unwrap_or_else(|| panic!("{name} has no type"));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(name.starts_with("zephyr_"), "{line}");
            let again = samples.insert(series.to_owned(), value.parse().expect(line));
            assert_eq!(again, None, "{series} comes once");
        }
        Self { samples, types }
    }

    #[track_caller]
    pub(crate) fn get(&self, series: &str) -> f64 {
        *self
            .samples
            .get(series)
            .unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples.keys()))
    }
}

#[tokio::test]
async fn a_scrape_says_what_the_traffic_was() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::over(&[&a, &b], "").await;
    a.push(Act::status(500));
    zephyr.stream().await.unwrap();
    zephyr
        .run(Command::Use {
            endpoint: "A".to_owned(),
        })
        .await;
    zephyr.stream().await.unwrap();
    zephyr.post(&plain()).await.unwrap();
    a.push(Act::status(400));
    zephyr.stream().await.unwrap();
    a.push(Act::cut_at(Phase::BetweenDeltas));
    zephyr.stream().await.unwrap();
    a.push(Act::status(529));
    b.push(Act::status(529));
    zephyr.stream().await.unwrap();
    zephyr.get("/v1/../nonsense").await;
    zephyr
        .until("nothing in flight", |seen| seen.totals.in_flight == 0)
        .await;

    let scrape = Scrape::of(&zephyr).await;

    let expected = [
        (r#"zephyr_requests_total{outcome="answered"}"#, 5.0),
        (r#"zephyr_requests_total{outcome="aborted"}"#, 1.0),
        (r#"zephyr_requests_total{outcome="failed"}"#, 1.0),
        (r#"zephyr_requests_total{outcome="abandoned"}"#, 0.0),
        ("zephyr_requests_in_flight", 0.0),
        ("zephyr_request_duration_seconds_count", 7.0),
        (r#"zephyr_request_duration_seconds_bucket{le="+Inf"}"#, 7.0),
        ("zephyr_failovers_total", 1.0),
        (
            r#"zephyr_attempts_total{endpoint="A",outcome="answered"}"#,
            3.0,
        ),
        (
            r#"zephyr_attempts_total{endpoint="A",outcome="client_fault"}"#,
            1.0,
        ),
        (
            r#"zephyr_attempts_total{endpoint="A",outcome="failed"}"#,
            2.0,
        ),
        (
            r#"zephyr_attempts_total{endpoint="A",outcome="throttled"}"#,
            1.0,
        ),
        (
            r#"zephyr_attempts_total{endpoint="B",outcome="throttled"}"#,
            1.0,
        ),
        (r#"zephyr_attempts_in_flight{endpoint="A"}"#, 0.0),
        (
            r#"zephyr_endpoint_state{endpoint="A",state="throttled"}"#,
            1.0,
        ),
        (r#"zephyr_endpoint_state{endpoint="A",state="ready"}"#, 0.0),
        ("zephyr_paused", 0.0),
        ("zephyr_offline", 0.0),
        (r#"zephyr_build_info{version="0.1.0"}"#, 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(scrape.get(series), value, "{series}");
    }
    for series in [
        r#"zephyr_connect_duration_seconds_count{endpoint="A"}"#,
        r#"zephyr_first_event_duration_seconds_sum{endpoint="A"}"#,
        r#"zephyr_endpoint_received_bytes_total{endpoint="A"}"#,
        r#"zephyr_endpoint_sent_bytes_total{endpoint="A"}"#,
        "zephyr_client_received_bytes_total",
        "zephyr_client_sent_bytes_total",
        "zephyr_client_connections_total",
    ] {
        assert!(scrape.get(series) > 0.0, "{series}");
    }
    assert_eq!(scrape.types["zephyr_attempts"], "counter");
    assert_eq!(scrape.types["zephyr_attempt_duration_seconds"], "histogram");
}

#[tokio::test]
async fn probes_are_counted_apart() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let probes = "[health_check]\nmode = \"message\"\ninterval_seconds = 3600\n";
    let zephyr = Zephyr::over(&[&a], probes).await;
    let answered = r#"zephyr_probes_total{endpoint="A",result="answered"}"#;
    zephyr
        .until("the first probe", |seen| {
            seen.endpoints[0].latency_ms.is_some()
        })
        .await;

    let scrape = Scrape::of(&zephyr).await;

    assert_eq!(scrape.get(answered), 1.0);
    assert_eq!(
        scrape.get(r#"zephyr_probe_duration_seconds_count{endpoint="A"}"#),
        1.0
    );
    assert_eq!(
        scrape.get(r#"zephyr_attempts_total{endpoint="A",outcome="answered"}"#),
        0.0
    );
}

#[tokio::test]
async fn a_refusal_of_ours_is_counted_by_its_code() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    zephyr
        .request("GET /v1/models", &[("host", "evil.example.com")], "")
        .await;

    let scrape = Scrape::of(&zephyr).await;

    assert_eq!(
        scrape.get(r#"zephyr_errors_total{code="host_not_allowed"}"#),
        1.0
    );
}

#[tokio::test]
async fn nothing_that_a_client_chooses_becomes_a_label_and_nothing_secret_is_told() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    zephyr.stream().await.unwrap();
    let before = Scrape::of(&zephyr).await.samples.len();
    for n in 0..20 {
        let mut body = streaming();
        body["model"] = format!("model-{n}").into();
        let session = format!("session-{n}");
        let headers = [
            ("x-claude-code-session-id", session.as_str()),
            ("x-api-key", CLIENT_TOKEN),
        ];
        let line = format!("POST /v1/messages?secret-{n}=1");
        zephyr.request(&line, &headers, &body.to_string()).await;
        zephyr.get(&format!("/path-{n}")).await;
    }

    let text = zephyr.control.metrics().await.unwrap();

    assert_eq!(Scrape::parse(&text).samples.len(), before);
    let port = a.addr().port().to_string();
    for secret in [
        OUR_TOKEN,
        CLIENT_TOKEN,
        "model-",
        "session-",
        "path-",
        "secret-",
        &port,
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_longer_configured_is_no_longer_told() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a, &a], "").await;
    zephyr.stream().await.unwrap();
    assert!(
        zephyr
            .control
            .metrics()
            .await
            .unwrap()
            .contains(r#"endpoint="B""#)
    );

    zephyr.rewrite(&config(&[a.url()], ""));
    zephyr
        .until("one endpoint", |seen| seen.endpoints.len() == 1)
        .await;

    let text = zephyr.control.metrics().await.unwrap();
    assert!(!text.contains(r#"endpoint="B""#), "{text}");
    assert!(text.contains(r#"zephyr_attempts_total{endpoint="A",outcome="answered"} 1"#));
}

#[tokio::test]
async fn every_answer_has_a_name_of_its_own_and_the_endpoints_passes_beside_it() {
    let a = Endpoint::start(Act::message("Hi").header("request-id", "req_of_the_endpoint")).await;
    let zephyr = Zephyr::over(&[&a], "").await;

    let first = zephyr.stream().await.unwrap();
    let second = zephyr.stream().await.unwrap();
    let page = zephyr.get("/status").await;

    let name =
        |answer: &zephyr_testkit::Answer| answer.header("x-zephyr-request-id").unwrap().to_owned();
    assert_eq!(first.header("request-id"), Some("req_of_the_endpoint"));
    assert_ne!(name(&first), name(&second));
    assert_ne!(name(&second), name(&page));
    assert_eq!(name(&first).len(), 14);
}

#[tokio::test]
async fn an_error_of_ours_has_its_name_in_the_body_too() {
    let zephyr = Zephyr::start("[server]\nport = 0\n", Options::default()).await;

    let answer = zephyr.stream().await.unwrap();

    let name = answer.header("x-zephyr-request-id").unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("request-id"), Some(name));
    assert_eq!(answer.json()["request_id"], name);
}
