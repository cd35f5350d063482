//! What is told without being asked for: notifications, and the icon.

use std::net::{Ipv4Addr, SocketAddr};

use zephyr_control::EventKind;
use zephyr_desktop_test::{Configuration, Desktop, Part};
use zephyr_testkit::{Act, Endpoint};

use crate::{Three, started, until_all_ready};

#[tokio::test]
async fn when_an_endpoint_dies_a_notification_says_from_to_and_why_and_the_icon_changes() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three.configuration().probing("message");
    let zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    let tray = zephyr.tray().await;
    let healthy = tray.icon().await;
    assert!(!healthy.is_blank());

    three.hk.set(Act::status(500));

    let said = desktop.notifications().saying(&["from HK to Tokyo"]).await;
    assert!(said.says(&["unusable"]), "no reason: {said:?}");
    tray.icon_other_than(&[&healthy]).await;
    tray.until_checked("Tokyo –").await;

    three.hk.set(Act::message("from HK"));

    desktop.notifications().saying(&["from Tokyo to HK"]).await;
    tray.until_icon(&healthy).await;
}

#[tokio::test]
async fn everything_down_and_back_is_told() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three.configuration().probing("message");
    let zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    let tray = zephyr.tray().await;
    let healthy = tray.icon().await;

    three.set_all(&Act::status(500));

    let notifications = desktop.notifications();
    notifications.saying(&["no endpoint is usable"]).await;
    tray.icon_other_than(&[&healthy]).await;
    tray.item_named("No endpoint is usable").await;

    three.set_all(&Act::message("again"));

    notifications.saying(&["works again"]).await;
    tray.until_icon(&healthy).await;
    assert_eq!(desktop.ask().await.text(), "again");
}

#[tokio::test]
async fn each_state_has_an_icon_of_its_own() {
    let desktop = Desktop::complete().await;
    let here = Endpoint::start(Act::message("here")).await;
    let there = elsewhere(Act::message("there")).await;
    let configuration =
        Configuration::over(&[("Here", &here), ("There", &there)]).probing("message");
    let zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    let tray = zephyr.tray().await;

    let healthy = tray.icon().await;
    here.set(Act::status(500));
    let degraded = tray.icon_other_than(&[&healthy]).await;
    tray.click("Pause monitoring").await;
    let paused = tray.icon_other_than(&[&healthy, &degraded]).await;
    tray.click("Pause monitoring").await;
    there.set(Act::status(500));
    let all_down = tray.icon_other_than(&[&healthy, &degraded, &paused]).await;
    let (here_was, there_was) = (here.addr(), there.addr());
    here.stop().await;
    there.stop().await;
    let known = [&healthy, &degraded, &paused, &all_down];
    let offline = tray.icon_other_than(&known).await;
    desktop.notifications().saying(&["offline"]).await;
    tray.item_named("Nothing can be reached").await;

    let _here = Endpoint::start_at(here_was, Act::message("here"))
        .await
        .unwrap();
    let _there = Endpoint::start_at(there_was, Act::message("there"))
        .await
        .unwrap();

    desktop.notifications().saying(&["online"]).await;
    tray.until_icon(&healthy).await;
    let sizes = known.map(|icon| (icon.width, icon.height));
    assert!(
        sizes
            .iter()
            .all(|size| *size == (offline.width, offline.height)),
        "{sizes:?}"
    );
}

#[tokio::test]
async fn what_is_turned_off_is_not_told() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration =
        three
            .configuration()
            .probing("message")
            .set("notifications", "on_switch", "false");
    let _zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;

    three.hk.set(Act::status(500));
    desktop
        .until("a switch", |snapshot| {
            let mut events = snapshot.events.iter();
            events
                .any(|event| matches!(event.kind, EventKind::Switched { .. }))
                .then_some(())
        })
        .await;
    three.set_all(&Act::status(500));
    desktop
        .notifications()
        .saying(&["no endpoint is usable"])
        .await;

    let all = desktop.notifications().all();
    assert!(all.iter().all(|one| !one.says(&["switched"])), "{all:?}");
}

#[tokio::test]
async fn a_click_on_a_notification_opens_the_window() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let configuration = three.configuration().probing("message");
    let _zephyr = started(&desktop, &configuration).await;
    until_all_ready(&desktop).await;
    three.hk.set(Act::status(500));
    let notification = desktop.notifications().saying(&["Tokyo"]).await;
    assert_eq!(desktop.windows(), 0);

    desktop.notifications().click(&notification).await;

    desktop.until_windows(1).await;
}

#[tokio::test]
async fn without_a_notification_daemon_everything_else_works_and_a_late_one_is_used() {
    let mut desktop = Desktop::lacking(&[Part::Notifications]).await;
    let three = Three::start().await;
    desktop.configure(&three.configuration().probing("message"));
    let process = desktop.start("zephyr-desktop", desktop.zephyr_desktop(&[]));
    until_all_ready(&desktop).await;

    three.hk.set(Act::status(500));
    zephyr_desktop_test::Tray::on(&desktop)
        .await
        .until_checked("Tokyo –")
        .await;
    assert_eq!(desktop.ask().await.text(), "from Tokyo");
    desktop.start_notifications().await;
    three.set_all(&Act::status(500));

    desktop
        .notifications()
        .saying(&["no endpoint is usable"])
        .await;
    drop(process);
}

/// On another host, for one who goes by the address: only two that fail together are a network's fault.
async fn elsewhere(act: Act) -> Endpoint {
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0));
    Endpoint::start_at(address, act).await.unwrap()
}
