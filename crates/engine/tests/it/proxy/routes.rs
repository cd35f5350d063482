//! The way to an endpoint: directly, through a proxy of its own, and never back to ourselves.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use zephyr_control::Command;
use zephyr_engine::Options;
use zephyr_testkit::{Act, Endpoint, HttpProxy, SocksProxy};

use crate::common::{Zephyr, config, streaming};

/// One endpoint at `url`, reached through `proxy`.
async fn through(url: &str, proxy: &str) -> Zephyr {
    let direct = config(
        &[url.to_owned()],
        "[failover]\nmax_attempts = 1\nlast_resort = false\n",
    );
    let config = direct.replace("\"direct\"", &format!("{proxy:?}, allow_insecure = true"));
    Zephyr::start(&config, Options::default()).await
}

fn with_credentials(url: &str, credentials: &str) -> String {
    url.replace("://", &format!("://{credentials}@"))
}

/// A port on which nobody listens.
async fn dead_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn an_http_proxy_of_its_own_carries_an_endpoints_requests() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let proxy = HttpProxy::start().await;
    proxy.route("api.example.test:80", a.addr());
    let zephyr = through("http://api.example.test", &proxy.url()).await;

    for _ in 0..2 {
        assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");
    }

    assert_eq!(proxy.targets(), ["api.example.test:80"], "one tunnel, kept");
    assert_eq!(a.requests()[0].header("host"), Some("api.example.test"));
    assert_eq!(a.requests()[0].target, "/v1/messages");
}

#[tokio::test]
async fn a_token_crosses_the_internet_in_clear_text_only_if_the_file_says_so() {
    // A public address, and a name of which only the proxy knows the address.
    for host in ["203.0.113.9", "api.example.test"] {
        let a = Endpoint::start(Act::message("Hi")).await;
        let proxy = HttpProxy::start().await;
        proxy.route(&format!("{host}:80"), a.addr());
        let open = through(&format!("http://{host}"), &proxy.url()).await;
        let closed = config(&[format!("http://{host}")], "");
        let closed = closed.replace("\"direct\"", &format!("{:?}", proxy.url()));
        let closed = Zephyr::start(&closed, Options::default()).await;

        let refused = closed.stream().await.unwrap();

        let message = refused.json()["error"]["message"].to_string();
        assert!(message.contains("allow_insecure"), "{host}: {message}");
        let seen = closed.snapshot().await;
        assert!(
            seen.offline_since_ms.is_none(),
            "it is not the network's fault"
        );
        let warned = |problem: &zephyr_control::Problem| problem.message.contains("clear text");
        assert!(seen.problems.iter().any(warned), "{:?}", seen.problems);
        assert!(proxy.targets().is_empty(), "{host}");
        assert_eq!(open.stream().await.unwrap().text(), "Hi", "{host}");
        assert_eq!(a.next_request().await.header("host"), Some(host));
    }
}

#[tokio::test]
async fn an_http_proxy_gets_its_credentials() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let proxy = HttpProxy::start_with_credentials("zoe", "p@ss:word").await;
    let url = with_credentials(&proxy.url(), "zoe:p%40ss%3Aword");
    let zephyr = through(&a.url(), &url).await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");

    assert_eq!(proxy.targets(), [a.addr().to_string()]);
    assert_eq!(a.requests()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_socks_proxy_carries_an_endpoints_requests() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let open = SocksProxy::start().await;
    let closed = SocksProxy::start_with_credentials("zoe", "p@ss:word").await;
    let with_password = with_credentials(&closed.url(), "zoe:p%40ss%3Aword");
    for (proxy, url) in [(&open, open.url()), (&closed, with_password)] {
        let zephyr = through(&a.url(), &url).await;

        assert_eq!(zephyr.stream().await.unwrap().text(), "Hi");

        assert_eq!(proxy.targets(), [a.addr().to_string()]);
    }
}

#[tokio::test]
async fn a_proxy_that_is_dead_or_refuses_is_named_without_its_password() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let dead = dead_port().await;
    let http = HttpProxy::start_with_credentials("zoe", "right").await;
    let socks = SocksProxy::start_with_credentials("zoe", "right").await;
    for url in [
        format!("http://zoe:hunter2@{dead}"),
        format!("socks5://zoe:hunter2@{dead}"),
        with_credentials(&http.url(), "zoe:hunter2"),
        with_credentials(&socks.url(), "zoe:hunter2"),
    ] {
        let zephyr = through(&a.url(), &url).await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.status, 502, "{url}");
        let message = answer.json()["error"]["message"].to_string();
        assert!(
            message.contains("proxy"),
            "says what is in the way: {message}"
        );
        let snapshot = zephyr.snapshot().await;
        let shown = format!("{message} {snapshot:?}");
        for secret in ["hunter2", "zoe", "em9l"] {
            assert!(!shown.contains(secret), "{url}: {shown}");
        }
        assert!(a.requests().is_empty());
    }
}

#[tokio::test]
async fn an_endpoint_whose_proxy_is_dead_is_passed_over() {
    let a = Endpoint::start(Act::message("from A")).await;
    let b = Endpoint::start(Act::message("from B")).await;
    let dead = dead_port().await;
    let both = config(&[a.url(), b.url()], "");
    let config = both.replacen("\"direct\"", &format!("\"http://{dead}\""), 1);
    let zephyr = Zephyr::start(&config, Options::default()).await;

    assert_eq!(zephyr.stream().await.unwrap().text(), "from B");

    assert_eq!(zephyr.snapshot().await.endpoint("A").unwrap().failures, 1);
}

#[tokio::test]
async fn our_own_listener_is_refused_as_an_endpoint() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let zephyr = Zephyr::over(&[&a], "").await;
    let port = zephyr.engine.proxy_addr().port();
    for host in ["localhost", "127.0.0.1"] {
        zephyr.rewrite(&config(&[format!("http://{host}:{port}")], ""));
        zephyr.run(Command::Reload).await;

        let answer = zephyr.stream().await.unwrap();

        assert_eq!(answer.status, 502, "{host}");
        let message = answer.json()["error"]["message"].to_string();
        assert!(
            message.contains("leads back to Zephyr"),
            "{host}: {message}"
        );
    }
}

/// Something between that leads to `target`, once that is known.
struct Forwarder {
    listener: TcpListener,
}

impl Forwarder {
    async fn bind() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener }, url)
    }

    fn lead_to(self, target: SocketAddr) {
        tokio::spawn(async move {
            while let Ok((mut here, _)) = self.listener.accept().await {
                let mut there = TcpStream::connect(target).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut here, &mut there).await });
            }
        });
    }
}

#[tokio::test]
async fn a_loop_through_something_else_ends_with_a_508() {
    let (forwarder, url) = Forwarder::bind().await;
    let zephyr = Zephyr::at(&[url], "").await;
    forwarder.lead_to(zephyr.engine.proxy_addr());

    let answer = zephyr.stream().await.unwrap();

    assert_eq!(answer.status, 508);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("leads back to Zephyr"), "{message}");
    assert_eq!(zephyr.snapshot().await.totals.attempts, 1);
}

#[tokio::test]
async fn a_loop_through_two_zephyrs_ends_with_a_508() {
    let (forwarder, url) = Forwarder::bind().await;
    let far = Zephyr::at(&[url], "").await;
    let near = Zephyr::at(&[format!("http://{}", far.engine.proxy_addr())], "").await;
    forwarder.lead_to(near.engine.proxy_addr());

    let answer = near.stream().await.unwrap();

    assert_eq!(answer.status, 508);
    assert_eq!(near.snapshot().await.totals.attempts, 1);
    assert_eq!(far.snapshot().await.totals.attempts, 1);
}

#[tokio::test]
async fn a_chain_of_two_zephyrs_is_no_loop() {
    let a = Endpoint::start(Act::message("Hi")).await;
    let far = Zephyr::over(&[&a], "").await;
    let near = Zephyr::at(&[format!("http://{}", far.engine.proxy_addr())], "").await;

    let answer = near.post(&streaming()).await.unwrap();

    assert_eq!(answer.text(), "Hi");
}
