//! Endpoints behind TLS.

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
    let reason = format!("{:?}", seen.last_error);
    assert!(reason.contains("ConnectFailed"), "{reason}");
    assert!(reason.contains("certificate"), "{reason}");
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
