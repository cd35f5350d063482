//! The window, read and clicked; its pictures are kept.

use zephyr_control::Mode;
use zephyr_desktop_test::{Configuration, Desktop, Part, Window, until};
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

#[tokio::test]
async fn every_view_opens_in_the_window_in_the_chosen_language_and_theme() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration().probing("connect"));
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    window.until_says(&row("HK"), &["HK", "ms"]).await;
    desktop.ask().await;

    for (language, theme, heading) in [("en", "light", "Settings"), ("zh", "dark", "设置")] {
        goto(&window, "settings").await;
        choose(&window, "ui.language", language).await;
        choose(&window, "ui.theme", theme).await;
        window.until_says("h1", &[heading]).await;
        window
            .until_there(&format!("html[data-theme={theme}]"))
            .await;
        picture(&window, "settings", theme, language).await;

        goto(&window, "requests").await;
        let first = window.attribute("[data-testid=request]", "data-id").await;
        assert_eq!(first.as_deref(), Some("1"));
        picture(&window, "requests", theme, language).await;

        goto(&window, "usage").await;
        window.until_there("[data-testid=usage-row]").await;
        window.until_there("[data-testid=chart] canvas").await;
        picture(&window, "usage", theme, language).await;

        goto(&window, "endpoints").await;
        window.click("a[data-name=HK]").await;
        window.until_there("[data-testid=timeline] canvas").await;
        picture(&window, "endpoint", theme, language).await;
        window.click("[data-testid=close-editor]").await;
    }
}

#[tokio::test]
async fn a_request_is_shown_in_the_window_and_the_journal_is_saved_as_a_file() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let downloads = "XDG_DOWNLOAD_DIR=\"$HOME/Downloads\"\n";
    std::fs::write(desktop.config_home().join("user-dirs.dirs"), downloads).unwrap();
    std::fs::create_dir(desktop.home().join("Downloads")).unwrap();
    desktop.configure(&three.configuration());
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    window.text(&row("HK")).await;

    goto(&window, "requests").await;
    desktop.ask().await;
    window.click("[data-testid=request]").await;
    window
        .until_says("[data-testid=attempt]", &["HK", "200"])
        .await;
    window.keep_screenshot("request").await;
    window.click("[data-testid=close-detail]").await;
    window.click("[data-testid=export-csv]").await;

    let said = window
        .until_says("[data-testid=saved-as]", &["zephyr-requests.csv"])
        .await;
    window.keep_screenshot("exported").await;
    let saved = desktop.home().join("Downloads").join("zephyr-requests.csv");
    assert!(said.contains(&saved.display().to_string()), "{said}");
    let file = std::fs::read_to_string(saved).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert!(lines[1].contains(",HK,"), "{file}");

    window.click("[data-testid=export-csv]").await;

    window
        .until_says("[data-testid=saved-as]", &["(1).csv"])
        .await;
}

#[tokio::test]
async fn the_window_goes_to_no_foreign_page() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let foreign = Endpoint::start(Act::message("a foreign page")).await;
    desktop.configure(&three.configuration());
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    window.text(&row("HK")).await;

    for way in [
        "location.href = URL",
        "location.replace(URL)",
        "open(URL, '_self')",
        "open(URL)",
    ] {
        let url = format!("'{}/page'", foreign.url());
        window.run(&way.replace("URL", &url)).await;
    }

    goto(&window, "requests").await;
    desktop.ask().await;
    window.until_there("[data-testid=request]").await;
    assert!(foreign.requests().is_empty(), "{:?}", foreign.requests());
}

#[tokio::test]
async fn an_endpoint_is_added_through_the_form_in_the_window() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    let osaka = Endpoint::start(Act::message("from Osaka")).await;
    desktop.configure(&three.configuration());
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    window.text(&row("HK")).await;

    goto(&window, "endpoints").await;
    window.click("[data-testid=add-endpoint]").await;
    window.write("[data-testid=field-url]", &osaka.url()).await;
    window.write("[data-testid=field-name]", "Osaka").await;
    window.keep_screenshot("endpoint-added").await;
    window.click("[data-testid=save-endpoint]").await;
    window
        .until_says("[data-testid=configured][data-name=Osaka]", &["Osaka"])
        .await;
    goto(&window, "overview").await;
    window.click(&row("Osaka")).await;

    window.until_says("[data-testid=in-use]", &["Osaka"]).await;
    assert_eq!(desktop.ask().await.text(), "from Osaka");
    let written = std::fs::read_to_string(desktop.config_path()).unwrap();
    assert!(written.contains(&osaka.url()), "{written}");
}

#[tokio::test]
async fn a_window_with_something_unsaved_closes_only_when_that_may_be_lost() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let window = Window::of(&desktop, &desktop.zephyr_desktop(&["--show"])).await;
    window.text(&row("HK")).await;
    goto(&window, "endpoints").await;
    window.click("[data-testid=add-endpoint]").await;
    window.write("[data-testid=field-name]", "Osaka").await;

    until("the question", async || {
        desktop.ask_windows_to_close(); // It may miss one, as it may miss a click.
        window.shows("[data-testid=dialog]").await.then_some(())
    })
    .await;
    window
        .until_says("[data-testid=dialog]", &["Leave without saving?"])
        .await;
    desktop.until_windows(1).await;
    window.click_last("[data-testid=confirm]").await;
    desktop.until_windows(0).await;
}

async fn goto(window: &Window, view: &str) {
    window.click(&format!("[data-testid=nav-{view}]")).await;
    window.until_there(&format!("main[data-view={view}]")).await;
}

async fn choose(window: &Window, key: &str, option: &str) {
    let setting = format!("[data-testid=setting][data-key={key:?}]");
    window
        .click(&format!("{setting} option[value={option}]"))
        .await;
}

async fn picture(window: &Window, view: &str, theme: &str, language: &str) {
    let name = format!("window-{view}-{theme}-{language}");
    window.keep_screenshot(&name).await;
}

fn row(endpoint: &str) -> String {
    format!("[data-testid=endpoint-row][data-endpoint={endpoint:?}]")
}
