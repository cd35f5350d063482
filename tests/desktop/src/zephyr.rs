//! The program under test, started as a user starts it, and what other programs see of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::process::Command;
use zephyr_control::Snapshot;
use zephyr_testkit::{Answer, RawClient};

use crate::configuration::{Configuration, TOKEN};
use crate::desktop::Desktop;
use crate::given::given;
use crate::process::{Cost, Ended, Process};
use crate::tray::Tray;
use crate::waiting::{patiently, until};

/// A running `zephyr-desktop`; it is killed when dropped.
#[derive(Debug)]
pub struct Zephyr<'a> {
    desktop: &'a Desktop,
    process: Process,
}

/// How another program of Zephyr's ended.
pub type Ran = Ended;

impl<'a> Zephyr<'a> {
    /// Starts it, with this configuration.
    ///
    /// # Panics
    ///
    /// If it cannot be started; so do the other functions here, if it is gone.
    pub fn start(desktop: &'a Desktop, configuration: &Configuration) -> Self {
        desktop.configure(configuration);
        Self::start_as(desktop, desktop.zephyr_desktop(&[]))
    }

    /// Starts it by this command.
    pub fn start_as(desktop: &'a Desktop, command: Command) -> Self {
        let process = desktop.start("zephyr-desktop", command);
        Self { desktop, process }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The names of its process and those it has started.
    pub fn processes(&self) -> Vec<String> {
        self.process.group()
    }

    /// What it and what it has started have used so far.
    pub fn cost(&self) -> Cost {
        self.process.cost()
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        self.process.said()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Its tray icon; waits for it.
    pub async fn tray(&self) -> Tray {
        Tray::on(self.desktop).await
    }

    /// Waits for it to end by itself.
    pub async fn ended(self) -> Ended {
        self.process.ended().await
    }

    /// Kills it; it cannot put anything in order.
    pub async fn kill(self) {
        self.process.kill().await;
    }

    /// Sends it SIGTERM, as the end of a session does.
    pub fn terminate(&self) {
        self.process.terminate();
    }
}

/// What can be done about Zephyr on a desktop, whoever started it.
impl Desktop {
    /// Writes `config.toml`.
    pub fn configure(&self, configuration: &Configuration) {
        self.write_config(&configuration.text());
    }

    /// Writes this as `config.toml`, in one go.
    pub fn write_config(&self, text: &str) {
        let new = self.home().join("config.toml.new");
        let written = std::fs::write(&new, text);
        written.expect("the test's folder should be writable");
        let moved = std::fs::rename(new, self.config_path());
        moved.expect("the test's folder should be writable");
    }

    /// Where [`Desktop::configure`] writes.
    pub fn config_path(&self) -> PathBuf {
        self.home().join("config.toml")
    }

    /// `zephyr-desktop` with these arguments.
    pub fn zephyr_desktop(&self, arguments: &[&str]) -> Command {
        let mut command = self.zephyr_command(given("ZEPHYR_TEST_DESKTOP"));
        command.arg("--config").arg(self.config_path());
        command.args(arguments);
        command
    }

    /// `zephyr-desktop` in the folder with [`config_path`](Self::config_path), whose name it is not told.
    pub fn zephyr_desktop_by_itself(&self) -> Command {
        self.zephyr_command(given("ZEPHYR_TEST_DESKTOP"))
    }

    /// A program of Zephyr's, with the environment of this desktop's Zephyr.
    pub fn zephyr_command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.command(program);
        command
            .env("ZEPHYR_DATA_DIR", self.data_dir())
            .env(TOKEN.0, TOKEN.1);
        command
    }

    /// Runs `zephyr` to its end.
    pub async fn zephyr(&self, arguments: &[&str]) -> Ran {
        self.zephyr_with_input(arguments, "").await
    }

    /// Runs `zephyr` to its end, with this as its standard input.
    pub async fn zephyr_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.zephyr_command(given("ZEPHYR_TEST_PROGRAM"));
        command.args(arguments);
        command.env("ZEPHYR_CONFIG", self.config_path());
        self.run_with_input("zephyr", command, input).await
    }

    /// Where Zephyr keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.home().join("data").join("zephyr")
    }

    /// The state that every front-end sees; waits for the program.
    pub async fn snapshot(&self) -> Snapshot {
        self.until("a snapshot", |snapshot| Some(snapshot.clone()))
            .await
    }

    /// Waits until `look` finds something in the state.
    ///
    /// # Panics
    ///
    /// After [`PATIENCE`](zephyr_testkit::PATIENCE).
    pub async fn until<T>(&self, what: &str, look: impl Fn(&Snapshot) -> Option<T>) -> T {
        let mut events = self.events().await;
        let mut last = None;
        let found = async {
            loop {
                let event = events.next_event().await;
                let (_, data) = event
                    .expect("the admin port should send events")
                    .expect("the events should go on");
                if data.is_null() || data == "" {
                    continue;
                }
                let snapshot: Snapshot =
                    serde_json::from_value(data).expect("an event should be a snapshot");
                let snapshot = last.insert(Arc::new(snapshot));
                if let Some(found) = look(snapshot) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(zephyr_testkit::PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("waited for {what} in vain; the state is {last:#?}"))
    }

    /// Where clients send their requests; waits for the program.
    pub async fn proxy(&self) -> SocketAddr {
        self.address("instance.json", "proxy").await
    }

    /// Sends a message through the proxy.
    pub async fn ask(&self) -> Answer {
        let answer = zephyr_testkit::post_messages(self.proxy().await, MESSAGE).await;
        answer.expect("the proxy should answer")
    }

    /// Sends a message whose answer is to be streamed; the answer is still to be read.
    pub async fn ask_for_stream(&self) -> RawClient {
        let mut client = RawClient::connect(self.proxy().await)
            .await
            .expect("the proxy should take a connection");
        let sent = client.send_messages(STREAM).await;
        sent.expect("the proxy should take a request");
        client
    }

    async fn events(&self) -> RawClient {
        let admin = self.address("desktop.json", "admin").await;
        let token = std::fs::read_to_string(self.data_dir().join("admin-token"));
        let token = token.expect("a running instance has a token");
        let head = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {}\r\n\r\n",
            token.trim()
        );
        patiently("the admin port's answer", async {
            let mut client = RawClient::connect(admin).await?;
            client.send(head).await?;
            let (status, _) = client.read_head().await?;
            assert_eq!(status, 200, "the admin port refuses");
            std::io::Result::Ok(client)
        })
        .await
        .expect("the admin port should answer")
    }

    /// An address that a running program has left in its data folder; waits for it.
    async fn address(&self, file: &str, field: &str) -> SocketAddr {
        let file = self.data_dir().join(file);
        until(&format!("{field} in {}", file.display()), async || {
            let instance = std::fs::read(&file).ok()?;
            let instance: Value = serde_json::from_slice(&instance).ok()?;
            instance[field].as_str()?.parse().ok()
        })
        .await
    }
}

const MESSAGE: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":16,"messages":[{"role":"user","content":"Hello"}]}"#;
const STREAM: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":16,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#;
