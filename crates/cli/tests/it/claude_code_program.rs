//! `zephyr connect claude-code` and `zephyr disconnect claude-code`, as they are typed.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::fake::{Server, snapshot};
use crate::home::Home;
use serde_json::{Value, json};
use zephyr_admin::instance::{self, Instance, Role};
use zephyr_control::{Redacted, Snapshot};
use zephyr_secrets::client_token::ClientTokens;

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
struct Client {
    home: Home,
    data: PathBuf,
}

impl Client {
    fn new(config: &str) -> Self {
        let home = Home::new();
        home.configure(config);
        let data = home.data_dir();
        fs::create_dir(home.path().join(".claude")).unwrap();
        home.write(".claude/settings.json", BEFORE);
        Self { home, data }
    }

    fn settings(&self) -> PathBuf {
        self.home.path().join(".claude/settings.json")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    fn env(&self) -> Value {
        let settings: Value = serde_json::from_str(&self.text()).unwrap();
        settings["env"].clone()
    }

    fn tokens(&self) -> ClientTokens {
        ClientTokens::load(&self.data).unwrap()
    }

    fn zephyr(&self, arguments: &[&str]) -> Output {
        let mut zephyr = self.home.zephyr_over(&self.data, arguments);
        zephyr.output().unwrap()
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
    let client = Client::new(CONFIG);

    let connect = client.zephyr(&["connect", "claude-code"]);
    let env = client.env();
    let token = client.tokens().current().unwrap().expose().to_owned();
    let again = client.zephyr(&["connect", "claude-code"]);
    let disconnect = client.zephyr(&["disconnect", "claude-code"]);
    let nothing = client.zephyr(&["disconnect", "claude-code"]);

    assert!(said(&connect).contains("http://127.0.0.1:7171"));
    assert!(said(&connect).contains(".claude/settings.json"));
    assert!(errors(&connect).contains("zephyr serve"));
    assert_eq!(
        env,
        json!({ "ANTHROPIC_BASE_URL": "http://127.0.0.1:7171", "ANTHROPIC_AUTH_TOKEN": token })
    );
    assert_eq!(said(&again), said(&connect));
    assert!(client.tokens().matches(token.as_bytes()), "it stays valid");
    assert_ne!(client.tokens().current().unwrap().expose(), token);
    for output in [&connect, &again] {
        assert!(!said(output).contains(&token) && !errors(output).contains(&token));
    }
    assert!(said(&disconnect).contains("ANTHROPIC_BASE_URL, ANTHROPIC_AUTH_TOKEN"));
    assert!(said(&nothing).contains("not connected"));
    assert_eq!(client.text(), BEFORE);
}

#[test]
fn the_folder_that_claude_code_is_told_is_used() {
    let client = Client::new(CONFIG);
    let folder = client.home.path().join("elsewhere");

    let output = client
        .home
        .zephyr(&["connect", "claude-code"])
        // Relative, as a shell may have it.
        .env("CLAUDE_CONFIG_DIR", "elsewhere")
        .output()
        .unwrap();
    let connected = folder.join("settings.json").exists();
    // Without the variable: what was recorded counts.
    let disconnect = client.zephyr(&["disconnect", "claude-code"]);

    assert!(said(&output).contains("elsewhere"));
    assert!(connected);
    assert!(said(&disconnect).contains("elsewhere"));
    assert!(!folder.exists());
    assert_eq!(client.text(), BEFORE);
}

#[test]
fn the_client_token_is_written_and_shown_nowhere() {
    let config = CONFIG.replace(
        "port = 7171",
        "port = 7171\nclient_token_env = \"CLIENT_TOKEN_OF_MINE\"",
    );
    let client = Client::new(&config);
    fs::write(
        client.home.path().join(".env"),
        "CLIENT_TOKEN_OF_MINE=\"hunter\\\"2\"\n",
    )
    .unwrap();

    let print = client.zephyr(&["connect", "claude-code", "--print"]);
    let untouched = client.text();
    let connect = client.zephyr(&["connect", "claude-code"]);

    assert!(said(&print).contains("CLIENT_TOKEN_OF_MINE"));
    for output in [&print, &connect] {
        let shown = format!("{}{}", said(output), errors(output));
        assert!(!shown.contains("hunter"), "{shown}");
    }
    assert_eq!(untouched, BEFORE);
    assert_eq!(client.env()["ANTHROPIC_AUTH_TOKEN"], "hunter\"2");
}

#[test]
fn a_client_token_that_is_missing_is_said() {
    let config = CONFIG.replace("port = 7171", "client_token_env = \"NOT_SET\"");
    let client = Client::new(&config);

    let output = client.zephyr(&["connect", "claude-code"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("NOT_SET"), "{}", errors(&output));
    assert_eq!(client.text(), BEFORE);
}

#[test]
fn what_is_printed_is_what_would_be_set() {
    let client = Client::new(CONFIG);

    let output = client.zephyr(&["connect", "claude-code", "--print"]);

    let text = said(&output);
    assert!(text.contains("export ANTHROPIC_BASE_URL=http://127.0.0.1:7171\n"));
    assert!(text.contains("export ANTHROPIC_AUTH_TOKEN=zephyr\n"));
    let json: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    client.zephyr(&["connect", "claude-code"]);
    let env = client.env();
    assert_eq!(json["env"]["ANTHROPIC_BASE_URL"], env["ANTHROPIC_BASE_URL"]);
    // By hand any word will do. The token of this installation is in no terminal's history.
    assert!(!text.contains(client.tokens().current().unwrap().expose()));
    assert!(text.contains("Any word"), "{text}");
}

#[test]
fn a_secret_of_an_endpoint_is_given_to_no_client() {
    for (references, secrets) in [
        (
            "client_token_env = \"AUTH_TOKEN_MAIN\"",
            "AUTH_TOKEN_MAIN=sk-upstream\n",
        ),
        (
            "client_token_env = \"MINE\"",
            "AUTH_TOKEN_MAIN=sk-upstream\nMINE=sk-upstream\n",
        ),
        (
            "client_token_env = \"MINE\"",
            "MINE=sk-ant-api03-upstream\n",
        ),
    ] {
        let client = Client::new(&CONFIG.replace("port = 7171", references));
        fs::write(client.home.path().join(".env"), secrets).unwrap();

        let output = client.zephyr(&["connect", "claude-code"]);

        assert_eq!(output.status.code(), Some(1), "{references} {secrets}");
        let told = errors(&output);
        assert!(
            told.contains("a secret of its own") && !told.contains("upstream"),
            "{told}"
        );
        assert_eq!(client.text(), BEFORE);
    }
}

#[test]
fn no_client_is_sent_to_another_machine() {
    let elsewhere = "client_token_env = \"MINE\"\nhost = \"192.0.2.7\"";
    let client = Client::new(&CONFIG.replace("port = 7171", elsewhere));
    fs::write(client.home.path().join(".env"), "MINE=of-clients\n").unwrap();

    for arguments in [
        &["connect", "claude-code"][..],
        &["connect", "claude-code", "--print"],
    ] {
        let output = client.zephyr(arguments);

        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            errors(&output).contains("server.allowed_hosts"),
            "{}",
            errors(&output)
        );
        assert_eq!(client.text(), BEFORE);
    }
    let named = format!("{elsewhere}\nallowed_hosts = [\"192.0.2.7\"]");
    client
        .home
        .configure(&CONFIG.replace("port = 7171", &named));
    client.zephyr(&["connect", "claude-code"]);
    assert_eq!(client.env()["ANTHROPIC_BASE_URL"], "http://192.0.2.7:8080");
}

#[test]
fn behind_a_proxy_no_proxy_is_set_shown_and_restored() {
    for (name, value) in [
        ("HTTP_PROXY", "http://user:hunter2@proxy.example:3128"),
        ("https_proxy", "proxy.example:3128"),
        ("ALL_PROXY", "socks5://proxy.example:1080"),
    ] {
        let client = Client::new(CONFIG);
        let zephyr = |arguments: &[&str]| {
            let mut zephyr = client.home.zephyr_over(&client.data, arguments);
            let there = zephyr.env(name, value).env("NO_PROXY", "corp.example");
            there.output().unwrap()
        };

        let print = zephyr(&["connect", "claude-code", "--print"]);
        let connect = zephyr(&["connect", "claude-code"]);
        let env = client.env();
        let disconnect = client.zephyr(&["disconnect", "claude-code"]);

        let expected = "corp.example,127.0.0.1,localhost,::1";
        assert_eq!(env["NO_PROXY"], expected, "{name}");
        let line = format!("export NO_PROXY={expected}\n");
        assert!(said(&print).contains(&line), "{}", said(&print));
        assert!(said(&connect).contains("NO_PROXY"), "{}", said(&connect));
        assert!(said(&disconnect).contains("NO_PROXY"));
        assert!(!said(&connect).contains("hunter2"));
        assert_eq!(client.text(), BEFORE);
    }
}

#[test]
fn with_a_passthrough_endpoint_only_the_url_is_set_and_that_is_said() {
    let client = Client::new(&CONFIG.replace(
        "auth_token_env = \"AUTH_TOKEN_MAIN\"",
        "auth_type = \"passthrough\"",
    ));

    let print = client.zephyr(&["connect", "claude-code", "--print"]);
    let connect = client.zephyr(&["connect", "claude-code"]);

    assert!(!said(&print).contains("AUTH_TOKEN"), "{}", said(&print));
    assert!(errors(&connect).contains("login"), "{}", errors(&connect));
    assert_eq!(
        client.env(),
        json!({ "ANTHROPIC_BASE_URL": "http://127.0.0.1:7171" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_of_a_running_instance_counts() {
    let server = Server::start().await;
    let mut client = Client::new(CONFIG);
    client.data = server.data_dir.path().to_owned();
    let config = client.home.path().join("config.toml");
    server.control.publish(Snapshot {
        config_path: Some(Redacted::by_shape(&config.display().to_string())),
        ..snapshot(1)
    });
    let everywhere = ([0, 0, 0, 0], 4321).into();
    let instance = Instance::this(everywhere, server.address);
    let _registration = instance::register(&client.data, Role::Engine, instance).unwrap();

    let output = client.zephyr(&["connect", "claude-code"]);

    assert!(said(&output).contains("http://127.0.0.1:4321"));
    assert!(
        !errors(&output).contains("is not running"),
        "{}",
        errors(&output)
    );
    if cfg!(target_os = "linux") {
        assert_eq!(errors(&output), "", "it is the usual file");
    }
    assert_eq!(client.env()["ANTHROPIC_BASE_URL"], "http://127.0.0.1:4321");
}

#[test]
fn a_port_that_is_not_known_yet_is_no_port() {
    let client = Client::new(&CONFIG.replace("7171", "0"));

    let output = client.zephyr(&["connect", "claude-code"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("server.port"));
    assert_eq!(client.text(), BEFORE);
}

#[test]
fn settings_that_are_no_json_are_refused() {
    let client = Client::new(CONFIG);
    fs::write(
        client.settings(),
        "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": sk-secret}}",
    )
    .unwrap();

    let output = client.zephyr(&["connect", "claude-code"]);

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
    let client = Client::new(CONFIG);
    let large = BEFORE.replace("opus", &"o".repeat(100_000));
    fs::write(client.settings(), &large).unwrap();
    let full = |arguments: &str| {
        let script = format!(
            "trap '' XFSZ; ulimit -f 64; exec {} {arguments}",
            env!("CARGO_BIN_EXE_zephyr")
        );
        client
            .home
            .command("/bin/sh", &client.data)
            .args(["-c", &script])
            .output()
            .unwrap()
    };

    let connect = full("connect claude-code");
    let after_connect = client.text();
    let record = client.data.join("claude-code.json");
    let record_stays = record.exists();
    client.zephyr(&["connect", "claude-code"]);
    let connected = client.text();
    let disconnect = full("disconnect claude-code");

    for output in [&connect, &disconnect] {
        assert_eq!(output.status.code(), Some(1), "{}", errors(output));
        assert!(errors(output).contains("free space"), "{}", errors(output));
    }
    assert_eq!(after_connect, large);
    assert!(!record_stays);
    assert_ne!(connected, large);
    assert_eq!(client.text(), connected);
    // There is room again.
    assert!(said(&client.zephyr(&["disconnect", "claude-code"])).contains("restored"));
    assert_eq!(client.text(), large);
    let beside = fs::read_dir(client.settings().parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1);
}

#[test]
fn what_is_no_client_is_refused() {
    let client = Client::new(CONFIG);

    let output = client.zephyr(&["connect", "vim"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("claude-code"));
}

#[cfg(target_os = "linux")]
mod sessions {
    //! Sessions of Claude Code that run while it is disconnected, or Zephyr ends.

    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A program of Claude Code's name that runs until it is dropped.
    struct Session(Child);

    impl Session {
        fn begin(home: &Path, url: Option<&str>) -> Self {
            let program = home.join("claude");
            fs::write(&program, "#!/bin/sh\nread line\n").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let folder = home.join("project");
            fs::create_dir_all(&folder).unwrap();
            let mut command = Command::new(program);
            command
                .current_dir(folder)
                .env_clear()
                .env("HOME", home)
                .env("ANTHROPIC_AUTH_TOKEN", "sk-ant-never-shown")
                .stdin(Stdio::piped());
            if let Some(url) = url {
                command.env("ANTHROPIC_BASE_URL", url);
            }
            Self(command.spawn().unwrap())
        }

        fn is_named(&self, said: &str) -> bool {
            said.contains(&format!("{} (", self.0.id())) && said.contains("/project)")
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn disconnect_names_the_sessions_that_keep_the_address() {
        let client = Client::new(CONFIG);
        let home = client.home.path();
        client.zephyr(&["connect", "claude-code"]);
        let by_settings = Session::begin(home, None);
        let by_variable = Session::begin(home, Some("http://127.0.0.1:7171/"));
        let elsewhere = tempfile::tempdir().unwrap();
        let foreign = Session::begin(elsewhere.path(), Some("https://relay.example.com"));

        let disconnect = client.zephyr(&["disconnect", "claude-code"]);
        let nothing = client.zephyr(&["disconnect", "claude-code"]);

        let told = errors(&disconnect);
        assert!(by_settings.is_named(told), "{told}");
        assert!(by_variable.is_named(told), "{told}");
        assert!(!foreign.is_named(told), "{told}");
        assert!(!told.contains("sk-ant"), "{told}");
        assert_eq!(errors(&nothing), "");
    }

    #[tokio::test]
    async fn zephyr_names_the_sessions_that_its_end_leaves_without_an_answer() {
        let home = Home::with("");
        let serving = home.serve();
        let proxy = home.running().await.instance.proxy;
        let session = Session::begin(home.path(), Some(&format!("http://{proxy}")));

        serving.signal("TERM");
        let (code, said) = serving.ended();

        assert_eq!(code, Some(0));
        assert!(session.is_named(&said), "{said}");
        assert!(!said.contains("sk-ant"), "{said}");
    }
}
