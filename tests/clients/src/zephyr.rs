//! The program under test, over two endpoints that want different credentials.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zephyr_testkit::{Endpoint, PATIENCE, RawClient};

use crate::given::given;

/// The first endpoint's credential, sent as a Bearer token.
pub const FIRST_TOKEN: &str = "token-of-the-first";
/// The second endpoint's credential, sent as an API key.
pub const SECOND_TOKEN: &str = "token-of-the-second";
/// What clients send; no endpoint may ever see it.
pub const CLIENT_TOKEN: &str = "token-of-the-client";

/// A running `zephyr serve`; it is killed when dropped.
#[derive(Debug)]
pub struct Zephyr {
    addr: SocketAddr,
    _process: Child,
    _log: JoinHandle<()>,
    folder: TempDir,
}

impl Zephyr {
    /// Prefers `first`, and falls back on `second`. Nothing is probed: every request that an endpoint
    /// receives is a client's.
    ///
    /// # Panics
    ///
    /// If the program does not start.
    pub async fn over(first: &Endpoint, second: &Endpoint) -> Self {
        Self::start(&configuration(first, second, "off"), shown).await
    }

    /// The same, but both are probed by real calls.
    ///
    /// # Panics
    ///
    /// If the program does not start.
    pub async fn probing(first: &Endpoint, second: &Endpoint) -> Self {
        Self::start(&configuration(first, second, "message"), shown).await
    }

    /// With the default settings, over endpoints at these URLs, the preferred one first. They are called A,
    /// B, C and so on, and all want the first endpoint's credential. `log` gets each line of its log.
    ///
    /// # Panics
    ///
    /// If the program does not start.
    pub async fn with_defaults(urls: &[String], log: impl Fn(&str) + Send + 'static) -> Self {
        Self::start(&default_configuration(urls), log).await
    }

    async fn start(configuration: &str, show: impl Fn(&str) + Send + 'static) -> Self {
        let folder = tempfile::tempdir().expect("there should be room for a temporary folder");
        let config = folder.path().join("config.toml");
        std::fs::write(&config, configuration).expect("the temporary folder should be writable");

        let mut process = Command::new(given("ZEPHYR_TEST_PROGRAM"))
            .args(["serve", "--config"])
            .arg(&config)
            .current_dir(folder.path())
            .env("ZEPHYR_DATA_DIR", folder.path().join("data"))
            .env("FIRST_TOKEN", FIRST_TOKEN)
            .env("SECOND_TOKEN", SECOND_TOKEN)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("zephyr should start");

        let mut log = BufReader::new(process.stderr.take().expect("stderr is piped")).lines();
        let instance = folder.path().join("data").join("instance.json");
        let started = async {
            let mut said = String::new();
            while let Ok(Some(line)) = log.next_line().await {
                // The file is complete before the program says that it has started.
                if let Some(addr) = address(&instance, "proxy") {
                    return addr;
                }
                said = format!("{said}{line}\n");
            }
            panic!("zephyr ended instead of starting:\n{said}")
        };
        let addr = timeout(PATIENCE, started)
            .await
            .expect("zephyr should say that it has started");
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                show(&line);
            }
        });
        Self {
            addr,
            _process: process,
            _log: log,
            folder,
        }
    }

    /// Runs `zephyr connect claude-code` or `zephyr disconnect claude-code` beside it, over Claude
    /// Code's settings in `config_dir`, with these variables in its environment.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub async fn claude_code(&self, command: &str, config_dir: &Path, variables: &[(&str, &str)]) {
        let output = Command::new(given("ZEPHYR_TEST_PROGRAM"))
            .args([command, "claude-code"])
            .envs(variables.iter().copied())
            .env("CLAUDE_CONFIG_DIR", config_dir)
            .env("ZEPHYR_DATA_DIR", self.folder.path().join("data"))
            .output()
            .await
            .expect("zephyr should start");
        assert!(output.status.success(), "{output:?}");
    }

    /// Where clients find it.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What clients are given as their base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Waits until it shows this state, and returns it: a snapshot as the admin API has it.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`].
    pub async fn until(&self, shows: impl Fn(&Value) -> bool) -> Value {
        let data = self.folder.path().join("data");
        let admin = address(&data.join("instance.json"), "admin").expect("the admin API is on");
        let token = std::fs::read_to_string(data.join("admin-token"))
            .expect("the admin API's token should be there");
        let mut events = RawClient::connect(admin)
            .await
            .expect("the admin API should be there");
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {}\r\n\r\n",
            token.trim()
        );
        events.send(request).await.expect("it should take requests");
        events.read_head().await.expect("it should answer");
        let mut last = Value::Null;
        let shown = async {
            while !shows(&last) {
                let event = events.next_event().await;
                (_, last) = event
                    .expect("there should be snapshots")
                    .expect("they should go on");
            }
        };
        if timeout(PATIENCE, shown).await.is_err() {
            panic!("never shown; last: {last:#}");
        }
        last
    }
}

/// The test runner shows it if the test fails.
fn shown(line: &str) {
    println!("zephyr: {line}");
}

fn default_configuration(urls: &[String]) -> String {
    let names = 'A'..='Z';
    let endpoints: String = names
        .zip(urls)
        .map(|(name, url)| format!("  {{ name = \"{name}\", url = \"{url}\" }},\n"))
        .collect();
    format!(
        r#"
[server]
port = 0

[web_admin]
port = 0

[[groups]]
name = "main"
auth_token_env = "FIRST_TOKEN"
endpoints = [
{endpoints}]
"#
    )
}

fn configuration(first: &Endpoint, second: &Endpoint, probe: &str) -> String {
    let (first, second) = (first.url(), second.url());
    format!(
        r#"
[server]
port = 0

[web_admin]
port = 0

[health_check]
mode = "{probe}"

[routing]
strategy = "priority"

[[groups]]
name = "one"
default = true
auth_type = "auth_token"
auth_token_env = "FIRST_TOKEN"
endpoints = [{{ name = "first", url = "{first}", priority = 1 }}]

[[groups]]
name = "two"
auth_type = "api_key"
auth_token_env = "SECOND_TOKEN"
endpoints = [{{ name = "second", url = "{second}", priority = 2 }}]
"#
    )
}

/// Of the port of that name: `proxy` or `admin`.
fn address(instance: &Path, port: &str) -> Option<SocketAddr> {
    let instance: Value = serde_json::from_slice(&std::fs::read(instance).ok()?).ok()?;
    instance[port].as_str()?.parse().ok()
}
