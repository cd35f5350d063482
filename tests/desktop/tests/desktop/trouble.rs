//! What is missing or wrong is shown, and passes without a restart.

use std::net::{Ipv4Addr, TcpListener};

use zephyr_control::{Problem, ProblemKind, Snapshot};
use zephyr_desktop_test::{Desktop, Part, Tray, Zephyr, until};

use crate::{Three, started};

#[tokio::test]
async fn without_a_tray_host_the_window_opens_and_a_late_host_gets_the_icon() {
    let mut desktop = Desktop::lacking(&[Part::TrayHost]).await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let process = desktop.start("zephyr-desktop", desktop.zephyr_desktop(&[]));

    desktop.until_windows(1).await;
    let problem = until_problem(&desktop, ProblemKind::Desktop).await;
    assert!(problem.message.contains("tray"), "{problem:?}");
    assert_eq!(desktop.ask().await.text(), "from HK");

    desktop.start_tray_host().await;

    let tray = Tray::on(&desktop).await;
    until_no_problem(&desktop, ProblemKind::Desktop).await;
    tray.click("Tokyo –").await;
    tray.until_checked("Tokyo –").await;
    drop(process);
}

#[tokio::test]
async fn a_tray_host_that_restarts_gets_the_icon_again() {
    let mut desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let process = desktop.start("zephyr-desktop", desktop.zephyr_desktop(&[]));
    Tray::on(&desktop).await;

    desktop.stop_tray_host();
    until_problem(&desktop, ProblemKind::Desktop).await;
    desktop.start_tray_host().await;

    Tray::on(&desktop).await.item_named("Tokyo –").await;
    until_no_problem(&desktop, ProblemKind::Desktop).await;
    drop(process);
}

#[tokio::test]
async fn a_configuration_of_the_working_folder_counts_only_once_it_is_trusted() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let own = desktop.config_home().join("zephyr").join("config.toml");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "[server]\nport = 0\n[web_admin]\nport = 0\n").unwrap();
    let read = |snapshot: &Snapshot| snapshot.config_path.clone();

    let zephyr = Zephyr::start_as(&desktop, desktop.zephyr_desktop_by_itself());
    let before = desktop.until("a configuration", read).await;
    zephyr.terminate();
    let ended = zephyr.ended().await;
    let trusted = desktop.zephyr(&["config", "trust"]).await;
    let _zephyr = Zephyr::start_as(&desktop, desktop.zephyr_desktop_by_itself());
    let after = desktop.until("a configuration", read).await;

    assert_eq!(before.as_str(), own.display().to_string());
    assert!(ended.said.contains("zephyr config trust"), "{ended:?}");
    assert_eq!(trusted.code, Some(0), "{trusted:?}");
    assert_eq!(after.as_str(), desktop.config_path().display().to_string());
    assert_eq!(desktop.ask().await.text(), "from HK");
}

#[tokio::test]
async fn without_a_session_bus_it_starts_and_the_window_opens() {
    let desktop = Desktop::lacking(&[Part::Bus]).await;
    let three = Three::start().await;

    let _zephyr = Zephyr::start(&desktop, &three.configuration());

    assert_eq!(desktop.ask().await.text(), "from HK");
    desktop.until_windows(1).await;
    until_problem(&desktop, ProblemKind::Desktop).await;
}

#[tokio::test]
async fn without_a_display_it_says_so_and_ends() {
    let desktop = Desktop::lacking(&[Part::Display]).await;
    let three = Three::start().await;

    let zephyr = Zephyr::start(&desktop, &three.configuration());

    let ended = zephyr.ended().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.said.contains("display"), "{ended:?}");
    assert!(!ended.said.contains("panicked"), "{ended:?}");
    assert!(
        ended.said.contains("zephyr serve"),
        "no way out is named: {ended:?}"
    );
}

#[tokio::test]
async fn a_configuration_with_errors_is_shown_until_it_is_corrected() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.write_config("[server]\nport = \"many\"\n");

    let zephyr = Zephyr::start_as(&desktop, desktop.zephyr_desktop(&[]));

    let problem = until_problem(&desktop, ProblemKind::ConfigError).await;
    assert!(problem.message.contains("port"), "{problem:?}");
    let tray = zephyr.tray().await;
    tray.item_named("⚠").await;

    desktop.configure(&three.configuration());

    tray.item_named("Tokyo –").await;
    assert_eq!(desktop.ask().await.text(), "from HK");
    until_no_problem(&desktop, ProblemKind::ConfigError).await;
}

#[tokio::test]
async fn a_mistake_while_it_runs_changes_nothing_but_is_shown() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;

    desktop.write_config("[[groups]\n");

    until_problem(&desktop, ProblemKind::ConfigError).await;
    zephyr.tray().await.item_named("⚠").await;
    assert_eq!(desktop.ask().await.text(), "from HK");

    desktop.configure(&three.configuration());

    until_no_problem(&desktop, ProblemKind::ConfigError).await;
}

#[tokio::test]
async fn a_busy_port_is_shown_until_it_is_free() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let configuration = three
        .configuration()
        .set("server", "port", &port.to_string());

    let zephyr = Zephyr::start(&desktop, &configuration);

    let problem = until_problem(&desktop, ProblemKind::Port).await;
    assert!(problem.message.contains(&port.to_string()), "{problem:?}");
    zephyr.tray().await.item_named("⚠").await;

    drop(other);

    until_no_problem(&desktop, ProblemKind::Port).await;
    assert_eq!(desktop.proxy().await.port(), port);
    assert_eq!(desktop.ask().await.text(), "from HK");
}

#[tokio::test]
async fn it_attaches_to_a_zephyr_that_serves_already() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let mut serve = desktop.zephyr_command(std::env::var("ZEPHYR_TEST_PROGRAM").unwrap());
    serve
        .arg("serve")
        .arg("--config")
        .arg(desktop.config_path());
    let serve = desktop.start("zephyr serve", serve);
    let proxy = desktop.proxy().await;

    let zephyr = Zephyr::start(&desktop, &three.configuration());
    let tray = zephyr.tray().await;
    tray.item_named("Tokyo –").await;
    tray.click("Tokyo –").await;
    tray.until_checked("Tokyo –").await;
    assert_eq!(desktop.proxy().await, proxy);
    assert_eq!(desktop.ask().await.text(), "from Tokyo");

    serve.terminate();
    serve.ended().await;

    until("a proxy of the desktop's own", async || {
        let instance = std::fs::read_to_string(desktop.data_dir().join("instance.json")).ok()?;
        instance.contains(&zephyr.id().to_string()).then_some(())
    })
    .await;
    assert_eq!(desktop.ask().await.status, 200);
}

async fn until_problem(desktop: &Desktop, kind: ProblemKind) -> Problem {
    let what = format!("a problem of kind {kind:?}");
    let look = |snapshot: &Snapshot| of_kind(snapshot, kind).cloned();
    let problem = desktop.until(&what, look).await;
    assert!(!problem.remedy.is_empty(), "{problem:?}");
    problem
}

async fn until_no_problem(desktop: &Desktop, kind: ProblemKind) {
    let what = format!("the end of the problem of kind {kind:?}");
    let look = |snapshot: &Snapshot| of_kind(snapshot, kind).is_none().then_some(());
    desktop.until(&what, look).await;
}

fn of_kind(snapshot: &Snapshot, kind: ProblemKind) -> Option<&Problem> {
    let mut problems = snapshot.problems.iter();
    problems.find(|problem| problem.kind == kind)
}
