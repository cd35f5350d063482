//! The built program: what it prints, and its exit codes.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::fake::{self, Asked, Server, record, snapshot};
use crate::home::Home;
use zephyr_admin::instance::{self, Instance, Registration, Role};
use zephyr_control::{
    AttemptRecord, Command as ControlCommand, EndpointState, EndpointView, RequestDetail,
    RequestEnd, RequestRecord, Snapshot, UsageReport,
};

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn what_is_no_command_exits_2() {
    let home = Home::new();

    for arguments in [
        &["explode"][..],
        &["use"],
        &["--headless", "status"],
        &["completions", "tcl"],
    ] {
        let output = home.run(arguments);

        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(!stderr(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_bad_configuration_exits_2_and_lists_every_error() {
    let home = Home::new();
    home.write(
        "config.toml",
        "[server]\nport = -1\n[routing]\nstrategy = \"luck\"\n",
    );

    for arguments in [
        &["serve"][..],
        &["--headless"],
        &["config", "check"],
        &["probe"],
    ] {
        let output = home.run(arguments);

        assert_eq!(code(&output), 2, "{arguments:?}");
        let errors = stderr(&output);
        assert!(errors.contains("line 2: server.port"), "{errors}");
        assert!(errors.contains("line 4: routing.strategy"), "{errors}");
    }
}

#[test]
fn a_named_file_that_is_missing_exits_2() {
    let output = Home::new().run(&["--config", "nowhere.toml", "serve"]);

    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("nowhere.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let home = Home::new();
    home.write("config.toml", "[server]\nprot = 1\n");

    let check = home.run(&["config", "check"]);
    let path = home.run(&["config", "path"]);

    assert_eq!(code(&check), 0);
    assert!(stdout(&check).contains("no errors"), "{}", stdout(&check));
    assert!(stderr(&check).contains("server.prot"), "{}", stderr(&check));
    let expected = home.path().join("config.toml");
    assert_eq!(stdout(&path), format!("{}\n", expected.display()));
}

#[test]
fn without_a_configuration_one_is_written_and_said_so() {
    let home = Home::new();

    let output = home.run(&["config", "path"]);

    let path = stdout(&output).trim_end();
    assert!(Path::new(path).is_file(), "{path}");
    assert!(stderr(&output).contains(path), "{}", stderr(&output));
}

#[test]
fn commands_to_nobody_exit_1_with_advice() {
    let home = Home::new();

    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["use", "HK"],
        &["auto"],
        &["reinstate"],
        &["logs"],
        &["logs", "7"],
        &["logs", "--follow"],
        &["why"],
        &["why", "7"],
        &["usage"],
        &["open"],
        &["open", "--print"],
    ] {
        let output = home.run(arguments);

        assert_eq!(code(&output), 1, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(
            stderr(&output).contains("zephyr serve"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn alone_it_says_what_to_do_next() {
    let home = Home::new();

    let output = home.run(&[]);

    assert_eq!(code(&output), 0);
    assert!(
        stdout(&output).contains("zephyr serve"),
        "{}",
        stdout(&output)
    );
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "it wrote something"
    );
}

#[test]
fn a_completion_script_names_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Home::new().run(&["completions", shell]);

        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("reinstate"), "{shell}");
    }
}

#[test]
fn the_schema_is_json() {
    let output = Home::new().run(&["config", "schema"]);

    assert_eq!(code(&output), 0);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["type"], "object");
}

#[test]
fn probing_nothing_fails() {
    let home = Home::new();
    home.write("config.toml", "");

    let output = home.run(&["probe"]);

    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("config.toml"),
        "{}",
        stderr(&output)
    );
}

/// A Secret Service is where the session bus is, and this one is nowhere.
#[cfg(target_os = "linux")]
fn without_keychain(home: &Home, arguments: &[&str], stdin: &str) -> Output {
    use std::io::Write;
    let mut command = home.zephyr(arguments);
    command
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that needs no secret may have ended without reading it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keychain_the_token_commands_exit_1_and_say_what_to_do() {
    let home = Home::new();

    for arguments in [
        &["token", "set", "primary"][..],
        &["token", "list"],
        &["token", "remove", "primary"],
        &["token", "rename", "primary", "second"],
    ] {
        let output = without_keychain(&home, arguments, "hunter2-hunter2\n");

        assert_eq!(code(&output), 1, "{arguments:?}");
        let errors = stderr(&output);
        assert!(errors.contains("there is no keychain"), "{errors}");
        assert!(errors.contains("auth_token_env"), "{errors}");
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    assert!(
        !home.path().join("config.toml").exists(),
        "nothing is written"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_stored_exits_2_and_is_not_shown() {
    let home = Home::new();
    let secret = "sk-ant-hunter2-hunter2";

    let as_name = without_keychain(&home, &["token", "set", secret], "");
    let empty = without_keychain(&home, &["token", "set", "primary"], "\n");
    let two_lines = without_keychain(&home, &["token", "set", "primary"], "hunter2\nhunter2");

    for output in [as_name, empty, two_lines] {
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_of_the_configuration_says_what_the_keychain_lacks() {
    let home = Home::new();
    home.write(
        "config.toml",
        "[[groups]]\nname = \"g\"\nauth_token_keychain = \"primary\"\n\
         endpoints = [{ name = \"A\", url = \"https://a.example.com\" }]\n",
    );

    let output = without_keychain(&home, &["config", "check"], "");

    assert_eq!(code(&output), 0);
    let warnings = stderr(&output);
    assert!(
        warnings.contains("endpoint A: keychain entry primary: there is no keychain"),
        "{warnings}"
    );
}

/// A running instance with two endpoints.
async fn instance() -> (Server, Registration) {
    let server = Server::start().await;
    let endpoint = |name: &str| EndpointView {
        name: name.to_owned(),
        flag: None,
        group: "primary".to_owned(),
        url: "https://example.com".into(),
        enabled: true,
        state: EndpointState::Ready,
        reason: None,
        until_ms: None,
        latency_ms: None,
        latency_history: Vec::new(),
        ttft_ms: None,
        compared_by: None,
        ttft_percentiles: Vec::new(),
        probe_cost_usd: 0.0,
        share: None,
        quota: Vec::new(),
        last_check_ms: None,
        last_error: None,
        in_flight: 0,
        attempts: 0,
        failures: 0,
        priority: 1,
        weight: 1,
        price: 1.0,
    };
    server.control.publish(Snapshot {
        endpoints: vec![endpoint("HK"), endpoint("Tokyo")],
        current: Some("HK".to_owned()),
        status: zephyr_control::examples::well("HK"),
        ..snapshot(1)
    });
    let this = Instance::this(([127, 0, 0, 1], 8080).into(), server.address);
    let registration = instance::register(server.data_dir.path(), Role::Engine, this).unwrap();
    (server, registration)
}

async fn run(server: &Server, arguments: &'static [&'static str]) -> Output {
    let data_dir = server.data_dir.path().to_owned();
    let running = move || Home::new().zephyr_over(&data_dir, arguments).output();
    tokio::task::spawn_blocking(running).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_status_of_a_running_instance_is_shown() {
    let (server, _registration) = instance().await;

    let alone = run(&server, &[]).await;
    let table = run(&server, &["status"]).await;
    let json = run(&server, &["status", "--json"]).await;

    assert_eq!((code(&alone), code(&table), code(&json)), (0, 0, 0));
    assert_eq!(stdout(&alone), stdout(&table));
    let whole = "Status: all well · HK\nIn use: HK\n";
    assert!(stdout(&table).contains(whole), "{}", stdout(&table));
    let snapshot: Snapshot = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(snapshot.endpoints.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_newest_requests_are_shown_the_newest_last() {
    let (server, _registration) = instance().await;
    server.control.record((1..=60).map(record));

    let table = run(&server, &["logs"]).await;
    let few = run(&server, &["logs", "--limit", "2", "--json"]).await;
    let csv = run(&server, &["logs", "--csv", "--limit", "2000"]).await;

    assert_eq!(code(&table), 0, "{}", stderr(&table));
    let lines: Vec<_> = stdout(&table).lines().collect();
    assert_eq!(lines.len(), 51);
    assert!(lines[50].starts_with("60  2026-11-21"), "{}", lines[50]);
    assert!(lines[50].contains("unknown"), "{}", lines[50]);
    let few: Vec<RequestRecord> = stdout(&few)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(few, [record(59), record(60)]);
    assert_eq!(stdout(&csv).lines().count(), 61);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_asked_of_the_journal_arrives() {
    let (server, _registration) = instance().await;

    let output = run(
        &server,
        &[
            "logs",
            "--failed",
            "--endpoint",
            "tokyo",
            "--model",
            "m",
            "--session",
            "s",
            "--status",
            "529",
            "--since",
            "1970-01-01T00:00:01Z",
            "--until",
            "1970-01-01T00:00:02Z",
            "--search",
            "a b",
        ],
    )
    .await;

    assert_eq!(stdout(&output), "No request matches.\n");
    let [Asked::Requests(filter, _)] = &server.control.asked()[..] else {
        panic!("one question");
    };
    assert_eq!(filter.endpoint.as_deref(), Some("Tokyo"));
    assert_eq!(filter.model.as_deref(), Some("m"));
    assert_eq!(filter.session.as_deref(), Some("s"));
    assert_eq!(filter.text.as_deref(), Some("a b"));
    assert_eq!((filter.since_ms, filter.until_ms), (Some(1000), Some(2000)));
    assert_eq!((filter.failed, filter.status), (true, Some(529)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_follower_sees_what_is_new_and_ends_when_nobody_reads() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let (server, _registration) = instance().await;
    server.control.record([record(1)]);
    let home = Home::new();
    let mut child = tokio::process::Command::from(home.zephyr_over(
        server.data_dir.path(),
        &["logs", "--follow", "--json", "--failed"],
    ))
    .stdout(std::process::Stdio::piped())
    .kill_on_drop(true)
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let failed = |id| RequestRecord {
        end: RequestEnd::Failed,
        ..record(id)
    };

    server.control.record([record(2), failed(3)]);
    let third = lines.next_line().await.unwrap().unwrap();
    server.control.record([failed(4)]);
    let fourth = lines.next_line().await.unwrap().unwrap();
    drop(lines);
    server.control.record([failed(5)]);
    let status = child.wait().await.unwrap();

    let read = |line: &str| serde_json::from_str::<RequestRecord>(line).unwrap();
    assert_eq!([read(&third), read(&fourth)], [failed(3), failed(4)]);
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_request_is_shown_in_full() {
    let (server, _registration) = instance().await;
    server.control.record([record(7)]);

    let text = run(&server, &["logs", "7"]).await;
    let json = run(&server, &["logs", "7", "--json"]).await;
    let missing = run(&server, &["logs", "8"]).await;

    for part in [
        "Request 7 ",
        "retry-after: 3",
        "x-api-key: [redacted]",
        "你好",
    ] {
        assert!(stdout(&text).contains(part), "{}", stdout(&text));
    }
    let detail: RequestDetail = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(detail, fake::detail(record(7)));
    assert_eq!(code(&missing), 1);
    assert_eq!(stderr(&missing), "zephyr: no such request\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_attempts_of_a_request_are_told() {
    let (server, _registration) = instance().await;
    server.control.record([record(6), record(7)]);

    let newest = run(&server, &["why"]).await;
    let named = run(&server, &["why", "7"]).await;
    let json = run(&server, &["why", "7", "--json"]).await;
    let missing = run(&server, &["why", "8"]).await;

    let told = stdout(&named);
    assert!(told.starts_with("Request 7"), "{told}");
    assert!(told.contains("1. Tokyo"), "{told}");
    assert_eq!(stdout(&newest), told);
    let attempts: Vec<AttemptRecord> = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(attempts, record(7).attempts);
    assert_eq!(code(&missing), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sums_are_shown() {
    let (server, _registration) = instance().await;

    let table = run(&server, &["usage", "--since", "1970-01-01T00:00:01Z"]).await;
    let json = run(&server, &["usage", "--by", "model", "--json"]).await;
    let csv = run(&server, &["usage", "--by", "hour", "--csv"]).await;

    assert!(stdout(&table).contains("2026-11-21"), "{}", stdout(&table));
    assert!(stdout(&table).contains("unknown"), "{}", stdout(&table));
    let report: UsageReport = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report, fake::usage());
    assert!(
        stdout(&csv).starts_with("key,requests,"),
        "{}",
        stdout(&csv)
    );
    let asked = server.control.asked().into_iter().map(|asked| {
        let Asked::Usage(query) = asked else {
            panic!("{asked:?}");
        };
        (query.by, query.since_ms)
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked[0], (zephyr_control::UsageBy::Day, Some(1000)));
    assert_eq!(asked[1].0, zephyr_control::UsageBy::Model);
    let month_and_day = asked[2].1.unwrap() - asked[1].1.unwrap();
    assert!(month_and_day / 86_400_000 == 29, "{month_and_day}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_address_that_signs_in_is_printed_where_there_is_no_browser() {
    let (server, _registration) = instance().await;
    let page = format!("http://{}/#code=", server.address);

    let printed = run(&server, &["open", "--print"]).await;
    let by_hand = run(&server, &["open"]).await;

    assert!(stdout(&printed).starts_with(&page), "{}", stdout(&printed));
    assert_eq!(stdout(&printed).trim_end().len(), page.len() + 64);
    if cfg!(target_os = "linux") {
        assert!(stdout(&by_hand).contains(&page), "{}", stdout(&by_hand));
    }
    assert!(!stdout(&by_hand).contains(server.secret().trim()));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_browser_is_given_the_address_and_the_terminal_is_not() {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;
    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::time::timeout;
    let (server, _registration) = instance().await;
    let home = Home::new();
    home.write("xdg-open", "#!/bin/sh\necho \"$1\" > \"$OPENED\"\n");
    let browser = home.path().join("xdg-open");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let opened = home.path().join("opened");
    rustix::fs::mkfifoat(rustix::fs::CWD, &opened, rustix::fs::Mode::RWXU).unwrap();
    let mut command = home.zephyr_over(server.data_dir.path(), &["open"]);
    command
        .env("DISPLAY", ":0")
        .env("PATH", home.path())
        .env("OPENED", &opened);

    // Held open for writing too, so that it does not end before the browser begins.
    let mut options = tokio::net::unix::pipe::OpenOptions::new();
    let receiver = options.read_write(true).open_receiver(&opened).unwrap();
    let mut lines = BufReader::new(receiver).lines();

    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let address = timeout(Duration::from_secs(60), lines.next_line()).await;
    let address = address.unwrap().unwrap().unwrap();
    let output = output.await.unwrap();

    let page = format!("http://{}", server.address);
    assert!(address.starts_with(&format!("{page}/#code=")), "{address}");
    let told = stdout(&output);
    assert!(told.contains(&page) && !told.contains('#'), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_steering_command_arrives() {
    let (server, _registration) = instance().await;
    let endpoint = || "Tokyo".to_owned();
    let cases: [(&'static [&'static str], ControlCommand); 9] = [
        (
            &["use", "tokyo"],
            ControlCommand::Use {
                endpoint: endpoint(),
            },
        ),
        (&["auto"], ControlCommand::Auto),
        (&["pause"], ControlCommand::Pause),
        (&["resume"], ControlCommand::Resume),
        (&["refresh"], ControlCommand::Refresh),
        (
            &["enable", "Tokyo"],
            ControlCommand::Enable {
                endpoint: endpoint(),
            },
        ),
        (
            &["disable", "Tokyo"],
            ControlCommand::Disable {
                endpoint: endpoint(),
            },
        ),
        (
            &["reinstate", "Tokyo"],
            ControlCommand::Reinstate {
                endpoint: Some(endpoint()),
            },
        ),
        (&["reinstate"], ControlCommand::Reinstate { endpoint: None }),
    ];

    for (arguments, command) in cases {
        let output = run(&server, arguments).await;

        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "done\n");
        assert_eq!(server.control.commands(), [command]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_unknown_name_is_not_sent_and_gets_a_hint() {
    let (server, _registration) = instance().await;

    let output = run(&server, &["use", "Tokio"]).await;

    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("did you mean Tokyo?"),
        "{}",
        stderr(&output)
    );
    assert_eq!(server.control.commands(), []);
}
