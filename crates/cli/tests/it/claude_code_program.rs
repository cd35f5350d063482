//! `zephyr connect claude-code` and `zephyr disconnect claude-code`, as they are typed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::fake::{Server, snapshot};
use serde_json::{Value, json};
use tempfile::TempDir;
use zephyr_admin::instance::{self, Instance, Role};
use zephyr_control::Snapshot;

const CONFIG: &str = r#"
[server]
port = 7171

[[groups]]
name = "main"
auth_token_env = "AUTH_TOKEN_MAIN"
endpoints = [{ name = "HK", url = "https://hk.example.com" }]
"#;

const BEFORE: &str = "{\n  \"model\": \"opus\",\n  \"env\": {}\n}\n";

/// A home with a configuration and with Claude Code's settings.
struct Home {
    folder: TempDir,
    data: PathBuf,
}

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let home = Self { folder, data };
        fs::write(home.folder.path().join("config.toml"), config).unwrap();
        fs::create_dir(home.folder.path().join(".claude")).unwrap();
        fs::write(home.settings(), BEFORE).unwrap();
        home
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join(".claude/settings.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    fn env(&self) -> Value {
        let settings: Value = serde_json::from_str(&self.text()).unwrap();
        settings["env"].clone()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("ZEPHYR_DATA_DIR", &self.data);
        command
    }

    fn zephyr(&self, arguments: &[&str]) -> Output {
        let mut zephyr = self.command(env!("CARGO_BIN_EXE_zephyr"));
        zephyr.args(arguments).output().unwrap()
    }
}

/// Stdout of a success.
fn said(output: &Output) -> &str {
    assert!(output.status.success(), "{}", errors(output));
    str::from_utf8(&output.stdout).unwrap()
}

fn errors(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn connect_and_disconnect_say_what_they_changed() {
    let home = Home::new(CONFIG);

    let connect = home.zephyr(&["connect", "claude-code"]);
    let env = home.env();
    let again = home.zephyr(&["connect", "claude-code"]);
    let disconnect = home.zephyr(&["disconnect", "claude-code"]);
    let nothing = home.zephyr(&["disconnect", "claude-code"]);

    assert!(said(&connect).contains("http://127.0.0.1:7171"));
    assert!(said(&connect).contains(".claude/settings.json"));
    assert!(errors(&connect).contains("zephyr serve"));
    assert_eq!(
        env,
        json!({ "ANTHROPIC_BASE_URL": "http://127.0.0.1:7171", "ANTHROPIC_AUTH_TOKEN": "zephyr" })
    );
    assert!(said(&again).contains("already"), "{}", said(&again));
    assert!(said(&disconnect).contains("ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN"));
    assert!(said(&nothing).contains("not connected"));
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn the_folder_that_claude_code_is_told_is_used() {
    let home = Home::new(CONFIG);
    let folder = home.folder.path().join("elsewhere");

    let output = home
        .command(env!("CARGO_BIN_EXE_zephyr"))
        .args(["connect", "claude-code"])
        // Relative, as a shell may have it.
        .env("CLAUDE_CONFIG_DIR", "elsewhere")
        .output()
        .unwrap();
    let connected = folder.join("settings.json").exists();
    // Without the variable: what was recorded counts.
    let disconnect = home.zephyr(&["disconnect", "claude-code"]);

    assert!(said(&output).contains("elsewhere"));
    assert!(connected);
    assert!(said(&disconnect).contains("elsewhere"));
    assert!(!folder.exists());
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn the_client_token_is_written_and_shown_nowhere() {
    let config = CONFIG.replace(
        "port = 7171",
        "port = 7171\nclient_token_env = \"CLIENT_TOKEN_OF_MINE\"",
    );
    let home = Home::new(&config);
    fs::write(
        home.folder.path().join(".env"),
        "CLIENT_TOKEN_OF_MINE=\"hunter\\\"2\"\n",
    )
    .unwrap();

    let print = home.zephyr(&["connect", "claude-code", "--print"]);
    let untouched = home.text();
    let connect = home.zephyr(&["connect", "claude-code"]);

    assert!(said(&print).contains("CLIENT_TOKEN_OF_MINE"));
    for output in [&print, &connect] {
        let shown = format!("{}{}", said(output), errors(output));
        assert!(!shown.contains("hunter"), "{shown}");
    }
    assert_eq!(untouched, BEFORE);
    assert_eq!(home.env()["ANTHROPIC_AUTH_TOKEN"], "hunter\"2");
}

#[test]
fn a_client_token_that_is_missing_is_said() {
    let config = CONFIG.replace("port = 7171", "client_token_env = \"NOT_SET\"");
    let home = Home::new(&config);

    let output = home.zephyr(&["connect", "claude-code"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("NOT_SET"), "{}", errors(&output));
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn what_is_printed_is_what_would_be_set() {
    let home = Home::new(CONFIG);

    let output = home.zephyr(&["connect", "claude-code", "--print"]);

    let text = said(&output);
    assert!(text.contains("export ANTHROPIC_BASE_URL=http://127.0.0.1:7171\n"));
    assert!(text.contains("export ANTHROPIC_AUTH_TOKEN=zephyr\n"));
    let json: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    home.zephyr(&["connect", "claude-code"]);
    assert_eq!(json["env"], home.env());
}

#[test]
fn with_a_passthrough_endpoint_only_the_url_is_set_and_that_is_said() {
    let home = Home::new(&CONFIG.replace(
        "auth_token_env = \"AUTH_TOKEN_MAIN\"",
        "auth_type = \"passthrough\"",
    ));

    let print = home.zephyr(&["connect", "claude-code", "--print"]);
    let connect = home.zephyr(&["connect", "claude-code"]);

    assert!(!said(&print).contains("AUTH_TOKEN"), "{}", said(&print));
    assert!(errors(&connect).contains("login"), "{}", errors(&connect));
    assert_eq!(
        home.env(),
        json!({ "ANTHROPIC_BASE_URL": "http://127.0.0.1:7171" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_of_a_running_instance_counts() {
    let server = Server::start().await;
    let mut home = Home::new(CONFIG);
    home.data = server.data_dir.path().to_owned();
    let config = home.folder.path().join("config.toml");
    server.control.publish(Snapshot {
        config_path: Some(config.display().to_string()),
        ..snapshot(1)
    });
    let everywhere = ([0, 0, 0, 0], 4321).into();
    let instance = Instance::this(everywhere, server.address);
    let _registration = instance::register(&home.data, Role::Engine, instance).unwrap();

    let output = home.zephyr(&["connect", "claude-code"]);

    assert!(said(&output).contains("http://127.0.0.1:4321"));
    assert_eq!(errors(&output), "");
    assert_eq!(home.env()["ANTHROPIC_BASE_URL"], "http://127.0.0.1:4321");
}

#[test]
fn a_port_that_is_not_known_yet_is_no_port() {
    let home = Home::new(&CONFIG.replace("7171", "0"));

    let output = home.zephyr(&["connect", "claude-code"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("server.port"));
    assert_eq!(home.text(), BEFORE);
}

#[test]
fn settings_that_are_no_json_are_refused() {
    let home = Home::new(CONFIG);
    fs::write(
        home.settings(),
        "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": sk-secret}}",
    )
    .unwrap();

    let output = home.zephyr(&["connect", "claude-code"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("line 1"), "{}", errors(&output));
    assert!(
        !errors(&output).contains("sk-secret"),
        "{}",
        errors(&output)
    );
}

/// A process may write no file larger than a limit: to it, that is a disk that becomes full midway.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let home = Home::new(CONFIG);
    let large = BEFORE.replace("opus", &"o".repeat(100_000));
    fs::write(home.settings(), &large).unwrap();
    let full = |arguments: &str| {
        let script = format!(
            "trap '' XFSZ; ulimit -f 64; exec {} {arguments}",
            env!("CARGO_BIN_EXE_zephyr")
        );
        home.command("/bin/sh")
            .args(["-c", &script])
            .output()
            .unwrap()
    };

    let connect = full("connect claude-code");
    let after_connect = home.text();
    let record = home.data.join("claude-code.json");
    let record_stays = record.exists();
    home.zephyr(&["connect", "claude-code"]);
    let connected = home.text();
    let disconnect = full("disconnect claude-code");

    for output in [&connect, &disconnect] {
        assert_eq!(output.status.code(), Some(1), "{}", errors(output));
        assert!(errors(output).contains("free space"), "{}", errors(output));
    }
    assert_eq!(after_connect, large);
    assert!(!record_stays);
    assert_ne!(connected, large);
    assert_eq!(home.text(), connected);
    // There is room again.
    assert!(said(&home.zephyr(&["disconnect", "claude-code"])).contains("restored"));
    assert_eq!(home.text(), large);
    let beside = fs::read_dir(home.settings().parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1);
}

#[test]
fn what_is_no_client_is_refused() {
    let home = Home::new(CONFIG);

    let output = home.zephyr(&["connect", "vim"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("claude-code"));
}
