//! Signing a browser in, as a browser does it.

use crate::fake::Server;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::json;

const SESSION: &str = "/api/v1/session";

/// A browser, with our page open in it.
pub struct Browser<'a> {
    server: &'a Server,
    pub cookie: Option<String>,
    /// What our page keeps for itself.
    key: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            server,
            cookie: None,
            key: None,
        }
    }

    /// One that is signed in.
    pub async fn signed_in(server: &'a Server) -> Self {
        let mut browser = Self::new(server);
        let code = code(server).await;
        let answer = browser.exchange(&code).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        browser.take_cookie(&answer);
        browser.key = Some(key(answer).await);
        browser
    }

    fn take_cookie(&mut self, answer: &Response) {
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// As our own page asks.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .header("sec-fetch-site", "same-origin")
    }

    /// Without what a browser says of the page.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.without_key(method, path);
        match &self.key {
            Some(key) => request.header("x-zephyr-page", key),
            None => request,
        }
    }

    /// What a page of another port could send, or a server there that was sent our cookie.
    pub fn without_key(&self, method: Method, path: &str) -> RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method, format!("http://{}{path}", self.server.address));
        match &self.cookie {
            Some(cookie) => request.header("cookie", format!("theme=dark; {cookie}")),
            None => request,
        }
    }

    fn exchange(&self, code: &str) -> RequestBuilder {
        let body = json!({ "code": code }).to_string();
        self.ask(Method::POST, SESSION).body(body)
    }
}

async fn key(answer: Response) -> String {
    let answer: serde_json::Value = answer.json().await.unwrap();
    answer["key"].as_str().unwrap().to_owned()
}

/// What stands behind the `#` of the address that `zephyr open` opens.
async fn code(server: &Server) -> String {
    let url = server.client().sign_in_url().await.unwrap();
    let (page, code) = url.split_once("#code=").unwrap();
    assert_eq!(page, format!("http://{}/", server.address));
    code.to_owned()
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_browser_that_exchanged_its_code_may_ask_and_command() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;

    let session = browser.ask(Method::GET, SESSION);
    let snapshot = browser.ask(Method::GET, "/api/v1/snapshot");
    let command = browser.ask(Method::POST, "/api/v1/commands");
    let command = command.body(r#"{"command":"pause"}"#);

    assert_eq!(status(session).await, 204);
    assert_eq!(status(snapshot).await, 200);
    assert_eq!(status(command).await, 200);
    assert_eq!(server.control.commands().len(), 1);
}

#[tokio::test]
async fn a_browser_that_did_not_is_told_so() {
    let server = Server::start().await;
    let browser = Browser::new(&server);

    assert_eq!(status(browser.ask(Method::GET, SESSION)).await, 401);
    assert_eq!(status(browser.ask(Method::GET, "/")).await, 200);
    assert_eq!(status(browser.ask(Method::GET, "/api/v1/usage")).await, 401);
}

#[tokio::test]
async fn a_code_signs_in_once_and_nothing_else_does() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let code = code(&server).await;

    let wrong = browser.exchange(&"0".repeat(64)).send().await.unwrap();
    let token = browser.exchange(server.secret().trim());
    let first = browser.exchange(&code);
    let (token, first) = (status(token).await, status(first).await);
    let second = browser.exchange(&code).send().await.unwrap();

    assert_eq!((token, first), (401, 200));
    for refused in [wrong, second] {
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(!refused.headers().contains_key("set-cookie"));
        let text = refused.text().await.unwrap();
        assert!(text.contains("zephyr open"), "{text}");
    }
}

#[tokio::test]
async fn no_script_and_no_other_site_gets_the_cookie() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let code = code(&server).await;

    let answer = browser.exchange(&code).send().await.unwrap();

    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let (name, rest) = cookie.split_once('=').unwrap();
    let (value, attributes) = rest.split_once("; ").unwrap();
    assert_eq!(name, format!("zephyr-session-{}", server.address.port()));
    assert_eq!(value.len(), 64);
    assert_eq!(attributes, "Path=/api/v1; HttpOnly; SameSite=Strict");
    assert_ne!(value, code);
    assert_ne!(value, server.secret().trim());
    let value = value.to_owned();
    let key = key(answer).await;
    assert_eq!(key.len(), 64);
    assert!(![&value, &code, server.secret().trim()].contains(&key.as_str()));
}

#[tokio::test]
async fn another_server_of_this_machine_that_gets_the_cookie_can_do_nothing_with_it() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let other = Browser::signed_in(&server).await;
    let (key, other_key) = (browser.key.clone().unwrap(), other.key.unwrap());
    let as_our_page = |method: &Method, path: &str| {
        let request = browser.without_key(method.clone(), path);
        request
            .header("sec-fetch-site", "same-origin")
            .header("origin", format!("http://{}", server.address))
            .body(r#"{"command":"pause"}"#)
    };
    let paths = [
        (Method::GET, SESSION),
        (Method::GET, "/api/v1/snapshot"),
        (Method::GET, "/api/v1/events"),
        (Method::GET, "/api/v1/configuration"),
        (Method::GET, "/api/v1/requests/export?format=csv"),
        (Method::GET, "/metrics"),
        (Method::POST, "/api/v1/commands"),
        (Method::DELETE, SESSION),
    ];

    for (method, path) in &paths {
        let ask = || as_our_page(method, path);
        let cookie = browser.cookie.clone().unwrap();
        let (_, cookie) = cookie.split_once('=').unwrap();

        assert_eq!(status(ask()).await, 401, "{path}");
        for wrong in ["", "0", cookie, &other_key] {
            let with = ask().header("x-zephyr-page", wrong);
            assert_eq!(status(with).await, 401, "{path} {wrong}");
        }
    }
    assert_eq!(server.control.commands(), []);
    let with = as_our_page(&Method::GET, SESSION).header("x-zephyr-page", key);
    assert_eq!(status(with).await, 204, "it still holds");
}

#[tokio::test]
async fn a_page_says_its_key_in_the_address_where_it_cannot_add_headers() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let key = browser.key.clone().unwrap();
    let ask = |path: &str| {
        let request = browser.without_key(Method::GET, &format!("{path}page_key={key}"));
        request.header("sec-fetch-site", "same-origin")
    };

    assert_eq!(status(ask("/api/v1/events?")).await, 200);
    assert_eq!(
        status(ask("/api/v1/requests/export?format=csv&")).await,
        200
    );
    assert_eq!(status(ask("/api/v1/snapshot?")).await, 401);
    assert_eq!(status(ask("/api/v1/requests?")).await, 401);
}

#[tokio::test]
async fn a_session_counts_only_with_a_request_of_our_own_page() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;
    let origin = format!("http://{}", server.address);
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "null"),
        ("x-unrelated", "1"),
    ];
    let paths = [
        (Method::GET, "/api/v1/snapshot"),
        (Method::GET, "/api/v1/events"),
        (Method::GET, "/api/v1/requests/export?format=csv"),
        (Method::POST, "/api/v1/commands"),
        (Method::DELETE, SESSION),
    ];

    for (name, value) in foreign {
        for (method, path) in &paths {
            let request = browser.bare(method.clone(), path);
            let request = request.header(name, value).body(r#"{"command":"pause"}"#);
            assert_eq!(status(request).await, 403, "{name}: {value} {path}");
        }
    }
    assert_eq!(server.control.commands(), []);
    let old_browser = browser.bare(Method::GET, "/api/v1/snapshot");
    assert_eq!(status(old_browser.header("origin", origin)).await, 200);
}

#[tokio::test]
async fn a_page_from_elsewhere_cannot_use_a_code() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let code = code(&server).await;
    let body = json!({ "code": code }).to_string();

    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("x-unrelated", "1"),
    ] {
        let request = browser.bare(Method::POST, SESSION).header(name, value);
        assert_eq!(status(request.body(body.clone())).await, 403, "{name}");
    }
    assert_eq!(
        status(browser.exchange(&code)).await,
        200,
        "it is still good"
    );
}

#[tokio::test]
async fn a_session_begets_no_session() {
    let server = Server::start().await;
    let browser = Browser::signed_in(&server).await;

    let codes = browser.ask(Method::POST, "/api/v1/session/codes");

    assert_eq!(status(codes).await, 401);
}

#[tokio::test]
async fn whoever_signs_out_is_out() {
    let server = Server::start().await;
    let mut browser = Browser::signed_in(&server).await;

    let answer = browser.ask(Method::DELETE, SESSION).send().await.unwrap();
    let after = status(browser.ask(Method::GET, SESSION)).await;
    browser.take_cookie(&answer);

    assert_eq!(after, 401);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("Max-Age=0"), "{cookie}");
    let emptied = format!("zephyr-session-{}=", server.address.port());
    assert_eq!(browser.cookie, Some(emptied));
}

#[tokio::test]
async fn a_session_of_another_instance_is_none() {
    let (server, other) = (Server::start().await, Server::start().await);
    let browser = Browser::signed_in(&other).await;
    let value = browser.cookie.unwrap();
    let (_, value) = value.split_once('=').unwrap();

    let cookie = format!("zephyr-session-{}={value}", server.address.port());
    let here = Browser {
        server: &server,
        cookie: Some(cookie),
        key: browser.key,
    };

    assert_eq!(status(here.ask(Method::GET, SESSION)).await, 401);
}
