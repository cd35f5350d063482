//! The built program, a browser that is signed in to it, and `zephyr confirm`.

use std::process::Output;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use zephyr_admin::instance::Running;
use zephyr_testkit::{Act, Endpoint};

use crate::home::Home;
use crate::serving::Serving;

const COMMANDS: &str = "/api/v1/commands";

/// A running program, and a browser that is signed in.
struct Program {
    home: Home,
    running: Running,
    cookie: String,
    key: String,
    _serving: Serving,
    _endpoint: Endpoint,
}

impl Program {
    async fn start() -> Self {
        let endpoint = Endpoint::start(Act::message("Hi")).await;
        let home = Home::with(&format!(
            "[[groups]]\nname = \"primary\"\nauth_token_env = \"UPSTREAM\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            endpoint.url()
        ));
        home.write(".env", "UPSTREAM=t\n");
        let serving = home.serve();
        let running = home.running().await;
        let mut program = Self {
            home,
            running,
            cookie: String::new(),
            key: String::new(),
            _serving: serving,
            _endpoint: endpoint,
        };
        let url = program.running.client.sign_in_url().await.unwrap();
        let (_, code) = url.split_once("#code=").unwrap();
        let exchange = program.ask(Method::POST, "/api/v1/session");
        let answer = exchange.body(json!({ "code": code }).to_string());
        let answer = answer.send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        program.cookie = cookie.split(';').next().unwrap().to_owned();
        let key: Value = answer.json().await.unwrap();
        program.key = key["key"].as_str().unwrap().to_owned();
        program
    }

    /// As the page asks.
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = self.running.instance.admin;
        client
            .request(method, format!("http://{address}{path}"))
            .header("sec-fetch-site", "same-origin")
            .header("cookie", &self.cookie)
            .header("x-zephyr-page", &self.key)
    }

    async fn command(&self, command: &Value) -> (u16, Value) {
        let request = self.ask(Method::POST, COMMANDS).body(command.to_string());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The number under which the command waits.
    async fn refused(&self, command: &Value) -> u64 {
        let (status, error) = self.command(command).await;
        assert_eq!(status, 403, "{error}");
        error["confirmation"]["number"].as_u64().unwrap()
    }

    /// Whatever the program serves goes on meanwhile: it is another process.
    fn zephyr(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.home.run(arguments);
        let said = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code(), said)
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.home.path().join("config.toml")).unwrap()
    }
}

fn runs_a_program() -> Value {
    json!({ "command": "set", "key": "health_check.claude_binary_path", "value": "/bin/sh" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_browser_may_not_do_by_itself_is_done_once_it_is_confirmed_in_the_terminal() {
    let program = Program::start().await;
    let before = program.file();

    let number = program.refused(&runs_a_program()).await.to_string();
    let unchanged = program.file();
    let unasked = program.zephyr(&["confirm"]);
    let without_number = program.zephyr(&["confirm", "--yes"]);
    let confirmed = program.zephyr(&["confirm", &number, "--yes"]);
    let (status, _) = program.command(&runs_a_program()).await;
    let after = program.file();
    let again = program.zephyr(&["confirm", &number, "--yes"]);
    let nothing = program.zephyr(&["confirm"]);

    assert_eq!(unchanged, before);
    // Nobody can be asked in a test, so it says what would change and does nothing.
    assert_eq!(unasked.0, Some(2), "{unasked:?}");
    for part in [
        number.as_str(),
        "health_check.claude_binary_path changes from – to /bin/sh",
        "It decides which program Zephyr starts.",
    ] {
        assert!(unasked.1.contains(part), "{unasked:?}");
    }
    assert_eq!(without_number.0, Some(2), "{without_number:?}");
    assert_eq!(confirmed.0, Some(0), "{confirmed:?}");
    assert_eq!(status, 200);
    assert!(
        after.contains("claude_binary_path = \"/bin/sh\""),
        "{after}"
    );
    assert_eq!(again.0, Some(1), "{again:?}");
    assert_eq!(
        nothing,
        (Some(0), "nothing waits for a confirmation\n".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_browser_sends_no_token_of_the_users_elsewhere() {
    let program = Program::start().await;
    let other = Endpoint::start(Act::message("Hi")).await;
    let (status, configuration) = {
        let request = program.ask(Method::GET, "/api/v1/configuration");
        let answer = request.send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let mut form = configuration["endpoints"][0].clone();
    form["url"] = json!(other.url());
    form["proxy"] = json!("direct");

    let edit = json!({ "command": "edit_endpoint", "name": "A", "endpoint": form });
    let test = json!({ "what": "draft", "endpoint": form, "token": null }).to_string();
    let test = program.ask(Method::POST, "/api/v1/diagnose").body(test);
    program.refused(&edit).await;
    let test = test.send().await.unwrap().status();

    assert_eq!((status, test.as_u16()), (200, 403));
    assert_eq!(other.requests().len(), 0);
    assert!(!program.file().contains(&other.url()));
}

/// Values that programs in C, SQL, paths and numbers stumble over.
const NASTY: [&str; 22] = [
    "\0",
    "a\0b",
    "\u{1}",
    "\u{fffd}",
    "\u{10ffff}",
    "'",
    "\"",
    "\"\"\"",
    "*",
    "(",
    "a AND",
    "NEAR(",
    "^x",
    "-",
    "%",
    "../..",
    "18446744073709551615",
    "9223372036854775808",
    "-1",
    "1e400",
    "NaN",
    "a:b",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_value_of_a_parameter_is_our_own_mistake() {
    let program = Program::start().await;
    let parameters = [
        (
            "/api/v1/requests?",
            &[
                "text", "endpoint", "model", "session", "status", "since_ms", "until_ms", "before",
                "after", "limit", "failed",
            ][..],
        ),
        (
            "/api/v1/requests/export?format=csv&",
            &[
                "text", "endpoint", "model", "session", "since_ms", "until_ms",
            ],
        ),
        ("/api/v1/usage?", &["since_ms", "until_ms", "by", "split"]),
        ("/api/v1/history?", &["endpoint", "since_ms", "until_ms"]),
    ];
    let escaped = |value: &str| {
        let bytes = value.bytes();
        bytes.map(|byte| format!("%{byte:02X}")).collect::<String>()
    };
    let mut asked: Vec<String> = Vec::new();
    for (path, names) in parameters {
        for name in names {
            let values = NASTY.map(|value| format!("{path}{name}={}", escaped(value)));
            asked.extend(values);
            asked.push(format!("{path}{name}=%FF%FE"));
        }
    }
    asked.extend(NASTY.map(|value| format!("/api/v1/requests/{}", escaped(value))));

    for path in asked {
        let answer = program.ask(Method::GET, &path).send().await.unwrap();
        let status = answer.status().as_u16();
        assert!(
            status < 500,
            "{path}: {status} {}",
            answer.text().await.unwrap()
        );
        let is_nul = path.contains("%00") && path.contains('?');
        assert!(!is_nul || status == 400, "{path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_value_in_a_body_is_our_own_mistake() {
    let program = Program::start().await;
    let form = |field: &str, value: &str| {
        let mut form = json!({
            "name": "new", "group": "primary", "url": "https://a.example.com", "flag": null,
            "enabled": true, "priority": 1, "weight": 1, "price": 1.0, "path_prefix": null,
            "auth_type": null, "token": { "kind": "none" }, "proxy": null,
        });
        form[field] = json!(value);
        form
    };

    for value in NASTY {
        let mut bodies = vec![
            json!({ "command": "use", "endpoint": value }),
            json!({ "command": "enable", "endpoint": value }),
            json!({ "command": "reinstate", "endpoint": value }),
            json!({ "command": "remove_endpoint", "name": value }),
            json!({ "command": "move_endpoint", "name": value, "to": 4_294_967_295_u32 }),
            json!({ "command": "set", "key": value, "value": value }),
            json!({ "command": "set", "key": "health_check.model", "value": value }),
            json!({ "command": "set", "key": "server.allowed_hosts", "value": [value] }),
            json!({ "command": "store_token", "reference": value, "token": value }),
        ];
        for field in ["name", "group", "url", "flag", "path_prefix", "proxy"] {
            bodies.push(json!({ "command": "add_endpoint", "endpoint": form(field, value) }));
        }
        for body in bodies {
            for path in [COMMANDS, "/api/v1/check"] {
                let token = std::fs::read_to_string(program.home.data_dir().join("admin-token"));
                let request = program
                    .ask(Method::POST, path)
                    .bearer_auth(token.unwrap().trim())
                    .body(body.to_string());
                let answer = request.send().await.unwrap();
                let status = answer.status().as_u16();
                let said = answer.text().await.unwrap();

                assert!(status < 500, "{path} {body}: {status} {said}");
                assert!(
                    !value.contains('\0') || status == 400,
                    "{path} {body}: {status}"
                );
            }
        }
    }
}
