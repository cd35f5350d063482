//! The menu: what it shows, and what a click does.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use zephyr_control::Mode;
use zephyr_desktop_test::{Configuration, Desktop, Kind};

use crate::{Three, started, until_all_ready};

#[tokio::test]
async fn the_menu_shows_the_endpoints_and_what_can_be_done() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three.configuration().probing("connect");
    let zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    let tray = zephyr.tray().await;

    let menu = tray
        .until("every latency", |menu| {
            let named = ["HK –", "Tokyo –", "Oregon –"];
            let measured = named.map(|name| menu.find(name).filter(|i| i.label.ends_with(" ms")));
            measured.iter().all(Option::is_some).then(|| menu.clone())
        })
        .await;

    let expected = [
        "🇭🇰 HK · ",
        "🇭🇰 HK – ",
        "Tokyo – ",
        "Oregon – ",
        "Automatic",
        "Pause monitoring",
        "Check now",
        "Open Zephyr",
        "Use with Claude Code",
        "Launch at login",
        "Quit Zephyr",
    ];
    let labels = menu.labels();
    assert_eq!(labels.len(), expected.len(), "{menu}");
    for (label, beginning) in labels.iter().zip(expected) {
        assert!(label.starts_with(beginning), "{beginning} in {menu}");
    }
    assert!(
        menu.is_checked("HK – ") && menu.is_checked("Automatic"),
        "{menu}"
    );
    assert!(
        !menu.is_checked("Tokyo") && !menu.is_checked("Oregon"),
        "{menu}"
    );
    assert!(!menu.items[0].enabled, "{menu}");
}

#[tokio::test]
async fn a_click_on_an_endpoint_sends_requests_there_and_automatic_takes_them_back() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    assert_eq!(desktop.ask().await.text(), "from HK");

    tray.click("Tokyo –").await;

    tray.until_checked("Tokyo –").await;
    tray.until_unchecked("HK –").await;
    tray.until_unchecked("Automatic").await;
    let endpoint = "Tokyo".to_owned();
    assert_eq!(desktop.snapshot().await.mode, Mode::Manual { endpoint });
    assert_eq!(desktop.ask().await.text(), "from Tokyo");

    tray.click("Automatic").await;

    tray.until_checked("Automatic").await;
    tray.until_checked("HK –").await;
    tray.until_unchecked("Tokyo –").await;
    assert_eq!(desktop.snapshot().await.mode, Mode::Auto);
    assert_eq!(desktop.ask().await.text(), "from HK");
}

/// A check item takes its own mark away when it is clicked.
#[tokio::test]
async fn a_click_on_the_endpoint_in_use_keeps_its_check() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;

    tray.click("HK –").await;
    tray.until_unchecked("Automatic").await;
    tray.until_checked("HK –").await;
    // A second time there is nothing to change, so nothing else would draw it.
    tray.click("HK –").await;

    tray.until_checked("HK –").await;
    let endpoint = "HK".to_owned();
    assert_eq!(desktop.snapshot().await.mode, Mode::Manual { endpoint });
}

#[tokio::test]
async fn pause_stops_the_checks_and_a_second_click_starts_them_again() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three.configuration().probing("message");
    let zephyr = started(&desktop, &configuration).await;
    let tray = zephyr.tray().await;
    three.hk.next_request().await;

    tray.click("Pause monitoring").await;
    tray.until_checked("Pause monitoring").await;
    let paused = Instant::now();

    // One that had begun may still arrive; in three intervals another would come.
    let begun = Duration::from_millis(500);
    let later = timeout(Duration::from_secs(3), async {
        while three.hk.next_request().await.at < paused + begun {}
    });
    assert!(
        later.await.is_err(),
        "an endpoint was checked during a pause"
    );
    assert_eq!(desktop.ask().await.text(), "from HK");

    let resumed = Instant::now();
    tray.click("Pause monitoring").await;
    tray.until_unchecked("Pause monitoring").await;
    while three.tokyo.next_request().await.at < resumed {}
}

#[tokio::test]
async fn check_now_checks_every_endpoint() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three
        .configuration()
        .probing("message")
        .set("health_check", "interval_seconds", "3600")
        .set("health_check", "min_interval_seconds", "3600");
    let zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    let before = three.named().map(|(_, endpoint)| endpoint.requests().len());

    zephyr.tray().await.click("Check now").await;

    for ((name, endpoint), before) in three.named().into_iter().zip(before) {
        while endpoint.next_request().await.number < before {}
        println!("{name} was checked again");
    }
}

#[tokio::test]
async fn each_of_several_groups_is_a_submenu() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let [hk, tokyo, oregon] = three.named();
    let credential = r#"auth_token_env = "ZEPHYR_TEST_TOKEN""#;
    let configuration = Configuration::empty()
        .group("asia", credential, &[hk, tokyo])
        .group("america", credential, &[oregon]);
    let zephyr = started(&desktop, &configuration).await;
    let tray = zephyr.tray().await;
    tray.item_named("Oregon –").await;
    let menu = tray.menu().await;
    let groups = menu.items.iter().filter_map(|item| match &item.kind {
        Kind::Submenu(group) => Some(group.labels()),
        Kind::Plain | Kind::Check { .. } | Kind::Separator => None,
    });
    let sizes: Vec<usize> = groups.map(|labels| labels.len()).collect();
    assert_eq!(sizes, [2, 1], "{menu}");

    tray.click("Oregon –").await;

    tray.until_checked("Oregon –").await;
    assert_eq!(desktop.ask().await.text(), "from Oregon");
}
