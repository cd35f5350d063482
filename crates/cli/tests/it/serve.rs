//! `zephyr serve` and `zephyr probe` as processes: start, signals, end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::home::Home;
use crate::serving::Serving;
use futures_util::StreamExt;
use zephyr_admin::instance::{Found, Running};
use zephyr_control::{Control, EventKind, Mode, Snapshot};
use zephyr_testkit::{Act, Endpoint, RawClient, get};

/// Waits until a snapshot is as it should be.
async fn until(running: &Running, is_so: impl Fn(&Snapshot) -> bool) {
    let mut snapshots = running.client.snapshots().await.unwrap();
    while let Some(snapshot) = snapshots.next().await {
        if is_so(&snapshot) {
            return;
        }
    }
    panic!("the instance ended");
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_end() {
    for signal in ["TERM", "INT"] {
        let home = Home::with("");
        let serving = home.serve();

        let running = home.running().await;
        assert_eq!(running.instance.pid, serving.child.id());
        assert_eq!(
            running.snapshot.listening.admin,
            Some(running.instance.admin.to_string())
        );
        let answer = get(running.instance.proxy, "/status").await.unwrap();
        assert_eq!(answer.status, 200);
        serving.signal(signal);

        let (code, said) = serving.ended();
        assert_eq!(code, Some(0), "{signal}: {said}");
        assert!(matches!(home.found().await, Found::Nothing));
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_requests_in_flight() {
    let endpoint = Endpoint::start(Act::hang()).await;
    let home = Home::over(&endpoint);
    let serving = home.serve();
    let running = home.running().await;
    let mut client = RawClient::connect(running.instance.proxy).await.unwrap();
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"Hi"}]}"#;
    client.send_messages(body).await.unwrap();
    endpoint.next_request().await;

    serving.signal("TERM");
    until(&running, |snapshot| snapshot.drain.is_some()).await;
    serving.signal("TERM");

    let (code, said) = serving.ended();
    assert_eq!(code, Some(1));
    assert!(said.contains("cut off"), "{said}");
    assert!(matches!(home.found().await, Found::Nothing));
}

#[tokio::test]
async fn a_hang_up_reads_the_configuration_again() {
    let home = Home::with("");
    let serving = home.serve();
    let running = home.running().await;

    serving.signal("HUP");

    until(&running, |snapshot| {
        let mut events = snapshot.events.iter();
        events.any(|event| matches!(event.kind, EventKind::ConfigReloaded))
    })
    .await;
    serving.signal("TERM");
    assert_eq!(serving.ended().0, Some(0));
}

#[test]
fn what_is_logged_stands_in_the_file_of_the_day_too() {
    let log = |home: &Home, folder: &str| {
        let serving = home.serve();
        serving.signal("TERM");
        let (_, said) = serving.ended();
        assert!(said.contains("a second signal ends at once"), "{said}");
        let files = fs::read_dir(home.path().join(folder)).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read_to_string(&files[0]).unwrap()
    };

    let usual = log(&Home::with(""), "data/logs");
    let named = log(
        &Home::with("[logging]\nlog_directory = \"elsewhere\"\n"),
        "elsewhere",
    );

    for text in [usual, named] {
        assert!(text.contains("a second signal ends at once"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn where_no_log_can_be_kept_it_serves_and_says_so() {
    let home = Home::with("");
    fs::create_dir(home.data_dir()).unwrap();
    fs::write(home.data_dir().join("logs"), "in the way").unwrap();

    let serving = home.serve();
    serving.signal("TERM");

    let (code, _) = serving.ended();
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn a_second_instance_names_the_first() {
    let home = Home::with("");
    let serving = home.serve();

    let second = home.run(&["serve"]);

    assert_eq!(second.status.code(), Some(2));
    let pid = serving.child.id().to_string();
    assert!(stderr(&second).contains(&pid), "{}", stderr(&second));
    assert_eq!(home.running().await.instance.pid, serving.child.id());
}

#[test]
fn a_port_that_another_program_holds_exits_2() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let home = Home::with("");
    home.configure(&format!("[server]\nport = {port}\n"));

    let output = home.run(&["serve"]);

    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains(&port.to_string()), "{said}");
    assert!(said.contains("server.port"), "{said}");
}

#[tokio::test]
async fn after_a_kill_it_is_known_to_be_gone_and_can_start_again() {
    let home = Home::with("");
    let killed = home.serve();
    let pid = killed.child.id();
    drop(killed);

    let status = home.run(&["status"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(stderr(&status).contains(&pid.to_string()));
    let serving = home.serve();

    assert_eq!(home.running().await.instance.pid, serving.child.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_decided_survives_a_kill() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let home = Home::over(&endpoint);
    let killed = home.serve();
    for arguments in [&["use", "A"][..], &["pause"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let file = home.data_dir().join("state.json");
    let is_written = || {
        let written = fs::read_to_string(&file).unwrap_or_default();
        written.contains(r#""pinned": "A""#) && written.contains(r#""paused": true"#)
    };
    let written = async {
        while !is_written() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written)
        .await
        .expect("it is written");
    killed.signal("KILL");
    killed.ended();

    let _serving = home.serve();

    let snapshot = home.running().await.snapshot;
    assert!(snapshot.paused);
    let pinned = Mode::Manual {
        endpoint: "A".to_owned(),
    };
    assert_eq!(snapshot.mode, pinned);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_probe_says_by_its_exit_code_whether_anything_is_usable() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let home = Home::over(&endpoint);
    let text = fs::read_to_string(home.path().join("config.toml")).unwrap();
    home.configure(&text.replace("mode = \"off\"", "mode = \"message\""));

    let good = home.run(&["probe"]);
    endpoint.set(Act::status(500));
    let bad = home.run(&["probe", "a"]);
    let unknown = home.run(&["probe", "B"]);

    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    let table = str::from_utf8(&good.stdout).unwrap();
    assert!(table.contains("ready"), "{table}");
    assert_eq!(bad.status.code(), Some(1));
    let table = str::from_utf8(&bad.stdout).unwrap();
    assert!(table.contains("500"), "{table}");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        stderr(&unknown).contains("endpoints: A"),
        "{}",
        stderr(&unknown)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_diagnosis_says_step_by_step_how_far_an_endpoint_works_and_what_to_do() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let home = Home::over(&endpoint);
    let text = fs::read_to_string(home.path().join("config.toml")).unwrap();
    home.configure(&text.replace("auth_type = \"passthrough\"", "auth_token_env = \"TOKEN\""));
    fs::write(home.path().join(".env"), "TOKEN=ours\n").unwrap();

    let good = home.run(&["diagnose", "a"]);
    endpoint.set(Act::status(401));
    let bad = home.run(&["diagnose", "A"]);
    let unknown = home.run(&["diagnose", "B"]);

    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    let table = str::from_utf8(&good.stdout).unwrap();
    assert!(
        table.contains("First token") && table.contains("USD"),
        "{table}"
    );
    assert_eq!(bad.status.code(), Some(1));
    let table = str::from_utf8(&bad.stdout).unwrap();
    assert!(
        table.contains("✗") && table.contains("check the token"),
        "{table}"
    );
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("endpoints: A"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn how_well_the_schedule_is_kept_is_said_and_costs_nothing() {
    let endpoint = Endpoint::start(Act::message("Hi")).await;
    let home = Home::over(&endpoint);

    let timing = home.run(&["probe", "--test-timing", "--seconds", "3"]);

    let said = str::from_utf8(&timing.stdout).unwrap();
    assert!(said.contains("checks in 3 s"), "{said}");
    let code = timing.status.code();
    assert_eq!(
        code == Some(0),
        !stderr(&timing).contains("the schedule is not kept"),
        "{code:?}"
    );
    assert_eq!(endpoint.requests().len(), 0);
}

#[tokio::test]
async fn the_demo_answers_a_stream_without_a_key() {
    let home = Home::with("");
    let mut demo = home
        .zephyr(&["demo", "--port", "0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(demo.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("zephyr status") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    let demo = Serving {
        child: demo,
        stderr,
    };
    let running = home.running().await;
    assert!(said.contains(&format!("curl -N http://{}", running.instance.proxy)));

    let mut client = RawClient::connect(running.instance.proxy).await.unwrap();
    let body = r#"{"model":"claude-haiku-4-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    client.send_messages(body).await.unwrap();
    let answer = client.answer().await.unwrap();

    assert_eq!(answer.status, 200);
    let events = String::from_utf8(answer.body).unwrap();
    assert!(events.contains("message_stop"), "{events}");
    demo.signal("TERM");
    assert_eq!(demo.ended().0, Some(0));
}
