//! Claude Code's settings: two keys, and back.

use std::fs;
use std::path::PathBuf;

use zephyr_desktop_test::{Desktop, until};

use crate::{Three, started};

/// As nobody's program would write it.
const SETTINGS: &str = "{\n\t\"model\" :\"opus\",  \"env\": { \"FOO\":\"bar\\u00e9\" ,\n\
    \"ANTHROPIC_BASE_URL\" : \"https://mine.example.com\" },\r\n \"zahl\": 1.50e3}\n\n";

#[tokio::test]
async fn after_a_crash_disconnect_restores_every_byte() {
    let desktop = Desktop::complete().await;
    let settings = written(&desktop);
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;

    tray.click("Use with Claude Code").await;
    tray.until_checked("Use with Claude Code").await;
    let connected = fs::read_to_string(&settings).unwrap();
    let url = format!("http://{}", desktop.proxy().await);
    assert!(connected.contains(&url), "{connected}");
    assert!(connected.contains("\"FOO\":\"bar\\u00e9\""), "{connected}");
    zephyr.kill().await;
    let disconnected = desktop.zephyr(&["disconnect", "claude-code"]).await;

    assert_eq!(disconnected.code, Some(0), "{disconnected:?}");
    assert_eq!(fs::read_to_string(&settings).unwrap(), SETTINGS);
}

#[tokio::test]
async fn a_second_click_disconnects() {
    let desktop = Desktop::complete().await;
    let settings = written(&desktop);
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    tray.click("Use with Claude Code").await;
    tray.until_checked("Use with Claude Code").await;

    tray.click("Use with Claude Code").await;

    // The item itself is unchecked as soon as it is clicked, before anything has been done.
    until("the settings to be as they were", async || {
        let content = fs::read_to_string(&settings).ok()?;
        (content == SETTINGS).then_some(())
    })
    .await;
    tray.until_unchecked("Use with Claude Code").await;
}

#[tokio::test]
async fn quitting_leaves_claude_code_on_no_dead_port_and_the_next_start_connects_it_again() {
    let desktop = Desktop::complete().await;
    let settings = written(&desktop);
    let three = Three::start().await;
    let zephyr = started(&desktop, &three.configuration()).await;
    let tray = zephyr.tray().await;
    tray.click("Use with Claude Code").await;
    tray.until_checked("Use with Claude Code").await;

    tray.click("Quit Zephyr").await;
    zephyr.ended().await;
    assert_eq!(fs::read_to_string(&settings).unwrap(), SETTINGS);
    desktop.tray_host().until_items(0).await;
    let zephyr = started(&desktop, &three.configuration()).await;

    zephyr
        .tray()
        .await
        .until_checked("Use with Claude Code")
        .await;
    let url = format!("http://{}", desktop.proxy().await);
    until("the new address in the settings", async || {
        let text = fs::read_to_string(&settings).ok()?;
        text.contains(&url).then_some(())
    })
    .await;
}

fn written(desktop: &Desktop) -> PathBuf {
    let folder = desktop.home().join(".claude");
    fs::create_dir_all(&folder).unwrap();
    let settings = folder.join("settings.json");
    fs::write(&settings, SETTINGS).unwrap();
    settings
}
