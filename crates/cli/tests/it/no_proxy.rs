//! `NO_PROXY` towards endpoints, by a proxy that sees who comes to it.

use zephyr_testkit::{Act, Endpoint, HttpProxy};

use crate::home::Home;

/// Whether a check of the endpoint comes through the proxy, with these variables.
async fn is_proxied(endpoint: &Endpoint, variables: &[(&str, &str)]) -> bool {
    let proxy = HttpProxy::start().await;
    let home = Home::new();
    home.configure(&format!(
        "[health_check]\nmode = \"connect\"\n[[groups]]\nname = \"g\"\nauth_type = \"passthrough\"\n\
         endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"system\" }}]\n",
        endpoint.url()
    ));
    let mut probe = home.zephyr(&["probe"]);
    probe.env("HTTP_PROXY", proxy.url());
    probe.envs(variables.iter().copied());

    let output = tokio::task::spawn_blocking(move || probe.output().unwrap());
    let output = output.await.unwrap();

    assert!(output.status.success(), "{output:?}");
    !proxy.targets().is_empty()
}

#[tokio::test]
async fn an_endpoint_that_no_proxy_names_is_reached_directly() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let port = endpoint.addr().port();
    let with_port = format!("127.0.0.1:{port}");
    for list in [
        "*",
        "10.0.0.0/8, 127.0.0.0/8",
        "127.0.0.1",
        "a.example 127.0.0.1",
        &with_port,
    ] {
        assert!(
            !is_proxied(&endpoint, &[("NO_PROXY", list)]).await,
            "{list}"
        );
    }
    let lower = [("NO_PROXY", ""), ("no_proxy", "127.0.0.1")];
    assert!(!is_proxied(&endpoint, &lower).await);
}

#[tokio::test]
async fn every_other_endpoint_is_reached_through_the_proxy() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    for list in ["", "127.0.0.1:1", "10.0.0.0/8", "*.example.com", "[::1]"] {
        assert!(is_proxied(&endpoint, &[("NO_PROXY", list)]).await, "{list}");
    }
}
