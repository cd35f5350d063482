//! Another user of the machine, in front of every file and folder that the program makes, whatever its umask
//! is. Only root can become another user; the modes are checked by everybody.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use zephyr_as_user::{USER, as_user};
use zephyr_secrets::client_token::ClientTokens;
use zephyr_testkit::{Act, Endpoint};

use crate::home::Home;
use crate::serving::Serving;

const MESSAGE: &str =
    r#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#;

/// A home to which everybody may come.
struct Scene {
    home: Home,
    umask: &'static str,
}

impl Scene {
    fn with_umask(umask: &'static str) -> Self {
        let home = Home::new();
        for folder in [home.around(), home.path()] {
            set_mode(folder, 0o755);
        }
        Self { home, umask }
    }

    /// The program with that umask. Its configuration is in a folder that it makes.
    fn zephyr(&self, arguments: &str) -> Command {
        let script = format!(
            "umask {}; exec {} {arguments}",
            self.umask,
            env!("CARGO_BIN_EXE_zephyr")
        );
        let mut command = self.home.command("/bin/sh", &self.home.data_dir());
        command
            .args(["-c", &script])
            .env("XDG_CONFIG_HOME", self.home.path().join("settings"))
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env("MINE", "mine-mine")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.zephyr(arguments).output().unwrap()
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("settings/zephyr/config.toml")
    }

    /// Everything in the home is its user's alone.
    fn check(&self, when: &str) {
        let all = everything(self.home.path());
        for path in &all {
            let mode = mode(path);
            assert_eq!(
                mode & 0o077,
                0,
                "{when}, umask {}: {} has {mode:o}",
                self.umask,
                path.display()
            );
        }
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root can become another user");
            return;
        }
        let open = self.home.path().join("open");
        fs::write(&open, "for everybody").unwrap();
        set_mode(&open, 0o644);
        as_user(|| {
            assert!(fs::read(&open).is_ok(), "the home can be entered");
            for path in &all {
                let shown = path.display();
                assert!(fs::read(path).is_err(), "{when}: {shown} can be read");
                assert!(fs::read_dir(path).is_err(), "{when}: {shown} can be listed");
                let mut options = fs::File::options();
                assert!(
                    options.append(true).open(path).is_err(),
                    "{when}: {shown} can be written"
                );
                assert!(
                    fs::write(path.join("new"), "").is_err(),
                    "{when}: {shown} takes files"
                );
            }
        });
        fs::remove_file(open).unwrap();
    }
}

/// Every file and folder below the folder.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .flat_map(|path| {
            let below = if path.is_dir() {
                everything(&path)
            } else {
                Vec::new()
            };
            std::iter::once(path).chain(below)
        })
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_program_makes_is_its_users_alone() {
    for umask in ["000", "022"] {
        let scene = Scene::with_umask(umask);
        let endpoint = Endpoint::start(Act::message("Hi")).await;
        scene.run("config path");
        scene.check("a default configuration");
        let text = format!(
            "[server]\nport = 0\n[web_admin]\nport = 0\n[health_check]\nmode = \"connect\"\n\
             [logging]\nlog_request_body = \"full\"\nlog_response_body = \"full\"\n\
             [[groups]]\nname = \"mine\"\nauth_token_env = \"MINE\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            endpoint.url()
        );
        // Its mode stays.
        fs::write(scene.config(), text).unwrap();
        let serving = Serving::until(&mut scene.zephyr("serve"), " is ready.\n").unwrap();
        let running = scene.home.running().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/v1/messages", running.instance.proxy);
        let answer = client
            .post(url)
            .bearer_auth("any")
            .body(MESSAGE)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        for command in [
            "connect claude-code",
            "logs",
            "logs --csv",
            "usage --json",
            "token list",
            "open --print",
            "config check",
            "probe",
            "diagnose A",
            "config trust settings/zephyr",
        ] {
            scene.run(command);
            scene.check(command);
        }
        let set = zephyr_control::Command::Set {
            key: "ui.language".to_owned(),
            value: Some(zephyr_control::SettingValue::Text("en".to_owned())),
        };
        zephyr_control::Control::execute(&running.client, set)
            .await
            .unwrap();
        scene.check("a setting is changed");
        serving.signal("TERM");
        serving.ended();
        scene.check("serve has ended");

        let made = everything(scene.home.path());
        for name in [
            "settings/zephyr/config.toml",
            ".claude/settings.json",
            "data/journal.db",
            "data/logs",
            "data/state.json",
            "data/admin-token",
            "data/client-tokens",
            "data/claude-code.json",
            "data/claude-code.lock",
            "data/trusted.json",
        ] {
            assert!(
                made.contains(&scene.home.path().join(name)),
                "{name} is missing in {made:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_is_its_users_alone() {
    for umask in ["000", "022"] {
        let scene = Scene::with_umask(umask);
        let temporary = scene.home.path().join("tmp");
        fs::create_dir(&temporary).unwrap();
        set_mode(&temporary, 0o700);
        let mut command = scene.zephyr("demo --port 0");
        command
            .env_remove("ZEPHYR_DATA_DIR")
            .env("TMPDIR", &temporary);

        let demo = Serving::until(&mut command, "zephyr status").unwrap();

        assert!(everything(&temporary).len() > 2);
        scene.check("a demo");
        demo.signal("TERM");
        demo.ended();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_left_open_is_closed_at_the_start_or_warned_of() {
    let scene = Scene::with_umask("022");
    scene.run("config path");
    fs::write(
        scene.config(),
        "[server]\nport = 0\n[web_admin]\nport = 0\n",
    )
    .unwrap();
    fs::write(scene.config().with_file_name(".env"), "").unwrap();
    let serve = || Serving::until(&mut scene.zephyr("serve"), " is ready.\n").unwrap();
    serve().signal("TERM");
    for path in everything(&scene.home.data_dir()) {
        set_mode(&path, if path.is_dir() { 0o777 } else { 0o666 });
    }
    set_mode(&scene.home.data_dir(), 0o777);
    set_mode(&scene.config(), 0o666);
    set_mode(&scene.config().with_file_name(".env"), 0o644);

    let check = scene.run("config check");
    let _serving = serve();
    let snapshot = scene.home.running().await.snapshot;

    let told = stderr(&check);
    for (word, path) in [
        ("security: other users can change", scene.config()),
        (
            "other users can read",
            scene.config().with_file_name(".env"),
        ),
        ("security: other users can change", scene.home.data_dir()),
    ] {
        let line = format!("{word} {}", path.display());
        assert!(told.contains(&line), "{line} is missing in {told}");
    }
    let problems = snapshot
        .problems
        .iter()
        .map(|problem| problem.message.as_str());
    let security: Vec<&str> = problems.filter(|text| text.contains("security:")).collect();
    assert_eq!(security.len(), 1, "{security:?}");
    for path in everything(&scene.home.data_dir()) {
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    assert_eq!(mode(&scene.home.data_dir()), 0o700);
}

#[test]
fn whoever_takes_the_port_is_named_and_gets_nothing_of_worth() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let scene = Scene::with_umask("022");
    scene.run("config path");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    fs::write(
        scene.config(),
        format!("[server]\nport = {port}\n[web_admin]\nport = 0\n"),
    )
    .unwrap();
    let squat = || {
        let mut squatter = None;
        as_user(|| squatter = Some(TcpListener::bind(("127.0.0.1", port)).unwrap()));
        squatter.unwrap()
    };
    let squatter = squat();
    let elsewhere = scene.run("serve");
    let connect = scene.run("connect claude-code");
    drop(squatter);
    let untouched = !scene.home.path().join(".claude").exists();
    scene.run("connect claude-code");
    let squatter = squat();
    let tokens = || ClientTokens::load(&scene.home.data_dir()).unwrap();
    let token = tokens().current().unwrap().expose().to_owned();

    let serve = scene.run("serve");

    assert_eq!(serve.status.code(), Some(2));
    assert_eq!(connect.status.code(), Some(1));
    assert!(
        stderr(&connect).contains("another user"),
        "{}",
        stderr(&connect)
    );
    assert!(untouched, "nothing leads to the program of another user");
    for (output, leads_there) in [(&elsewhere, false), (&serve, true)] {
        let told = stderr(output);
        assert!(told.contains(&format!("another user, {USER}")), "{told}");
        assert_eq!(
            told.contains("Claude Code's settings lead there"),
            leads_there,
            "{told}"
        );
        assert_eq!(told.contains("worth nothing"), leads_there, "{told}");
        assert!(!told.contains(&token), "{told}");
    }
    assert!(!tokens().matches(token.as_bytes()));
    drop(squatter);
    scene.run("disconnect claude-code");
    assert!(!scene.home.path().join(".claude").exists(), "restored");
}

#[test]
fn a_port_of_ones_own_program_ends_no_token() {
    let scene = Scene::with_umask("022");
    scene.run("config path");
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    fs::write(
        scene.config(),
        format!("[server]\nport = {port}\n[web_admin]\nport = 0\n"),
    )
    .unwrap();
    scene.run("connect claude-code");

    let serve = scene.run("serve");

    let told = stderr(&serve);
    assert!(told.contains(&std::process::id().to_string()), "{told}");
    let tokens = ClientTokens::load(&scene.home.data_dir()).unwrap();
    assert!(tokens.current().is_some());
}
