//! An engine over scripted endpoints, and a client in front of it.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "only tests call it")]

pub mod raw;
pub mod strict;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use zephyr_config::Loaded;
use zephyr_control::{Command, Control, EndpointState, EventKind, Snapshot};
use zephyr_engine::{Engine, Options, Source};
use zephyr_testkit::{Answer, Endpoint, RawClient, post_messages};

/// A running engine; its configuration lies in a folder of its own.
pub struct Zephyr {
    pub engine: Engine,
    pub control: Arc<dyn Control>,
    pub folder: tempfile::TempDir,
}

/// What the endpoints get as a credential.
pub const OUR_TOKEN: &str = "token-of-ours";
/// What the client sends.
pub const CLIENT_TOKEN: &str = "token-of-the-client";

impl Zephyr {
    /// Over these endpoints, called A, B, C…; no probes, no waiting; `extra`: further tables of the configuration.
    pub async fn over(endpoints: &[&Endpoint], extra: &str) -> Self {
        let urls: Vec<String> = endpoints.iter().map(|endpoint| endpoint.url()).collect();
        Self::at(&urls, extra).await
    }

    /// Over endpoints at these URLs.
    pub async fn at(urls: &[String], extra: &str) -> Self {
        Self::start(&config(urls, extra), Options::default()).await
    }

    pub async fn start(config: &str, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config).unwrap();
        std::fs::write(
            folder.path().join(".env"),
            format!("TEST_TOKEN={OUR_TOKEN}\n"),
        )
        .unwrap();
        let loaded: Loaded = zephyr_config::load(&path).unwrap();
        let engine = Engine::start_with(loaded, Source::File(path.into()), options)
            .await
            .unwrap();
        let control = engine.control();
        Self {
            engine,
            control,
            folder,
        }
    }

    pub async fn post(&self, body: &Value) -> std::io::Result<Answer> {
        post_messages(self.engine.proxy_addr(), body.to_string()).await
    }

    /// Sends a request with these headers, its length, and `Host` if it is not among them, on a
    /// connection of its own.
    pub async fn request(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{line} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: {}\r\n", self.engine.proxy_addr());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut client = self.client().await;
        client.send(format!("{head}\r\n{body}")).await.unwrap();
        client.answer().await.unwrap()
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.request(&format!("GET {target}"), &[], "").await
    }

    /// The endpoint that a new request without a session is answered by.
    pub async fn used(&self) -> String {
        let answer = self.stream().await.unwrap();
        answer.header("x-used-endpoint").unwrap().to_owned()
    }

    pub async fn stream(&self) -> std::io::Result<Answer> {
        self.post(&streaming()).await
    }

    pub async fn client(&self) -> RawClient {
        RawClient::connect(self.engine.proxy_addr()).await.unwrap()
    }

    pub async fn snapshot(&self) -> Arc<Snapshot> {
        self.control.snapshot().await.unwrap()
    }

    pub async fn run(&self, command: Command) {
        self.control.execute(command).await.unwrap();
    }

    /// Waits until a snapshot shows it.
    pub async fn until(&self, what: &str, shows: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut snapshots = self.control.snapshots().await.unwrap();
        let seen = tokio::time::timeout(Duration::from_secs(20), async {
            while let Some(snapshot) = snapshots.next().await {
                if shows(&snapshot) {
                    return snapshot;
                }
            }
            unreachable!("the engine lives as long as the test")
        });
        match seen.await {
            Ok(snapshot) => snapshot,
            Err(_) => panic!("never seen: {what}; last: {:#?}", self.snapshot().await),
        }
    }

    pub async fn state_of(&self, name: &str) -> EndpointState {
        self.snapshot().await.endpoint(name).unwrap().state
    }

    pub async fn events(&self) -> Vec<EventKind> {
        self.snapshot()
            .await
            .events
            .iter()
            .map(|event| event.kind.clone())
            .collect()
    }

    pub fn dotenv(&self, lines: &str) {
        std::fs::write(self.folder.path().join(".env"), lines).unwrap();
    }

    pub fn rewrite(&self, config: &str) {
        std::fs::write(self.folder.path().join("config.toml"), config).unwrap();
    }
}

pub fn config(urls: &[String], extra: &str) -> String {
    let endpoint = |(index, url): (usize, &String)| {
        let name = char::from(b'A' + u8::try_from(index).unwrap());
        format!("  {{ name = \"{name}\", url = \"{url}\", proxy = \"direct\" }},\n")
    };
    let endpoints: String = urls.iter().enumerate().map(endpoint).collect();
    let probes = if extra.contains("[health_check]") {
        ""
    } else {
        "[health_check]\nmode = \"off\"\n"
    };
    // Most tests want to see an error at once.
    let extra = &if extra.contains("hold_seconds") {
        extra.to_owned()
    } else if extra.contains("[failover]\n") {
        extra.replacen("[failover]\n", "[failover]\nhold_seconds = 0\n", 1)
    } else {
        format!("{extra}\n[failover]\nhold_seconds = 0\n")
    };
    let (server, extra) = match extra.strip_prefix("[server]\n") {
        Some(rest) => rest.split_once("\n\n").unwrap_or((rest, "")),
        None => ("", extra.as_str()),
    };
    format!(
        "[server]\nport = 0\n{server}\n\n[[groups]]\nname = \"main\"\nauth_token_env = \"TEST_TOKEN\"\n\
         endpoints = [\n{endpoints}]\n\n{probes}\n{extra}"
    )
}

pub fn streaming() -> Value {
    json!({
        "model": "claude-opus-5-5",
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": "Hello" }],
        "stream": true,
    })
}

pub fn plain() -> Value {
    let mut body = streaming();
    body["stream"] = json!(false);
    body
}

/// How many `message_start` events a client got.
pub fn starts(answer: &Answer) -> usize {
    answer
        .events()
        .iter()
        .filter(|(name, _)| name == "message_start")
        .count()
}
