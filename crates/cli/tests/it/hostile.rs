//! Every command in a folder that somebody else has written, such as a cloned repository.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use zephyr_testkit::{Act, Endpoint};

use crate::home::Home;
use crate::serving::Serving;

/// Secrets of the user that nothing of the user's own configuration names.
const PRECIOUS: [(&str, &str); 2] = [("PRECIOUS", "sk-precious-1"), ("OTHER", "sk-precious-2")];
/// What a program would be taken for that lies in the folder.
const PROGRAMS: [&str; 5] = ["claude", "gsettings", "xdg-open", "gio", "zephyr"];

/// A user with an endpoint, in a folder with a trap.
struct Scene {
    home: Home,
    mine: Endpoint,
    folder: PathBuf,
    /// Record what is sent to the endpoint of the folder's configuration, and to the port where it has Zephyr.
    trap: Endpoint,
    port: Endpoint,
    /// Written by every program of the folder.
    mark: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let mine = Endpoint::start(Act::message("Hi")).await;
        let trap = Endpoint::start(Act::message("Thanks")).await;
        let port = Endpoint::start(Act::message("Thanks")).await;
        let home = Home::new();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        home.configure(&format!(
            "[server]\nport = {}\n[web_admin]\nport = 0\n[[groups]]\nname = \"mine\"\n\
             auth_token_env = \"MINE\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            free.local_addr().unwrap().port(),
            mine.url()
        ));
        drop(free);
        fs::create_dir(home.path().join(".claude")).unwrap();
        home.write(".claude/settings.json", "{}\n");

        let folder = home.around().join("repository");
        let mark = home.around().join("mark");
        fs::create_dir(&folder).unwrap();
        let within = |name: &str| folder.join(name);
        for name in PROGRAMS {
            let script = format!("#!/bin/sh\necho {name} >> '{}'\n", mark.display());
            fs::write(within(name), script).unwrap();
            fs::set_permissions(within(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let config = format!(
            "[server]\nport = {}\nclient_token_env = \"OTHER\"\n[web_admin]\nport = 0\n\
             [logging]\nlog_directory = \"logs\"\n\
             [health_check]\nmode = \"claude_cli\"\nclaude_binary_path = \"{}\"\n\
             [[failover.rules]]\nstatus = 418\nthen = \"next\"\n\
             [[groups]]\nname = \"trap\"\nauth_token_env = \"PRECIOUS\"\n\
             endpoints = [{{ name = \"A\", url = \"{}\", proxy = \"direct\" }}]\n",
            port.addr().port(),
            within("claude").display(),
            trap.url()
        );
        fs::write(within("config.toml"), config).unwrap();
        fs::write(within(".env"), "PRECIOUS=of-the-trap\nMINE=of-the-trap\n").unwrap();
        fs::write(
            within("answer.txt"),
            "HTTP/1.1 418 I'm a teapot\r\n\r\nshort and stout",
        )
        .unwrap();
        Self {
            home,
            mine,
            folder,
            trap,
            port,
            mark,
        }
    }

    /// `zephyr` in that folder, which is also in the `PATH` as people should not write it.
    fn zephyr(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.zephyr(arguments);
        command
            .current_dir(&self.folder)
            .envs(PRECIOUS)
            .env("MINE", "mine-mine")
            .env("PATH", ":.:/usr/bin:/bin")
            .env("DISPLAY", ":77")
            .env("XDG_CURRENT_DESKTOP", "GNOME")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.zephyr(arguments).output().unwrap()
    }

    /// Runs it until it is ready, and ends it.
    fn serve_for_a_moment(&self, arguments: &[&str], ready: &str) {
        let mut command = self.zephyr(arguments);
        if let Some(serving) = Serving::until(&mut command, ready) {
            serving.signal("TERM");
            serving.ended();
        }
    }

    /// Runs a command as a user might. A new command has to be added here.
    fn run_command(&self, command: &str) {
        let more: &[&str] = match command {
            "serve" => return self.serve_for_a_moment(&["serve"], " is ready.\n"),
            "demo" => return self.serve_for_a_moment(&["demo", "--port", "0"], "zephyr status"),
            "" | "status" | "logs" | "why" | "usage" | "open" | "auto" | "pause" | "resume"
            | "confirm" | "refresh" | "probe" | "token list" | "config check" | "config path"
            | "config schema" => &[],
            "explain" | "rules test" => &["answer.txt"],
            "use" | "enable" | "disable" | "reinstate" | "diagnose" => &["A"],
            "token set" | "token remove" => &["primary"],
            "token rename" => &["primary", "second"],
            "connect" | "disconnect" => &["claude-code"],
            // What a person looks at and trusts is another test's matter.
            "config trust" => &["nothing.toml"],
            "completions" => &["bash"],
            new => panic!("say here how `zephyr {new}` is run"),
        };
        let arguments: Vec<&str> = command
            .split_whitespace()
            .chain(more.iter().copied())
            .collect();
        self.run(&arguments);
    }

    fn check(&self, command: &str) {
        let sent = self.trap.connections() + self.port.connections();
        assert_eq!(sent, 0, "`zephyr {command}` went to the URL of the folder");
        let ran = fs::read_to_string(&self.mark).unwrap_or_default();
        assert_eq!(ran, "", "`zephyr {command}` ran a program of the folder");
        let urls = [self.trap.url(), self.port.url()];
        for path in files(self.home.path()) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            let secrets = PRECIOUS.map(|(_, secret)| secret);
            let urls = urls.iter().map(String::as_str);
            for bad in secrets.into_iter().chain(urls).chain(["of-the-trap"]) {
                let path = path.display();
                assert!(
                    !text.contains(bad),
                    "`zephyr {command}` wrote {bad} into {path}"
                );
            }
        }
    }

    fn names(&self) -> BTreeSet<PathBuf> {
        files(&self.folder).into_iter().collect()
    }
}

/// Every file below the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = entries
        .map(|entry| entry.path())
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        });
    below.collect()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_follows_what_lies_in_the_current_folder() {
    let scene = Scene::new().await;
    let before = scene.names();
    let mut commands = scene.home.commands();
    commands.push(String::new());

    for command in &commands {
        scene.run_command(command);
        scene.check(command);
    }
    let instance = Serving::until(
        scene.zephyr(&["serve"]).current_dir(scene.home.path()),
        " is ready.\n",
    );
    let instance = instance.unwrap();
    for command in &commands {
        scene.run_command(command);
        scene.check(command);
    }

    assert_eq!(scene.names(), before);
    assert!(
        !scene.mine.requests().is_empty(),
        "the user's own endpoint was asked"
    );
    instance.signal("TERM");
    instance.ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passed_over_is_said_and_the_users_own_file_counts() {
    let scene = Scene::new().await;

    let path = scene.run(&["config", "path"]);
    let probe = scene.run(&["probe"]);

    let own = scene.home.path().join("config.toml");
    assert_eq!(
        String::from_utf8_lossy(&path.stdout),
        format!("{}\n", own.display())
    );
    for output in [&path, &probe] {
        let told = stderr(output);
        assert_eq!(told.matches("zephyr config trust").count(), 1, "{told}");
        let folder = scene.folder.join("config.toml").display().to_string();
        assert!(told.contains(&folder), "{told}");
    }
    assert!(probe.status.success(), "{}", stderr(&probe));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trusted_file_is_used_until_it_or_its_dotenv_changes() {
    let scene = Scene::new().await;

    let trust = scene.run(&["config", "trust"]);
    let probe = scene.run(&["probe"]);
    let ran = fs::read_to_string(&scene.mark).unwrap_or_default();
    scene.run(&["diagnose", "A"]);
    let asked = scene.trap.requests().len();
    scene.run(&["connect", "claude-code"]);
    let settings = fs::read_to_string(scene.home.path().join(".claude/settings.json")).unwrap();
    fs::remove_file(&scene.mark).unwrap();
    fs::write(scene.folder.join(".env"), "PRECIOUS=another\n").unwrap();
    let changed = scene.run(&["probe"]);

    assert!(trust.status.success(), "{}", stderr(&trust));
    let folder = scene.folder.join("config.toml").display().to_string();
    assert!(String::from_utf8_lossy(&trust.stdout).contains(&folder));
    assert!(stderr(&probe).contains(&folder), "{}", stderr(&probe));
    assert!(ran.contains("claude"), "{}", stderr(&probe));
    assert!(asked > 0);
    assert!(settings.contains(&scene.port.url()), "{settings}");
    assert!(
        stderr(&changed).contains("zephyr config trust"),
        "{}",
        stderr(&changed)
    );
    assert!(!scene.mark.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_zephyr_does_not_take_over_what_was_changed_since_it_was_trusted() {
    let scene = Scene::new().await;
    let path = scene.folder.join("config.toml");
    let own = fs::read_to_string(scene.home.path().join("config.toml")).unwrap();
    fs::write(&path, &own).unwrap();
    scene.run(&["config", "trust"]);
    let serving = Serving::until(&mut scene.zephyr(&["serve"]), " is ready.\n").unwrap();
    let problems = async || {
        let snapshot = scene.home.running().await.snapshot;
        let problems = snapshot.problems.iter();
        problems
            .map(|problem| problem.message.to_string())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let before = problems().await;

    fs::write(&path, own.replace(&scene.mine.url(), &scene.trap.url())).unwrap();
    serving.signal("HUP");
    let running = scene.home.running().await;
    let mut snapshots = zephyr_control::Control::snapshots(&running.client)
        .await
        .unwrap();
    let rejected = async {
        use futures_util::StreamExt;
        while let Some(snapshot) = snapshots.next().await {
            let mut messages = snapshot.problems.iter().map(|problem| &problem.message);
            if messages.any(|message| message.contains("zephyr config trust")) {
                return snapshot.endpoints[0].url.clone();
            }
        }
        panic!("it ended");
    };
    let url = tokio::time::timeout(std::time::Duration::from_secs(60), rejected)
        .await
        .unwrap();
    let trusted = scene.run(&["config", "trust"]);
    let now = scene.home.running().await.snapshot.endpoints[0].url.clone();

    assert!(!before.contains("zephyr config trust"), "{before}");
    assert_eq!(url.as_str(), scene.mine.url());
    assert!(trusted.status.success(), "{}", stderr(&trusted));
    assert_eq!(
        now.as_str(),
        scene.trap.url(),
        "what is trusted anew is taken over"
    );
    serving.signal("TERM");
    serving.ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_named_is_read_and_said() {
    let scene = Scene::new().await;
    let other = scene.home.around().join("other.toml");
    fs::write(&other, "[ui]\nlanguage = \"en\"\n").unwrap();
    let other = other.to_str().unwrap();

    let by_argument = scene.run(&["--config", other, "config", "check"]);
    let status = scene.run(&["--config", other]);
    let variable = |name: &str| {
        let mut command = scene.zephyr(&["config", "check"]);
        command.env(name, other).output().unwrap()
    };
    let (ours, theirs) = (variable("ZEPHYR_CONFIG"), variable("CONFIG_FILE"));

    for (output, word) in [
        (&by_argument, "--config"),
        (&status, "--config"),
        (&ours, "$ZEPHYR_CONFIG"),
        (&theirs, "other programs"),
    ] {
        assert!(output.status.success(), "{}", stderr(output));
        let told = stderr(output);
        assert!(told.contains(other) && told.contains(word), "{told}");
    }
    for output in [&by_argument, &ours, &theirs] {
        assert!(String::from_utf8_lossy(&output.stdout).contains(other));
    }
    let usual = scene.home.path().join("config.toml");
    let usual = scene.run(&["--config", usual.to_str().unwrap(), "config", "path"]);
    assert_eq!(stderr(&usual), "", "nobody wonders about the usual one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relative_data_folder_is_no_data_folder() {
    let scene = Scene::new().await;
    fs::create_dir(scene.folder.join("data")).unwrap();

    for command in scene.home.commands() {
        if matches!(
            command.as_str(),
            "explain" | "rules test" | "serve" | "demo"
        ) {
            continue;
        }
        scene.run_command(&command);
    }
    for arguments in [
        &["status"][..],
        &["serve"],
        &["demo"],
        &["connect", "claude-code"],
    ] {
        let mut command = scene.zephyr(arguments);
        let output = command.env("ZEPHYR_DATA_DIR", "data").output().unwrap();

        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            stderr(&output).contains("ZEPHYR_DATA_DIR"),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(files(&scene.folder.join("data")).len(), 0);
}
