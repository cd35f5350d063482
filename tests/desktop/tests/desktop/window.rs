//! The window, read and clicked; its pictures are kept.

use zephyr_control::Mode;
use zephyr_desktop_test::{Configuration, Desktop, Part, Window};
use zephyr_testkit::{Act, Endpoint};

use crate::Three;

#[tokio::test]
async fn the_window_shows_the_endpoints_and_a_click_sends_requests_there() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration().probing("connect"));
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;

    for name in ["HK", "Tokyo", "Oregon"] {
        window.until_says(&row(name), &[name, "ms"]).await;
    }
    window.until_says("[data-testid=in-use]", &["HK"]).await;
    window.click(&row("Tokyo")).await;

    window.until_says("[data-testid=in-use]", &["Tokyo"]).await;
    let endpoint = "Tokyo".to_owned();
    assert_eq!(desktop.snapshot().await.mode, Mode::Manual { endpoint });
    assert_eq!(desktop.ask().await.text(), "from Tokyo");
    assert_eq!(
        window
            .attribute(&row("Tokyo"), "aria-checked")
            .await
            .as_deref(),
        Some("true")
    );

    window.click("[data-testid=mode-auto]").await;

    window.until_says("[data-testid=in-use]", &["HK"]).await;
    assert_eq!(desktop.ask().await.text(), "from HK");
}

#[tokio::test]
async fn the_window_and_the_menu_show_the_same_pause() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    let tray = zephyr_desktop_test::Tray::on(&desktop).await;
    window.text(&row("HK")).await;

    window.click("[data-testid=pause]").await;
    tray.until_checked("Pause monitoring").await;
    tray.click("Pause monitoring").await;

    desktop
        .until("the end of the pause", |snapshot| {
            (!snapshot.paused).then_some(())
        })
        .await;
}

#[tokio::test]
async fn without_a_tray_host_the_window_says_how_to_get_one() {
    let desktop = Desktop::lacking(&[Part::TrayHost]).await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());

    let window = Window::of(&desktop, &desktop.zephyr_desktop(&[])).await;

    let problem = "[data-testid=problem][data-kind=desktop]";
    window.until_says(problem, &["tray", "extension"]).await;
    window.keep_screenshot("no-tray-host").await;
}

#[tokio::test]
async fn a_configuration_with_errors_is_explained_in_the_window_until_it_is_corrected() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.write_config("[server]\nport = \"many\"\n");
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;

    let problem = "[data-testid=problem][data-kind=config_error]";
    window.until_says(problem, &["port"]).await;
    window.keep_screenshot("configuration-with-errors").await;
    desktop.configure(&three.configuration());

    window.until_says(&row("HK"), &["HK"]).await;
}

#[tokio::test]
async fn with_nothing_configured_the_window_opens_and_says_what_to_do() {
    let desktop = Desktop::complete().await;
    desktop.configure(&Configuration::empty());

    let window = Window::of(&desktop, &desktop.zephyr_desktop(&[])).await;

    window.text("[data-testid=empty]").await;
    window.keep_screenshot("nothing-configured").await;
}

#[tokio::test]
async fn pictures_are_kept_of_both_themes_and_both_languages() {
    for (theme, language) in [
        ("light", "en"),
        ("dark", "en"),
        ("light", "zh"),
        ("dark", "zh"),
    ] {
        let desktop = Desktop::complete().await;
        let three = Three::start().await;
        let tired = Endpoint::start(Act::status(500)).await;
        let credential = r#"auth_token_env = "ZEPHYR_TEST_TOKEN""#;
        let configuration = three
            .configuration()
            .group("fallback", credential, &[("Frankfurt", &tired)])
            .flag("Tokyo", "🇯🇵")
            .flag("Oregon", "🇺🇸")
            .probing("message")
            .set("health_check", "interval_seconds", "4")
            .set("health_check", "min_interval_seconds", "4")
            .unset("health_check", "daily_budget_usd")
            .unset("failover", "hold_seconds")
            .set("ui", "theme", &format!("{theme:?}"))
            .set("ui", "language", &format!("{language:?}"));
        desktop.configure(&configuration);
        let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;

        window.until_says(&row("Frankfurt"), &["500"]).await;
        window
            .until_says(&format!("{} .latency", row("Tokyo")), &[])
            .await;

        let picture = window
            .keep_screenshot(&format!("window-{theme}-{language}"))
            .await;
        assert!(picture.exists());
        let html = window.attribute("html", "data-theme").await;
        assert_eq!(html.as_deref(), Some(theme));
    }
}

fn row(endpoint: &str) -> String {
    format!("[data-testid=endpoint-row][data-endpoint={endpoint:?}]")
}
