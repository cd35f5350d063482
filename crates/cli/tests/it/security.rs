//! Who may ask what of the built program, on both of its ports, and that no answer tells a secret.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::home::Home;
use crate::serving::Serving;
use reqwest::{Method, RequestBuilder};
use zephyr_admin::instance::Running;
use zephyr_testkit::{Act, Endpoint};

const UPSTREAM: &str = "sk-ant-upstream-hunter2-hunter2";
const CLIENT: &str = "client-hunter3-hunter3";
const MESSAGE: &str =
    r#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#;

/// A running program with a secret of every kind.
struct Program {
    home: Home,
    serving: Serving,
    running: Running,
    endpoint: Endpoint,
}

impl Program {
    async fn start() -> Self {
        let endpoint = Endpoint::start(Act::message("Hi")).await;
        let home = Home::with("");
        home.configure(&format!(
            "[server]\nport = 0\nclient_token_env = \"CLIENT\"\n\
             [web_admin]\nport = 0\n[health_check]\nmode = \"off\"\n\
             [logging]\nlevel = \"trace\"\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n\
             [[groups]]\nname = \"primary\"\nauth_token_env = \"UPSTREAM\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            endpoint.url()
        ));
        let secrets = format!("CLIENT={CLIENT}\nUPSTREAM={UPSTREAM}\n");
        fs::write(home.path().join(".env"), secrets).unwrap();
        let serving = home.serve();
        let running = home.running().await;
        Self {
            home,
            serving,
            running,
            endpoint,
        }
    }

    fn admin_token(&self) -> String {
        fs::read_to_string(self.home.data_dir().join("admin-token")).unwrap()
    }

    /// Every request that counts, with the credential that it needs, by what it is.
    fn requests(&self) -> Vec<(Port, RequestBuilder)> {
        let admin = |method: Method, path: &str| {
            (
                Port::Admin,
                self.ask(Port::Admin, method, path)
                    .bearer_auth(self.admin_token()),
            )
        };
        let proxy = |method: Method, path: &str| {
            (
                Port::Proxy,
                self.ask(Port::Proxy, method, path).bearer_auth(CLIENT),
            )
        };
        let (command, message) = (
            admin(Method::POST, "/api/v1/commands"),
            proxy(Method::POST, "/v1/messages"),
        );
        vec![
            proxy(Method::GET, "/status"),
            proxy(Method::GET, "/diagnostics"),
            (message.0, message.1.body(MESSAGE)),
            admin(Method::GET, "/"),
            admin(Method::GET, "/metrics"),
            admin(Method::GET, "/api/v1/snapshot"),
            admin(Method::GET, "/api/v1/proof?abc"),
            (command.0, command.1.body(r#"{"command":"pause"}"#)),
        ]
    }

    fn ask(&self, port: Port, method: Method, path: &str) -> RequestBuilder {
        let address = self.address(port);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.request(method, format!("http://{address}{path}"))
    }

    fn address(&self, port: Port) -> SocketAddr {
        match port {
            Port::Proxy => self.running.instance.proxy,
            Port::Admin => self.running.instance.admin,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Port {
    Proxy,
    Admin,
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_may_ask_is_answered() {
    let program = Program::start().await;

    for (port, request) in program.requests() {
        let request = request.build().unwrap();
        let told = format!("{port:?} {} {}", request.method(), request.url());
        let answer = reqwest::Client::new().execute(request).await.unwrap();

        assert_eq!(answer.status(), 200, "{told}");
    }
    assert_eq!(program.endpoint.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_web_page_and_a_rebound_name_are_refused_on_both_ports() {
    let program = Program::start().await;
    let foreign = |port: Port| {
        let number = program.address(port).port();
        [
            ("host", format!("evil.example:{number}")),
            ("host", format!("127.0.0.1.nip.example:{number}")),
            ("host", format!("192.168.1.10:{number}")),
            ("origin", "https://evil.example".to_owned()),
            ("origin", format!("http://evil.example:{number}")),
            ("origin", "http://127.0.0.1:1".to_owned()),
            ("origin", "null".to_owned()),
            ("sec-fetch-site", "cross-site".to_owned()),
            ("sec-fetch-site", "same-site".to_owned()),
        ]
    };

    for case in 0..9 {
        for (port, request) in program.requests() {
            let (name, value) = &foreign(port)[case];
            let request = request.header(*name, value).build().unwrap();
            let told = format!("{port:?} {} {name}: {value}", request.url());
            let answer = reqwest::Client::new().execute(request).await.unwrap();

            assert_eq!(answer.status(), 403, "{told}");
            let invited = answer.headers().keys();
            let mut invited = invited.filter(|name| name.as_str().starts_with("access-control"));
            assert_eq!(invited.next(), None, "{told}");
        }
    }
    assert_eq!(program.endpoint.requests().len(), 0);
    let snapshot = program.home.running().await.snapshot;
    assert!(!snapshot.paused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_credential_and_none_are_refused_on_both_ports() {
    let program = Program::start().await;
    let asked = [
        (Port::Proxy, Method::POST, "/v1/messages"),
        (Port::Proxy, Method::GET, "/status"),
        (Port::Proxy, Method::GET, "/diagnostics"),
        (Port::Admin, Method::GET, "/metrics"),
        (Port::Admin, Method::GET, "/api/v1/snapshot"),
        (Port::Admin, Method::GET, "/api/v1/events"),
        (Port::Admin, Method::GET, "/api/v1/configuration"),
        (Port::Admin, Method::GET, "/api/v1/requests"),
        (Port::Admin, Method::GET, "/api/v1/requests/1"),
        (
            Port::Admin,
            Method::GET,
            "/api/v1/requests/export?format=csv",
        ),
        (Port::Admin, Method::GET, "/api/v1/usage"),
        (Port::Admin, Method::GET, "/api/v1/history"),
        (Port::Admin, Method::GET, "/api/v1/session"),
        (Port::Admin, Method::POST, "/api/v1/session/codes"),
        (Port::Admin, Method::POST, "/api/v1/commands"),
        (Port::Admin, Method::POST, "/api/v1/check"),
        (Port::Admin, Method::POST, "/api/v1/diagnose"),
    ];

    for (port, method, path) in asked {
        let ask = || program.ask(port, method.clone(), path).body(MESSAGE);
        let other_port = match port {
            Port::Proxy => program.admin_token(),
            Port::Admin => CLIENT.to_owned(),
        };
        for request in [
            ask(),
            ask().bearer_auth("0".repeat(64)),
            ask().bearer_auth(""),
            ask().bearer_auth(UPSTREAM),
            ask().bearer_auth(other_port),
            ask().header(
                "cookie",
                format!("zephyr-session-{}=0", program.address(port).port()),
            ),
        ] {
            assert_eq!(status(request).await, 401, "{port:?} {path}");
        }
    }
    assert_eq!(program.endpoint.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_browser_is_signed_in_once_and_only_for_our_own_page() {
    let program = Program::start().await;
    let opened = program.home.run(&["open", "--print"]);
    let address = String::from_utf8(opened.stdout).unwrap();
    let (_, code) = address.trim_end().split_once("#code=").unwrap();
    let exchange = || {
        let request = program.ask(Port::Admin, Method::POST, "/api/v1/session");
        request.body(format!(r#"{{"code":"{code}"}}"#))
    };
    let ours = |request: RequestBuilder| request.header("sec-fetch-site", "same-origin");

    let foreign = status(exchange().header("sec-fetch-site", "cross-site")).await;
    let answer = ours(exchange()).send().await.unwrap();
    let again = status(ours(exchange())).await;

    assert_eq!((foreign, answer.status().as_u16(), again), (403, 200, 401));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let (cookie, _) = cookie.split_once(';').unwrap();
    let key: serde_json::Value = answer.json().await.unwrap();
    let key = key["key"].as_str().unwrap();
    for (port, path, page, elsewhere, alone) in [
        (Port::Admin, "/api/v1/snapshot", 200, 403, 403),
        (Port::Admin, "/api/v1/session", 204, 403, 403),
        (Port::Admin, "/api/v1/session/codes", 401, 403, 403),
        (Port::Proxy, "/status", 401, 403, 401),
    ] {
        let cookie_alone = || {
            let request = program.ask(port, Method::GET, path);
            request.header("cookie", cookie)
        };
        let ask = || cookie_alone().header("x-zephyr-page", key);
        let from = |site: &'static str| ask().header("sec-fetch-site", site);
        let other_port = ours(cookie_alone());

        assert_eq!(status(from("same-origin")).await, page, "{path}");
        assert_eq!(status(from("same-site")).await, elsewhere, "{path}");
        assert_eq!(status(from("cross-site")).await, elsewhere, "{path}");
        assert_eq!(status(ask()).await, alone, "{path}");
        assert_eq!(status(other_port).await, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_answer_no_log_and_no_file_tells_a_secret() {
    let program = Program::start().await;
    let admin_token = program.admin_token();
    let metrics_token = fs::read_to_string(program.home.data_dir().join("metrics-token"));
    let metrics_token = metrics_token.unwrap();
    let secrets = [UPSTREAM, CLIENT, admin_token.trim(), metrics_token.trim()];
    let tells = |text: &str| secrets.into_iter().find(|secret| text.contains(secret));
    let more = [
        "/api/v1/configuration",
        "/api/v1/requests",
        "/api/v1/requests/1",
        "/api/v1/requests/export?format=jsonl",
        "/api/v1/usage",
        "/api/v1/history",
        "/api/v1/nowhere",
    ];
    let more = more.map(|path| program.ask(Port::Admin, Method::GET, path));
    let more = more.map(|request| request.bearer_auth(admin_token.trim()));
    program.endpoint.push(Act::status(401));
    let every = program.requests().into_iter().map(|(_, request)| request);

    for request in every.chain(more) {
        let request = request.build().unwrap();
        let told = request.url().to_string();
        let answer = reqwest::Client::new().execute(request).await.unwrap();
        let headers = format!("{:?}", answer.headers());
        let body = answer.text().await.unwrap();

        assert_eq!(tells(&headers), None, "{told}");
        assert_eq!(tells(&body), None, "{told}");
    }

    let received = program.endpoint.next_request().await;
    assert!(format!("{received:?}").contains(UPSTREAM), "it was used");
    let Program { home, serving, .. } = program;
    serving.signal("TERM");
    let (_, said) = serving.ended();
    assert!(said.contains("DEBUG"), "{said}");
    assert_eq!(tells(&said), None, "{said}");
    let mut files = Vec::new();
    collect(&home.data_dir(), &mut files);
    assert!(files.iter().any(|(name, _)| name.ends_with(".log")));
    for (name, bytes) in files {
        let told = tells(&String::from_utf8_lossy(&bytes));
        let is_token = ["admin-token", "metrics-token"].contains(&name.as_str());
        assert_eq!(told.is_some(), is_token, "{name}");
    }
}

/// Every file in a folder and those in it.
fn collect(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read(path).unwrap()));
        }
    }
}
