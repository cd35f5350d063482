//! Endpoints behind TLS.

use zephyr_control::{Language, Reason, Snapshot, text};
use zephyr_engine::Options;
use zephyr_testkit::{Act, End, Endpoint, Gate, HttpProxy, HttpVersion, Phase, TlsEndpoint};

use crate::common::{Zephyr, config, starts, streaming};

async fn trusting(endpoint: &TlsEndpoint, config: &str) -> Zephyr {
    let options = Options {
        extra_roots: vec![endpoint.ca_der().into()],
        ..Options::default()
    };
    Zephyr::start(config, options).await
}

async fn over(endpoint: &TlsEndpoint) -> Zephyr {
    trusting(endpoint, &config(&[endpoint.url()], "")).await
}

#[tokio::test]
async fn http_2_is_spoken_where_the_endpoint_offers_it() {
    let a = TlsEndpoint::start(Act::message("Hi")).await;
    let zephyr = over(&a).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!((answer.text().as_str(), answer.end), ("Hi", End::Clean));
    let received = a.next_request().await;
    assert_eq!(received.version, HttpVersion::H2);
    assert_eq!(received.target, "/v1/messages");
    assert_eq!(
        received.header("host"),
        Some(format!("localhost:{}", a.addr().port()).as_str())
    );
    assert_eq!(received.body, streaming().to_string());
}

#[tokio::test]
async fn http_1_1_is_spoken_where_the_endpoint_offers_nothing_else() {
    let a = TlsEndpoint::start_http1(Act::message("Hi")).await;
    let zephyr = over(&a).await;

    for _ in 0..2 {
        assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
    }

    assert_eq!(a.next_request().await.version, HttpVersion::Http11);
    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn parallel_streams_to_an_endpoint_share_one_connection() {
    let gate = Gate::new();
    let a = TlsEndpoint::start(Act::message("warm")).await;
    let zephyr = over(&a).await;
    zephyr.stream().await.unwrap();
    a.next_request().await;
    a.set(Act::gate_at(Phase::AfterFirstDelta, gate.clone()));
    let mut clients = Vec::new();
    for _ in 0..64 {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        clients.push(client);
    }
    for _ in 0..64 {
        a.next_request().await;
    }

    gate.open();

    for mut client in clients {
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.end, starts(&answer)), (End::Clean, 1));
    }
    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn parallel_streams_to_a_cold_endpoint_end_up_on_one_connection() {
    let gate = Gate::new();
    let a = TlsEndpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = over(&a).await;
    let mut clients = Vec::new();
    for _ in 0..64 {
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        clients.push(client);
    }
    for _ in 0..64 {
        a.next_request().await;
    }

    a.until_open_connections(1).await;

    gate.open();
    for mut client in clients {
        assert_eq!(client.answer().await.unwrap().end, End::Clean);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_moves_the_request_on() {
    let a = TlsEndpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let zephyr = Zephyr::at(&[a.url(), b.url()], "").await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.text(), "from B");
    assert!(a.requests().is_empty(), "no credential goes to a stranger");
    let snapshot = zephyr.snapshot().await;
    let seen = snapshot.endpoint("A").unwrap();
    assert_eq!(seen.failures, 1);
    let reason = seen.last_error.clone();
    assert!(
        matches!(reason, Some(Reason::CertificateIssuerUnknown { .. })),
        "{reason:?}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_with_issuer_and_day_in_both_languages() {
    let answer = || Act::message("from a stranger");
    let expired = TlsEndpoint::start_valid(answer(), (2020, 1, 1), (2021, 3, 4)).await;
    let early = TlsEndpoint::start_valid(answer(), (4000, 5, 6), (4001, 1, 1)).await;
    let elsewhere = TlsEndpoint::start_valid(answer(), (2020, 1, 1), (4002, 7, 8)).await;
    let unknown = TlsEndpoint::start_valid(answer(), (2020, 1, 1), (4003, 9, 10)).await;
    let trusted = [&expired, &early, &elsewhere];
    let options = Options {
        extra_roots: trusted.map(|endpoint| endpoint.ca_der().into()).to_vec(),
        ..Options::default()
    };
    let proxy = HttpProxy::start().await;
    proxy.route("api.elsewhere.test:443", elsewhere.addr());
    let checks = "[health_check]\nmode = \"connect\"\ninterval_seconds = 3600\n";
    let direct = config(&[expired.url(), early.url(), unknown.url()], checks);
    let through = format!(
        "[[groups]]\nname = \"behind\"\nauth_token_env = \"TEST_TOKEN\"\nendpoints = [{{ name = \"D\", \
         url = \"https://api.elsewhere.test\", proxy = \"{}\" }}]\n",
        proxy.url()
    );
    let zephyr = Zephyr::start(&format!("{direct}\n{through}"), options).await;

    let all_checked = |snapshot: &Snapshot| {
        let mut endpoints = snapshot.endpoints.iter();
        endpoints.all(|endpoint| endpoint.reason.is_some())
    };
    let snapshot = zephyr.until("every check", all_checked).await;

    for (name, words) in [
        ("A", ["rcgen", "2021-03-04"].as_slice()),
        ("B", &["rcgen", "4000-05-06"]),
        ("C", &["rcgen", "4003-09-10"]),
        (
            "D",
            &[
                "localhost, *.example.test, 127.0.0.1",
                "rcgen",
                "4002-07-08",
            ],
        ),
    ] {
        let why = snapshot.endpoint(name).unwrap().reason.clone().unwrap();
        for language in [Language::En, Language::Zh] {
            let told = text(language, &why);
            assert!(
                words.iter().all(|word| told.contains(word)),
                "{name}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let a = TlsEndpoint::start(Act::message("from A")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.elsewhere.test:443", a.addr());
    let urls = ["https://api.elsewhere.test".to_owned()];
    let config = config(&urls, "").replace("\"direct\"", &format!("{:?}", proxy.url()));
    let zephyr = trusting(&a, &config).await;

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.status, 502);
    assert!(a.requests().is_empty());
    assert_eq!(proxy.targets().first().unwrap(), "api.elsewhere.test:443");
}

#[tokio::test]
async fn tls_goes_through_a_proxy_end_to_end() {
    let a = TlsEndpoint::start(Act::message("Hi")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.example.test:443", a.addr());
    let urls = ["https://api.example.test".to_owned()];
    let config = config(&urls, "").replace("\"direct\"", &format!("{:?}", proxy.url()));
    let zephyr = trusting(&a, &config).await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");

    let received = a.next_request().await;
    assert_eq!(received.version, HttpVersion::H2);
    assert_eq!(received.header("host"), Some("api.example.test"));
}

#[tokio::test]
async fn a_stream_reset_midway_aborts_its_client_only() {
    let gate = Gate::new();
    let a = TlsEndpoint::start(Act::gate_at(Phase::AfterFirstDelta, gate.clone())).await;
    let zephyr = over(&a).await;
    let mut whole = zephyr.client().await;
    whole.send_messages(streaming().to_string()).await.unwrap();
    a.next_request().await;
    a.set(Act::reset_at(Phase::BetweenDeltas));

    let broken = zephyr.stream().await.unwrap();
    gate.open();

    assert_eq!((broken.end, starts(&broken)), (End::Cut, 1));
    assert_eq!(whole.answer().await.unwrap().end, End::Clean);
    assert_eq!(a.connections(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_resets_its_stream_and_keeps_the_connection() {
    for phase in [Phase::AfterHeaders, Phase::AfterFirstDelta] {
        let a = TlsEndpoint::start(Act::stall_at(phase)).await;
        let zephyr = over(&a).await;
        let mut client = zephyr.client().await;
        client.send_messages(streaming().to_string()).await.unwrap();
        a.next_request().await;

        drop(client);
        a.cancelled().await;

        let left = |seen: &zephyr_control::Snapshot| {
            seen.totals.in_flight == 0 && seen.totals.abandoned == 1
        };
        let seen = zephyr.until("its end", left).await;
        assert_eq!(seen.endpoint("A").unwrap().failures, 0);
        a.set(Act::message("Hi"));
        assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
        assert_eq!(a.connections(), 1, "{phase:?}");
    }
}
