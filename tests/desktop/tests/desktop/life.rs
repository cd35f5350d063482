//! Start and end, and the window's.

use zephyr_control::Mode;
use zephyr_desktop_test::{Desktop, Zephyr, until};
use zephyr_testkit::{Act, End, Gate, Phase};

use crate::{Three, started};

#[tokio::test]
async fn it_starts_without_a_window_and_without_a_web_process() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;

    let zephyr = started(&desktop, &three.configuration()).await;

    desktop.snapshot().await;
    assert_eq!(desktop.windows(), 0);
    assert_eq!(zephyr.processes(), ["zephyr-desktop"]);
}

#[tokio::test]
async fn a_second_start_opens_the_window_of_the_first_and_ends() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let mut zephyr = started(&desktop, &three.configuration()).await;

    let second = desktop.zephyr_desktop(&[]);
    let second = desktop.start("second", second).ended().await;

    assert_eq!(second.code, Some(0), "{second:?}");
    desktop.until_windows(1).await;
    assert!(zephyr.is_running());
    assert_eq!(desktop.tray_host().items(), 1);
}

#[tokio::test]
async fn closing_the_window_leaves_the_tray_and_frees_the_window() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let mut zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;

    for _ in 0..2 {
        tray.click("Open Zephyr").await;
        desktop.until_windows(1).await;
        desktop.close_windows().await;
        until("the web process's end", async || {
            let processes = zephyr.processes();
            let web = processes
                .iter()
                .any(|name| name.starts_with("WebKitWebProc"));
            (!web).then_some(())
        })
        .await;
    }

    assert!(zephyr.is_running());
    assert_eq!(desktop.ask().await.text(), "from HK");
}

#[tokio::test]
async fn it_can_start_with_its_window() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());

    let _zephyr = Zephyr::start_as(&desktop, desktop.zephyr_desktop(&["--show"]));

    desktop.until_windows(1).await;
}

#[tokio::test]
async fn it_can_be_ended_from_the_command_line() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;

    let quit = desktop.zephyr_desktop(&["--quit"]);
    let quit = desktop.start("quit", quit).ended().await;

    assert_eq!(quit.code, Some(0), "{quit:?}");
    let ended = zephyr.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!desktop.data_dir().join("instance.json").exists());
    desktop.tray_host().until_items(0).await;
}

#[tokio::test]
async fn the_end_of_a_session_ends_it_in_order() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;

    zephyr.terminate();

    let ended = zephyr.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!desktop.data_dir().join("instance.json").exists());
}

#[tokio::test]
async fn quit_lets_a_stream_finish_and_counts_down() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    let gate = Gate::new();
    three
        .hk
        .push(Act::gate_at(Phase::BetweenDeltas, gate.clone()));
    let mut client = desktop.ask_for_stream().await;
    client.read_head().await.unwrap();
    client.next_event().await.unwrap().unwrap();

    tray.click("Quit Zephyr").await;

    let first = tray.item_named("Quitting").await;
    assert!(first.label.contains('1') && !first.enabled, "{first:?}");
    tray.until("the countdown to go on", |menu| {
        let label = &menu.find("Quitting")?.label;
        (*label != first.label).then_some(())
    })
    .await;
    gate.open();
    let (_, end) = client.read_body().await.unwrap();
    assert_eq!(end, End::Clean);
    let ended = zephyr.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_second_quit_ends_at_once() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    let gate = Gate::new();
    three
        .hk
        .push(Act::gate_at(Phase::BetweenDeltas, gate.clone()));
    let mut client = desktop.ask_for_stream().await;
    client.read_head().await.unwrap();
    client.next_event().await.unwrap().unwrap();

    tray.click("Quit Zephyr").await;
    tray.item_named("Quit now").await;
    tray.click("Quit now").await;

    let ended = zephyr.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (_, end) = client.read_body().await.unwrap();
    assert_eq!(end, End::Cut);
}

#[tokio::test]
async fn what_was_chosen_survives_a_crash() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    tray.click("Tokyo –").await;
    tray.until_checked("Tokyo –").await;
    tray.click("Pause monitoring").await;
    tray.until_checked("Pause monitoring").await;
    // Written within a tenth of a second.
    let state = desktop.data_dir().join("state.json");
    until("both decisions in state.json", async || {
        let text = std::fs::read_to_string(&state).ok()?;
        let state: serde_json::Value = serde_json::from_str(&text).ok()?;
        (text.contains("Tokyo") && state.to_string().contains(r#""paused":true"#)).then_some(())
    })
    .await;

    zephyr.kill().await;
    desktop.tray_host().until_items(0).await;
    let zephyr = Zephyr::start(&desktop, &three.configuration());

    let tray = zephyr.tray().await;
    tray.until_checked("Tokyo –").await;
    tray.until_checked("Pause monitoring").await;
    let snapshot = desktop.snapshot().await;
    let endpoint = "Tokyo".to_owned();
    assert_eq!(snapshot.mode, Mode::Manual { endpoint });
    assert!(snapshot.paused);
    assert_eq!(desktop.ask().await.text(), "from Tokyo");
}
